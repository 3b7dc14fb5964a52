"""The recorder: every topic of the graph into one file an episode, through the journal."""

from __future__ import annotations

import importlib
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from frs_msgs.msg import EpisodeEvent, RecorderState
from frs_msgs.srv import StartRecording, StopRecording
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import MessageInfo, Subscription
from std_srvs.srv import Trigger

from frs_steering.health.recorder import disk_health, file_health, topics_health
from frs_steering.health.report import Health
from frs_steering.nodes.collected import Collected, never, take
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.parameter_query import Clients, ParameterQuery
from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.runtime import run
from frs_steering.record.alive import Alive
from frs_steering.record.bag import Channel, installed_channel
from frs_steering.record.configuration import VERSIONS_RECORD, versions
from frs_steering.record.disk import Room
from frs_steering.record.errors import JournalError
from frs_steering.record.qos import OfferedQos
from frs_steering.record.topics import STORED_IMAGE, Kind, Topic, episode_topics, stored_name
from frs_steering.record.writer import Episode, JournalWriter, Limits, Progress

COLLECT_PERIOD = 0.05
"""s between two collections of what arrived. DDS notes the time of arrival, so nothing is lost by not waking up
for each of some 350 messages a second; the subscriptions' histories hold many times as much."""

STATE_PERIOD = 0.5  # s between two recorder_state messages

CLOSE_SECONDS = 1.5
"""How long finishing a file may take on the way out: a node stops within 2 s."""

LEAST_MINUTES = 10.0
"""Room on the disk below which the preflight complains."""

LEAST_TO_START = 1.0
"""Room below which none is begun: what fills the disk of a robot's computer stops more than the recorder."""

DISK_PERIOD = 5.0  # s between two questions to the disk for the diagnostics

_LABELS = {
    EpisodeEvent.SUCCEEDED: "succeeded",
    EpisodeEvent.FAILED: "failed",
    EpisodeEvent.STOPPED: "stopped",
    EpisodeEvent.DISCARDED: "discarded",
}

_NUMBER = re.compile(r"[0-9.]+")
_CAMERA_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class RecorderParameters:
    """Parameters of the node."""

    directory: str = param("recordings", "where episodes go when recorder/start names no directory")
    cameras: Sequence[str] = param(["exterior", "wrist"], "of the cameras: camera/NAME/color/image_raw is recorded")
    jpeg_quality: int = param(90, "of the stored images, percent", low=1, high=100)
    image_queue: int = param(60, "images that may wait for the disk; more are left out", low=1, high=10_000)
    control_queue: int = param(20_000, "records that may wait for the disk; more are lost", low=100, high=1_000_000)


