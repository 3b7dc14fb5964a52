"""One call next to the policy, on a small network with random weights."""

import numpy as np
import pytest
import torch
from coarse_policy import CoarsePolicy

from frs_steering.policies import Observation
from frs_steering.policies.embedded import EmbeddedPolicy, Network, NetworkConfig
from frs_steering.steer.answer import answer, refine
from frs_steering.steer.diagnostics import noise_percentile
from frs_steering.steer.method import Method, parse_method
from frs_steering.steer.query import Operation, Query, QueryError
from frs_steering.steer.reference import Reference

H, D = 16, 7


@pytest.fixture(scope="module")
def policy() -> EmbeddedPolicy:
    torch.manual_seed(0)
    network = Network(NetworkConfig(keypoints=4, features=16, hidden=32, blocks=1, vocabulary=("put it there",)))
    for weight in network.denoiser.leave.parameters():
        torch.nn.init.normal_(weight, std=0.05)  # it starts at zero, which would make a field of no interest
    return EmbeddedPolicy(network, "0" * 64)


@pytest.fixture(scope="module")
def observation() -> Observation:
    rng = np.random.default_rng(0)
    images = {camera: rng.integers(0, 255, (224, 224, 3), np.uint8) for camera in ("exterior", "wrist")}
    return Observation(images, np.zeros(7), 0.0, (0.0, 0.0), "put it there")


def rows(value: float = 0.1) -> np.ndarray:
    return np.full((H, D), value, np.float32)


def test_sampling_is_decided_by_the_seed(policy: EmbeddedPolicy, observation: Observation) -> None:
    first, again, other = (answer(policy, observation, Query(Operation.SAMPLE, seed=seed)) for seed in (1, 1, 2))
    assert first.chunk is not None and again.chunk is not None and other.chunk is not None
    np.testing.assert_array_equal(first.chunk, again.chunk)
    assert np.abs(first.chunk - other.chunk).max() > 0.01
    assert first.diagnostics.evaluations == 10


def test_steering_keeps_commanded_noise_and_delegates_the_rest(
    policy: EmbeddedPolicy, observation: Observation
) -> None:
    mask = np.array([True] * 3 + [False] * 4)
    result = answer(policy, observation, Query(Operation.STEER, seed=3, chunk=rows(), mask=mask))
    fresh = answer(policy, observation, Query(Operation.SAMPLE, seed=3))
    assert result.noise_recovered is not None and result.noise_used is not None and fresh.noise_used is not None
    kept = mask & (np.arange(H) < policy.spec.execute_rows + Method().ahead)[:, None]
    np.testing.assert_array_equal(result.noise_used[kept], result.noise_recovered[kept])
    np.testing.assert_array_equal(result.noise_used[~kept], fresh.noise_used[~kept])
    assert result.diagnostics.evaluations == 20
    recovered = torch.from_numpy(result.noise_recovered[kept])
    assert result.diagnostics.noise_percentile == pytest.approx(noise_percentile(recovered))
    assert result.diagnostics.round_trip_rms > 0.0
    assert -1.0 <= result.diagnostics.agreement <= 1.0


@pytest.mark.parametrize(
    "text", ["frs", "frs:integrator=fixed_point", "frs:sigma=1,max_length=1", "frs:noise=dct4", "direct",
             "translation", "partial", "rank"],
)  # fmt: skip
def test_a_policy_of_another_type_steers_to_nearly_the_same(
    policy: EmbeddedPolicy, observation: Observation, text: str
) -> None:
    mask = np.array([True] * 3 + [False] * 4)
    query = Query(Operation.STEER, parse_method(text), seed=3, chunk=rows(), mask=mask)
    fine, coarse = answer(policy, observation, query), answer(CoarsePolicy(policy), observation, query)
    assert fine.chunk is not None and coarse.chunk is not None and coarse.chunk.dtype == np.float32
    np.testing.assert_allclose(coarse.chunk, fine.chunk, atol=0.05)
    for name in ("noise_percentile", "round_trip_rms", "agreement"):
        np.testing.assert_allclose(getattr(coarse.diagnostics, name), getattr(fine.diagnostics, name), atol=0.02)


