"""Whether the policy lives and sees: what `flow_steering` must know while a chunk still drives."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from std_msgs.msg import String

from frs_steering.nodes.qos import ALIVE

TOPIC = "vla_inference/why_not"
"""What keeps the policy from answering, in words; empty where nothing does."""


class PolicyWatch:
    """Listens to `vla_inference/why_not` and to the liveliness of its sender.

    A query is only sent once a chunk, and a policy that dies or goes blind in between would be noticed when the next
    one is due. A sender that was never heard is not missed: a policy's node need not offer the topic.
    """

    def __init__(self, node: Node, on_change: Callable[[], None]) -> None:
        """Watch on the node's executor; `on_change` is called when `why_not` may have changed."""
        self._alive, self._told = True, ""
        self._on_change = on_change
        node.create_subscription(
            String, TOPIC, self._on_message, ALIVE,
            event_callbacks=SubscriptionEventCallbacks(liveliness=self._on_liveliness),
        )  # fmt: skip

    @property
    def why_not(self) -> str:
        """What keeps the policy from answering, in words; empty where nothing is known to."""
        return self._told if self._alive else "vla_inference gives no sign of life; does it hang, or is it restarting?"

    def _on_message(self, msg: String) -> None:
        self._told = msg.data
        self._on_change()

    def _on_liveliness(self, event: QoSLivelinessChangedInfo) -> None:
        self._alive = event.alive_count > 0
        self._on_change()
