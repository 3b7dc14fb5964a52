"""The node behind the screen and a tester in one executor, for the desk's tests."""

import threading
import time

from frs_msgs.action import RunEpisode
from frs_msgs.msg import ArmState, Guidance, PolicyInfo
from rclpy.action import ActionServer, CancelResponse
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future
from std_msgs.msg import Bool

from frs_steering.nodes.qos import EVENT, LATCHED
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

    def close(self):
        self.executor.shutdown()
        self.desk.destroy_node()

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


def serve(bench, kind, name, answer, client):
    """Offer a service; returns the list of requests that came."""
    requests = []

    def on_request(request, response):
        requests.append(request)
        for field, value in answer.items():
            setattr(response, field, value)
        return response

    bench.tester.create_service(kind, name, on_request)
    bench.until(client.service_is_ready)
    return requests


def conduct(bench, outcome="success", amiss=""):
    """Offer run_episode, which finds that `amiss`; returns the goals that came and an event that ends the episode."""
    goals, over = [], threading.Event()

    async def execute(handle):
        goals.append(handle.request)
        for step in (0, 0, 9):
            handle.publish_feedback(RunEpisode.Feedback(step=step, message=amiss))
        while not over.is_set() and not handle.is_cancel_requested:
            await bench.pause()
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.succeed()
        return RunEpisode.Result(success=outcome == "success", message=outcome)

    bench.server = ActionServer(
        bench.tester, RunEpisode, "run_episode", execute, cancel_callback=lambda _: CancelResponse.ACCEPT
    )
    bench.until(bench.desk._episodes._client.server_is_ready)
    return goals, over


def steering_ready(bench):
    """Let the desk hear all without which it is still starting; returns the publisher of flow_steering/active."""
    bench.publisher(PolicyInfo, "policy_info", LATCHED).publish(PolicyInfo(execute_rows=8, row_duration=1 / 15))
    bench.publisher(ArmState, "arm_state", LATCHED).publish(ArmState())
    active = bench.publisher(Bool, "flow_steering/active", LATCHED)
    active.publish(Bool(data=False))
    bench.until(lambda: not bench.desk.view().waiting)
    return active
