"""Episodes in a free-running cell, decided and executed by the very code that the nodes run."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np

from frs_sim.cell import CONTROL_RATE, Cell, Eyes, Truth
from frs_sim.demonstrator import Demonstrator
from frs_sim.expert import Phase, Plan, act, plan
from frs_sim.learned import decide_learned
from frs_sim.reasoners import Reasoner, Situation
from frs_sim.rows import Episode
from frs_steering.arm.chunk import Chunk
from frs_steering.arm.execution import Execution, Settings
from frs_steering.arm.limits import Limits
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.reading import Reading
from frs_steering.learn.noise_policy import NoisePolicy
from frs_steering.policies import Observation, Policy
from frs_steering.robot.kinematics import joint_velocity
from frs_steering.steer.decision import Decided, decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.guidance import Guidance
from frs_steering.steer.likeness import likeness
from frs_steering.steer.method import Method

NEAR_END = 0.03
"""m: the last thing is held over its place, no higher than this above where it is let go."""
DELAY = 1
"""Control steps from the observation to the chunk's first row, as in the graph; until then the chunk before drives."""


class Watcher(Protocol):
    """Is told how an episode goes on."""

    def decided(
        self, number: int, tick: int, observation: Observation, guidance: Guidance | None, made: Decided, seed: int
    ) -> None:
        """Decision `number` (from 1) was made at control step `tick`."""

    def stepped(self, tick: int, outcome: Outcome) -> None:
        """The gate has judged a control step."""


def run_episode(
    cell: Cell,
    eyes: Eyes,
    policy: Policy,
    task: str,
    scene: int,
    *,
    method: Method,
    reasoner: Reasoner | Demonstrator | None,
    every: int = 1,
    in_distribution: bool = False,
    near_end: bool = False,
    instruction: str = "",
    noise_policy: NoisePolicy | None = None,
    watcher: Watcher | None = None,
) -> Episode:
    """Run one episode; the policy sees images, joints, gripper and the instruction, nothing else.

    Args:
        cell: is laid out anew.
        eyes: its cameras.
        policy: to be steered.
        task: its name.
        scene: seed of the scene, and of the policy's noise.
        method: how chunks are made of wishes.
        reasoner: who wishes, given the true state; None leaves the policy alone. A demonstrator makes every decision.
        every: the reasoner is asked at every n-th decision, beginning with the first.
        near_end: the expert drives until the last thing is held low over its place, the method from there. Where the
            expert does not get there in the task's time, the episode ends without a decision (`Episode.counts`).
        instruction: what the policy is told; empty for the task's own sentence.
        in_distribution: measure how rare the steered chunks and their references are; it changes nothing else.
        noise_policy: makes every decision, whatever the method and the reasoner.
        watcher: is told of every decision and control step.
    """
    began = time.perf_counter()
    own = cell.reset(task, scene)
    instruction = instruction or own
    if near_end and not _bring_near(cell):
        return Episode(False, 0, 0, 0, 0, wall_time=time.perf_counter() - began, decide_time=0.0)
    driven_there = cell.steps
    spec, period = policy.spec, 1.0 / CONTROL_RATE
    execution = Execution(
        Settings(
            space=spec.action_space, frame=spec.frame_id, period=period, lease_max=2.0, state_timeout=0.25,
            first_epoch=1, limits=Limits(), simulated=True,
        )
    )  # fmt: skip
    epoch = execution.claim("evaluation", 0.0).epoch
    decisions = steered = evaluations = 0
    decide_time = 0.0
    rarities: list[tuple[float, float, float]] = []
    next_decision = 1
    demonstrator = reasoner if isinstance(reasoner, Demonstrator) else None
    asked = None if isinstance(reasoner, Demonstrator) else reasoner
    for tick in range(1, cell.task.step_limit + 1):
        now = tick * period
        execution.observe(Reading(cell.joint_position, cell.joint_velocity, cell.gripper), now)
        if tick == next_decision:
            views = {camera: eyes.look(cell.data, camera) for camera in spec.cameras}
            observation = Observation(views, cell.joint_position, cell.gripper, cell.gripper_before, instruction)
            wish = (
                None if asked is None or decisions % every else asked(Situation(cell.task, cell.truth(), observation))
            )
            before = time.perf_counter()
            seed = scene * 1000 + tick
            if noise_policy is not None:
                made = decide_learned(policy, observation, noise_policy, seed)
            elif demonstrator is not None:
                made = demonstrator.decide(policy, observation, cell.task, cell.truth())
            else:
                made = decide(policy, observation, wish, Trust(), method=method, seed=seed)
            decide_time += time.perf_counter() - before
            decisions += 1
            if watcher is not None:
                watcher.decided(decisions, tick, observation, wish, made, seed)
            steered += made.reference is not None
            evaluations += made.evaluations
            if in_distribution and made.reference is not None:
                rarities.append(_rarity(policy, observation, made.answer.chunk, made.reference.chunk, method, seed))
            execution.admit(_chunk(made.answer.chunk, policy, epoch, decisions, tick + DELAY), now)
            next_decision = tick + (demonstrator.every if demonstrator else spec.execute_rows)
        outcome = execution.tick(tick, now)
        if watcher is not None:
            watcher.stepped(tick, outcome)
        cell.step(outcome.velocity, outcome.gripper)
        if cell.success:
            break
    refined, reference, base = zip(*rarities, strict=True) if rarities else ((), (), ())
    return Episode(
        success=cell.success, steps=cell.steps - driven_there, decisions=decisions, steered=steered,
        evaluations=evaluations, wall_time=time.perf_counter() - began, decide_time=decide_time,
        refined_rarity=refined, reference_rarity=reference, base_rarity=base,
    )  # fmt: skip


