"""The Franka hand behind franka_ros2: the bridge as a process, and a stand-in for franka_gripper as another."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import franka_hand_peer
import franka_ros2_peer
import pytest
from ament_index_python.packages import get_package_prefix
from arm_stand_in import ArmStandIn
from diagnostics_ear import DiagnosticsEar
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from test_robotiq_gripper import without_finger
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_steering.health.report import Level
from frs_steering.nodes.heart import beating
from frs_steering.nodes.qos import COMMAND
from frs_steering.robot.fr3 import FINGER_JOINT, finger_position

Procs = Callable[..., Any]
BRIDGE = (sys.executable, "-m", "frs_steering.nodes.franka_ros2_bridge")
TOPIC = "fr3_gripper_controller/joint_trajectory"
HAND = "franka_ros2_bridge: hand"
OPENING, CLOSING = "asked move 0.08 speed 0.1", "asked grasp 0 speed 0.1 force 20 within 0.08 0.08"


@pytest.fixture(scope="module")
def with_franka_msgs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return franka_ros2_peer.build(tmp_path_factory.getbasetemp() / "franka")


class Hand:
    """franka_gripper's process, which can be told how to fail, and started again."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self.start()

    def start(self) -> None:
        self.process, self._told = self._start(), itertools.count(1)
        self.process.wait_for_text("shows a hand")

    def tell(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.process.wait_for_text(f"obeyed {next(self._told)}\n")

    def said(self) -> list[str]:
        """What it was asked and has done, in order."""
        lines = self.process.text().splitlines()
        return [line for line in lines if line.startswith(("asked", "reached", "cancelled"))]

    def until_said(self, *wanted: str) -> None:
        """Wait until it has said exactly this since it was started."""
        pause, end = threading.Event(), time.monotonic() + 20.0
        while self.said() != list(wanted):
            assert time.monotonic() < end, self.said()
            pause.wait(0.02)


@pytest.fixture
def hand(with_franka_msgs: dict[str, str], procs: Procs) -> Hand:
    return Hand(lambda: procs(sys.executable, franka_hand_peer.__file__, env=with_franka_msgs, stdin=subprocess.PIPE))


class Mouth(Node):
    """Says what the hand is to do, in arm_controller's place."""

    def __init__(self) -> None:
        super().__init__("arm_controller")
        self.wants: float | None = None
        """What is asked for 15 times a second, as a chunk's rows do; None for nothing."""
        self.ear = DiagnosticsEar(self)
        self._wishes = self.create_publisher(JointTrajectory, TOPIC, COMMAND)
        self.create_timer(1 / 15, lambda: None if self.wants is None else self.wish(self.wants))
        self._over, self._thread = threading.Event(), threading.Thread(target=self._spin)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self.destroy_node()

    def wish(self, closing: float) -> None:
        """Ask for it once."""
        point = JointTrajectoryPoint(positions=[finger_position(closing)])
        self._wishes.publish(JointTrajectory(joint_names=[FINGER_JOINT], points=[point]))

    def ask_until(self, hand: Hand, text: str) -> None:
        """Ask the hand to close until it says something: the first wishes may reach a bridge that does not hear yet."""
        self.wants = 1.0
        hand.process.wait_for_text(text)
        self.wants = None

    def until_heard(self) -> None:
        """Wait until somebody listens, which the middleware does not announce."""
        pause, end = threading.Event(), time.monotonic() + 20.0
        while self._wishes.get_subscription_count() != 1:
            assert time.monotonic() < end, "nobody listens"
            pause.wait(0.02)

    def _spin(self) -> None:
        executor = SingleThreadedExecutor()
        executor.add_node(self)
        with beating(executor):
            while not self._over.is_set():
                executor.spin_once(timeout_sec=0.1)
        executor.shutdown()


@pytest.fixture
def mouth(hand: Hand, ros: ModuleType, procs: Procs, with_franka_msgs: dict[str, str]) -> Iterator[Mouth]:
    """A mouth that is heard by the bridge, whose hand follows."""
    made = Mouth()
    procs(*BRIDGE, env=with_franka_msgs)
    made.until_heard()
    made.ear.until(HAND, Level.OK, "follows")
    yield made
    made.close()


def test_the_newest_wish_wins_and_is_asked_once(mouth: Mouth, hand: Hand) -> None:
    mouth.ask_until(hand, CLOSING)
    for closing in (1.0, 0.0, 1.0, 0.0):  # while the fingers close
        mouth.wish(closing)
    there_and_back = (CLOSING, "reached 0", OPENING, "reached 0.08")
    hand.until_said(*there_and_back)
    mouth.wants = 1.0
    hand.until_said(*there_and_back, CLOSING, "reached 0")
    mouth.wants = 0.4
    hand.until_said(*there_and_back, *there_and_back)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("refuses", "franka_gripper/grasp was refused"),
        ("fails libfranka gripper: lost", "franka_gripper/grasp failed: libfranka gripper: lost"),
        ("hangs", "franka_gripper/grasp has not ended within 5 s"),
    ],
)
def test_what_is_not_done_is_told_and_asked_again_while_it_is_wanted(
    mouth: Mouth, hand: Hand, how: str, words: str
) -> None:
    hand.tell(how)
    mouth.wants = 1.0
    mouth.ear.until(HAND, Level.WARN, words)
    hand.tell("well")
    hand.process.wait_for_text("reached 0\n")
    mouth.ear.until(HAND, Level.OK, "follows")
    assert set(hand.said()) <= {CLOSING, "cancelled", "reached 0"}


