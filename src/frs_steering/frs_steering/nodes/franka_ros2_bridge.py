"""The node beside franka_ros2: the robot's errors out, its recovery in, as `arm_controller` speaks of them; its hand.

The arm's commands go past it, from `arm_controller` to franka_ros2's joint trajectory controller. The messages are
those of franka_msgs, which only a franka_ros2 host has; nothing else imports them.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import Trigger

from frs_steering.arm.backends.franka_state import HELD, RobotMode, RobotState, StateWatch, names_of
from frs_steering.health.arm import gripper_health
from frs_steering.health.report import Health, Level
from frs_steering.nodes.collected import Collected, never, take
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.franka_hand import FrankaHand
from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.runtime import run, side_node

LOOK_RATE = 50.0
"""Looks at the robot's newest state a second [Hz]. franka_ros2 sends a thousand, more than Python should unpack."""
RECOVERY_TIME = 4.0
"""Longest wait for the recovery [s]; arm_controller waits one second more for the answer."""

_NEWEST = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


@dataclass(frozen=True)
class FrankaRos2BridgeParameters:
    """Parameters of the node."""

    state_topic: str = param(
        "franka_robot_state_broadcaster/robot_state", "topic of the robot's state, as franka_ros2's broadcaster has it"
    )
    recovery_action: str = param("action_server/error_recovery", "franka_ros2's action that recovers the robot")
    gripper: str = param(
        "franka_hand",
        "which gripper there is; a Robotiq is driven by arm_controller",
        choices=("franka_hand", "robotiq"),
    )
    gripper_actions: str = param("franka_gripper", "where the Franka hand's actions move and grasp are")


class FrankaRos2Bridge(Node):
    """Says on `robot_driver/error` why the robot does not follow; serves `robot_driver/recover`; drives its hand."""

    def __init__(self) -> None:
        super().__init__("franka_ros2_bridge")
        parameters = declare(self, FrankaRos2BridgeParameters)
        if importlib.util.find_spec("franka_msgs") is None:
            raise OSError(
                "the package franka_msgs of franka_ros2 can't be imported; build franka_ros2 and source its workspace, "
                "or use franky_driver, which needs neither"
            )
        messages, actions = importlib.import_module("franka_msgs.msg"), importlib.import_module("franka_msgs.action")
        self._type: Any = messages.FrankaRobotState
        self._flags = tuple(messages.Errors.get_fields_and_field_types())
        self._watch = StateWatch()
        self._told: str | None = None
        self._errors = self.create_publisher(String, "robot_driver/error", LATCHED)
        self._state = self.create_subscription(
            self._type, parameters.state_topic, never, _NEWEST, callback_group=Collected(), raw=True
        )
        self._goal: Any = actions.ErrorRecovery.Goal
        self._recovery: ActionClient = ActionClient(self, actions.ErrorRecovery, parameters.recovery_action)
        self.create_timer(1.0 / LOOK_RATE, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        side = side_node(self, "recovery")
        side.create_service(Trigger, "robot_driver/recover", self._on_recover)
        self.side_nodes = (side,)
        parts: dict[str, Callable[[], Health]] = {"robot": self._health}
        if parameters.gripper == "franka_hand":
            hand = FrankaHand(self, parameters.gripper_actions)
            parts["hand"] = lambda: gripper_health(hand.trouble)
        Diagnostics(self, parts, hardware="fr3")
        self.get_logger().info(f"listens to {self._state.topic_name}")

    def _look(self) -> None:
        taken = take(self._state)
        now = time.monotonic()
        if taken is not None:
            msg = deserialize_message(taken[0], self._type)
            current, last = (names_of(errors, self._flags) for errors in (msg.current_errors, msg.last_motion_errors))
            self._watch.saw(RobotState(msg.time, msg.robot_mode, current, last), now)
        error = self._watch.error(now)
        if self._watch.state is not None and error != self._told:
            self._told = error
            self._errors.publish(String(data=error))
            self.get_logger().error(f"the robot says: {error}") if error else self.get_logger().info(
                "the robot follows"
            )

    def _health(self) -> Health:
        state = self._watch.state
        if state is None:
            return Health(
                Level.STALE,
                f"no state of the robot came on {self._state.topic_name}: is franka_ros2's state broadcaster active? "
                "Without it nobody tells of the robot's errors",
            )
        mode = RobotMode(state.mode).name if state.mode in set(RobotMode) else str(state.mode)
        values = {"mode": mode, "errors": ", ".join(state.current), "errors of the last motion": ", ".join(state.last)}
        error = self._watch.error(time.monotonic())
        return Health(Level.ERROR, error, values) if error else Health(Level.OK, "follows", values)

    # On the side node's thread

    def _on_recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.message = self._recover()
        response.success = not response.message
        response.message = response.message or "franka_ros2 says that the robot has recovered"
        return response

    def _recover(self) -> str:
        # Why the robot has not recovered; empty if it has.
        state, until = self._watch.state, time.monotonic() + RECOVERY_TIME
        if state is not None and state.mode in HELD:
            return f"{HELD[RobotMode(state.mode)]} first"
        action = "franka_ros2's error recovery"
        if not self._recovery.server_is_ready():
            return f"{action} is not there; is franka_ros2 running?"
        goal = _result(self._recovery.send_goal_async(self._goal()), until)
        if goal is None or not goal.accepted:
            return f"{action} {'refused' if goal else f'did not answer within {RECOVERY_TIME:g} s'}"
        result = _result(goal.get_result_async(), until)
        if result is None:
            return f"{action} did not end within {RECOVERY_TIME:g} s"
        return "" if result.status == GoalStatus.STATUS_SUCCEEDED else f"{action} failed; see franka_ros2's log"


def _result(future: Future, until: float) -> Any:
    """Its result, made on the node's own thread; None if it does not come until then (s, monotonic)."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return future.result() if done.wait(max(0.0, until - time.monotonic())) else None


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `franka_ros2_bridge`."""
    return run(FrankaRos2Bridge, argv)


if __name__ == "__main__":
    raise SystemExit(main())
