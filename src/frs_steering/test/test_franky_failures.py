"""What the franky backend does when the library fails, by a library that fails as told: the true one needs a robot."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from frs_steering.arm.backends import franky
from frs_steering.arm.backends.franky import MAX_WIDTH, FrankyArm, FrankyError, FrankyGripper


class LibraryError(Exception):
    """franky.Exception."""


class Library(SimpleNamespace):
    """The module franky, with a robot and a hand that do as they are told."""

    def __init__(self) -> None:
        super().__init__(Exception=LibraryError)
        self.RealtimeConfig = SimpleNamespace(Enforce=1, Ignore=0)
        self.RobotMode = SimpleNamespace(UserStopped=5, Guiding=3)
        self.mode, self.connections, self.recovery_fails = 1, 0, False
        self.Duration = self.JointVelocityMotion = lambda *_, **__: None
        self.JointVelocityStopMotion = lambda: None
        self.hand_fails: BaseException | None = None
        self.hand_was_asked: list[str] = []
        # Whether the hand's width can be read, and its motions end.
        self.hand_answers, self.hand_arrives, self.hand_hangs = (threading.Event() for _ in range(3))
        self.hand_answers.set(), self.hand_arrives.set()
        self.looks = 0
        self.Gripper = lambda _: Hand(self)
        self.Robot = lambda *_, **__: Robot(self)
        # Of the robot: whether its state hangs, and then fails; and whether its recovery does.
        self.state_hangs, self.state_goes_on = threading.Event(), threading.Event()
        self.recovery_begun, self.recovery_goes_on = threading.Event(), threading.Event()
        self.recovery_goes_on.set()
        self.hangs = False


class Hand:
    """franky.Gripper."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @property
    def width(self) -> float:
        self._library.looks += 1
        if not self._library.hand_answers.is_set():
            self._library.hand_hangs.set()
        assert self._library.hand_answers.wait(10.0)
        if self._library.hand_fails is not None:
            raise self._library.hand_fails
        return MAX_WIDTH

    def _asked(self, what: str) -> Any:
        self._library.hand_was_asked.append(what)
        return SimpleNamespace(wait=self._library.hand_arrives.wait, get=lambda: True)

    def grasp_async(self, *_: object, **__: object) -> Any:
        return self._asked("close")

    def move_async(self, *_: object) -> Any:
        return self._asked("open")


class Robot:
    """franky.Robot."""

    def __init__(self, library: Library) -> None:
        self._library = library
        library.connections += 1
        self.joint_acceleration_limit = SimpleNamespace(max=np.full(7, 10.0), set=lambda _: None)

    def poll_motion(self) -> None:
        pass

    def move(self, *_: object, **__: object) -> None:
        pass

    @property
    def state(self) -> Any:
        if self._library.hangs:
            self._library.state_hangs.set()
            assert self._library.state_goes_on.wait(10.0)
            self._library.hangs = False
            raise LibraryError("it has vanished")
        return SimpleNamespace(
            q=[0.0] * 7, dq=[0.0] * 7, robot_mode=self._library.mode, current_errors=SimpleNamespace()
        )

    def recover_from_errors(self) -> None:
        self._library.recovery_begun.set()
        assert self._library.recovery_goes_on.wait(10.0)
        if self._library.recovery_fails:
            raise LibraryError("rejected")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setitem(sys.modules, "franky", made)
    return made


def until(condition: Callable[[], bool], what: str) -> None:
    pause, end = threading.Event(), time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, what
        pause.wait(0.01)


@pytest.mark.parametrize("error", [LibraryError("gone"), RuntimeError("gone"), ValueError("gone"), KeyError("gone")])
def test_whatever_fails_is_said_and_the_hand_is_found_again(library: Library, error: Exception) -> None:
    hand = FrankyGripper("robot")
    until(lambda: hand.trouble == "", "a hand that follows")
    library.hand_fails = error
    until(lambda: hand.trouble.startswith("hand at robot: ") and "gone" in hand.trouble, "its trouble")
    library.hand_fails = None
    until(lambda: hand.trouble == "", "a hand that follows again")
    hand.send(1.0)
    until(lambda: library.hand_was_asked == ["close"], "closed fingers")
    hand.close()


