"""The node `sim` as a process, over real DDS."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from frs_msgs.msg import SimTruth, TaskState
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from sim_graph import Ear, executable, seconds
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from frs_sim.pacing import MAX_CATCH_UP
from frs_sim.tasks import TASKS
from frs_steering.nodes.qos import COMMAND, LATCHED
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, RESET_POSITION

ARM = "fr3_arm_controller/joint_trajectory"
GRIPPER = "fr3_gripper_controller/joint_trajectory"

SENDER = """
import rclpy, time
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from frs_steering.nodes.qos import COMMAND
from frs_steering.robot.fr3 import JOINT_NAMES
rclpy.init()
node = rclpy.create_node("sender")
publisher = node.create_publisher(JointTrajectory, "fr3_arm_controller/joint_trajectory", COMMAND)
while True:
    point = JointTrajectoryPoint(velocities=[0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    publisher.publish(JointTrajectory(joint_names=list(JOINT_NAMES), points=[point]))
    time.sleep(1 / 15)
"""


@pytest.fixture
def ear(node: Node) -> Ear:
    return Ear(node)


@pytest.fixture
def sim(procs: Callable[..., Any], ear: Ear) -> Any:
    """The node, running on its default task."""
    process = procs(executable("sim"))
    states = ear.listen(TaskState, "task_state", LATCHED)
    ear.until(lambda: states or process.poll() is not None)
    assert process.poll() is None, process.text()
    return process


def arm_command(velocity: list[float], names: tuple[str, ...] = JOINT_NAMES) -> JointTrajectory:
    return JointTrajectory(joint_names=list(names), points=[JointTrajectoryPoint(velocities=velocity)])


def test_it_publishes_robot_cameras_and_task(sim: Any, ear: Ear) -> None:
    joints, clocks = ear.listen(JointState, "joint_states"), ear.listen(Clock, "/clock")
    states, truths = ear.listen(TaskState, "task_state", LATCHED), ear.listen(SimTruth, "sim/truth")
    images = {c: ear.listen(Image, f"camera/{c}/color/image_raw") for c in ("exterior", "wrist")}
    infos = {c: ear.listen(CameraInfo, f"camera/{c}/color/camera_info") for c in ("exterior", "wrist")}
    begun = time.monotonic()
    ear.until(lambda: all(len(heard) >= 20 for heard in (*images.values(), *infos.values(), truths, states)))
    wall = time.monotonic() - begun

    stamps = np.array([seconds(msg.header.stamp) for msg in joints])
    assert stamps[-1] - stamps[0] < wall + 0.2  # never faster than asked for
    gaps = np.diff(stamps)
    assert np.median(gaps) == pytest.approx(0.01, abs=1e-6)
    assert clocks
    assert joints[0].name == [*JOINT_NAMES, FINGER_JOINT]
    assert len(joints[0].position) == len(joints[0].velocity) == 8
    np.testing.assert_allclose(joints[-1].position[:7], RESET_POSITION, atol=0.1)
    assert abs(stamps[-1] - time.time()) < 60.0  # comparable with the stamps of nodes on the wall clock
    for heard in (states, truths, *images.values()):
        beats = np.diff([seconds(msg.header.stamp) for msg in heard])
        assert np.median(beats) == pytest.approx(1 / 15, abs=0.002)

    for camera, heard in images.items():
        msg, info = heard[-1], infos[camera][-1]
        assert (msg.height, msg.width, msg.step, msg.encoding) == (224, 224, 3 * 224, "rgb8")
        assert msg.header.frame_id == info.header.frame_id == f"camera_{camera}_color_optical_frame"
        picture = np.frombuffer(msg.data, np.uint8).reshape(224, 224, 3)
        assert 20 < picture.mean() < 235
        assert picture.std() > 10
        stored = cv2.imdecode(cv2.imencode(".jpg", picture[..., ::-1])[1], cv2.IMREAD_COLOR)
        assert stored.shape == picture.shape
        assert info.k[0] == info.k[4] > 100
        assert info.k[2] == 111.5
    assert states[-1].task == truths[-1].task == "egg_in_basket"
    assert states[-1].instruction == TASKS["egg_in_basket"].instruction
    assert states[-1].step_limit == TASKS["egg_in_basket"].step_limit
    assert states[-1].step > states[0].step
    assert not states[-1].success
    assert {"egg", "basket"} <= set(truths[-1].names)


def test_the_instruction_is_there_from_the_start_and_new_with_each_reset(sim: Any, ear: Ear) -> None:
    told = ear.listen(String, "instruction", LATCHED)
    ear.until(lambda: told)
    assert ear.reset("carrot_in_basket", 5).success
    ear.until(lambda: len(told) == 2)
    assert [msg.data for msg in told] == [TASKS[name].instruction for name in ("egg_in_basket", "carrot_in_basket")]


def test_the_truth_is_on_no_other_topic(sim: Any, ear: Ear) -> None:
    ear.until(lambda: len(ear.node.get_publisher_names_and_types_by_node("sim", "/")) >= 8)
    topics = dict(ear.node.get_publisher_names_and_types_by_node("sim", "/"))
    posed = [name for name, types in topics.items() if any("Truth" in t or "Pose" in t or "tf2" in t for t in types)]
    assert posed == ["/sim/truth"]


def test_reset_is_by_seed_and_repeatable(sim: Any, ear: Ear) -> None:
    truths = ear.listen(SimTruth, "sim/truth")
    joints = ear.listen(JointState, "joint_states")

    def scene(seed: int) -> tuple[dict[str, tuple[float, float]], list[float]]:
        answer = ear.reset("carrot_in_basket", seed)
        assert answer.success, answer.message
        assert answer.instruction == TASKS["carrot_in_basket"].instruction
        assert answer.step_limit == TASKS["carrot_in_basket"].step_limit
        truths.clear()
        joints.clear()
        ear.until(lambda: len(truths) > 3 and len(joints) > 20)
        poses = zip(truths[-1].names, truths[-1].poses, strict=True)
        where = {name: (round(pose.position.x, 3), round(pose.position.y, 3)) for name, pose in poses}
        return where, [round(q, 3) for q in joints[-1].position[:7]]

    first, other, again = scene(5), scene(6), scene(5)
    assert first[0] == again[0]
    np.testing.assert_allclose(first[1], again[1], atol=2e-3)
    assert first[0]["carrot"] != other[0]["carrot"]


def test_an_unknown_task_is_answered_with_the_names(sim: Any, ear: Ear) -> None:
    answer = ear.reset("solve_everything", 0)
    assert not answer.success
    assert "'solve_everything'" in answer.message
    assert "egg_in_basket" in answer.message
    assert ear.reset("", 7).success  # the present one


def test_the_arm_rests_when_its_commander_is_killed(sim: Any, ear: Ear, procs: Callable[..., Any]) -> None:
    joints = ear.listen(JointState, "joint_states")
    sender = procs(sys.executable, "-c", SENDER)
    ear.until(lambda: joints and joints[-1].velocity[0] > 0.38)
    sender.kill()
    sender.wait()
    killed = seconds(joints[-1].header.stamp)  # by the robot's clock, so that a busy machine does not matter
    joints.clear()
    ear.until(lambda: joints and max(map(abs, joints[-1].velocity[:7])) < 0.02)
    assert seconds(joints[-1].header.stamp) - killed < 0.5
    held = joints[-1].position[0]
    ear.spin(0.5)
    assert joints[-1].position[0] == pytest.approx(held, abs=5e-3)  # holds


def test_senseless_commands_move_nothing_and_are_named(sim: Any, ear: Ear) -> None:
    joints = ear.listen(JointState, "joint_states")
    arm = ear.node.create_publisher(JointTrajectory, ARM, COMMAND)
    gripper = ear.node.create_publisher(JointTrajectory, GRIPPER, COMMAND)
    ear.until(lambda: arm.get_subscription_count() and gripper.get_subscription_count() and joints)
    before = joints[-1].position
    arm.publish(arm_command([math.nan] + [0.5] * 6))
    sim.wait_for_text("arm command ignored: velocities")
    gripper.publish(JointTrajectory(joint_names=[FINGER_JOINT], points=[JointTrajectoryPoint(positions=[math.inf])]))
    sim.wait_for_text("gripper command ignored: positions")
    arm.publish(arm_command([0.5] * 3))  # the warnings are throttled, so only the first is seen
    arm.publish(arm_command([0.5] * 7, names=("a", "b", "c", "d", "e", "f", "g")))
    arm.publish(JointTrajectory(joint_names=list(JOINT_NAMES)))
    ear.spin(0.5)
    np.testing.assert_allclose(joints[-1].position, before, atol=2e-3)


def test_commands_by_name_move_arm_and_gripper(sim: Any, ear: Ear) -> None:
    joints = ear.listen(JointState, "joint_states")
    arm = ear.node.create_publisher(JointTrajectory, ARM, COMMAND)
    gripper = ear.node.create_publisher(JointTrajectory, GRIPPER, COMMAND)
    ear.until(lambda: arm.get_subscription_count() and gripper.get_subscription_count() and joints)
    before = joints[-1].position
    gripper.publish(JointTrajectory(joint_names=[FINGER_JOINT], points=[JointTrajectoryPoint(positions=[0.0])]))

    def turned() -> bool:
        arm.publish(arm_command([0.3] + [0.0] * 6, names=(JOINT_NAMES[6], *JOINT_NAMES[:6])))  # joint 7 alone
        return bool(joints[-1].position[6] - before[6] > 0.1)

    ear.until(turned)
    np.testing.assert_allclose(joints[-1].position[:6], before[:6], atol=5e-3)
    ear.until(lambda: joints[-1].position[7] < 0.005)  # closed on nothing


def test_free_running_is_faster_than_real_time(procs: Callable[..., Any], ear: Ear) -> None:
    procs(executable("sim"), "--ros-args", "-p", "realtime_factor:=0.0")
    clocks = ear.listen(Clock, "/clock")
    images = ear.listen(Image, "camera/wrist/color/image_raw")

    def fast() -> bool:
        clocks.clear()
        begun = time.monotonic()
        ear.spin(0.5)
        ran = seconds(clocks[-1].clock) - seconds(clocks[0].clock) if clocks else 0.0
        return ran > time.monotonic() - begun + 2 * MAX_CATCH_UP  # real time can't be ahead by more than that once

    ear.until(fast)
    images.clear()
    ear.until(lambda: len(images) > 5)  # its cameras and services get their turn
    assert ear.reset("", 3).success


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_on_a_signal(sim: Any, number: int) -> None:
    begun = time.monotonic()
    sim.send_signal(number)
    assert sim.wait(10) == 0
    assert time.monotonic() - begun < 2.0
    assert "Traceback" not in sim.text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "task:=juggle"], "no task is called 'juggle'; there are: "),
        (["-p", "realtime_factor:=-1.0"], "parameter 'realtime_factor' of node 'sim'"),
        (["-p", "camera_rate:=fast"], "parameter 'camera_rate' of node 'sim' is 'fast'"),
    ],
)
def test_wrong_parameters_are_named(procs: Callable[..., Any], arguments: list[str], message: str) -> None:
    process = procs(executable("sim"), "--ros-args", *arguments)
    assert process.wait(30) == 1
    assert message in process.text()
    assert "Traceback" not in process.text()


@pytest.mark.parametrize("environment", [{"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"}, {"MUJOCO_GL": "none at all"}])
def test_without_opengl_it_says_what_to_install(procs: Callable[..., Any], environment: dict[str, str]) -> None:
    process = procs(executable("sim"), env=environment)
    assert process.wait(30) == 1
    text = process.text().strip()
    assert text.startswith("error: the cameras can't be rendered without OpenGL")
    assert text.endswith("apt-get install libegl1 libgl1-mesa-dri libosmesa6")
    assert len(text.splitlines()) == 1
