"""How a chunk came out of the flow."""

import math

import numpy as np
import torch

from frs_steering.steer.diagnostics import agreement, noise_percentile, round_trip_rms


def test_the_noise_percentile_is_uniform_for_noise_in_distribution() -> None:
    draws = torch.randn((4000, 16, 7), generator=torch.Generator().manual_seed(0))
    percentiles = np.sort([noise_percentile(draw) for draw in draws])
    # Kolmogorov-Smirnov distance from the uniform distribution; 1.95 / sqrt(n) is its 0.1 % point.
    distance = np.abs(percentiles - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 1.95 / math.sqrt(4000)
    assert noise_percentile(2.0 * draws[0]) > 0.999


def test_the_round_trip_counts_commanded_dimensions_only() -> None:
    reference, refined = torch.zeros((16, 7)), torch.zeros((16, 7))
    refined[:, :3] = 0.5
    refined[:, 3:] = 100.0
    assert round_trip_rms(refined, reference, torch.tensor([True] * 3 + [False] * 4)) == 0.5


def test_agreement_is_the_cosine_of_two_translations() -> None:
    forward, left = np.array([0.2, 0.0, 0.0]), np.array([0.0, 0.1, 0.0])
    assert agreement(forward, forward * 0.3) == 1.0
    assert agreement(forward, -forward) == -1.0
    assert agreement(forward, left) == 0.0
    assert math.isclose(agreement(forward + 2 * left, forward), math.sqrt(0.5))
    assert math.isnan(agreement(np.zeros(3), forward))
