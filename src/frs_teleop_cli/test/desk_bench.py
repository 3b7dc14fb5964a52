"""The node behind the screen and a tester in one executor, for the desk's tests."""

import time

from frs_msgs.msg import Guidance
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from frs_steering.nodes.qos import EVENT
from frs_teleop_cli.keys import key_named
from frs_teleop_cli.nodes.desk import Teleop


class Bench:
    """The desk and a tester node in one executor."""

    def __init__(self, tester):
        self.tester = tester
        self.desk = Teleop()
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(tester)
        self.executor.add_node(self.desk)
        self.guidance = []
        tester.create_subscription(Guidance, "guidance", self.guidance.append, EVENT)
        self.until(lambda: self.desk.count_subscribers("guidance") >= 1)

    def until(self, happened, timeout=5.0):
        end = time.monotonic() + timeout
        while not happened():
            assert time.monotonic() < end, f"did not happen in {timeout} s; notes: {self.notes()}"
            self.executor.spin_once(timeout_sec=0.02)

    def publisher(self, kind, topic, qos):
        publisher = self.tester.create_publisher(kind, topic, qos)
        self.until(lambda: self._desk_hears(publisher))
        return publisher

    def _desk_hears(self, publisher):
        # Nodes of earlier tests that were killed may still count for some seconds.
        known = self.tester.get_subscriptions_info_by_topic(publisher.topic_name)
        return publisher.get_subscription_count() >= len(known) and any(i.node_name == "teleop" for i in known)

    async def pause(self):
        """Let an action's coroutine give way to the executor until its next turn."""
        turn = Future()
        self.executor.create_task(lambda: turn.set_result(None))
        await turn

    def press(self, *names):
        for name in names:
            self.desk.press(key_named(name))

    def notes(self):
        return [note.text for note in self.desk.view().notes]
