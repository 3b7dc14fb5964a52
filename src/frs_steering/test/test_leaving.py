"""Leaving the graph: what was said last is heard, and nothing is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType

import rclpy
from rclpy.context import Context
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from std_msgs.msg import String

from frs_steering.nodes.leaving import QUIET, leave
from frs_steering.nodes.qos import EVENT


def test_the_last_words_are_heard_before_a_silence(ros: ModuleType, node: Node) -> None:
    heard: list[String] = []
    matched: list[object] = []
    events = SubscriptionEventCallbacks(matched=matched.append)
    node.create_subscription(String, "last_words", heard.append, EVENT, event_callbacks=events)

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end
            rclpy.spin_once(node, timeout_sec=0.1)

    context = Context()
    rclpy.init(args=[], context=context)
    one, other = Node("one", context=context), Node("other", context=context)
    publisher = one.create_publisher(String, "last_words", EVENT)
    until(lambda: publisher.get_subscription_count() > 0 and matched)  # each of them knows the other
    publisher.publish(String(data="goodbye"))
    said = time.monotonic()
    leave(one, other, context=context)
    assert time.monotonic() - said >= 2 * QUIET
    assert not context.ok()
    until(lambda: heard)
    assert heard[-1].data == "goodbye"
    until(lambda: not {"one", "other"} & set(node.get_node_names()))
