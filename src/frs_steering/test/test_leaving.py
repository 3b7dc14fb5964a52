"""Leaving the graph: what was said last is heard, and nothing is left."""

from __future__ import annotations

import time
from types import ModuleType

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from sim_graph import Ear
from std_msgs.msg import String

from frs_steering.nodes.leaving import QUIET, leave
from frs_steering.nodes.qos import EVENT


def test_the_last_words_are_heard_before_a_silence(ros: ModuleType, node: Node) -> None:
    ear = Ear(node)
    heard = ear.listen(String, "last_words", EVENT)
    context = Context()
    rclpy.init(args=[], context=context)
    one, other = Node("one", context=context), Node("other", context=context)
    publisher = one.create_publisher(String, "last_words", EVENT)
    ear.until(lambda: publisher.get_subscription_count() > 0)
    publisher.publish(String(data="goodbye"))
    said = time.monotonic()
    leave(one, other, context=context)
    assert time.monotonic() - said >= 2 * QUIET
    assert not context.ok()
    ear.until(lambda: heard)
    assert heard[-1].data == "goodbye"
    ear.until(lambda: not {"one", "other"} & set(node.get_node_names()))
