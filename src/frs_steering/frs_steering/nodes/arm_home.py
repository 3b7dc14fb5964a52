"""The action `arm_controller/home`: goals in, feedback and results out; the motion itself is in `arm.execution`."""

from __future__ import annotations

from collections.abc import Callable

from frs_msgs.action import MoveHome
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

from frs_steering.arm.homing import Homing, speed_of

FEEDBACK_PERIOD = 0.1
"""s between two looks at the motion."""


class HomeAction:
    """Serves the action without waiting in a callback: a timer looks at the motion while a goal is under way.

    So a goal stays in the state ACCEPTED until it ends; rclpy would let a coroutine that waits for the end go round
    without a pause, in a process with real-time priority.
    """

    def __init__(
        self,
        node: Node,
        set_out: Callable[[float], tuple[bool, str]],
        progress: Callable[[], Homing | None],
        cancel: Callable[[], None],
    ) -> None:
        """Serve.

        Args:
            node: the arm's controller.
            set_out: begin to move at a speed [rad/s]; whether it began, and why not.
            progress: the motion that began last.
            cancel: end it.
        """
        self._set_out, self._progress, self._cancel = set_out, progress, cancel
        self._logger = node.get_logger()
        self._goal: ServerGoalHandle | None = None
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(FEEDBACK_PERIOD, self._look, clock=steady, autostart=False)
        self._server = ActionServer(
            node,
            MoveHome,
            "arm_controller/home",
            lambda _: MoveHome.Result(),  # never used: every goal is ended with a callback of its own
            handle_accepted_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )

    def close(self) -> None:
        """Serve no longer."""
        self._server.destroy()

    def _on_goal(self, goal: ServerGoalHandle) -> None:
        if self._goal is not None:
            self._look()  # its motion may be over, and nobody has looked since
        try:
            begun, words = self._set_out(speed_of(goal.request.speed_scale))
        except ValueError as error:
            begun, words = False, f"refused: {error}"
        self._logger.info(f"home: {words}")
        if begun:
            self._goal = goal
            self._timer.reset()
        else:
            _end(goal, MoveHome.Result(success=False, message=words))

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        if goal == self._goal:
            self._cancel()
        return CancelResponse.ACCEPT

    def _look(self) -> None:
        goal, homing = self._goal, self._progress()
        assert goal is not None and homing is not None, "the timer runs from a goal's begin to its end"
        goal.publish_feedback(MoveHome.Feedback(distance=homing.distance))
        if homing.is_over:
            self._timer.cancel()
            self._goal = None
            self._logger.info(f"home: {homing.message}")
            result = MoveHome.Result(success=homing.success, message=homing.message, distance=homing.distance)
            _end(goal, result)


def _end(goal: ServerGoalHandle, result: MoveHome.Result) -> None:
    def ended(goal: ServerGoalHandle) -> MoveHome.Result:
        if result.success:
            goal.succeed()
        elif goal.is_cancel_requested:
            goal.canceled()
        else:
            goal.abort()
        return result

    goal.execute(ended)
