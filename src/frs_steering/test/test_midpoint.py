"""The midpoint method: second order, both ways."""

import torch
from flow_fields import MEAN, SPREAD, flipped, gaussian_field, mixture_field, noise

from frs_steering.flow import CountedField, denoise, midpoint, reverse


def rms(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).square().mean().sqrt())


def test_errors_are_of_second_order_at_least() -> None:
    z = noise(0)
    x = MEAN + SPREAD * z
    target = midpoint.denoise(mixture_field, z, 1000)
    for errors in (
        [rms(midpoint.denoise(gaussian_field, z, steps), x) for steps in (5, 10, 20)],
        [rms(midpoint.reverse(gaussian_field, x, steps), z) for steps in (5, 10, 20)],
        [rms(midpoint.denoise(mixture_field, z, steps), target) for steps in (20, 40, 80)],
    ):
        assert errors[-1] < 2e-3
        assert all(coarse / fine > 3.5 for coarse, fine in zip(errors, errors[1:], strict=False)), errors


def test_a_step_costs_two_evaluations() -> None:
    counted = CountedField(mixture_field)
    midpoint.denoise(counted, noise(0, batch=3), 7)
    midpoint.reverse(counted, noise(0, batch=3), 7, end=0.3)
    assert counted.evaluations == 2 * (2 * 7 * 3)


def test_the_round_trip_converges_in_the_number_of_steps_and_under_a_flipped_time_it_does_not() -> None:
    """The issue's thresholds, on chunks of the mixture; the control reverses with time the wrong way round."""
    chunks = midpoint.denoise(mixture_field, noise(1, 200), 200)
    assert rms(midpoint.denoise(mixture_field, midpoint.reverse(mixture_field, chunks, 20), 20), chunks) <= 0.02
    assert rms(denoise(mixture_field, reverse(mixture_field, chunks, 50), 50), chunks) <= 0.05
    assert rms(midpoint.denoise(mixture_field, midpoint.reverse(flipped, chunks, 20), 20), chunks) > 0.2
    assert rms(denoise(mixture_field, reverse(flipped, chunks, 50), 50), chunks) > 0.2
