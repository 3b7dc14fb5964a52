"""What is behind the operator's screen: keys become guidance, stops and service calls, messages become the view."""

from __future__ import annotations

import collections
import dataclasses
import threading
import time

from frs_msgs.msg import ArmState, Decision, EpisodeEvent, GateReport, Guidance, PolicyInfo, RecorderState, TaskState
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.executors import Executor
from rclpy.node import Node
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.qos import EVENT, LATCHED
from frs_steering.steer.schedule import Schedule
from frs_teleop_cli import view as facts
from frs_teleop_cli.keys import Act, Key, flip
from frs_teleop_cli.nodes.asking import Asking, StopAsking
from frs_teleop_cli.nodes.episodes import Episodes
from frs_teleop_cli.nodes.labels import LABELS, Labels
from frs_teleop_cli.view import Note, Seen, View
from frs_teleop_cli.wishes import QueueFull, Wish, WishLine
from frs_teleop_cli.words import clean
from frs_teleop_cli.words import wish as wish_words

PEERS = {
    "arm_controller": "arm_state",
    "flow_steering": "decision",
    "vla_inference": "policy_info",
    "recorder": "recorder_state",
}
"""Nodes that are missed when nobody publishes their topic."""

GRACE = 1.0
"""s after the start before a peer is missed."""

CLOSE_TIME = 0.5
"""s that switching the steering off may take on the way out."""


@dataclasses.dataclass(frozen=True)
class TeleopParameters:
    """Parameters of the node `teleop`."""

    operator: str = param("operator", "name under which guidance and labels are given")
    frame: str = param("fr3_link0", "base frame, in which directions are sent: x away from the base, y left, z up")
    validity: float = param(1.0, "s, for which the steering may use a wish after receiving it", low=0.1, high=10.0)
    facing: bool = param(False, "whether the operator faces the robot; the key f changes it")
    record_directory: str = param("runs", "directory of the episodes begun with the key b; empty: not recorded")
    instruction: str = param("", "what the policy is told to do; empty where the cell says so itself, as the simulated")
    exit_after_episode: bool = param(False, "end when an episode has succeeded, failed or been stopped")


