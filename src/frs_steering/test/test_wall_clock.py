"""A jump of the wall clock decides nothing of the arm, nor what the recorder notices.

All processes of a computer have one wall clock: so the nodes, the stand-in for the arm and the tests that watch them
run in a pytest of their own, whose clock a preloaded library turns, as that of its children. What the middleware makes
of it is in docs/safety.md: messages may come seconds late after it, so nothing here asks for them sooner.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from arm_stand_in import ArmStandIn
from cell_stand_in import Start
from diagnostics_ear import DiagnosticsEar
from frs_msgs.msg import ArmState
from wall_clock import turnable

from frs_steering.health.report import Level

pytestmark = pytest.mark.nodes
HOUR = 3600
TURNED_BY = "FRS_WALL_CLOCK_AHEAD"
inside = pytest.mark.skipif(TURNED_BY not in os.environ, reason="run by test_under_a_clock_that_jumps")
outside = pytest.mark.skipif(TURNED_BY in os.environ, reason="not under a clock that jumps")
Turn = Callable[[int], None]


@outside
@pytest.mark.parametrize("name", ["ahead and control_steps", "back and control_steps", "back and recorder"])
def test_under_a_clock_that_jumps(tmp_path: Path, name: str) -> None:
    """One pytest for each: what the middleware remembers of one jump is not the next test's affair."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", name, str(Path(__file__))]
    with turnable(tmp_path):
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    # Not its exit status, nor its last line: after a jump back, processes were seen to crash in Fast DDS while they
    # leave the graph, this pytest among them.
    said = done.stdout[-6000:] + done.stderr[-2000:]
    assert done.stdout.count(" PASSED") == 1 and " FAILED" not in done.stdout and " ERROR" not in done.stdout, said


@outside
def test_an_epoch_does_not_come_back_when_the_clock_is_set_back_before_a_restart(
    arm: ArmStandIn, start_node: Start, tmp_path: Path
) -> None:
    with turnable(tmp_path) as clock:
        clock.set_ahead(HOUR)
        before = start_node("arm_controller")
        arm.until_state(ArmState.IDLE)
        assert arm.states[-1].header.stamp.sec > time.time() + HOUR / 2, "the clock was not turned"
        first = arm.claim().epoch
        before.send_signal(signal.SIGTERM)
        assert before.wait(10) == 0
    arm.states.clear()
    start_node("arm_controller")
    arm.until_state(ArmState.IDLE)
    assert arm.claim().epoch > first


@pytest.fixture
def turn() -> Iterator[Turn]:
    with open(os.environ[TURNED_BY], "r+b") as file, mmap.mmap(file.fileno(), 8) as ahead:

        def set_ahead(seconds: int) -> None:
            before = time.time()
            ahead[:] = struct.pack("=q", seconds)
            assert abs(time.time() - before - seconds) < 1.0, "the clock was not turned"

        yield set_ahead


@inside
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
def test_control_steps_and_leases_go_by_another_clock(
    arm: ArmStandIn, start_node: Start, turn: Turn, jump: int
) -> None:
    start_node("arm_controller", joint_state_timeout=2.0)
    arm.until(lambda: bool(arm.states) and arm.states[-1].message == "no owner", 20.0, "the first joint states")
    assert arm.claim().success
    arm.send(1)
    arm.until_moving()
    tick = arm.states[-1].tick
    turn(jump)
    arm.until(lambda: arm.states[-1].tick > tick + 150, 20.0, "ten seconds of control steps")
    assert arm.states[-1].state in (ArmState.HOLDING, ArmState.FAULT)  # the lease ended; joint states may come late
    resting = [report for report in arm.reports if report.tick > tick + 25]  # the lease of 1 s, and the stop
    assert resting and not any(any(report.commanded) for report in resting)


@inside
@pytest.mark.parametrize("jump", [-HOUR], ids=["back"])
def test_the_recorder_goes_on_and_notices_what_has_stopped_coming(
    arm: ArmStandIn, start_node: Start, turn: Turn, jump: int
) -> None:
    ear = DiagnosticsEar(arm)
    start_node("recorder")
    ear.until("recorder: topics", Level.WARN, "of camera/exterior/color/image_raw, camera/wrist/color/image_raw, instr")
    turn(jump)
    arm.reports_joints = False
    ear.until("recorder: topics", Level.WARN, "joint_states")
