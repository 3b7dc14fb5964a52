"""Chunks that mean harm, an arm that obeys or a simulated one, and what it did wrong: for the tests and the soak."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Protocol

import fr3_model
import numpy as np

from frs_steering.arm import self_collision
from frs_steering.arm.chunk import Chunk
from frs_steering.arm.execution import Execution
from frs_steering.arm.limits import MARGIN, Limits, limits_of
from frs_steering.arm.reading import Reading
from frs_steering.arm.robots import FR3, Robot
from frs_steering.arm.settings import Settings
from frs_steering.arm.verdicts import Verdict
from frs_steering.robot.fr3 import BASE_FRAME, RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian, tcp_pose, wrist_and_tcp_poses
from frs_steering.robot.spaces import ActionSpace

PERIOD = 1 / 15  # s
HORIZON = 16
SPACES = (ActionSpace.JOINT_VELOCITY, ActionSpace.JOINT_POSITION, ActionSpace.CARTESIAN_VELOCITY)
ROUNDING = 1 + 1e-6
LOOKED_AT = 50
"""Every so many poses the meshes of MuJoCo's model are held against the table, which takes longer than the rest."""

TABLE_LOOKS = 5
"""The same for what was measured."""

Rows = Callable[[np.random.Generator, int], np.ndarray]

KINDS: tuple[Rows, ...] = (
    lambda rng, dim: rng.normal(0.0, 0.3, (HORIZON, dim)),
    lambda rng, dim: np.tile(rng.normal(0.0, 1.0, dim), (HORIZON, 1)),  # pushes on in one direction
    lambda rng, dim: rng.choice([-4.0, 4.0], (HORIZON, dim)),  # shakes
    lambda rng, dim: rng.normal(0.0, 1.0, (HORIZON, dim)) * 10.0 ** rng.integers(-300, 300),
    lambda rng, dim: np.where(rng.random((HORIZON, dim)) < 0.02, np.nan, 0.5),
    lambda rng, dim: np.where(rng.random((HORIZON, dim)) < 0.02, np.inf, -0.5),
    lambda rng, dim: np.outer(rng.random(HORIZON) < 0.5, np.eye(dim)[rng.integers(dim)]) * 3.0,  # DROID's full scale
    lambda rng, dim: RESET_POSITION[np.arange(dim) % 7] + rng.uniform(-3.0, 3.0, dim) * np.ones((HORIZON, 1)),
)


LAPSES = 0.03
"""Probability a control step that the controller hangs."""
LAG = 0.005  # m by which a simulated arm, which follows its commands late, may be beyond the workspace
SLIP = MARGIN / 2  # rad by which it may be beyond a joint limit: half of what ours lie inside of the robot's own
SWING = 0.1  # rad/s by which its servos may be faster than they were told for a moment
HAND_SWING = 0.05  # m/s, what that makes of the hand's speed, which is limited in the mean over a control step

PUSHED = 0.2  # s for which joints may swing of an arm that ran into something

Measured = tuple[np.ndarray, np.ndarray, bool]
"""Joint positions (7,) [rad] and velocities (7,) [rad/s], and whether the arm has been pushed by what it ran into."""


class Arm(Protocol):
    """What is driven."""

    simulated: bool

    def move(self, velocity: np.ndarray) -> None:
        """Go on at these joint velocities (7,) [rad/s] for a control step."""

    def measure(self) -> Measured:
        """What it measures."""


class Abandoned(Arm, Protocol):
    """An arm with a driver that looks after it."""

    def lapse(self) -> tuple[float, list[Measured]]:
        """No command comes until it rests. Returns how long that took [s], and what it measured meanwhile."""


class Obedient:
    """An arm that does at once what it is told; what it measures may be late by a share of a step."""

    simulated = False

    def __init__(self, late: float) -> None:
        self.position, self._velocity, self._late = RESET_POSITION.copy(), np.zeros(7), late

    def move(self, velocity: np.ndarray) -> None:
        """See `Arm`."""
        self.position, self._velocity = self.position + velocity * PERIOD, velocity

    def measure(self) -> Measured:
        """See `Arm`."""
        return self.position - self._late * self._velocity * PERIOD, self._velocity, False


