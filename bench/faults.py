"""The table of faults in docs/safety.md, from the times that `make faults` has measured."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from report import machine_line

BEGIN, END = "<!-- table of faults: make faults -->", "<!-- end of the table -->"


def cell(row: dict[str, Any], state: str) -> str:
    """How long the arm took to rest, or that nothing came of it; `not run` where the case failed or was left out."""
    if state not in row["times"]:
        return "not run"
    taken = row["times"][state]
    if taken is None:
        return "goes on" if state == "moving" else "stays at rest" if row["watched"] else "the robot is gone"
    return f"{taken:.2f} s after {row['since']} (at most {row['within']:g} s)"


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table, one row a fault."""
    lines = ["| Fault | What the arm does | Standing | Moving: at rest |", "|---|---|---|---|"]
    lines += [
        f"| {row['fault']} | {row['follows']} | {cell(row, 'standing')} | {cell(row, 'moving')} |" for row in rows
    ]
    return "\n".join(lines)


def replaced(page: str, new: str) -> str:
    """The page with what is between the two marks replaced.

    Raises:
        ValueError: a mark is missing.
    """
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"the page must have the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def main() -> None:
    """Put the table into the page."""
    parser = argparse.ArgumentParser(description="Write the table of faults into a page.")
    parser.add_argument("times", type=Path, help="JSON of launch/test/test_fault_table.py")
    parser.add_argument("page", type=Path, help="Markdown file with the two marks")
    args = parser.parse_args()
    written = f"{table(json.loads(args.times.read_text()))}\n\nOne trial each (n = 1), on {machine_line()}."
    args.page.write_text(replaced(args.page.read_text(), written))


if __name__ == "__main__":
    main()