class Teleop(Node):
    """Keeps what the screen shows, and carries out the keys.

    The screen's thread calls `press`, `view` and `tell`, the executor's thread runs the callbacks; one lock
    keeps them apart.
    """

    def __init__(self, stop: threading.Event | None = None) -> None:
        """Connect to the graph.

        Args:
            stop: set from outside to end the screen.

        Raises:
            ParameterError: a parameter is out of its range.
        """
        super().__init__("teleop")
        self.parameters = declare(self, TeleopParameters)
        self.closing_words = ""
        self._stop_event = stop or threading.Event()
        self._lock = threading.RLock()
        self._over = False
        self._switched_on_here = False
        self._ready = False
        self._schedule: Schedule | None = None
        self._line = WishLine(self.parameters.validity)
        self._notes: collections.deque[Note] = collections.deque(maxlen=20)
        now = time.monotonic()
        self._view = View(now, now, operator=self.parameters.operator, flipped=self.parameters.facing)
        self._told_policy = self.parameters.instruction
        self._connect()

    def _connect(self) -> None:
        self._guidance = self.create_publisher(Guidance, "guidance", EVENT)
        if self.parameters.instruction:
            self._instruction = self.create_publisher(String, "instruction", LATCHED)
            self._instruction.publish(String(data=self.parameters.instruction))
        self.create_subscription(String, "instruction", self._on_instruction, LATCHED)
        self.create_subscription(ArmState, "arm_state", self._on_arm, LATCHED)
        self.create_subscription(Decision, "decision", self._on_decision, EVENT)
        self.create_subscription(GateReport, "gate_report", self._on_gate, EVENT)
        self.create_subscription(RecorderState, "recorder_state", self._on_recorder, LATCHED)
        self.create_subscription(TaskState, "task_state", self._on_task, LATCHED)
        self.create_subscription(PolicyInfo, "policy_info", self._on_policy, LATCHED)
        self.create_subscription(Bool, "flow_steering/active", self._on_active, LATCHED)
        self.create_subscription(String, "flow_steering/why_not", self._on_why_not, LATCHED)
        self.create_subscription(String, "camera_view/address", self._on_cameras, LATCHED)
        self._stop = StopAsking(self, "arm_controller/stop")
        self._reset = Asking(self, Trigger, "arm_controller/reset", "arm_controller", self.tell)
        self._activate = Asking(self, SetBool, "flow_steering/activate", "flow_steering", self.tell)
        self._episodes = Episodes(self, self.parameters.record_directory, self.tell)
        self._labels = Labels(
            self, self.parameters.operator, self.tell, self._on_episode_end, lambda: self._episodes.running
        )
        # Not on ROS time: a simulator that stands still must not stop the stop.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(0.1, self._housekeeping, clock=steady)
        self.create_timer(0.5, self._look_around, clock=steady)

    # What the screen asks for.

    @property
    def ended(self) -> bool:
        """Whether the screen should close: a signal came, or the episode is over."""
        return self._over or self._stop_event.is_set()

    def view(self) -> View:
        """Return what there is to show now."""
        with self._lock:
            return dataclasses.replace(
                self._view,
                now=time.monotonic(),
                waiting=self._waiting(),
                wish=self._line.now,
                wish_at=self._line.sent_at,
                queued=tuple(self._line.queued),
                taken=self._line.last,
                stop_asked=self._stop.since,
                notes=tuple(self._notes),
            )

    def _waiting(self) -> tuple[str, ...]:
        """Who has not been heard yet; nobody any more once all have been."""
        view = self._view
        heard = {"arm_controller": view.arm, "vla_inference": view.policy, "flow_steering": view.steering}
        waiting = () if self._ready else tuple(name for name, word in heard.items() if word is None)
        self._ready = not waiting
        return waiting

    def tell(self, text: str, *, bad: bool = False) -> None:
        """Show the operator a line; `bad` where something went wrong."""
        with self._lock:
            self._notes.append(Note(clean(text), time.monotonic(), bad))

    def note(self, text: str) -> None:
        """Put a note into what is being recorded. Never raises."""
        try:
            with self._lock:
                self._labels.note(clean(text), self._view.recorder.facts if self._view.recorder else None)
        except Exception as error:
            self.tell(f"the note {text!r}: {error}", bad=True)

    def press(self, key: Key) -> None:
        """Carry out a key. Never raises: an error must not take the screen, and with it the stop, away."""
        try:
            with self._lock:
                self._carry_out(key)
        except Exception as error:
            self.tell(f"key {key.shown}: {error}", bad=True)

    def _carry_out(self, key: Key) -> None:
        now = time.monotonic()
        match key.act:
            case Act.STOP:
                self._ask_stop(now)
            case Act.RESET:
                self._stop.end()
                self._reset.ask(Trigger.Request(), now, self._on_reset)
            case Act.MOVE:
                direction = flip(key.direction) if self._view.flipped else key.direction
                self._wish(Wish(direction, amount=self._view.amount), now)
            case Act.OPEN:
                self._wish(Wish(gripper=Guidance.GRIPPER_OPEN), now)
            case Act.CLOSE:
                self._wish(Wish(gripper=Guidance.GRIPPER_CLOSE), now)
            case Act.DEFER:
                self._wish(Wish(defer=True), now)
            case Act.AMOUNT:
                self._view = dataclasses.replace(self._view, amount=0.5 if self._view.amount == 1.0 else 1.0)
            case Act.FLIP:
                self._view = dataclasses.replace(self._view, flipped=not self._view.flipped)
            case Act.STEERING:
                self._switch(not self._view.steering, now)
            case Act.EPISODE:
                if self._labels.recording_here:
                    self.tell("no episode can begin while you record by hand: y, n or x ends that first", bad=True)
                elif waiting := self._waiting():
                    self.tell(f"no episode can begin yet: waiting for {', '.join(waiting)}", bad=True)
                else:
                    self._episodes.begin(self._view.task.facts if self._view.task else None, now)
            case Act.RECORD:
                if not self._view.steering:
                    self.tell("the steering is OFF: nothing moves while you record; a switches it on", bad=True)
                self._labels.start(self._view.task.facts if self._view.task else None, self._told_policy, now)
            case Act.SUCCESS:
                self._end_recording(EpisodeEvent.SUCCEEDED, now)
            case Act.FAILURE:
                self._end_recording(EpisodeEvent.FAILED, now)
            case Act.DISCARD if self._episodes.running:
                self._episodes.call_off()
            case Act.DISCARD:
                self._end_recording(EpisodeEvent.DISCARDED, now)

    def _ask_stop(self, now: float) -> None:
        self._stop.ask(now)
        self._line.clear()
        # So that the reset after a stop moves nothing: steering has to be switched on again on purpose.
        if self._activate.client.service_is_ready():
            self._switch(False, now)

    def _wish(self, wish: Wish, now: float) -> None:
        try:
            self._publish(self._line.press(wish, now))
        except QueueFull as error:
            self.tell(f"{wish_words(wish, self._view.flipped)}: not taken, {error}", bad=True)

    def _publish(self, wish: Wish | None) -> None:
        if wish is None:
            return
        message = Guidance(
            source=Guidance.SOURCE_HUMAN,
            author=self.parameters.operator,
            defer=wish.defer,
            amount=wish.amount,
            gripper=wish.gripper,
            validity=Duration(seconds=self.parameters.validity).to_msg(),
        )
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self.parameters.frame
        message.direction.x, message.direction.y, message.direction.z = wish.direction
        self._guidance.publish(message)

    def _switch(self, on: bool, now: float) -> None:
        def answered(response: SetBool.Response) -> None:
            with self._lock:
                if not response.success:
                    self.tell(f"flow_steering/activate: {response.message}", bad=True)
                    return
                self._switched_on_here = on
                self._view = dataclasses.replace(self._view, steering=on)
                self.tell(f"steering {'on' if on else 'off'}")

        self._activate.ask(SetBool.Request(data=on), now, answered)

    def _end_recording(self, kind: int, now: float) -> None:
        self._labels.end(kind, self._view.recorder.facts if self._view.recorder else None, now)

    # What the graph tells.

    def _learn(self, **changes: object) -> None:
        with self._lock:
            self._view = dataclasses.replace(self._view, **changes)  # type: ignore[arg-type]

    def _on_arm(self, message: ArmState) -> None:
        self._learn(arm=Seen(facts.arm_facts(message), time.monotonic()))
        if message.state == ArmState.STOPPED:  # which ends the steering's activity, too
            self._stop.end()
            self._learn(steering=False)

    def _on_decision(self, message: Decision) -> None:
        now = time.monotonic()
        decision = facts.decision_facts(message)
        with self._lock:
            self._learn(decision=Seen(decision, now))
            if self._schedule is not None and decision.total is not None and self._view.arm is not None:
                self._schedule.sent(decision.chunk_id, self._view.arm.facts.tick, decision.total)
                self._learn(lead=self._schedule.lead)
            if decision.human and decision.author == self.parameters.operator:
                overruled = decision.deferred and not decision.wish.defer
                self._publish(self._line.answered(decision.wish, now, used=not overruled))
                if overruled:
                    why = decision.reason or "no reason given"
                    self.tell(f"{wish_words(decision.wish, self._view.flipped)}: the policy acted instead, {why}")

    def _on_gate(self, message: GateReport) -> None:
        seen = Seen(facts.gate_facts(message), time.monotonic())
        self._learn(gate=seen)
        if message.verdict in (GateReport.CLIPPED, GateReport.REJECTED):
            self._learn(objection=seen)

    def _on_recorder(self, message: RecorderState) -> None:
        recorder = facts.recorder_facts(message)
        self._learn(recorder=Seen(recorder, time.monotonic()))
        self._labels.watch(recorder)

    def _on_instruction(self, message: String) -> None:
        self._told_policy = message.data

    def _on_task(self, message: TaskState) -> None:
        self._learn(task=Seen(facts.task_facts(message), time.monotonic()))

    def _on_policy(self, message: PolicyInfo) -> None:
        policy = facts.policy_facts(message)
        self._schedule = Schedule(policy.execute_rows, policy.row_duration) if policy.row_duration else None
        self._learn(policy=Seen(policy, time.monotonic()), lead=self._schedule.lead if self._schedule else 1)

    def _on_active(self, message: Bool) -> None:
        self._learn(steering=message.data)

    def _on_cameras(self, msg: String) -> None:
        self.tell(f"cameras: {msg.data} (open it in a browser)")

    def _on_why_not(self, message: String) -> None:
        self._learn(why_not=clean(message.data))

    def _on_reset(self, response: Trigger.Response) -> None:
        said = response.message or ("done" if response.success else "refused")
        self.tell(f"reset: {said}", bad=not response.success)

    def _on_episode_end(self, kind: int, episode_id: str) -> None:
        text = clean(f"episode {episode_id} {LABELS[kind]}")
        self.tell(text)
        if self.parameters.exit_after_episode and kind != EpisodeEvent.DISCARDED:
            self.closing_words, self._over = text, True

    def _housekeeping(self) -> None:
        now = time.monotonic()
        with self._lock:
            self._stop.repeat(now)
            lost = self._line.expire(now)
            if lost is not None:
                self.tell(f"{wish_words(lost, self._view.flipped)}: no decision took it up", bad=True)
            for asking in (self._reset, self._activate, self._labels, self._episodes):
                asking.expire(now)

    def _look_around(self) -> None:
        if time.monotonic() - self._view.started > GRACE:
            self._learn(absent=tuple(name for name, topic in PEERS.items() if self.count_publishers(topic) == 0))

    def close(self, executor: Executor) -> None:
        """Call off and switch off what was begun and switched on from here: nobody is left to watch it."""
        self._episodes.close(executor, CLOSE_TIME)
        if self._switched_on_here and self._activate.client.service_is_ready():
            future = self._activate.client.call_async(SetBool.Request(data=False))
            executor.spin_until_future_complete(future, timeout_sec=CLOSE_TIME)

    def destroy_node(self) -> None:
        """Leave the graph."""
        self._episodes.destroy()
        super().destroy_node()
