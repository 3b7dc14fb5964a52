"""Which parts of what is seen a noise policy looks at: those that tell something of the noises of its task.

Ten rollouts are two hundred chunks. A network that is shown all that a policy knows, where nineteen things lie for
instance, would have to find out from those which two of them are meant, and learns the scenes by heart instead
(docs/decisions.md). So the parts are chosen before, one after the other: each time the one with whose help a ridge
regression best predicts the episodes that it has not seen (forward selection with cross-validation, as in Hastie,
Tibshirani and Friedman, The Elements of Statistical Learning, 3.3 and 7.10).
"""

from __future__ import annotations

import torch
from torch import Tensor

WORTH = 10.0
"""Nats, over all unseen chunks, by which a part must make the prediction better to be looked at. By chance it was 12 at
most (noise that follows from nothing, 10 to 400 chunks); of the parts that mattered, in ten rollouts, 11 to 75."""
MOST = 4
"""Parts, beside the gripper."""

_FOLDS = 5
_PAIRS = 1000  # that are looked at; more of them only take longer
_FARTHEST = 2.5  # standard normal; a noise that is longer says no more about where to go
_NEAR = 3.0  # standard deviations of a feature are seen enlarged by this, so that "there" differs from "almost there"
_RIDGE = 1.0
_FEW = 0.1  # share of the chunks in which the gripper may be closed on nothing, or open for once


def choose(inputs: Tensor, targets: Tensor, parts: tuple[int, ...], episode: Tensor) -> tuple[int, ...]:
    """The parts that are worth looking at.

    Args:
        inputs: (N, F) what is seen.
        targets: (N, k, D) what is to be said.
        parts: sizes of the parts of the inputs, in order: some of features, the joints, the gripper. Without the
            gripper nothing else means anything: what is to be done with a thing depends on whether one is held.
        episode: (N,) number of the episode that each pair is from.

    Returns:
        Numbers of the parts, rising, the gripper's among them; all where no other part is worth anything, or where the
        features are one part, which is looked at as a whole.
    """
    if len(parts) <= 3:
        return tuple(range(len(parts)))
    some = torch.arange(0, len(inputs), -(-len(inputs) // _PAIRS))
    inputs, targets, episode = inputs[some], targets[some], episode[some]
    grip = inputs[:, -1:]
    held = (grip > grip.quantile(_FEW) / 2 + grip.quantile(1.0 - _FEW) / 2).float()
    alike = [_alike(part, held) for part in _scaled(inputs, parts).split(parts, 1)]
    # Where a chunk leads is in the mean over its first rows, of which most are driven.
    wanted = targets[:, : -(-targets.shape[1] // 2)].clamp(-_FARTHEST, _FARTHEST).mean(1)
    episodes = episode.unique(return_inverse=True)[1]
    fold = (episodes if episodes.any() else torch.arange(len(episodes))) % _FOLDS
    chosen: list[int] = []
    known = held @ held.T + (1.0 - held) @ (1.0 - held).T
    best = _surprise(known, wanted, fold)
    while len(chosen) < MOST:
        others = [number for number in range(len(parts) - 1) if number not in chosen]
        least, number = min(((_surprise(known + alike[i], wanted, fold), i) for i in others), default=(best, -1))
        if best - least < WORTH:
            break
        chosen, best, known = [*chosen, number], least, known + alike[number]
    return (*sorted(chosen), len(parts) - 1) if chosen else tuple(range(len(parts)))


def columns(parts: tuple[int, ...], chosen: tuple[int, ...]) -> tuple[int, ...]:
    """Where in an input the numbers of the chosen parts are."""
    first = [sum(parts[:number]) for number in range(len(parts))]
    return tuple(at for number in chosen for at in range(first[number], first[number] + parts[number]))


def _scaled(inputs: Tensor, parts: tuple[int, ...]) -> Tensor:
    # In standard deviations, one for all features' parts of one size, which are of one kind: what hardly moves must not
    # be blown up to what does. Zero means something in a place, which is seen from the hand; in a joint it does not.
    kind = torch.tensor([*parts[:-2], -1, -2]).repeat_interleave(torch.tensor(parts))
    inputs = torch.where(kind == -1, inputs - inputs.mean(0), inputs)
    square = inputs.var(0, correction=0)
    spread = torch.stack([square[kind == one].mean() for one in kind]).sqrt().clamp(min=1e-4)
    return (inputs / spread).clamp(-5.0, 5.0)


def _alike(part: Tensor, held: Tensor) -> Tensor:
    # (N, N) inner products of what a part tells: on which side, how far, and whether there at all; with the gripper
    # closed it tells something else than with the gripper open.
    told = torch.cat([part, part.abs(), torch.tanh(_NEAR * part)], 1)
    return (told @ told.T) * (held == held.T)


def _surprise(alike: Tensor, wanted: Tensor, fold: Tensor) -> float:
    # Nats, over all chunks, of a normal around the prediction whose spread is what the unseen episodes show, against
    # one around the mean; 0 where nothing is predicted.
    error, around = torch.zeros(wanted.shape[1]), torch.zeros(wanted.shape[1])
    for aside in fold.unique():
        kept, unseen = fold != aside, fold == aside
        mean = wanted[kept].mean(0)
        among = alike[kept][:, kept] + _RIDGE * torch.eye(int(kept.sum()))
        predicted = mean + alike[unseen][:, kept] @ torch.linalg.solve(among, wanted[kept] - mean)
        error += (predicted - wanted[unseen]).square().sum(0)
        around += (mean - wanted[unseen]).square().sum(0)
    return float(0.5 * len(wanted) * (error / around.clamp(min=1e-9)).clamp(1e-6, 1.0).log().sum())
