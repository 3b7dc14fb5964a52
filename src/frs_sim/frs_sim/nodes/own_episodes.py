"""Episodes that begin by themselves, one after another, where nobody else is there to ask for them."""

from __future__ import annotations

from collections.abc import Callable

from frs_msgs.action import RunEpisode
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.task import Future

LOOK_EVERY = 0.5  # s
ACTION = "run_episode"

UNNAMED = "_NODE_NAME_UNKNOWN_"
"""What rclpy calls a node whose endpoint was discovered before its name."""


class OwnEpisodes:
    """Asks the node's own action server for so many episodes; for none at all once another node is its client."""

    def __init__(self, node: Node, count: int, next_goal: Callable[[bool], RunEpisode.Goal | None]) -> None:
        """Begin as soon as everything is there.

        Args:
            node: serves the action `run_episode`.
            count: of the episodes, at least 1.
            next_goal: given whether it is the first, returns the next goal, or None while something is missing.
        """
        self._node, self._count, self._next_goal = node, count, next_goal
        self._done = 0
        self._asked = False
        self._client: ActionClient = ActionClient(node, RunEpisode, ACTION)
        self._timer = node.create_timer(LOOK_EVERY, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def destroy(self) -> None:
        """Leave the action."""
        self._client.destroy()

    def _look(self) -> None:
        others = self._others()
        if UNNAMED in others:
            return  # its name comes soon, and it may be this node's
        if others:
            self._timer.cancel()
            self._node.get_logger().info(f"no episode begins by itself: {', '.join(others)} can ask for them")
        elif not self._asked and self._client.server_is_ready():
            goal = self._next_goal(self._done == 0)
            if goal is not None:
                self._asked = True
                self._client.send_goal_async(goal).add_done_callback(self._answered)

    def _others(self) -> list[str]:
        """Names of the other nodes that are clients of the action: each listens to its feedback."""
        listeners = self._node.get_subscriptions_info_by_topic(f"{ACTION}/_action/feedback")
        return sorted({info.node_name for info in listeners} - {self._node.get_name()})

    def _answered(self, future: Future[ClientGoalHandle]) -> None:
        handle = future.result()
        if handle is None or not handle.accepted:
            self._asked = False  # somebody else was faster; the next look finds them
            return
        handle.get_result_async().add_done_callback(self._ended)

    def _ended(self, _future: Future[RunEpisode.Result]) -> None:
        self._asked = False
        self._done += 1
        self._node.get_logger().info(f"episode {self._done} of {self._count} is over")
        if self._done == self._count:
            self._timer.cancel()
