"""The operator's screen as text: what stands in which line. Meaning never hangs on colour alone."""

from __future__ import annotations

import dataclasses
from typing import Literal

from frs_msgs.msg import ArmState, Decision, GateReport

from frs_teleop_cli import words
from frs_teleop_cli.keys import Direction
from frs_teleop_cli.view import ArmFacts, DecisionFacts, Seen, View, ticks_to_decision

Tone = Literal["", "dim", "good", "warn", "bad"]

ARM_SILENCE = 0.5
"""s without an ArmState (it comes at 15 Hz) until the screen says that the arm controller is gone."""

AT_REST = (ArmState.IDLE, ArmState.ARMED, ArmState.HOLDING)
"""States in which nothing about the arm is more urgent than what is still starting."""

NOTE_TIME = 20.0
"""s for which a note stays on the screen."""

NOTES = 3
"""Lines of notes."""

BAR = 8
"""Longest bar of the countdown, in characters."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One labelled line."""

    label: str
    text: str
    tone: Tone = ""


@dataclasses.dataclass(frozen=True)
class Screen:
    """The whole screen.

    Attributes:
        banner: state of the arm and who drives.
        wishes: what the operator wished, beside the compass.
        compass: seven lines, at most 28 characters wide.
        facts: decision, arm, gate, task, recorder.
        notes: what happened, and who is missing.
    """

    banner: Row
    wishes: tuple[Row, ...]
    compass: tuple[str, ...]
    facts: tuple[Row, ...]
    notes: tuple[Row, ...]


def screen(view: View) -> Screen:
    """Lay out everything for one moment."""
    return Screen(
        banner=banner(view),
        wishes=(_wish(view), _queue(view), _taken(view), _amount(view), _steering(view), _countdown(view)),
        compass=compass(view),
        facts=(*_decision(view), _arm(view), *_gate(view), _task(view), _recorder(view)),
        notes=_notes(view),
    )


def banner(view: View) -> Row:
    """Say how the arm stands and who drives it."""
    if view.stop_asked is not None:
        return Row("STOP", f"not confirmed yet, asking for {words.age(view.now - view.stop_asked)}", "bad")
    if view.waiting and (view.arm is None or view.arm.facts.state in AT_REST):
        waited = words.age(view.now - view.started)
        return Row("STARTING", f"waiting for {', '.join(view.waiting)} ({waited})", "warn")
    if view.arm is None or view.now - view.arm.at > ARM_SILENCE:
        since = view.started if view.arm is None else view.arm.at
        return Row("NO ARM", f"no arm_controller seen for {words.age(view.now - since)}", "bad")
    arm = view.arm.facts
    name = words.ARM_STATES.get(arm.state, f"STATE {arm.state}?")
    owner = arm.owner or "nobody"
    if arm.state == ArmState.RUNNING:
        return Row(name, f"{owner} drives; {_who_steers(view)}", "good")
    if arm.state == ArmState.STOPPED:
        return Row(name, "the arm stays where it is; r resets", "bad")
    if arm.state == ArmState.FAULT:
        return Row(name, arm.message or "the arm controller gives no reason", "bad")
    if arm.state == ArmState.HOLDING:
        return Row(name, f"the arm rests; waiting for a chunk of {owner}", "warn")
    if arm.state == ArmState.ARMED:
        return Row(name, f"{owner} has the arm; nothing has driven it yet")
    return Row(name, arm.message or "nobody has the arm")


def compass(view: View) -> tuple[str, ...]:
    """Draw the six directions as the operator sees them; the one wished now stands in brackets."""
    sign = -1.0 if view.flipped else 1.0

    def mark(direction: Direction) -> str:
        name, axis = words.way(direction, view.flipped).split(" ")
        text = f"{name} {axis.strip('()')}"
        return f"[{text}]" if view.wish is not None and view.wish.direction == direction else text

    ahead, back = mark((sign, 0.0, 0.0)), mark((-sign, 0.0, 0.0))
    left, right = mark((0.0, sign, 0.0)), mark((0.0, -sign, 0.0))
    up, down = mark((0.0, 0.0, 1.0)), mark((0.0, 0.0, -1.0))
    return (
        f"{ahead:^29}".rstrip(),
        f"{'↑':^29}".rstrip(),
        f"{left:>11} ← ┼ → {right}",
        f"{'↓':^29}".rstrip(),
        f"{back:^29}".rstrip(),
        f"{'w ' + up:>13}   s {down}",
        f"{'you face the robot' if view.flipped else 'you stand behind its base':^29}".rstrip(),
    )


