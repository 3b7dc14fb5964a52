"""The robot's mode and errors in words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from frs_steering.arm.backends.franka_state import STALE, RobotMode, RobotState, StateWatch, in_words, names_of


def state(mode: int = RobotMode.MOVE, current: tuple[str, ...] = (), last: tuple[str, ...] = (), time: float = 1.0):
    return RobotState(time, mode, current, last)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (state(), ""),
        (state(RobotMode.IDLE), ""),
        (state(RobotMode.IDLE, last=("joint_reflex",)), ""),  # of a motion that is over and recovered from
        (state(RobotMode.OTHER), ""),
        (state(17), ""),
        (state(RobotMode.USER_STOPPED, ("joint_reflex",)), "the user stop is pressed: release it"),
        (state(RobotMode.GUIDING), "somebody guides the arm by hand: let it go"),
        (state(RobotMode.REFLEX), "a reflex has stopped it"),
        (state(RobotMode.AUTOMATIC_ERROR_RECOVERY), "it is recovering from an error"),
        (
            state(RobotMode.REFLEX, ("joint_reflex", "start_elbow_sign_inconsistent")),
            "joint_reflex (a joint met more torque than its threshold), start_elbow_sign_inconsistent",
        ),
        (
            state(RobotMode.REFLEX, last=("power_limit_violation",)),
            "a reflex has stopped it: power_limit_violation (the motion took too much power)",
        ),
        (state(RobotMode.MOVE, ("controller_torque_discontinuity",)), "controller_torque_discontinuity (the commanded"),
    ],
)
def test_modes_and_errors_in_words(given: RobotState, words: str) -> None:
    said = in_words(given)
    assert said.startswith(words) and bool(said) == bool(words)


def test_flags_are_named() -> None:
    errors = SimpleNamespace(joint_reflex=True, cartesian_reflex=False, instability_detected=True)
    known = ("joint_reflex", "cartesian_reflex", "instability_detected")
    assert names_of(errors, known) == ("joint_reflex", "instability_detected")


def test_nothing_heard_is_no_error_and_what_falls_silent_or_stands_still_is_one() -> None:
    watch = StateWatch()
    assert watch.error(100.0) == ""
    for step in range(10):
        watch.saw(state(time=step * 0.1), 10.0 + step * 0.1)
    assert watch.error(10.9 + STALE) == ""
    assert watch.error(10.95 + STALE).startswith("its state comes no more: franka_ros2 has ended or lost it")
    for step in range(10):
        watch.saw(state(time=0.9), 11.0 + step * 0.1)  # as broadcasters on Humble do that have lost the robot
    assert watch.error(11.9).startswith("its state stands still: franka_ros2 has ended or lost it")
    watch.saw(state(time=2.0), 12.0)
    assert watch.error(12.0) == ""
    watch.saw(state(RobotMode.REFLEX, time=2.1), 12.1)
    assert watch.error(13.0) == "a reflex has stopped it", "what the robot said last tells more than its silence"
