"""From an episode's messages to checked steps."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from frs_msgs.msg import GateReport
from rollout_samples import D, F, H, decision, drove, messages

from frs_steering.learn.rollouts import rollout


def test_a_step_is_its_decision():
    said = decision(7, np.random.default_rng(0))
    (step,) = rollout("e1", "egg", "succeeded", [said, drove(7)]).steps
    assert (step.source, step.method, step.policy, step.drove) == ("scripted", "frs", "made-up", True)
    assert step.noise is not None and step.noise.shape == step.chunk.shape == (H, D)
    np.testing.assert_array_equal(step.noise.ravel(), said.noise_used)
    np.testing.assert_array_equal(step.commanded, [[True] * 3 + [False] * 4] * H)
    np.testing.assert_array_equal(step.features, np.array(said.features, np.float32))
    np.testing.assert_array_equal(step.joint_position, said.joint_position)
    assert step.gripper == said.gripper
    assert step.diagnostics["noise_percentile"] == 0.5 and math.isnan(step.diagnostics["fixed_point_residual"])


def test_older_recordings_tell_what_was_commanded_of_dimensions_only():
    said = decision(7, np.random.default_rng(0))
    said.command_mask = [True] + [False] * (D - 1)
    (step,) = rollout("e1", "egg", "succeeded", [said, drove(7)]).steps
    np.testing.assert_array_equal(step.commanded, [[True] + [False] * (D - 1)] * H)


@pytest.mark.parametrize(
    ("report", "did"),
    [
        (drove(1, row=-1), False),  # of the chunk as a whole
        (drove(1, row=3, verdict=GateReport.REJECTED), False),
        (drove(1, row=3, verdict=GateReport.HELD), False),
        (drove(2, row=3, verdict=GateReport.CLIPPED), False),
        (drove(1, row=3, verdict=GateReport.CLIPPED), True),
        (drove(1, row=15), True),
    ],
)
def test_only_a_row_that_was_let_through_drove(report: GateReport, did: bool):
    (step,) = rollout("e1", "egg", "succeeded", [report, decision(1, np.random.default_rng(0))]).steps
    assert step.drove == did


def test_chunks_of_the_same_number_before_and_after_a_restart_are_told_apart():
    rng = np.random.default_rng(0)
    before, after = decision(1, rng), decision(1, rng)
    after.owner_epoch, after.first_tick = 2, 200
    late = drove(1)
    late.tick = 201
    for reports, expected in (([drove(1)], [True, False]), ([late], [False, True]), ([late, drove(1)], [True, True])):
        steps = rollout("e1", "egg", "succeeded", [before, after, *reports]).steps
        assert [step.drove for step in steps] == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"features": []}, "holds no features of the policy"),
        ({"source": 9}, "has an unknown source (9)"),
        ({"noise_used": [0.0] * 3}, "holds arrays of contradicting sizes"),
        ({"command_mask": [True] * 3}, "holds arrays of contradicting sizes"),
        ({"refined": []}, "holds arrays of contradicting sizes"),
        ({"horizon": 0}, "holds arrays of contradicting sizes"),
        ({"feature_parts": [1, F]}, "holds features that are not the sum of their parts"),
        ({"features": [math.nan] * F}, "holds numbers that are not finite"),
        ({"gripper": math.inf}, "holds numbers that are not finite"),
    ],
)
def test_what_cannot_be_learnt_from_is_counted_by_reason(change: dict, reason: str):
    said = messages(3)
    for name, value in change.items():
        setattr(said[0], name, value)
    found = rollout("e1", "egg", "succeeded", said)
    assert len(found.steps) == 2 and found.unusable == {reason: 1}


def test_decisions_of_older_recordings_lack_features():
    old = SimpleNamespace(chunk_id=1, horizon=H, dim=D, noise_used=[0.0] * (H * D), refined=[0.0] * (H * D), source=1)
    assert rollout("e1", "egg", "succeeded", [old]).unusable == {"holds no features of the policy": 1}
