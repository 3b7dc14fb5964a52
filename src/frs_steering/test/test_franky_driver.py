"""The FR3's driver as a process, between the arm controller and a simulator that speaks libfranka's wire protocol."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from arm_stand_in import ArmStandIn
from cell_stand_in import Start
from franky_peer import FrankyPeer, needed
from frs_msgs.msg import ArmState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_steering.arm.homing import NEAR
from frs_steering.nodes.qos import COMMAND
from frs_steering.robot.fr3 import JOINT_NAMES, RESET_POSITION

Procs = Callable[..., Any]
PATIENCE = 90.0  # s; on a busy machine the simulator is many times slower than the time that it simulates


@pytest.fixture
def peer() -> Iterator[FrankyPeer]:
    made = FrankyPeer()
    yield made
    made.kill()


@pytest.fixture
def ear(ros: ModuleType) -> Iterator[ArmStandIn]:
    """Ears and mouth of the test; the arm is the driver's."""
    stand_in = ArmStandIn()
    stand_in.reports_joints = False
    yield stand_in
    stand_in.close()


def start_driver(procs: Procs, **parameters: object) -> Any:
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    return procs(sys.executable, "-m", "frs_steering.nodes.franky_driver", "--ros-args", *given)


def drive(ear: ArmStandIn, speed: float, reached: Callable[[], bool]) -> None:
    """Send chunks, each before the last one's rows run out, until something is reached."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, ear.last_words()
        ear.send(ear.states[-1].tick, speed=speed)  # ids that only grow
        tick = ear.states[-1].tick
        ear.until(lambda: reached() or ear.states[-1].tick > tick + 10, 10.0, "control steps")  # noqa: B023 - now


@needed
@pytest.mark.timeout(300)
def test_the_whole_way_to_the_robot_and_back_after_it_vanished(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start
) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    start_node("arm_controller", joint_state_timeout=2.0)
    ear.until(lambda: bool(ear.states) and ear.states[-1].message == "no owner", 30.0, "the robot's joint states")

    end = ear.end_of(ear.send_home(), PATIENCE)
    assert end.result.success, end.result.message
    np.testing.assert_allclose(ear.states[-1].position, RESET_POSITION, atol=2 * NEAR)
    assert ear.call(ear.close_gripper).success
    ear.until(lambda: ear.states[-1].gripper > 0.9, PATIENCE, "closed fingers")

    assert ear.claim().success
    drive(ear, 0.1, lambda: float(np.abs(ear.states[-1].velocity).max()) > 0.1)
    peer.kill()
    ear.until_state(ArmState.FAULT, 30.0)
    ear.until(lambda: "the robot says: " in ear.states[-1].message, 30.0, "the driver's words")
    assert not ear.call(ear.recover).success
    assert ear.states[-1].owner == "steering"

    peer.start()
    ear.until_success(ear.recover, 60.0)
    ear.until_state(ArmState.HOLDING)
    before = np.array(ear.states[-1].position)
    drive(ear, -0.1, lambda: float(np.abs(np.array(ear.states[-1].position) - before).max()) > 0.02)


@needed
def test_a_bad_command_is_ignored_with_words(peer: FrankyPeer, ear: ArmStandIn, procs: Procs) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    publisher = ear.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    point = JointTrajectoryPoint(velocities=[float("nan")] * 7)

    def said() -> bool:
        publisher.publish(JointTrajectory(joint_names=list(JOINT_NAMES), points=[point]))
        return "there must be a finite one for each joint" in driver.text()

    pause, end = threading.Event(), time.monotonic() + 20.0
    while not said():
        assert time.monotonic() < end, "no warning"
        pause.wait(0.05)


def test_without_an_address_it_says_so(procs: Procs) -> None:
    driver = start_driver(procs)
    assert driver.wait(20) == 1
    assert "parameter 'host' of node 'franky_driver' is empty" in driver.text()
