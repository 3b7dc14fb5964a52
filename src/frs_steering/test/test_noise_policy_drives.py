"""A noise policy acts where nobody steers, and nothing that befalls it stops the chunks; all over real DDS."""

from __future__ import annotations

import itertools
import math
import signal
from pathlib import Path

import noise_policy_sample
import numpy as np
import pytest
import torch
from cell_stand_in import CellStandIn, Start
from frs_msgs.msg import Decision, NoisePolicyInfo
from frs_msgs.srv import LoadNoisePolicy, ProposeNoise

from frs_steering.flow import Parameterisation
from frs_steering.learn.noise_policy import NoisePolicy, load
from frs_steering.nodes.conversions import guidance_to_msg
from frs_steering.nodes.qos import LATCHED
from frs_steering.steer.guidance import Guidance, GuidanceSource

BASE, HUMAN, NOISE = Decision.SOURCE_BASE, Decision.SOURCE_HUMAN, Decision.SOURCE_NOISE_POLICY
UP = Guidance(GuidanceSource.HUMAN, "tester", direction=(0.0, 0.0, 1.0), validity=5.0)

pytestmark = pytest.mark.usefixtures("policy_node")


@pytest.fixture
def file(weights: Path, tmp_path: Path) -> Path:
    return noise_policy_sample.write(tmp_path / "first.safetensors", weights)


def until_source(cell: CellStandIn, source: int, since: int = 0, *, count: int = 1) -> list[Decision]:
    """Wait for decisions of a source after the first `since`; returns them."""
    what = f"{count} decisions of source {source}"
    return cell.until_decisions(lambda decision: decision.source == source, what, since, count)


def left_to_the_policy(cell: CellStandIn, reason: str, since: int) -> Decision:
    """Wait for the first decision after the first `since` that is the policy's own for this reason.

    On a busy machine others come in between: a noise policy that is asked and answers late has a reason of its own.
    """
    what = f"a decision of the policy for the reason {reason!r}"
    return cell.until_decisions(lambda one: (one.source, one.defer_reason) == (BASE, reason), what, since)[0]


def wish(cell: CellStandIn, guidance: Guidance) -> None:
    cell.until(lambda: cell.guidance.get_subscription_count() > 0, 30, "somebody who listens to guidance")
    cell.guidance.publish(guidance_to_msg(guidance, cell.get_clock().now().to_msg()))


def take(cell: CellStandIn, file: Path) -> LoadNoisePolicy.Response:
    return cell.call(cell.create_client(LoadNoisePolicy, "noise_policy/load"), LoadNoisePolicy.Request(file=str(file)))


def no_chunk_was_missed(cell: CellStandIn) -> None:
    """Each chunk was there before the one before it had run out of rows."""
    ticks = [chunk.first_tick for chunk in cell.chunks]
    assert all(after - before <= 16 for before, after in itertools.pairwise(ticks)), ticks


def assert_made_by(decision: Decision, noise_policy: NoisePolicy) -> None:
    said = noise_policy.propose(
        np.array(decision.features, np.float32), decision.joint_position, decision.gripper, decision.seed
    )
    expected = Parameterisation("tiled").expand(torch.from_numpy(said), decision.horizon).numpy()
    np.testing.assert_allclose(np.reshape(decision.noise_used, expected.shape), expected, atol=1e-4)


def test_it_acts_where_nobody_steers_and_is_swapped_meanwhile(
    cell: CellStandIn, start_node: Start, file: Path, weights: Path, tmp_path: Path
):
    start_node("noise_policy", file=file)
    start_node("flow_steering", active_on_start=True, method="frs:steps=5")
    decision = until_source(cell, NOISE, count=3)[-1]
    first = load(file)
    assert (decision.method, decision.noise_policy) == ("noise:noise=tiled", first.version)
    assert (decision.deferred, decision.defer_reason, decision.guidance.defer) == (False, "", True)
    assert decision.diagnostics.evaluations == 10 and 0.0 < decision.timings.total < 0.5
    assert_made_by(decision, first)

    # A person's wish goes first, for one chunk; "let the policy act" means the policy without the noise policy.
    since = len(cell.decisions)
    wish(cell, UP)
    assert until_source(cell, HUMAN, since)[0].noise_policy == ""
    until_source(cell, NOISE, since)
    wish(cell, Guidance(GuidanceSource.HUMAN, "tester", defer=True))
    assert left_to_the_policy(cell, "the wish was to let the policy act", since).deferred

    # Another one takes over between two chunks, a bad file doesn't.
    second = load(noise_policy_sample.write(tmp_path / "second.safetensors", weights, seed=1))
    assert not take(cell, tmp_path / "nowhere").success
    assert take(cell, second.path).version == second.version
    cell.until(lambda: cell.decisions[-1].noise_policy == second.version, 30, "a decision by the second one")
    assert_made_by(cell.decisions[-1], second)
    versions = [decision.noise_policy for decision in cell.decisions if decision.source == NOISE]
    assert versions == sorted(versions, key=[first.version, second.version].index)
    since = len(cell.decisions)
    none = LoadNoisePolicy.Request(file="")
    assert cell.call(cell.create_client(LoadNoisePolicy, "noise_policy/load"), none).success
    assert not left_to_the_policy(cell, "", since).deferred
    no_chunk_was_missed(cell)


