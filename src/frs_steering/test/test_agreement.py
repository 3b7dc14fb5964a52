"""A driver follows a controller only whose gate reckons with no more than the driver does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cell_stand_in import Start
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from frs_steering.arm.agreement import disagreement
from frs_steering.arm.robots import FR3, PANDA, Robot
from frs_steering.nodes.agreement import Agreement
from frs_steering.nodes.qos import COMMAND

FRANKY = np.array([8.0, 7.5, 8.0, 8.0, 8.0, 8.0, 8.0])


@pytest.mark.parametrize(
    ("robot", "acceleration", "told", "words"),
    [
        (FR3, np.full(7, 0.65), ("fr3", 0.65), ""),
        (FR3, np.full(7, 8.0), ("fr3", 0.65), ""),
        (FR3, FRANKY, ("fr3", 7.5), ""),
        (PANDA, np.minimum(0.8 * PANDA.acceleration, 6.0), ("panda", 6.0), ""),
        (FR3, np.full(7, 0.65), ("fr3", 4.0), "stops of joint 1 at 4 rad/s^2, the driver makes them at 0.65: give"),
        (FR3, FRANKY, ("fr3", 16.0), "stops of joint 2 at 8 rad/s^2, the driver makes them at 7.5"),
        (FR3, FRANKY, ("panda", 0.65), "arm_controller's robot is 'panda', the driver's 'fr3': give both the same"),
        (FR3, FRANKY, (None, 0.65), "arm_controller's robot is None"),
        (FR3, FRANKY, ("fr3", None), "arm_controller's joint_acceleration is None; without it"),
    ],
)
def test_what_the_gate_reckons_with_is_compared_joint_by_joint(
    robot: Robot, acceleration: np.ndarray, told: tuple[object, object], words: str
) -> None:
    said = disagreement(robot, acceleration, dict(zip(("robot", "joint_acceleration"), told, strict=True)))
    assert words in said and bool(words) == bool(said)


class Driver:
    """A node that asks, spun by the test's own thread; commands are nobody's business here."""

    def __init__(self, ros: ModuleType) -> None:
        self.node: Node = ros.create_node("driver")
        self.asked: list[Mapping[str, object]] = []
        heard = self.node.create_subscription(
            JointTrajectory, "fr3_arm_controller/joint_trajectory", lambda _: None, COMMAND
        )
        self.agreement = Agreement(self.node, heard.topic_name, self._judge)
        self._compare = partial(disagreement, FR3, np.full(7, 0.65))
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def _judge(self, told: Mapping[str, object]) -> str:
        self.asked.append(told)
        return self._compare(told)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end, self.agreement.look() or "it would follow"
            self._executor.spin_once(timeout_sec=0.05)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def driver(ros: ModuleType) -> Iterator[Driver]:
    made = Driver(ros)
    yield made
    made.close()


def test_a_controller_is_asked_once_and_followed_where_it_agrees(driver: Driver, start_node: Start) -> None:
    assert driver.agreement.look() == "", "nobody is there who might be refused"
    start_node("arm_controller", joint_acceleration=0.65)
    driver.until(lambda: driver.agreement.look() != "")
    assert driver.agreement.look() == "asking /arm_controller/get_parameters what the gate reckons with"
    assert driver.agreement.error == ""
    driver.until(lambda: driver.agreement.look() == "")
    assert driver.asked == [{"robot": "fr3", "joint_acceleration": 0.65}]


def test_one_that_reckons_with_more_is_refused_until_another_comes(driver: Driver, start_node: Start) -> None:
    first: Any = start_node("arm_controller", joint_acceleration=4.0)
    driver.until(lambda: driver.agreement.error != "")
    assert "stops of joint 1 at 4 rad/s^2, the driver makes them at 0.65" in driver.agreement.look()
    first.terminate()
    driver.until(lambda: driver.agreement.error == "")
    assert first.wait(10.0) == 0
    start_node("arm_controller", joint_acceleration=0.65)
    driver.until(lambda: len(driver.asked) == 2)
    assert driver.agreement.look() == ""


def test_one_that_does_not_answer_is_not_followed(driver: Driver, ros: ModuleType) -> None:
    silent = ros.create_node("arm_controller")  # nobody spins it
    silent.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    driver.until(lambda: driver.agreement.look() != "")
    over = threading.Event()
    timer = threading.Timer(3.0, over.set)
    timer.start()
    driver.until(over.is_set)
    assert driver.agreement.look().startswith("asking ") and driver.asked == []
    silent.destroy_node()
    driver.until(lambda: driver.agreement.look() == "")