@dataclasses.dataclass(frozen=True)
class Trace:
    """What the arm did: joint positions (T + 1, 7) [rad], the velocities in between (T, 7) [rad/s], and the chunks.

    Positions are those commanded, which an obedient arm has; `measured` is what the arm says itself.
    `ahead` (T', 7) [rad] is by how much the target is farther from the arm than it may be, where something was sent;
    `leaps` (T', 7) [rad] by how much it moved from one command to the next besides what the velocity made of it.
    """

    limits: Limits
    positions: np.ndarray
    velocities: np.ndarray
    measured: list[Measured]
    ahead: np.ndarray
    leaps: np.ndarray
    sent: int
    accepted: int


def drive(
    seed: int,
    chunks: int,
    space: ActionSpace,
    robot: Robot = FR3,
    arm: Arm | None = None,
    abandoned: Abandoned | None = None,
) -> Trace:
    """Send `chunks` hostile chunks to an arm; without one, to one that obeys and measures late by a random share.

    The controller of an `abandoned` arm hangs now and then until the arm rests, and then goes on. Only what such an arm
    measured is of use: its commands have gaps.
    """
    rng = np.random.default_rng(seed)
    limits = limits_of(robot)
    late = rng.random()
    arm = abandoned or arm or Obedient(late)
    settings = Settings(space, BASE_FRAME, PERIOD, 1.5, 0.25, 1, limits, simulated=arm.simulated)
    execution, now, tick = Execution(settings), 100.0, 0
    positions, velocities, seen, accepted = [arm.measure()[0]], [np.zeros(7)], [arm.measure()], 0
    ahead: list[np.ndarray] = []
    leaps: list[np.ndarray] = []
    target: np.ndarray | None = None
    execution.observe(Reading(positions[0], velocities[0], 0.0), now)
    epoch = execution.claim("steering", now).epoch
    for chunk_id in range(1, chunks + 1):
        rows = KINDS[rng.integers(len(KINDS))](rng, space.dim)
        first_tick = tick + 1 + int(rng.integers(-20, 4))
        lease = float(rng.choice([0.25, 1.0, 1.5, 5.0, -1.0, np.nan], p=[0.35, 0.3, 0.2, 0.05, 0.05, 0.05]))
        chunk = Chunk(
            chunk_id, epoch, int(space), BASE_FRAME, HORIZON, space.dim, rows.ravel(), PERIOD, first_tick, lease
        )
        accepted += execution.admit(chunk, now).verdict is Verdict.ACCEPTED
        if rng.random() < 0.02:
            execution.stop("a test")
            execution.reset()
        if rng.random() < 0.1 and (claim := execution.claim("steering", now)).granted:
            epoch = claim.epoch
        deaf = rng.random() < 0.05
        for _ in range(int(rng.integers(1, 12))):
            tick, now = tick + 1, now + PERIOD
            if not deaf:
                measured, moving, _ = arm.measure()
                execution.observe(Reading(measured, moving, 0.0), now)
                if rng.random() < 0.05:  # somebody else publishes joint states, too
                    off = rng.choice([-1.0, 1.0]) * rng.uniform(0.0, rng.choice([0.5, 9.0]))
                    wrong = measured + np.eye(7)[rng.integers(7)] * off
                    execution.observe(Reading(wrong, moving, 0.0), now)
            outcome = execution.tick(tick, now)
            velocities.append(outcome.velocity)
            positions.append(positions[-1] + outcome.velocity * PERIOD)
            arm.move(outcome.velocity)
            seen.append(arm.measure())
            if outcome.command is not None:
                lead = limits.lead + limits.lead_time * np.abs(outcome.velocity)
                ahead.append(np.abs(outcome.command.position - positions[-1]) - lead)
                if target is not None:
                    leaps.append(np.abs(outcome.command.position - target - outcome.velocity * PERIOD))
            target = None if outcome.command is None else outcome.command.position
            if abandoned is not None and rng.random() < LAPSES:
                duration, more = abandoned.lapse()
                missed = math.ceil(duration / PERIOD)
                tick, now = tick + missed, now + missed * PERIOD
                seen += more
    return Trace(
        limits, np.array(positions), np.array(velocities[1:]), seen, np.array(ahead), np.array(leaps), chunks, accepted,
    )  # fmt: skip


def distances_to_itself(positions: np.ndarray) -> np.ndarray:
    """Of forearm and hand to shoulder and base (T,) [m], at joint positions (T, 7) [rad], as the gate reckons it."""
    each = positions[:, None]
    return self_collision.closeness(each, wrist_and_tcp_poses(each)).distances()[:, 0]


