"""A recorded episode is streamed to the true driver of an FR3, into a simulator that holds the robot's limits."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import numpy as np
from franky_peer import PATIENCE, LimitedPeer, connected, limited

from frs_steering.arm.backends.franky import FrankyArm
from frs_steering.record.reader import records
from frs_steering.robot.fr3 import RESET_POSITION

STEPS = 150  # ten seconds at 15 Hz; the episode may be over sooner

BOUND = 0.05
"""rad that a joint may be away from what was commanded, anywhere on a way of more than 1 rad, beside what a simulator
that can't keep pace adds. Seen: 0.03; at 0.85 rad/s a command that takes effect 0.03 s late is that much."""
NEAR = 0.005
"""rad, or rad/s: the arm is there, and rests."""


def recorded(directory: Path) -> np.ndarray:
    """Joint velocities (STEPS or less, 7) [rad/s] that passed the gate in an episode of the simulated cell."""
    words = ["--tasks", "egg_on_plate", "--methods", "base", "--episodes", "1", "--jobs", "1"]
    directories = ["--out", str(directory / "rows"), "--record", str(directory / "episodes")]
    subprocess.run(["frs", "eval", *words, *directories], check=True, capture_output=True, timeout=100)
    (path,) = (directory / "episodes").glob("*/*.mcap")
    velocities = [record.message.commanded for record in records(path, ["gate_report"]) if record.message.row >= 0]
    return np.array(velocities[:STEPS], float)


def bring(arm: FrankyArm, goal: np.ndarray) -> None:
    """Drive joint positions (7,) [rad], from which an episode begins."""

    pause, end, gain = threading.Event(), time.monotonic() + PATIENCE, 3.0
    while (reading := arm.read()) is not None and max(np.abs(goal - reading[0]).max(), np.abs(reading[1]).max()) > NEAR:
        assert time.monotonic() < end, f"not there; {arm.error()}"
        arm.send(np.clip(gain * (goal - reading[0]), -0.5, 0.5))
        pause.wait(1 / 15)
    assert arm.error() == ""


@limited
def test_a_recorded_episode_is_streamed_without_a_reflex_and_its_way_is_the_one_commanded(tmp_path: Path) -> None:
    velocities = recorded(tmp_path)
    assert len(velocities) > STEPS / 3 and np.abs(velocities).max() > 0.2
    peer = LimitedPeer(tmp_path)
    try:
        arm = connected(peer)
        bring(arm, RESET_POSITION)
        seen = [(time.monotonic(), arm._robot.state)]  # the driver does not tell the robot's own clock
        pause, begun = threading.Event(), time.monotonic()
        for step, velocity in enumerate(velocities):
            arm.send(velocity)
            assert arm.error() == "", f"at step {step}"
            pause.wait(max(0.0, begun + (step + 1) / 15 - time.monotonic()))
            seen.append((time.monotonic(), arm._robot.state))
        assert time.monotonic() - begun < PATIENCE
        position = np.array([state.q for _, state in seen])
        lasted = np.diff([state.time.to_sec() for _, state in seen])[:, None]
        # A simulator on a busy machine moves its arm by a clock that is neither the robot's nor the wall's.
        lost = np.maximum(0.0, np.diff([at for at, _ in seen])[:, None] - lasted)
        commanded, unsure = (velocities * lasted).cumsum(axis=0), np.abs(velocities * lost).cumsum(axis=0)
        away = (np.abs(position[1:] - position[0] - commanded) - unsure).max(axis=1)
        assert np.ptp(commanded, axis=0).max() > 0.3, "an episode that goes somewhere"
        assert away.max() < BOUND, f"at step {away.argmax()}"
        arm.close()
        assert arm.error() == ""
    finally:
        peer.kill()
