"""A stand-in for flow_steering and the policy: the scripted expert's action as chunks. Run as a process.

`python expert_decider.py expert` finishes tasks; `... still` sends chunks that move nothing.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from frs_msgs.msg import ActionChunk, ArmState, Decision, PolicyInfo, SimTruth
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_srvs.srv import SetBool

from frs_sim.expert import act, plan
from frs_sim.nodes.scripted_reasoner import truth_from_msg
from frs_sim.tasks import find_task
from frs_steering.nodes.arm_claim import ArmClaim
from frs_steering.nodes.conversions import duration_msg, floats
from frs_steering.nodes.qos import COMMAND, EVENT, LATCHED, SENSOR
from frs_steering.nodes.runtime import run
from frs_steering.robot.fr3 import BASE_FRAME
from frs_steering.robot.spaces import ActionSpace

ROWS = 4
PERIOD = 1 / 15  # s


class ExpertDecider(Node):
    """Answers each sim/truth with a chunk while it is active and the arm is its own."""

    def __init__(self) -> None:
        super().__init__("flow_steering")
        self._still = "still" in sys.argv
        self._active = False
        self._arm: ArmState | None = None
        self._chunk = 0
        self._claim = ArmClaim(self)
        self._chunks = self.create_publisher(ActionChunk, "action_chunk", COMMAND)
        self._decisions = self.create_publisher(Decision, "decision", EVENT)
        self._policy = self.create_publisher(PolicyInfo, "policy_info", LATCHED)
        self._policy.publish(PolicyInfo(name="expert"))
        self.create_subscription(ArmState, "arm_state", self._on_arm, LATCHED)
        self.create_subscription(SimTruth, "sim/truth", self._on_truth, SENSOR)
        self.create_service(SetBool, "flow_steering/activate", self._on_activate)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.1, lambda: self._claim.step(time.monotonic()), clock=steady)

    def _on_arm(self, msg: ArmState) -> None:
        self._arm = msg
        self._claim.observe(msg, time.monotonic())

    def _on_activate(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        response.success = not request.data or bool(self._claim.epoch)
        self._active = request.data and response.success
        response.message = self._claim.why_not
        print("active" if self._active else "inactive", flush=True)
        return response

    def _on_truth(self, msg: SimTruth) -> None:
        if not self._active or not self._claim.epoch or self._arm is None:
            return
        truth = truth_from_msg(msg)
        action = np.zeros(7) if self._still else act(plan(find_task(msg.task), truth), truth)
        self._chunk += 1
        chunk = ActionChunk(
            chunk_id=self._chunk,
            owner_epoch=self._claim.epoch,
            horizon=ROWS,
            dim=7,
            rows=floats(np.tile(action, (ROWS, 1)).astype(np.float32)),
            row_duration=PERIOD,
            first_tick=self._arm.tick + 1,
            lease=duration_msg(ROWS * PERIOD),
        )
        chunk.header.stamp = msg.header.stamp
        chunk.header.frame_id = BASE_FRAME
        chunk.action_space.value = int(ActionSpace.CARTESIAN_VELOCITY)
        self._chunks.publish(chunk)
        self._decisions.publish(Decision(header=chunk.header, chunk_id=self._chunk))


if __name__ == "__main__":
    sys.exit(run(ExpertDecider))
