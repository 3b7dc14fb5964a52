"""What the episode's conductor hears from the other nodes and asks of them, as plain blocking calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from frs_msgs.msg import ArmState, Decision, EpisodeEvent, PolicyInfo, RecorderState, TaskState
from frs_msgs.srv import ResetTask, StartRecording, StopRecording
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from frs_steering.nodes.qos import EVENT, LATCHED

LOOK_EVERY = 0.05
"""s after which a wait looks again even if nothing was heard: for silence, services and interruptions."""

ASK_AGAIN = 1.0  # s without an answer

T = TypeVar("T")


class PeerError(RuntimeError):
    """A node did not do its part; the message names it and what did not come."""


class Interrupted(Exception):
    """The episode was called off; the message says by whom."""


class Heard:
    """The last message of a topic, and when it came [s, monotonic]."""

    def __init__(self) -> None:
        self.message: Any = None
        self.at = -float("inf")
        self.count = 0

    @property
    def age(self) -> float:
        """s since it came; infinite if none did."""
        return time.monotonic() - self.at


class Peers:
    """Built on the node's executor; the waits are for one other thread, which must never be the executor's."""

    def __init__(self, node: Node, interruption: Callable[[], str]) -> None:
        """`interruption` says why a wait should end early, or nothing."""
        self._news = threading.Condition()
        self._interruption = interruption
        self._last_moment = float("inf")
        self.task_state = self._hear(node, TaskState, "task_state", LATCHED)
        self.arm_state = self._hear(node, ArmState, "arm_state", LATCHED)
        self.policy_info = self._hear(node, PolicyInfo, "policy_info", LATCHED)
        self.recorder_state = self._hear(node, RecorderState, "recorder_state", LATCHED)
        self.decision = self._hear(node, Decision, "decision", EVENT)
        self.notes: list[EpisodeEvent] = []
        """That people gave, oldest first."""
        node.create_subscription(EpisodeEvent, "episode_event", self._on_event, EVENT)
        self.reset: Client[Any, Any] = node.create_client(ResetTask, "sim/reset")
        self.activate: Client[Any, Any] = node.create_client(SetBool, "flow_steering/activate")
        self.preflight: Client[Any, Any] = node.create_client(Trigger, "recorder/preflight")
        self.start_recording: Client[Any, Any] = node.create_client(StartRecording, "recorder/start")
        self.stop_recording: Client[Any, Any] = node.create_client(StopRecording, "recorder/stop")

    def _hear(self, node: Node, kind: type, topic: str, qos: Any) -> Heard:
        heard = Heard()

        def keep(message: Any) -> None:
            with self._news:
                heard.message, heard.at = message, time.monotonic()
                heard.count += 1
                self._news.notify_all()

        node.create_subscription(kind, topic, keep, qos)
        return heard

    def _on_event(self, event: EpisodeEvent) -> None:
        if event.kind == EpisodeEvent.NOTE:
            self.notes.append(event)

    def hurry(self, seconds: float) -> None:
        """The process ends: all waits together take no longer than `seconds` from now on."""
        self._last_moment = time.monotonic() + seconds
        self.wake()

    def wake(self) -> None:
        """Make a wait look again at once."""
        with self._news:
            self._news.notify_all()

    def listen(self) -> None:
        """Wait for news, but not long.

        Raises:
            Interrupted: the episode was called off.
        """
        with self._news:
            self._news.wait(LOOK_EVERY)
        if why := self._interruption():
            raise Interrupted(why)

    def pause(self, seconds: float) -> None:
        """Do nothing for a while.

        Raises:
            Interrupted: the episode was called off.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.listen()

    def wait_for(self, wanted: Callable[[], T], seconds: float, what: str, *, to_the_end: bool = False) -> T:
        """Wait until `wanted` is true of what was heard, and return its value.

        Args:
            wanted: looked at after each message, and 20 times a second.
            seconds: time-out.
            what: completes "... within so many seconds" in the error.
            to_the_end: go on waiting though the episode is called off.

        Raises:
            PeerError: it did not become true in time.
            Interrupted: the episode was called off.
        """
        end = time.monotonic() + seconds
        with self._news:
            while not (value := wanted()):
                if not to_the_end and (why := self._interruption()):
                    raise Interrupted(why)
                left = min(end, self._last_moment) - time.monotonic()
                if left <= 0.0:
                    raise PeerError(f"{what} within {seconds:.1f} s")
                self._news.wait(min(left, LOOK_EVERY))
            return value

    def call(
        self, client: Client[Any, Any], request: Any, seconds: float, *, again: bool = False, to_the_end: bool = False
    ) -> Any:
        """Call a service and return its response, whatever it says.

        Args:
            client: of the service.
            request: to it.
            seconds: time-out.
            again: ask again where no answer comes; for requests that may be done twice. A service that has only just
                discovered its client loses the answer.
            to_the_end: go on waiting though the episode is called off.

        Raises:
            PeerError: it is not there, or did not answer, in time.
            Interrupted: the episode was called off.
        """
        name = client.srv_name
        end = time.monotonic() + seconds
        self.wait_for(client.service_is_ready, seconds, f"the service {name} was not there", to_the_end=to_the_end)
        while True:
            future = self.ask(client, request)
            left = end - time.monotonic()
            try:
                patience = min(left, ASK_AGAIN) if again else left
                self.wait_for(future.done, patience, "no answer", to_the_end=to_the_end)
                return future.result()
            except PeerError:
                if not again or time.monotonic() >= min(end, self._last_moment):
                    raise PeerError(f"the service {name} did not answer within {seconds:.1f} s") from None
            finally:
                if not future.done():
                    client.remove_pending_request(future)

    def ask(self, client: Client[Any, Any], request: Any) -> Future[Any]:
        """Call a service without waiting for the response."""
        future = client.call_async(request)
        future.add_done_callback(lambda _: self.wake())
        return future
