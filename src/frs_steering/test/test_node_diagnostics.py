"""The nodes' `/diagnostics` as others hear them: real processes, real causes, and back."""

from __future__ import annotations

import itertools
import resource
from pathlib import Path
from typing import Any

import pytest
from arm_stand_in import ArmStandIn
from cell_stand_in import CellStandIn, Start
from diagnostics_ear import DiagnosticsEar
from frs_msgs.msg import EpisodeEvent
from frs_msgs.srv import StartRecording, StopRecording
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool

from frs_steering.health.report import Level
from frs_steering.nodes.qos import LATCHED

PATIENCE = 20.0  # s; two busy cores make everything slow


def put_beyond(msg: JointState) -> None:
    """Say that joint 4 is beyond its range."""
    msg.position[list(msg.name).index("fr3_joint4")] = -0.03


def test_the_arms_causes_come_and_go(arm: ArmStandIn, start_node: Start) -> None:
    ear = DiagnosticsEar(arm)
    start_node("arm_controller", joint_state_timeout=1.0)
    ear.until("arm_controller: arm", Level.OK, "no owner")
    assert {status.hardware_id for said in ear.said.values() for status in said} == {"fr3"}
    assert set(ear.said) == {f"arm_controller: {part}" for part in ("arm", "gate", "gripper")}
    ear.until("arm_controller: gripper", Level.OK, "follows")

    arm.reports_joints = False
    ear.until("arm_controller: arm", Level.ERROR, "the joint states stay away: see whether the robot's driver")
    assert float(ear.values("arm_controller: arm")["age of the joint states [s]"]) > 0.25
    arm.reports_joints = True
    ear.until("arm_controller: arm", Level.OK, "no owner")
    arm.spoil = put_beyond
    ear.until("arm_controller: arm", Level.ERROR, "joint states come, but are not believed: see the doubt about them")
    assert "its range ends at -0.152 rad" in ear.values("arm_controller: arm")["doubt about them"]
    arm.spoil = lambda _: None
    ear.until("arm_controller: arm", Level.OK, "no owner")

    assert arm.claim().success
    arm.send(1)
    ear.until("arm_controller: arm", Level.OK, "driven by 'steering'")
    ear.until("arm_controller: arm", Level.WARN, "'steering' ")  # its lease ends, or its rows
    arm.send(1)
    ear.until("arm_controller: gate", Level.WARN, "rejects chunks (OLD_CHUNK): its id has been used already")
    ear.until("arm_controller: gate", Level.OK)

    assert arm.call(arm.stop).success
    ear.until("arm_controller: arm", Level.ERROR, "stopped: arm_controller/stop was called")
    assert arm.call(arm.reset).success
    ear.until("arm_controller: arm", Level.OK, "no owner")

    errors = arm.create_publisher(String, "robot_driver/error", LATCHED)
    errors.publish(String(data="joint_reflex"))
    ear.until("arm_controller: arm", Level.ERROR, "the robot says: joint_reflex; call arm_controller/recover")
    errors.publish(String(data=""))
    arm.until_success(arm.recover, PATIENCE)
    ear.until("arm_controller: arm", Level.OK, "recovered from: joint_reflex")

    arm.destroy_subscription(arm.arm_ear)
    ear.until("arm_controller: arm", Level.WARN, "nobody follows /fr3_arm_controller/joint_trajectory: see whether")


def test_they_come_once_a_second_under_the_nodes_own_name(arm: ArmStandIn, start_node: Start, procs: Any) -> None:
    ear = DiagnosticsEar(arm)
    process = start_node("arm_controller")
    ear.until("arm_controller: arm", Level.OK)
    arm.until(lambda: bool(arm.states), PATIENCE, "the arm's state")
    heard, tick = len(ear.said["arm_controller: arm"]), arm.states[-1].tick
    arm.until(lambda: arm.states[-1].tick > tick + 60, PATIENCE, "four seconds of control steps")
    assert 3 <= len(ear.said["arm_controller: arm"]) - heard <= 6, "once a second, since nothing changed"
    words = [*process.args, "-r", "__ns:=/lab/one"]
    procs(*words)
    ear.until("lab/one/arm_controller: arm", Level.STALE, "no joint states came yet")


