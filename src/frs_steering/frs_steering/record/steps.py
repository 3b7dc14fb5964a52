"""An episode as a sequence of control steps: what was seen, measured, commanded, and by which decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.reader import image, records
from frs_steering.record.topics import image_topic

CAMERAS = ("exterior", "wrist")
_IMAGES = {image_topic(camera): camera for camera in CAMERAS}


# Numbers as in frs_msgs/GateReport: a recording is read without it.
_CHUNK_AS_A_WHOLE = -1  # row
_HELD = 3  # which only a control step can be


def is_step(report: Any) -> bool:
    """Whether a gate report is about a control step, not about a chunk on its arrival."""
    return report.row != _CHUNK_AS_A_WHOLE or report.verdict == _HELD or not report.chunk_id  # on the way home


@dataclass(frozen=True)
class ControlStep:
    """One control step of an episode, 1/15 s.

    Attributes:
        tick: number of the control step.
        images: camera -> (h, w, 3) uint8 RGB, the newest that had come.
        joint_position: (7,) rad, measured before the step.
        gripper: 0 open .. 1 closed, measured before the step.
        tcp_position: (3,) m, base frame, before the step.
        tcp_quaternion: (4,) x, y, z, w, before the step.
        commanded: (7,) rad/s, that passed the gate and was sent.
        gripper_commanded: 0 open .. 1 closed.
        row: of the chunk that drove; -1 where none did, and the arm braked or held.
        decision: the frs_msgs/Decision behind that chunk; the last one that drove where none did.
    """

    tick: int
    images: Mapping[str, np.ndarray]
    joint_position: np.ndarray
    gripper: float
    tcp_position: np.ndarray
    tcp_quaternion: np.ndarray
    commanded: np.ndarray
    gripper_commanded: float
    row: int
    decision: Any


def control_steps(recording: Path) -> Iterator[ControlStep]:
    """Yield the control steps from the first that a chunk drove to the last.

    What a chunk drove that was decided before the recording began is passed over: why it did so is not in the file.

    Args:
        recording: the episode's directory or file; a partial one will do.

    Raises:
        JournalError: the recording can't be read, or a step lacks an image of a camera or its decision.
    """
    told = sorted(  # by time; what came at the same moment as an image has seen it
        records(recording, [*_IMAGES, "arm_state", "gate_report", "decision"]),
        key=lambda record: (record.log_time, record.known_as not in _IMAGES),
    )
    # All decisions at once: one may be told a little later than the first step that its chunk drives.
    made = [record.message for record in told if record.known_as == "decision"]
    decisions = {(decision.owner_epoch, decision.chunk_id): decision for decision in made}
    reports = {
        record.message.tick: record.message
        for record in told
        if record.known_as == "gate_report" and is_step(record.message)
    }
    last = max((tick for tick, report in reports.items() if report.row >= 0), default=-1)
    seen: dict[str, Any] = {}
    decision = None
    for record in told:
        camera = _IMAGES.get(record.known_as)
        if camera is not None:
            seen[camera] = record
        if record.known_as != "arm_state":
            continue
        state, report = record.message, reports.get(record.message.tick)
        if report is not None and report.row >= 0:
            found = decisions.get((state.owner_epoch, report.chunk_id))
            if found is None and decision is not None:
                raise JournalError(f"{recording}: the decision on chunk {report.chunk_id} is not in the file")
            decision = found
        if decision is None or state.tick > last:
            continue
        if missing := [name for name in CAMERAS if name not in seen]:
            raise JournalError(f"{recording}: no image of camera {missing[0]!r} came before the arm was driven")
        pose = state.tcp_pose
        yield ControlStep(
            tick=state.tick,
            images={name: image(seen[name]) for name in CAMERAS},
            joint_position=np.array(state.position, np.float64),
            gripper=float(state.gripper),
            tcp_position=np.array([pose.position.x, pose.position.y, pose.position.z]),
            tcp_quaternion=np.array([pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w]),
            commanded=np.zeros(7) if report is None else np.array(report.commanded, np.float64),
            gripper_commanded=float(state.gripper if report is None else report.gripper),
            row=-1 if report is None else int(report.row),
            decision=decision,
        )
