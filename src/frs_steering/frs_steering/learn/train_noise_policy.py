"""Training of a noise policy: a minute's work of one core, without the policy, on what the journal kept.

DSBC (arXiv 2606.13675) is behavioural cloning in noise space; the paper found likelihood and squared error equally
good, here squared error is better (docs/decisions.md). Rollouts are few, so the weights are kept that are best on what
was held out; but what is held out are few, too, and not trusted with a training that has hardly begun.
"""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from frs_steering.flow import Parameterisation
from frs_steering.learn.choice import choose, columns
from frs_steering.learn.errors import TrainingError
from frs_steering.learn.held_out import HeldOut, hold_out
from frs_steering.learn.noise_data import NoiseData
from frs_steering.learn.noise_network import Config, Network
from frs_steering.learn.noise_policy import TrainedOn

LOOK_EVERY = 50  # steps between two looks at the held-out chunks
FEWEST = 10  # chunks; with less there is nothing to hold out
SEVERAL = 4  # rollouts, from which on whole ones are held out
SPLITS = 3  # that are tried before nothing can be learnt: of few rollouts one may be held out that is like no other


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        steps: of the optimiser, at most, for each of up to SPLITS splits.
        batch: chunks a step.
        rate: learning rate (AdamW).
        held_out: share of the episodes, or where they are few of the chunks, that is only looked at.
        least: steps, from where on the weights that are best are kept, unless `steps` are fewer: of two rollouts that
            are held out one may be unlike all others, and is met best by a network that says little, whose noise does
            not lead the hand.
        patience: steps without a better held-out loss after which it ends.
        dropout: share of each hidden layer that is left out at each step.
        jitter: size of the noise on what is seen, in standard deviations of the data.
        seed: of the split, the first weights and the batches; of a further split the next number.
    """

    steps: int = 12_500
    batch: int = 128
    rate: float = 3e-4
    held_out: float = 0.15
    least: int = 1000
    patience: int = 1000
    dropout: float = 0.1
    jitter: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Look:
    """One look: after how many steps, and the losses of the chunks that are trained on and of those held out."""

    step: int
    trained: float
    held_out: float


@dataclass(frozen=True)
class Trained:
    """What came out.

    Attributes:
        network: with the weights that were kept.
        trained_on: for its file.
        held_out: some of the pairs that were held out, for its file.
        looks: the loss curves.
        best: the look whose weights were kept.
        seconds: that it took.
    """

    network: Network
    trained_on: TrainedOn
    held_out: HeldOut
    looks: tuple[Look, ...]
    best: Look
    seconds: float


def config_for(data: NoiseData, *, kind: str, noise: str, loss: str, bound: float) -> Config:
    """The network's description for the data."""
    rows, dim = data.targets.shape[1:]
    steered = data.expert | data.own  # in the others the policy had fresh noise, which follows from nothing
    told = steered if int(steered.sum()) >= FEWEST else torch.ones_like(steered)
    wanted = Parameterisation(noise).expand(data.targets, data.horizon) if kind == "dsbc" else data.targets
    # Of noise that stands for all rows alike, every row says what the coordinates say.
    said = data.said if len(data.said) == data.horizon else data.said.any(0).expand(data.horizon, -1)
    config = Config(
        kind, data.inputs.shape[1], rows, dim, data.horizon, noise, loss, bound,
        says=tuple(data.said.flatten().nonzero()[:, 0].tolist()),
    )  # fmt: skip
    chosen = choose(data.inputs[told], wanted[told], said, data.parts, data.episode[told])
    if chosen is None:
        return config
    opened, closed = columns(data.parts, chosen.opened), columns(data.parts, chosen.closed)
    return dataclasses.replace(config, opened=opened, closed=closed, closed_above=chosen.closed_above)


