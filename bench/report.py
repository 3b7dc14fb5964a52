"""How the benchmarks print: Markdown tables, and the machine that the figures are of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from frs_bringup.summary import machine, versions


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    widths = [max(3, *(len(line[i]) for line in (head, *rows))) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(cells)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def machine_line() -> str:
    """The machine in one line, with its load at the moment: with other work on it the figures mean little."""
    described = machine()
    packages = ", ".join(f"{name} {number}" for name, number in versions().items() if name != "frs_bringup")
    cores = f"{described['cores']} cores of {_processor()}"
    return f"{cores}, {described['system']}; {packages}; load average before: {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "an unknown processor"
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "an unknown processor")
