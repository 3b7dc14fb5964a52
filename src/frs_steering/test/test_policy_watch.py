"""The policy's signs of life, by real processes and signals; alone in a file, as one policy alone must be there."""

from __future__ import annotations

import signal
from pathlib import Path

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
