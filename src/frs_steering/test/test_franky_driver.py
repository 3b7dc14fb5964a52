"""The FR3's driver as a process, between the arm controller and a simulator that speaks libfranka's wire protocol."""

from __future__ import annotations

import math
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rclpy
from arm_stand_in import ArmStandIn
from cell_stand_in import Start
from diagnostics_ear import DiagnosticsEar
from franky_peer import FrankyPeer, needed
from frs_msgs.msg import ArmState
from rclpy.node import Node
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_steering.arm.homing import NEAR
from frs_steering.health.report import Level
from frs_steering.nodes.qos import COMMAND, SENSOR
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, RESET_POSITION

Procs = Callable[..., Any]
STEPS_OF_A_SECOND = 15
GREATEST = 7.5
"""Of a controller's joint_acceleration [rad/s^2] that franky makes stops with, in joint 2."""
PATIENCE = 90.0  # s; on a busy machine the simulator is many times slower than the time that it simulates

SILENT_HOST, PORT = "127.251.1.9", 1337  # libfranka's port; no simulator of these tests has the address


@pytest.fixture
def peer() -> Iterator[FrankyPeer]:
    made = FrankyPeer()
    yield made
    made.kill()


@pytest.fixture
def ear(ros: ModuleType) -> Iterator[ArmStandIn]:
    """Ears and mouth of the test; the arm and its hand are the driver's."""
    stand_in = ArmStandIn()
    stand_in.reports_joints = False
    for each in list(stand_in.subscriptions):
        if each.topic_name.endswith("fr3_gripper_controller/joint_trajectory"):
            stand_in.destroy_subscription(each)
    yield stand_in
    stand_in.close()


def start_driver(procs: Procs, **parameters: object) -> Any:
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}:={value}")]
    return procs(sys.executable, "-m", "frs_steering.nodes.franky_driver", "--ros-args", *given)


def controller_of(ear: ArmStandIn, robot: str = "fr3", joint_acceleration: float = 0.5) -> Node:
    """A node that passes for the controller: it tells what its gate reckons with, if it had one."""
    node = rclpy.create_node("arm_controller")
    node.declare_parameter("robot", robot)
    node.declare_parameter("joint_acceleration", joint_acceleration)
    ear.spin_too(node)
    return node


def drive(ear: ArmStandIn, speed: float, reached: Callable[[], bool]) -> None:
    """Send chunks, each before the last one's rows run out, until something is reached."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, ear.last_words()
        ear.send(ear.states[-1].tick, speed=speed)  # ids that only grow
        tick = ear.states[-1].tick
        ear.until(lambda: reached() or ear.states[-1].tick > tick + 10, 10.0, "control steps")  # noqa: B023 - now


def drift(states: list[ArmState]) -> float:
    """How far a joint has come within these states [rad].

    Positions tell of rest, velocities don't: the simulator's servo of the last joint may get into a swing of 0.08 rad/s
    that changes its sign every millisecond, a tenth of a milliradian wide.
    """
    return float(np.ptp([state.position for state in states], axis=0).max())


@needed
@pytest.mark.timeout(300)
def test_the_whole_way_to_the_robot_and_back_after_it_vanished(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start
) -> None:
    diagnostics = DiagnosticsEar(ear)
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    start_node("arm_controller", joint_state_timeout=2.0, joint_acceleration=GREATEST)
    ear.until(lambda: bool(ear.states) and ear.states[-1].message == "no owner", 30.0, "robot and hand")
    for part in ("robot", "hand"):
        diagnostics.until(f"franky_driver: {part}", Level.OK, "follows")
    assert set(diagnostics.values("franky_driver: robot")) == {"age of the last command [s]"}

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
    diagnostics.until("franky_driver: robot", Level.ERROR, peer.host)
    diagnostics.until("franky_driver: hand", Level.WARN, f"hand at {peer.host}: ", PATIENCE)
    assert not ear.call(ear.recover).success
    ear.until(lambda: "no gripper listens" in ear.states[-1].message, PATIENCE, "the gripper's trouble")
    assert "no gripper listens" in ear.call(ear.close_gripper).message
    assert ear.states[-1].owner == "steering"

    peer.start()
    ear.until_success(ear.recover, 60.0)
    ear.until_state(ArmState.HOLDING)
    diagnostics.until("franky_driver: robot", Level.OK, "follows")
    before = np.array(ear.states[-1].position)
    drive(ear, -0.1, lambda: float(np.abs(np.array(ear.states[-1].position) - before).max()) > 0.02)

    assert ear.call(ear.stop).success
    ear.until_state(ArmState.STOPPED)
    ear.until(lambda: drift(ear.states[-STEPS_OF_A_SECOND:]) < 0.003, PATIENCE, "rest after the stop")
    assert ear.call(ear.reset).success


def moving_by_a_controller(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start
) -> tuple[Any, list[np.ndarray]]:
    """The controller's process and the joint positions (7,) [rad] that are heard, once it moves the robot."""
    heard: list[np.ndarray] = []
    ear.create_subscription(JointState, "joint_states", lambda msg: heard.append(np.array(msg.position[:7])), SENSOR)
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    controller = start_node("arm_controller", joint_state_timeout=2.0, joint_acceleration=GREATEST)
    ear.until(lambda: bool(ear.states) and ear.states[-1].message == "no owner", 30.0, "robot and hand")
    end = ear.end_of(ear.send_home(), PATIENCE)
    assert end.result.success, end.result.message
    assert ear.claim().success
    drive(ear, 0.1, lambda: float(np.abs(ear.states[-1].velocity).max()) > 0.1)
    return controller, heard


