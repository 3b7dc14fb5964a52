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
LOSSES = ("mse", "nll")

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
        loss: "mse" learns the noises' mean, and draws with the one spread that held-out chunks show around it; "nll"
            also learns how far apart the noises of one place are, and draws from that.
        bound: of the output, in noise, or in standard deviations of the data for chunks.
        width: of each of the three hidden layers.
        opened: which of the numbers that it is given it looks at with the gripper open (`choice`), beside the gripper.
        closed: the same with the gripper closed. Neither: it looks at all of them, always.
        closed_above: what of the gripper, the last of the numbers, counts as closed.
        says: which of the k D numbers it says; none: all of them. The others are drawn from N(0, 1).
    """

    kind: str
    seen: int
    rows: int
    dim: int
    horizon: int
    noise: str = "full"
    loss: str = "mse"
    bound: float = 5.0
    width: int = 128
    opened: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    closed_above: float = 0.0
    says: tuple[int, ...] = ()

    @property
    def looks_at(self) -> tuple[int, ...]:
        """All numbers that it ever looks at."""
        chosen = {*self.opened, *self.closed}
        return tuple(sorted({*chosen, self.seen - 1} if chosen else range(self.seen)))


class Network(nn.Module):
    """What is seen (B, seen) -> whether to steer (B,), the logit of its probability; and where it steers mean (B, k, D)
    and spread (B, k, D), both in units of the data's spread.

    Where nobody steered the noise was fresh, and a mean over those chunks and the others would be neither: half a wish.
    """

    def __init__(self, config: Config, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        chosen = len(config.opened) + len(config.closed)
        looked_at = chosen + 1 if chosen else config.seen
        self.says = list(config.says or range(config.rows * config.dim))
        size = len(self.says)
        self.layers = nn.Sequential(
            nn.Linear(looked_at, config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, config.width), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(config.width, 1 + (2 if config.loss == "nll" else 1) * size),
        )  # fmt: skip
        self.register_buffer("around", torch.zeros(()))
        for name, shape in (("input", config.seen), ("output", config.dim)):
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_spread", torch.ones(shape))

    def normalise_by(self, seen: Tensor, targets: Tensor) -> None:
        """Take means and spreads from data: of what is seen, and, for chunks, of what is said; noise keeps its own."""
        self.input_mean, self.input_spread = seen.mean(0), _spread(seen)
        if self.config.kind == "bc":
            rows = targets.flatten(0, 1)
            self.output_mean, self.output_spread = rows.mean(0), _spread(rows)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        config = self.config
        mean = seen.new_zeros(len(seen), config.rows * config.dim)
        spread = torch.ones_like(mean)
        steers, mean[:, self.says], log_spread = self._says(seen)
        spread[:, self.says] = log_spread.exp()
        return steers, mean.view(-1, config.rows, config.dim), spread.view(-1, config.rows, config.dim)

    def _says(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # Whether it steers (B,), and mean and logarithm of the spread of the numbers that it says, (B, n) each.
        config = self.config
        x = ((seen - self.input_mean) / self.input_spread).clamp(-_FARTHEST, _FARTHEST)
        out = self.layers(self._look(x, seen[:, -1:] > config.closed_above))
        steers, said = out[:, 0], out[:, 1:].view(len(seen), -1, len(self.says))
        mean = config.bound * torch.tanh(said[:, 0] / config.bound)
        if config.loss == "mse":
            return steers, mean, self.around.log().expand_as(mean)
        low, high = _SPREAD
        return steers, mean, low + (high - low) * torch.sigmoid(said[:, 1] + math.log(-low / high))  # begins at N(0, 1)

    def _look(self, x: Tensor, closed: Tensor) -> Tensor:
        # What it looks at, of what is seen; what is not looked at now is as it is on average.
        config = self.config
        if not (config.opened or config.closed):
            return x
        return torch.cat([x[:, list(config.opened)] * ~closed, x[:, list(config.closed)] * closed, x[:, -1:]], 1)

    def losses(self, seen: Tensor, targets: Tensor, steered: Tensor) -> Tensor:
        """(B,) of whether it was steered (B, bool) the cross-entropy; and where it was, the mean, over what is said, of
        the squared error, or of the negative log-likelihood of a normal."""
        steers, mean, log_spread = self._says(seen)
        doubt = nn.functional.binary_cross_entropy_with_logits(steers, steered.float(), reduction="none")
        error = self._error(mean, targets)
        missed = error.square()
        if self.config.loss == "nll":
            missed = 0.5 * (error / log_spread.exp()).square() + log_spread + 0.5 * math.log(2.0 * math.pi)
        return doubt + missed.mean(1) * steered

    def loss(self, seen: Tensor, targets: Tensor, steered: Tensor) -> Tensor:
        """The mean of `losses`."""
        return self.losses(seen, targets, steered).mean()

    @torch.no_grad()
    def spread_by(self, seen: Tensor, targets: Tensor) -> None:
        """Where the loss is the squared error: take the spread of what is said from the error on held-out data."""
        if self.config.loss == "mse":
            self.around = self._error(self._says(seen)[1], targets).square().mean().sqrt()

    def _error(self, mean: Tensor, targets: Tensor) -> Tensor:
        return ((targets - self.output_mean) / self.output_spread).flatten(1)[:, self.says] - mean


def config_from(fields: Mapping[str, Any]) -> Config:
    """The description that a file's header holds.

    Raises:
        TypeError: fields are missing or unknown.
        ValueError: they contradict each other.
    """
    config = Config(**{**fields, **{name: tuple(fields[name]) for name in ("opened", "closed", "says")}})
    rows = config.horizon if config.kind == "bc" else Parameterisation(config.noise).rows(config.horizon)
    known = all(
        isinstance(at, int) and 0 <= at < many
        for chosen, many in (
            (config.opened, config.seen),
            (config.closed, config.seen),
            (config.says, rows * config.dim),
        )
        for at in chosen
    )
    if config.kind not in KINDS or config.loss not in LOSSES or config.rows != rows or config.bound <= 0 or not known:
        raise ValueError(f"its header contradicts itself: {fields}")
    return config


def _spread(rows: Tensor) -> Tensor:
    # What never changes in the data says nothing about it; dividing by its rounding would make it shout.
    spread = rows.std(0, correction=0)
    return spread.where(spread > 1e-4, torch.ones_like(spread))
