"""Demonstrations by the scripted experts: what the embedded policy learns from.

Every fourth control step gives a frame, labelled with the chunk that the expert would drive from there on if nothing
disturbed it. Who drove there does not matter: a disturbed expert, or, in turns with it, a policy that learns (DAgger,
arXiv 1011.0686), alone or steered. Each worker process runs episodes in its own free-running cell and writes one shard
per batch of episodes; a shard that is there already is kept, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import torch

from frs_sim import workshop
from frs_sim.cell import CONTROL_RATE, Cell, Eyes
from frs_sim.disturbance import Disturbance
from frs_sim.expert import Phase, Style, plan
from frs_sim.frames import look, seen, write_columns, write_shards
from frs_sim.oracle import oracle
from frs_sim.poses import anywhere
from frs_sim.tasks import FIRST_HELD_OUT_SEED
from frs_sim.wander import Wander, imagine_legs
from frs_steering.arm.chunk import requested_gripper
from frs_steering.policies import Observation, Policy
from frs_steering.robot.kinematics import joint_velocity
from frs_steering.steer.decision import decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.method import Method

EPISODES_PER_SHARD = 10
HORIZON = 16  # rows of a chunk
KEPT_EVERY = 4  # control steps; frames in between are much alike, and rendering is what takes the time
AFTER_SUCCESS = 20  # control steps that are still recorded, so that the hand learns to leave
SPEEDS = (0.15, 0.30)  # m/s; the full coarse command of 0.25 lies within
STEERED = 0.5  # share of the policy's turns in which it is steered, and told nothing that it knows
UNKNOWN = "do something"
ANYWHERE = 0.3  # share of the episodes that begin with the hand anywhere: low beside a thing, too, with closed fingers
WANDERS = 0.5  # share of the expert's episodes that wander on their way; about half of their frames do
UNTOLD = ""  # the instruction of a frame that no sentence asks for
TRIES = 20  # of a place at which the hand touches nothing
ONE_AXIS = 0.5  # share of the episodes that are driven one axis after another, as coarse guidance is


@dataclass(frozen=True)
class Shard:
    """What one worker writes: episodes `first` .. `first + count - 1` of a task.

    The file is an uncompressed .npz: images_<camera> (N, s, s, 3) uint8 RGB; joint_position (N, 7) f32 rad;
    grips (N, 3) f32, the gripper now and GRIPPER_LAGS ago; chunk (N, H, 7) f32 SI, what the expert would do; things
    (N, T, 3) f32 m, positions relative to the TCP, NaN where a thing is absent; instruction (N,) str, UNTOLD where the
    hand wanders.
    """

    task: str
    first: int
    count: int
    seed: int
    image_size: int
    weights: Path | None

    def path(self, directory: Path) -> Path:
        """Where it lies: another one for everything that it depends on but the code and the size of its images."""
        turns = f"-turns{sha256(self.weights.read_bytes()).hexdigest()[:8]}" if self.weights else ""
        return directory / f"{self.task}-{self.seed}{turns}-{self.first:05d}-{self.count}.npz"


def generate(
    tasks: Sequence[str],
    episodes: int,
    directory: Path,
    *,
    seed: int = 0,
    jobs: int = 2,
    image_size: int = 64,
    weights: Path | None = None,
) -> list[Path]:
    """Demonstrate each task `episodes` times; failed episodes are left out. Returns the shards' paths.

    Where `weights` of an embedded policy are given, it takes turns with the expert.
    """
    shards = [
        Shard(task, first, min(EPISODES_PER_SHARD, episodes - first), seed, image_size, weights)
        for first in range(0, episodes, EPISODES_PER_SHARD)
        for task in tasks
    ]
    return write_shards(shards, directory, _write, jobs, "episode")


def _write(shard: Shard, directory: Path) -> int:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    policy = None if shard.weights is None else workshop.policy(shard.weights)
    kept: list[dict[str, np.ndarray]] = []
    for index in range(shard.first, shard.first + shard.count):
        episode = _demonstrate(workshop.cell(), workshop.eyes(), policy, shard, index)
        if episode is not None:
            kept.append(episode)
    if kept:
        write_columns(kept, shard.path(directory))
    return len(kept)


def _demonstrate(
    cell: Cell, eyes: Eyes, policy: Policy | None, shard: Shard, index: int
) -> dict[str, np.ndarray] | None:
    rng = np.random.default_rng([shard.seed, index, _number(shard.task)])
    cell.reset(shard.task, int(rng.integers(FIRST_HELD_OUT_SEED)))
    disturbance, style = Disturbance(rng), _style(rng)
    if rng.random() < ANYWHERE:
        _begin_anywhere(cell, rng)
    rows: dict[str, list[np.ndarray]] = {}
    wander = Wander(rng) if policy is None and rng.random() < WANDERS else None
    left, policy_left, steered = AFTER_SUCCESS, 0, False
    chunk = np.empty((0, 7))
    limit = cell.task.step_limit * (2 if wander else 1) + AFTER_SUCCESS
    while cell.steps < limit and left > 0:
        truth = cell.truth()
        kept = cell.steps % KEPT_EVERY == 0
        phase = plan(cell.task, truth).phase
        legs = wander.next(phase, truth) if wander else ()
        label = imagine_legs(legs, cell.task, truth, HORIZON if kept else 1, 1.0 / CONTROL_RATE, style)
        if kept:
            frame = seen(cell, look(cell, eyes), shard.image_size) | {
                "chunk": label.astype(np.float32),
                "instruction": np.array(UNTOLD if legs else cell.task.instruction),
            }
            for key, value in frame.items():
                rows.setdefault(key, []).append(value)
        if policy is not None and policy_left == 0 and rng.random() < 0.03:
            policy_left, steered = int(rng.integers(8, 40)), bool(rng.random() < STEERED)
        if policy is not None and policy_left > 0:
            if not len(chunk):
                told = UNKNOWN if steered else cell.task.instruction
                views = look(cell, eyes)
                observation = Observation(views, cell.joint_position, cell.gripper, cell.gripper_before, told)
                wish = oracle(cell.task, truth) if steered else None
                made = decide(policy, observation, wish, Trust(), method=Method(), seed=int(rng.integers(2**31)))
                assert made.answer.chunk is not None, "a decision gives a chunk"
                chunk = made.answer.chunk[: policy.spec.execute_rows]
            action, chunk, policy_left = chunk[0], chunk[1:], policy_left - 1
            action[6] = requested_gripper(action)
        else:
            chunk = chunk[:0]
            action = disturbance.next(label[0], Phase.LOWER if legs else phase)  # a leg is push enough
        cell.step(joint_velocity(cell.joint_position, action[:6]), float(action[6]))
        left -= cell.success
    return {key: np.stack(values) for key, values in rows.items()} if cell.success else None


def _number(task: str) -> int:
    # Another for each task, so that no two meet the same scenes and disturbances.
    return zlib.crc32(task.encode())


def _begin_anywhere(cell: Cell, rng: np.random.Generator) -> None:
    there = list(cell.truth().positions.values())
    for _ in range(TRIES):
        if cell.place_arm(anywhere(there, rng), float(rng.random() < 0.3)):
            return
    cell.reset(cell.task.name, cell.seed)  # too full: from where episodes begin


def _style(rng: np.random.Generator) -> Style:
    axes = tuple(int(axis) for axis in rng.permutation(3)) if rng.random() < ONE_AXIS else ()
    return Style(float(rng.uniform(*SPEEDS)), axes)
