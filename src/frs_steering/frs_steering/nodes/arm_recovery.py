"""Errors of the robot's own: heard from its driver, and recovered from when somebody asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rclpy.client import Client
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import Trigger

from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.runtime import side_node

ANSWER_TIME = 5.0
"""Longest wait for the driver's own recovery [s]."""
NEWS_TIME = 1.0
"""s in which its service must be found, then it have said that it has no error, and then joint states come."""


class Recovery:
    """Serves `arm_controller/recover`; hears `robot_driver/error` and asks `robot_driver/recover`.

    The service waits for the driver, so it lives on a node of its own, to be spun in a thread of its own.

    Attributes:
        node: that one.
    """

    def __init__(
        self,
        owner: Node,
        report: Callable[[str], None],
        recover: Callable[[], tuple[bool, str]],
        is_heard: Callable[[], bool],
    ) -> None:
        """Begin.

        Args:
            owner: the arm's controller, on whose thread the driver is heard.
            report: takes the robot's error in words, empty if there is none.
            recover: ends the controller's fault; whether it did, and the outcome in words.
            is_heard: whether the arm's joint states come and are believed.
        """
        self._report, self._recover, self._is_heard = report, recover, is_heard
        self._error = ""
        self._news = threading.Condition()
        self._driver: Client[Trigger.Request, Trigger.Response] = owner.create_client(Trigger, "robot_driver/recover")
        owner.create_subscription(String, "robot_driver/error", self._on_error, LATCHED)
        self.node = side_node(owner, "recovery")
        self.node.create_service(Trigger, "arm_controller/recover", self._on_recover)

    def heard(self) -> None:
        """To be called after every joint state."""
        with self._news:
            self._news.notify_all()

    def _on_error(self, msg: String) -> None:
        self._report(msg.data)
        with self._news:
            self._error = msg.data
            self._news.notify_all()

    def _on_recover(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        why_not = self._ask_the_driver() if self._error else ""
        response.success, response.message = (False, why_not) if why_not else self._recover()
        self.node.get_logger().info(f"recover: {response.message}")
        return response

    def _ask_the_driver(self) -> str:
        # Why the robot has not recovered; empty if it has.
        if not self._driver.wait_for_service(NEWS_TIME):  # its error may be heard before its service is found
            return f"the robot says: {self._error}; no driver offers robot_driver/recover, recover it by its own means"
        answered = threading.Event()
        future = self._driver.call_async(Trigger.Request())
        future.add_done_callback(lambda _: answered.set())
        if not answered.wait(ANSWER_TIME):
            self._driver.remove_pending_request(future)
            return f"robot_driver/recover did not answer within {ANSWER_TIME:g} s"
        answer = future.result()
        if answer is None or not answer.success:
            return f"the robot did not recover: {answer.message if answer else 'no answer'}"
        with self._news:
            if not self._news.wait_for(lambda: not self._error, NEWS_TIME):
                return f"the robot recovered, but still says: {self._error}"
            # A driver that has connected anew sends its first joint state a moment later; one that is another than
            # before is believed another moment later. Whether they came is the controller's to say.
            self._news.wait_for(self._is_heard, NEWS_TIME)
        return ""
