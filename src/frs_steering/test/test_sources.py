"""Each source on the two-mode field, where what it must do is known."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from flow_fields import D, H, mixture_field, noise
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from frs_steering.flow import CountedField, Parameterisation, denoise, integrator
from frs_steering.steer.method import Method, parse_method
from frs_steering.steer.sources import SOURCES, Made, Problem
from frs_steering.steer.sources.rank import likeness

METHODS = (
    "base", "base:noise=tiled", "frs", "frs:delegate=no", "frs:integrator=midpoint", "frs:integrator=fixed_point",
    "frs:sigma=1.5", "frs:noise=dct2", "frs:max_length=inf", "frs:ahead=1", "direct", "translation", "partial",
    "partial:strength=1", "partial:delegate=no", "rank", "rank:candidates=3", "noise", "noise:noise=tiled",
)  # fmt: skip
MASK = torch.tensor([True, True, False])
REST = torch.full((H, D), 0.25)


def problem(
    method: Method,
    *,
    seed: int = 0,
    reference: Tensor | None = None,
    mask: Tensor = MASK,
    count: int = 4,
    execute_rows: int = H,
) -> Problem:
    """Four references, or those given, as `answer` would pose them."""
    if reference is None:  # not exactly between the modes, where rounding decides
        reference = 1.3 * noise(seed + 100, count).sign() + 0.2 * noise(seed + 300, count)
    by, generator = Parameterisation(method.noise), torch.Generator().manual_seed(seed)
    k = by.rows(H)

    def fresh(n: int) -> Tensor:
        return by.expand(torch.randn((n, k, D), generator=generator), H)

    return Problem(
        field=CountedField(mixture_field),
        integrator=integrator(method.integrator, method.iterations),
        parameterisation=by,
        fresh=fresh,
        count=len(reference),
        execute_rows=execute_rows,
        rest=REST,
        reference=reference,
        mask=mask.expand(len(reference), 1, D),
        noise=by.expand(noise(seed + 200, len(reference))[:, :k], H),
    )


def made(text: str, **posed: object) -> tuple[Made, Problem]:
    method = parse_method(text)
    posed_problem = problem(method, **posed)  # type: ignore[arg-type]
    return SOURCES[method.source].make(posed_problem, method), posed_problem


def guided(posed: Problem) -> Tensor:
    assert posed.reference is not None
    return posed.reference


def test_every_source_is_tried_here() -> None:
    assert {parse_method(text).source for text in METHODS} == set(SOURCES)


@pytest.mark.parametrize("text", METHODS)
@given(
    seed=st.integers(0, 2**31),
    commanded=st.lists(st.booleans(), min_size=D, max_size=D).filter(any),
    size=st.floats(0, 30),
)
@settings(max_examples=12)
def test_every_source_gives_finite_chunks(text: str, seed: int, commanded: list[bool], size: float) -> None:
    reference = size * noise(seed, 3)
    found, _ = made(text, seed=seed, reference=reference, mask=torch.tensor(commanded))
    for chunk in (found.chunk, found.noise_used, found.noise_recovered):
        assert chunk is None or (chunk.shape == (3, H, D) and torch.isfinite(chunk).all())


@pytest.mark.parametrize("text", METHODS)
@given(seed=st.integers(0, 2**31))
@settings(max_examples=6)
def test_batched_equals_single(text: str, seed: int) -> None:
    together, posed = made(text, seed=seed)
    method = parse_method(text)
    for i in range(posed.count):
        alone = problem(method, seed=seed, reference=guided(posed)[i : i + 1])
        assert posed.noise is not None
        alone = dataclasses.replace(alone, noise=posed.noise[i : i + 1])
        single = SOURCES[method.source].make(alone, method)
        torch.testing.assert_close(together.chunk[i : i + 1], single.chunk, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize(
    ("text", "each"),
    [
        ("base:steps=7", 7), ("frs", 20), ("frs:steps=50", 100), ("frs:integrator=midpoint", 40),
        ("frs:integrator=fixed_point", 1 + 50 + 10), ("frs:integrator=fixed_point,iterations=2", 31), ("direct", 0),
        ("translation", 10), ("partial:strength=0.5", 15), ("partial:strength=0.7,delegate=no", 7),
        ("partial:strength=0.01,delegate=no", 1),
        ("rank", 80), ("rank:candidates=3,steps=5", 15), ("noise:steps=4", 4),
    ],
)  # fmt: skip
def test_evaluations_are_counted_exactly(text: str, each: int) -> None:
    _, posed = made(text)
    assert isinstance(posed.field, CountedField)
    assert posed.field.evaluations == each * posed.count


@given(st.integers(0, 2**31), st.sampled_from(["euler", "midpoint"]), st.sampled_from([3, 10]))
@settings(max_examples=20)
def test_frs_keeps_what_is_commanded_and_delegates_the_rest(seed: int, integrator: str, steps: int) -> None:
    found, _ = made(f"frs:max_length=inf,integrator={integrator},steps={steps}", seed=seed)
    base, _ = made("base", seed=seed)
    assert found.noise_used is not None and found.noise_recovered is not None and base.noise_used is not None
    assert torch.equal(found.noise_used[..., MASK], found.noise_recovered[..., MASK])
    assert torch.equal(found.noise_used[..., ~MASK], base.noise_used[..., ~MASK])


@pytest.mark.parametrize(("text", "rows"), [("ahead=0", 1), ("ahead=1", 2), ("ahead=1000", 2)])
def test_rows_beyond_those_that_are_driven_are_delegated(text: str, rows: int) -> None:
    found, _ = made(f"frs:max_length=inf,{text}", execute_rows=1)
    assert found.noise_used is not None and found.noise_recovered is not None
    kept = (found.noise_used == found.noise_recovered)[..., MASK].all(2)
    assert kept.tolist() == [[row < rows for row in range(H)]] * 4


def test_noise_with_fewer_coordinates_than_rows_stays_in_its_subspace() -> None:
    found, _ = made("frs:noise=tiled")
    assert found.noise_used is not None
    torch.testing.assert_close(found.noise_used, found.noise_used[:, :1].expand_as(found.noise_used))


def test_without_delegation_all_is_kept_and_the_exact_inversion_gives_the_reference_back() -> None:
    chunks = denoise(mixture_field, noise(3, 4), 20)  # the field's own: others need not have a noise behind them
    found, _ = made("frs:delegate=no,integrator=fixed_point,iterations=40,steps=20,max_length=inf", reference=chunks)
    assert torch.equal(found.noise_used, found.noise_recovered)  # type: ignore[arg-type]
    torch.testing.assert_close(found.chunk, chunks, atol=1e-3, rtol=1e-3)


def test_max_length_shortens_long_noise_only_and_keeps_its_direction() -> None:
    found, _ = made("frs:max_length=1", reference=torch.cat([3.0 * torch.ones(1, H, D), torch.ones(1, H, D)]))
    assert found.noise_used is not None and found.noise_recovered is not None
    used, recovered = found.noise_used[..., MASK], found.noise_recovered[..., MASK]
    lengths = recovered.square().mean((1, 2)).sqrt()
    assert lengths[0] > 1.0
    torch.testing.assert_close(used[0], recovered[0] / lengths[0])
    torch.testing.assert_close(used[1], recovered[1] / lengths[1].clamp(min=1.0))


def test_sigma_adds_noise_of_that_size_to_what_is_commanded() -> None:
    plain, _ = made("frs:max_length=inf", reference=torch.ones(1, H, D))
    noisy = [made("frs:sigma=2,max_length=inf", reference=torch.ones(1, H, D), seed=seed)[0] for seed in range(300)]
    assert plain.noise_recovered is not None
    added = torch.cat([found.noise_used - plain.noise_recovered for found in noisy])[..., MASK]  # type: ignore[operator]
    assert abs(float(added.std()) - 2.0) < 0.15
    assert abs(float(added.mean())) < 0.2


def test_direct_drives_what_is_commanded_and_rests_otherwise() -> None:
    found, posed = made("direct")
    assert torch.equal(found.chunk[..., MASK], guided(posed)[..., MASK])
    assert torch.equal(found.chunk[..., ~MASK], REST[:, ~MASK].expand(4, H, 1))
    assert found.noise_used is None


def test_translation_takes_the_rest_from_the_base_policy() -> None:
    found, posed = made("translation", seed=5)
    base, _ = made("base", seed=5)
    assert torch.equal(found.chunk[..., MASK], guided(posed)[..., MASK])
    assert torch.equal(found.chunk[..., ~MASK], base.chunk[..., ~MASK])


@given(st.integers(0, 2**31))
@settings(max_examples=20)
def test_partial_noising_lies_between_the_reference_and_the_base_policy(seed: int) -> None:
    base, _ = made("base", seed=seed)
    for driven, delegate in (("translation", "yes"), ("direct", "no")):
        full, posed = made(f"partial:strength=1,delegate={delegate}", seed=seed)
        torch.testing.assert_close(full.chunk, base.chunk)
        hardly, _ = made(f"partial:strength=0.0001,delegate={delegate}", seed=seed)
        as_it_is, _ = made(driven, seed=seed)
        torch.testing.assert_close(hardly.chunk, as_it_is.chunk, atol=2e-3, rtol=1e-3)
        assert torch.equal(as_it_is.chunk[..., MASK], guided(posed)[..., MASK])


@given(st.integers(0, 2**31), st.integers(1, 12))
@settings(max_examples=20)
def test_rank_takes_the_candidate_with_the_largest_cosine(seed: int, count: int) -> None:
    found, posed = made(f"rank:candidates={count}", seed=seed)
    again = problem(Method("rank", candidates=count), seed=seed)
    candidates = denoise(mixture_field, again.fresh(count), 10)
    for i, reference in enumerate(guided(posed)):
        asked = (reference - REST)[:, MASK].flatten()
        cosines = [
            float(asked @ (chunk - REST)[:, MASK].flatten())
            / float(asked.norm() * (chunk - REST)[:, MASK].flatten().norm())
            for chunk in candidates
        ]
        chosen = float(likeness(found.chunk[i], reference, MASK, REST))
        assert math.isclose(chosen, max(cosines), abs_tol=1e-4)


def test_rank_takes_the_nearest_where_the_reference_asks_for_no_motion() -> None:
    found, _ = made("rank", reference=REST[None])
    candidates = denoise(mixture_field, problem(Method("rank")).fresh(8), 10)
    distances = (candidates - REST)[..., MASK].square().sum((1, 2))
    torch.testing.assert_close(found.chunk[0], candidates[distances.argmin()])


def test_noise_is_denoised_as_given() -> None:
    for text in ("noise", "noise:noise=tiled"):
        found, posed = made(text)
        assert posed.noise is not None
        torch.testing.assert_close(found.chunk, denoise(mixture_field, posed.noise, 10))


def likelier(found: Callable[[], Made], wanted: float) -> float:
    return float((found().chunk[..., MASK].mean((1, 2)) * wanted > 0.5).float().mean())


@pytest.mark.parametrize("wanted", [-1.0, 1.0])
def test_frs_picks_the_mode_more_often_than_the_base_policy(wanted: float) -> None:
    reference = torch.full((1, H, D), 1.3 * wanted)
    for text, low, high in (("frs", 0.9, 1.0), ("frs:max_length=inf", 0.9, 1.0), ("base", 0.3, 0.7)):
        share = [likelier(lambda t=text, s=s: made(t, seed=s, reference=reference)[0], wanted) for s in range(100)]
        assert low <= sum(share) / 100 <= high, text
