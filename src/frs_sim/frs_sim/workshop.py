"""What a worker process needs once, however much it does: a cell, its cameras, a policy. Made when first asked for."""

from __future__ import annotations

import functools
from pathlib import Path

from frs_sim.cell import Cell, Eyes
from frs_sim.tasks import TASKS
from frs_steering.policies import Policy, load_policy


@functools.cache
def cell() -> Cell:
    """The process's cell; to be laid out by whoever uses it."""
    return Cell(next(iter(TASKS)), 0)


@functools.cache
def eyes() -> Eyes:
    """The cameras of `cell()`, with the process's one GL context."""
    return Eyes(cell().model)


@functools.cache
def policy(weights: Path | None) -> Policy:
    """The embedded policy with these weights; None for the package's."""
    return load_policy("embedded", weights)
