"""Training of the embedded policy by conditional flow matching on demonstrations.

Loss: |v(x_t, t | o) - (action - noise)|^2 with x_t = (1 - t) noise + t action (rectified flow, arXiv 2209.03003;
the paper's time, t = 1 is the action). A second loss is on where the network believes the things to be, which teaches
the cameras' encoders to find them; for it alone there are sights beside the demonstrations, pictures of many more
scenes.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from frs_steering.learn.checkpoint import begin_with, cut, identity, resume, write
from frs_steering.learn.demonstrations import Frames, Sights
from frs_steering.policies.embedded.network import Network, NetworkConfig
from frs_steering.policies.embedded.policy import OFFSET, SCALE, image_tensor, proprioception, save

CHECKPOINT_EVERY = 500  # iterations
LOGGED_EVERY = 100  # iterations; a checkpoint falls on one that is logged
LEAST_ITERATIONS = 40
"""Fewer are no training: the rate could not rise and fall again."""
NEAR = 0.5  # dm from the TCP, where a thing's place counts half as much as in the hand


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        iterations: of the optimiser.
        batch: observations of demonstrations a batch; each is encoded once.
        sights: sights a batch.
        draws: noises and times drawn for each observation, so that the costly encoder is used well.
        rate: peak learning rate (AdamW, cosine to zero after a linear start).
        forget_instruction: share of observations whose instruction is replaced by "unknown", which teaches the
            policy what it does when it does not understand: anything that it knows. Beside them are the frames that
            no sentence asks for, in which it is led anywhere.
        contacts: how many times as often as others a frame is drawn whose chunk opens or closes the gripper; there
            millimetres decide.
        average: decay of the running average of the weights that is kept in the end.
        seed: of the initial weights, batches and noise.
    """

    iterations: int = 13_000
    batch: int = 128
    sights: int = 96
    draws: int = 4
    rate: float = 1e-3
    forget_instruction: float = 0.1
    contacts: int = 3
    average: float = 0.999
    seed: int = 0


