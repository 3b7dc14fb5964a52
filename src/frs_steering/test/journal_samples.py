"""Recordings for the journal's tests: real messages, serialised by the middleware, written by the journal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from frs_msgs.msg import ActionChunk, ArmState, Decision, EpisodeEvent, GateReport, PolicyInfo, PolicyInput
from mcap.records import Chunk
from mcap.stream_reader import StreamReader
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from frs_steering.record.bag import Channel, installed_channel
from frs_steering.record.topics import STORED_IMAGE, Kind, Topic, episode_topics, stored_name
from frs_steering.record.writer import Episode, JournalWriter, Limits, Progress

START = 1_750_000_000_000_000_000  # ns
TICK = 10**9 // 15  # ns
CAMERAS = ("exterior", "wrist")
TOPICS = episode_topics(CAMERAS)
H, D = 16, 7
INSTRUCTION = "put the egg in the basket"


def channel(topic: Topic, namespace: str = "") -> Channel:
    """As the recorder makes it, in a namespace ("/lab"; the root's is empty) and without publishers."""
    name = stored_name(topic)
    full = name if name.startswith("/") else f"{namespace}/{name}"
    return installed_channel(full, STORED_IMAGE if topic.kind is Kind.IMAGE else topic.type, name=name)


CHANNELS = [channel(topic) for topic in TOPICS]
INDEX = {topic.name: number for number, topic in enumerate(TOPICS)}


def picture(tick: int, size: int = 64) -> np.ndarray:
    """(size, size, 3) uint8 RGB, smooth, its red channel brighter with every tick."""
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    red = np.full((size, size), min(255, 4 * tick), np.uint8)
    return np.stack([red, np.tile(ramp, (size, 1)), np.tile(ramp[:, None], (1, size))], axis=-1)


def image_message(pixels: np.ndarray, encoding: str = "rgb8", frame: str = "exterior") -> Image:
    """A sensor_msgs/Image of (h, w) or (h, w, c) uint8 pixels."""
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding, step=pixels[0].size)
    message.header.frame_id = frame
    message.data.frombytes(np.ascontiguousarray(pixels).tobytes())
    return message


def decision(chunk_id: int, *, steered: bool = True) -> Decision:
    """A decision of a 16 x 7 chunk; odd ones forward, even ones down."""
    message = Decision(chunk_id=chunk_id, owner_epoch=1, horizon=H, dim=D, steps=10, method="frs", policy="embedded")
    message.refined = message.noise_used = [0.0] * (H * D)
    message.command_mask = [steered and number % D < 3 for number in range(H * D)]
    message.features, message.feature_parts = [0.5] * 4, [1, 3]
    if steered:
        message.source = Decision.SOURCE_SCRIPTED
        message.reference = message.noise_recovered = [0.1] * (H * D)
        message.guidance.amount = 1.0
        if chunk_id % 2:
            message.guidance.direction.x = 1.0
        else:
            message.guidance.direction.z = -1.0
    else:
        message.guidance.defer = True
    return message


def policy_input(chunk_id: int) -> PolicyInput:
    """What the policy saw when it made a chunk."""
    images = [image_message(picture(chunk_id, 8)) for _ in CAMERAS]
    return PolicyInput(seed=chunk_id, cameras=list(CAMERAS), images=images)


def arm_state(tick: int, chunk_id: int) -> ArmState:
    """Running on a chunk, the tool centre point half a metre before the base."""
    message = ArmState(state=ArmState.RUNNING, tick=tick, chunk_id=chunk_id, owner_epoch=1, owner="flow_steering")
    message.tcp_pose.position.x, message.tcp_pose.position.z = 0.5, 0.3
    return message


def tick_messages(tick: int) -> list[tuple[str, Any]]:
    """What the graph says in one control step, as (relative topic, message)."""
    chunk_id = 1 + tick // 8
    messages: list[tuple[str, Any]] = [
        *((f"camera/{name}/color/image_raw", image_message(picture(tick), frame=name)) for name in CAMERAS),
        # With an effort: rmw's serialize() leaves stray bytes behind an empty last sequence, the wire does not.
        ("joint_states", JointState(name=["fr3_joint1"], position=[0.1 * tick], velocity=[0.0], effort=[0.0])),
        ("arm_state", arm_state(tick, chunk_id)),
        ("gate_report", GateReport(tick=tick, chunk_id=chunk_id)),
        ("fr3_arm_controller/joint_trajectory", JointTrajectory(joint_names=["fr3_joint1"])),
    ]
    if tick == 0:
        messages += [
            ("instruction", String(data=INSTRUCTION)),
            ("policy_info", PolicyInfo(name="embedded", horizon=H, dim=D)),
            ("episode_event", EpisodeEvent(kind=EpisodeEvent.STARTED, episode_id="sample")),
        ]
    if tick % 8 == 0:
        messages += [
            ("policy_input", policy_input(chunk_id)),
            ("decision", decision(chunk_id, steered=chunk_id != 3)),
            ("action_chunk", ActionChunk(chunk_id=chunk_id, owner_epoch=1, horizon=H, dim=D, rows=[0.0] * (H * D))),
        ]
    return messages


def put_tick(writer: JournalWriter, tick: int, *, leave_out: str = "") -> int:
    """Hand one control step to a writer, all but one topic; returns how many messages that were."""
    messages = [(name, message) for name, message in tick_messages(tick) if name != leave_out]
    for name, message in messages:
        index, stamp = INDEX[name], START + tick * TICK
        image = TOPICS[index].kind is Kind.IMAGE
        writer.put(index, serialize_message(message), stamp, stamp - 1000, image=image)
    return len(messages)


def write_episode(
    directory: Path,
    name: str = "sample",
    *,
    ticks: int = 30,
    label: str = "succeeded",
    limits: Limits | None = None,
    leave_out: str = "",
    episode: Episode | None = None,
    channels: Sequence[Channel] = CHANNELS,
) -> Progress:
    """Record an episode of some control steps, all but one topic, and close it.

    A step is written before the next comes, as when a robot gives them: else the images, which wait for all else, would
    all be at the file's end.
    """
    told = episode or Episode(name, "egg_in_basket", INSTRUCTION, 7)
    writer = JournalWriter(directory, told, channels, limits or Limits())
    handed = 0
    for tick in range(ticks):
        handed += put_tick(writer, tick, leave_out=leave_out)
        while not _caught_up(writer.progress(), handed):
            time.sleep(0.001)
    return writer.close(label, "a sample")


def _caught_up(now: Progress, handed: int) -> bool:
    return bool(now.failure) or now.messages + now.dropped_control + now.dropped_images >= handed


def chunks(path: Path) -> list[tuple[int, int]]:
    """Offset and end of every chunk record of a whole file."""
    with path.open("rb") as stream:
        spans, begin = [], 8
        for record in StreamReader(stream, emit_chunks=True).records:
            if isinstance(record, Chunk):
                spans.append((begin, stream.tell()))
            begin = stream.tell()
    return spans


def cut(episode: Path, name: str = "sample") -> Path:
    """Turn a whole episode into what a recorder leaves that dies while writing the last chunk."""
    whole = episode / f"{name}.mcap"
    begin, end = chunks(whole)[-1]
    partial = whole.with_name(f"{name}.mcap.partial")
    partial.write_bytes(whole.read_bytes()[: (begin + end) // 2])
    whole.unlink()
    (episode / "metadata.yaml").unlink()
    return partial
