"""The mathematics against a field whose exact flow is known, and against its own promises."""

import math

import pytest
import torch
from flow_fields import MEAN, MODES, SPREAD, D, H, gaussian_field, mixture_field, modes_field, modes_flow, noise
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from frs_steering.flow import (
    INTEGRATORS,
    CountedField,
    delegate,
    denoise,
    integrator,
    reverse,
    steer,
    time_reversed,
)


def test_denoise_follows_the_exact_flow_with_first_order_error() -> None:
    z = noise(0)
    exact = MEAN + SPREAD * z
    errors = [float((denoise(gaussian_field, z, steps) - exact).abs().max()) for steps in (50, 100, 200)]
    assert errors[2] < 0.02
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert 1.8 < coarse / fine < 2.2  # halving the step halves the error


def test_reverse_finds_the_exact_noise_with_first_order_error() -> None:
    z = noise(1)
    errors = [float((reverse(gaussian_field, MEAN + SPREAD * z, steps) - z).abs().max()) for steps in (100, 200, 400)]
    assert errors[2] < 0.05
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert 1.8 < coarse / fine < 2.2


def test_the_exact_flow_of_the_mixture_ends_in_its_modes() -> None:
    """What the tests below measure by: from N(0, 1) to the mixture, and on the way as the field says."""
    z = noise(6, 20_000).double()
    torch.testing.assert_close(modes_flow(z, 0.0), z, atol=1e-9, rtol=0.0)
    x, means = modes_flow(z), [weight * mean for weight, mean, _ in MODES]
    squares = [weight * (mean**2 + spread**2) for weight, mean, spread in MODES]
    assert abs(float(x.mean()) - sum(means)) < 0.02 and abs(float(x.square().mean()) - sum(squares)) < 0.02
    for t in (0.2, 0.5, 0.8):
        slope = (modes_flow(z[:50], t + 1e-5) - modes_flow(z[:50], t - 1e-5)) / 2e-5
        at = torch.full((50,), t, dtype=torch.float64)
        torch.testing.assert_close(slope, modes_field(modes_flow(z[:50], t), at), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "order"), [("euler", 2.0), ("midpoint", 4.0)])
def test_both_ways_converge_to_the_exact_flow_of_a_mixture(name: str, order: float) -> None:
    """Twice the steps leave a half of Euler's error, a quarter of the midpoint method's."""
    z = noise(7, 300).double()
    x, by = modes_flow(z), integrator(name)
    steps = (80, 160, 320)
    for errors in (
        [float((by.denoise(modes_field, z, k) - x).square().mean().sqrt()) for k in steps],
        [float((by.reverse(modes_field, x, k) - z).square().mean().sqrt()) for k in steps],
    ):
        assert errors[-1] < 0.02
        assert all(0.8 < coarse / fine / order < 1.25 for coarse, fine in zip(errors, errors[1:], strict=False)), errors


@pytest.mark.parametrize("name", ["euler", "midpoint"])
def test_partly_there_is_where_the_exact_flow_of_a_mixture_is_by_then(name: str) -> None:
    z, by = noise(8, 100).double(), integrator(name)
    torch.testing.assert_close(
        by.reverse(modes_field, modes_flow(z), 400, end=0.6), modes_flow(z, 0.6), atol=0.02, rtol=0.02
    )
    torch.testing.assert_close(
        by.denoise(modes_field, modes_flow(z, 0.6), 400, start=0.6), modes_flow(z), atol=0.02, rtol=0.02
    )


def test_a_flipped_time_convention_does_not_converge() -> None:
    """The control of the tests above: with time the wrong way round, more steps do not help."""

    def wrong_way(x: Tensor, t: Tensor) -> Tensor:
        return gaussian_field(x, 1.0 - t)

    z = noise(2)
    exact = MEAN + SPREAD * z
    wrong = [float((denoise(wrong_way, z, steps) - exact).abs().max()) for steps in (100, 400)]
    right = float((denoise(gaussian_field, z, 400) - exact).abs().max())
    assert wrong[1] > 0.9 * wrong[0]
    assert wrong[1] > 10 * right


@given(st.integers(0, 2**31), st.integers(1, 30))
@example(49, 13)  # fails in single precision
@settings(max_examples=30)
def test_a_policy_with_reversed_time_equals_the_native_one(seed: int, steps: int) -> None:
    def other(x: Tensor, t: Tensor) -> Tensor:  # t = 1 is noise; its velocity points from the action to the noise
        return -mixture_field(x, 1.0 - t)

    z = noise(seed).double()  # 1 - (1 - t) is not t to the last bit, and between two modes such a bit grows
    torch.testing.assert_close(denoise(time_reversed(other), z, steps), denoise(mixture_field, z, steps))