def _who_steers(view: View) -> str:
    if view.decision is None:
        return "no decision seen yet"
    decision = view.decision.facts
    if decision.deferred:
        return f"the policy acts: {decision.reason or 'no reason given'}"
    if decision.source == Decision.SOURCE_BASE:
        return "no input: the policy acts"
    if decision.source == Decision.SOURCE_NOISE_POLICY:
        return "no input: the noise policy acts"
    if _mine(decision, view):
        return f"you steer: {words.wish(decision.wish, view.flipped)}"
    return f"{words.SOURCES.get(decision.source, f'source {decision.source}?')} steers"


def _mine(decision: DecisionFacts, view: View) -> bool:
    return decision.human and decision.author == view.operator


def _wish(view: View) -> Row:
    if view.wish is None:
        learned = view.decision is not None and view.decision.facts.source == Decision.SOURCE_NOISE_POLICY
        return Row("Wish", f"no input: the {'noise ' if learned else ''}policy acts", "dim")
    age = words.age(view.now - view.wish_at)
    return Row("Wish", f"{words.wish(view.wish, view.flipped)}, {age} ago")


def _queue(view: View) -> Row:
    if not view.queued:
        return Row("Queued", "nothing", "dim")
    return Row("Queued", "; ".join(words.wish(wish, view.flipped) for wish in view.queued))


def _taken(view: View) -> Row:
    if view.taken is None:
        return Row("Accepted", "nothing yet", "dim")
    age = words.age(view.now - view.taken.at)
    return Row("Accepted", f"{words.wish(view.taken.wish, view.flipped)}, {age} ago")


def _amount(view: View) -> Row:
    return Row("Amount", "more: full coarse speed" if view.amount == 1.0 else "less: half the coarse speed")


def _steering(view: View) -> Row:
    if "flow_steering" in view.absent:
        return Row("Steering", "no flow_steering seen", "warn")
    if view.steering is None:
        return Row("Steering", "not heard of yet; a switches on", "dim")
    if not view.steering:
        return Row("Steering", "off; a switches on", "warn")
    return Row("Steering", "on" if view.policy is None else f"on, policy {view.policy.facts.name}")


def _countdown(view: View) -> Row:
    ticks = ticks_to_decision(view)
    if view.steering and view.why_not:
        return Row("Next", "no decision can be made, see below", "bad")
    if ticks is None or view.policy is None:
        return Row("Next", "no decision is due", "dim")
    if ticks == 0:
        return Row("Next", "deciding now")
    seconds = ticks * (view.policy.facts.row_duration or 0.0)
    unit = "tick" if ticks == 1 else "ticks"
    return Row("Next", f"in {ticks} {unit} ({words.age(seconds)})".ljust(20) + "#" * min(ticks, BAR))


def _decision(view: View) -> tuple[Row, ...]:
    if view.why_not:
        return (Row("Decision", f"none: {view.why_not}", "bad" if view.steering else "warn"), Row("", ""), Row("", ""))
    if view.decision is None:
        return (Row("Decision", "none seen yet", "dim"), Row("", ""), Row("", ""))
    decision = view.decision.facts
    age = words.age(view.now - view.decision.at)
    head = f"chunk {decision.chunk_id}, {age} ago"
    if decision.deferred:
        tone: Tone = "" if decision.wish.defer else "warn"
        first = Row("Decision", f"{head}: the policy acts, {decision.reason or 'no reason given'}", tone)
    elif decision.source == Decision.SOURCE_BASE:
        first = Row("Decision", f"{head}: the policy acts ({decision.method or words.UNKNOWN})")
    elif decision.source == Decision.SOURCE_NOISE_POLICY:
        first = Row("Decision", f"{head}: the noise policy acts ({decision.noise_policy or words.UNKNOWN})")
    else:
        who = "you" if _mine(decision, view) else words.SOURCES.get(decision.source, f"source {decision.source}?")
        wish = words.wish(decision.wish, view.flipped)
        first = Row("Decision", f"{head}: {who}, {wish} ({decision.method or words.UNKNOWN})")
    return (first, Row("", f"{_agreement(decision)}, {_noise(decision)}"), Row("", _timings(decision)))


