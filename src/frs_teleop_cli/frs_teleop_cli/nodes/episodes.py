"""Episodes that the operator begins: asked of the conductor, who resets, steers, records and labels them."""

from __future__ import annotations

import math

from action_msgs.msg import GoalStatus
from frs_msgs.action import RunEpisode
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.task import Future

from frs_teleop_cli.nodes.asking import ANSWER_TIMEOUT, Tell
from frs_teleop_cli.view import TaskFacts


class Episodes:
    """At most one episode under way. `begin`, `call_off` and `expire` are to be called under the desk's lock."""

    def __init__(self, node: Node, record_directory: str, tell: Tell) -> None:
        """Connect.

        Args:
            node: node to ask from.
            record_directory: where the episodes are recorded; empty: they are not.
            tell: where messages for the operator go.
        """
        self._directory, self._tell = record_directory, tell
        self._client: ActionClient = ActionClient(node, RunEpisode, "run_episode")
        self._asked_at = math.inf
        self._told = False
        self._goal: Future[ClientGoalHandle] | None = None
        self._handle: ClientGoalHandle | None = None

    @property
    def running(self) -> bool:
        """Whether an episode that was begun here is under way."""
        return self._handle is not None

    def begin(self, task: TaskFacts | None, at: float) -> None:
        """Ask for an episode of the present task: in the first scene if it is untouched, else in the next seed's."""
        if self._goal is not None or self.running:
            self._tell("an episode is under way; x calls it off")
            return
        if not self._client.server_is_ready() or task is None:
            self._tell("no episode can begin: nobody conducts any here; e records by hand", bad=True)
            return
        seed = task.seed if task.episode == 0 else task.seed + 1
        goal = RunEpisode.Goal(task=task.task, seed=seed, record_directory=self._directory)
        self._asked_at, self._told = at, False
        self._goal = self._client.send_goal_async(goal, self._on_feedback)
        self._goal.add_done_callback(lambda future: self._answered(future, f"{task.task}, seed {seed}"))

    def call_off(self) -> None:
        """Ask the conductor to end the episode; it then discards the recording."""
        if self._handle is not None:
            self._handle.cancel_goal_async()

    def expire(self, at: float) -> None:
        """Give up a question that nobody answered in time."""
        if self._goal is not None and at - self._asked_at > ANSWER_TIMEOUT:
            self._goal = None
            self._tell(f"run_episode: no answer of episode in {ANSWER_TIMEOUT:g} s", bad=True)

    def close(self, executor: Executor, timeout: float) -> None:
        """Call the episode off and wait up to `timeout` s until its conductor knows: nobody is left to watch it."""
        if self._handle is not None:
            executor.spin_until_future_complete(self._handle.cancel_goal_async(), timeout_sec=timeout)

    def destroy(self) -> None:
        """Leave the action; the node does not do that by itself, and would live on."""
        self._client.destroy()

    def _answered(self, future: Future[ClientGoalHandle], scene: str) -> None:
        handle = future.result()
        if handle is None or not handle.accepted:
            self._goal = None
            self._tell("no episode can begin: another one is under way", bad=True)
            return
        if future is not self._goal:
            handle.cancel_goal_async()  # it was given up meanwhile
            return
        self._goal, self._handle = None, handle
        self._tell(f"episode begins: {scene}; x calls it off")
        handle.get_result_async().add_done_callback(self._ended)

    def _on_feedback(self, message: RunEpisode.Impl.FeedbackMessage) -> None:
        # Before the first step: what the preflight found. Later alarms stand in the line "Recorder" all the while.
        if message.feedback.message and not message.feedback.step and not self._told:
            self._told = True
            self._tell(f"before the episode: {message.feedback.message}", bad=True)

    def _ended(self, future: Future[RunEpisode.Impl.GetResultService.Response]) -> None:
        self._handle = None
        response = future.result()
        if response is not None and response.status != GoalStatus.STATUS_CANCELED and not response.result.success:
            self._tell(f"the episode ended: {response.result.message}", bad=True)
