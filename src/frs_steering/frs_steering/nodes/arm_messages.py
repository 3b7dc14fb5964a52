"""Messages of the arm controller to values of `arm`, and back."""

from __future__ import annotations

import math

import numpy as np
from builtin_interfaces.msg import Time
from frs_msgs.msg import ActionChunk, ArmState, GateReport, LeaseRenewal

from frs_steering.arm.chunk import Chunk
from frs_steering.arm.gate import Judgement
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.nodes.conversions import seconds
from frs_steering.robot.fr3 import BASE_FRAME
from frs_steering.robot.kinematics import quaternion, tcp_pose

_UNKNOWN = [math.nan] * 7


def chunk_from_msg(msg: ActionChunk) -> Chunk:
    """A chunk as it came; the gate judges it."""
    return Chunk(
        chunk_id=msg.chunk_id,
        epoch=msg.owner_epoch,
        space=msg.action_space.value,
        frame=msg.header.frame_id,
        horizon=msg.horizon,
        dim=msg.dim,
        values=np.array(msg.rows, dtype=np.float64),
        row_duration=msg.row_duration,
        first_tick=msg.first_tick,
        lease=msg.lease.sec + msg.lease.nanosec * 1e-9,
    )


def chunk_report(judgement: Judgement, chunk_id: int, tick: int, duration: float, stamp: Time) -> GateReport:
    """What the gate said of a chunk as a whole, when control step `tick` was the last; `duration` in s."""
    report = GateReport(
        tick=tick,
        chunk_id=chunk_id,
        row=-1,
        verdict=int(judgement.verdict),
        reason=int(judgement.reason),
        detail=judgement.detail,
        gate_duration=duration,
    )
    report.header.stamp, report.header.frame_id = stamp, BASE_FRAME
    return report


def renewal_report(renewal: LeaseRenewal, tick: int, stamp: Time) -> GateReport:
    """That a lease was not renewed, or not given up, when control step `tick` was the last."""
    detail = (
        f"renewal of chunk {renewal.chunk_id} of epoch {renewal.owner_epoch}: it is not held, or its lease has ended,"
        f" or {seconds(renewal.lease):.3g} s is no lease"
    )
    refused = Judgement(Verdict.REJECTED, Reason.LEASE_ENDED, detail)
    return chunk_report(refused, renewal.chunk_id, tick, 0.0, stamp)


def step_report(outcome: Outcome, tick: int, lateness: float, stamp: Time) -> GateReport:
    """What the gate said of one control step; `lateness` in s."""
    report = GateReport(
        tick=tick,
        chunk_id=outcome.chunk_id,
        row=outcome.row,
        verdict=int(outcome.verdict),
        reason=int(outcome.reason),
        detail=outcome.detail,
        requested=outcome.requested.tolist(),
        commanded=outcome.velocity.tolist(),
        measured=_measured_velocity(outcome),
        gripper=outcome.gripper,
        gate_duration=outcome.gate_duration,
        tick_lateness=lateness,
    )
    report.header.stamp, report.header.frame_id = stamp, BASE_FRAME
    return report


def arm_state(outcome: Outcome, tick: int, stamp: Time, trouble: str = "") -> ArmState:
    """The controller's state; what has not been measured yet is NaN. `trouble` is the gripper's, in words.

    While the joint states are stale, position and pose are the last ones, and the velocity NaN.
    """
    reading = outcome.reading
    state = ArmState(
        state=int(outcome.state),
        tick=tick,
        chunk_id=outcome.chunk_id,
        row=outcome.row,
        owner_epoch=outcome.epoch,
        owner=outcome.owner,
        position=_UNKNOWN if reading is None else reading.position.tolist(),
        velocity=_measured_velocity(outcome),
        gripper=reading.gripper if reading is not None and reading.knows_gripper else math.nan,
        lease_remaining=outcome.lease_remaining,
        ticks_driven=outcome.ticks_driven,
        ticks_starved=outcome.ticks_starved,
        message=f"{outcome.message}; {trouble}" if trouble else outcome.message,
    )
    state.header.stamp, state.header.frame_id = stamp, BASE_FRAME
    pose = np.full((4, 4), np.nan) if reading is None else tcp_pose(reading.position)
    point, turn = state.tcp_pose.position, state.tcp_pose.orientation
    point.x, point.y, point.z = pose[:3, 3].tolist()
    turn.x, turn.y, turn.z, turn.w = quaternion(pose[:3, :3])
    return state


def _measured_velocity(outcome: Outcome) -> list[float]:
    # Of an arm of which nothing is heard, where it was last is worth something, but not how fast it was.
    return _UNKNOWN if outcome.reading is None or outcome.stale else outcome.reading.velocity.tolist()
