"""The embedded policy's network: two small camera encoders and a denoiser of whole chunks."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network.

    Attributes:
        horizon: H, rows of a chunk.
        dim: D, columns.
        cameras: names of the cameras, in order.
        image_size: pixels, both sides of the policy's input images.
        proprioception: numbers of proprioception.
        vocabulary: instructions that were trained; number 0 stands for every other one.
        keypoints: soft keypoints a camera.
        features: F, width of the encoded observation.
        hidden: width of the denoiser.
        blocks: residual blocks of the denoiser.
        things: bodies whose positions the encoder predicts.
        glances: how many of them, mixed by attention, the denoiser is told the positions of.
    """

    horizon: int = 16
    dim: int = 7
    cameras: tuple[str, ...] = ("exterior", "wrist")
    image_size: int = 64
    proprioception: int = 13
    vocabulary: tuple[str, ...] = ()
    keypoints: int = 32
    features: int = 256
    hidden: int = 384
    blocks: int = 3
    things: int = 1
    glances: int = 4

    def as_dict(self) -> dict:
        """For the header of the weights file."""
        return asdict(self)


class CameraEncoder(nn.Module):
    """(B, 3, s, s) image in [-1, 1] -> (B, 2 * keypoints) expected positions of learned features.

    A spatial softmax (Finn et al., arXiv 1509.06113) keeps where things are and drops the rest.
    """

    def __init__(self, keypoints: int, image_size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 24, 5, stride=2, padding=2), nn.SiLU(),
            nn.Conv2d(24, 48, 3, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(48, 64, 3, padding=1), nn.SiLU(),
            nn.Conv2d(64, keypoints, 1),
        )  # fmt: skip
        side = torch.linspace(-1.0, 1.0, image_size // 4)
        self.register_buffer("grid", torch.cartesian_prod(side, side).flip(1), persistent=False)  # (cells, xy)
        self.presence = nn.Linear(keypoints, keypoints)

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        maps = self.layers(image).flatten(2).float()
        where = maps.softmax(2) @ self.grid
        strength = self.presence(maps.amax(2) / 4.0)
        return torch.cat([where.flatten(1), torch.tanh(strength)], 1)


class ObservationEncoder(nn.Module):
    """Images, proprioception and instruction -> (B, F) features: the prefix of every denoising step.

    It predicts where the things are, and the instruction with the scene chooses at which of them to look: an
    attention over positions. Without it a sentence must find its object in a scene that was pressed into 256 numbers.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.things, self.glances = config.things, config.glances
        self.cameras = nn.ModuleList(CameraEncoder(config.keypoints, config.image_size) for _ in config.cameras)
        self.words = nn.Embedding(len(config.vocabulary) + 1, 32)
        seen = 3 * config.keypoints * len(config.cameras) + config.proprioception
        self.scene = nn.Sequential(nn.Linear(seen, 512), nn.SiLU(), nn.Linear(512, 256), nn.SiLU())
        told = 256 + config.proprioception + 32
        self.join = nn.Sequential(nn.Linear(told + 3 * config.glances, 384), nn.SiLU(),
                                  nn.Linear(384, config.features))  # fmt: skip
        self.places = nn.Linear(256, 3 * config.things)
        self.choose = nn.Linear(told, config.glances * config.things)

    def forward(self, images: Tensor, proprioception: Tensor, instruction: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            images: (B, cameras, 3, s, s) float in [-1, 1].
            proprioception: (B, P) float.
            instruction: (B,) long, index into the vocabulary, 0 for unknown.

        Returns:
            (B, F) features, and (B, things * 3) predicted positions relative to the TCP [dm].
        """
        seen = [encoder(images[:, i]) for i, encoder in enumerate(self.cameras)]
        scene = self.scene(torch.cat([*seen, proprioception], 1))
        told = torch.cat([scene, proprioception, self.words(instruction)], 1)
        places = self.places(scene)
        attention = self.choose(told).unflatten(1, (self.glances, self.things)).softmax(2)
        looked_at = attention @ places.unflatten(1, (self.things, 3)).to(attention.dtype)
        return self.join(torch.cat([told, looked_at.flatten(1)], 1)), places


class Denoiser(nn.Module):
    """Velocity of a noisy chunk: an MLP over the whole chunk, modulated by features and time (FiLM)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        size = config.horizon * config.dim
        self.frequencies = 16
        self.condition = nn.Sequential(nn.Linear(config.features + 2 * self.frequencies, config.hidden), nn.SiLU())
        self.enter = nn.Linear(size + config.hidden, config.hidden)
        self.blocks = nn.ModuleList(_Block(config.hidden) for _ in range(config.blocks))
        self.leave = nn.Linear(config.hidden, size)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, t: Tensor, features: Tensor) -> Tensor:
        """(B, H, D) chunks at times (B,) under (B, F) features -> (B, H, D) velocities."""
        angles = t[:, None] * math.pi * 2.0 ** torch.linspace(-2.0, 6.0, self.frequencies, device=t.device)
        condition = self.condition(torch.cat([features, angles.sin(), angles.cos()], 1))
        h = self.enter(torch.cat([x.flatten(1), condition], 1))
        for block in self.blocks:
            h = block(h, condition)
        return self.leave(h).view_as(x)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(width, 2 * width)
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition).chunk(2, 1)
        return h + self.down(nn.functional.silu(self.up(self.norm(h) * (1.0 + scale) + shift)))


class Network(nn.Module):
    """Encoder and denoiser together."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ObservationEncoder(config)
        self.denoiser = Denoiser(config)
