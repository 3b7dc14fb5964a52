"""One call next to the policy: encode once, run the flow on it, say what it cost.

The node `vla_inference` and the evaluation in simulation both answer by this function.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frs_steering.flow import CountedField, Parameterisation, integrator
from frs_steering.policies.interface import Observation, Policy
from frs_steering.steer.diagnostics import Diagnostics, agreement, noise_percentile, round_trip_rms
from frs_steering.steer.given import Arrays, check
from frs_steering.steer.meter import Meter
from frs_steering.steer.method import Method
from frs_steering.steer.motion import translation
from frs_steering.steer.query import Answer, Operation, Query, QueryError, Timings
from frs_steering.steer.reference import Reference, rest_chunk
from frs_steering.steer.sources import SOURCES, Problem


def answer(policy: Policy, observation: Observation, query: Query) -> Answer:
    """Answer one query.

    Raises:
        QueryError: an array is missing, of the wrong shape or not finite, or the method does not fit the operation or
            the policy.
    """
    return _answers(policy, observation, query, [(query.chunk, query.mask)])[0]


def refine(
    policy: Policy, observation: Observation, references: Sequence[Reference], *, method: Method, seed: int
) -> list[Answer]:
    """Make the chunks of several references under one observation, which is encoded once, in one batch.

    Each is what `answer` would make of it alone: the same seed gives each the same fresh noise. The timings are those
    of the whole batch.

    Raises:
        QueryError: as `answer`.
    """
    arrays = [(reference.chunk, reference.mask) for reference in references]
    return _answers(policy, observation, Query(Operation.STEER, method, seed), arrays) if arrays else []


@torch.inference_mode()
def _answers(policy: Policy, observation: Observation, query: Query, arrays: Arrays) -> list[Answer]:
    spec, method = policy.spec, query.method
    source = _source_name(query)
    given = check(query, arrays, spec)

    began = time.perf_counter()
    prepared = policy.prepare(observation)
    looked = time.perf_counter()
    prefix = policy.encode(prepared)
    field, meter = CountedField(policy.field(prefix)), Meter(integrator(method.integrator, method.iterations))
    encoded = time.perf_counter()

    parameterisation = Parameterisation(method.noise)
    rest = policy.normalise(torch.from_numpy(rest_chunk(spec, observation.joint_position, observation.gripper)))
    problem = Problem(
        field=field,
        integrator=meter,
        parameterisation=parameterisation,
        fresh=_fresh(parameterisation, given.rows, query.seed, like=rest),
        count=len(arrays),
        execute_rows=spec.execute_rows,
        rest=rest,
        reference=None if given.chunk is None else policy.normalise(given.chunk),
        mask=None if given.mask is None else given.mask.to(rest.device),
        noise=None if given.noise is None else parameterisation.expand(given.noise, spec.horizon).to(rest),
    )
    outcome = _run(query.operation, source, problem, method)
    driven = None if outcome.chunk is None else policy.denormalise(outcome.chunk).float().cpu()
    timings = Timings(looked - began, encoded - looked, meter.reversing, meter.denoising)

    def one(i: int) -> Answer:
        # All references of a batch cost the same.
        found = {"evaluations": field.evaluations // len(arrays)} | _diagnose(i, outcome, problem, method, meter)
        if driven is not None and given.chunk is not None:
            chunks = [chunk[i, : spec.execute_rows].numpy() for chunk in (driven, given.chunk)]
            moves = [translation(chunk, spec, observation.joint_position) for chunk in chunks]
            found["agreement"] = agreement(*moves)
        return Answer(
            features=prefix.features.float().cpu().numpy(),
            noise_recovered=_array(outcome.recovered, i),
            noise_used=_array(outcome.used, i),
            chunk=_array(driven, i),
            diagnostics=Diagnostics(**found),
            timings=timings,
        )

    return [one(i) for i in range(len(arrays))]


@dataclass(frozen=True)
class _Outcome:
    """What an operation gave: each (B, H, D), normalised, or None."""

    chunk: Tensor | None = None
    used: Tensor | None = None
    recovered: Tensor | None = None


def _source_name(query: Query) -> str:
    if query.operation is Operation.STEER and not query.method.needs_reference:
        names = ", ".join(name for name, source in SOURCES.items() if source.needs_reference)
        raise QueryError(f"method is {str(query.method)!r}; to STEER it must follow a reference: {names}")
    others = {Operation.SAMPLE: "base", Operation.DENOISE: "noise"}
    return others.get(query.operation, query.method.source)


def _run(operation: Operation, source: str, problem: Problem, method: Method) -> _Outcome:
    if operation is Operation.ENCODE:
        return _Outcome()
    if operation is Operation.REVERSE:
        assert problem.reference is not None, "REVERSE has a chunk"
        return _Outcome(recovered=problem.integrator.reverse(problem.field, problem.reference, method.steps))
    made = SOURCES[source].make(problem, method)
    return _Outcome(made.chunk, made.noise_used, made.noise_recovered)


def _diagnose(i: int, outcome: _Outcome, problem: Problem, method: Method, meter: Meter) -> dict[str, Any]:
    """What is seen in the policy's normalised space: fields of `Diagnostics`."""
    found: dict[str, Any] = {}
    if outcome.recovered is not None:
        latents = problem.parameterisation.compress(outcome.recovered[i].float())
        if problem.mask is not None:
            latents = latents[problem.commanded(method)[i, : len(latents)]]
        found["noise_percentile"] = noise_percentile(latents)
    elif outcome.used is not None:
        found["noise_percentile"] = noise_percentile(problem.parameterisation.compress(outcome.used[i].float()))
    if outcome.chunk is not None and problem.reference is not None and problem.mask is not None:
        rows = slice(problem.execute_rows)
        refined, reference = outcome.chunk[i, rows], problem.reference[i, rows]
        found["round_trip_rms"] = round_trip_rms(refined, reference, problem.mask[i, 0])
    if meter.inversion is not None:
        found["fixed_point_residual"] = float(meter.inversion.residual[i])
        found["fixed_point_fallbacks"] = int(meter.inversion.fallbacks[i])
    return found


def _fresh(parameterisation: Parameterisation, rows: int, seed: int, *, like: Tensor) -> Callable[[int], Tensor]:
    # The same numbers on every device; `like` (H, D) is a chunk in the policy's own type and place.
    generator = torch.Generator().manual_seed(seed)
    horizon, dim = like.shape

    def fresh(count: int) -> Tensor:
        return parameterisation.expand(torch.randn((count, rows, dim), generator=generator), horizon).to(like)

    return fresh


def _array(x: Tensor | None, i: int) -> np.ndarray | None:
    return None if x is None else x[i].float().cpu().numpy()
