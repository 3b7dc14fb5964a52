"""Execution of chunks: which row drives at a control step, until when, and what the arm does otherwise.

A state machine without clocks, threads or messages: moments come in as arguments, commands go out as values.
"""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from numpy.typing import NDArray

from frs_steering.arm import gate, homing, target
from frs_steering.arm.backends.interface import WATCHDOG, Command
from frs_steering.arm.belief import Belief
from frs_steering.arm.chunk import Chunk, requested_gripper, requested_velocity
from frs_steering.arm.homing import Homing
from frs_steering.arm.outcome import Outcome
from frs_steering.arm.ownership import Claim, Ownership
from frs_steering.arm.queue import Due, Queue
from frs_steering.arm.reading import Reading
from frs_steering.arm.settings import Settings
from frs_steering.arm.states import SAID_AT_REST, TRANSITIONS, UNDRIVEN, Event, State
from frs_steering.arm.stillness import STUCK, Stillness
from frs_steering.arm.tally import Tally
from frs_steering.arm.trouble import Trouble
from frs_steering.arm.verdicts import Reason, Verdict

Array = NDArray[np.float64]

SLEPT = "the controller was suspended, and has not heard yet where the arm is"


class Execution:
    """The arm's controller less its clock and its wires. Not thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = State.IDLE
        self._message = "no joint states yet"
        self._hold_reason = Reason.NO_CHUNK
        self._ownership = Ownership(settings.first_epoch)
        self._queue = Queue()
        self._last_chunk_id = self._tick = 0
        self._belief = Belief()
        self._stillness = Stillness()
        self._is_news = False  # a reading came since the last control step
        self._steps_to_hear = 0  # with news, before an arm that may be elsewhere after a long pause is sent anything
        self._reference = np.zeros(7)
        self._velocity = np.zeros(7)
        self._steps_at_rest = SAID_AT_REST
        self._gripper: float | None = None
        self._wish: float | None = None  # of a hand for the gripper, not sent yet
        self._homing: Homing | None = None  # the last one, also when it has ended
        self._trouble = Trouble()
        self._tally = Tally()
        if settings.starts_stopped:
            self.stop("the controller has just been started")

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    @property
    def homing(self) -> Homing | None:
        """The last motion to the reset pose, under way or ended; None if there was none."""
        return self._homing

    def claim(self, owner: str, now: float) -> Claim:
        """Ask to be the one whose chunks drive the arm; a granted claim ends the chunks of all earlier epochs."""
        if self._state is State.STOPPED:
            return Claim(False, 0, f"refused: {self._message}")
        self._ownership, answer = self._ownership.claim(owner, now)
        if answer.granted:
            self._end_homing(f"{owner!r} has claimed the arm")
            self._queue = Queue()
            self._tally = Tally()
            self._last_chunk_id = 0
            if self._reading is not None:
                self._on(Event.CLAIMED, f"owned by {owner!r}, no chunk yet")
        return answer

    def home(self, speed: float, now: float) -> tuple[bool, str]:
        """Set out for the reset pose, the fastest joint at `speed` [rad/s], unless the arm is driven or can't be.

        Returns:
            Whether it sets out, and why not, in words.
        """
        if why := self._hindrance(now):
            return False, f"refused: {why}"
        self._ownership = self._ownership.revoked()  # a claim that nothing has followed is no hindrance
        self.claim(homing.OWNER, now)
        assert self._reading is not None, "without one the arm is hindered"
        self._homing = homing.begin(self._reading.position, speed, now)
        return True, "on the way"

    def cancel_home(self) -> None:
        """Leave the way to the reset pose: the arm decelerates and holds."""
        if self._end_homing("cancelled"):
            self._ownership = self._ownership.revoked()
            self._on(Event.RUN_OUT, "holding: the way home was cancelled")

    def grip(self, closing: float, now: float) -> tuple[bool, str]:
        """Open (0) or close (1) the gripper by hand, unless the arm is driven or can't be; as `home` otherwise."""
        if why := self._hindrance(now):
            return False, f"refused: {why}"
        self._wish = closing
        return True, "asked of the gripper"

    def report(self, error: str, rivalry: str = "") -> None:
        """Take what the robot says of itself, an error of its own, and who else commands it; in words, empty if none.

        Either is a fault until `recover`, also when it is over by itself.
        """
        self._trouble = self._trouble.reported(error, rivalry)

    def recover(self, now: float) -> tuple[bool, str]:
        """End a fault that the robot has got over: the arm holds, and the next chunk goes on; as `reset` otherwise."""
        if self._state is State.STOPPED:
            return False, f"{self._message}; a stop is no fault"
        if self._trouble.present:
            return False, self._trouble.present
        if stale := self.staleness(now):
            return False, stale
        if not (was := self._trouble.latched):
            return False, f"nothing to recover from: {self._state.name}, {self._message}"
        if self._trouble.elsewhere and self._reading is not None:
            self._reference = self._reading.position.copy()
        self._trouble = Trouble()
        self._on(Event.SOUND if self._ownership.owner else Event.SOUND_UNOWNED, f"recovered from: {was}")
        return True, f"recovered from: {was}"

    def observe(self, reading: Reading, now: float) -> str:
        """Take what the arm is said to have measured; returns why it is not believed, in words, empty if it is."""
        first = self._reading is None
        self._belief, why = self._belief.heard(reading, now, self._settings.limits.robot, self._reference)
        if why:
            return why
        self._is_news = True
        if first or (self._belief.jumped and self._settings.simulated):
            self._reference = reading.position.copy()
        elif self._belief.jumped:
            where = target.elsewhere(self._reference, reading.position)
            self._trouble = dataclasses.replace(self._trouble, elsewhere=where)
        if first:
            self._message = "no owner" if self._state is State.IDLE else self._message
            if self._ownership.epoch:
                self._on(Event.CLAIMED, f"owned by {self._ownership.owner!r}, no chunk yet")
        return ""

    def staleness(self, now: float) -> str:
        """Why the joint states can't be gone by, in words; empty if they can."""
        stale = self._belief.staleness(now, self._settings.state_timeout)
        return STUCK if not stale and self._stillness.stuck else stale

    def admit(self, chunk: Chunk, now: float) -> gate.Judgement:
        """Judge a chunk, and let it drive if it is accepted."""
        settings = self._settings
        closed, why = self._illness(now)
        if self._state is State.STOPPED:
            closed, why = Reason.STOPPED, self._message
        elif not why and self._is_homing:
            closed, why = Reason.WRONG_OWNER, "the arm is on its way home"
        judgement = gate.admit(
            chunk,
            gate.Admission(
                space=settings.space, frame=settings.frame, period=settings.period, lease_max=settings.lease_max,
                epoch=self._ownership.epoch, last_chunk_id=self._last_chunk_id, next_tick=self._tick + 1,
                closed=closed, closed_detail=why,
            ),
        )  # fmt: skip
        if judgement.verdict is Verdict.ACCEPTED:
            self._queue = self._queue.with_newest(chunk, now + chunk.lease, self._tick)
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
        if epoch != self._ownership.epoch or self._is_homing or not 0.0 <= lease <= self._settings.lease_max:
            return False
        if lease == 0.0:
            return self._let_go(chunk_id)
        renewed = self._queue.renewed(chunk_id, now, now + lease)
        if renewed is None:
            return False
        self._queue, self._ownership = renewed, self._ownership.renewed(now + lease)
        return True

    def _let_go(self, chunk_id: int) -> bool:
        if not self._ownership.epoch or chunk_id < self._last_chunk_id:
            return False
        self._last_chunk_id = chunk_id  # one that was sent before, and comes late, does not drive
        self._queue = Queue()
        self._tally = self._tally.paused()
        self._on(Event.RUN_OUT, f"holding: {self._ownership.owner!r} has let go", Reason.LEASE_ENDED)
        return True

    def stop(self, why: str) -> None:
        """Stop and stay stopped: drop the chunks and the owner."""
        self._end_homing(why)
        self._queue = Queue()
        self._tally = self._tally.paused()
        self._wish = None
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
        if (skipped + 1) * self._settings.period > WATCHDOG:  # the backend has stopped the arm, whatever was sent last
            self._velocity, self._steps_to_hear = np.zeros(7), 2
            self._is_news = False  # what came last may be from before the pause
        self._watch_readings(now)
        due = self._due(tick, now)
        held, requested = due.held, np.zeros(7)
        grip, self._wish = self._wish, None
        if held is not None:
            requested, step = self._drive(held.chunk.rows[due.row])
            verdict, reason, detail, grip = step.verdict, step.reason, step.detail, step.gripper
            self._message = f"chunk {held.chunk.chunk_id} drives"
        elif self._is_homing and not self._steps_to_hear:
            requested, step = self._drive_home(now)
            verdict, reason, detail = step.verdict, step.reason, step.detail
        else:
            verdict, reason, detail = Verdict.HELD, self._hold_reason, self._message
            self._move(gate.brake(self._velocity, self._settings.limits, self._settings.period))
        self._tally = self._tally.counted(driven=held is not None, skipped=skipped)
        # While the arm holds, the gripper is left as it is: repeated, an old command would undo what others did since.
        self._gripper = self._gripper if grip is None else grip
        self._steps_at_rest = 0 if self._velocity.any() else self._steps_at_rest + 1
        # An old target must not draw back an arm that was moved meanwhile.
        undriven = self._state in UNDRIVEN and self._steps_at_rest > SAID_AT_REST
        silent = self._reading is None or self._steps_to_hear > 0 or undriven
        if silent and self._is_news and not self._trouble.elsewhere:
            self._reference = target.along(self._reference, self._belief)
        self._steps_to_hear = max(0, self._steps_to_hear - self._is_news)
        self._is_news = False
        return Outcome(
            state=self._state,
            message=self._message,
            chunk_id=held.chunk.chunk_id if held else 0,
            row=due.row,
            lease_remaining=held.until - now if held else 0.0,
            owner=self._ownership.owner,
            epoch=self._ownership.epoch,
            verdict=verdict,
            reason=reason,
            detail=detail,
            requested=requested,
            command=None if silent else Command(self._velocity, self._reference),
            velocity=self._velocity,
            gripper=self._gripper if self._gripper is not None else (self._reading.gripper if self._reading else 0.0),
            grip=grip,
            reading=self._reading,
            stale=self.staleness(now),
            doubt=self._belief.doubt(now, self._settings.state_timeout),
            ticks_driven=self._tally.driven,
            ticks_starved=self._tally.starved,
            gate_duration=time.perf_counter() - begun,
        )

    def _watch_readings(self, now: float) -> None:
        limit, reading = self._settings.state_timeout, self._reading
        if reading is not None:
            self._stillness = self._stillness.watched(reading.position, self._velocity, now, news=self._is_news)
        reason, why = self._illness(now)
        if why and self._state is State.IDLE and reading is None and reason is Reason.STATE_STALE:
            self._message = why  # none came yet: that is no fault
        elif why and self._state is not State.STOPPED:
            self._fall(why, reason)
        elif self._state is State.FAULT:
            owned = bool(self._ownership.owner)
            self._on(Event.SOUND if owned else Event.SOUND_UNOWNED, "joint states are back" if owned else "no owner")
        aged = self._belief.staleness(now, limit)  # it would hold back an arm that moved on
        if self._is_news and not self._trouble.elsewhere and not aged:
            self._reference = target.held_back(self._reference, self._belief, self._velocity, self._settings.limits)

    def _fall(self, why: str, reason: Reason) -> None:
        # Into a fault, or on in one.
        if self._end_homing(why):
            self._ownership = self._ownership.revoked()
        self._queue = Queue()
        self._wish = None
        self._on(Event.FAILED, "")
        self._message, self._hold_reason = why, reason

    def _hindrance(self, now: float) -> str:
        # Why the arm can't be used by hand now; empty if it can.
        if self._state is State.STOPPED:
            return self._message
        if why := self._illness(now)[1]:
            return why
        if self._is_homing:
            return "the arm is on its way home"
        left = self._ownership.until - now
        if self._ownership.is_used and left > 0:
            return f"{self._ownership.owner!r} owns the arm and its lease runs for another {left:.2f} s"
        return ""

    def _due(self, tick: int, now: float) -> Due:
        if self._is_homing or self._state in UNDRIVEN:
            return Due(None, -1)
        due = Due(None, -1, SLEPT, Reason.STATE_STALE) if self._steps_to_hear else self._queue.due(tick, now)
        if due.held is None:
            self._on(Event.RUN_OUT, f"holding: {due.why}", due.reason)
        return due

    def _drive(self, row: Array) -> tuple[Array, gate.Step]:
        # What the row asks for, and what the gate makes of it.
        settings, reading = self._settings, self._set_out()
        requested = requested_velocity(settings.space, row, reading.position, self._reference, settings.period)
        return requested, self._pass_gate(requested, requested_gripper(row), reading)

    def _drive_home(self, now: float) -> tuple[Array, gate.Step]:
        settings, reading, way = self._settings, self._set_out(), self._homing
        assert way is not None, "only called on the way home"
        requested = homing.next_velocity(way, self._reference, reading.position, settings.limits, settings.period)
        step = self._pass_gate(requested, self._last_grip(reading), reading)
        self._homing = homing.watched(way, self._reference, reading.position, step, now)
        self._message = f"on the way home, {self._homing.distance:.2f} rad left"
        self._ownership = self._ownership.renewed(now + homing.LEASE)
        if self._homing.is_over:
            self._ownership = self._ownership.revoked()
            self._on(Event.RUN_OUT, f"holding: {self._homing.message}")
        return requested, step

    def _set_out(self) -> Reading:
        # To be called before the arm is driven a step.
        reading = self._reading
        assert reading is not None, "no state in which the arm is driven is reached before the first joint state"
        if (self._state is not State.RUNNING or self._is_homing) and not self._velocity.any() and self._is_news:
            # Only from rest: while the arm holds, a target that followed a position that sags would creep.
            self._reference = target.set_out(self._reference, reading.position, self._settings)
        self._on(Event.DRIVEN, "")
        return reading

    def _pass_gate(self, requested: Array, gripper: float, reading: Reading) -> gate.Step:
        settings = self._settings
        motion = gate.Motion(self._reference, reading.position, self._velocity, self._last_grip(reading))
        step = gate.step(requested, gripper, motion, settings.limits, settings.period)
        self._move(step.velocity)
        return step

    def _last_grip(self, reading: Reading) -> float:
        return reading.gripper if self._gripper is None else self._gripper

    @property
    def _reading(self) -> Reading | None:
        return self._belief.reading

    @property
    def _is_homing(self) -> bool:
        return self._homing is not None and not self._homing.is_over

    def _end_homing(self, why: str) -> bool:
        # Whether there was a way home to be left.
        if self._homing is None or self._homing.is_over:
            return False
        self._homing = self._homing.ended(why)
        return True

    def _move(self, velocity: Array) -> None:
        self._velocity = velocity
        self._reference = self._reference + velocity * self._settings.period

    def _on(self, event: Event, message: str, hold_reason: Reason = Reason.NO_CHUNK) -> None:
        following = TRANSITIONS.get((self._state, event))
        if following is not None:
            self._state, self._message, self._hold_reason = following, message, hold_reason

    def _illness(self, now: float) -> tuple[Reason, str]:
        # What the arm would be in a fault for, and in words. What waits for `recover` first: the other ends by itself.
        if why := self._trouble.message:
            return Reason.ROBOT_ERROR, why
        stale = self.staleness(now)
        return (Reason.STATE_STALE, stale) if stale else (Reason.NONE, "")
