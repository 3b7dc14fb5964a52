"""The Franka hand behind franka_ros2: the newest wish for it, by franka_gripper's actions, one at a time.

Nothing here waits; the node's own executor makes each look. franka_msgs has the actions: move opens, grasp closes.
"""

from __future__ import annotations

import importlib
import time
import uuid
from typing import Any

from action_msgs.msg import GoalInfo, GoalStatus
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription
from trajectory_msgs.msg import JointTrajectory

from frs_steering.arm.backends.commands import CommandError, gripper_closing
from frs_steering.arm.backends.franky import FINGER_SPEED, FORCE, MAX_WIDTH
from frs_steering.nodes.qos import COMMAND

PERIOD = 0.05
"""s between two looks."""
ANSWER_TIME = 1.0
"""Longest wait until franka_gripper takes a motion on [s]."""
MOTION_TIME = 5.0
"""Longest wait for its end [s]; it takes one."""
RETRY = 0.5
"""s after a failure during which nothing is heard, and between two tries to end a motion that hangs."""
WARNING_PERIOD = 2.0
"""Least time between two warnings of the same kind [s]."""


class Motion:
    """One goal of an action, from its sending until its server has ended it or does not know it."""

    def __init__(self, name: str, client: ActionClient, goal: Any) -> None:
        """Send it; `name` is the action's, in words."""
        self._name, self._client = name, client
        self._id = GoalInfo().goal_id
        self._id.uuid = list(uuid.uuid4().bytes)
        self._sent: Any = client.send_goal_async(goal, goal_uuid=self._id)
        self._cancelling: Any = None
        self._result: Any = None
        self._begun = time.monotonic()
        self._ended_at = 0.0  # when it was last tried to end it [s, monotonic]
        self.is_over = False
        """Whether another one may be sent."""
        self.failure = ""
        """Why it was not done, in words; also while it is not over yet."""

    def look(self) -> None:
        """See what has become of it."""
        is_taken_on = self._sent.done()
        if is_taken_on and not self._sent.result().accepted:
            self._is_over_as("was refused")
            return
        if self._result is None and is_taken_on:
            self._result = self._sent.result().get_result_async()
        if self._result is not None and self._result.done():
            self._is_over_as(_failure(self._result.result()))
            return
        now, patience = time.monotonic(), MOTION_TIME if is_taken_on else ANSWER_TIME
        if now - self._begun > patience:
            self.failure = f"{self._name} has not {'ended' if is_taken_on else 'been answered'} within {patience:g} s"
            if now - self._ended_at > RETRY:
                self._ended_at = now
                self._end()

    def _is_over_as(self, failure: str) -> None:
        self.is_over = True
        if not failure:
            self.failure = ""
        elif not self.failure:  # or it was too late already, and this is how that ended
            self.failure = f"{self._name} {failure}"

    def _end(self) -> None:
        # A server that hangs gets this when it wakes up, with the goal that it has not seen before, or up to 3 s after
        # (Fast DDS holds a process that stood still for a second for dead, and sends again at its next heartbeat); one
        # that was started anew answers that it knows of no such goal.
        handle = self._sent.result() if self._sent.done() else self._unanswered()
        for question in (self._cancelling, self._result):
            if question is not None:
                question.cancel()  # or the client would keep all of them
        self._cancelling, self._result = handle.cancel_goal_async(), handle.get_result_async()

    def _unanswered(self) -> ClientGoalHandle:
        return ClientGoalHandle(self._client, self._id, None)  # type: ignore[arg-type] # there is no answer yet


class FrankaHand:
    """Follows `fr3_gripper_controller/joint_trajectory`, below 0.5 opens, above it closes.

    It listens there only while it follows, so that arm_controller refuses what nobody would do. What was asked for
    while it did not follow is not done late: who still wants it asks again.
    """

    def __init__(self, node: Node, actions: str) -> None:
        """Begin.

        Args:
            node: on whose executor all is done.
            actions: where franka_gripper's actions are, such as franka_gripper.
        """
        kinds, messages = importlib.import_module("franka_msgs.action"), importlib.import_module("franka_msgs.msg")
        self._node, self._name = node, actions
        self._move: ActionClient = ActionClient(node, kinds.Move, f"{actions}/move")
        self._grasp: ActionClient = ActionClient(node, kinds.Grasp, f"{actions}/grasp")
        self._opening: Any = kinds.Move.Goal(width=MAX_WIDTH, speed=FINGER_SPEED)
        wide = messages.GraspEpsilon(inner=MAX_WIDTH, outer=MAX_WIDTH)  # whatever it meets, or nothing, will do
        self._closing: Any = kinds.Grasp.Goal(width=0.0, epsilon=wide, speed=FINGER_SPEED, force=FORCE)
        self._wish: bool | None = None  # closed, or open
        self._done: bool | None = None  # what it was asked last
        self._motion: Motion | None = None
        self._away, self._failure = "", ""
        self._resumes = 0.0  # s, monotonic
        self._ear: Subscription | None = None
        self._told = ""
        node.create_timer(PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def trouble(self) -> str:
        """Why the hand does not follow, or did not do what it was asked last, in words; empty if it did."""
        return self._away or self._failure

    def _look(self) -> None:
        now = time.monotonic()
        if self._motion is not None:
            self._look_at(self._motion, now)
        elif not (self._move.server_is_ready() and self._grasp.server_is_ready()):
            self._away = f"{self._name}/move and {self._name}/grasp are not there: does franka_gripper run?"
            self._forget(now)
        elif now >= self._resumes:
            self._away = ""
            self._listen()
            if self._wish is not None and self._wish != self._done:
                self._ask(self._wish)
        if self.trouble != self._told:
            self._told = self.trouble
            log = self._node.get_logger()
            log.warning(self._told) if self._told else log.info("the hand follows")

    def _look_at(self, motion: Motion, now: float) -> None:
        motion.look()
        self._failure = motion.failure or ("" if motion.is_over else self._failure)
        if motion.failure:
            self._forget(now)
        if motion.is_over:
            self._motion = None

    def _ask(self, closing: bool) -> None:
        self._done = closing
        if closing:
            self._motion = Motion(f"{self._name}/grasp", self._grasp, self._closing)
        else:
            self._motion = Motion(f"{self._name}/move", self._move, self._opening)

    def _forget(self, now: float) -> None:
        self._wish = self._done = None
        self._resumes = now + RETRY
        if self._ear is not None:
            self._node.destroy_subscription(self._ear)
            self._ear = None

    def _listen(self) -> None:
        if self._ear is None:
            topic = "fr3_gripper_controller/joint_trajectory"
            self._ear = self._node.create_subscription(JointTrajectory, topic, self._on_command, COMMAND)

    def _on_command(self, msg: JointTrajectory) -> None:
        try:
            self._wish = gripper_closing(msg.joint_names, msg.points[-1].positions if msg.points else []) > 0.5
        except CommandError as error:
            self._node.get_logger().warning(f"gripper command ignored: {error}", throttle_duration_sec=WARNING_PERIOD)


def _failure(answer: Any) -> str:
    """Why a motion was not done, by the answer to the question for its result; empty if it was."""
    if answer.status == GoalStatus.STATUS_SUCCEEDED and answer.result.success:
        return ""
    if answer.status == GoalStatus.STATUS_UNKNOWN:
        return "was lost: franka_gripper has been started again"
    if answer.status == GoalStatus.STATUS_CANCELED:
        return "was cancelled"
    return f"failed: {answer.result.error or 'franka_gripper names no error; see its log'}"
