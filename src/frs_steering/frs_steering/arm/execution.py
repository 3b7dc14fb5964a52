"""Execution of chunks: which row drives at a control step, until when, and what the arm does otherwise.

A state machine without clocks, threads or messages: moments come in as arguments, commands go out as values.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm import gate
from frs_steering.arm.backends.interface import Command
from frs_steering.arm.chunk import Chunk, requested_gripper, requested_velocity
from frs_steering.arm.limits import Limits
from frs_steering.arm.ownership import Claim, Ownership
from frs_steering.arm.reading import Reading
from frs_steering.arm.states import TRANSITIONS, Event, State
from frs_steering.arm.verdicts import Reason, Verdict
from frs_steering.robot.spaces import ActionSpace

Array = NDArray[np.float64]

PAUSE = 2
"""After this many skipped control steps the backend's own watchdog has stopped the arm, whatever was sent last."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How chunks are executed.

    Attributes:
        space: the controller's action space; chunks of another are rejected.
        frame: of Cartesian rows.
        period: of a control step [s].
        lease_max: longest lease of a chunk [s].
        state_timeout: age at which joint states are stale [s].
        first_epoch: of the first claim; greater than any epoch granted before, also by an earlier process.
        limits: that the gate holds.
    """

    space: ActionSpace
    frame: str
    period: float
    lease_max: float
    state_timeout: float
    first_epoch: int
    limits: Limits


@dataclasses.dataclass(frozen=True)
class Held:
    """An admitted chunk and the end of its lease on the monotonic clock [s]."""

    chunk: Chunk
    until: float


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one control step.

    Attributes:
        state: after the step.
        message: the state in words.
        chunk_id: of the chunk that drove, 0 if none.
        row: of that chunk, -1 if none.
        lease_remaining: of that chunk [s], 0 if none.
        owner: its name, empty if none.
        epoch: the owner's, 0 if none.
        verdict: the gate's, or HELD.
        reason: for the verdict.
        detail: the same in words.
        requested: joint velocities asked for (7,) [rad/s]; zero while nothing drives.
        command: for the backend; None while the arm is nobody's and rests.
        velocity: joint velocities commanded (7,) [rad/s].
        gripper: commanded, 0 open .. 1 closed.
        reading: what was last measured, None if nothing yet.
        ticks_driven: steps on which a chunk drove, since the last claim.
        ticks_starved: steps on which a chunk was due and no row was there, missed steps among them, since the last
            claim. Chunks are due from the owner's first driven row on, until it lets go, a stop, or a new claim.
        gate_duration: time for the row and the gate [s].
    """

    state: State
    message: str
    chunk_id: int
    row: int
    lease_remaining: float
    owner: str
    epoch: int
    verdict: Verdict
    reason: Reason
    detail: str
    requested: Array
    command: Command | None
    velocity: Array
    gripper: float
    reading: Reading | None
    ticks_driven: int
    ticks_starved: int
    gate_duration: float