def went(ear: ArmStandIn, heard: list[np.ndarray], there: np.ndarray) -> float:
    """How far a joint has come from `there` (7,) once it rests [rad]; by positions, as `drift` says why."""
    heard.clear()
    end = time.monotonic() + PATIENCE
    while len(heard) < 100 or float(np.ptp(heard[-100:], axis=0).max()) > 3e-3:
        assert time.monotonic() < end, "it does not come to rest"
        count = len(heard)
        ear.until(lambda: len(heard) > count + 20, PATIENCE, "joint states")  # noqa: B023 - looked at at once
    return float(np.abs(heard[-1] - there).max())


@needed
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dies", "hangs"])
def test_a_robot_whose_controller_dies_or_hangs_stops(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start, number: int
) -> None:
    """Within 0.35 s (docs/hardware.md); told by the distance, as the simulator's clock is not ours."""
    controller, heard = moving_by_a_controller(peer, ear, procs, start_node)
    greatest, there = float(np.abs(ear.states[-1].velocity).max()), heard[-1]
    controller.send_signal(number)
    try:
        far = went(ear, heard, there)
    finally:
        controller.send_signal(signal.SIGKILL)
    assert 0.0 < far < 0.35 * greatest, f"{far:.3f} rad at {greatest:.2f} rad/s"


@needed
@pytest.mark.parametrize(
    ("velocities", "words"),
    [
        ([float("nan")] * 7, "velocities [nan, nan"),
        ([3.0] + [0.0] * 6, "fr3_joint1 at 3.000 rad/s; the gate lets 1.600 rad/s pass"),
        ([0.1] + [0.0] * 6, "arm_stand_in publishes on /fr3_arm_controller/joint_trajectory; only arm_controller"),
    ],
    ids=["nan", "fast", "a stranger's"],
)
def test_a_bad_command_is_ignored_with_words(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, velocities: list[float], words: str
) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    publisher = ear.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    point = JointTrajectoryPoint(velocities=velocities)
    heard: list[float] = []
    ear.create_subscription(JointState, "joint_states", lambda msg: heard.append(max(map(abs, msg.velocity))), SENSOR)

    def said() -> bool:
        publisher.publish(JointTrajectory(joint_names=list(JOINT_NAMES), points=[point]))
        return f"arm command ignored: {words}" in driver.text() and len(heard) > 30

    pause, end = threading.Event(), time.monotonic() + 20.0
    while not said():
        assert time.monotonic() < end, "no warning"
        pause.wait(0.05)
    assert max(heard) < 0.01, "the arm moved"


@needed
def test_with_a_robotiq_it_says_nothing_of_fingers_and_leaves_them_to_their_own_topic(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start
) -> None:
    heard: list[JointState] = []
    ear.create_subscription(JointState, "joint_states", heard.append, SENSOR)
    driver = start_driver(procs, host=peer.host, realtime="false", gripper="robotiq")
    driver.wait_for_text("connected to the robot")
    start_node("arm_controller", joint_state_timeout=2.0, joint_acceleration=GREATEST)
    ear.until(lambda: bool(ear.states) and ear.states[-1].message.startswith("no owner"), 30.0, "joint states")
    assert all(tuple(msg.name) == JOINT_NAMES for msg in heard)
    assert math.isnan(ear.states[-1].gripper), "nobody has measured it"
    fingers = ear.create_publisher(JointState, "fr3_gripper_controller/joint_states", SENSOR)

    def known() -> bool:
        fingers.publish(JointState(name=[FINGER_JOINT], position=[0.0], velocity=[0.0]))
        return ear.states[-1].gripper == 1.0

    ear.until(known, 10.0, "the measured gripper in the arm's state")


