"""Modbus RTU over a serial port, as much of it as a gripper needs. Standard library only.

Source: MODBUS over Serial Line, Specification and Implementation Guide V1.02 (framing, CRC), and MODBUS Application
Protocol Specification V1.1b3 (functions 4 and 16, exceptions).
"""

from __future__ import annotations

import os
import select
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path

READ_INPUTS = 4
WRITE_MULTIPLE = 16
_EXCEPTION = 0x80
_HEAD = 5  # bytes of the shortest answer, an exception


class ModbusError(OSError):
    """No answer, or none that can be used; the message says what was asked and what came."""


def crc(data: bytes) -> bytes:
    """Checksum of a frame, as it is sent (low byte first)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


class ModbusLine:
    """A serial port, 115200 baud 8N1, with one device that answers. Not thread-safe."""

    def __init__(self, port: str | Path, device: int, timeout: float = 0.1) -> None:
        """Open the port.

        Args:
            port: such as /dev/serial/by-id/usb-...; a name that stays when the plug is moved.
            device: address on the line.
            timeout: for an answer [s].

        Raises:
            OSError: the port can't be opened, or is no serial port.
        """
        self._device, self._timeout = device, timeout
        self._file = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            _make_raw(self._file)
        except termios.error as error:
            os.close(self._file)
            raise OSError(f"{port} is no serial port: {error}") from error

    def close(self) -> None:
        """Close the port."""
        os.close(self._file)

    def read(self, address: int, count: int) -> list[int]:
        """Read `count` input registers from `address` on.

        Raises:
            ModbusError: no answer that fits.
        """
        answer = self._ask(struct.pack(">BHH", READ_INPUTS, address, count), 5 + 2 * count)
        return list(struct.unpack(f">{count}H", answer[3:-2]))

    def write(self, address: int, values: Sequence[int]) -> None:
        """Write registers from `address` on.

        Raises:
            ModbusError: no answer that fits.
        """
        head = struct.pack(">BHHB", WRITE_MULTIPLE, address, len(values), 2 * len(values))
        self._ask(head + struct.pack(f">{len(values)}H", *values), 8)

    def _ask(self, request: bytes, length: int) -> bytes:
        try:
            return self._exchange(bytes([self._device]) + request, length)
        except termios.error as error:  # of a port that is there no longer; it is no OSError
            raise ModbusError(f"the port of device {self._device} is gone: {error.args[-1]}") from error

    def _exchange(self, frame: bytes, length: int) -> bytes:
        termios.tcflush(self._file, termios.TCIFLUSH)  # what a late answer left behind
        os.write(self._file, frame + crc(frame))
        answer, end = b"", time.monotonic() + self._timeout
        while len(answer) < length:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._file], [], [], left)[0]:
                raise ModbusError(f"device {self._device} sent {answer.hex() or 'nothing'} within {self._timeout} s")
            came = os.read(self._file, length - len(answer))
            if not came:
                raise ModbusError(f"the port of device {self._device} is gone: it was hung up")
            answer += came
            if len(answer) >= _HEAD and answer[1] == frame[1] | _EXCEPTION:
                length = _HEAD
        if answer[-2:] != crc(answer[:-2]) or answer[0] != self._device:
            raise ModbusError(f"device {self._device} sent {answer.hex()}, whose address or checksum is wrong")
        if answer[1] != frame[1]:
            raise ModbusError(f"device {self._device} refused function {frame[1]} with exception {answer[2]}")
        return answer


def _make_raw(file: int) -> None:
    settings = termios.tcgetattr(file)
    settings[0] = settings[1] = settings[3] = 0  # no translation of input or output, no echo, no lines
    settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    settings[4] = settings[5] = termios.B115200
    termios.tcsetattr(file, termios.TCSANOW, settings)