class Execution:
    """The arm's controller less its clock and its wires. Not thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = State.IDLE
        self._message = "no joint states yet"
        self._hold_reason = Reason.NO_CHUNK
        self._ownership = Ownership(settings.first_epoch)
        self._newest: Held | None = None
        self._previous: Held | None = None  # drives until row 0 of the newest is due
        self._last_chunk_id = 0
        self._tick = 0
        self._reading: Reading | None = None
        self._read_at = 0.0
        self._is_news = False  # a reading came since the last control step
        self._reference = np.zeros(7)
        self._velocity = np.zeros(7)
        self._gripper: float | None = None
        self._driven = 0
        self._starved = 0
        self._expects = False  # a chunk is due on every step

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    def claim(self, owner: str, now: float) -> Claim:
        """Ask to be the one whose chunks drive the arm; a granted claim ends the chunks of all earlier epochs."""
        if self._state is State.STOPPED:
            return Claim(False, 0, f"refused: {self._message}")
        self._ownership, answer = self._ownership.claim(owner, now)
        if answer.granted:
            self._drop_chunks()
            self._expects = False
            self._last_chunk_id = self._driven = self._starved = 0
            if self._reading is not None:
                self._on(Event.CLAIMED, f"owned by {owner!r}, no chunk yet")
        return answer

    def observe(self, reading: Reading, now: float) -> None:
        """Take what the arm measured."""
        first = self._reading is None
        self._reading, self._read_at, self._is_news = reading, now, True
        if first:
            self._reference = reading.position.copy()
            self._message = "no owner" if self._state is State.IDLE else self._message
            if self._ownership.epoch:
                self._on(Event.CLAIMED, f"owned by {self._ownership.owner!r}, no chunk yet")

    def admit(self, chunk: Chunk, now: float) -> gate.Judgement:
        """Judge a chunk, and let it drive if it is accepted."""
        settings = self._settings
        closed = Reason.NONE
        if self._state is State.STOPPED:
            closed = Reason.STOPPED
        elif self._is_stale(now):
            closed = Reason.STATE_STALE
        judgement = gate.admit(
            chunk,
            gate.Admission(
                space=settings.space,
                frame=settings.frame,
                period=settings.period,
                lease_max=settings.lease_max,
                epoch=self._ownership.epoch,
                last_chunk_id=self._last_chunk_id,
                next_tick=self._tick + 1,
                closed=closed,
                closed_detail=self._message if closed is Reason.STOPPED else self._staleness(now),
            ),
        )
        if judgement.verdict is Verdict.ACCEPTED:
            self._previous, self._newest = self._newest, Held(chunk, now + chunk.lease)
            self._last_chunk_id = chunk.chunk_id
            self._ownership = self._ownership.renewed(now + chunk.lease)
        return judgement

    def renew(self, epoch: int, chunk_id: int, lease: float, now: float) -> bool:
        """Let a chunk that may still drive do so for `lease` seconds from now.

        A lease of 0 is the owner's letting go: it and the chunks before it drive no longer, and none is due until the
        next one drives.

        Returns:
            Whether it was renewed, or let go: not if the chunk is not held or its lease has ended (the owner may let
            go of such a one), or if the lease is no number of seconds in [0, lease_max].
        """
        if epoch != self._ownership.epoch or not 0.0 <= lease <= self._settings.lease_max:
            return False
        if lease == 0.0:
            return self._let_go(chunk_id)
        for name in ("_newest", "_previous"):
            held: Held | None = getattr(self, name)
            if held is not None and held.chunk.chunk_id == chunk_id and now < held.until:
                setattr(self, name, Held(held.chunk, max(held.until, now + lease)))
                self._ownership = self._ownership.renewed(now + lease)
                return True
        return False

    def _let_go(self, chunk_id: int) -> bool:
        if not self._ownership.epoch or chunk_id < self._last_chunk_id:
            return False
        self._last_chunk_id = chunk_id  # one that was sent before, and comes late, does not drive
        self._drop_chunks()
        self._expects = False
        self._on(Event.RUN_OUT, f"holding: {self._ownership.owner!r} has let go", Reason.LEASE_ENDED)
        return True

    def stop(self, why: str) -> None:
        """Stop and stay stopped: drop the chunks and the owner."""
        self._drop_chunks()
        self._expects = False
        self._ownership = self._ownership.revoked()
        self._on(Event.STOP, f"stopped: {why}; call arm_controller/reset", Reason.STOPPED)

    def reset(self) -> tuple[bool, str]:
        """End a stop. Nothing moves before the arm has been claimed anew.

        Returns:
            Whether a stop was ended, and the outcome in words.
        """
        if self._state is not State.STOPPED:
            return False, f"nothing to reset: {self._state.name}, {self._message}"
        self._on(Event.RESET, "no owner" if self._reading else "no joint states yet")
        return True, "reset; the arm must be claimed anew"

    def tick(self, tick: int, now: float) -> Outcome:
        """Carry out control step number `tick` (greater than the last one's)."""
        begun = time.perf_counter()
        skipped, self._tick = tick - self._tick - 1, tick
        if skipped >= PAUSE:
            self._velocity = np.zeros(7)
        self._watch_readings(now)
        held, row = self._due(tick, now)
        requested = np.zeros(7)
        if held is None:
            verdict, reason, detail = Verdict.HELD, self._hold_reason, self._message
            self._move(gate.brake(self._velocity, self._settings.limits, self._settings.period))
        else:
            requested, step = self._drive(held.chunk.rows[row])
            verdict, reason, detail = step.verdict, step.reason, step.detail
            self._on(Event.DRIVEN, "")
            self._message = f"chunk {held.chunk.chunk_id} drives"
        self._is_news = False
        self._count(driven=held is not None, skipped=skipped)
        at_rest = not self._velocity.any()
        # While the arm holds, the gripper is left as it is: repeated, an old command would undo what others did since.
        command = Command(self._velocity, self._reference, self._gripper if held else None)
        return Outcome(
            state=self._state,
            message=self._message,
            chunk_id=held.chunk.chunk_id if held else 0,
            row=row,
            lease_remaining=held.until - now if held else 0.0,
            owner=self._ownership.owner,
            epoch=self._ownership.epoch,
            verdict=verdict,
            reason=reason,
            detail=detail,
            requested=requested,
            command=None if self._reading is None or (self._state is State.IDLE and at_rest) else command,
            velocity=self._velocity,
            gripper=self._gripper if self._gripper is not None else (self._reading.gripper if self._reading else 0.0),
            reading=self._reading,
            ticks_driven=self._driven,
            ticks_starved=self._starved,
            gate_duration=time.perf_counter() - begun,
        )

    def _watch_readings(self, now: float) -> None:
        reading = self._reading
        if reading is None:
            return
        if self._is_stale(now):
            if self._state is not State.STOPPED:
                self._drop_chunks()
                self._on(Event.STALE, "", Reason.STATE_STALE)
                self._message = self._staleness(now)
            return
        if self._state is State.FAULT:
            owner = self._ownership.owner
            self._on(Event.FRESH if owner else Event.FRESH_UNOWNED, "joint states are back")
        if self._is_news:
            # The target must not run away from an arm that is blocked, lags or was set elsewhere. An old reading would
            # say so of an arm that moves on.
            lead = self._settings.limits.lead + self._settings.limits.lead_time * np.abs(self._velocity)
            self._reference = np.clip(self._reference, reading.position - lead, reading.position + lead)

    def _due(self, tick: int, now: float) -> tuple[Held | None, int]:
        # The chunk that drives and its row; (None, -1) if none does.
        if self._state in (State.IDLE, State.FAULT, State.STOPPED):
            return None, -1
        why, reason = "no chunk", Reason.NO_CHUNK
        for held in (self._newest, self._previous):
            if held is None:
                continue
            row = tick - held.chunk.first_tick
            if row < 0:
                continue
            if now >= held.until:
                why, reason = f"the lease of chunk {held.chunk.chunk_id} has ended", Reason.LEASE_ENDED
            elif row >= held.chunk.horizon:
                why, reason = f"chunk {held.chunk.chunk_id} has run out", Reason.NO_CHUNK
            else:
                return held, row
            break
        self._on(Event.RUN_OUT, f"holding: {why}", reason)
        return None, -1

    def _drive(self, row: Array) -> tuple[Array, gate.Step]:
        # What the row asks for, and what the gate makes of it.
        settings, reading = self._settings, self._reading
        assert reading is not None, "no state in which a chunk drives is reached before the first joint state"
        if self._state is not State.RUNNING and not self._velocity.any() and self._is_news:
            # From rest the arm starts where it is. What its target was ahead by would stay for good, and the gate,
            # which looks at both, would keep the hand from the table by as much. While the arm holds, the target
            # stays: one that followed a position that sags would creep.
            self._reference = reading.position.copy()
        requested = requested_velocity(settings.space, row, reading.position, self._reference, settings.period)
        gripper = reading.gripper if self._gripper is None else self._gripper
        motion = gate.Motion(self._reference, reading.position, self._velocity, gripper)
        step = gate.step(requested, requested_gripper(row), motion, settings.limits, settings.period)
        self._gripper = step.gripper
        self._move(step.velocity)
        return requested, step

    def _count(self, driven: bool, skipped: int) -> None:
        if self._expects:
            self._starved += skipped + (not driven)
        self._expects |= driven
        self._driven += driven

    def _move(self, velocity: Array) -> None:
        self._velocity = velocity
        self._reference = self._reference + velocity * self._settings.period

    def _on(self, event: Event, message: str, hold_reason: Reason = Reason.NO_CHUNK) -> None:
        following = TRANSITIONS.get((self._state, event))
        if following is not None:
            self._state, self._message, self._hold_reason = following, message, hold_reason

    def _drop_chunks(self) -> None:
        self._newest = self._previous = None

    def _is_stale(self, now: float) -> bool:
        return self._reading is None or now - self._read_at > self._settings.state_timeout

    def _staleness(self, now: float) -> str:
        if self._reading is None:
            return "no joint states yet"
        return f"joint states are {now - self._read_at:.2f} s old, limit {self._settings.state_timeout:.2f} s"
