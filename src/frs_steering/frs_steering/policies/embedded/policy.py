"""The embedded policy: the small flow-matching generalist that runs anywhere, without a GPU."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from frs_steering.flow import VelocityField
from frs_steering.policies.embedded.network import Network, NetworkConfig
from frs_steering.policies.interface import Observation, PolicyError, PolicySpec
from frs_steering.robot.fr3 import BASE_FRAME, RESET_POSITION
from frs_steering.robot.kinematics import tcp_pose
from frs_steering.robot.spaces import ActionSpace

DEFAULT_WEIGHTS = Path(__file__).parent / "weights.safetensors"
NAME = "embedded"
CONTROL_RATE = 15.0  # Hz, DROID
EXECUTE_ROWS = 8
DIM_NAMES = ("vx", "vy", "vz", "wx", "wy", "wz", "gripper")
SCALE = (0.15, 0.15, 0.15, 0.5, 0.5, 0.5, 0.5)
OFFSET = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5)
"""Normalised = (SI - OFFSET) / SCALE: m/s, rad/s, and the gripper's 0 .. 1 to -1 .. 1."""
FULL_SCALE = (0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 1.0)
"""A full coarse command: faster than the demonstrations' 0.2 m/s, because a reference that is shorter than the mode
that it means lies on the near side of that mode and comes back as noise from between the modes."""


@dataclass(frozen=True)
class Inputs:
    """An observation as tensors: images (1, cameras, 3, s, s), proprioception (1, P), instruction (1,)."""

    images: Tensor
    proprioception: Tensor
    instruction: Tensor


@dataclass(frozen=True)
class EmbeddedPrefix:
    """The encoded observation.

    Attributes:
        condition: (F,), or (N, F) for N observations: what the velocity field is told.
        places: (3 things,), or (N, 3 things): where the encoder believes that all things are, from the TCP [dm].
    """

    condition: Tensor
    places: Tensor

    @property
    def features(self) -> Tensor:
        """The pooled features, for noise policies: all that the encoder knows.

        The condition alone holds what the sentence needs, and under a sentence that the policy does not know it hardly
        tells where things lie (docs/decisions.md).
        """
        return torch.cat([self.condition, self.places], -1)


class EmbeddedPolicy:
    """A frozen network with its description and normalisation; see `frs_steering.policies.Policy`."""

    def __init__(self, network: Network, weights_sha256: str) -> None:
        self.network = network.eval().requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # which torch's stubs lack
        config = network.config
        self._scale, self._offset = torch.tensor(SCALE), torch.tensor(OFFSET)
        self._words = {text.casefold(): index for index, text in enumerate(config.vocabulary, start=1)}
        self.spec = PolicySpec(
            name=NAME,
            weights_sha256=weights_sha256,
            action_space=ActionSpace.CARTESIAN_VELOCITY,
            horizon=config.horizon,
            dim=config.dim,
            execute_rows=EXECUTE_ROWS,
            row_duration=1.0 / CONTROL_RATE,
            frame_id=BASE_FRAME,
            dim_names=DIM_NAMES,
            full_scale=FULL_SCALE,
            cameras=config.cameras,
            image_size=config.image_size,
            feature_parts=(config.features, *[3] * config.things),
        )

    def prepare(self, observation: Observation) -> Inputs:
        """Resize by area, scale to [-1, 1], look the instruction up (0, "unknown", if it was not trained)."""
        size = (self.network.config.image_size,) * 2
        small = [cv2.resize(observation.images[c], size, interpolation=cv2.INTER_AREA) for c in self.spec.cameras]
        images = image_tensor(torch.from_numpy(np.stack(small))[None])
        joints = torch.as_tensor(observation.joint_position, dtype=torch.float32)[None]
        grips = torch.tensor([[observation.gripper, *observation.gripper_before]], dtype=torch.float32)
        state = proprioception(joints, grips)
        word = torch.tensor([self._words.get(observation.instruction.casefold(), 0)])
        return Inputs(images, state, word)

    @torch.inference_mode()
    def encode(self, prepared: Inputs) -> EmbeddedPrefix:
        """Run the cameras' encoders once; every evaluation of the field shares the result."""
        condition, places = self.network.encoder(prepared.images, prepared.proprioception, prepared.instruction)
        return EmbeddedPrefix(condition[0], places[0])

    def field(self, prefix: EmbeddedPrefix) -> VelocityField:
        """The velocity field under an encoded observation, for any batch size."""

        @torch.inference_mode()
        def velocity(x: Tensor, t: Tensor) -> Tensor:
            return self.network.denoiser(x, t, prefix.condition.expand(x.shape[0], -1))

        return velocity

    def stack(self, prefixes: Sequence[EmbeddedPrefix]) -> EmbeddedPrefix:
        """Encoded observations as one: the i-th chunk of a batch is then under the i-th (`learn.reversal.Stacking`)."""
        conditions = torch.stack([prefix.condition for prefix in prefixes])
        return EmbeddedPrefix(conditions, torch.stack([prefix.places for prefix in prefixes]))

    def normalise(self, chunk: Tensor) -> Tensor:
        """(..., H, D) SI -> normalised."""
        return (chunk - self._offset) / self._scale

    def denormalise(self, chunk: Tensor) -> Tensor:
        """(..., H, D) normalised -> SI; the gripper is kept within 0 .. 1."""
        si = chunk * self._scale + self._offset
        return torch.cat([si[..., :-1], si[..., -1:].clamp(0.0, 1.0)], -1)


