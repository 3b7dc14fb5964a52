"""Steering against the real policy node, with a stand-in for cell and arm; all over real DDS."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from cell_stand_in import CellStandIn, Start
from frs_msgs.msg import ArmState, Decision
from frs_msgs.srv import FlowQuery
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

from frs_steering.nodes.conversions import guidance_to_msg
from frs_steering.nodes.qos import LATCHED
from frs_steering.robot.kinematics import tcp_pose
from frs_steering.steer.guidance import Guidance, GuidanceSource

UP = Guidance(GuidanceSource.HUMAN, "tester", direction=(0.0, 0.0, 1.0), validity=5.0)


def activate(cell: CellStandIn, on: bool = True) -> SetBool.Response:
    return cell.call(cell.activate, SetBool.Request(data=on))


def activate_soon(cell: CellStandIn) -> None:
    """Activate as soon as everything is there; each refusal names what is missing."""
    cell.until(lambda: bool(cell.infos) and cell.claims > 0, 60, "policy_info and a claim")
    look = FlowQuery.Request(operation=FlowQuery.Request.ENCODE)
    looks = iter(lambda: cell.call(cell.query, look), None)  # refused until every camera has come: no decision fails
    assert any(answer.success for answer in itertools.islice(looks, 1000))
    answers = iter(lambda: activate(cell), None)
    assert any(answer.success for answer in itertools.islice(answers, 200))


def listen(cell: CellStandIn) -> tuple[list[bool], list[str]]:
    """What the node says of itself from now on: whether it is active, and what keeps it from deciding."""
    active: list[bool] = []
    why_not: list[str] = []
    cell.create_subscription(Bool, "flow_steering/active", lambda msg: active.append(msg.data), LATCHED)
    cell.create_subscription(String, "flow_steering/why_not", lambda msg: why_not.append(msg.data), LATCHED)
    return active, why_not


def wish(cell: CellStandIn, **changes: object) -> None:
    """Send the wish `up`, or what `changes` make of it, right or wrong."""
    msg = guidance_to_msg(UP, cell.get_clock().now().to_msg())
    for name, value in changes.items():
        if name == "frame":
            msg.header.frame_id = value
        elif name == "x":
            msg.direction.x = value
        else:
            setattr(msg, name, value)
    cell.until(lambda: cell.guidance.get_subscription_count() > 0, 30, "somebody who listens to guidance")
    cell.guidance.publish(msg)


def test_activation_names_what_is_missing(cell: CellStandIn, start_node: Start):
    active, why_not = listen(cell)
    start_node("flow_steering")
    refused = activate(cell)
    assert not refused.success
    assert "no usable policy_info came; is vla_inference running?" in refused.message
    cell.until(lambda: bool(why_not) and "no usable policy_info came" in why_not[-1], 10, "the reason on why_not")
    assert active[-1] is False
    assert activate(cell, False).success


@pytest.mark.usefixtures("policy_node")
def test_steers_by_wishes_and_keeps_the_pace(cell: CellStandIn, start_node: Start):
    steering = start_node("flow_steering")
    activate_soon(cell)

    # Nobody steers: the policy acts, and chunks follow each other before the rows run out.
    cell.until(lambda: len(cell.decisions) >= 5, 30, "five decisions")
    assert {decision.source for decision in cell.decisions} == {Decision.SOURCE_BASE}
    assert [chunk.chunk_id for chunk in cell.chunks[:5]] == [1, 2, 3, 4, 5]
    steps = [b.first_tick - a.first_tick for a, b in itertools.pairwise(cell.chunks[1:])]
    assert all(5 <= step <= 16 for step in steps)
    decision = cell.decisions[-1]
    assert (decision.method, decision.deferred, decision.guidance.defer) == ("base", False, True)
    assert len(decision.refined) == len(decision.noise_used) == 112
    assert len(decision.reference) == len(decision.noise_recovered) == 0
    assert decision.seed >= decision.chunk_id - 1  # one that was given up takes a seed and makes no chunk
    assert 0 < decision.timings.transport < decision.timings.total < 0.5
    chunk = cell.chunks[-1]
    assert (chunk.owner_epoch, chunk.horizon, chunk.dim, chunk.header.frame_id) == (
        cell.arm.owner_epoch, 16, 7, "fr3_link0"
    )  # fmt: skip
    assert 0 < chunk.lease.sec + chunk.lease.nanosec * 1e-9 <= 16 / 15

    # Wishes that make no sense are ignored.
    before = len(cell.decisions)
    wish(cell, x=float("nan"))
    wish(cell, frame="camera")
    wish(cell, x=1.0)
    cell.until(lambda: len(cell.decisions) >= before + 2, 30, "two more decisions")
    assert {decision.source for decision in cell.decisions} == {Decision.SOURCE_BASE}

    # A key press steers one decision, and only one.
    before = len(cell.decisions)
    wish(cell)
    cell.until(lambda: len(cell.decisions) >= before + 3, 30, "three more decisions")
    steered = [decision for decision in cell.decisions if decision.source == Decision.SOURCE_HUMAN]
    assert len(steered) == 1
    decision = steered[0]
    assert (decision.method, decision.guidance.author, decision.guidance.defer) == ("frs", "tester", False)
    assert list(decision.command_mask) == ([True] * 3 + [False] * 4) * 8 + [False] * 56
    assert decision.reference[2] == pytest.approx(cell.infos[-1].full_scale[2])
    assert len(decision.noise_recovered) == 112
    assert decision.diagnostics.evaluations == 20

    # "Let the policy act" is a wish, too.
    before = len(cell.decisions)
    wish(cell, defer=True)
    decision = cell.until_decisions(lambda decision: decision.deferred, "a deferred decision", before)[0]
    assert decision.source == Decision.SOURCE_BASE
    assert "let the policy act" in decision.defer_reason

    # Switched off, it sends nothing more; what drives runs out.
    assert activate(cell, False).success
    cell.wait_ticks(2)  # a chunk that was sent before the answer may be heard after it
    sent = len(cell.chunks)
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 30, "the arm holds")
    assert len(cell.chunks) == sent

    # A stop switches it off, too, and it does not go on with the reset.
    assert activate(cell).success
    cell.until(lambda: len(cell.chunks) > sent, 30, "chunks again")
    cell.stopped = True
    cell.wait_ticks(5)
    assert "the arm is stopped (stopped by the test)" in activate(cell).message
    cell.stopped, sent, claims = False, len(cell.chunks), cell.claims
    cell.until(lambda: cell.claims > claims, 30, "a new claim after the reset")
    cell.wait_ticks(10)
    assert len(cell.chunks) == sent

    steering.terminate()
    assert steering.wait(5) == 0
    assert "guidance from tester ignored: guidance direction (nan" in steering.text()


@pytest.mark.usefixtures("policy_node")
def test_missing_camera_is_named_and_nothing_moves(cell: CellStandIn, start_node: Start):
    cell.cameras = {"exterior"}
    active, why_not = listen(cell)
    steering = start_node("flow_steering", active_on_start=True)
    cell.until(lambda: bool(cell.infos) and cell.arm.state == ArmState.ARMED, 30, "policy and arm")
    steering.wait_for_text("the arm holds: camera 'wrist'")
    cell.until(lambda: why_not[-1].startswith("camera 'wrist'"), 10, "the reason on why_not")
    assert active[-1] is True
    assert not cell.chunks
    cell.cameras = {"exterior", "wrist"}
    cell.until(lambda: bool(cell.chunks) and why_not[-1] == "", 30, "chunks, and no reason on why_not")

    # The same while a chunk drives: it is let go.
    cell.cameras = {"exterior"}
    cell.until(lambda: cell.arm.state == ArmState.HOLDING, 5, "the arm holds")
    sent = len(cell.chunks)
    cell.wait_ticks(5)
    assert len(cell.chunks) == sent
    cell.cameras = {"exterior", "wrist"}
    cell.until(lambda: len(cell.chunks) > sent, 30, "chunks again")


@pytest.mark.usefixtures("policy_node")
def test_chunks_that_are_not_trusted_are_replaced(cell: CellStandIn, start_node: Start):
    start_node("flow_steering", active_on_start=True, max_noise_percentile=0.0)
    cell.until(lambda: bool(cell.chunks), 60, "a chunk")
    wish(cell)
    decision = cell.until_decisions(lambda decision: decision.deferred, "a deferred decision")[0]
    assert (decision.source, decision.method, decision.guidance.defer) == (Decision.SOURCE_BASE, "base", True)
    assert "noise percentile" in decision.defer_reason
    assert decision.guidance.author == "tester"
    assert decision.diagnostics.evaluations == 30  # what was tried counts
    assert len(decision.reference) == 0


@pytest.mark.usefixtures("policy_node")
def test_another_method_and_a_direction_of_the_hand(cell: CellStandIn, start_node: Start):
    start_node("flow_steering", active_on_start=True, method="direct")
    cell.until(lambda: bool(cell.chunks), 60, "a chunk")
    wish(cell, frame="fr3_hand_tcp")
    decision = cell.until_decisions(lambda decision: decision.source != Decision.SOURCE_BASE, "a steered one")[0]
    assert (decision.method, decision.diagnostics.evaluations, len(decision.noise_used)) == ("direct", 0, 0)
    full = cell.infos[-1].full_scale[2]
    turned = tcp_pose(np.array(cell.arm.position))[:3, :3] @ [0.0, 0.0, full]
    np.testing.assert_allclose(decision.refined[:3], turned, atol=1e-5)
    assert decision.diagnostics.agreement == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("method", "words"), [("magic", "it must be one of base, frs"), ("noise", "needs a noise from outside")]
)
def test_a_wrong_method_is_named_at_start(start_node: Start, method: str, words: str):
    process = start_node("flow_steering", method=method)
    assert process.wait(60) == 1
    (line,) = process.text().strip().splitlines()
    assert line.startswith("error: parameter 'method' of node 'flow_steering'") and words in line


@pytest.mark.usefixtures("policy_node")
def test_base_mode_ignores_wishes(cell: CellStandIn, start_node: Start):
    start_node("flow_steering", active_on_start=True, mode="base")
    cell.until(lambda: bool(cell.chunks), 60, "a chunk")
    wish(cell, source=GuidanceSource.VLM.value)
    count = len(cell.decisions)
    cell.until(lambda: len(cell.decisions) >= count + 3, 30, "three decisions")
    assert {(decision.source, decision.deferred) for decision in cell.decisions} == {(Decision.SOURCE_BASE, False)}
