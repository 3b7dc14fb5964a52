"""Being the one whose chunks drive the arm: claiming it, and noticing when the claim is lost."""

from __future__ import annotations

import re

from frs_msgs.msg import ArmState
from frs_msgs.srv import ClaimArm
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

RETRY = 0.5
"""s between two attempts, and how long one may take."""

SETTLE = 0.5
"""s after which the arm's state must show a granted claim."""


class ArmClaim:
    """Holds this node's claim on the arm; claims anew whenever it is lost. Times are monotonic, in s."""

    def __init__(self, node: Node) -> None:
        self._owner = node.get_name()
        self._logger = node.get_logger()
        self._client: Client[ClaimArm.Request, ClaimArm.Response] = node.create_client(ClaimArm, "arm_controller/claim")
        self._pending: Future[ClaimArm.Response] | None = None
        self._asked = float("-inf")
        self._granted = float("-inf")
        self._tick = 0
        self.epoch = 0
        """As granted; 0 while the arm is not ours."""
        self.why_not = "the arm is not claimed yet"
        """In words, while the arm is not ours."""

    def step(self, now: float) -> None:
        """Ask for the arm if it isn't ours and it is time to; to be called a few times a second."""
        if self.epoch or now - self._asked < RETRY:
            return
        if self._pending is not None:
            self._client.remove_pending_request(self._pending)
            self._pending = None
        self._asked = now
        if not self._client.service_is_ready():
            self._refused("arm_controller/claim is not there; is arm_controller running?")
            return
        self._pending = self._client.call_async(ClaimArm.Request(owner=self._owner))
        self._pending.add_done_callback(self._on_answer)

    def observe(self, state: ArmState, now: float) -> None:
        """Compare the claim with the arm's own state, as just received."""
        if self.epoch and state.tick < self._tick:
            self._lose("arm_controller was started again")
        elif self.epoch and state.owner_epoch != self.epoch and now - self._granted > SETTLE:
            self._lose(f"the arm belongs to {state.owner!r}" if state.owner else "the arm belongs to nobody")
        self._tick = state.tick

    def _on_answer(self, future: Future[ClaimArm.Response]) -> None:
        if future is not self._pending:
            return
        self._pending = None
        response: ClaimArm.Response = future.result()
        if not response.success:
            self._refused(f"arm_controller refused the arm: {response.message}")
            return
        self.epoch, self._granted, self.why_not = response.epoch, self._asked, ""
        self._logger.info(f"the arm is ours (epoch {self.epoch})")

    def _lose(self, why: str) -> None:
        self._logger.warning(f"the claim on the arm is lost: {why}")
        self.epoch, self.why_not = 0, why
        self._asked = float("-inf")

    def _refused(self, why: str) -> None:
        if re.sub(r"[0-9.]+", "", why) != re.sub(r"[0-9.]+", "", self.why_not):  # once, not at every attempt
            self._logger.warning(why)
        self.why_not = why
