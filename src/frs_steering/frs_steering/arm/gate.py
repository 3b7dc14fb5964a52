"""The safety gate: one function for a chunk as a whole, one for each control step. Pure; nothing passes around it.

Checks of a chunk, in order: may anything drive; finite; shape; action space and frame; owner epoch; chunk id;
age (not all rows were due); lease. Checks of a step, in order: finite; joint velocity; joint position with slow-down;
joint acceleration, and with it jerk; Cartesian speed; workspace, table, distance to itself; gripper range. What the
Cartesian checks take away must be in reach as well, and is looked at again.

A chunk is accepted or rejected; a step is accepted, clipped to what the limits allow, or rejected, and then the arm
brakes. Speed limits scale all joints alike, so that the hand keeps its direction; a wall takes away only the part
that leads into it.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm.approach import greatest_approach
from frs_steering.arm.chunk import Chunk
from frs_steering.arm.envelope import SPEED, Breach, breach, reaches, stop_delay, stop_share
from frs_steering.arm.limits import Limits
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.fr3 import JOINT_NAMES
from frs_steering.robot.kinematics import inverse, pose_and_jacobian
from frs_steering.robot.spaces import ActionSpace

Array = NDArray[np.float64]

CORRECTIONS = 3
"""Tries to fit a velocity into the Cartesian limits before the arm brakes instead."""
SHRINK = 0.998
"""Speeds are scaled to a little less than their limit, since scaling changes the path as well."""
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Admission:
    """What a chunk must be to drive the arm now.

    Attributes:
        space: the controller's action space.
        frame: of Cartesian rows.
        period: of a control step [s]; a row must last as long.
        lease_max: longest lease [s].
        epoch: the present owner's; 0 if none.
        last_chunk_id: the last one admitted in this epoch.
        next_tick: the control step that comes next.
        closed: why nothing may drive now, or Reason.NONE.
        closed_detail: the same in words.
    """

    space: ActionSpace
    frame: str
    period: float
    lease_max: float
    epoch: int
    last_chunk_id: int
    next_tick: int
    closed: Reason = Reason.NONE
    closed_detail: str = ""


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What the gate said of a chunk: ACCEPTED or REJECTED, why, and in words with value and limit."""

    verdict: Verdict
    reason: Reason
    detail: str


@dataclasses.dataclass(frozen=True)
class Motion:
    """How the arm moves before a step.

    Attributes:
        reference: joint positions commanded up to now (7,) [rad].
        measured: joint positions last measured (7,) [rad].
        velocity: joint velocities commanded on the last step (7,) [rad/s].
        gripper: commanded on the last step, 0 open .. 1 closed.
    """

    reference: Array
    measured: Array
    velocity: Array
    gripper: float


@dataclasses.dataclass(frozen=True)
class Step:
    """What the gate made of one control step.

    Attributes:
        verdict: ACCEPTED, CLIPPED or REJECTED.
        reason: the first check that applied.
        detail: every check that applied, in words with value and limit.
        velocity: joint velocities that may be sent (7,) [rad/s].
        gripper: that may be sent, 0 open .. 1 closed.
    """

    verdict: Verdict
    reason: Reason
    detail: str
    velocity: Array
    gripper: float


