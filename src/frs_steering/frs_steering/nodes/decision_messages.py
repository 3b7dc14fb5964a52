"""What flow_steering sends: the chunk for the arm, and the decision for everybody who wants to know."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from frs_msgs.msg import ActionChunk, ArmState, Decision, StageTimings

from frs_steering.nodes.conversions import MessageError, duration_msg, floats, guidance_to_msg, time_msg
from frs_steering.nodes.query_messages import Reply, diagnostics_to_msg
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.arbiter import Wish
from frs_steering.steer.guidance import Guidance, GuidanceSource
from frs_steering.steer.method import Method
from frs_steering.steer.reference import Reference

NO_GUIDANCE = Guidance(GuidanceSource.UNKNOWN, defer=True)
"""Stands in a decision where nobody wished anything."""


@dataclass(frozen=True)
class Made:
    """A decision as it was made, ready to be sent.

    Attributes:
        chunk_id: of the chunk, from 1 within the epoch.
        epoch: of the claim on the arm.
        first_tick: control step at which row 0 is due.
        wish: that was there, if any.
        reference: that the chunk was refined from; None where the policy acted.
        defer_reason: why the policy acted although there was a wish or a noise policy; empty where it did not.
        seed: of the fresh noise.
        method: that made the chunk.
        replies: what the policy answered, the last is the chunk that counts.
        round_trip: s, of all queries together.
        noise_policy: version of the noise policy whose noise was denoised; empty where none's was.
    """

    chunk_id: int
    epoch: int
    first_tick: int
    wish: Wish | None
    reference: Reference | None
    defer_reason: str
    seed: int
    method: Method
    replies: tuple[Reply, ...]
    round_trip: float
    noise_policy: str = ""


def joints_from_msg(arm: ArmState) -> np.ndarray:
    """The measured joint positions (7,) [rad].

    Raises:
        MessageError: they were not measured.
    """
    position = np.array(arm.position, np.float64)
    if not np.isfinite(position).all():
        raise MessageError(f"arm_state position is {position.tolist()}; every joint must be finite")
    return position


def chunk_to_msg(made: Made, spec: PolicySpec, lease: float) -> ActionChunk:
    """The rows that may drive the arm for `lease` s."""
    msg = ActionChunk(
        chunk_id=made.chunk_id,
        owner_epoch=made.epoch,
        horizon=spec.horizon,
        dim=spec.dim,
        row_duration=spec.row_duration,
        first_tick=made.first_tick,
        lease=duration_msg(lease),
    )
    msg.header.stamp = time_msg(made.replies[-1].stamp)
    msg.header.frame_id = spec.frame_id
    msg.action_space.value = int(spec.action_space)
    msg.rows = floats(made.replies[-1].answer.chunk)
    return msg


def decision_to_msg(made: Made, spec: PolicySpec, total: float) -> Decision:
    """Everything about one chunk; `total` is the time in s from asking for it to publishing it."""
    answer = made.replies[-1].answer
    steered = made.reference is not None
    wished = made.wish.guidance if made.wish is not None else NO_GUIDANCE
    msg = Decision(
        chunk_id=made.chunk_id,
        owner_epoch=made.epoch,
        first_tick=made.first_tick,
        source=_source(made),
        method=str(made.method),
        deferred=bool(made.defer_reason),
        defer_reason=made.defer_reason,
        horizon=spec.horizon,
        dim=spec.dim,
        steps=made.method.steps,
        seed=made.seed,
        policy=spec.name,
        weights_sha256=spec.weights_sha256,
        noise_policy=made.noise_policy,
    )
    msg.header.stamp = time_msg(made.replies[-1].stamp)
    msg.header.frame_id = spec.frame_id
    msg.guidance = guidance_to_msg(dataclasses.replace(wished, defer=not steered), msg.header.stamp)
    msg.action_space.value = int(spec.action_space)
    if made.reference is not None:
        msg.reference = floats(made.reference.chunk)
        commanded = made.method.commanded(made.reference.mask, spec.horizon, spec.execute_rows)
    else:
        commanded = np.zeros((spec.horizon, spec.dim), bool)
    msg.command_mask = commanded.ravel().tolist()
    msg.noise_recovered = floats(answer.noise_recovered)
    msg.noise_used = floats(answer.noise_used)
    msg.refined = floats(answer.chunk)
    msg.features = floats(answer.features)
    msg.feature_parts = list(spec.feature_parts)
    msg.joint_position = made.replies[-1].joint_position
    msg.gripper = made.replies[-1].gripper
    msg.diagnostics = diagnostics_to_msg(answer.diagnostics)
    msg.diagnostics.evaluations = sum(reply.answer.diagnostics.evaluations for reply in made.replies)
    msg.timings = _timings(made, total)
    return msg


def _source(made: Made) -> int:
    if made.reference is not None and made.wish is not None:
        return int(made.wish.guidance.source)
    return Decision.SOURCE_NOISE_POLICY if made.noise_policy else Decision.SOURCE_BASE


def _timings(made: Made, total: float) -> StageTimings:
    """The time of all queries of one decision together; the age is that of the picture that counted."""
    spent = [reply.answer.timings for reply in made.replies]
    return StageTimings(
        camera_age=made.replies[-1].camera_age,
        wait=sum(reply.wait for reply in made.replies),
        prepare=sum(timings.prepare for timings in spent),
        encode=sum(timings.encode for timings in spent),
        reverse=sum(timings.reverse for timings in spent),
        denoise=sum(timings.denoise for timings in spent),
        transport=max(0.0, made.round_trip - sum(reply.server_time for reply in made.replies)),
        total=total,
    )