def measured_breaches(measured: Sequence[Measured]) -> list[str]:
    """Every limit of ours that an FR3 went beyond by its own measurements, by more than it lags.

    What runs into something immovable is turned by it, however it is commanded; joints that are pushed like that are
    held against the robot's own speeds.
    """
    positions, velocities = (np.array([each[i] for each in measured]) for i in (0, 1))
    twists = np.array([pose_and_jacobian(q)[1] @ v for q, v in zip(positions, velocities, strict=True)])
    pushed = np.array([each[2] for each in measured])[:, None]
    limits, points = Limits(), tcp_pose(positions)[:, :3, 3]
    fastest = np.where(pushed, limits.robot.velocity, limits.velocity + SWING)
    fastest_hand = np.where(pushed[:, 0], limits.robot.linear_speed, limits.linear_speed + HAND_SWING)
    excesses = {
        "joint position, upper [rad]": positions - limits.position_high - SLIP,
        "joint position, lower [rad]": limits.position_low - positions - SLIP,
        "joint speed [rad/s]": np.abs(velocities) - fastest,
        "linear speed [m/s]": np.linalg.norm(twists[:, :3], axis=1) - fastest_hand,
        "workspace, upper [m]": points - limits.workspace_high - LAG,
        "workspace, lower [m]": limits.workspace_low - points - LAG,
        "table [m]": limits.table_height - LAG - np.array([fr3_model.lowest(q) for q in positions[::TABLE_LOOKS]]),
    }
    return _in_words(excesses)


def breaches(trace: Trace) -> list[str]:
    """Every limit that the arm went beyond, in words; of how much and where, the worst."""
    limits, positions, velocities = trace.limits, trace.positions, trace.velocities
    poses = tcp_pose(positions)
    points, turns = poses[:, :3, 3], poses[:, :3, :3]
    angles = np.arccos(np.clip((np.einsum("tij,tij->t", turns[1:], turns[:-1]) - 1) / 2, -1, 1))
    changes = np.diff(velocities, axis=0, prepend=np.zeros((1, 7))) / PERIOD
    excesses = {
        "values that are not finite": np.array(np.count_nonzero(~np.isfinite(velocities))),
        "joint position, upper [rad]": positions - limits.position_high - 1e-9,
        "joint position, lower [rad]": limits.position_low - positions - 1e-9,
        "joint speed [rad/s]": np.abs(velocities) - limits.velocity * ROUNDING,
        "joint acceleration [rad/s^2]": np.abs(changes) - limits.acceleration * ROUNDING,
        "joint jerk [rad/s^3]": np.abs(np.diff(changes, axis=0)) / PERIOD - limits.robot.jerk,
        "linear speed [m/s]": np.linalg.norm(np.diff(points, axis=0), axis=1) / PERIOD - limits.linear_speed * ROUNDING,
        "angular speed [rad/s]": angles / PERIOD - limits.angular_speed * ROUNDING - 2e-5,
        "target ahead of the arm [rad]": trace.ahead - 1e-9,
        "target moved besides the velocity [rad]": trace.leaps - limits.acceleration * PERIOD**2 / 8 - 1e-9,
        "workspace, upper [m]": points - limits.workspace_high - 1e-9,
        "workspace, lower [m]": limits.workspace_low - points - 1e-9,
        # The meshes' corners were rounded to a millimetre when they were taken over.
        "distance to itself [m]": self_collision.CLEARANCE - 1e-9 - distances_to_itself(positions),
        "table [m]": limits.table_height - 1e-3 - np.array([fr3_model.lowest(q) for q in positions[::LOOKED_AT]]),
    }
    curve = limits.robot.approach
    if curve is not None:
        for way, end in ((1.0, curve.high), (-1.0, -curve.low)):
            most = np.sqrt(curve.gain * np.maximum(0.0, end - way * positions[1:])) - curve.offset
            excesses[f"speed near the end of a joint's range, {way:+.0f} [rad/s]"] = way * velocities - most - 1e-9
    return _in_words(excesses)


def _in_words(excesses: dict[str, np.ndarray]) -> list[str]:
    return [f"{name} exceeded by {np.max(excess):.3g}" for name, excess in excesses.items() if np.max(excess) > 0]