def test_the_policys_inputs(cell: CellStandIn, start_node: Start, weights: Path) -> None:
    cell.cameras = {"exterior"}
    ear = DiagnosticsEar(cell)
    start_node("vla_inference", weights=weights)
    ear.until("vla_inference: inputs", Level.ERROR, "camera 'wrist' never came: start its driver")
    ear.until("vla_inference: policy", Level.OK, "is loaded and answers")
    assert len(ear.values("vla_inference: policy")["weights"]) == 12
    cell.cameras = {"exterior", "wrist"}
    ear.until("vla_inference: inputs", Level.OK, "all that the policy sees is fresh")
    cell.cameras = {"wrist"}
    ear.until("vla_inference: inputs", Level.ERROR, "camera 'exterior' has stopped coming")
    cell.cameras = {"exterior", "wrist"}
    ear.until("vla_inference: inputs", Level.OK)


@pytest.mark.usefixtures("policy_node")
def test_the_steerings_causes(cell: CellStandIn, start_node: Start) -> None:
    ear = DiagnosticsEar(cell)
    start_node("flow_steering")
    name = "flow_steering: steering"
    ear.until(name, Level.OK, "inactive: call flow_steering/activate")
    answers = iter(lambda: cell.call(cell.activate, SetBool.Request(data=True)), None)
    assert any(answer.success for answer in itertools.islice(answers, 200))
    ear.until(name, Level.OK, "active: it decides")
    ear.until("flow_steering: decisions", Level.OK, "in time")
    assert ear.values(name)["claim"] == f"epoch {cell.arm.owner_epoch}"
    cell.cameras = set()
    ear.until(name, Level.ERROR, "active, but can't decide: ")
    cell.cameras = {"exterior", "wrist"}
    ear.until(name, Level.OK, "active: it decides")
    cell.stopped = True
    ear.until(name, Level.WARN, "the arm is stopped (stopped by the test); call arm_controller/reset first")


def test_the_recorders_file_disk_and_topics(arm: ArmStandIn, start_node: Start, tmp_path: Path) -> None:
    ear = DiagnosticsEar(arm)
    start = arm.create_client(StartRecording, "recorder/start")
    stop = arm.create_client(StopRecording, "recorder/stop")
    process = start_node("recorder", directory=tmp_path)
    ear.until("recorder: file", Level.OK, "not recording: call recorder/start")
    ear.until("recorder: disk", Level.OK, "there is room")
    ear.until("recorder: topics", Level.WARN, "camera/wrist/color/image_raw")
    (tmp_path / "file").touch()
    refused = arm.call(start, StartRecording.Request(episode_id="e1", directory=str(tmp_path / "file")))
    assert not refused.success
    ear.until("recorder: file", Level.ERROR, f"not recording: can't write to {tmp_path / 'file'}")
    assert arm.call(start, StartRecording.Request(episode_id="e1")).success
    ear.until("recorder: file", Level.OK, f"recording to {tmp_path}/e1/e1.mcap.partial")

    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (20_000, hard))
    ear.until("recorder: file", Level.ERROR, "File too large while writing")
    assert "what came before is whole; call recorder/stop" in ear.said["recorder: file"][-1].message
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert arm.call(start, StartRecording.Request(episode_id="e2")).success, "what failed hinders no other"
    ear.until("recorder: file", Level.OK, f"recording to {tmp_path}/e2/e2.mcap.partial")
    arm.call(stop, StopRecording.Request(label=EpisodeEvent.FAILED))
    ear.until("recorder: file", Level.OK, "not recording: call recorder/start")
