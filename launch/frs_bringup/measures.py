"""What an episode's recording says about time and motion: stages of the decisions, control ticks, seams."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from frs_steering.record.steps import is_step

Stat = dict[str, float | int | None]
"""p50 and p99 of a quantity, and how many values there were (n); null where there was none."""

TIMINGS = ("camera_age", "wait", "prepare", "encode", "reverse", "denoise", "transport", "total")
"""Fields of frs_msgs/StageTimings [s], in the order in which the stages run."""

RUNNING = 2
"""ArmState.RUNNING, as a number: a recording is read without frs_msgs."""


def stat(values: Iterable[float], scale: float = 1.0) -> Stat:
    """p50, p99 and number of the finite values, multiplied by `scale`."""
    finite = np.array([value for value in values if math.isfinite(value)], float) * scale
    if not finite.size:
        return {"p50": None, "p99": None, "n": 0}
    p50, p99 = np.percentile(finite, (50, 99))
    return {"p50": round(float(p50), 4), "p99": round(float(p99), 4), "n": int(finite.size)}


def stages_ms(decisions: Sequence[Any], reports: Sequence[Any]) -> dict[str, Stat]:
    """Time of every stage in ms.

    Args:
        decisions: frs_msgs/Decision; a stage counts where it ran (decisions of the policy alone reverse nothing).
        reports: frs_msgs/GateReport.
    """
    stages = {
        name: stat((t for t in (getattr(decision.timings, name) for decision in decisions) if _ran(name, t)), 1e3)
        for name in TIMINGS
    }
    stages["gate"] = stat((report.gate_duration for report in reports if is_step(report)), 1e3)
    stages["tick_lateness"] = stat((report.tick_lateness for report in reports if is_step(report)), 1e3)
    return stages


def _ran(name: str, seconds: float) -> bool:
    return seconds > 0.0 if name in ("reverse", "denoise", "encode") else True


def decisions_by_source(decisions: Sequence[Any], names: Mapping[int, str]) -> dict[str, int]:
    """How many decisions each source steered; `names` gives the words for Decision.SOURCE_*."""
    counts = dict.fromkeys(names.values(), 0)
    for decision in decisions:
        name = names.get(decision.source, f"source {decision.source}")
        counts[name] = counts.get(name, 0) + 1
    return counts


def ticks(states: Sequence[Any]) -> dict[str, float | int | None]:
    """Control steps from the first chunk on: driven by a fresh chunk, or starved though one was due (see ArmState).

    Args:
        states: frs_msgs/ArmState in order, up to the end of the drive. Its counters begin anew with each claim.
    """
    first = next((i for i, state in enumerate(states) if state.state == RUNNING), None)
    driven = starved = 0
    if first is not None:
        driven = 1
        for before, after in pairwise(states[first:]):
            same = after.owner_epoch in (before.owner_epoch, 0)  # 0: nobody owns the arm, the counters stand still
            driven += after.ticks_driven - (before.ticks_driven if same else 0)
            starved += after.ticks_starved - (before.ticks_starved if same else 0)
    due = driven + starved
    return {"driven": driven, "starved": starved, "fresh_share": round(driven / due, 4) if due else None}


def chunks_driven(states: Sequence[Any]) -> int:
    """Number of chunks that drove the arm."""
    return len({(state.owner_epoch, state.chunk_id) for state in states if state.state == RUNNING})


def seams(states: Sequence[Any], reports: Sequence[Any], row_duration: float) -> dict[str, Stat]:
    """How one chunk followed another.

    A chunk's rows count from the tick after its observation, so the row with which it takes over says how long
    the decision took in control steps; the rows before it were discarded.

    Args:
        states: frs_msgs/ArmState in order, up to the end of the drive.
        reports: frs_msgs/GateReport in order.
        row_duration: s.

    Returns:
        delay_ms: from the tick after the observation to the chunk's first driven row.
        velocity_jump: rad/s, largest change of a joint's commanded velocity at the seam.
        velocity_change: rad/s, the same from step to step within chunks, to compare with.
    """
    commanded = {report.tick: np.asarray(report.commanded, float) for report in reports if is_step(report)}
    delays: list[float] = []
    at_seams: list[float] = []
    within: list[float] = []
    for before, after in pairwise(states):
        if after.state != RUNNING or after.chunk_id == 0:
            continue
        same = (before.owner_epoch, before.chunk_id) == (after.owner_epoch, after.chunk_id)
        if not same:
            delays.append(after.row * row_duration * 1e3)
        if after.tick in commanded and after.tick - 1 in commanded and before.state == RUNNING:
            change = float(np.abs(commanded[after.tick] - commanded[after.tick - 1]).max())
            (within if same else at_seams).append(change)
    return {"delay_ms": stat(delays), "velocity_jump": stat(at_seams), "velocity_change": stat(within)}
