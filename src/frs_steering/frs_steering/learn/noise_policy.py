"""A noise policy: a small network that says, for what the policy sees, which noise to denoise (DSBC), or, as the
baseline, which chunk to drive (BC). One safetensors file, with what it was trained on as JSON in its header.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as to_bytes

from frs_steering.learn.held_out import HeldOut, why_not
from frs_steering.learn.noise_data import USUAL, Sampler, inputs
from frs_steering.learn.noise_network import Network, config_from
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.method import Method

_FORMAT = "frs-noise-policy-4"
_OLDER = ("frs-noise-policy-1", "frs-noise-policy-2", "frs-noise-policy-3")
_HELD_OUT = "held_out."  # before the names of the recorded observations among the file's tensors


class NoisePolicyError(ValueError):
    """A noise policy can't be loaded or used; the message names the file and what would be right."""


@dataclass(frozen=True)
class TrainedOn:
    """What a noise policy was trained on.

    Attributes:
        episodes: names.
        chunks: how many in all.
        policy: name of the policy whose features and noises they are.
        weights_sha256: of its weights.
        tasks: names; more than one where rollouts of several were given.
        seed: of the training.
        steps: of the optimiser, of the weights that were kept.
        held_out_loss: of those.
        demonstrations: how the targets were found in demonstrations, e.g. "fixed_point:steps=10"; empty where it was
            trained on rollouts.
        sampler: by which the noises make their chunks.
    """

    episodes: tuple[str, ...]
    chunks: int
    policy: str
    weights_sha256: str
    tasks: tuple[str, ...]
    seed: int
    steps: int
    held_out_loss: float
    demonstrations: str = ""
    sampler: Sampler = USUAL


@dataclass(frozen=True)
class NoisePolicy:
    """A network ready for use.

    Attributes:
        network: in evaluation.
        trained_on: what it was trained on.
        held_out: recorded observations that it was not trained on, and which it meets as its training did.
        path: of its file.
        sha256: of its file.
    """

    network: Network
    trained_on: TrainedOn
    held_out: HeldOut
    path: Path
    sha256: str

    @property
    def kind(self) -> str:
        """What it says: "dsbc" noises, "bc" chunks."""
        return self.network.config.kind

    @property
    def method(self) -> str:
        """How it was learnt, as an evaluation names it: its kind, or "offline-dsbc", noises of demonstrations."""
        return f"offline-{self.kind}" if self.kind == "dsbc" and self.trained_on.demonstrations else self.kind

    @property
    def denoising(self) -> Method:
        """How the policy makes a chunk of what it says, if that is a noise."""
        return self.trained_on.sampler.method(self.network.config.noise)

    @property
    def version(self) -> str:
        """Its file's name and digest, as decisions name it."""
        return f"{self.path.stem}@{self.sha256[:12]}"

    @torch.inference_mode()
    def propose(self, features: np.ndarray, joint_position: np.ndarray, gripper: float, seed: int) -> np.ndarray:
        """What to denoise, or to drive, here.

        A noise is drawn from what was learnt, within the bound: where rollouts had fresh noise (what was delegated, or
        left to the policy) fresh noise comes out again, and where they agreed there is next to nothing to draw. A
        chunk is the mean.

        Args:
            features: (F,) of the policy.
            joint_position: (7,) rad.
            gripper: 0 open .. 1 closed.
            seed: of the draw.

        Returns:
            (k, D) float32 coordinates of a noise, or a chunk (H, D) float32 in SI.

        Raises:
            NoisePolicyError: the features are another policy's, or a number is not finite.
        """
        config, network = self.network.config, self.network
        seen = inputs(features, joint_position, gripper)
        if seen.shape != (config.seen,) or not np.isfinite(seen).all():
            raise NoisePolicyError(
                f"it was given {seen.size} numbers, {int((~np.isfinite(seen)).sum())} of them not finite;"
                f" it takes {config.seen}: the policy's features, 7 joint positions and the gripper"
            )
        steers, mean, spread = network(torch.from_numpy(seen)[None])
        if config.kind == "dsbc":
            generator = torch.Generator().manual_seed(seed)
            drawn = torch.randn(mean.shape, generator=generator)
            steer = torch.rand(1, generator=generator) < steers.sigmoid()
            mean = torch.where(steer, mean + spread * drawn, drawn).clamp(-config.bound, config.bound)
        return (mean * network.output_spread + network.output_mean)[0].numpy()

    def check_fits(self, spec: PolicySpec) -> None:
        """Refuse a policy that it was not trained with.

        Raises:
            NoisePolicyError: the policy has other weights or other chunks.
        """
        config, known = self.network.config, self.trained_on
        if known.weights_sha256 != spec.weights_sha256:
            raise NoisePolicyError(
                f"noise policy {self.version} was trained with {known.policy!r} of weights {known.weights_sha256[:12]};"
                f" the policy is {spec.name!r} of weights {spec.weights_sha256[:12]}, whose noises mean something else"
            )
        if (config.horizon, config.dim) != (spec.horizon, spec.dim):
            raise NoisePolicyError(
                f"noise policy {self.version} is for chunks of {config.horizon} x {config.dim};"
                f" {spec.name!r} has {spec.horizon} x {spec.dim}"
            )


