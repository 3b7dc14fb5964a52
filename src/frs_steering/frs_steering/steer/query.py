"""What may be asked next to the policy, and what comes back; `answer` gives the one for the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.method import Method
from frs_steering.steer.reference import Reference


class QueryError(ValueError):
    """A query that can't be answered; the message names the field, its value and what would be right."""


class Operation(IntEnum):
    """What to run on the encoded observation; numbers as in frs_msgs/FlowQuery."""

    ENCODE = 0
    SAMPLE = 1
    REVERSE = 2
    DENOISE = 3
    STEER = 4


@dataclass(frozen=True)
class Query:
    """What is asked.

    Attributes:
        operation: what to run.
        method: how; its source makes the chunk of STEER, the others use its settings.
        seed: of fresh noise.
        chunk: (H, D) SI, for REVERSE and STEER.
        noise: (k, D) normalised, for DENOISE: coordinates in the method's parameterisation, k = H where that is full.
        mask: (D,) bool, for STEER: the commanded dimensions.
    """

    operation: Operation
    method: Method = field(default_factory=Method)
    seed: int = 0
    chunk: np.ndarray | None = None
    noise: np.ndarray | None = None
    mask: np.ndarray | None = None


@dataclass
class Timings:
    """Seconds spent on each part of an answer."""

    prepare: float = 0.0
    encode: float = 0.0
    reverse: float = 0.0
    denoise: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What came out. Arrays that the operation does not give are None.

    Attributes:
        features: (F,) float32, pooled features of the observation.
        noise_recovered: (H, D) float32, normalised; where something was reversed.
        noise_used: (H, D) float32, normalised; where something was denoised.
        chunk: (H, D) float32, SI.
        diagnostics: how it came out.
        timings: what it cost.
    """

    features: np.ndarray
    noise_recovered: np.ndarray | None = None
    noise_used: np.ndarray | None = None
    chunk: np.ndarray | None = None
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    timings: Timings = field(default_factory=Timings)


def query_for(reference: Reference | None, noise: np.ndarray | None = None, *, method: Method, seed: int) -> Query:
    """Ask for a chunk by the method; where what it needs is missing, for the base policy's."""
    if method.needs_reference and reference is not None:
        return Query(Operation.STEER, method, seed, chunk=reference.chunk, mask=reference.mask)
    if method.needs_noise and noise is not None:
        return Query(Operation.DENOISE, method, seed, noise=noise)
    return Query(Operation.SAMPLE, method.alone(), seed)