def admit(chunk: Chunk, to: Admission) -> Judgement:
    """Judge a chunk as a whole."""

    def rejected(reason: Reason, detail: str) -> Judgement:
        return Judgement(Verdict.REJECTED, reason, f"chunk {chunk.chunk_id}: {detail}")

    if to.closed is not Reason.NONE:
        return rejected(to.closed, to.closed_detail)
    bad = np.flatnonzero(~np.isfinite(chunk.values))
    if bad.size:
        row, column = divmod(int(bad[0]), max(1, chunk.dim))
        first = f"first {chunk.values[bad[0]]} in row {row}, column {column}"
        return rejected(Reason.NOT_FINITE, f"{bad.size} values are not finite, {first}")
    if chunk.horizon < 1 or chunk.values.size != chunk.horizon * chunk.dim:
        shape = f"{chunk.values.size} values for horizon {chunk.horizon} and dim {chunk.dim}"
        return rejected(Reason.WRONG_SHAPE, f"{shape}; there must be horizon x dim, and at least one row")
    if not abs(chunk.row_duration - to.period) <= 0.01 * to.period:
        lasts = f"a row lasts {chunk.row_duration:.4f} s, a control step {to.period:.4f} s"
        return rejected(Reason.WRONG_SHAPE, f"{lasts}; they must be equal")
    if chunk.space != to.space:
        return rejected(Reason.WRONG_SPACE, f"action space {_space(chunk.space)}; this arm is set to {to.space.name}")
    if chunk.dim != to.space.dim:
        return rejected(Reason.WRONG_SHAPE, f"dim {chunk.dim}; {to.space.name} has {to.space.dim} columns")
    if to.space is ActionSpace.CARTESIAN_VELOCITY and chunk.frame != to.frame:
        return rejected(Reason.WRONG_SPACE, f"rows in frame {chunk.frame!r}; they must be in {to.frame!r}")
    if to.epoch == 0 or chunk.epoch != to.epoch:
        present = f"the present one is {to.epoch}" if to.epoch else "nobody has claimed the arm"
        return rejected(Reason.WRONG_OWNER, f"owner epoch {chunk.epoch}; {present}")
    if chunk.chunk_id <= to.last_chunk_id:
        return rejected(Reason.OLD_CHUNK, f"its id is not above {to.last_chunk_id}, the last one admitted")
    late = to.next_tick - chunk.first_tick
    if late >= chunk.horizon:
        return rejected(Reason.LATE_CHUNK, f"all of its {chunk.horizon} rows were due, row 0 was {late} steps ago")
    if not 0.0 < chunk.lease <= to.lease_max:
        return rejected(Reason.BAD_LEASE, f"lease {chunk.lease:.3f} s; it must lie in (0, {to.lease_max:.3f}] s")
    wait = (chunk.first_tick - to.next_tick) * to.period
    if wait >= chunk.lease:
        return rejected(Reason.BAD_LEASE, f"row 0 is due in {wait:.3f} s, after the lease of {chunk.lease:.3f} s")
    return Judgement(Verdict.ACCEPTED, Reason.NONE, f"chunk {chunk.chunk_id}: accepted, {max(0, late)} rows late")


def brake(velocity: Array, limits: Limits, period: float) -> Array:
    """Joint velocities (7,) [rad/s] one step into the fastest straight stop from `velocity`."""
    share = stop_share(velocity, limits, period)
    return np.zeros(7) if share >= 1.0 - ROUNDING else velocity * (1.0 - share)


def step(requested: Array, gripper: float, motion: Motion, limits: Limits, period: float) -> Step:
    """Judge one control step and fit it into the limits.

    If the arm follows, no output ever exceeds a limit as long as the last one did not; an arm that stands outside of
    a limit may rest or move back.

    Args:
        requested: joint velocities asked for (7,) [rad/s], anything.
        gripper: asked for, anything.
        motion: how the arm moves now; finite, with a last velocity that came from here.
        limits: to be held.
        period: of a control step [s].
    """
    stop = brake(motion.velocity, limits, period)
    if not (np.isfinite(requested).all() and math.isfinite(gripper)):
        detail = f"asked for joint velocities {np.array2string(requested, precision=3)} rad/s, gripper {gripper}"
        return Step(Verdict.REJECTED, Reason.NOT_FINITE, f"not finite: {detail}", stop, motion.gripper)
    said: dict[Reason, str] = {}
    starts = np.array([motion.reference, motion.measured])
    velocity = _joint_speed(requested, limits, said)
    velocity = _slow_down(velocity, starts, limits, period, said)
    velocity = _fit(velocity, stop, motion.velocity, starts, limits, period, said)
    closed = min(1.0, max(0.0, gripper))
    if closed != gripper:
        said[Reason.GRIPPER_RANGE] = f"gripper {gripper:.3f} is outside of 0 .. 1"
    verdict = Verdict.CLIPPED if said else Verdict.ACCEPTED
    return Step(verdict, next(iter(said), Reason.NONE), "; ".join(said.values()), velocity, closed)


