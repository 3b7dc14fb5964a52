"""The policy's signs of life, by real processes and signals; alone in a file, as one policy alone must be there."""

from __future__ import annotations

import signal
from pathlib import Path

from ament_index_python.packages import get_package_prefix
from cell_stand_in import CellStandIn, Start
from frs_msgs.msg import ArmState
from std_msgs.msg import String

from frs_steering.nodes.qos import LATCHED


def test_a_policy_that_hangs_or_dies_is_let_go_of(cell: CellStandIn, start_node: Start, weights: Path):
    why_not: list[str] = []
    cell.create_subscription(String, "flow_steering/why_not", lambda msg: why_not.append(msg.data), LATCHED)
    start_node("flow_steering", active_on_start=True)
    policy = start_node("vla_inference", weights=weights)
    cell.until(lambda: bool(cell.chunks), 60, "a chunk")
    policy.send_signal(signal.SIGSTOP)
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 5, "the arm holds")
    cell.until(lambda: "no sign of life" in why_not[-1], 5, "the reason on why_not")
    held = len(cell.chunks)
    policy.send_signal(signal.SIGCONT)
    cell.until(lambda: len(cell.chunks) > held and cell.arm.state == ArmState.RUNNING, 30, "chunks that drive")
    policy.kill()
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 5, "the arm holds")
    sent = len(cell.chunks)
    start_node("vla_inference", weights=weights)
    cell.until(lambda: len(cell.chunks) > sent and why_not[-1] == "", 60, "chunks of a new policy")


def test_an_answer_that_does_not_come_is_not_waited_for_with_a_moving_arm(
    cell: CellStandIn, start_node: Start, procs: Start, weights: Path
):
    """A policy that gives no sign of life may live; its answer is missed then."""
    steering = start_node("flow_steering", active_on_start=True)
    executable = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / "vla_inference"
    arguments = ["-p", f"weights:={weights}", "-r", "vla_inference/why_not:=nobody_listens"]
    policy = procs(executable, "--ros-args", *arguments)
    cell.until(lambda: len(cell.chunks) > 5, 60, "chunks")
    policy.send_signal(signal.SIGSTOP)
    steering.wait_for_text("the arm holds: a decision is overdue")
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 5, "the arm holds")
    assert cell.arm.tick < cell.chunks[-1].first_tick + cell.chunks[-1].horizon
    held = len(cell.chunks)
    policy.send_signal(signal.SIGCONT)
    cell.until(lambda: len(cell.chunks) > held and cell.arm.state == ArmState.RUNNING, 30, "chunks that drive")
