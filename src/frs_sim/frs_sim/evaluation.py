"""Episodes in a free-running cell, decided and executed by the very code that the nodes run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from frs_sim.cell import CONTROL_RATE, Cell, Eyes
from frs_sim.oracle import oracle
from frs_steering.arm.chunk import Chunk
from frs_steering.arm.execution import Execution, Settings
from frs_steering.arm.limits import Limits
from frs_steering.arm.reading import Reading
from frs_steering.policies import Observation, Policy
from frs_steering.steer.decision import decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.guidance import Guidance

DELAY = 1
"""Control steps from the observation to the chunk's taking over: what the nodes need with the embedded policy."""


@dataclass(frozen=True)
class Episode:
    """How one episode went.

    Attributes:
        task: its name.
        seed: of the scene.
        steered: whether the oracle's directions were used.
        success: by the task's own test.
        steps: control steps taken.
        decisions: made.
        by_source: decisions by who steered ("base", "scripted").
        evaluations: of the velocity field.
    """

    task: str
    seed: int
    steered: bool
    success: bool
    steps: int
    decisions: int
    by_source: dict[str, int]
    evaluations: int


def run_episode(
    cell: Cell, eyes: Eyes, policy: Policy, task: str, seed: int, *, steered: bool, steps: int = 10
) -> Episode:
    """Run one episode; the policy sees images, joints, gripper and the instruction, nothing else."""
    instruction = cell.reset(task, seed)
    spec, period = policy.spec, 1.0 / CONTROL_RATE
    execution = Execution(
        Settings(
            space=spec.action_space, frame=spec.frame_id, period=period, lease_max=2.0, state_timeout=0.25,
            first_epoch=1, limits=Limits(),
        )
    )  # fmt: skip
    epoch = execution.claim("evaluation", 0.0).epoch
    sources: Counter[str] = Counter()
    evaluations = 0
    waiting: list[Chunk] = []
    next_decision = 1
    for tick in range(1, cell.task.step_limit + 1):
        now = tick * period
        execution.observe(Reading(cell.joint_position, cell.joint_velocity, cell.gripper), now)
        if tick == next_decision:
            views = {camera: eyes.look(cell.data, camera) for camera in spec.cameras}
            observation = Observation(views, cell.joint_position, cell.gripper, instruction)
            wish: Guidance | None = oracle(cell.task, cell.truth()) if steered else None
            made = decide(policy, observation, wish, Trust(), steps=steps, seed=seed * 1000 + tick)
            sources["base" if made.reference is None else "scripted"] += 1
            evaluations += made.evaluations
            waiting.append(_chunk(made.answer.chunk, policy, epoch, sum(sources.values()), tick))
            next_decision = tick + spec.execute_rows
        while waiting and tick >= waiting[0].first_tick + DELAY - 1:
            execution.admit(waiting.pop(0), now)
        outcome = execution.tick(tick, now)
        cell.step(outcome.velocity, outcome.gripper)
        if cell.success:
            break
    return Episode(task, seed, steered, cell.success, cell.steps, sum(sources.values()), dict(sources), evaluations)


def _chunk(rows: np.ndarray | None, policy: Policy, epoch: int, number: int, tick: int) -> Chunk:
    spec = policy.spec
    assert rows is not None, "sampling and steering give a chunk"
    return Chunk(
        chunk_id=number, epoch=epoch, space=spec.action_space, frame=spec.frame_id, horizon=spec.horizon,
        dim=spec.dim, values=rows.astype(np.float64).ravel(), row_duration=spec.row_duration, first_tick=tick,
        lease=spec.horizon * spec.row_duration,
    )  # fmt: skip
