"""Leaving the graph so that those who stay are not hurt by it."""

from __future__ import annotations

import time

import rclpy
from rclpy.context import Context
from rclpy.node import Node

QUIET = 0.1
"""s between what a process says last and the end of the publisher that said it.

Fast DDS can lock up for ever in a process that stays: when it hears that a publisher is gone while its timer thread
answers that publisher's last message (which it does within 5 ms), and in the same pass looks whether anybody's lease
has ended (https://github.com/eProsima/Fast-DDS/issues/6502, open; seen here with Fast DDS 3.2 in the tests). Who has
been silent for a moment before he goes leaves no answer under way.
"""


def leave(*nodes: Node, context: Context | None = None) -> None:
    """Destroy the nodes, and shut their context down (None: rclpy's default one). Takes twice QUIET.

    A node's own end is news in the graph as well, which the context tells; so it is silent once more before its end.
    """
    time.sleep(QUIET)
    for node in nodes:
        node.destroy_node()
    time.sleep(QUIET)
    rclpy.try_shutdown(context=context)
