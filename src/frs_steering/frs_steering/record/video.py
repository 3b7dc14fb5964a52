"""A video of an episode for people, made from its recording alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.overlay import ACTING, HEIGHT, NOISE_POLICY, WIDTH, CameraView, Moment, draw
from frs_steering.record.reader import Record, image, records, summarise
from frs_steering.record.topics import image_topic

FRAME_RATE = 15  # Hz, the rate of cameras and control
LAST_LOOK = 2.0  # s for which the last picture stays

_EXTERIOR, _WRIST = image_topic("exterior"), image_topic("wrist")
_TOPICS = (_EXTERIOR, _WRIST, "instruction", "decision", "arm_state", "episode_event")

# Numbers as in frs_msgs, which the core does not import.
_SOURCES = {0: "policy", 1: "human", 2: "VLM", 3: "scripted reasoner", 4: NOISE_POLICY}
_GRIPPER_WISHES = {0: "", 1: "open", 2: "close"}
_ARM_STATES = {0: "idle", 1: "armed", 2: "running", 3: "holding", 4: "fault", 5: "stopped"}
_SUCCEEDED, _FAILED = 2, 3
_VERDICTS = {"succeeded": "success", "failed": "failure"}


def episode_video(recording: Path, output: Path, view: CameraView | None = None) -> int:
    """Write an H.264 MP4 that browsers play: both cameras, the wish in force, who steers, how it ended.

    Args:
        recording: the episode's directory or file; a partial one will do.
        output: the .mp4 to write.
        view: of the exterior camera; with it the direction is also drawn into the scene.

    Returns:
        Number of frames.

    Raises:
        JournalError: the recording can't be read or holds no image.
        OSError: the video can't be written.
    """
    stream = imageio_ffmpeg.write_frames(
        str(output), (WIDTH, HEIGHT), fps=FRAME_RATE, codec="libx264", pix_fmt_out="yuv420p", macro_block_size=2,
        quality=None, output_params=["-preset", "veryfast", "-crf", "21", "-movflags", "+faststart"],
    )  # fmt: skip
    stream.send(None)
    frames = 0
    try:
        for moment in moments(recording):
            picture = draw(moment, view)
            stream.send(np.ascontiguousarray(picture))
            frames += 1
        if frames == 0:
            raise JournalError(f"{recording} holds no camera image: no video can be made from it")
        for _ in range(round(LAST_LOOK * FRAME_RATE)):
            stream.send(np.ascontiguousarray(picture))
            frames += 1
    finally:
        stream.close()
    return frames


def episode_frame(recording: Path, seconds: float, view: CameraView | None = None) -> np.ndarray:
    """The picture at one moment of an episode, (HEIGHT, WIDTH, 3) uint8 RGB.

    Args:
        recording: the episode's directory or file.
        seconds: since the beginning; the last picture for a later time.
        view: of the exterior camera, as for episode_video.

    Raises:
        JournalError: the recording can't be read or holds no image.
    """
    chosen = None
    for moment in moments(recording):
        chosen = moment
        if moment.seconds >= seconds:
            break
    if chosen is None:
        raise JournalError(f"{recording} holds no camera image")
    return draw(chosen, view)


def moments(recording: Path) -> Iterator[Moment]:
    """What was to be seen at each 1/15 s of an episode, from when each camera that it has has given an image.

    The last moment carries the verdict of the label where no event told it before.

    Raises:
        JournalError: the recording can't be read.
    """
    summary = summarise(recording)
    now = Moment(instruction=summary.episode.get("instruction", ""))
    told = sorted(records(recording, _TOPICS), key=lambda record: (record.log_time, not _is_image(record)))
    # All decisions at once: one may be told a little later than the first step that its chunk drives.
    made = [record.message for record in told if record.known_as == "decision"]
    decisions = {(decision.owner_epoch, decision.chunk_id): decision for decision in made}
    first_images = {record.topic: record.log_time for record in reversed(told) if _is_image(record)}
    begin, shown = max(first_images.values(), default=0), 0
    for record in told:
        while begin and shown * 10**9 < (record.log_time - begin) * FRAME_RATE:
            yield replace(now, seconds=shown / FRAME_RATE)
            shown += 1
        now = _updated(now, record, decisions)
    if begin:
        verdict = now.verdict or _VERDICTS.get(summary.result.get("label", ""), "")
        yield replace(now, seconds=shown / FRAME_RATE, verdict=verdict)


def _is_image(record: Record) -> bool:
    return record.known_as in (_EXTERIOR, _WRIST)


def _updated(now: Moment, record: Record, decisions: dict[tuple[int, int], Any]) -> Moment:
    message = record.message
    if record.known_as == _EXTERIOR:
        return replace(now, exterior=image(record))
    if record.known_as == _WRIST:
        return replace(now, wrist=image(record))
    if record.known_as == "instruction":
        return replace(now, instruction=message.data)
    if record.known_as == "episode_event":
        verdict = {_SUCCEEDED: "success", _FAILED: "failure"}.get(message.kind, now.verdict)
        return replace(now, verdict=verdict)
    if record.known_as == "arm_state":
        return with_arm_state(now, message, decisions)
    return now


def with_arm_state(now: Moment, state: Any, decisions: Mapping[tuple[int, int], Any]) -> Moment:
    """What an ArmState tells: where the arm is, and whose wish made the chunk that drives it.

    Args:
        now: what is known so far.
        state: the frs_msgs/ArmState.
        decisions: frs_msgs/Decision by (owner_epoch, chunk_id); the policy is taken to act on a chunk without one.
    """
    at = state.tcp_pose.position
    arm = _ARM_STATES.get(state.state, "?")
    now = replace(now, tcp=(at.x, at.y, at.z), arm=f"{arm}, chunk {state.chunk_id}" if state.chunk_id else arm)
    decision = decisions.get((state.owner_epoch, state.chunk_id))
    if decision is None:
        return replace(now, steered_by="policy", direction=(0.0, 0.0, 0.0), gripper="", remark="")
    steered_by = _SOURCES.get(decision.source, "policy")
    if decision.deferred or (decision.guidance.defer and steered_by != NOISE_POLICY):
        steered_by = "policy"
    acts = steered_by in ACTING
    wish = decision.guidance.direction
    return replace(
        now,
        steered_by=steered_by,
        direction=(0.0, 0.0, 0.0) if acts else (wish.x, wish.y, wish.z),
        amount=decision.guidance.amount,
        gripper="" if acts else _GRIPPER_WISHES.get(decision.guidance.gripper, ""),
        remark=decision.defer_reason if decision.deferred else "",
    )
