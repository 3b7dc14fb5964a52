"""Joint states are taken by name and refused in words, and old ones do not move the target."""

import math

import numpy as np
import pytest
from arm_bench import Bench

from frs_steering.arm.reading import JointReader, Reading, ReadingError
from frs_steering.arm.verdicts import Reason
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES

NAMES = [FINGER_JOINT, *reversed(JOINT_NAMES), "fr3_finger_joint2"]
POSITIONS = [0.01, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.01]
VELOCITIES = [0.0, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]


def read_joints(names: list[str], positions: list[float], velocities: list[float]) -> Reading:
    """A message of a reader that has heard no other."""
    reading = JointReader(0.25).put(names, positions, velocities, now=10.0)
    assert reading is not None
    return reading


def test_joints_are_found_by_name_in_any_order() -> None:
    reading = read_joints(NAMES, POSITIONS, VELOCITIES)
    np.testing.assert_array_equal(reading.position, np.arange(1.0, 8.0))
    np.testing.assert_allclose(reading.velocity, np.arange(1, 8) / 10)
    assert reading.gripper == pytest.approx(0.75) and reading.knows_gripper


def test_arm_and_finger_may_come_apart_and_each_keeps_its_own_age() -> None:
    reader = JointReader(0.25)
    arm = (list(JOINT_NAMES), [0.0] * 7, [0.0] * 7)
    before = reader.put(*arm, 10.0)
    assert before is not None and (before.gripper, before.knows_gripper) == (0.0, False)
    assert reader.put([FINGER_JOINT], [0.01], [], 10.1) is None, "the finger alone says nothing of the arm"
    fresh, old = reader.put(*arm, 10.3), reader.put(*arm, 10.4)
    assert fresh is not None and (fresh.gripper, fresh.knows_gripper) == (pytest.approx(0.75), True)
    assert old is not None and (old.gripper, old.knows_gripper) == (pytest.approx(0.75), False)


def test_of_a_message_that_is_refused_nothing_is_kept() -> None:
    reader = JointReader(0.25)
    with pytest.raises(ReadingError, match="position nan of fr3_joint7"):
        reader.put(NAMES, [0.01, math.nan, *POSITIONS[2:]], VELOCITIES, 10.0)
    reading = reader.put(list(JOINT_NAMES), [0.0] * 7, [0.0] * 7, 10.0)
    assert reading is not None and not reading.knows_gripper
    with pytest.raises(ReadingError, match=f"position nan of {FINGER_JOINT}"):
        reader.put([FINGER_JOINT], [math.nan], [], 10.0)
    with pytest.raises(ReadingError, match="1 names, 0 positions"):
        reader.put([FINGER_JOINT], [], [], 10.0)


def test_a_missing_joint_is_named() -> None:
    with pytest.raises(ReadingError, match="joint state without fr3_joint7; it has fr3_finger_joint1, fr3_joint6"):
        read_joints([NAMES[0], *NAMES[2:]], POSITIONS[1:], VELOCITIES[1:])
    with pytest.raises(ReadingError, match="it has no joints"):
        read_joints([], [], [])


def test_a_missing_velocity_is_named() -> None:
    with pytest.raises(ReadingError, match="9 names, 9 positions, 0 velocities"):
        read_joints(NAMES, POSITIONS, [])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(ReadingError, match=f"position {value} of fr3_joint7"):
        read_joints(NAMES, [0.01, value, *POSITIONS[2:]], VELOCITIES)
    with pytest.raises(ReadingError, match=f"velocity {value} of fr3_joint6"):
        read_joints(NAMES, POSITIONS, [0.0, 0.7, value, *VELOCITIES[3:]])


def test_an_old_reading_does_not_pull_the_target_back() -> None:
    """Between two readings the arm moves on; the gate would take it to be where it was, and further from a wall."""
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.measures = False
    for _ in range(3):
        outcome = bench.step()
        assert outcome.command is not None
        np.testing.assert_allclose(outcome.command.position, bench.position, atol=1e-12)


def test_a_reading_from_before_a_pause_does_not_pull_the_target_back() -> None:
    """The controller's process was stopped just after it had heard one."""
    bench = Bench().claimed()
    bench.send(1, speed=0.4)
    bench.steps(4)
    bench.execution.observe(Reading(bench.position - 0.04, bench.velocity, 0.0), bench.now + 0.01)
    bench.measures = False
    paused = bench.step(skip=5)
    assert paused.command is None and paused.reason is Reason.STATE_STALE
    bench.velocity, bench.measures = np.zeros(7), True
    sent = [outcome.command for outcome in bench.steps(4)]
    assert sent[:2] == [None, None], "the one from before does not count"
    for command in sent[2:]:
        assert command is not None
        np.testing.assert_allclose(command.position, bench.position, atol=1e-9)
