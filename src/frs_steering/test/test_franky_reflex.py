"""A reflex of the robot's own, made by a simulator that holds its limits, and the recovery from it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
from franky_peer import PATIENCE, TURN, LimitedPeer, connected, drive, limited, speed, until


@limited
def test_a_reflex_is_told_and_recovered_from(tmp_path: Path) -> None:
    """The robot's own controller refuses to go beyond the end of joint 4's range, whatever it is sent."""
    peer = LimitedPeer(tmp_path)
    try:
        arm = connected(peer)
        stretch = np.array([0.0, 0.0, 0.0, 1.5, 0.0, 0.0, 0.0])
        pause, end = threading.Event(), time.monotonic() + PATIENCE
        while not arm.error():
            assert time.monotonic() < end, "no reflex"
            arm.send(stretch)
            pause.wait(1 / 15)
        assert "aborted by reflex" in arm.error()
        arm.send(TURN)
        until(lambda: abs(speed(arm)) < 1e-3, "rest: nothing is followed before a recovery")
        arm.recover()
        assert arm.error() == ""
        drive(arm, lambda: speed(arm) > 0.19, "it to go on")
        arm.close()
    finally:
        peer.kill()