def test_what_is_wanted_no_longer_is_not_asked_again(mouth: Mouth, hand: Hand) -> None:
    hand.tell("refuses")
    mouth.ask_until(hand, CLOSING)
    mouth.ear.until(HAND, Level.WARN, "was refused")
    hand.tell("well")
    mouth.wants = 0.0
    hand.until_said(CLOSING, OPENING, "reached 0.08")


def test_a_server_that_never_answers_is_told_and_its_motion_is_cancelled(mouth: Mouth, hand: Hand) -> None:
    hand.tell("hangs")  # for the cancelling may reach it seconds after the goal: the middleware sends it again
    hand.process.signal_group(signal.SIGSTOP)
    mouth.wants = 1.0
    mouth.ear.until(HAND, Level.WARN, "franka_gripper/grasp has not been answered within 1 s")
    mouth.wants = None
    hand.process.signal_group(signal.SIGCONT)
    hand.process.wait_for_text("cancelled")
    hand.tell("well")
    mouth.wants = 0.0
    hand.until_said(CLOSING, "cancelled", OPENING, "reached 0.08")
    mouth.ear.until(HAND, Level.OK, "follows")


def test_a_server_that_is_killed_in_a_motion_and_started_again_is_asked_again(mouth: Mouth, hand: Hand) -> None:
    hand.tell("hangs")
    mouth.wants = 1.0
    hand.process.wait_for_text(CLOSING)
    hand.process.kill()
    hand.start()
    mouth.ear.until(HAND, Level.WARN, "franka_gripper/grasp has not")  # ended; or, killed that early, answered
    hand.until_said(CLOSING, "reached 0")
    mouth.ear.until(HAND, Level.OK, "follows")


def test_a_server_that_is_not_there_is_told(mouth: Mouth, hand: Hand) -> None:
    hand.process.signal_group(signal.SIGINT)
    mouth.ear.until(HAND, Level.WARN, "franka_gripper/move and franka_gripper/grasp are not there: does franka_gripper")
    hand.start()
    mouth.ear.until(HAND, Level.OK, "follows")
    mouth.ask_until(hand, "reached 0\n")


def test_the_whole_way_from_arm_controller_to_the_fingers_and_back(
    arm: ArmStandIn, hand: Hand, procs: Procs, with_franka_msgs: dict[str, str]
) -> None:
    for each in list(arm.subscriptions):
        if each.topic_name.endswith(TOPIC):
            arm.destroy_subscription(each)
    arm.spoil = without_finger
    fingers = "fr3_gripper_controller/joint_states:=franka_gripper/joint_states"
    procs(Path(get_package_prefix("frs_steering"), "lib/frs_steering/arm_controller"), "--ros-args", "-r", fingers)
    arm.until(lambda: bool(arm.states) and "no gripper listens" in arm.states[-1].message, 20.0, "no gripper yet")
    assert not arm.call(arm.close_gripper).success
    procs(*BRIDGE, env=with_franka_msgs)
    arm.until(lambda: arm.states[-1].message == "no owner", 20.0, "a gripper that follows")
    assert arm.call(arm.close_gripper).success
    arm.until(lambda: arm.states[-1].gripper == 1.0, 10.0, "closed fingers")
    assert arm.call(arm.open_gripper).success
    arm.until(lambda: arm.states[-1].gripper < 0.01, 10.0, "open fingers")
    hand.until_said(CLOSING, "reached 0", OPENING, "reached 0.08")
