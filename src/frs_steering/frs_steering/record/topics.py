"""What an episode's file holds: every topic of the graph but the simulator's truth, the clock and the logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a topic is published, which says how to subscribe to it (REP-2003) and what may be lost."""

    SENSOR = "sensor"  # best effort, volatile
    IMAGE = "image"  # a sensor that is stored as JPEG; the first to be dropped under load
    EVENT = "event"  # reliable, in order, volatile; commands too
    LATCHED = "latched"  # reliable, transient-local: the last one opens every file


@dataclass(frozen=True)
class Topic:
    """One topic of the graph.

    Attributes:
        name: relative to the namespace that the graph runs in; absolute for a topic of all graphs.
        type: full name of the message as published, e.g. "frs_msgs/msg/Decision".
        kind: how it is published.
        required: whether an episode in which a policy drove the arm is incomplete without it.
        rate: Hz at which it comes at least while the graph runs; 0: only when something happens.
    """

    name: str
    type: str
    kind: Kind
    required: bool = False
    rate: float = 0.0


CONTROL_RATE = CAMERA_RATE = 15.0  # Hz, DROID
STORED_IMAGE = "sensor_msgs/msg/CompressedImage"
"""Type that a topic of Kind.IMAGE has in the file."""


EVALUATED = {
    "policy_info": "frs_msgs/msg/PolicyInfo",
    "instruction": "std_msgs/msg/String",
    "decision": "frs_msgs/msg/Decision",
    "policy_input": "frs_msgs/msg/PolicyInput",
    "gate_report": "frs_msgs/msg/GateReport",
}
"""Topic -> type in an episode of `frs eval --record`: what a noise policy learns from, and all by which its chunks can
be made again."""


def stored_name(topic: Topic) -> str:
    """Name of a topic in the file: images get image_transport's suffix, the others keep theirs."""
    return f"{topic.name}/compressed" if topic.kind is Kind.IMAGE else topic.name


def image_topic(camera: str) -> str:
    """Name, relative and as stored, of a camera's images: image_topic("wrist")."""
    return f"camera/{camera}/color/image_raw/compressed"


def episode_topics(cameras: Sequence[str]) -> tuple[Topic, ...]:
    """All topics that belong into an episode's file, given the names of the cameras."""
    seen = [
        Topic(f"camera/{name}/color/image_raw", "sensor_msgs/msg/Image", Kind.IMAGE, True, CAMERA_RATE)
        for name in cameras
    ]
    seen += [Topic(f"camera/{name}/color/camera_info", "sensor_msgs/msg/CameraInfo", Kind.SENSOR) for name in cameras]
    return (
        *seen,
        Topic("joint_states", "sensor_msgs/msg/JointState", Kind.SENSOR, True, CONTROL_RATE),
        Topic("fr3_gripper_controller/joint_states", "sensor_msgs/msg/JointState", Kind.SENSOR),
        Topic("instruction", "std_msgs/msg/String", Kind.LATCHED, True),
        Topic("policy_info", "frs_msgs/msg/PolicyInfo", Kind.LATCHED, True),
        Topic("guidance", "frs_msgs/msg/Guidance", Kind.EVENT),
        Topic("action_chunk", "frs_msgs/msg/ActionChunk", Kind.EVENT, True),
        Topic("lease_renewal", "frs_msgs/msg/LeaseRenewal", Kind.EVENT),
        Topic("decision", "frs_msgs/msg/Decision", Kind.EVENT, True),
        Topic("policy_input", "frs_msgs/msg/PolicyInput", Kind.EVENT, True),
        Topic("arm_state", "frs_msgs/msg/ArmState", Kind.LATCHED, True, CONTROL_RATE),
        Topic("gate_report", "frs_msgs/msg/GateReport", Kind.EVENT, True, CONTROL_RATE),
        Topic("fr3_arm_controller/joint_trajectory", "trajectory_msgs/msg/JointTrajectory", Kind.EVENT, True),
        Topic("fr3_gripper_controller/joint_trajectory", "trajectory_msgs/msg/JointTrajectory", Kind.EVENT),
        Topic("task_state", "frs_msgs/msg/TaskState", Kind.LATCHED),
        Topic("episode_event", "frs_msgs/msg/EpisodeEvent", Kind.EVENT),
        Topic("recorder_state", "frs_msgs/msg/RecorderState", Kind.LATCHED),
        Topic("noise_policy/info", "frs_msgs/msg/NoisePolicyInfo", Kind.LATCHED),
        Topic("flow_steering/active", "std_msgs/msg/Bool", Kind.LATCHED),
        Topic("flow_steering/why_not", "std_msgs/msg/String", Kind.LATCHED),
        Topic("vla_inference/why_not", "std_msgs/msg/String", Kind.LATCHED),
        Topic("robot_driver/error", "std_msgs/msg/String", Kind.LATCHED),
        Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", Kind.EVENT),
    )
