"""A pseudo-terminal that speaks a Robotiq 2F-85's registers: what a serial port with a gripper would."""

from __future__ import annotations

import os
import select
import struct
import threading
import time
import tty

from frs_steering.arm.backends.modbus import READ_INPUTS, WRITE_MULTIPLE, crc
from frs_steering.arm.backends.robotiq import NEEDS_RESET, WAITS

ACTIVATION = 0.2  # s
SPEED = 500.0  # counts a second


class RobotiqPeer:
    """Answers reads and writes as the manual says; `stuck_at` is something between the fingers.

    In a `fault` that needs it, nothing moves before rACT has risen again, which ends it unless `fault_stays`.
    """

    def __init__(self) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave = slave
        self.outputs = [0, 0, 0]
        self.position = 3.0
        self.stuck_at: float | None = None
        self.fault = 0
        self.fault_stays = False
        self.mute = False
        self.garbles = False
        self.requests: list[list[int]] = []
        self._active_since: float | None = None
        self._moved = time.monotonic()
        self._over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Pull the plug: also of somebody who has the port open."""
        if self._over:
            return
        self._over = True
        os.close(self._slave)
        self._thread.join(2.0)
        os.close(self._master)

    def lose_power(self) -> None:
        """Be activated no longer."""
        self.outputs, self._active_since = [0, 0, 0], None

    def _serve(self) -> None:
        frame = b""
        while not self._over:
            try:
                if not select.select([self._master], [], [], 0.02)[0]:
                    continue
                frame += os.read(self._master, 64)
            except OSError:  # the other side was closed
                return
            while len(frame) >= 8 and len(frame) >= (length := 9 + frame[6] if frame[1] == WRITE_MULTIPLE else 8):
                asked, frame = frame[:length], frame[length:]
                assert asked[-2:] == crc(asked[:-2]), "a checksum that is wrong"
                answer = self._answer(asked)
                if not self.mute:
                    sent = answer + crc(answer)
                    os.write(self._master, sent[:-1] + b"\x00" if self.garbles else sent)

    def _answer(self, asked: bytes) -> bytes:
        device, function, address, count = struct.unpack(">BBHH", asked[:6])
        self._move()
        if function == WRITE_MULTIPLE and address == 0x03E8 and count == 3:
            self.outputs = list(struct.unpack(">3H", asked[7:13]))
            self.requests.append(self.outputs)
            is_active = bool(self.outputs[0] >> 8 & 1)
            if is_active and self._active_since is None and not self.fault_stays:
                self.fault = 0
            self._active_since = (self._active_since or time.monotonic()) if is_active else None
            return asked[:6]
        if function == READ_INPUTS and address == 0x07D0 and count == 3:
            return bytes([device, function, 6]) + struct.pack(">3H", *self._inputs())
        return bytes([device, function | 0x80, 2])  # illegal address

    def _inputs(self) -> list[int]:
        active = self._active_since is not None
        state = 0
        if self._active_since is not None:
            state = 3 if time.monotonic() - self._active_since > ACTIVATION else 1
        going, target = bool(self.outputs[0] >> 8 & 8), self._target()
        met = 0
        if going and self.stuck_at is not None and self.position == self.stuck_at:
            met = 2
        elif going and self.position == target:
            met = 3
        flags = active | going << 3 | state << 4 | met << 6
        return [flags << 8, self.fault << 8 | self.outputs[1] & 0xFF, round(self.position) << 8]

    def _target(self) -> float:
        return min(230.0, max(3.0, float(self.outputs[1] & 0xFF)))

    def _move(self) -> None:
        now = time.monotonic()
        way = SPEED * (now - self._moved)
        self._moved = now
        if self.outputs[0] >> 8 & 8 and self.fault not in NEEDS_RESET | WAITS:
            target = self._target()
            if self.stuck_at is not None and target > self.stuck_at >= self.position:
                target = self.stuck_at
            self.position += max(-way, min(way, target - self.position))
