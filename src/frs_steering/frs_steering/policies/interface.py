"""What a policy is to the rest of the stack: a description, an encoder, a velocity field, a normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from frs_steering.robot.spaces import ActionSpace

if TYPE_CHECKING:  # so that a process that only reads descriptions starts without torch
    from torch import Tensor

    from frs_steering.flow import VelocityField


GRIPPER_LAGS = (0.8, 1.6)
"""s, how long ago the values of `Observation.gripper_before` were. A picture of open fingers around a cup does not say
whether they are about to grasp it or have just let it go; what they did last does."""


class PolicyError(ValueError):
    """A policy can't be loaded; the message names the file and what would be right."""


@dataclass(frozen=True)
class PolicySpec:
    """What a policy's chunks mean.

    Attributes:
        name: of the policy.
        weights_sha256: hexadecimal digest of the weights file.
        action_space: meaning of the columns.
        horizon: H, rows of a chunk.
        dim: D, columns; the last is the gripper (0 open, 1 closed).
        execute_rows: rows driven before the next chunk takes over.
        row_duration: s.
        frame_id: frame of Cartesian columns.
        dim_names: (D,) names of the columns.
        full_scale: (D,) SI size of a full coarse command in each column.
        cameras: names of the cameras it looks through.
        image_size: pixels, both sides of the images that it makes of the cameras' by area; None: it takes them whole.
        feature_parts: sizes of what belongs together in a prefix's features, in order, such as the three numbers of a
            place: a noise policy sees those parts that tell something about its task. None: all belong together.
    """

    name: str
    weights_sha256: str
    action_space: ActionSpace
    horizon: int
    dim: int
    execute_rows: int
    row_duration: float
    frame_id: str
    dim_names: tuple[str, ...]
    full_scale: tuple[float, ...]
    cameras: tuple[str, ...]
    image_size: int | None = None
    feature_parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Observation:
    """One moment as the policy sees it.

    Attributes:
        images: camera name -> (h, w, 3) uint8 RGB.
        joint_position: (7,) rad.
        gripper: 0 open .. 1 closed.
        gripper_before: the same, GRIPPER_LAGS ago; where that is before the first reading, the first.
        instruction: in words.
    """

    images: Mapping[str, np.ndarray]
    joint_position: np.ndarray
    gripper: float
    gripper_before: tuple[float, float]
    instruction: str


class Prefix(Protocol):
    """An encoded observation: whatever the policy's field needs, made once and shared by all evaluations."""

    @property
    def features(self) -> Tensor:
        """(F,) float32, pooled features of the observation."""


class Policy(Protocol):
    """A frozen flow-matching policy.

    What `prepare` and `encode` return is the policy's own, and is given to no other policy.
    """

    @property
    def spec(self) -> PolicySpec:
        """What its chunks mean."""

    def prepare(self, observation: Observation) -> Any:
        """Turn an observation into the tensors that `encode` takes (resize, scale, tokenise)."""

    def encode(self, prepared: Any) -> Prefix:
        """Run the part of the network that sees the observation, once per decision."""

    def field(self, prefix: Any) -> VelocityField:
        """The velocity field for an encoded observation; works on any batch size."""

    def normalise(self, chunk: Tensor) -> Tensor:
        """(..., H, D) SI units -> the policy's normalised space."""

    def denormalise(self, chunk: Tensor) -> Tensor:
        """(..., H, D) the policy's normalised space -> SI units."""