def save(network: Network, trained_on: TrainedOn, held_out: HeldOut, path: Path) -> None:
    """Write the one file; an older one of that name is replaced in one go.

    Raises:
        OSError: the disk refused.
    """
    known = {"config": json.dumps(asdict(network.config)), "trained_on": json.dumps(asdict(trained_on))}
    tensors = network.state_dict() | {_HELD_OUT + name: value for name, value in vars(held_out).items()}
    draft = path.with_name(f".{path.name}.part")
    metadata = {"format": _FORMAT, **known}
    draft.write_bytes(to_bytes({name: value.contiguous() for name, value in tensors.items()}, metadata))
    os.replace(draft, path)


def load(path: Path) -> NoisePolicy:
    """Load a noise policy, and check it on the recorded observations that are in its file.

    Raises:
        NoisePolicyError: the file is missing, is no safetensors file, holds something else, or is damaged; or its
            weights are not those that were trained.
    """
    try:
        whole = path.read_bytes()  # once: a training may replace the file meanwhile
        tensors = load_tensors(whole)
        header = _header(whole)
    except FileNotFoundError:
        raise NoisePolicyError(f"noise policy {path} does not exist; make one with: frs train dsbc RUNS") from None
    except (SafetensorError, OSError) as error:
        raise NoisePolicyError(f"noise policy {path} can't be read as safetensors: {error}") from error
    if header.get("format") in _OLDER:
        raise NoisePolicyError(f"noise policy {path} is of an older format; train it anew: frs train dsbc RUNS")
    if header.get("format") != _FORMAT:
        raise NoisePolicyError(f"{path} holds {header.get('format')!r}; a noise policy is {_FORMAT!r}")
    recorded = {name.removeprefix(_HELD_OUT): tensors.pop(name) for name in list(tensors) if name.startswith(_HELD_OUT)}
    try:
        network = Network(config_from(json.loads(header["config"])))
        network.load_state_dict(tensors)
        trained_on = _trained_on(json.loads(header["trained_on"]))
        held_out = HeldOut(**recorded)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise NoisePolicyError(f"noise policy {path} does not fit its network: {error}") from error
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise NoisePolicyError(f"noise policy {path} holds weights that are not finite")
    network.eval().requires_grad_(False)
    if why := why_not(network, held_out):
        raise NoisePolicyError(f"noise policy {path} must not be used: {why}")
    return NoisePolicy(network, trained_on, held_out, path, hashlib.sha256(whole).hexdigest())


def _header(whole: bytes) -> dict[str, str]:
    # What safetensors keeps beside the tensors: the length of a JSON text in 8 bytes, little-endian, then the text.
    length = int.from_bytes(whole[:8], "little")
    return json.loads(whole[8 : 8 + length]).get("__metadata__", {})


def _trained_on(known: dict[str, Any]) -> TrainedOn:
    read = {
        "episodes": tuple(known["episodes"]),
        "tasks": tuple(known["tasks"]),
        "sampler": Sampler(**known["sampler"]),
    }
    made = TrainedOn(**known | read)
    made.sampler.method()  # raises where there is no such sampler
    return made