def _agreement(decision: DecisionFacts) -> str:
    value = decision.agreement
    if value is None:
        return "agreement does not apply"
    meaning = "follows the wish" if value >= 0.7 else "follows it in part" if value >= 0.3 else "does not follow it"
    return f"agreement {value:+.2f} {meaning}"


def _noise(decision: DecisionFacts) -> str:
    value = decision.noise_percentile
    if value is None or not 0.0 <= value <= 1.0:
        return f"noise {words.UNKNOWN}"
    return f"noise at the {words.ordinal(round(100 * value))} percentile"


def _timings(decision: DecisionFacts) -> str:
    named = (("encode", decision.encode), ("reverse", decision.reverse), ("denoise", decision.denoise))
    stages = [f"{name} {value * 1000:.0f}" for name, value in named if value is not None]
    took = f"took {words.span(decision.total)}" + (": " + ", ".join(stages) if stages else "")
    return f"{took}; camera {words.span(decision.camera_age)} old"


def _arm(view: View) -> Row:
    if view.arm is None:
        return Row("Arm", "not seen yet", "dim")
    return Row("Arm", _arm_text(view.arm, view.now), "dim" if view.now - view.arm.at > ARM_SILENCE else "")


def _arm_text(arm: Seen[ArmFacts], now: float) -> str:
    facts = arm.facts
    if now - arm.at > ARM_SILENCE:
        return f"last heard of {words.age(now - arm.at)} ago"
    chunk = f"chunk {facts.chunk_id} row {facts.row}" if facts.chunk_id else "no chunk"
    due = facts.driven + facts.starved
    share = f" ({facts.starved / due:.1%})" if due else ""
    lease = f"lease {words.span(facts.lease_remaining)} left"
    return f"{chunk}, {lease}; driven {facts.driven} ticks, starved {facts.starved}{share}"


def _gate(view: View) -> tuple[Row, Row]:
    if view.gate is None:
        return (Row("Gate", "no report yet", "dim"), Row("", ""))
    seen = view.objection
    if seen is None:
        return (Row("Gate", "nothing objected to", "dim"), Row("", ""))
    facts = seen.facts
    verdict = words.VERDICTS.get(facts.verdict, f"verdict {facts.verdict}?")
    reason = words.REASONS.get(facts.reason, f"reason {facts.reason}?")
    age = view.now - seen.at
    when = "now" if age < 1.0 else f"{words.age(age)} ago"
    tone: Tone = "dim" if age >= 1.0 else "bad" if facts.verdict == GateReport.REJECTED else "warn"
    return (Row("Gate", f"{verdict} {when}: {reason}", tone), Row("", facts.detail, tone))


def _task(view: View) -> Row:
    if view.task is None:
        return Row("Task", "none told", "dim")
    task = view.task.facts
    done = "SUCCESS" if task.success else f"step {task.step} of {task.step_limit}"
    return Row("Task", f"{task.task}, {done}: {task.instruction}", "good" if task.success else "")


def _recorder(view: View) -> Row:
    if view.recorder is None:
        return Row("Recorder", "not seen yet", "dim")
    facts = view.recorder.facts
    if facts.lost:
        return Row("Recorder", f"LOST {facts.lost} records of {facts.name}: {facts.message}", "bad")
    if facts.alarm and facts.recording:
        return Row("Recorder", f"RECORDING, BUT {facts.alarm}", "bad")
    if facts.alarm:
        return Row("Recorder", f"NOT RECORDING: {facts.alarm.removeprefix('not recording: ')}", "bad")
    if not facts.recording:
        return Row("Recorder", f"idle; {facts.message or 'b begins an episode, e records by hand'}", "dim")
    if not view.steering:
        return Row("Recorder", f"RECORDING, but the STEERING IS OFF (a switches on): {facts.name}", "warn")
    images = f", {facts.left_out} images left out" if facts.left_out else ""
    return Row("Recorder", f"RECORDING {facts.name}, {facts.messages} messages{images}")


def _notes(view: View) -> tuple[Row, ...]:
    rows: list[Row] = []
    if view.absent:
        rows.append(Row("!", "not seen: " + ", ".join(view.absent), "warn"))
    fresh = [note for note in view.notes if view.now - note.at < NOTE_TIME]
    for note in fresh[-(NOTES - len(rows)) :]:
        rows.append(Row("!" if note.bad else "-", note.text, "bad" if note.bad else ""))
    return tuple(rows)