def image_tensor(images: Tensor, brightness: Tensor | float = 1.0, dtype: torch.dtype = torch.float32) -> Tensor:
    """(B, cameras, s, s, 3) uint8 -> (B, cameras, 3, s, s) in [-1, 1], times a brightness before the shift."""
    return images.to(dtype).mul_(torch.as_tensor(brightness / 127.5, dtype=dtype)).sub_(1.0).permute(0, 1, 4, 2, 3)


def proprioception(joint_position: Tensor, grips: Tensor) -> Tensor:
    """What the network is told of the arm.

    Args:
        joint_position: (B, 7) rad.
        grips: (B, 3), 0 open .. 1 closed: now, and GRIPPER_LAGS ago.

    Returns:
        (B, 13): joints from the reset pose [rad], TCP position [dm] from 0.45 0 0.2, grips as -1 .. 1.
    """
    pose = torch.from_numpy(tcp_pose(joint_position.double().numpy()))
    position = (pose[:, :3, 3].float() - torch.tensor([0.45, 0.0, 0.2])) * 10.0
    joints = joint_position - torch.tensor(RESET_POSITION, dtype=torch.float32)
    return torch.cat([joints, position, 2.0 * grips - 1.0], 1)


def save(network: Network, path: Path) -> None:
    """Write the weights with the network's sizes and vocabulary in the file's header."""
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, path, metadata={"policy": NAME, "config": json.dumps(network.config.as_dict())})


def load(path: Path | None = None) -> EmbeddedPolicy:
    """Load the policy from a safetensors file; the one that comes with the package by default.

    Raises:
        PolicyError: the file is missing, is no safetensors file, or holds another network.
    """
    path = DEFAULT_WEIGHTS if path is None else Path(path)
    if not path.is_file():
        raise PolicyError(f"weights file {path} does not exist; train one with: frs train policy --out {path}")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise PolicyError(f"weights file {path} can't be read as safetensors: {error}") from error
    if metadata.get("policy") != NAME:
        raise PolicyError(f"weights file {path} is for policy {metadata.get('policy')!r}; it must be for {NAME!r}")
    try:
        network = Network(_config(json.loads(metadata["config"])))
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise PolicyError(f"weights file {path} does not fit the network: {error}") from error
    return EmbeddedPolicy(network, hashlib.sha256(path.read_bytes()).hexdigest())


def _config(fields: dict[str, Any]) -> NetworkConfig:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return NetworkConfig(**values)
