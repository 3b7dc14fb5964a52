"""How the benchmarks time and print: Markdown tables, and the machine that the figures are of."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from frs_bringup.summary import machine, versions

Case = TypeVar("Case")


def time_each(
    works: Mapping[str, Callable[[Case], object]], cases: Sequence[Case], warm_up: int
) -> dict[str, NDArray[np.float64]]:
    """Time of every call [s], by what was called; they take turns. The first `warm_up` cases are done once before."""
    times = {name: np.empty(len(cases)) for name in works}
    for case in cases[:warm_up]:
        for work in works.values():
            work(case)
    for i, case in enumerate(cases):
        for name, work in works.items():
            begun = time.perf_counter()
            work(case)
            times[name][i] = time.perf_counter() - begun
    return times


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
