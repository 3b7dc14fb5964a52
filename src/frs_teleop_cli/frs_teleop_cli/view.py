"""What the operator's screen knows: plain facts out of messages, each with the moment it was learnt.

Every `*_facts` function is a border: whatever a message holds (NaN, control characters, unknown constants), the
facts can be shown.
"""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import PurePath
from typing import Generic, TypeVar

from frs_msgs.msg import ArmState, Decision, GateReport, Guidance, PolicyInfo, RecorderState, TaskState

from frs_teleop_cli.wishes import Taken, Wish
from frs_teleop_cli.words import clean, finite

T = TypeVar("T")

AT_REST = re.compile(r"$|ready|\d+ messages in ")
"""How the message of a recorder begins that does not record and has nothing to complain of."""


@dataclasses.dataclass(frozen=True)
class Seen(Generic[T]):
    """Facts and the monotonic moment [s] of their arrival."""

    facts: T
    at: float


@dataclasses.dataclass(frozen=True)
class ArmFacts:
    """Out of an ArmState; times in seconds."""

    state: int
    tick: int
    chunk_id: int
    row: int
    owner: str
    lease_remaining: float | None
    driven: int
    starved: int
    message: str


@dataclasses.dataclass(frozen=True)
class DecisionFacts:
    """Out of a Decision; times in seconds, None where not given or not finite.

    `human`: the wish was a person's. `noise_policy`: version of the one whose noise was denoised, empty where none.
    """

    chunk_id: int
    source: int
    method: str
    deferred: bool
    reason: str
    wish: Wish
    human: bool
    author: str
    agreement: float | None
    noise_percentile: float | None
    camera_age: float | None
    encode: float | None
    reverse: float | None
    denoise: float | None
    total: float | None
    noise_policy: str = ""


@dataclasses.dataclass(frozen=True)
class GateFacts:
    """Out of a GateReport."""

    verdict: int
    reason: int
    detail: str


@dataclasses.dataclass(frozen=True)
class RecorderFacts:
    """Out of a RecorderState; `name` is the file's, without folder and endings.

    `alarm`: what is amiss, in the recorder's words; empty where all is well.
    """

    recording: bool
    name: str
    messages: int
    lost: int
    left_out: int
    message: str
    alarm: str = ""


@dataclasses.dataclass(frozen=True)
class TaskFacts:
    """Out of a TaskState; steps are control steps of 1/15 s, `episode` counts the scenes, 0 is the first."""

    task: str
    instruction: str
    seed: int
    episode: int
    step: int
    step_limit: int
    success: bool


@dataclasses.dataclass(frozen=True)
class PolicyFacts:
    """Out of a PolicyInfo; row_duration in seconds, None where it makes no sense."""

    name: str
    execute_rows: int
    row_duration: float | None


@dataclasses.dataclass(frozen=True)
class Note:
    """One line for the operator about something that happened."""

    text: str
    at: float
    bad: bool = False


@dataclasses.dataclass(frozen=True)
class View:
    """Everything that the screen shows, at one moment `now` [s, monotonic].

    Attributes:
        now: the moment.
        operator: name under which this terminal gives guidance.
        started: moment at which this terminal began to listen.
        arm, decision, recorder, task, policy: the newest of each, None if none came yet.
        gate: the newest report.
        objection: the newest report in which the gate changed or refused something.
        absent: names of nodes that cannot be seen on the graph.
        waiting: names of nodes without which nothing can be steered and that have not yet been heard since the start.
        wish: the wish that was sent and not yet taken up, with `wish_at`.
        queued: wishes behind it.
        taken: the last one that a decision used.
        amount: 0..1, of the next direction.
        flipped: whether the operator faces the robot.
        lead: control steps before the end of its chunk at which the steering begins the next decision.
        steering: whether the steering was last known to be on; None if never known.
        why_not: what keeps the steering from deciding, in its own words; empty: nothing.
        stop_asked: moment of a stop that the arm has not yet confirmed, else None.
        notes: newest last.
    """

    now: float
    started: float
    operator: str = "operator"
    arm: Seen[ArmFacts] | None = None
    decision: Seen[DecisionFacts] | None = None
    recorder: Seen[RecorderFacts] | None = None
    task: Seen[TaskFacts] | None = None
    policy: Seen[PolicyFacts] | None = None
    gate: Seen[GateFacts] | None = None
    objection: Seen[GateFacts] | None = None
    absent: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    wish: Wish | None = None
    wish_at: float = 0.0
    queued: tuple[Wish, ...] = ()
    taken: Taken | None = None
    amount: float = 1.0
    flipped: bool = False
    lead: int = 1
    steering: bool | None = None
    why_not: str = ""
    stop_asked: float | None = None
    notes: tuple[Note, ...] = ()


