"""The scripted reasoner: coarse directions from the simulator's true state, for runs without a person.

It says only what a person at a keyboard could: one of the cardinal directions, or "let the policy act".
"""

from __future__ import annotations

import dataclasses

import numpy as np
from frs_msgs.msg import Guidance as GuidanceMsg
from frs_msgs.msg import SimTruth
from geometry_msgs.msg import Point, Quaternion
from rclpy.node import Node

from frs_sim.cell import Truth
from frs_sim.oracle import oracle
from frs_sim.tasks import TaskError, find_task
from frs_steering.nodes.conversions import guidance_to_msg
from frs_steering.nodes.qos import EVENT, SENSOR
from frs_steering.nodes.runtime import run

WARN_EVERY = 2.0  # s

AUTHOR = "scripted"
"""The name of this operator everywhere: in `operator:=scripted`, on the screens and in the recordings."""


class ScriptedReasoner(Node):
    """Answers each sim/truth (15 Hz) with a wish. Nothing else of the simulation reaches it."""

    def __init__(self) -> None:
        super().__init__("scripted_reasoner")
        self._guidance = self.create_publisher(GuidanceMsg, "guidance", EVENT)
        self.create_subscription(SimTruth, "sim/truth", self._on_truth, SENSOR)

    def _on_truth(self, msg: SimTruth) -> None:
        try:
            task = find_task(msg.task)
        except TaskError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=WARN_EVERY)
            return
        wish = dataclasses.replace(oracle(task, truth_from_msg(msg)), author=AUTHOR)
        self._guidance.publish(guidance_to_msg(wish, msg.header.stamp))


def truth_from_msg(msg: SimTruth) -> Truth:
    """The true state as the oracle takes it."""
    return Truth(
        positions={name: _xyz(pose.position) for name, pose in zip(msg.names, msg.poses, strict=True)},
        quaternions={name: _wxyz(pose.orientation) for name, pose in zip(msg.names, msg.poses, strict=True)},
        held=msg.held,
        tcp_position=_xyz(msg.tcp_pose.position),
        tcp_quaternion=_wxyz(msg.tcp_pose.orientation),
        gripper=msg.gripper,
    )


def _xyz(point: Point) -> np.ndarray:
    return np.array([point.x, point.y, point.z])


def _wxyz(quaternion: Quaternion) -> np.ndarray:
    return np.array([quaternion.w, quaternion.x, quaternion.y, quaternion.z])


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `scripted_reasoner`."""
    return run(ScriptedReasoner, argv, behind=True)
