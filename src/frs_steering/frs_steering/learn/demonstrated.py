"""What was demonstrated, as pairs of an observation and the chunk that was driven from there on.

From control steps, when somebody or something drove by hand: every step begins a chunk, that of the commands over the
policy's horizon. Or from decisions that hold what the policy saw: each begins its own chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frs_steering.learn.errors import TrainingError
from frs_steering.learn.rollouts import driven
from frs_steering.policies.interface import GRIPPER_LAGS, Observation, PolicySpec
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import records
from frs_steering.record.replay import input_key, stored_observation
from frs_steering.record.steps import ControlStep
from frs_steering.robot.kinematics import pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace


@dataclass(frozen=True)
class Demonstrated:
    """One demonstrated chunk.

    Attributes:
        observation: what the policy would have seen.
        chunk: (H, D) float32 SI, what was driven from there on.
    """

    observation: Observation
    chunk: np.ndarray


@dataclass(frozen=True)
class Demonstration:
    """An episode in which the policy had no part.

    Attributes:
        name: of the episode.
        task: name of its task.
        label: how it ended, as a `Rollout`'s.
        chunks: what was demonstrated, in order.
    """

    name: str
    task: str
    label: str
    chunks: tuple[Demonstrated, ...]


def from_steps(
    steps: Sequence[ControlStep], instruction: str, spec: PolicySpec, every: int = 1
) -> tuple[Demonstrated, ...]:
    """The chunks that begin at every `every`-th control step and are driven to their end.

    Args:
        steps: of an episode, in order.
        instruction: that the policy is told.
        spec: of the policy.
        every: control steps from one chunk's beginning to the next one's.

    Raises:
        TrainingError: the policy's action space can't be filled from what was recorded.
    """
    rows = np.stack([row(step, spec) for step in steps]) if steps else np.empty((0, spec.dim), np.float32)
    return tuple(
        Demonstrated(_seen(steps, first, instruction, spec), rows[first : first + spec.horizon])
        for first in range(0, len(steps) - spec.horizon + 1, every)
    )


def from_decisions(recording: Path, spec: PolicySpec) -> tuple[Demonstrated, ...]:
    """The chunks of an episode's decisions that drove, each under what the policy saw then.

    Args:
        recording: that `frs eval --record` wrote, which has no camera streams.
        spec: of the policy.

    Raises:
        JournalError: the recording can't be read, or its chunks are not of this policy's kind.
    """
    topics = ("policy_input", "decision", "gate_report")
    told = list(records(recording, topics))
    of = {name: [one.message for one in told if one.known_as == name] for name in topics}
    inputs, drove = {input_key(message): message for message in of["policy_input"]}, driven(of["gate_report"])
    found = []
    for decision in of["decision"]:
        seen = inputs.get(input_key(decision))
        if (decision.chunk_id, decision.first_tick) not in drove or seen is None:
            continue
        shape, space = (decision.horizon, decision.dim), decision.action_space.value
        if shape != (spec.horizon, spec.dim) or space != spec.action_space or len(decision.refined) != np.prod(shape):
            raise JournalError(
                f"{recording}: chunk {decision.chunk_id} is {shape} of action space {space};"
                f" {spec.name!r} has {(spec.horizon, spec.dim)} of {int(spec.action_space)}"
            )
        chunk = np.array(decision.refined, np.float32).reshape(shape)
        found.append(Demonstrated(stored_observation(seen, spec.cameras), chunk))
    return tuple(found)


def row(step: ControlStep, spec: PolicySpec) -> np.ndarray:
    """What was commanded on a control step, as a row (D,) float32 of the policy's chunks, in SI units.

    Raises:
        TrainingError: the policy's action space is another than joint or Cartesian velocity.
    """
    if spec.action_space is ActionSpace.JOINT_VELOCITY:
        motion = step.commanded
    elif spec.action_space is ActionSpace.CARTESIAN_VELOCITY:
        motion = pose_and_jacobian(step.joint_position)[1] @ step.commanded
    else:
        raise TrainingError(
            f"policy {spec.name!r} has chunks of {spec.action_space.name};"
            " demonstrations give joint or Cartesian velocity"
        )
    return np.append(motion, step.gripper_commanded).astype(np.float32)


def _seen(steps: Sequence[ControlStep], at: int, instruction: str, spec: PolicySpec) -> Observation:
    step = steps[at]
    before = [steps[max(0, at - round(lag / spec.row_duration))].gripper for lag in GRIPPER_LAGS]
    images = {camera: step.images[camera] for camera in spec.cameras}
    return Observation(images, step.joint_position, step.gripper, (before[0], before[1]), instruction)
