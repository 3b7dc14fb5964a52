"""What was demonstrated: which chunk begins where, and what the policy would have seen there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from demonstrated_steps import CLOSES, INSTRUCTION, control_steps
from frs_msgs.msg import GateReport, PolicyInput
from journal_samples import CHANNELS, INDEX, decision, image_message, picture
from rclpy.serialization import serialize_message

from frs_steering.learn.demonstrated import from_decisions, from_steps, row
from frs_steering.learn.errors import TrainingError
from frs_steering.policies import load_policy
from frs_steering.policies.interface import PolicySpec
from frs_steering.record.errors import JournalError
from frs_steering.record.writer import Episode, JournalWriter, Limits
from frs_steering.robot.kinematics import pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace

STEPS = 40


@pytest.fixture(scope="module")
def spec() -> PolicySpec:
    return load_policy("embedded").spec


@pytest.mark.parametrize("every", [1, 4, 100])
def test_every_control_step_begins_a_chunk_if_it_is_asked_for(spec: PolicySpec, every: int) -> None:
    steps = control_steps(STEPS)
    chunks = from_steps(steps, INSTRUCTION, spec, every)
    assert len(chunks) == (STEPS - spec.horizon) // every + 1
    for number, one in enumerate(chunks):
        first = number * every
        moved = pose_and_jacobian(steps[first].joint_position)[1] @ steps[first].commanded
        np.testing.assert_allclose(one.chunk[0, :6], moved, atol=1e-6)
        assert one.chunk[:, 6].tolist() == [float(n >= CLOSES - 1) for n in range(first, first + spec.horizon)]
        seen = one.observation
        assert seen.gripper_before == tuple(float(max(0, first - lag) >= CLOSES) for lag in (12, 24))
        assert (seen.gripper, seen.instruction) == (float(first >= CLOSES), INSTRUCTION)
        np.testing.assert_array_equal(seen.joint_position, steps[first].joint_position)


def test_an_episode_shorter_than_a_chunk_gives_none(spec: PolicySpec) -> None:
    assert from_steps(control_steps(9), INSTRUCTION, spec) == ()
    assert from_steps([], INSTRUCTION, spec) == ()


def test_joint_velocities_are_taken_as_they_are_and_other_spaces_refused(spec: PolicySpec) -> None:
    (step,) = control_steps(1)
    joints = dataclasses.replace(spec, action_space=ActionSpace.JOINT_VELOCITY, dim=8)
    np.testing.assert_allclose(row(step, joints), np.append(step.commanded, 0.0), rtol=1e-6)
    with pytest.raises(TrainingError, match="chunks of JOINT_POSITION; demonstrations give joint or Cartesian"):
        row(step, dataclasses.replace(spec, action_space=ActionSpace.JOINT_POSITION))


def write(folder: Path, *, horizon: int = 16) -> Path:
    """Three decisions: one that drove, one that did not, one without what the policy saw."""
    writer = JournalWriter(folder, Episode("sample", "egg", INSTRUCTION), CHANNELS, Limits())

    def put(name: str, message: object) -> None:
        writer.put(INDEX[name], serialize_message(message), 1, 1)

    for number in (1, 2, 3):
        made = decision(number)
        made.first_tick, made.seed, made.horizon = 8 * number, number, horizon
        made.refined = np.full(16 * 7, 0.1 * number, np.float32).tolist()
        made.action_space.value = int(ActionSpace.CARTESIAN_VELOCITY)
        put("decision", made)
        if number != 3:
            pictures = [image_message(picture(number, 64)) for _ in range(2)]
            seen = PolicyInput(seed=number, cameras=["exterior", "wrist"], images=pictures, instruction=INSTRUCTION)
            seen.gripper = 0.25
            put("policy_input", seen)
        if number != 2:
            put("gate_report", GateReport(chunk_id=number, row=2, tick=8 * number + 2))
    return writer.close("succeeded").path


def test_decisions_that_drove_are_demonstrations_where_what_the_policy_saw_is_there(
    tmp_path: Path, spec: PolicySpec
) -> None:
    (one,) = from_decisions(write(tmp_path), spec)
    np.testing.assert_allclose(one.chunk, np.full((16, 7), 0.1), rtol=1e-6)
    np.testing.assert_array_equal(one.observation.images["wrist"], picture(1, 64))
    assert (one.observation.gripper, one.observation.instruction) == (0.25, INSTRUCTION)


def test_chunks_of_another_kind_are_refused(tmp_path: Path, spec: PolicySpec) -> None:
    with pytest.raises(JournalError, match=r"chunk 1 is \(8, 7\) of action space .*'embedded' has \(16, 7\)"):
        from_decisions(write(tmp_path, horizon=8), spec)
