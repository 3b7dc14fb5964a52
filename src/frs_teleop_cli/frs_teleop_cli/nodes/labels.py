"""Episodes that the operator records and labels."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

from frs_msgs.msg import EpisodeEvent
from frs_msgs.srv import StartRecording, StopRecording
from rclpy.node import Node
from std_srvs.srv import Trigger

from frs_steering.nodes.qos import EVENT
from frs_teleop_cli.names import file_name
from frs_teleop_cli.nodes.asking import Asking, Tell
from frs_teleop_cli.view import RecorderFacts, TaskFacts, complaints
from frs_teleop_cli.words import clean

LABELS = {
    EpisodeEvent.SUCCEEDED: "succeeded",
    EpisodeEvent.FAILED: "failed",
    EpisodeEvent.STOPPED: "stopped",
    EpisodeEvent.DISCARDED: "discarded",
}
"""Kinds of EpisodeEvent that end an episode, in words."""


@dataclasses.dataclass(frozen=True)
class Episode:
    """A running episode and who said that it started."""

    episode_id: str
    author: str
    task: str = ""
    instruction: str = ""
    seed: int = 0


class Labels:
    """Starts and stops the recorder and tells everybody, through episode events, what the episode was.

    An episode that another node conducts is labelled by that node; the operator's labels are for recordings that
    were started here, or whose conductor is gone.
    """

    def __init__(
        self,
        node: Node,
        operator: str,
        tell: Tell,
        on_end: Callable[[int, str], None],
        begun_here: Callable[[], bool],
    ) -> None:
        """Connect.

        Args:
            node: node to publish, subscribe and ask with.
            operator: author of the events, in any letters.
            tell: where messages for the operator go.
            on_end: called with the kind of the event and the episode's id when an episode has ended.
            begun_here: whether this operator asked for the episode that another node conducts.
        """
        self._node, self._operator, self._tell, self._on_end = node, operator, tell, on_end
        self._begun_here = begun_here
        self._episode: Episode | None = None
        self._notes: list[str] = []
        # Of a recording begun here.
        self._is_heard = False  # the recorder has named it
        self._ending = False  # its end was asked for
        self._events = node.create_publisher(EpisodeEvent, "episode_event", EVENT)
        node.create_subscription(EpisodeEvent, "episode_event", self._on_event, EVENT)
        self._preflight = Asking(node, Trigger, "recorder/preflight", "recorder", tell)
        self._start = Asking(node, StartRecording, "recorder/start", "recorder", tell)
        self._stop = Asking(node, StopRecording, "recorder/stop", "recorder", tell)

    @property
    def recording_here(self) -> bool:
        """Whether this operator has begun a recording that has not ended."""
        return self._episode is not None and self._episode.author == self._operator

    def watch(self, recorder: RecorderFacts) -> None:
        """See whether the recorder still records what was begun here: one that was started again does not."""
        if self._episode is None or not self.recording_here or self._ending:
            return
        if recorder.recording and recorder.name == clean(self._episode.episode_id, 60):
            self._is_heard = True
        elif self._is_heard:
            self._tell(f"{self._episode.episode_id} is recorded no more; e begins another recording", bad=True)
            self._episode, self._notes = None, []

    def start(self, task: TaskFacts | None, instruction: str, at: float) -> None:
        """Begin a recording of the present task, after telling what the recorder finds amiss.

        Args:
            task: what the simulated cell says of itself; None on a robot, where nobody says it.
            instruction: what the policy is told; where there is no task it stands in for it.
            at: monotonic moment [s].
        """
        episode = Episode(
            f"{file_name(self._operator, 'operator')}-{time.strftime('%Y%m%d-%H%M%S')}",
            self._operator,
            *((task.task, task.instruction, task.seed) if task else (file_name(instruction, ""), instruction)),
        )
        if not self._preflight.client.service_is_ready():
            self._begin(episode, False, at)
            return

        def looked(response: Trigger.Response) -> None:
            if not response.success:
                self._tell(f"before the recording: {response.message}", bad=True)
            self._begin(episode, not response.success, time.monotonic())

        self._preflight.ask(Trigger.Request(), at, looked)

    def _begin(self, episode: Episode, told: bool, at: float) -> None:
        request = StartRecording.Request(
            episode_id=episode.episode_id, task=episode.task, instruction=episode.instruction, seed=episode.seed
        )
        self._start.ask(request, at, lambda response: self._started(episode, told, response))

    def note(self, text: str, recorder: RecorderFacts | None) -> None:
        """Put a note into the recording, under the operator's name, and into its label."""
        if recorder is None or not recorder.recording:
            self._tell(f"nothing is being recorded that could take the note {text!r}", bad=True)
            return
        self._notes.append(text)
        self._publish(EpisodeEvent.NOTE, self._episode or Episode(recorder.name, self._operator), text)
        self._tell(f"noted: {text}")

    def end(self, kind: int, recorder: RecorderFacts | None, at: float) -> None:
        """End the recording with a label.

        Args:
            kind: SUCCEEDED, FAILED or DISCARDED of EpisodeEvent.
            recorder: what is known of the recorder.
            at: monotonic moment [s].
        """
        if recorder is None or not recorder.recording:
            self._tell("nothing is being recorded; e starts a recording")
            return
        episode = self._episode or Episode(recorder.name, self._operator)
        others = self._node.count_publishers("episode_event") > 1
        if episode.author != self._operator and others:
            self._tell(f"episode {episode.episode_id} is conducted by {episode.author}, which labels it itself")
            return
        # The event goes out first, so that it is in the file that the service closes.
        self._ending = True
        self._publish(kind, episode)
        request = StopRecording.Request(label=kind, note="; ".join(self._notes), author=self._operator)
        self._stop.ask(request, at, lambda response: self._ended(kind, episode, response))

    def expire(self, at: float) -> None:
        """Give up questions that were not answered."""
        self._preflight.expire(at)
        self._start.expire(at)
        self._stop.expire(at)

    def _started(self, episode: Episode, told: bool, response: StartRecording.Response) -> None:
        if not response.success:
            self._tell(f"recorder/start: {response.message}", bad=True)
            return
        if not told and (amiss := complaints(response.message, response.path)):
            self._tell(f"at the recording's start: {amiss}", bad=True)
        self._episode, self._notes = episode, []
        self._is_heard, self._ending = False, False
        self._publish(EpisodeEvent.STARTED, episode)
        self._tell(f"recording {episode.episode_id}: y success, n failure, x discard")

    def _ended(self, kind: int, episode: Episode, response: StopRecording.Response) -> None:
        if not response.success:
            self._tell(f"recorder/stop: {response.message}", bad=True)
            return
        self._episode, self._notes = None, []
        lost = response.dropped_control
        self._tell(f"{response.messages} messages recorded" + (f", {lost} LOST" if lost else ""), bad=lost > 0)
        self._on_end(kind, episode.episode_id)

    def _on_event(self, event: EpisodeEvent) -> None:
        if event.author == self._operator:
            return
        if event.kind == EpisodeEvent.STARTED:
            self._notes = []
            self._episode = Episode(event.episode_id, event.author, event.task, event.instruction, event.seed)
            if self._begun_here():
                self._publish(EpisodeEvent.NOTE, self._episode, "began this episode")
        elif event.kind in LABELS:
            self._episode = None
            self._on_end(event.kind, event.episode_id)

    def _publish(self, kind: int, episode: Episode, note: str = "") -> None:
        event = EpisodeEvent(
            kind=kind,
            episode_id=episode.episode_id,
            task=episode.task,
            instruction=episode.instruction,
            seed=episode.seed,
            author=self._operator,
            note=note,
        )
        event.header.stamp = self._node.get_clock().now().to_msg()
        self._events.publish(event)