def test_when_it_hangs_or_dies_the_policy_acts_and_the_arm_goes_on(cell: CellStandIn, start_node: Start, file: Path):
    node = start_node("noise_policy", file=file)
    start_node("flow_steering", active_on_start=True)
    until_source(cell, NOISE, count=3)
    since = len(cell.decisions)
    node.send_signal(signal.SIGSTOP)
    reasons = [decision.defer_reason for decision in until_source(cell, BASE, since, count=3)]
    assert all("did not answer" in reason for reason in reasons), reasons
    node.send_signal(signal.SIGCONT)
    since = len(cell.decisions)
    until_source(cell, NOISE, since, count=3)
    since = len(cell.decisions)
    node.kill()
    node.wait()
    decision = until_source(cell, BASE, since, count=3)[-1]
    assert decision.deferred and ("did not answer" in decision.defer_reason or "is not there" in decision.defer_reason)
    assert (decision.method, decision.noise_policy) == ("base", "")
    since = len(cell.decisions)
    start_node("noise_policy", file=file)
    until_source(cell, NOISE, since, count=2)
    no_chunk_was_missed(cell)


def test_in_mode_base_it_is_not_asked(cell: CellStandIn, start_node: Start, file: Path):
    start_node("noise_policy", file=file)
    start_node("flow_steering", active_on_start=True, mode="base")
    infos: list[NoisePolicyInfo] = []
    cell.create_subscription(NoisePolicyInfo, "noise_policy/info", infos.append, LATCHED)
    cell.until(lambda: bool(infos) and infos[-1].version != "" and bool(cell.decisions), 60, "both are there")
    since = len(cell.decisions)
    until_source(cell, BASE, since, count=3)
    assert {(decision.source, decision.deferred) for decision in cell.decisions} == {(BASE, False)}


class Impostor:
    """Says that a noise policy is live and answers as it is told."""

    def __init__(self, cell: CellStandIn) -> None:
        self.answer = ProposeNoise.Response(success=True, version="odd@1", parameterisation="tiled", rows=1, dim=7)
        self.answer.noise = [0.0] * 7
        self._info = cell.create_publisher(NoisePolicyInfo, "noise_policy/info", LATCHED)
        cell.create_service(ProposeNoise, "noise_policy/propose", lambda _, __: self.answer)
        cell.until(lambda: bool(cell.infos), 60, "policy_info")
        self._info.publish(NoisePolicyInfo(version="odd@1", weights_sha256=cell.infos[-1].weights_sha256))


@pytest.fixture
def impostor(cell: CellStandIn) -> Impostor:
    return Impostor(cell)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"success": False, "message": "no mood"}, "the noise policy failed: no mood"),
        ({"noise": [math.nan] * 7}, "noise has 7 values that are not finite"),
        ({"noise": [0.0] * 3}, "noise has 3 values; it must have 1 x 7"),
        ({"rows": 16}, "the proposal is of shape (16, 7); 'tiled' noise for 'embedded' has (1, 7)"),
        ({"parameterisation": "magic"}, "the proposal's noise is 'magic'"),
        ({"noise": [3e38] * 7}, "noise policy odd@1: "),  # finite, but what is denoised from it is not
    ],
)
def test_nonsense_is_not_denoised(
    cell: CellStandIn, start_node: Start, impostor: Impostor, changes: dict[str, object], reason: str
):
    for name, value in changes.items():
        setattr(impostor.answer, name, value)
    start_node("flow_steering", active_on_start=True)
    cell.until(lambda: any(reason in decision.defer_reason for decision in cell.decisions), 60, "a fallback")
    assert {decision.source for decision in cell.decisions} == {BASE}
    assert all(np.isfinite(decision.refined).all() for decision in cell.decisions)