def _bring_near(cell: Cell) -> bool:
    # Whether the expert gets there.
    for _ in range(cell.task.step_limit):
        truth = cell.truth()
        wanted = plan(cell.task, truth)
        if wanted.phase is Phase.PUSH or (truth.held == cell.task.goals[-1].object and _is_near_end(wanted, truth)):
            return True
        action = act(wanted, truth)
        cell.step(joint_velocity(cell.joint_position, action[:6]), float(action[6]))
    return False


def _is_near_end(wanted: Plan, truth: Truth) -> bool:
    if wanted.phase is Phase.LOWER:  # aligned with its place, or it would first go sideways
        return np.array_equal(wanted.target, wanted.goal) and truth.tcp_position[2] - wanted.goal[2] < NEAR_END
    return wanted.phase in (Phase.RELEASE, Phase.SLIDE)


def _rarity(
    policy: Policy,
    observation: Observation,
    refined: np.ndarray | None,
    reference: np.ndarray,
    method: Method,
    seed: int,
) -> tuple[float, float, float]:
    """0..1, share of the policy's own chunks that fit the observation better: than each, and than one of its own.

    The last is a control: it is uniform but for the comparison's finite number of samples.
    """
    # Decisions are more than two ticks apart, so that no two of these seeds meet.
    alone = decide(policy, observation, None, Trust(), method=method.alone(), seed=seed + 1).answer.chunk
    assert refined is not None and alone is not None, "steering and sampling give a chunk"
    chunks = np.stack([refined, reference, alone])
    steered, rough, own = likeness(policy, observation, chunks, steps=method.steps, seed=seed + 2)
    return float(steered), float(rough), float(own)


def _chunk(rows: np.ndarray | None, policy: Policy, epoch: int, number: int, first_tick: int) -> Chunk:
    spec = policy.spec
    assert rows is not None, "sampling and steering give a chunk"
    return Chunk(
        chunk_id=number, epoch=epoch, space=spec.action_space, frame=spec.frame_id, horizon=spec.horizon,
        dim=spec.dim, values=rows.astype(np.float64).ravel(), row_duration=spec.row_duration, first_tick=first_tick,
        lease=spec.horizon * spec.row_duration,
    )  # fmt: skip
