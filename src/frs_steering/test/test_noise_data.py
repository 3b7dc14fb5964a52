"""What is learnt from, and what is left out and why."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from rollout_samples import WEIGHTS, D, F, H, messages

from frs_steering.learn.errors import TrainingError
from frs_steering.learn.noise_data import Limits, Sampler, gather
from frs_steering.learn.rollouts import Rollout, rollout


def episode(name: str = "e1", label: str = "succeeded", *, count: int = 4, method: str = "frs") -> Rollout:
    return rollout(name, "egg", label, messages(count, method=method))


def test_successful_chunks_become_pairs():
    one = episode()
    data = gather([one, episode("e2", "failed")], kind="dsbc")
    assert data.inputs.shape == (4, F + 8) and data.targets.shape == (4, H, D)
    step = one.steps[2]
    np.testing.assert_allclose(data.targets[2], step.noise)
    np.testing.assert_allclose(data.inputs[2], [*step.features, *step.joint_position, step.gripper], rtol=1e-6)
    assert (data.horizon, data.policy, data.weights_sha256) == (H, "made-up", WEIGHTS)
    assert (data.quality.episodes, data.quality.other_episodes) == (("e1",), {"failed": 1})
    assert data.quality.sources == {"scripted": 4} and data.quality.kept_length == 1.0
    assert data.expert.all() and not data.own.any() and data.demonstrations == ""


def test_who_steered_is_told_apart():
    one = episode(count=5)
    sources = ("base", "human", "vlm", "scripted", "noise policy")
    steps = [dataclasses.replace(step, source=source) for step, source in zip(one.steps, sources, strict=True)]
    mixed = gather([dataclasses.replace(one, steps=tuple(steps))], kind="dsbc")
    assert mixed.expert.tolist() == [False, True, True, True, False]
    assert mixed.own.tolist() == [False, False, False, False, True]


def test_chunks_are_learnt_as_they_were_driven():
    one = episode()
    data = gather([one], kind="bc", noise="tiled")
    np.testing.assert_allclose(data.targets, np.stack([step.chunk for step in one.steps]))


def test_noise_is_learnt_in_its_parameterisation():
    one = episode()
    data = gather([one], kind="dsbc", noise="tiled")
    np.testing.assert_allclose(data.targets[:, 0], np.stack([s.noise.mean(0) for s in one.steps]), rtol=1e-5, atol=1e-6)
    assert 0.0 < data.quality.kept_length < 1.0
    assert any("of the noises' square length" in line for line in data.quality.lines())


def test_noise_beyond_the_bound_is_cut_and_counted():
    data = gather([episode()], kind="dsbc", bound=1.0)
    assert float(data.targets.abs().max()) == 1.0
    assert 0.2 < data.quality.beyond_bound < 0.9


def test_what_is_dropped_is_counted_by_reason():
    said = messages(6)
    said[0].diagnostics.noise_percentile = 0.995
    said[2].diagnostics.round_trip_rms = 0.9
    said[4].diagnostics.agreement = -0.5
    said[6].diagnostics.fixed_point_residual = 0.3
    said[9].row = -1  # it never drove
    limits = Limits(noise_percentile=0.99, round_trip_rms=0.5, agreement=0.0, fixed_point_residual=0.1)
    quality = gather([rollout("e1", "egg", "succeeded", said)], kind="dsbc", limits=limits).quality
    assert quality.dropped == {
        "noise_percentile above 0.99": 1, "round_trip_rms above 0.5": 1, "agreement below 0": 1,
        "fixed_point_residual above 0.1": 1, "never drove the arm": 1,
    }  # fmt: skip
    assert quality.chunks == 6 and quality.sources == {"scripted": 1}
    assert "1 of 6 chunks are learnt from; steered by: scripted 1" in quality.lines()


@pytest.mark.parametrize("method", ["direct", "translation", "partial:strength=0.25"])
def test_noise_that_does_not_make_the_chunk_is_not_learnt(method: str):
    both = [episode(), episode("e2", method=method)]
    name = method.partition(":")[0]
    assert gather(both, kind="dsbc").quality.dropped == {f"made by {name!r}, whose chunk is not its noise denoised": 4}
    assert len(gather(both, kind="bc")) == 8


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no episode was given"),
        ([episode(label="failed"), episode(label="unlabelled")], r"none of 2 episodes succeeded \(1 failed, 1 unlab"),
        ([episode(method="direct")], "no chunk of 1 successful episodes can be learnt from: 4 made by 'direct'"),
    ],
)
def test_nothing_to_learn_is_said(given: list[Rollout], message: str):
    with pytest.raises(TrainingError, match=message):
        gather(given, kind="dsbc")


def test_a_limit_on_what_is_not_known_is_refused():
    one = episode()
    unknown = dataclasses.replace(one, steps=tuple(dataclasses.replace(s, diagnostics={}) for s in one.steps))
    assert len(gather([unknown], kind="dsbc")) == 4
    with pytest.raises(TrainingError, match="round_trip_rms has the limit 0.5 but is not known of all chunks"):
        gather([one, unknown], kind="dsbc", limits=Limits(round_trip_rms=0.5))


def test_two_samplers_are_not_mixed():
    midpoint = episode("e2", method="frs:integrator=midpoint,steps=5")
    both = [episode(), midpoint, episode("e3", method="noise:integrator=midpoint,steps=5")]
    with pytest.raises(TrainingError, match=r"2 samplers: midpoint:steps=5 \(8 chunks\), euler:steps=10 \(4 chunks\)"):
        gather(both, kind="dsbc")
    assert gather([midpoint], kind="dsbc").sampler == Sampler("midpoint", 5)
    assert gather([episode(method="frs:integrator=fixed_point")], kind="dsbc").sampler == Sampler(), (
        "it inverts Euler's"
    )
    assert len(gather(both, kind="bc")) == 12, "a chunk is a chunk"


def with_parts(name: str, *parts: int) -> Rollout:
    one = episode(name)
    return dataclasses.replace(one, steps=tuple(dataclasses.replace(step, feature_parts=parts) for step in one.steps))


def test_older_recordings_that_tell_no_parts_stand_beside_those_that_do():
    assert gather([with_parts("e1", F), with_parts("e2", 1, F - 1)], kind="dsbc").parts == (1, F - 1, 7, 1)
    assert gather([with_parts("e1", F)], kind="dsbc").parts == (F, 7, 1)


def test_parts_that_contradict_each_other_are_refused():
    for others in ((2, F - 2), (1, F)):
        with pytest.raises(TrainingError, match=f"must be the same everywhere, and add up to the {F} features"):
            gather([with_parts("e1", 1, F - 1), with_parts("e2", *others)], kind="dsbc")


def test_features_of_another_length_are_refused():
    one = episode()
    short = [dataclasses.replace(step, features=step.features[:2], feature_parts=(2,)) for step in one.steps]
    with pytest.raises(TrainingError, match="are of 2 shapes"):
        gather([one, dataclasses.replace(one, steps=tuple(short))], kind="dsbc")


def test_two_policies_are_not_mixed():
    other = messages(4)
    for message in other[::2]:
        message.weights_sha256 = "cd" * 32
    with pytest.raises(TrainingError, match=r"of 2 policies: made-up \(abababababab\), made-up \(cdcdcdcdcdcd\)"):
        gather([episode(), rollout("e2", "egg", "succeeded", other)], kind="dsbc")