def arm_facts(message: ArmState) -> ArmFacts:
    """Take from an ArmState what the screen shows."""
    return ArmFacts(
        state=message.state,
        tick=message.tick,
        chunk_id=message.chunk_id,
        row=message.row,
        owner=clean(message.owner, 30),
        lease_remaining=finite(message.lease_remaining),
        driven=message.ticks_driven,
        starved=message.ticks_starved,
        message=clean(message.message),
    )


def decision_facts(message: Decision) -> DecisionFacts:
    """Take from a Decision what the screen shows."""
    return DecisionFacts(
        chunk_id=message.chunk_id,
        source=message.source,
        method=clean(message.method, 20),
        deferred=message.deferred,
        reason=clean(message.defer_reason),
        wish=wish_in(message.guidance),
        human=message.guidance.source == Guidance.SOURCE_HUMAN,
        author=clean(message.guidance.author, 30),
        agreement=finite(message.diagnostics.agreement),
        noise_percentile=finite(message.diagnostics.noise_percentile),
        camera_age=finite(message.timings.camera_age),
        encode=finite(message.timings.encode),
        reverse=finite(message.timings.reverse),
        denoise=finite(message.timings.denoise),
        total=finite(message.timings.total),
        noise_policy=clean(message.noise_policy, 60),
    )


def wish_in(guidance: Guidance) -> Wish:
    """Take the wish out of a Guidance; components within 1e-3 of -1, 0 or 1 are taken to be that.

    A decision that deferred has `defer` set and keeps the direction and gripper that were wished: so does the result.
    """
    x, y, z = (_snapped(value) for value in (guidance.direction.x, guidance.direction.y, guidance.direction.z))
    wish = Wish((x, y, z), guidance.gripper, guidance.amount)
    return Wish(defer=guidance.defer) if wish.empty else wish


def gate_facts(message: GateReport) -> GateFacts:
    """Take from a GateReport what the screen shows."""
    return GateFacts(message.verdict, message.reason, clean(message.detail))


def recorder_facts(message: RecorderState) -> RecorderFacts:
    """Take from a RecorderState what the screen shows."""
    name = PurePath(message.path).name.removesuffix(".partial").removesuffix(".mcap")
    said = message.message.replace(message.path, name) if message.path else message.message
    return RecorderFacts(
        recording=message.recording,
        name=clean(name, 60),
        messages=message.messages,
        lost=message.dropped_control,
        left_out=message.dropped_images,
        message=clean(said),
        alarm=clean(_alarm(message)),
    )


def complaints(message: str, path: str) -> str:
    """What the recorder says beside that it records to `path`: what is missing, slow or out of step; empty: nothing."""
    return message.removeprefix(f"recording to {path}").lstrip("; ")


def _alarm(message: RecorderState) -> str:
    if message.recording:
        return complaints(message.message, message.path)
    # A recorder at rest says "ready" or how the last file ended; everything else is why it does not record.
    return "" if AT_REST.match(message.message) else message.message


def task_facts(message: TaskState) -> TaskFacts:
    """Take from a TaskState what the screen shows."""
    return TaskFacts(
        task=clean(message.task, 40),
        instruction=clean(message.instruction),
        seed=message.seed,
        episode=message.episode,
        step=message.step,
        step_limit=message.step_limit,
        success=message.success,
    )


def policy_facts(message: PolicyInfo) -> PolicyFacts:
    """Take from a PolicyInfo what the screen shows."""
    duration = finite(message.row_duration)
    return PolicyFacts(
        name=clean(message.name, 40),
        execute_rows=message.execute_rows,
        row_duration=duration if duration is not None and duration > 0 else None,
    )


def ticks_to_decision(view: View) -> int | None:
    """Count the control steps until the steering picks up the next wish; None if no chunk drives."""
    if view.arm is None or view.policy is None or view.arm.facts.row < 0:
        return None
    if view.arm.facts.state != ArmState.RUNNING or view.policy.facts.row_duration is None:
        return None
    return max(0, view.policy.facts.execute_rows - view.lead - view.arm.facts.row)


def _snapped(value: float) -> float:
    nearest = round(value) if math.isfinite(value) and abs(value) < 2 else value
    return float(nearest) + 0.0 if abs(value - nearest) <= 1e-3 else value
