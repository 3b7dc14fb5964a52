"""How the arm and its gate are, from the controller's last control steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from frs_steering.arm import homing
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.states import State
from frs_steering.arm.stillness import STUCK
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.health.report import Health, Level, seconds

STEP_STALE = 0.5
"""s without a control step, of which there are 15 a second, after which the control thread hangs."""

RECENT = 5.0
"""s for which a rejected chunk is told."""

CLIPPED_SHARE = 0.5
"""Share of the steps that drove, clipped by another check than acceleration, above which it is worth a warning."""

LEAST_DRIVEN = 15
"""Steps that drove, below which that share means nothing."""

WHAT_TO_DO = {
    Reason.NOT_FINITE: "a value is NaN or infinite: whoever makes the chunks computes wrong",
    Reason.WRONG_SHAPE: "set policy and arm_controller to the same horizon, action space and control_rate",
    Reason.WRONG_SPACE: "set arm_controller's action_space to the policy's, and the rows' frame to fr3_link0",
    Reason.WRONG_OWNER: "the sender does not own the arm: it must claim it (arm_controller/claim), or is one too many",
    Reason.OLD_CHUNK: "its id has been used already: a second sender, or a message played back",
    Reason.LATE_CHUNK: "all its rows were due before it came: decisions take too long, see those of flow_steering",
    Reason.BAD_LEASE: "its lease is none, too long, or ends before row 0 is due: see flow_steering's lease",
    Reason.STATE_STALE: "there are no fresh joint states: see those of the arm",
    Reason.STOPPED: "the arm is stopped: call arm_controller/reset, then claim it",
    Reason.ROBOT_ERROR: "the robot has an error: call arm_controller/recover",
}
"""What a rejected chunk's reason means and asks for."""


@dataclass(frozen=True)
class Rejection:
    """A chunk that was rejected.

    Attributes:
        reason: the check.
        detail: the gate's words.
        at: when, on the monotonic clock [s].
    """

    reason: Reason
    detail: str
    at: float


def arm_health(
    outcome: Outcome | None,
    step_age: float,
    reading_age: float | None,
    *,
    starved: bool,
    robot_error: str,
    rivalry: str = "",
    unheard: str = "",
) -> Health:
    """How the arm is.

    Args:
        outcome: of the last control step; None before the first.
        step_age: s since then.
        reading_age: s since the last joint state, believed or not; None if none came.
        starved: a chunk was due on the last control step, and there was none.
        robot_error: what the robot says of itself now, empty if nothing.
        rivalry: who else commands it now, in words, empty if nobody.
        unheard: that nobody follows its commands now, in words, empty if somebody does.
    """
    if outcome is None:
        return Health(Level.STALE, "the first control step is still to come")
    values = {
        "state": outcome.state.name,
        "owner": outcome.owner or "nobody",
        "chunk": str(outcome.chunk_id),
        "lease left [s]": f"{outcome.lease_remaining:.2f}",
        "age of the joint states [s]": seconds(reading_age),
        "doubt about them": outcome.doubt,
        "steps driven": str(outcome.ticks_driven),
        "steps starved": str(outcome.ticks_starved),
        "age of the last control step [s]": seconds(step_age),
        "robot's error": robot_error,
        "who else commands it": rivalry,
    }
    level, message = _cause(outcome, starved=starved)
    if unheard and level is Level.OK:
        level, message = Level.WARN, unheard
    if step_age > STEP_STALE:
        level = Level.ERROR
        message = (
            "the control steps stand still, so the robot's driver must have stopped the arm; see arm_controller's log, "
            "and what keeps this computer busy"
        )
    return Health(level, message, values)


def _cause(outcome: Outcome, *, starved: bool) -> tuple[Level, str]:
    if outcome.state is State.STOPPED:
        return Level.ERROR, outcome.message
    if outcome.state is State.FAULT and outcome.reason is Reason.ROBOT_ERROR:
        return Level.ERROR, outcome.message
    if outcome.doubt:
        # Without the belief's own words, in which there are figures: they are in the values.
        return Level.ERROR, (
            "joint states come, but are not believed: see the doubt about them, whether parameter robot names this "
            "robot, and whether one node alone publishes them"
        )
    if outcome.reading is None:
        return Level.STALE, "no joint states came yet; start the robot's driver, or see what publishes joint_states"
    if outcome.stale == STUCK:
        return Level.ERROR, outcome.stale
    if outcome.state is State.FAULT:
        return Level.ERROR, (
            "the joint states stay away: see whether the robot's driver runs and publishes joint_states; "
            "the arm holds, and goes on when they come again"
        )
    if outcome.owner == homing.OWNER and outcome.state is State.RUNNING:
        return Level.OK, "on the way home"
    if outcome.state is State.RUNNING:
        return Level.OK, f"driven by {outcome.owner!r}"
    if outcome.state is State.HOLDING and starved:
        if outcome.reason is Reason.LEASE_ENDED:
            why = f"{outcome.owner!r} has not renewed its lease; see whether it runs, and what the network loses"
        else:
            why = f"the chunk has run out and {outcome.owner!r} sent no other; see its diagnostics and the policy's"
        return Level.WARN, f"holding: {why}"
    return Level.OK, outcome.message


def gate_health(recent: Sequence[Outcome], rejection: Rejection | None, rejected: int, now: float) -> Health:
    """What the gate lets pass.

    Args:
        recent: outcomes of the last control steps.
        rejection: the last chunk that was rejected, if any was.
        rejected: chunks rejected so far.
        now: on the monotonic clock [s].
    """
    driven = [outcome for outcome in recent if outcome.verdict is not Verdict.HELD]
    clipped = Counter(outcome.reason for outcome in driven if outcome.verdict is Verdict.CLIPPED)
    values = {
        "steps driven of the last": f"{len(driven)} of {len(recent)}",
        "steps clipped of those": str(clipped.total()),
        "chunks rejected so far": str(rejected),
        "last rejection": "none" if rejection is None else f"{rejection.reason.name}: {rejection.detail}",
    }
    values |= {f"steps clipped by {reason.name}": str(count) for reason, count in clipped.most_common()}
    if any(outcome.verdict is Verdict.REJECTED for outcome in driven):
        return Health(Level.ERROR, "control steps are rejected: what the chunk asks for is not finite", values)
    if rejection is not None and now - rejection.at < RECENT:
        # Without the gate's own words, in which there are figures: they are in the values.
        hint = WHAT_TO_DO.get(rejection.reason, "see the last rejection")
        return Health(Level.WARN, f"rejects chunks ({rejection.reason.name}): {hint}", values)
    hard = clipped.total() - clipped[Reason.JOINT_ACCELERATION]
    if len(driven) >= LEAST_DRIVEN and hard > CLIPPED_SHARE * len(driven):
        reason = next(reason for reason, _ in clipped.most_common() if reason is not Reason.JOINT_ACCELERATION)
        return Health(
            Level.WARN,
            f"clips most steps, first by {reason.name}: the chunks ask for more than the limits allow",
            values,
        )
    return Health(Level.OK, "lets pass what it is asked" if driven else "is asked for nothing", values)


def gripper_health(trouble: str) -> Health:
    """How the gripper is; `trouble` is why it does not follow, in words, empty while it does."""
    return Health(Level.WARN, trouble) if trouble else Health(Level.OK, "follows")
