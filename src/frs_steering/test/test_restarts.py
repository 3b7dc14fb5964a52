"""Any of the processes around a decision may be killed and started again while the others go on."""

from __future__ import annotations

from pathlib import Path

from cell_stand_in import CellStandIn, Start
from frs_msgs.msg import ArmState


def test_goes_on_after_others_were_killed(cell: CellStandIn, start_node: Start, weights: Path):
    steering = start_node("flow_steering", active_on_start=True, query_timeout=0.5)
    policy = start_node("vla_inference", weights=weights)
    cell.until(lambda: len(cell.chunks) >= 2, 60, "two chunks")

    # The policy's process dies at once: the arm runs out of rows; a new one is taken up.
    policy.kill()
    policy.wait()
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 30, "the arm holds")
    sent = len(cell.chunks)
    policy = start_node("vla_inference", weights=weights)
    cell.until(lambda: len(cell.chunks) >= sent + 3, 60, "chunks from the new process")

    # The arm's controller is started anew: the claim is made again, and chunks are counted from 1.
    claims = cell.claims
    cell.start_arm_again()
    cell.until(lambda: cell.claims > claims, 30, "a new claim")
    cell.until(lambda: cell.chunks[-1].owner_epoch == 2, 30, "chunks under the new claim")
    assert next(chunk.chunk_id for chunk in cell.chunks if chunk.owner_epoch == 2) == 1

    # Steering itself is killed and comes back.
    steering.kill()
    steering.wait()
    sent = len(cell.chunks)
    start_node("flow_steering", active_on_start=True)
    cell.until(lambda: len(cell.chunks) >= sent + 2, 30, "chunks from the new process")
    assert policy.poll() is None