def train(
    frames: Frames, sights: Sights, recipe: Recipe, out: Path, cameras: tuple[str, ...], start: Path | None = None
) -> Path:
    """Train, with a checkpoint every 500 iterations from which an interrupted run goes on.

    Args:
        frames: the demonstrations.
        sights: more pictures of the same things.
        recipe: how to train.
        out: directory for checkpoint.pt, losses.jsonl and weights.safetensors.
        cameras: names of the cameras, in the order of `frames.images`.
        start: checkpoint of an earlier training whose averaged weights are the first ones of this.

    Returns:
        Path of the weights.

    Raises:
        TrainingError: the checkpoint in `out` or `start` is of another training than this.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    config = _config(frames, cameras)
    network = Network(config)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload] # which torch's stubs lack
    if start is not None:
        begin_with(network, start, device)
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average)
    )
    optimiser = torch.optim.AdamW(network.parameters(), recipe.rate, weight_decay=1e-4, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.iterations, pct_start=0.05)
    parts = {"network": network, "averaged": averaged, "optimiser": optimiser, "schedule": schedule}
    checkpoint, losses, weights = out / "checkpoint.pt", out / "losses.jsonl", out / "weights.safetensors"
    of = identity(recipe, frames, sights, start)
    first = resume(checkpoint, parts, of, device)
    started, running = time.monotonic() - cut(losses, first), {"flow": 0.0, "places": 0.0}
    drawn = _drawn(frames, recipe.contacts)
    with losses.open("a") as log, tqdm(range(first, recipe.iterations), initial=first, total=recipe.iterations,
                                       desc="training") as bar:  # fmt: skip
        for iteration in bar:
            # A generator of its own, so that a resumed run draws what an unbroken one would have drawn.
            generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + iteration)
            flow, places = _losses(network, frames, sights, drawn, recipe, generator, device)
            optimiser.zero_grad(set_to_none=True)
            (flow + places).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            averaged.update_parameters(network)
            running["flow"] += flow.item()
            running["places"] += places.item()
            if (iteration + 1) % LOGGED_EVERY == 0:
                means = {name: value / LOGGED_EVERY for name, value in running.items()}
                running = dict.fromkeys(running, 0.0)
                seconds = time.monotonic() - started
                log.write(json.dumps({"iteration": iteration + 1, **means, "seconds": round(seconds, 1)}) + "\n")
                log.flush()
                bar.set_postfix({name: f"{value:.4f}" for name, value in means.items()})
            if (iteration + 1) % CHECKPOINT_EVERY == 0 or iteration + 1 == recipe.iterations:
                write(checkpoint, parts, iteration + 1, of)
                _keep(averaged.module, config, weights)
    _keep(averaged.module, config, weights)  # also where a kill came between the last checkpoint and this
    return weights


def _config(frames: Frames, cameras: tuple[str, ...]) -> NetworkConfig:
    horizon, dim = frames.chunk.shape[1:]
    return NetworkConfig(
        horizon=horizon,
        dim=dim,
        cameras=cameras,
        image_size=frames.images.shape[2],
        vocabulary=frames.vocabulary,
        things=frames.things.shape[1],
    )


def _drawn(frames: Frames, contacts: int) -> Tensor:
    # Indices of frames, those with a change of the gripper in their chunk `contacts` times.
    gripper = frames.chunk[..., -1]
    changing = (gripper.amax(1) != gripper.amin(1)).nonzero()[:, 0]
    return torch.cat([torch.arange(len(frames)), *[changing] * (contacts - 1)])


def _losses(
    network: Network,
    frames: Frames,
    sights: Sights,
    drawn: Tensor,
    recipe: Recipe,
    generator: torch.Generator,
    device: str,
) -> tuple[Tensor, Tensor]:
    index = drawn[torch.randint(len(drawn), (recipe.batch,), generator=generator)]
    looks = torch.randint(len(sights), (recipe.sights,), generator=generator)
    both = [(frames, index), (sights, looks)]
    images = torch.cat([part.images[at] for part, at in both]).to(device)
    brightness = 1.0 + 0.1 * torch.randn((*images.shape[:2], 1, 1, 3), generator=generator)
    joints = torch.cat([part.joint_position[at] for part, at in both])
    joints = joints + 0.003 * torch.randn(joints.shape, generator=generator)  # encoders are not perfect either
    state = proprioception(joints, torch.cat([part.grips[at] for part, at in both])).to(device)
    forget = torch.rand(recipe.batch, generator=generator) < recipe.forget_instruction
    words = torch.cat([torch.where(forget, 0, frames.instruction[index]), torch.zeros_like(looks)]).to(device)
    chunk = (frames.chunk[index] - torch.tensor(OFFSET)) / torch.tensor(SCALE)
    chunk = chunk.repeat(recipe.draws, 1, 1)
    noise = torch.randn(chunk.shape, generator=generator)
    t = torch.rand(len(chunk), generator=generator)
    x = torch.lerp(noise, chunk, t[:, None, None])
    chunk, noise, t, x = (part.to(device) for part in (chunk, noise, t, x))

    half = _computes_in_bfloat16(device)
    with torch.autocast(device, torch.bfloat16, enabled=half):
        seen = image_tensor(images, brightness.to(device), torch.bfloat16 if half else torch.float32)
        features, places = network.encoder(seen, state, words)
        velocity = network.denoiser(x, t, features[: recipe.batch].repeat(recipe.draws, 1))
    flow = (velocity.float() - (chunk - noise)).square().mean()
    target = torch.cat([part.things[at] for part, at in both]).to(device) * 10.0  # dm, as the proprioception
    off = (places.float().view_as(target) - target.nan_to_num()).abs()
    # What is near the hand counts more: there millimetres decide, and the wrist's camera can tell them.
    weight = (NEAR / (NEAR + target.norm(dim=2, keepdim=True))).nan_to_num().expand_as(off)
    return flow, (weight * off).sum() / weight.sum()


def _computes_in_bfloat16(device: str) -> bool:
    # It halves the cost of an iteration; a processor that only imitates it takes twelve times as long as in float32.
    return device != "cpu" or torch.cpu._is_avx512_bf16_supported()


def _keep(network: nn.Module, config: NetworkConfig, path: Path) -> None:
    kept = Network(config)
    kept.load_state_dict({name: value.cpu() for name, value in network.state_dict().items()})
    save(kept, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)  # never seen half written