@needed
def test_joints_approach_velocities_by_the_acceleration_that_was_given(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs
) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false", joint_acceleration=0.5)
    driver.wait_for_text("connected to the robot")
    heard: list[float] = []
    ear.create_subscription(JointState, "joint_states", lambda msg: heard.append(msg.velocity[0]), SENSOR)
    controller = controller_of(ear)
    publisher = controller.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    turn = JointTrajectory(joint_names=list(JOINT_NAMES), points=[JointTrajectoryPoint(velocities=[0.2] + [0.0] * 6)])
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not heard or heard[-1] < 0.19:
        assert time.monotonic() < end, driver.text()
        publisher.publish(turn)
        pause.wait(1 / 15)
    assert sum(0.02 < velocity < 0.18 for velocity in heard) >= 12, "0.3 s on the way; with 8 rad/s^2 it is 0.02 s"
    controller.destroy_node()


@needed
def test_a_panda_is_driven_no_faster_than_a_gate_for_pandas_lets_pass(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs
) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false", robot="panda")
    driver.wait_for_text("connected to the robot")
    controller = controller_of(ear, "panda")
    publisher = controller.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    point = JointTrajectoryPoint(velocities=[0.0, 1.4, *[0.0] * 5])  # an FR3's joint 2 may have 1.6 rad/s
    turn = JointTrajectory(joint_names=list(JOINT_NAMES), points=[point])
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while "fr3_joint2 at 1.400 rad/s; the gate lets 1.200 rad/s pass" not in driver.text():
        assert time.monotonic() < end, driver.text()
        publisher.publish(turn)
        pause.wait(1 / 15)
    controller.destroy_node()


@needed
def test_while_two_nodes_command_it_follows_neither(peer: FrankyPeer, ear: ArmStandIn, procs: Procs) -> None:
    driver = start_driver(procs, host=peer.host, realtime="false")
    driver.wait_for_text("connected to the robot")
    heard: list[JointState] = []
    ear.create_subscription(JointState, "joint_states", heard.append, SENSOR)
    controller = controller_of(ear)
    publisher = controller.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    turn = JointTrajectory(joint_names=list(JOINT_NAMES), points=[JointTrajectoryPoint(velocities=[0.1] + [0.0] * 6)])

    def until_turning(turning: bool) -> None:
        pause, end = threading.Event(), time.monotonic() + PATIENCE
        while not heard or (abs(heard[-1].velocity[0]) > 0.09) != turning:
            assert time.monotonic() < end, driver.text()
            publisher.publish(turn)
            pause.wait(1 / 15)

    until_turning(True)
    other = rclpy.create_node("move_group")
    other.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
    driver.wait_for_text("the robot says: /arm_controller, /move_group all publish on")
    until_turning(False)
    other.destroy_node()
    until_turning(True)
    controller.destroy_node()


@needed
def test_a_controller_that_reckons_with_faster_stops_is_not_followed(
    peer: FrankyPeer, ear: ArmStandIn, procs: Procs, start_node: Start
) -> None:
    diagnostics = DiagnosticsEar(ear)
    driver = start_driver(procs, host=peer.host, realtime="false", joint_acceleration=0.65)
    driver.wait_for_text("connected to the robot")
    start_node("arm_controller", joint_state_timeout=2.0, joint_acceleration=4.0)
    words = "arm_controller reckons with stops of joint 1 at 4 rad/s^2, the driver makes them at 0.65"
    ear.until(lambda: bool(ear.states) and words in ear.states[-1].message, 30.0, "the driver's words")
    assert ear.states[-1].state == ArmState.FAULT
    diagnostics.until("franky_driver: robot", Level.ERROR, words)
    answer = ear.call(ear.recover)
    assert not answer.success and words in answer.message


@needed
def test_a_host_that_is_silent_is_named_and_the_driver_ends_by_a_signal(procs: Procs) -> None:
    with socket.create_server((SILENT_HOST, PORT)):
        driver = start_driver(procs, host=SILENT_HOST, realtime="false")
        driver.wait_for_text(f"connecting to the robot at {SILENT_HOST}")
        with pytest.raises(subprocess.TimeoutExpired):
            driver.wait(3.0)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(5.0) == -signal.SIGINT


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        (
            "joint_acceleration",
            8.5,
            " is 8.5; it must lie in [0.5, 8.0]: with which a joint approaches the velocity asked for",
        ),
        ("gripper", "hand", " is 'hand'; it must be one of franka_hand, robotiq"),
        ("robot", "fer", " is 'fer'; it must be one of fr3, panda"),
    ],
)
def test_a_wrong_parameter_is_named(procs: Procs, parameter: str, value: object, words: str) -> None:
    driver = start_driver(procs, host="127.0.0.1", **{parameter: value})
    assert driver.wait(20) == 1
    assert f"parameter {parameter!r} of node 'franky_driver'{words}" in driver.text()


def test_without_an_address_it_says_so(procs: Procs) -> None:
    driver = start_driver(procs)
    assert driver.wait(20) == 1
    assert "parameter 'host' of node 'franky_driver' is empty" in driver.text()
