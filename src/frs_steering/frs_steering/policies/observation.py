"""Assembly of one consistent observation out of streams that arrive each at its own time.

Staleness is judged by the receiver's monotonic clock, which the caller passes in; the senders' stamps are
only compared with each other (skew). Nothing is ever filled in: what is missing or stale is named.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frs_steering.policies.frozen import Pictures
from frs_steering.policies.interface import GRIPPER_LAGS, Observation

_NANO = 1e-9


class ObservationError(ValueError):
    """No consistent observation can be made; the message names what is missing, stale or malformed."""


@dataclass(frozen=True)
class Freshness:
    """How old and how far apart the parts of an observation may be.

    Attributes:
        image_age: s, since receipt, of each camera image.
        joint_age: s, since receipt, of each joint's position.
        skew: s, between the oldest and the newest of the senders' stamps.
    """

    image_age: float = 0.2
    joint_age: float = 0.2
    skew: float = 0.2


@dataclass(frozen=True)
class JointLayout:
    """Which joints make the policy's proprioception.

    Attributes:
        arm: names of the arm's joints, base first.
        gripper: name of the gripper's joint.
        gripper_open: its position when open, in its own unit.
        gripper_closed: its position when closed.
    """

    arm: tuple[str, ...]
    gripper: str
    gripper_open: float
    gripper_closed: float = 0.0


@dataclass(frozen=True)
class Frame:
    """One camera image as it came, its buffer not copied.

    Attributes:
        data: buffer of `step * height` bytes.
        height: rows.
        width: columns.
        step: bytes of one row, padding included.
        encoding: 'rgb8' or 'bgr8', by the names of sensor_msgs/image_encodings.
        stamp: ns, by the sender's clock.
    """

    data: bytes | Sequence[int]
    height: int
    width: int
    step: int
    encoding: str
    stamp: int


@dataclass(frozen=True)
class Moment:
    """An observation and when it was.

    Attributes:
        observation: what the policy sees.
        stamp: ns, by the senders' clock, of the oldest image in it.
        camera_age: s, since receipt of the oldest image in it.
    """

    observation: Observation
    stamp: int
    camera_age: float


@dataclass(frozen=True)
class _Received:
    """A value with its stamp (ns, sender's clock) and the time of its receipt (s, receiver's monotonic clock)."""

    value: float
    stamp: int
    at: float


class ObservationAssembler:
    """Keeps the newest of every stream and puts them together on demand. May be fed from another thread."""

    def __init__(self, cameras: Sequence[str], joints: JointLayout, freshness: Freshness) -> None:
        self._cameras = tuple(cameras)
        self._layout = joints
        self._freshness = freshness
        self._frames: dict[str, tuple[Frame, float]] = {}
        self._pictures: dict[str, Pictures] = {}
        self._joints: dict[str, _Received] = {}
        # The gripper's joint, oldest first, as far back as the longest lag; 1 kHz at most, whatever the stamps say.
        self._grips: deque[_Received] = deque(maxlen=2000)
        self._instruction = ""
        self._lock = threading.Lock()

    def put_image(self, camera: str, frame: Frame, now: float) -> None:
        """Keep the newest image of `camera`, received at `now` (s, monotonic)."""
        with self._lock:
            self._frames[camera] = (frame, now)
            joints = [self._joints[name].value for name in self._layout.arm if name in self._joints]
            known = np.array(joints) if len(joints) == len(self._layout.arm) else None
            before = self._pictures.get(camera, Pictures(b"", None))
            self._pictures[camera] = before.followed_by(frame.data, known)

    def put_joints(self, names: Sequence[str], positions: Sequence[float], stamp: int, now: float) -> None:
        """Keep the newest positions of the named joints, received at `now` (s, monotonic).

        Arm and gripper may come in separate messages, as some drivers send them.
        """
        fresh = {name: _Received(position, stamp, now) for name, position in zip(names, positions, strict=False)}
        with self._lock:
            self._joints.update(fresh)
            if self._layout.gripper in fresh:
                self._remember(fresh[self._layout.gripper])

    def put_instruction(self, text: str) -> None:
        """Keep the instruction in words; it holds until another one comes."""
        with self._lock:
            self._instruction = text.strip()

    def assemble(self, now: float) -> Moment:
        """Put the newest of every stream together.

        Args:
            now: s, the monotonic clock that receipt times were taken from.

        Raises:
            ObservationError: a stream never came, is stale, malformed, or too far from the others.
        """
        with self._lock:
            frames, joints, instruction = dict(self._frames), dict(self._joints), self._instruction
            grips = tuple(self._grips)
        self._check(frames, joints, instruction, now)
        observation = Observation(
            images={camera: rgb(camera, frames[camera][0]) for camera in self._cameras},
            joint_position=np.array([joints[name].value for name in self._layout.arm]),
            gripper=self._gripper(joints[self._layout.gripper].value),
            gripper_before=(self._before(grips, GRIPPER_LAGS[0]), self._before(grips, GRIPPER_LAGS[1])),
            instruction=instruction,
        )
        return Moment(
            observation,
            stamp=min(frames[camera][0].stamp for camera in self._cameras),
            camera_age=now - min(frames[camera][1] for camera in self._cameras),
        )

    def why_not(self, now: float) -> str:
        """What keeps the streams from being put together at `now` (s, monotonic), in words; empty where nothing does.

        Without looking into the images: at most as costly as their number.
        """
        with self._lock:
            frames, joints, instruction = dict(self._frames), dict(self._joints), self._instruction
        try:
            self._check(frames, joints, instruction, now)
        except ObservationError as error:
            return str(error)
        return ""

    def _check(
        self,
        frames: Mapping[str, tuple[Frame, float]],
        joints: Mapping[str, _Received],
        instruction: str,
        now: float,
    ) -> None:
        self._check_images(frames, now)
        self._check_joints(joints, now)
        if not instruction:
            raise ObservationError("no instruction came yet; the policy must be told what to do")
        self._check_skew(frames, joints)

    def _remember(self, grip: _Received) -> None:
        if not math.isfinite(grip.value):
            return
        if self._grips and grip.stamp < self._grips[-1].stamp:
            self._grips.clear()  # its sender was started again with another clock
        self._grips.append(grip)
        while len(self._grips) > 1 and grip.stamp - self._grips[1].stamp >= GRIPPER_LAGS[1] / _NANO:
            self._grips.popleft()

    def _before(self, grips: Sequence[_Received], lag: float) -> float:
        then = grips[-1].stamp - lag / _NANO
        return self._gripper(next((grip for grip in reversed(grips) if grip.stamp <= then), grips[0]).value)

    def _check_images(self, frames: Mapping[str, tuple[Frame, float]], now: float) -> None:
        # What never came first: it says more than what is a little late, on a busy machine, for a moment.
        if never := [camera for camera in self._cameras if camera not in frames]:
            raise ObservationError(f"camera {never[0]!r} never came")
        for camera in self._cameras:
            _check_age(f"camera {camera!r}", now - frames[camera][1], self._freshness.image_age)
            if self._pictures[camera].are_frozen:
                raise ObservationError(f"camera {camera!r} repeats one picture though the arm turns: its driver hangs")

    def _check_joints(self, joints: Mapping[str, _Received], now: float) -> None:
        for name in (*self._layout.arm, self._layout.gripper):
            if name not in joints:
                known = f"; joint states name {', '.join(sorted(joints))}" if joints else ""
                raise ObservationError(f"joint {name!r} never came{known}")
            if not math.isfinite(joints[name].value):
                raise ObservationError(f"joint {name!r} is at {joints[name].value}; it must be finite")
            _check_age(f"joint {name!r}", now - joints[name].at, self._freshness.joint_age)

    def _check_skew(self, frames: Mapping[str, tuple[Frame, float]], joints: Mapping[str, _Received]) -> None:
        stamps = {f"camera {camera!r}": frames[camera][0].stamp for camera in self._cameras}
        stamps |= {f"joint {name!r}": joints[name].stamp for name in (*self._layout.arm, self._layout.gripper)}
        oldest, newest = min(stamps, key=stamps.__getitem__), max(stamps, key=stamps.__getitem__)
        skew = (stamps[newest] - stamps[oldest]) * _NANO
        if skew > self._freshness.skew:
            raise ObservationError(
                f"{oldest} is stamped {skew:.3f} s before {newest}; at most {self._freshness.skew:.3f} s allowed"
            )

    def _gripper(self, position: float) -> float:
        opened, closed = self._layout.gripper_open, self._layout.gripper_closed
        return min(1.0, max(0.0, (position - opened) / (closed - opened)))


def rgb(camera: str, frame: Frame) -> NDArray[np.uint8]:
    """View a frame as (h, w, 3) uint8 RGB; copied only where its rows are padded or its channels swapped.

    Raises:
        ObservationError: the encoding is another, or the sizes contradict each other.
    """
    if frame.encoding not in ("rgb8", "bgr8"):
        raise ObservationError(f"camera {camera!r} sends encoding {frame.encoding!r}; it must be 'rgb8' or 'bgr8'")
    size = f"{frame.width} x {frame.height}"
    if frame.width < 1 or frame.height < 1:
        raise ObservationError(f"camera {camera!r} sends an image of {size} pixels; it must hold at least one")
    if frame.step < 3 * frame.width:
        raise ObservationError(
            f"camera {camera!r} sends rows of {frame.step} bytes; "
            f"{frame.encoding} of {size} pixels needs {3 * frame.width}"
        )
    data = np.frombuffer(frame.data, np.uint8)  # type: ignore[arg-type]
    if data.size != frame.step * frame.height:
        raise ObservationError(
            f"camera {camera!r} sends {data.size} bytes; {frame.height} rows of {frame.step} bytes are "
            f"{frame.step * frame.height}"
        )
    pixels = data.reshape(frame.height, frame.step)[:, : 3 * frame.width].reshape(frame.height, frame.width, 3)
    return np.ascontiguousarray(pixels[..., ::-1] if frame.encoding == "bgr8" else pixels)


def _check_age(what: str, age: float, limit: float) -> None:
    if age > limit:
        raise ObservationError(f"{what} is {age:.2f} s old; at most {limit:.2f} s allowed")
