"""The Robotiq gripper's driver, against a pseudo-terminal that speaks its registers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from robotiq_peer import RobotiqPeer

from frs_steering.arm.backends.modbus import ModbusError, ModbusLine, crc
from frs_steering.arm.backends.robotiq import (
    DEVICE,
    FAULTS,
    GripperError,
    Robotiq,
    Status,
    activate,
    read_status,
    request,
)


@pytest.fixture
def peer() -> Iterator[RobotiqPeer]:
    """A gripper without power."""
    made = RobotiqPeer()
    yield made
    made.close()


@pytest.fixture
def line(peer: RobotiqPeer) -> Iterator[ModbusLine]:
    with contextlib.closing(ModbusLine(peer.port, DEVICE)) as opened:
        yield opened


class Heard:
    """What a gripper's thread says, waited for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.last: Status | None = None

    def __call__(self, status: Status) -> None:
        with self._changed:
            self.last = status
            self._changed.notify_all()

    def until(self, wanted: Callable[[Status], bool]) -> Status:
        with self._changed:
            assert self._changed.wait_for(lambda: self.last is not None and wanted(self.last), 10.0), self.last
            assert self.last is not None
            return self.last

    def forget(self) -> None:
        with self._changed:
            self.last = None


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def gripper(peer: RobotiqPeer, heard: Heard) -> Iterator[Robotiq]:
    made = Robotiq(peer.port, heard)
    yield made
    made.close()


def test_the_checksum_is_that_of_the_manual() -> None:
    """The manual's example: the request that activates."""
    frame = bytes.fromhex("091003E8000306000000000000")
    assert (frame + crc(frame)).hex().upper().endswith("7330")


def test_it_is_activated_once_and_only_if_it_must_be(peer: RobotiqPeer, line: ModbusLine) -> None:
    assert read_status(line).state == 0
    activate(line)
    assert read_status(line).state == 3
    assert peer.requests == [[0, 0, 0], [0x0100, 0, 0]]
    activate(line)
    assert len(peer.requests) == 2


def test_an_activation_that_does_not_end_is_said(peer: RobotiqPeer, line: ModbusLine) -> None:
    peer.fault, peer.fault_stays = 0x0D, True
    with pytest.raises(GripperError, match=r"not active after 0.05 s: activation fault, something is in the way"):
        activate(line, timeout=0.05)


def test_a_request_has_position_speed_and_force(peer: RobotiqPeer, line: ModbusLine) -> None:
    request(line, 1.0, 0.5, 0.2)
    assert peer.requests == [[0x0900, 255, 128 << 8 | 51]]


@pytest.mark.parametrize("closing", [-0.01, 1.01, float("nan")])
def test_no_request_leaves_its_range(peer: RobotiqPeer, line: ModbusLine, closing: float) -> None:
    with pytest.raises(ValueError, match=r"closing is .*; it must lie in \[0, 1\]"):
        request(line, closing, 1.0, 1.0)
    assert not peer.requests


def test_it_follows_the_newest_wish(gripper: Robotiq, heard: Heard) -> None:
    heard.until(lambda status: status.closing == 0.0)
    gripper.send(1.0)
    assert heard.until(lambda status: status.is_moving).closing < 1.0
    closed = heard.until(lambda status: status.closing == 1.0)
    assert not closed.holds
    gripper.send(0.0)
    heard.until(lambda status: status.closing == 0.0)
    assert gripper.trouble == ""


def test_it_says_that_it_holds_something(peer: RobotiqPeer, gripper: Robotiq, heard: Heard) -> None:
    peer.stuck_at = 120.0
    heard.until(lambda status: True)
    gripper.send(1.0)
    held = heard.until(lambda status: status.holds)
    assert held.closing == pytest.approx((120 - 3) / 227)
    assert not held.is_moving


def until(condition: Callable[[], bool], what: str) -> None:
    pause, end = threading.Event(), time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end, what
        pause.wait(0.01)


def until_trouble(gripper: Robotiq, words: str) -> None:
    pause, end = threading.Event(), time.monotonic() + 10.0
    while words not in gripper.trouble:
        assert time.monotonic() < end, f"the trouble is {gripper.trouble!r}, not {words!r}"
        pause.wait(0.01)


def test_a_gripper_that_lost_its_power_is_activated_again_and_follows_only_what_is_asked_for_then(
    peer: RobotiqPeer, gripper: Robotiq, heard: Heard
) -> None:
    heard.until(lambda status: True)
    gripper.send(1.0)
    heard.until(lambda status: status.closing == 1.0)
    peer.mute = True
    until_trouble(gripper, "sent nothing within 0.1 s")
    peer.lose_power()
    peer.position = 3.0
    gripper.send(1.0)
    peer.mute = False
    heard.forget()
    heard.until(lambda status: True)
    requests = len(peer.requests)
    for _ in range(5):
        heard.forget()
        heard.until(lambda status: status.closing == 0.0)
    assert len(peer.requests) == requests, "what was asked for while it was away does not happen late"
    gripper.send(1.0)
    heard.until(lambda status: status.closing == 1.0)


class Plug:
    """A gripper on a port whose name stays, and which can be unplugged the moment after it was heard."""

    def __init__(self, port: Path) -> None:
        self.port, self.heard = port, Heard()
        self.pulls = False
        self.peer = RobotiqPeer()
        port.symlink_to(self.peer.port)

    def __call__(self, status: Status) -> None:
        self.heard(status)
        if self.pulls:  # in the gripper's thread: what it does next finds no port
            self.pulls = False
            self.peer.close()

    def put_in_again(self) -> None:
        self.peer = RobotiqPeer()
        self.port.unlink()
        self.port.symlink_to(self.peer.port)


