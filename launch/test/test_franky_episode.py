"""A recorded episode is streamed to the true driver of an FR3, into a simulator that holds the robot's limits."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path

import numpy as np
from franky_peer import PATIENCE, LimitedPeer, connected, limited

from frs_steering.record.reader import records

STEPS = 150  # ten seconds at 15 Hz; the episode may be over sooner


def recorded(directory: Path) -> np.ndarray:
    """Joint velocities (STEPS or less, 7) [rad/s] that passed the gate in an episode of the simulated cell."""
    words = ["--tasks", "egg_on_plate", "--methods", "base", "--episodes", "1", "--jobs", "1"]
    directories = ["--out", str(directory / "rows"), "--record", str(directory / "episodes")]
    subprocess.run(["frs", "eval", *words, *directories], check=True, capture_output=True, timeout=100)
    (path,) = (directory / "episodes").glob("*/*.mcap")
    velocities = [record.message.commanded for record in records(path, ["gate_report"]) if record.message.row >= 0]
    return np.array(velocities[:STEPS], float)


@limited
def test_a_recorded_episode_is_streamed_without_a_reflex(tmp_path: Path) -> None:
    velocities = recorded(tmp_path)
    assert len(velocities) > STEPS / 3 and np.abs(velocities).max() > 0.2
    peer = LimitedPeer(tmp_path)
    try:
        arm = connected(peer)
        before = arm.read()
        pause, begun = threading.Event(), time.monotonic()
        for step, velocity in enumerate(velocities):
            arm.send(velocity)
            assert arm.error() == "", f"at step {step}"
            pause.wait(max(0.0, begun + (step + 1) / 15 - time.monotonic()))
        after = arm.read()
        assert before is not None and after is not None and time.monotonic() - begun < PATIENCE
        # How far it goes depends on how fast the simulator is on this machine; the way does not.
        moved, asked = after[0] - before[0], velocities.sum(axis=0) / 15
        assert moved @ asked > 0.9 * np.linalg.norm(moved) * np.linalg.norm(asked)
        arm.close()
        assert arm.error() == ""
    finally:
        peer.kill()
