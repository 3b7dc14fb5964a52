"""Parameterisations of a chunk's noise: the whole of it, one row repeated, or its k lowest frequencies.

A noise policy that gives fewer numbers is learnt faster: DSRL (arXiv 2506.15799) and the paper's noise-space cloning
give one row, which is repeated over the chunk. Repeated noise breaks some policies where independent noise works, so
check the base policy under it first (`base:noise=tiled`).

All three are the lowest k terms of the orthonormal DCT-II over the rows of the chunk: full is k = H (written without
the rotation, as it changes nothing), tiled is k = 1.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Parameterisation:
    """A subspace of noises (H, D) with coordinates (k, D).

    Coordinates from N(0, I) give noise of the same mean square length as N(0, I) in the whole space.

    Attributes:
        name: 'full', 'tiled' or 'dct<k>'.

    Raises:
        ValueError: there is no parameterisation of that name.
    """

    name: str = "full"

    def __post_init__(self) -> None:
        if self.name not in ("full", "tiled") and not re.fullmatch(r"dct[1-9]\d{0,3}", self.name):
            raise ValueError(f"noise is {self.name!r}; it must be full, tiled, or dct<k> such as dct4")

    def rows(self, horizon: int) -> int:
        """Rows k of the coordinates for chunks of `horizon` rows.

        Raises:
            ValueError: it needs longer chunks.
        """
        if self.name == "full":
            return horizon
        k = 1 if self.name == "tiled" else int(self.name[3:])
        if k > horizon:
            raise ValueError(f"noise is {self.name!r}; a chunk of {horizon} rows has no more than dct{horizon}")
        return k

    def expand(self, coordinates: Tensor, horizon: int) -> Tensor:
        """(..., k, D) coordinates -> (..., H, D) noise."""
        if self.name == "full":
            return coordinates
        return coordinates.new_tensor(_basis(self.rows(horizon), horizon).T) @ coordinates

    def compress(self, noise: Tensor) -> Tensor:
        """(..., H, D) noise -> (..., k, D) coordinates of the nearest noise in the subspace; tiled: the mean row."""
        if self.name == "full":
            return noise
        horizon = noise.shape[-2]
        k = self.rows(horizon)
        return noise.new_tensor(_basis(k, horizon)) @ noise * (k / horizon)

    def project(self, noise: Tensor) -> Tensor:
        """(..., H, D) noise -> the nearest noise in the subspace (an orthogonal projection)."""
        return self.expand(self.compress(noise), noise.shape[-2])


def _basis(k: int, horizon: int) -> np.ndarray:
    # (k, H): rows of the orthonormal DCT-II, times sqrt(H / k) so that k D numbers are as long as H D.
    angles = np.pi / horizon * np.outer(np.arange(k), np.arange(horizon) + 0.5)
    rows = np.cos(angles) * math.sqrt(2.0 / horizon)
    rows[0] /= math.sqrt(2.0)
    return rows * math.sqrt(horizon / k)
