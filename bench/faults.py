"""The table of faults in docs/safety.md, from the times that `make faults` has measured."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from report import machine_line

BEGIN, END = "<!-- table of faults: make faults -->", "<!-- end of the table -->"


def cell(trials: list[dict[str, Any]], state: str) -> str:
    """How long the arm took to rest, or that nothing came of it; `not run` where a case failed or was left out."""
    row, taken = trials[0], [row["times"].get(state, "not run") for row in trials]
    if "not run" in taken:
        return "not run"
    if taken[0] is None:
        return row["unmeasured"] if state == "moving" else "stays at rest" if row["watched"] else "the robot is gone"
    least, most = f"{min(taken):.2f}", f"{max(taken):.2f}"
    span = most if least == most else f"{least} .. {most}"
    return f"{span} s after {row['since']} (at most {row['within']:g} s)"


def table(runs: list[list[dict[str, Any]]]) -> str:
    """A Markdown table, one row a fault, of runs of all faults."""
    lines = ["| Fault | What the arm does | Standing | Moving: at rest |", "|---|---|---|---|"]
    for row in runs[0]:
        trials = [found for run in runs for found in run if found["fault"] == row["fault"]]
        trials += [{"times": {}}] * (len(runs) - len(trials))
        lines.append(f"| {row['fault']} | {row['follows']} | {cell(trials, 'standing')} | {cell(trials, 'moving')} |")
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
    parser.add_argument("page", type=Path, help="Markdown file with the two marks")
    parser.add_argument("times", type=Path, nargs="+", help="JSON of FRS_FAULTS_JSON=... pytest -m faults, one a run")
    args = parser.parse_args()
    runs = [json.loads(path.read_text()) for path in args.times]
    written = f"{table(runs)}\n\nn = {len(runs)} of each, on {machine_line()}."
    args.page.write_text(replaced(args.page.read_text(), written))


if __name__ == "__main__":
    main()
