"""The mathematics against a field whose exact flow is known, and against its own promises."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from frs_steering.flow import delegate, denoise, reverse, steer, time_reversed

H, D = 2, 3
MEAN, SPREAD = 0.7, 0.3


def gaussian_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, 1) to N(MEAN, SPREAD^2), whose flow is known in closed form.

    x_t = (1 - t) z + t (MEAN + SPREAD w) with z, w from N(0, 1): its scale is s(t) = sqrt((1-t)^2 + (t SPREAD)^2)
    and the exact flow of z is t MEAN + s(t) z.
    """
    t = t[:, None, None]
    s = ((1 - t) ** 2 + (t * SPREAD) ** 2).sqrt()
    slope = (t * SPREAD**2 - (1 - t)) / s
    return MEAN + slope / s * (x - t * MEAN)


def mixture_field(x: Tensor, t: Tensor) -> Tensor:
    """Field of the rectified flow from N(0, I) to two narrow modes at -1 and +1 (all entries), by their posterior."""
    t = t[:, None, None]
    centres, spread = torch.tensor([-1.0, 1.0]), 0.4
    variance = (1 - t) ** 2 + (t * spread) ** 2
    distance = torch.stack([((x - t * c) ** 2 / (2 * variance)).sum((1, 2)) for c in centres], -1)
    weight = torch.softmax(-distance, -1)[:, None, None, :]
    gain = (t * spread**2 - (1 - t)) / variance
    each = torch.stack([c + gain * (x - t * c) for c in centres], -1)
    return (weight * each).sum(-1)


def noise(seed: int, batch: int = 5) -> Tensor:
    return torch.randn((batch, H, D), generator=torch.Generator().manual_seed(seed))


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


def test_a_flipped_time_convention_does_not_converge() -> None:
    """The control of the tests above: with time the wrong way round, more steps do not help."""

    def flipped(x: Tensor, t: Tensor) -> Tensor:
        return gaussian_field(x, 1.0 - t)

    z = noise(2)
    exact = MEAN + SPREAD * z
    wrong = [float((denoise(flipped, z, steps) - exact).abs().max()) for steps in (100, 400)]
    right = float((denoise(gaussian_field, z, 400) - exact).abs().max())
    assert wrong[1] > 0.9 * wrong[0]
    assert wrong[1] > 10 * right


@given(st.integers(0, 2**31), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_a_policy_with_reversed_time_equals_the_native_one(seed: int, steps: int) -> None:
    def other(x: Tensor, t: Tensor) -> Tensor:  # t = 1 is noise; its velocity points from the action to the noise
        return -mixture_field(x, 1.0 - t)

    z = noise(seed)
    torch.testing.assert_close(denoise(time_reversed(other), z, steps), denoise(mixture_field, z, steps))


@given(st.integers(0, 2**31), st.lists(st.booleans(), min_size=D, max_size=D))
@settings(max_examples=50, deadline=None)
def test_delegation_touches_nothing_commanded(seed: int, commanded: list[bool]) -> None:
    mask, recovered, fresh = torch.tensor(commanded), noise(seed), noise(seed + 1)
    used = delegate(recovered, mask, fresh)
    assert torch.equal(used[..., mask], recovered[..., mask])
    assert torch.equal(used[..., ~mask], fresh[..., ~mask])


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
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


def test_the_round_trip_is_lossier_with_fewer_steps() -> None:
    """As on the paper's page: mean displacement 2.85 at K = 2, 1.3 at 10, 0.66 at 100 in its 2-D toy."""
    reference = torch.full((1, H, D), 0.8)
    moved = [float((denoise(mixture_field, reverse(mixture_field, reference, k), k) - reference).abs().mean())
             for k in (2, 10, 100)]  # fmt: skip
    assert moved[0] > moved[1] > moved[2]
    assert moved[2] < 0.05
