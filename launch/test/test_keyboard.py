"""`frs up sim operator:=keyboard` in a pseudo-terminal: what a person would do first moves the arm."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from frs_msgs.msg import ArmState, Decision, PolicyInfo
from rclpy.node import Node
from sensor_msgs.msg import JointState
from sim_graph import Ear
from terminal_process import TerminalProcess

from frs_steering.nodes.qos import EVENT, LATCHED

pytestmark = [pytest.mark.whole_graph, pytest.mark.timeout(240)]

START = 90.0
"""s that the graph may take to come up on a busy machine."""

READY = (ArmState.ARMED, ArmState.HOLDING)
"""It holds where joint states were late for a moment of a busy start."""

PATIENCE = 30.0  # s
MOVING = 0.05  # rad/s of one joint, which no arm at rest has


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TerminalProcess]:
    """The graph with its operator's screen, ready to be steered."""
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    words = ("operator:=keyboard", f"record_directory:={tmp_path / 'runs'}")
    process = TerminalProcess(sys.executable, "-m", "frs_bringup.cli", "up", "sim", *words)
    try:
        process.wait_for("STARTING", START)
        yield process
        if process.process.poll() is None:
            process.press(b"q")
            process.end(timeout=PATIENCE)
    finally:
        process.close()


def test_keys_steer_the_arm_and_run_an_episode(screen: TerminalProcess, node: Node, tmp_path: Path) -> None:
    ear = Ear(node)
    joints = ear.listen(JointState, "joint_states")
    decisions = ear.listen(Decision, "decision", EVENT)
    arm = ear.listen(ArmState, "arm_state", LATCHED)
    policy = ear.listen(PolicyInfo, "policy_info", LATCHED)
    try:
        ear.until(lambda: joints and policy and arm and arm[-1].state in READY, START)
    except AssertionError as error:
        heard = f"{len(joints)} joint states, {len(policy)} policies, the arm {arm[-1:]}"
        raise AssertionError(f"{heard}; the screen:\n{screen.drawn[-4000:]}") from error
    assert not decisions

    # Steered freely: the instruction is there from the start.
    def deciding() -> bool:
        if not decisions:
            screen.press(b"a")  # refused while the screen has not heard of the policy
            ear.spin(3.0)
        return bool(decisions)

    ear.until(deciding, PATIENCE)
    ear.until(lambda: max(map(abs, joints[-1].velocity[:7])) > MOVING)

    def steered() -> bool:
        screen.press(b"\x1b[A")
        return decisions[-1].source == Decision.SOURCE_HUMAN

    ear.until(steered, PATIENCE)
    screen.press(b"a")
    ear.until(lambda: arm[-1].state == ArmState.HOLDING)

    # An episode, begun by a key and ended by the stop.
    screen.press(b"b")
    screen.wait_for("RECORDING tidy_sponge-4-", PATIENCE)
    ear.until(lambda: arm[-1].state == ArmState.RUNNING)
    screen.press(b" ")
    ear.until(lambda: arm[-1].state == ArmState.STOPPED)
    ear.until(lambda: list((tmp_path / "runs").glob("tidy_sponge-4-*/metadata.yaml")))

    screen.press(b"q")
    status, _ = screen.end(timeout=PATIENCE)
    assert status == 0