def test_what_was_asked_for_while_the_hand_was_away_does_not_happen_late(library: Library) -> None:
    library.hand_fails = LibraryError("away")
    hand = FrankyGripper("robot")
    until(lambda: "away" in hand.trouble, "its trouble")
    assert hand.width is None
    hand.send(1.0)
    library.hand_fails = None
    until(lambda: hand.trouble == "", "a hand that follows")
    looks = library.looks
    until(lambda: library.looks > looks + 3, "further looks")
    assert library.hand_was_asked == []
    hand.send(1.0)
    until(lambda: library.hand_was_asked == ["close"], "closed fingers, asked for anew")
    hand.send(1.0)
    hand.send(0.0)
    until(lambda: library.hand_was_asked == ["close", "open"], "open fingers")
    hand.close()


def test_a_hand_that_hangs_is_told_and_what_was_asked_for_meanwhile_does_not_happen_late(library: Library) -> None:
    hand = FrankyGripper("robot")
    until(lambda: hand.trouble == "", "a hand that follows")
    hand.send(1.0)
    until(lambda: library.hand_was_asked == ["close"], "closed fingers")
    library.hand_answers.clear()
    assert library.hand_hangs.wait(10.0)
    hand.send(0.0)
    until(lambda: hand.trouble == "hand at robot: it hangs: nothing was heard of it for 1 s", "its trouble")
    assert hand.width is None
    library.hand_answers.set()
    until(lambda: hand.trouble == "", "a hand that follows again")
    looks = library.looks
    until(lambda: library.looks > looks + 3, "further looks")
    assert library.hand_was_asked == ["close"]
    hand.send(1.0)
    until(lambda: library.hand_was_asked == ["close", "close"], "the wish of before again: was it done?")
    hand.close()


def test_a_motion_of_the_hand_that_does_not_end_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(franky, "MOTION_TIME", 0.2)
    hand = FrankyGripper("robot")
    until(lambda: hand.trouble == "", "a hand that follows")
    library.hand_arrives.clear()
    hand.send(1.0)
    until(lambda: hand.trouble == "hand at robot: its motion does not end", "its trouble")
    hand.send(0.0)
    looks = library.looks
    until(lambda: library.looks > looks + 3, "further looks")
    library.hand_arrives.set()
    until(lambda: hand.trouble == "", "a hand that follows again")
    assert library.hand_was_asked == ["close"]
    hand.send(1.0)
    until(lambda: library.hand_was_asked == ["close", "close"], "the wish of before again")
    hand.close()


@pytest.mark.parametrize(
    ("mode", "words"),
    [(5, "the user stop is pressed: release it"), (3, "somebody guides the arm by hand: let it go")],
)
def test_an_arm_in_somebodys_hands_is_told_and_not_recovered(library: Library, mode: int, words: str) -> None:
    arm = FrankyArm("robot", np.full(7, 8.0))
    assert arm.error() == ""
    library.mode = mode
    assert arm.error() == words
    with pytest.raises(FrankyError, match=f"{words} first"):
        arm.recover()
    assert not library.recovery_begun.is_set()
    library.mode = 1
    arm.recover()
    assert arm.error() == ""
    assert library.connections == 1


def test_a_recovery_that_fails_does_not_connect_again(library: Library) -> None:
    arm = FrankyArm("robot", np.full(7, 8.0))
    library.recovery_fails = True
    with pytest.raises(FrankyError, match="robot at robot: rejected"):
        arm.recover()
    assert library.connections == 1


def test_a_look_that_hangs_while_the_robot_vanishes_does_not_undo_the_recovery(library: Library) -> None:
    arm = FrankyArm("robot", np.full(7, 8.0))
    library.hangs = True
    look = threading.Thread(target=arm.read)
    look.start()
    assert library.state_hangs.wait(10.0)
    recovery = threading.Thread(target=arm.recover)
    recovery.start()
    assert not library.recovery_begun.wait(0.1), "the look comes to its end first"
    library.state_goes_on.set()
    for thread in (look, recovery):
        thread.join(10.0)
        assert not thread.is_alive()
    assert arm.error() == ""
    assert arm.read() is not None


def test_while_it_recovers_nobody_waits(library: Library) -> None:
    arm = FrankyArm("robot", np.full(7, 8.0))
    library.recovery_goes_on.clear()
    recovery = threading.Thread(target=arm.recover)
    recovery.start()
    assert library.recovery_begun.wait(10.0)
    arm.send(np.zeros(7))
    assert arm.read() is None and arm.error() == ""
    assert recovery.is_alive()
    library.recovery_goes_on.set()
    recovery.join(10.0)
    assert arm.read() is not None