class Recorder(Node):
    """Records between recorder/start and recorder/stop; says how it goes on recorder_state."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self._settings = declare(self, RecorderParameters)
        for camera in self._settings.cameras:
            if not _CAMERA_NAME.fullmatch(camera):
                raise ParameterError(
                    f"parameter 'cameras' of node 'recorder' has {camera!r}; a name is letters, digits and '_'"
                )
        self._topics = episode_topics(self._settings.cameras)
        self._state = self.create_publisher(RecorderState, "recorder_state", LATCHED)
        self._group = Collected()
        self._subscriptions_by_topic = [self._subscribe(topic) for topic in self._topics]
        self._latched: dict[int, tuple[bytes, int]] = {}  # by topic: the last message and when it was sent, ns
        self._numbers: dict[tuple[int, bytes], int] = {}  # by topic and publisher: the last that came
        self._begun = 0.0  # monotonic s, of what is being recorded
        self._missed = 0  # messages of what is being recorded
        self._writer: JournalWriter | None = None
        self._asked: StartRecording.Request | None = None  # for what is being recorded
        self._ended: tuple[StopRecording.Request, StopRecording.Response] | None = None  # the last one
        self._query: ParameterQuery | None = None  # of all nodes, for what is being recorded
        self._parameter_clients: Clients = {}
        self._reported = ""
        self._refusal = ""  # why the last start was refused
        # By the monotonic clock: were it the wall's, topics would seem dead or alive after a jump of it.
        self._alive = Alive(self._topics, time.monotonic_ns())
        self.create_service(Trigger, "recorder/preflight", self._on_preflight)
        self.create_service(StartRecording, "recorder/start", self._on_start)
        self.create_service(StopRecording, "recorder/stop", self._on_stop)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(COLLECT_PERIOD, self._look, clock=steady)
        self.create_timer(STATE_PERIOD, self._report, clock=steady)
        self._directory = Path(os.path.expanduser(self._settings.directory)).absolute()
        self._room = Room(self._directory)  # where the last recording was asked for
        self._look_at_disk()
        self.create_timer(DISK_PERIOD, self._look_at_disk, clock=steady)
        parts = {"file": self._file_health, "disk": lambda: self._disk, "topics": self._topics_health}
        Diagnostics(self, parts)
        self._publish(None, "ready")

    def close(self) -> None:
        """Finish the file that is being written."""
        if self._writer is not None:
            done = self._finish("unlabelled", "the recorder was stopped", CLOSE_SECONDS)
            self.get_logger().info(_outcome(done))

    def _subscribe(self, topic: Topic) -> Subscription:
        package, _, name = topic.type.split("/")
        message = getattr(importlib.import_module(f"{package}.msg"), name)
        return self.create_subscription(
            message, topic.name, never, _subscriber_qos(topic.kind), callback_group=self._group, raw=True
        )

    # The services

    def _on_start(self, request: StartRecording.Request, response: StartRecording.Response) -> StartRecording.Response:
        if self._writer is not None and self._writer.progress().failure:  # it records no more, and hinders nobody
            done = self._finish("unlabelled", "the disk refused", CLOSE_SECONDS)
            self.get_logger().error(f"{_outcome(done)}; the next recording begins")
        if self._writer is not None:
            progress = self._writer.progress()
            response.path, response.success = str(progress.path), request == self._asked
            more = " already" if response.success else "; call recorder/stop first"
            response.message = f"{progress.path} is being recorded{more}"
            return response
        self._collect()  # what came before belongs to no file, but latched state among it does
        directory = Path(os.path.expanduser(request.directory)).absolute() if request.directory else self._directory
        limits = Limits(self._settings.control_queue, self._settings.image_queue, self._settings.jpeg_quality)
        self._room.directory = directory
        try:
            if (minutes := self._room.minutes()) < LEAST_TO_START:
                room = f"the disk of {directory} has room for {minutes:.1f} minutes"
                return self._refused(response, f"{room}; a recording needs {LEAST_TO_START:.0f}: delete old ones")
            episode = Episode(request.episode_id, request.task, request.instruction, request.seed)
            channels = [self._channel(index) for index in range(len(self._topics))]
            self._writer = JournalWriter(directory, episode, channels, limits)
        except JournalError as error:
            return self._refused(response, str(error))
        except OSError as error:
            return self._refused(response, f"can't write to {directory}: {error.strerror or error}")
        self._missed, self._begun = 0, time.monotonic()
        now = time.time_ns()  # as DDS dates what it receives
        for index, (data, sent) in self._latched.items():
            self._writer.put(index, data, now, sent)
        self._writer.describe(VERSIONS_RECORD, versions())
        self._query = ParameterQuery(self, self._parameter_clients, self._writer.describe)
        # An answer can be lost: who asks for the same again is told that it is so.
        self._asked, self._ended = request, None
        self._reported = self._refusal = ""
        response.success = True
        response.path = str(self._writer.progress().path)
        self._look_at_disk()
        response.message = "; ".join([f"recording to {response.path}", *self._complaints()])
        self._publish(self._writer.progress(), response.message)
        self.get_logger().info(response.message)
        return response

    def _on_preflight(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._collect()
        self._look_at_disk()
        complaints = self._complaints()
        response.success = not complaints
        room = self._disk.values.get("room for [min]", "?")
        response.message = "; ".join(complaints) or f"all is there; the disk has room for {room} minutes"
        return response

    def _complaints(self) -> list[str]:
        """What is amiss for an episode, a line each; empty if all is well."""
        return [*filter(None, [self._short]), *self._alive.complaints(time.monotonic_ns())]

    def _refused(self, response: StartRecording.Response, why: str) -> StartRecording.Response:
        # Whoever asked may keep it to itself.
        response.message = self._refusal = why
        self._publish(None, f"not recording: {why}")
        self.get_logger().error(f"not recording: {why}")
        return response

    def _on_stop(self, request: StopRecording.Request, response: StopRecording.Response) -> StopRecording.Response:
        if self._writer is None:
            if self._ended is not None and request == self._ended[0]:
                return self._ended[1]  # an answer can be lost, and who asks again wants to know of the same recording
            response.message = "nothing is being recorded; call recorder/start first"
            return response
        if request.label not in _LABELS:
            known = ", ".join(f"{number} ({name})" for number, name in _LABELS.items())
            response.message = f"label is {request.label}; it must be one of {known}. The recording goes on"
            return response
        done = self._finish(_LABELS[request.label], request.note, 10.0, request.author)
        response.success = done.whole
        response.message = _outcome(done)
        response.path = str(done.path)
        response.messages = done.messages
        response.dropped_control = done.dropped_control
        response.dropped_images = done.dropped_images
        self._ended = request, response
        self.get_logger().info(response.message)
        return response

    def _finish(self, label: str, note: str, seconds: float, operator: str = "") -> Progress:
        assert self._writer is not None
        self._collect()  # the last words of the episode were said before the call
        if self._query is not None:
            self._query.close()
            self._query = None
        done = self._writer.close(label, note, operator, seconds)
        self._writer = None
        self._publish(done, _outcome(done), recording=False)
        return done

    # What comes in

    def _look(self) -> None:
        self._collect()
        if self._query is not None:
            self._query.step()

    def _collect(self) -> None:
        for index, (topic, subscription) in enumerate(zip(self._topics, self._subscriptions_by_topic, strict=True)):
            while (taken := take(subscription)) is not None:
                data, information = taken
                sent = information["source_timestamp"]
                self._alive.note(index, time.monotonic_ns(), sent)  # late by COLLECT_PERIOD; its window is of 2 s
                if topic.kind is Kind.LATCHED:
                    self._latched[index] = (data, sent)
                missing = self._missing(index, information)
                if self._writer is not None:
                    self._missed += missing
                    self._writer.lost(missing)
                    received = information["received_timestamp"]
                    self._writer.put(index, data, received, sent, image=topic.kind is Kind.IMAGE)

    def _missing(self, index: int, information: MessageInfo) -> int:
        """Control messages that never came before this one: lost on the way, or overwritten before they were collected.

        The middleware does not tell of them (Fast DDS raises no event for what a history overwrites), but each
        publisher numbers its messages.
        """
        number, publisher = information.get("publication_sequence_number"), information.get("publisher_gid")
        if not number or publisher is None or self._topics[index].kind not in (Kind.EVENT, Kind.LATCHED):
            return 0
        key = index, bytes(publisher["data"])
        last, self._numbers[key] = self._numbers.get(key, number), number
        return max(0, number - last - 1)

    def _channel(self, index: int) -> Channel:
        topic, name = self._topics[index], self._subscriptions_by_topic[index].topic_name
        offered = [
            OfferedQos(
                reliability=int(qos.reliability),
                durability=int(qos.durability),
                history=int(qos.history),
                depth=qos.depth,
                deadline=qos.deadline.nanoseconds,
                lifespan=qos.lifespan.nanoseconds,
                liveliness=int(qos.liveliness),
                lease=qos.liveliness_lease_duration.nanoseconds,
            )
            for qos in (endpoint.qos_profile for endpoint in self.get_publishers_info_by_topic(name))
        ]
        if topic.kind is Kind.IMAGE:
            return installed_channel(f"{name}/compressed", STORED_IMAGE, offered, stored_name(topic))
        return installed_channel(name, topic.type, offered, stored_name(topic))

    # What goes out

    def _report(self) -> None:
        if self._writer is None:
            return
        progress = self._writer.progress()
        trouble = progress.failure or progress.complaint
        if progress.dropped_control and not progress.failure:
            slow = f"{self._missed} of them never came" if self._missed else "the disk is too slow"
            trouble = f"{progress.dropped_control} control records lost: {slow}"
        trouble = trouble or "; ".join(self._complaints())
        if trouble and (kind := _NUMBER.sub("", trouble)) != self._reported:
            self._reported = kind  # the same trouble with other figures is no news
            self.get_logger().error(trouble)
        self._publish(progress, trouble or f"recording to {progress.path}", recording=not progress.failure)

    def _look_at_disk(self) -> None:
        if self._writer is not None:
            self._room.wrote(self._writer.progress().size, time.monotonic() - self._begun)
        self._short, directory = self._room.complaint(LEAST_MINUTES), str(self._room.directory)
        try:
            self._disk = disk_health(directory, self._room.minutes(), "", LEAST_MINUTES)
        except OSError as error:
            self._disk = disk_health(directory, None, error.strerror or str(error), LEAST_MINUTES)

    def _file_health(self) -> Health:
        return file_health(self._writer.progress() if self._writer is not None else None, self._refusal)

    def _topics_health(self) -> Health:
        return topics_health(self._alive.complaints(time.monotonic_ns()), recording=self._writer is not None)

    def _publish(self, progress: Progress | None, message: str, *, recording: bool = True) -> None:
        state = RecorderState(message=message)
        state.header.stamp = self.get_clock().now().to_msg()
        if progress is not None:
            state.recording = recording
            state.path = str(progress.path)
            state.messages = progress.messages
            state.dropped_control = progress.dropped_control
            state.dropped_images = progress.dropped_images
            state.bytes = progress.size
        self._state.publish(state)


def _outcome(done: Progress) -> str:
    losses = f"{done.dropped_control} control records lost, {done.dropped_images} images left out"
    if done.whole:
        return f"{done.messages} messages in {done.path}; {losses}"
    return f"{done.failure}; {done.messages} messages are whole in {done.path}; {losses}"


def _subscriber_qos(kind: Kind) -> QoSProfile:
    """Like the publishers', but with room for what comes between two collections, and more."""
    best_effort = kind in (Kind.SENSOR, Kind.IMAGE)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=50 if kind is Kind.IMAGE else 500,
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kind is Kind.LATCHED else DurabilityPolicy.VOLATILE,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM."""
    return run(Recorder, argv, behind=True)
