"""The network of a noise policy: from what the policy sees to a noise, or, for the baseline, to a chunk.

Size and bound: DSBC (arXiv 2606.13675), an MLP of three layers of 128 whose output is bound to ±5 by a tanh.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from frs_steering.flow import Parameterisation

KINDS = ("dsbc", "bc")
LOSSES = ("nll", "mse")

_FARTHEST = 5.0  # standard deviations; what is farther from the data than this is seen as being there
_SPREAD = (-4.0, 1.0)  # of the logarithm of a spread; N(0, 1), which delegation draws, is 0


@dataclass(frozen=True)
class Config:
    """What the network is.

    Attributes:
        kind: "dsbc" gives noise, "bc" gives chunks.
        seen: numbers that it is given, F + 8.
        rows: k of the noise's coordinates, or H of chunks.
        dim: D.
        horizon: H.
        noise: name of the noise's parameterisation.
        loss: "nll" also learns how far apart the noises of one place are, and draws from that; "mse" says their mean.
        bound: of the output, in noise, or in standard deviations of the data for chunks.
        width: of each of the three hidden layers.
        looks_at: which of the numbers that it is given it looks at (`choice`); none: at all of them.
    """

    kind: str
    seen: int
    rows: int
    dim: int
    horizon: int
    noise: str = "full"
    loss: str = "nll"
    bound: float = 5.0
    width: int = 128
    looks_at: tuple[int, ...] = ()


class Network(nn.Module):
    """(B, seen) -> mean (B, k, D) and logarithm of the spread (B, k, D), both in units of the data's spread."""

    def __init__(self, config: Config, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        size = config.rows * config.dim
        self.looks_at = list(config.looks_at or range(config.seen))
        self.layers = nn.Sequential(
            nn.Linear(len(self.looks_at), config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, 2 * size if config.loss == "nll" else size),
        )  # fmt: skip
        for name, shape in (("input", config.seen), ("output", config.dim)):
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_spread", torch.ones(shape))

    def normalise_by(self, seen: Tensor, targets: Tensor) -> None:
        """Take means and spreads from data: of what is seen, and, for chunks, of what is said; noise keeps its own."""
        self.input_mean, self.input_spread = seen.mean(0), _spread(seen)
        if self.config.kind == "bc":
            rows = targets.flatten(0, 1)
            self.output_mean, self.output_spread = rows.mean(0), _spread(rows)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        config = self.config
        x = ((seen - self.input_mean) / self.input_spread).clamp(-_FARTHEST, _FARTHEST)
        out = self.layers(x[:, self.looks_at]).view(len(seen), -1, config.rows, config.dim)
        mean = config.bound * torch.tanh(out[:, 0] / config.bound)
        if config.loss == "mse":
            return mean, torch.zeros_like(mean)
        low, high = _SPREAD
        return mean, low + (high - low) * torch.sigmoid(out[:, 1] + math.log(-low / high))  # begins at N(0, 1)

    def losses(self, seen: Tensor, targets: Tensor) -> Tensor:
        """(B,) mean over a pair's numbers of the squared error, or of the negative log-likelihood of a normal."""
        mean, log_spread = self(seen)
        error = (targets - self.output_mean) / self.output_spread - mean
        if self.config.loss == "mse":
            return error.square().mean((1, 2))
        surprise = 0.5 * (error / log_spread.exp()).square() + log_spread + 0.5 * math.log(2.0 * math.pi)
        return surprise.mean((1, 2))

    def loss(self, seen: Tensor, targets: Tensor) -> Tensor:
        """The mean of `losses`."""
        return self.losses(seen, targets).mean()


def config_from(fields: Mapping[str, Any]) -> Config:
    """The description that a file's header holds.

    Raises:
        TypeError: fields are missing or unknown.
        ValueError: they contradict each other.
    """
    config = Config(**{**fields, "looks_at": tuple(fields["looks_at"])})
    rows = config.horizon if config.kind == "bc" else Parameterisation(config.noise).rows(config.horizon)
    known = all(isinstance(at, int) and 0 <= at < config.seen for at in config.looks_at)
    if config.kind not in KINDS or config.loss not in LOSSES or config.rows != rows or config.bound <= 0 or not known:
        raise ValueError(f"its header contradicts itself: {fields}")
    return config


def _spread(rows: Tensor) -> Tensor:
    # What never changes in the data says nothing about it; dividing by its rounding would make it shout.
    spread = rows.std(0, correction=0)
    return spread.where(spread > 1e-4, torch.ones_like(spread))