def train(data: NoiseData, config: Config, recipe: Recipe, say: Callable[[Look], None] = lambda look: None) -> Trained:
    """Train one network.

    Args:
        data: what to learn.
        config: of the network, see `config_for`.
        recipe: how.
        say: is told of every look.

    Raises:
        TrainingError: there are too few chunks, nothing can be learnt from them, or the loss is not finite.
    """
    if len(data) < FEWEST:
        raise TrainingError(f"{len(data)} chunks are too few; at least {FEWEST} are needed to hold some of them out")
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]):  # dropout and first weights draw from torch's own generator
        for seed in range(recipe.seed, recipe.seed + SPLITS):
            torch.manual_seed(seed)
            held_out, kept = split(data, recipe.held_out)
            network = Network(config, recipe.dropout)
            looks, best = _optimise(network, data, recipe, held_out=held_out, kept=kept, say=say)
            if min(looks, key=lambda look: look.held_out).step:
                break
        else:
            raise TrainingError(
                f"of {len(data)} chunks nothing was learnt that holds for those held out: {SPLITS} times others were"
                f" held out, and they were never met better than before the training (loss {looks[0].held_out:.3f})."
                " More rollouts of one task are needed"
            )
    network.eval().requires_grad_(False)
    unseen = held_out if data.steered[held_out].any() else kept
    wished = unseen[data.steered[unseen]]
    network.spread_by(data.inputs[wished], data.targets[wished])
    trained_on = TrainedOn(
        data.quality.episodes, len(data), data.policy, data.weights_sha256, data.quality.tasks, seed, best.step,
        best.held_out, data.demonstrations, data.sampler,
    )  # fmt: skip
    recorded = hold_out(network, data.inputs[held_out], data.targets[held_out], data.steered[held_out])
    return Trained(network, trained_on, recorded, tuple(looks), best, time.monotonic() - began)


def split(data: NoiseData, share: float) -> tuple[Tensor, Tensor]:
    """Indices of the pairs that are held out, and of the others, in an order drawn from torch's own generator.

    Chunks of one episode are alike: beside each that was held out its neighbours would be trained on, and the loss
    would tell little; of demonstrations, whose chunks overlap, nothing. So whole episodes are held out, demonstrations
    where there are two, rollouts where there are SEVERAL: one of fewer would be too much to go without.

    Args:
        data: the pairs.
        share: of them, or of the episodes, that is held out; at least one is.
    """
    order = torch.randperm(len(data))
    episodes = data.episode.unique()
    if len(episodes) >= (2 if data.demonstrations else SEVERAL):
        chosen = episodes[torch.randperm(len(episodes))[: max(1, round(len(episodes) * share))]]
        aside = torch.isin(data.episode[order], chosen)
        return order[aside], order[~aside]
    count = max(1, round(len(data) * share))
    return order[:count], order[count:]


def _optimise(
    network: Network, data: NoiseData, recipe: Recipe, *, held_out: Tensor, kept: Tensor, say: Callable[[Look], None]
) -> tuple[list[Look], Look]:
    """Train, and leave the weights in the network that were best on the held-out chunks; all looks, and theirs."""
    network.normalise_by(data.inputs[kept], data.targets[kept])
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-2)
    looks: list[Look] = []
    weights, best = {}, Look(0, math.inf, math.inf)
    for step in range(recipe.steps + 1):
        if step % LOOK_EVERY == 0:
            looks.append(Look(step, _loss(network, data, kept), _loss(network, data, held_out)))
            say(looks[-1])
            if best.step < recipe.least <= step or looks[-1].held_out < best.held_out:
                best, weights = looks[-1], copy.deepcopy(network.state_dict())
            if step - max(best.step, recipe.least) >= recipe.patience:
                break
        batch = drawn(kept, data, min(recipe.batch, len(kept)))
        seen = data.inputs[batch]
        seen = seen + recipe.jitter * network.input_spread * torch.randn_like(seen)
        loss = network.loss(seen, data.targets[batch], data.steered[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    network.load_state_dict(weights)
    return looks, best


def drawn(kept: Tensor, data: NoiseData, size: int) -> Tensor:
    """Indices of a batch; where an expert corrected a noise policy, half and half of the two.

    So the corrections of a round (DAgger, arXiv 1011.0686), which are few, are not drowned by what the noise policy did
    by itself. Chunks of the policy alone are neither: they keep the share that they have. Without a noise policy's
    chunks, or without an expert's, all are equally likely.

    Args:
        kept: (M,) indices of the chunks that may be drawn.
        data: whose chunks they are.
        size: of the batch.
    """
    expert, own = data.expert[kept], data.own[kept]
    if not (expert.any() and own.any()):
        return _some(kept, size)
    others = kept[~(expert | own)]
    alone = round(size * len(others) / len(kept))
    half = max(1, (size - alone) // 2)
    return torch.cat([_some(others, alone), _some(kept[expert], half), _some(kept[own], half)])


def _some(index: Tensor, count: int) -> Tensor:
    return index[torch.randint(len(index), (count,))] if count else index[:0]


@torch.no_grad()
def _loss(network: Network, data: NoiseData, index: Tensor) -> float:
    network.eval()
    loss = float(network.loss(data.inputs[index], data.targets[index], data.steered[index]))
    network.train()
    if not math.isfinite(loss):
        raise TrainingError(f"the loss is {loss}; lower the learning rate")
    return loss
