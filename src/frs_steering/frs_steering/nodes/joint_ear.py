"""Joint states as nodes hear them: the newest, many times a second, however many are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState

from frs_steering.nodes.collected import Collected, never, take

LOOK_RATE = 60.0
"""Looks at what came a second [Hz]. franka_ros2 sends a thousand joint states, more than Python should unpack."""

_KEPT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
"""As qos.SENSOR, with room for what two such senders send between two looks."""

Heard = Callable[[JointState], None]


def hear_joints(node: Node, heard: Mapping[str, Heard]) -> None:
    """Hand the joint states of each topic to its function, on the node's thread, at most LOOK_RATE times a second.

    Of those that one sender has sent since the last look only the newest is unpacked, or the newest of each length,
    should it tell of the arm and of the fingers apart. Where several send on one topic every message is handed on: of
    two that contradict each other always the same one could be the newest, and would be believed.
    """
    group = Collected()
    ears = [
        (node.create_subscription(JointState, topic, never, _KEPT, callback_group=group, raw=True), hand_on)
        for topic, hand_on in heard.items()
    ]
    node.create_timer(1.0 / LOOK_RATE, partial(_look, ears), clock=Clock(clock_type=ClockType.STEADY_TIME))


def _look(ears: Iterable[tuple[Subscription, Heard]]) -> None:
    for ear, hand_on in ears:
        taken = [data for data, _ in iter(partial(take, ear), None)]
        alone = ear.get_publisher_count() < 2
        for data in {len(data): data for data in taken}.values() if alone else taken:
            hand_on(deserialize_message(data, JointState))
