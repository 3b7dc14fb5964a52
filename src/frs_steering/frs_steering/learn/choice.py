"""Which parts of what is seen a noise policy looks at: those that tell something of the noises of its task.

Ten rollouts are two hundred chunks. A network that is shown all that a policy knows, where nineteen things lie for
instance, would have to find out from those which two of them are meant, and learns the scenes by heart instead
(docs/decisions.md). So the parts are chosen before, one after the other: each time the one with whose help a ridge
regression best predicts the episodes that it has not seen (forward selection with cross-validation, as in Hastie,
Tibshirani and Friedman, The Elements of Statistical Learning, 3.3 and 7.10).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

WORTH = 10.0
"""Nats, over all unseen chunks, by which a part must make the prediction better to be looked at. By chance it was 12 at
most (noise that follows from nothing, 10 to 400 chunks); of the parts that mattered, in ten rollouts, 5 to 106."""
MOST = 6
"""Parts, each with the gripper open or closed, beside the gripper."""

_FOLDS = 5
_PAIRS = 400  # that are looked at; more of them only take longer
_FARTHEST = 2.5  # standard normal; a noise that is longer says no more about where to go
_NEAR = 3.0  # standard deviations of a feature are seen enlarged by this, so that "there" differs from "almost there"
_RIDGE = 5.0
_FEW = 0.1  # share of the chunks in which the gripper may be closed on nothing, or open for once


@dataclass(frozen=True)
class Choice:
    """The parts that are worth looking at, by their numbers, rising; beside the gripper, which always is.

    Attributes:
        opened: with the gripper open.
        closed: with the gripper closed.
        closed_above: what counts as closed.
    """

    opened: tuple[int, ...]
    closed: tuple[int, ...]
    closed_above: float


def choose(inputs: Tensor, targets: Tensor, said: Tensor, parts: tuple[int, ...], episode: Tensor) -> Choice | None:
    """Find what is worth looking at.

    With the gripper open a task is about another thing than with the gripper closed: first what is to be taken, then
    where it is to be put. So what a part tells is asked for each of the two by itself.

    Args:
        inputs: (N, F) what is seen.
        targets: (N, k, D) noises, or chunks.
        said: (k, D) bool, what of them is to be said.
        parts: sizes of the parts of the inputs, in order: some of features, the joints, the gripper.
        episode: (N,) number of the episode that each pair is from.

    Returns:
        The choice; None where no part is worth anything, or where the features are one part: then everything is to be
        looked at.
    """
    if len(parts) <= 3:
        return None
    some = torch.arange(0, len(inputs), -(-len(inputs) // _PAIRS))
    inputs, targets, episode = inputs[some], targets[some], episode[some]
    grip = inputs[:, -1:]
    closed_above = float(grip.quantile(_FEW) / 2 + grip.quantile(1.0 - _FEW) / 2)
    closed = (grip > closed_above).float()
    same = {True: closed @ closed.T, False: (1.0 - closed) @ (1.0 - closed).T}
    scaled = _scaled(inputs, parts).split(parts, 1)[:-1]
    tells = {(part, state): _alike(scaled[part]) * same[state] for part in range(len(scaled)) for state in same}
    wanted = _leads(targets, said)
    episodes = episode.unique(return_inverse=True)[1]
    fold = (episodes if episodes.any() else torch.arange(len(episodes))) % _FOLDS
    chosen: list[tuple[int, bool]] = []
    known = same[True] + same[False]
    best = _surprise(known, wanted, fold)
    while len(chosen) < MOST:
        others = [one for one in tells if one not in chosen]
        least, one = min((_surprise(known + tells[one], wanted, fold), one) for one in others)
        if best - least < WORTH:
            break
        chosen, best, known = [*chosen, one], least, known + tells[one]
    if not chosen:
        return None
    opened, shut = (tuple(sorted(part for part, state in chosen if state is which)) for which in (False, True))
    return Choice(opened, shut, closed_above)


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


def _alike(part: Tensor) -> Tensor:
    # (N, N) inner products of what a part tells: on which side, how far, and whether there at all.
    told = torch.cat([part, part.abs(), torch.tanh(_NEAR * part)], 1)
    return told @ told.T


def _leads(targets: Tensor, said: Tensor) -> Tensor:
    # (N, W): where a chunk leads is in the mean over its first rows, of which most are driven.
    first = slice(-(-targets.shape[1] // 2))
    rows = said[first].float()
    mean = (targets[:, first].clamp(-_FARTHEST, _FARTHEST) * rows).sum(1) / rows.sum(0).clamp(min=1.0)
    return mean[:, rows.any(0)]


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