@given(st.integers(0, 2**31), st.lists(st.booleans(), min_size=D, max_size=D))
@settings(max_examples=50)
def test_delegation_touches_nothing_commanded(seed: int, commanded: list[bool]) -> None:
    mask, recovered, fresh = torch.tensor(commanded), noise(seed), noise(seed + 1)
    used = delegate(recovered, mask, fresh)
    assert torch.equal(used[..., mask], recovered[..., mask])
    assert torch.equal(used[..., ~mask], fresh[..., ~mask])


@given(st.integers(0, 2**31))
@settings(max_examples=20)
def test_batched_equals_single(seed: int) -> None:
    reference, fresh, mask = noise(seed), noise(seed + 1), torch.tensor([True, True, False])
    together = steer(mixture_field, reference, mask, fresh, 10)
    for i in range(len(reference)):
        alone = steer(mixture_field, reference[i : i + 1], mask, fresh[i : i + 1], 10)
        torch.testing.assert_close(together.chunk[i : i + 1], alone.chunk, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("wanted", [-1.0, 1.0])
def test_steering_picks_the_mode_that_the_reference_points_to(wanted: float) -> None:
    """What the method is for: a rough reference beyond a mode comes out as that mode.

    It must not be smaller than the mode: a short reference lies on the near side of its mode, where the exact
    flow has noise from between the modes, and the delegated dimension then decides.
    """
    reference = torch.full((300, H, D), 1.3 * wanted)
    mask, fresh = torch.tensor([True, True, False]), noise(3, 300)
    refined = steer(mixture_field, reference, mask, fresh, 10).chunk.mean((1, 2)) * wanted
    assert (refined > 0.5).float().mean() > 0.9
    assert refined.mean() < 1.2  # pulled back to the mode at 1
    blind = denoise(mixture_field, noise(4, 300), 10).mean((1, 2)) * wanted
    assert 0.4 < (blind > 0.0).float().mean() < 0.6


@given(st.integers(0, 2**31), st.floats(0.05, 0.95), st.integers(1, 20))
@settings(max_examples=30)
def test_a_reversal_may_stop_on_the_way_and_go_on_from_there(seed: int, stop: float, steps: int) -> None:
    chunk = noise(seed)
    on_the_way = reverse(gaussian_field, chunk, 200, end=stop)
    exact = stop * MEAN + math.hypot(1 - stop, stop * SPREAD) * (chunk - MEAN) / SPREAD
    torch.testing.assert_close(on_the_way, exact, atol=0.15, rtol=0.02)
    back = denoise(gaussian_field, on_the_way, 200, start=stop)
    torch.testing.assert_close(back, chunk, atol=0.15, rtol=0.02)
    counted = CountedField(gaussian_field)
    reverse(counted, chunk, steps, end=stop)
    assert counted.evaluations == steps * len(chunk)


@pytest.mark.parametrize("name", INTEGRATORS)
def test_times_stay_within_the_flow_and_are_given_in_float32(name: str) -> None:
    times: list[Tensor] = []

    def watched(x: Tensor, t: Tensor) -> Tensor:
        times.append(t)
        return mixture_field(x, t)

    for start in (0.0, 0.4):
        integrator(name).denoise(watched, noise(0).bfloat16(), 7, start)
        integrator(name).reverse(watched, noise(0).bfloat16(), 7, start)
        seen = torch.stack(times)
        assert seen.dtype == torch.float32 and seen.min() >= start and seen.max() <= 1.0 + 1e-6
        times.clear()


@pytest.mark.parametrize("name", INTEGRATORS)
def test_bfloat16_gives_the_same_within_its_resolution(name: str) -> None:
    """A policy in bfloat16 under float32 chunks, as on a GPU, and bfloat16 throughout."""

    def coarse(x: Tensor, t: Tensor) -> Tensor:
        return mixture_field(x.bfloat16(), t.bfloat16()).bfloat16()

    by, z = integrator(name), noise(5)
    exact, mixed, low = (
        by.denoise(mixture_field, z, 10),
        by.denoise(coarse, z, 10),
        by.denoise(coarse, z.bfloat16(), 10),
    )
    assert (mixed.dtype, low.dtype) == (torch.float32, torch.bfloat16)
    torch.testing.assert_close(mixed, exact, atol=0.05, rtol=0.05)
    torch.testing.assert_close(low.float(), exact, atol=0.1, rtol=0.1)
    assert by.reverse(coarse, z.bfloat16(), 10).dtype == torch.bfloat16


def test_an_unknown_integrator_is_named() -> None:
    with pytest.raises(ValueError, match="integrator is 'rk4'; it must be one of euler, midpoint, fixed_point"):
        integrator("rk4")


def test_the_round_trip_is_lossier_with_fewer_steps() -> None:
    """As on the paper's page: mean displacement 2.85 at K = 2, 1.3 at 10, 0.66 at 100 in its 2-D toy."""
    reference = torch.full((1, H, D), 0.8)
    moved = [float((denoise(mixture_field, reverse(mixture_field, reference, k), k) - reference).abs().mean())
             for k in (2, 10, 100)]  # fmt: skip
    assert moved[0] > moved[1] > moved[2]
    assert moved[2] < 0.05