def _joint_speed(velocity: Array, limits: Limits, said: dict[Reason, str]) -> Array:
    ratio = np.abs(velocity) / limits.velocity
    joint = int(ratio.argmax())
    if ratio[joint] <= 1.0:
        return velocity
    said[Reason.JOINT_VELOCITY] = (
        f"{JOINT_NAMES[joint]} at {velocity[joint]:.3f} rad/s, limit {limits.velocity[joint]:.3f} rad/s"
    )
    # Rounding could lift the quotient a hair above the limit; hence the clip.
    return np.clip(velocity / ratio[joint], -limits.velocity, limits.velocity)


def _slow_down(velocity: Array, starts: Array, limits: Limits, period: float, said: dict[Reason, str]) -> Array:
    # Only the joint concerned is slowed: the others may still lead out of there.
    most = _greatest_approach(velocity, starts, limits, period)
    slowed = np.minimum(most, np.maximum(-most, velocity))
    joint = int(np.abs(slowed - velocity).argmax())
    if slowed[joint] == velocity[joint]:
        return velocity
    limit = limits.position_high if velocity[joint] > 0 else limits.position_low
    said[Reason.JOINT_LIMIT] = (
        f"{JOINT_NAMES[joint]} at {starts[1, joint]:.3f} rad, limit {limit[joint]:.3f} rad: "
        f"{velocity[joint]:.3f} rad/s slowed to {slowed[joint]:.3f} rad/s"
    )
    return slowed


def _fit(
    asked: Array, stop: Array, last: Array, starts: Array, limits: Limits, period: float, said: dict[Reason, str]
) -> Array:
    # What can be reached within a step is what the Cartesian limits are asked of; what they take away must be in reach.
    if not (asked.any() or last.any()):
        return asked
    inverted: Array | None = None
    velocity = asked
    for _ in range(1 + CORRECTIONS):
        velocity = _reachable(velocity, last, limits, period, said)
        wrong = breach(velocity, starts, limits, period)
        if wrong is None:
            return velocity if velocity is asked or _joints_within(velocity, starts, limits, period) else stop
        _say(wrong, limits, said)
        if wrong.where:
            inverted = inverse(pose_and_jacobian(starts[0])[1]) if inverted is None else inverted
            velocity = velocity - inverted[:, :3] @ (wrong.excess / wrong.reach)
        over = max(wrong.linear / limits.linear_speed, wrong.angular / limits.angular_speed)
        if over > SPEED:
            velocity = velocity * (SHRINK / over)
        velocity = _joint_speed(velocity, limits, {})
    return stop


def _reachable(velocity: Array, last: Array, limits: Limits, period: float, said: dict[Reason, str]) -> Array:
    change = velocity - last
    ratio = np.abs(change) / (limits.acceleration * period)
    joint = int(ratio.argmax())
    if ratio[joint] <= 1.0 + ROUNDING:
        return velocity
    said.setdefault(
        Reason.JOINT_ACCELERATION,
        f"{JOINT_NAMES[joint]} to change by {change[joint] / period:.2f} rad/s^2, "
        f"limit {limits.acceleration[joint]:.2f} rad/s^2",
    )
    return last + change / ratio[joint]


def _joints_within(velocity: Array, starts: Array, limits: Limits, period: float) -> bool:
    most = _greatest_approach(velocity, starts, limits, period)
    return bool((np.abs(velocity) <= np.minimum(limits.velocity, most + ROUNDING)).all())


def _greatest_approach(velocity: Array, starts: Array, limits: Limits, period: float) -> Array:
    return greatest_approach(velocity, starts, reaches(velocity, limits, period), stop_delay(period), limits)


def _say(wrong: Breach, limits: Limits, said: dict[Reason, str]) -> None:
    if wrong.linear > SPEED * limits.linear_speed:
        speed = f"TCP at {wrong.linear:.3f} m/s, limit {limits.linear_speed:.3f} m/s"
        said.setdefault(Reason.CARTESIAN_SPEED, speed)
    elif wrong.angular > SPEED * limits.angular_speed:
        speed = f"hand turning at {wrong.angular:.3f} rad/s, limit {limits.angular_speed:.3f} rad/s"
        said.setdefault(Reason.CARTESIAN_SPEED, speed)
    if wrong.where:
        said.setdefault(Reason.SELF_COLLISION if wrong.itself else Reason.WORKSPACE, wrong.where)


def _space(number: int) -> str:
    return ActionSpace(number).name if number in set(ActionSpace) else f"number {number}"
