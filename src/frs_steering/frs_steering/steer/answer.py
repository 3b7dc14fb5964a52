"""One call next to the policy: encode once, run the flow on it, say what it cost.

The node `vla_inference` and the evaluation in simulation both answer by this function.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from frs_steering.flow import delegate, denoise, reverse
from frs_steering.policies.interface import Observation, Policy, PolicySpec
from frs_steering.steer.diagnostics import Diagnostics, agreement, noise_percentile, round_trip_rms
from frs_steering.steer.query import Answer, Operation, Query, QueryError, Timings


@torch.inference_mode()
def answer(policy: Policy, observation: Observation, query: Query) -> Answer:
    """Answer one query.

    Raises:
        QueryError: an array is missing, of the wrong shape or not finite, or steps is out of range.
    """
    spec, timings = policy.spec, Timings()
    if not 1 <= query.steps <= 1000:
        raise QueryError(f"steps is {query.steps}; it must lie in [1, 1000]")
    asks_chunk = query.operation in (Operation.REVERSE, Operation.STEER)
    reference = _checked("chunk", query.chunk, (spec.horizon, spec.dim)) if asks_chunk else None
    given = _checked("noise", query.noise, (spec.horizon, spec.dim)) if query.operation is Operation.DENOISE else None
    mask = _mask(query, spec) if query.operation is Operation.STEER else None

    clock = _Stopwatch()
    prepared = policy.prepare(observation)
    timings.prepare = clock.lap()
    prefix = policy.encode(prepared)
    flow = policy.field(prefix)
    timings.encode = clock.lap()

    recovered = used = refined = target = None
    if reference is not None:
        target = policy.normalise(reference)[None]
        recovered = reverse(flow, target, query.steps)
        timings.reverse = clock.lap()
    if query.operation is Operation.SAMPLE:
        used = _fresh(spec, query.seed)
    elif given is not None:
        used = given[None]
    elif mask is not None and recovered is not None:
        used = delegate(recovered, mask, _fresh(spec, query.seed))
    if used is not None:
        refined = denoise(flow, used, query.steps)
        timings.denoise = clock.lap()

    chunk = None if refined is None else policy.denormalise(refined)[0].numpy()
    passes = (recovered is not None) + (refined is not None)
    shown = recovered if used is None else used
    round_trip = agreed = float("nan")
    if not (refined is None or target is None or mask is None or chunk is None or query.chunk is None):
        round_trip = round_trip_rms(refined[0], target[0], mask)
        agreed = agreement(chunk, query.chunk)
    diagnostics = Diagnostics(
        noise_percentile=float("nan") if shown is None else noise_percentile(shown),
        round_trip_rms=round_trip,
        agreement=agreed,
        evaluations=query.steps * passes,
    )
    return Answer(prefix.features.numpy(), _array(recovered), _array(used), chunk, diagnostics, timings)


def _checked(name: str, value: np.ndarray | None, shape: tuple[int, ...]) -> Tensor:
    if value is None or value.shape != shape:
        found = "missing" if value is None else f"of shape {value.shape}"
        raise QueryError(f"{name} is {found}; it must be of shape {shape}")
    if not np.isfinite(value).all():
        raise QueryError(f"{name} holds {int((~np.isfinite(value)).sum())} values that are not finite")
    return torch.as_tensor(value, dtype=torch.float32)


def _mask(query: Query, spec: PolicySpec) -> Tensor:
    if query.mask is None or query.mask.shape != (spec.dim,):
        found = "missing" if query.mask is None else f"of shape {query.mask.shape}"
        raise QueryError(f"command_mask is {found}; it must be of shape {(spec.dim,)}")
    return torch.as_tensor(query.mask, dtype=torch.bool)


def _fresh(spec: PolicySpec, seed: int) -> Tensor:
    return torch.randn((1, spec.horizon, spec.dim), generator=torch.Generator().manual_seed(seed))


def _array(x: Tensor | None) -> np.ndarray | None:
    return None if x is None else x[0].numpy()


class _Stopwatch:
    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        now = time.perf_counter()
        elapsed, self._last = now - self._last, now
        return elapsed
