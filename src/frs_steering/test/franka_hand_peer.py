"""What franka_gripper shows to others, without a hand: its fingers, and the actions that move them.

As a script it is franka_gripper, told by lines on its standard input how to fail; `franka_ros2_peer` has the types.
"""

from __future__ import annotations

import importlib
from typing import Any

from obedient_peer import serve

SPEEDUP = 4.0
"""How much faster it is than the hand."""
PERIOD = 0.02
"""s between two looks at the fingers."""


class HandPeer:
    """A hand 8 cm wide; what is between its fingers is `stuck_at` wide."""

    def __init__(self, node: Any) -> None:
        from rclpy.action import ActionServer, CancelResponse, GoalResponse
        from sensor_msgs.msg import JointState

        actions = importlib.import_module("franka_msgs.action")
        self._node, self._joint_state, self._responses = node, JointState, GoalResponse
        self.refuses = self.hangs = False
        self.error = ""
        self._width = 0.08
        self._motion: tuple[Any, Any, float] | None = None  # the goal, the future of its end, the width
        self._fingers = node.create_publisher(JointState, "~/joint_states", 10)
        self._servers = [
            ActionServer(
                node,
                kind,
                f"~/{name}",
                self._execute,
                goal_callback=self._on_goal,
                cancel_callback=lambda _: CancelResponse.ACCEPT,
            )
            for name, kind in (("move", actions.Move), ("grasp", actions.Grasp))
        ]
        self._results = {actions.Move.Goal: actions.Move.Result, actions.Grasp.Goal: actions.Grasp.Result}
        node.create_timer(PERIOD, self._step)

    def obey(self, line: str) -> None:
        """One of: refuses, hangs, fails ERROR, well."""
        word, _, self.error = line.strip().partition(" ")
        self.refuses, self.hangs = word == "refuses", word == "hangs"

    def _on_goal(self, goal: Any) -> Any:
        force = f" force {goal.force:g} within {goal.epsilon.inner:g} {goal.epsilon.outer:g}" if _grasps(goal) else ""
        print(f"asked {'grasp' if force else 'move'} {goal.width:g} speed {goal.speed:g}{force}", flush=True)
        assert self._motion is None, "two motions at a time"
        return self._responses.REJECT if self.refuses else self._responses.ACCEPT

    async def _execute(self, handle: Any) -> Any:
        from rclpy.task import Future

        end: Future = Future(executor=self._node.executor)
        self._motion = (handle, end, handle.request.width)
        await end
        self._motion = None
        result = self._results[type(handle.request)](success=not self.error, error=self.error)
        if handle.is_cancel_requested:
            print("cancelled", flush=True)
            handle.canceled()
        elif self.error:
            handle.abort()
        else:
            print(f"reached {self._width:g}", flush=True)
            handle.succeed()
        return result

    def _step(self) -> None:
        msg = self._joint_state(name=["fr3_finger_joint1", "fr3_finger_joint2"], position=[self._width / 2] * 2)
        msg.header.stamp = self._node.get_clock().now().to_msg()
        self._fingers.publish(msg)
        if self._motion is None:
            return
        handle, end, width = self._motion
        if not self.hangs:
            way = handle.request.speed * SPEEDUP * PERIOD
            self._width += max(-way, min(way, width - self._width))
        if handle.is_cancel_requested or self.error or self._width == width:
            end.set_result(None)


def _grasps(goal: Any) -> bool:
    return hasattr(goal, "epsilon")


def main() -> None:
    """Be franka_gripper until standard input ends."""
    serve("franka_gripper", HandPeer, "shows a hand")


if __name__ == "__main__":
    main()
