"""The fixed point inverts the sampler itself, or says that it could not."""

import pytest
import torch
from flow_fields import gaussian_field, mixture_field, modes_field, narrow_field, noise
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from frs_steering.flow import CountedField, FixedPoint, denoise, invert, reverse


def rms(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().mean((1, 2)).sqrt()


def steepest(field, z: torch.Tensor, steps: int) -> torch.Tensor:
    """(B,) the largest norm of the Jacobian of v/K that the sampler meets on its way from z, and beside it.

    Beside it, because the iteration does not begin on the way but where Euler's step ends.
    """
    size, x, most = 1.0 / steps, z, torch.zeros(len(z))
    for k in range(steps):
        t = torch.full((1,), k * size)
        after = x + field(x, t.expand(len(x))) * size
        first = after - field(after, (t + size).expand(len(x))) * size
        for share in (0.0, 0.5, 1.0):
            beside = (x + share * (first - x)).requires_grad_()
            there = field(beside, t.expand(len(x))).flatten(1).sum(0)  # samples do not meet: their gradients stay apart
            rows = [torch.autograd.grad(one, beside, retain_graph=True)[0].flatten(1) for one in there]
            most = most.maximum(torch.linalg.matrix_norm(torch.stack(rows, 1), 2) * size)
        x = after
    return most


@given(st.integers(0, 2**31), st.sampled_from([gaussian_field, modes_field, mixture_field]), st.integers(8, 20))
@settings(max_examples=25)
def test_where_it_contracts_it_inverts_the_sampler(seed: int, field, steps: int) -> None:
    """Contracts as the field has it, not as the inversion says: each iterate is nearer by the norm of its Jacobian."""
    z = noise(seed)
    contracts = steepest(field, z, steps) < 0.6
    assume(contracts.any())
    chunk = denoise(field, z, steps)
    found = invert(field, chunk, steps, iterations=30)
    assert rms(denoise(field, found.noise, steps), chunk)[contracts].max() <= 1e-4
    assert rms(found.noise, z)[contracts].max() <= 1e-3, "the noise that it came from, and no other"
    assert not found.fallbacks[contracts].any() and found.residual[contracts].max() <= 1e-5


def test_it_finds_the_noise_that_euler_does_not() -> None:
    z = noise(7, 200)
    chunk = denoise(gaussian_field, z, 10)
    assert rms(invert(gaussian_field, chunk, 10, iterations=25).noise, z).max() <= 1e-4
    assert rms(reverse(gaussian_field, chunk, 10), z).median() > 0.1


def test_more_iterations_leave_less() -> None:
    chunk = denoise(mixture_field, noise(8, 100), 10)
    left = [float(invert(mixture_field, chunk, 10, iterations=m).residual.median()) for m in (1, 2, 4, 8)]
    assert left == sorted(left, reverse=True) and left[-1] < 0.02 * left[0]


@given(st.integers(0, 2**31), st.integers(1, 20), st.floats(0.0, 0.9))
@settings(max_examples=20)
def test_one_iteration_is_the_euler_reversal(seed: int, steps: int, end: float) -> None:
    chunk = noise(seed)
    found = invert(mixture_field, chunk, steps, end, iterations=1)
    torch.testing.assert_close(found.noise, reverse(mixture_field, chunk, steps, end), atol=1e-4, rtol=1e-4)


@given(st.integers(0, 2**31), st.integers(1, 12))
@settings(max_examples=20)
def test_the_residual_is_that_of_the_worst_step(seed: int, steps: int) -> None:
    """Denoising from what was found goes astray by no more than the residuals allow."""
    chunk = denoise(gaussian_field, noise(seed), steps)
    found = invert(gaussian_field, chunk, steps, end=1.0 - 1.0 / steps, iterations=3)  # one step long: nothing adds up
    short = invert(gaussian_field, chunk, 1, end=1.0 - 1.0 / steps, iterations=3)
    x = short.noise
    t = torch.full((len(x),), 1.0 - 1.0 / steps)
    torch.testing.assert_close(rms(x + gaussian_field(x, t) / steps, chunk), short.residual, atol=1e-5, rtol=1e-3)
    assert torch.isfinite(found.residual).all()


def test_where_it_does_not_contract_it_falls_back_and_says_so() -> None:
    def steep(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return 15.0 * (0.3 - x)  # a step of 1/10 maps an error to -1.5 times itself

    chunk = 0.5 + 0.3 * noise(9, 50)
    found = invert(steep, chunk, 10, iterations=6)
    assert (found.fallbacks == 10).all()
    torch.testing.assert_close(found.noise, reverse(steep, chunk, 10))
    assert (found.residual > 0.1).all()

    found = invert(narrow_field, chunk, 10, iterations=6)  # where the policy is sure, the last step is a projection
    assert (found.fallbacks >= 1).all()
    assert torch.isfinite(found.noise).all() and torch.isfinite(found.residual).all()


def test_samples_of_a_batch_do_not_meet() -> None:
    chunk = 0.5 + 0.3 * noise(10, 20)
    together = invert(mixture_field, chunk, 10)
    for i in range(len(chunk)):
        alone = invert(mixture_field, chunk[i : i + 1], 10)
        torch.testing.assert_close(together.noise[i : i + 1], alone.noise, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("iterations", [1, 5])
def test_it_costs_what_it_says(iterations: int) -> None:
    counted = CountedField(mixture_field)
    FixedPoint(iterations).reverse(counted, noise(0, batch=3), 10)
    assert counted.evaluations == 3 * (1 + 10 * iterations)
