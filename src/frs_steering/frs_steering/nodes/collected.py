"""Subscriptions that a node empties itself, when it wants to."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.subscription import MessageInfo, Subscription


class Collected(CallbackGroup):
    """Keeps subscriptions out of the executor: the node takes their messages itself, many at a time."""

    def can_execute(self, entity: object) -> bool:
        """Never."""
        return False

    def beginning_execution(self, entity: object) -> bool:
        """Never."""
        return False

    def ending_execution(self, entity: object) -> None:
        """Nothing ever begins."""


def never(_: bytes) -> None:
    """Callback of such subscriptions; their group keeps the executor away."""


def take(subscription: Subscription) -> tuple[Any, MessageInfo] | None:
    """The oldest message that waits in a raw subscription (bytes), with what rclpy knows of it; None if none waits."""
    with subscription.handle:
        return subscription.handle.take_message(subscription.msg_type, True)