def test_steering_is_reversing_then_denoising(policy: EmbeddedPolicy, observation: Observation) -> None:
    everything = np.ones(D, bool)
    whole = Method(ahead=H)
    steered = answer(policy, observation, Query(Operation.STEER, whole, chunk=rows(), mask=everything))
    noise = answer(policy, observation, Query(Operation.REVERSE, chunk=rows())).noise_recovered
    denoised = answer(policy, observation, Query(Operation.DENOISE, noise=noise))
    assert steered.chunk is not None and denoised.chunk is not None
    np.testing.assert_allclose(steered.chunk, denoised.chunk, atol=1e-6)


def test_the_gripper_stays_within_its_range(policy: EmbeddedPolicy, observation: Observation) -> None:
    chunk = answer(policy, observation, Query(Operation.DENOISE, noise=np.full((H, D), 5.0, np.float32))).chunk
    assert chunk is not None
    assert chunk[:, -1].min() >= 0.0 and chunk[:, -1].max() <= 1.0


METHODS = ("frs", "frs:integrator=midpoint", "frs:integrator=fixed_point", "direct", "translation", "partial", "rank")


@pytest.mark.parametrize("text", METHODS)
def test_a_batch_of_references_gives_what_each_gives_alone(
    policy: EmbeddedPolicy, observation: Observation, text: str
) -> None:
    method, everything = parse_method(text), np.ones(D, bool)
    references = [
        Reference(rows(0.2), np.array([True] * 3 + [False] * 4)),
        Reference(rows(-0.1), everything),
        Reference(rows(0.0), np.array([False] * 6 + [True])),
    ]
    together = refine(policy, observation, references, method=method, seed=4)
    for reference, found in zip(references, together, strict=True):
        query = Query(Operation.STEER, method, 4, chunk=reference.chunk, mask=reference.mask)
        alone = answer(policy, observation, query)
        assert found.chunk is not None and alone.chunk is not None
        np.testing.assert_allclose(found.chunk, alone.chunk, atol=1e-4)
        assert found.diagnostics.evaluations == alone.diagnostics.evaluations
        np.testing.assert_allclose(found.diagnostics.agreement, alone.diagnostics.agreement, atol=1e-3)
        np.testing.assert_allclose(
            found.diagnostics.fixed_point_residual, alone.diagnostics.fixed_point_residual, rtol=1e-2, atol=1e-6
        )
    assert refine(policy, observation, [], method=method, seed=4) == []


def test_the_observation_is_encoded_once_for_a_batch(
    policy: EmbeddedPolicy, observation: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    encode = policy.encode
    monkeypatch.setattr(policy, "encode", lambda prepared: calls.append(1) or encode(prepared))
    refine(policy, observation, [Reference(rows(), np.ones(D, bool))] * 6, method=Method(), seed=0)
    assert len(calls) == 1


def test_a_noise_of_few_numbers_is_expanded_and_judged_by_them(
    policy: EmbeddedPolicy, observation: Observation
) -> None:
    row = np.random.default_rng(0).standard_normal((1, D)).astype(np.float32)
    found = answer(policy, observation, Query(Operation.DENOISE, parse_method("noise:noise=tiled"), noise=row))
    assert found.noise_used is not None
    np.testing.assert_allclose(found.noise_used, np.tile(row, (H, 1)), rtol=1e-6)
    long = answer(policy, observation, Query(Operation.DENOISE, parse_method("noise:noise=tiled"), noise=4 * row))
    assert 0.001 < found.diagnostics.noise_percentile < 0.999 < long.diagnostics.noise_percentile


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(Operation.STEER, Method("base")), "to STEER it must follow a reference: frs, direct"),
        (Query(Operation.SAMPLE, Method("base", noise="dct17")), "no more than dct16"),
        (Query(Operation.DENOISE, Method("noise", noise="tiled"), noise=rows()), r"must be of shape \(1, 7\)"),
        (Query(Operation.REVERSE), "chunk is missing"),
        (Query(Operation.REVERSE, chunk=np.zeros((3, D), np.float32)), r"chunk is of shape \(3, 7\)"),
        (Query(Operation.REVERSE, chunk=np.full((H, D), np.nan, np.float32)), "112 values that are not finite"),
        (Query(Operation.DENOISE), "noise is missing"),
        (Query(Operation.STEER, chunk=rows()), "command_mask is missing"),
        (Query(Operation.STEER, chunk=rows(), mask=np.ones(3, bool)), r"command_mask is of shape \(3,\)"),
    ],
)
def test_a_bad_query_is_named(policy: EmbeddedPolicy, observation: Observation, query: Query, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        answer(policy, observation, query)
