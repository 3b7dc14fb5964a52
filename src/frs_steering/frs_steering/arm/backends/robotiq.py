"""Robotiq 2F-85: the newest wish is sent and the fingers are read, in a thread of its own.

Source: 2F-85 and 2F-140 Instruction Manual, chapter "Control" (registers, Modbus RTU at 115200 8N1, device 9).
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from frs_steering.arm.backends.follower import Follower
from frs_steering.arm.backends.modbus import ModbusLine

DEVICE = 9
OUTPUTS, INPUTS = 0x03E8, 0x07D0
"""First of the three registers that are written, and of the three that are read."""
ACTIVATE, GO = 0x01, 0x09
"""Action request: rACT; rACT and rGTO."""
READY = 3
"""gSTA of a gripper that has been activated."""
OPEN, CLOSED = 3, 230
"""gPO of a 2F-85 with its own fingertips at both ends of its way; requests go from 0 to 255."""
ACTIVATION_TIME = 5.0
"""s that the fingers may take to open and close once, which is what activation does."""
PERIOD = 0.05
"""s between two exchanges; each takes about 10 ms."""

FAULTS = {
    0x05: "action delayed, the activation must be completed first",
    0x07: "the activation bit must be set first",
    0x08: "too hot, it must cool down",
    0x09: "no communication for at least a second",
    0x0A: "the voltage is too low",
    0x0B: "automatic release in progress",
    0x0C: "internal fault",
    0x0D: "activation fault, something is in the way",
    0x0E: "overcurrent",
    0x0F: "automatic release completed",
}
NEEDS_RESET = frozenset({0x0A, 0x0C, 0x0D, 0x0E, 0x0F})
"""The major faults, in which it does nothing until rACT rises again; 0x0B is one too, but becomes 0x0F by itself."""
WAITS = frozenset({0x08, 0x0B})
"""Faults that pass by themselves, and until then it is asked nothing: it might do it when it can."""


class GripperError(RuntimeError):
    """The gripper can't be used; the message says why."""


@dataclasses.dataclass(frozen=True)
class Status:
    """What the gripper says.

    Attributes:
        state: gSTA, 3 once it is activated.
        closing: of the fingers, 0 open .. 1 closed.
        is_moving: on the way to what was asked for.
        holds: the fingers met something on their way.
        fault: in words; empty if there is none.
        code: gFLT, the fault's number; 0 if there is none.
    """

    state: int
    closing: float
    is_moving: bool
    holds: bool
    fault: str
    code: int

    @property
    def is_usable(self) -> bool:
        """It is active, and has no fault that only another activation ends."""
        return self.state == READY and self.code not in NEEDS_RESET


def read_status(line: ModbusLine) -> Status:
    """Read the three input registers.

    Raises:
        ModbusError: no answer that fits.
    """
    first, second, third = line.read(INPUTS, 3)
    flags, code, position = first >> 8, second >> 8 & 0x0F, third >> 8
    met = flags >> 6  # gOBJ: 0 on the way, 1 and 2 something was met, 3 arrived
    return Status(
        state=flags >> 4 & 0b11,
        closing=min(1.0, max(0.0, (position - OPEN) / (CLOSED - OPEN))),
        is_moving=bool(flags & 0x08) and met == 0,
        holds=met in (1, 2),
        fault=FAULTS.get(code, f"fault {code:#04x}") if code else "",
        code=code,
    )


def activate(line: ModbusLine, timeout: float = ACTIVATION_TIME) -> None:
    """Reset and activate the gripper, unless it is usable as it is. The fingers open and close once.

    Raises:
        GripperError: it did not become ready in time; the message has its fault.
        ModbusError: no answer that fits.
    """
    if read_status(line).is_usable:
        return
    line.write(OUTPUTS, [0, 0, 0])
    line.write(OUTPUTS, [ACTIVATE << 8, 0, 0])
    end = time.monotonic() + timeout
    while not (status := read_status(line)).is_usable:
        if time.monotonic() > end:
            raise GripperError(f"the gripper is not active after {timeout:g} s: {status.fault or 'no fault is named'}")
        time.sleep(PERIOD)


def request(line: ModbusLine, closing: float, speed: float, force: float) -> None:
    """Ask the fingers to go to `closing`, 0 open .. 1 closed; `speed` and `force` are shares 0 .. 1 of the greatest.

    Raises:
        ValueError: one of them is not within 0 .. 1.
        ModbusError: no answer that fits.
    """
    for name, share in (("closing", closing), ("speed", speed), ("force", force)):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is {share}; it must lie in [0, 1]")
    position, fast, hard = (round(255 * share) for share in (closing, speed, force))
    line.write(OUTPUTS, [GO << 8, position, fast << 8 | hard])


class Robotiq(Follower):
    """The gripper on its serial port."""

    def __init__(
        self,
        port: str | Path,
        on_status: Callable[[Status], None],
        *,
        speed: float = 1.0,
        force: float = 0.1,
        activation_time: float = ACTIVATION_TIME,
    ) -> None:
        """Begin, see `Follower`; the gripper is activated whenever it was connected.

        Args:
            port: the serial port.
            on_status: called from the gripper's thread with every status that was read.
            speed: share of the greatest, 0 .. 1 (20 .. 150 mm/s).
            force: share of the greatest, 0 .. 1 (20 .. 235 N).
            activation_time: that an activation may take [s].
        """
        self._activation_time = activation_time
        self._port, self._on_status, self._speed, self._force = port, on_status, speed, force
        super().__init__("robotiq", "not connected yet")

    def _serve(self) -> None:
        with contextlib.closing(ModbusLine(self._port, DEVICE)) as line:
            self._follow(line)

    def _words(self, error: Exception) -> str:
        said = str(error) if isinstance(error, (OSError, GripperError)) else repr(error)
        return f"gripper on {self._port}: {said}"

    def _follow(self, line: ModbusLine) -> None:
        activate(line, self._activation_time)
        sent: float | None = None
        self._wish = None
        status = read_status(line)
        while not self._over.wait(PERIOD):
            wish = self._wish
            if wish is not None and wish != sent and status.code not in WAITS:
                request(line, wish, self._speed, self._force)
                sent = wish
            status = read_status(line)
            if status.state != READY:
                raise GripperError(f"it has lost its activation: {status.fault or 'no fault is named'}")
            if not status.is_usable:
                raise GripperError(f"{status.fault}; it is activated again, and its fingers open and close: keep away")
            if status.fault:  # it may not have done what was sent: that is sent again if it is asked for again
                self._wish = sent = None
            self._heard(f"gripper on {self._port}: {status.fault}" if status.fault else "")
            self._on_status(status)