def test_the_plug_is_pulled_while_nothing_is_asked_and_it_is_found_again(tmp_path: Path) -> None:
    plug = Plug(tmp_path / "gripper")
    gripper = Robotiq(plug.port, plug)
    for _ in range(4):
        plug.heard.until(lambda status: True)
        plug.pulls = True
        until_trouble(gripper, f"gripper on {plug.port}: ")
        plug.put_in_again()
        plug.heard.forget()
        plug.heard.until(lambda status: status.state == 3)
        assert gripper.trouble == ""
    gripper.close()
    plug.peer.close()


def test_the_plug_is_pulled_at_any_moment_and_it_is_found_again(tmp_path: Path) -> None:
    plug = Plug(tmp_path / "gripper")
    gripper = Robotiq(plug.port, plug)
    for moment in (0.0, 0.01, 0.02, 0.03, 0.04, 0.05):
        plug.heard.until(lambda status: True)
        threading.Event().wait(moment)
        plug.peer.close()
        until_trouble(gripper, f"gripper on {plug.port}: ")
        plug.put_in_again()
        plug.heard.forget()
        plug.heard.until(lambda status: status.state == 3)
    gripper.close()
    plug.peer.close()


def test_a_port_that_is_gone_is_named(peer: RobotiqPeer, line: ModbusLine) -> None:
    peer.close()
    with pytest.raises(OSError, match=r"the port of device 9 is gone|Input/output error"):
        read_status(line)


def test_whatever_goes_wrong_in_its_thread_is_said(peer: RobotiqPeer) -> None:
    told = threading.Event()

    def refuses(_: Status) -> None:
        told.set()
        raise ZeroDivisionError("of a test")

    gripper = Robotiq(peer.port, refuses)
    assert told.wait(10.0)
    until_trouble(gripper, "ZeroDivisionError('of a test')")
    told.clear()
    assert told.wait(10.0), "it goes on"
    gripper.close()


def test_a_gripper_that_falls_silent_is_said_and_found_again(peer: RobotiqPeer, gripper: Robotiq, heard: Heard) -> None:
    heard.until(lambda status: True)
    peer.mute = True
    deadline = threading.Event()
    for _ in range(100):
        if "sent nothing within 0.1 s" in gripper.trouble:
            break
        deadline.wait(0.05)
    assert f"gripper on {peer.port}: device 9 sent nothing within 0.1 s" in gripper.trouble
    heard.forget()
    peer.mute = False
    heard.until(lambda status: status.state == 3)
    assert gripper.trouble == ""


@pytest.mark.parametrize("fault", [0x0A, 0x0C, 0x0D, 0x0E, 0x0F])
def test_a_fault_that_needs_a_reset_is_said_and_ended_by_another_activation(
    peer: RobotiqPeer, gripper: Robotiq, heard: Heard, fault: int
) -> None:
    heard.until(lambda status: True)
    gripper.send(1.0)
    heard.until(lambda status: status.closing == 1.0)
    peer.requests.clear()
    peer.fault, peer.position = fault, 3.0
    until_trouble(gripper, f"{FAULTS[fault]}; it is activated again, and its fingers open and close: keep away")
    gripper.send(1.0)
    heard.forget()
    assert heard.until(lambda status: True).fault == ""
    assert peer.requests == [[0, 0, 0], [0x0100, 0, 0]], "what was asked for in the fault does not happen late"
    assert gripper.trouble == ""
    gripper.send(1.0)  # the same wish as before
    heard.until(lambda status: status.closing == 1.0)


def test_a_fault_that_stays_is_told_on_and_on(peer: RobotiqPeer, heard: Heard) -> None:
    peer.fault, peer.fault_stays = 0x0A, True
    gripper = Robotiq(peer.port, heard, activation_time=0.3)
    for _ in range(2):
        until_trouble(gripper, "the gripper is not active after 0.3 s: the voltage is too low")
        peer.requests.clear()
        until(lambda: peer.requests == [[0, 0, 0], [0x0100, 0, 0]], "another try")
    peer.fault_stays = False
    heard.until(lambda status: status.fault == "")
    gripper.close()


def test_a_fault_that_passes_is_said_and_what_is_still_asked_for_is_asked_again(
    peer: RobotiqPeer, gripper: Robotiq, heard: Heard
) -> None:
    heard.until(lambda status: True)
    peer.fault = 0x08
    heard.until(lambda status: status.fault == "too hot, it must cool down")
    until_trouble(gripper, "too hot")
    requests = len(peer.requests)
    gripper.send(1.0)
    for _ in range(3):
        heard.forget()
        heard.until(lambda status: True)
    peer.fault = 0
    for _ in range(3):
        heard.forget()
        heard.until(lambda status: status.fault == "")
    assert gripper.trouble == ""
    assert len(peer.requests) == requests, "nothing is asked of it in the fault, nor late"

    gripper.send(1.0)
    heard.until(lambda status: status.closing == 1.0)
    peer.fault = 0x08
    heard.until(lambda status: bool(status.fault))
    peer.fault, requests = 0, len(peer.requests)
    heard.until(lambda status: status.fault == "")
    gripper.send(1.0)
    until(lambda: len(peer.requests) == requests + 1, "the same wish again: nobody knows whether it was done")


def test_what_is_garbled_or_refused_is_an_error(peer: RobotiqPeer, line: ModbusLine) -> None:
    with pytest.raises(ModbusError, match="refused function 4 with exception 2"):
        line.read(0x1234, 3)
    peer.garbles = True
    with pytest.raises(ModbusError, match="checksum is wrong"):
        line.read(0x07D0, 3)


def test_what_is_no_serial_port_is_named(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()
    with pytest.raises(OSError, match="file is no serial port"):
        ModbusLine(plain, DEVICE)
