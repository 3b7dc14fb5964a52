"""Messages to checked values of the core and back: the border where bad input enters.

Every `..._from_msg` either returns a value that the core may rely on or raises an error that names the field,
its value and what would be right. The flow's query has a file of its own, `query_messages`.
"""

from __future__ import annotations

import array
import math
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from frs_msgs.msg import Guidance as GuidanceMsg
from frs_msgs.msg import PolicyInfo
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from frs_steering.policies.interface import PolicySpec
from frs_steering.policies.observation import Frame
from frs_steering.robot.spaces import ActionSpace
from frs_steering.steer.guidance import GripperWish, Guidance, GuidanceError, GuidanceSource


class MessageError(ValueError):
    """A message that contradicts itself or the policy; names the field, its value and what would be right."""


def nanoseconds(stamp: Time) -> int:
    """A stamp in ns since its clock's epoch."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def time_msg(stamp: int) -> Time:
    """A stamp from ns since its clock's epoch."""
    return Time(sec=stamp // 1_000_000_000, nanosec=stamp % 1_000_000_000)


def seconds(duration: Duration) -> float:
    """A duration in s."""
    return float(duration.sec + duration.nanosec * 1e-9)


def duration_msg(value: float) -> Duration:
    """A duration from s."""
    whole = math.floor(value)
    return Duration(sec=whole, nanosec=min(999_999_999, round((value - whole) * 1e9)))


def floats(values: NDArray[np.float32] | None) -> array.array[float]:
    """An array of any shape as a float32[] field, row-major; empty for None. Fast: one copy of the bytes."""
    field = array.array("f")
    if values is not None:
        field.frombytes(np.ascontiguousarray(values, np.float32).tobytes())
    return field


def rows(name: str, values: Sequence[float], shape: tuple[int, int]) -> NDArray[np.float32]:
    """A float32[] field called `name` as a finite (H, D) array.

    Raises:
        MessageError: another number of values, or one that is not finite.
    """
    found = np.frombuffer(values, np.float32) if isinstance(values, array.array) else np.asarray(values, np.float32)
    if found.size != shape[0] * shape[1]:
        raise MessageError(f"{name} has {found.size} values; it must have {shape[0]} x {shape[1]}")
    bad = int(np.count_nonzero(~np.isfinite(found)))
    if bad:
        raise MessageError(f"{name} has {bad} values that are not finite")
    return found.reshape(shape)


def frame_from_msg(msg: Image) -> Frame:
    """A camera image as it came, its buffer shared; looked at only when an observation is assembled."""
    return Frame(msg.data, msg.height, msg.width, msg.step, msg.encoding, nanoseconds(msg.header.stamp))


def guidance_from_msg(msg: GuidanceMsg) -> Guidance:
    """A checked wish.

    Raises:
        GuidanceError: the source is unknown, a number is not finite or out of its range, or the frame is missing.
    """
    try:
        source = GuidanceSource(msg.source)
    except ValueError:
        source = GuidanceSource.UNKNOWN
    if source is GuidanceSource.UNKNOWN:
        raise GuidanceError(f"guidance source is {msg.source}; it must be 1 (human), 2 (VLM) or 3 (scripted)")
    try:
        gripper = GripperWish(msg.gripper)
    except ValueError:
        raise GuidanceError(f"guidance gripper is {msg.gripper}; it must be 0 (keep), 1 (open) or 2 (close)") from None
    return Guidance(
        source=source,
        author=msg.author,
        defer=msg.defer,
        direction=(msg.direction.x, msg.direction.y, msg.direction.z),
        frame=msg.header.frame_id,
        amount=msg.amount,
        gripper=gripper,
        validity=seconds(msg.validity),
    )


def guidance_to_msg(guidance: Guidance, stamp: Time) -> GuidanceMsg:
    """A wish as a message, stamped with the moment of the wish."""
    msg = GuidanceMsg(
        source=int(guidance.source),
        author=guidance.author,
        defer=guidance.defer,
        amount=guidance.amount,
        gripper=int(guidance.gripper),
        validity=duration_msg(guidance.validity),
    )
    msg.header.stamp = stamp
    msg.header.frame_id = guidance.frame
    msg.direction.x, msg.direction.y, msg.direction.z = guidance.direction
    return msg


def policy_info_to_msg(spec: PolicySpec, stamp: Time) -> PolicyInfo:
    """What a policy's chunks mean, as a message."""
    msg = PolicyInfo(
        name=spec.name,
        weights_sha256=spec.weights_sha256,
        horizon=spec.horizon,
        dim=spec.dim,
        execute_rows=spec.execute_rows,
        row_duration=spec.row_duration,
        dim_names=list(spec.dim_names),
        full_scale=list(spec.full_scale),
        feature_parts=list(spec.feature_parts),
    )
    msg.header.stamp = stamp
    msg.header.frame_id = spec.frame_id
    msg.action_space.value = int(spec.action_space)
    return msg


def spec_from_msg(msg: PolicyInfo) -> PolicySpec:
    """A policy's description, without its cameras, which the message does not tell.

    Raises:
        MessageError: the action space is unknown, or sizes contradict each other.
    """
    try:
        space = ActionSpace(msg.action_space.value)
    except ValueError:
        space = ActionSpace.UNKNOWN
    if space is ActionSpace.UNKNOWN:
        known = ", ".join(f"{known.value} ({known.name})" for known in ActionSpace if known is not ActionSpace.UNKNOWN)
        raise MessageError(f"policy_info action_space is {msg.action_space.value}; it must be one of {known}")
    if msg.dim != space.dim:
        raise MessageError(f"policy_info dim is {msg.dim}; it must be {space.dim} in {space.name}")
    if not 1 <= msg.execute_rows <= msg.horizon:
        raise MessageError(f"policy_info execute_rows is {msg.execute_rows}; it must lie in [1, horizon {msg.horizon}]")
    if not 0.0 < msg.row_duration <= 1.0:
        raise MessageError(f"policy_info row_duration is {msg.row_duration} s; it must lie in (0, 1] s")
    for name, found in (("dim_names", msg.dim_names), ("full_scale", msg.full_scale)):
        if len(found) != msg.dim:
            raise MessageError(f"policy_info {name} has {len(found)} entries; it must have {msg.dim}")
    if not all(math.isfinite(scale) and scale > 0 for scale in msg.full_scale):
        raise MessageError(f"policy_info full_scale is {list(msg.full_scale)}; every entry must be above 0")
    return PolicySpec(
        name=msg.name,
        weights_sha256=msg.weights_sha256,
        action_space=space,
        horizon=msg.horizon,
        dim=msg.dim,
        execute_rows=msg.execute_rows,
        row_duration=msg.row_duration,
        frame_id=msg.header.frame_id,
        dim_names=tuple(msg.dim_names),
        full_scale=tuple(msg.full_scale),
        cameras=(),
        feature_parts=tuple(msg.feature_parts),
    )
