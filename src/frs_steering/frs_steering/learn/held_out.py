"""Recorded observations that a noise policy carries in its file: held out of its training, to check it on.

Weights that were shuffled, cut off or taken from elsewhere are finite, and a tanh keeps what they say within the bound;
only what was recorded tells them from those that were trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from frs_steering.learn.noise_network import Network

MOST = 32
"""Pairs that a file holds; about 50 kB with the embedded policy's features."""

_TOLERANCE = 1e-3
"""Absolute and relative, of a loss: the rounding of another machine's kernels, and far below what other weights do."""


@dataclass(frozen=True)
class HeldOut:
    """Pairs that were not trained on, and how well they were met when the training ended.

    Attributes:
        inputs: (n, F + 8) float32, as `noise_data.inputs`.
        targets: (n, k, D) float32, as `NoiseData.targets`.
        steered: (n,) bool, as `NoiseData.steered`.
        losses: (n,) float32, of each pair, by `Network.losses`.
    """

    inputs: Tensor
    targets: Tensor
    steered: Tensor
    losses: Tensor


@torch.no_grad()
def hold_out(network: Network, seen: Tensor, targets: Tensor, steered: Tensor) -> HeldOut:
    """What a file keeps of the pairs (N, F + 8), (N, k, D) and (N,) held out; `network` is in evaluation."""
    seen, targets, steered = seen[:MOST], targets[:MOST], steered[:MOST]
    return HeldOut(seen, targets, steered, network.losses(seen, targets, steered))


@torch.no_grad()
def why_not(network: Network, held_out: HeldOut) -> str:
    """Why a network is not the one that was trained, in words; empty where it meets what was held out as that did."""
    config, n = network.config, len(held_out.losses)
    shapes = [tuple(part.shape) for part in (held_out.inputs, held_out.targets, held_out.steered, held_out.losses)]
    if n == 0 or shapes != [(n, config.seen), (n, config.rows, config.dim), (n,), (n,)]:
        return f"its recorded observations have shapes {shapes}, which are not its network's"
    found = network.losses(held_out.inputs, held_out.targets, held_out.steered)
    if torch.allclose(found, held_out.losses, _TOLERANCE, _TOLERANCE):  # false where anything is not finite
        return ""
    return (
        f"on the {n} recorded observations in it the loss is {float(found.mean()):.4g}; its training ended with"
        f" {float(held_out.losses.mean()):.4g}, so that its weights are not those that were trained"
    )
