"""The border where a query's arrays become checked tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from frs_steering.flow import Parameterisation
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.query import Operation, Query, QueryError

Arrays = Sequence[tuple[np.ndarray | None, np.ndarray | None]]
"""Chunk (H, D) and command mask (D,) of each of B references; None where there is none."""


@dataclass(frozen=True)
class Given:
    """What a query gives, None where its operation takes nothing of the kind.

    Attributes:
        rows: k, of the coordinates of noise.
        chunk: (B, H, D) float32, SI.
        mask: (B, 1, D) bool.
        noise: (1, k, D) float32 coordinates.
    """

    rows: int
    chunk: Tensor | None
    mask: Tensor | None
    noise: Tensor | None


def check(query: Query, arrays: Arrays, spec: PolicySpec) -> Given:
    """Check what the query's operation needs.

    Raises:
        QueryError: an array is missing, of the wrong shape or not finite, or the method does not fit the policy.
    """
    try:
        rows = Parameterisation(query.method.noise).rows(spec.horizon)
    except ValueError as error:
        raise QueryError(str(error)) from None
    chunk = mask = noise = None
    if query.operation in (Operation.REVERSE, Operation.STEER):
        chunk = torch.stack([_numbers("chunk", values, (spec.horizon, spec.dim)) for values, _ in arrays])
    if query.operation is Operation.STEER:
        mask = torch.stack([_mask(commanded, spec.dim) for _, commanded in arrays])[:, None]
    if query.operation is Operation.DENOISE:
        noise = _numbers("noise", query.noise, (rows, spec.dim))[None]
    return Given(rows, chunk, mask, noise)


def _numbers(name: str, value: np.ndarray | None, shape: tuple[int, ...]) -> Tensor:
    if value is None or value.shape != shape:
        raise QueryError(f"{name} is {_found(value)}; it must be of shape {shape}")
    if not np.isfinite(value).all():
        raise QueryError(f"{name} holds {int((~np.isfinite(value)).sum())} values that are not finite")
    return torch.as_tensor(value, dtype=torch.float32)


def _mask(value: np.ndarray | None, dim: int) -> Tensor:
    if value is None or value.shape != (dim,):
        raise QueryError(f"command_mask is {_found(value)}; it must be of shape {(dim,)}")
    return torch.as_tensor(value, dtype=torch.bool)


def _found(value: np.ndarray | None) -> str:
    return "missing" if value is None else f"of shape {value.shape}"
