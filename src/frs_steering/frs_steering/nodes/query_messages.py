"""The flow's query and its answer, as messages and as checked values of the core."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from frs_msgs.msg import FlowDiagnostics, StageTimings
from frs_msgs.srv import FlowQuery

from frs_steering.flow import Parameterisation
from frs_steering.nodes.conversions import MessageError, floats, nanoseconds, rows, time_msg
from frs_steering.policies.interface import PolicySpec
from frs_steering.policies.observation import Moment
from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.method import Method, MethodError, parse_method
from frs_steering.steer.query import Answer, Operation, Query, Timings

TAKES_CHUNK = (Operation.REVERSE, Operation.STEER)
GIVES_NOISE = (Operation.SAMPLE, Operation.DENOISE)
GIVES_CHUNK = (Operation.SAMPLE, Operation.DENOISE, Operation.STEER)


@dataclass(frozen=True)
class Reply:
    """An answer as the asker got it.

    Attributes:
        answer: checked; all arrays that the operation gives are there, finite and of the right shape.
        stamp: ns, of the observation.
        camera_age: s, of the oldest image when encoding began.
        wait: s, from receipt of the query until an observation was at hand.
        server_time: s, inside the server.
        joint_position: (7,) float64 rad, in the observation.
        gripper: 0 open .. 1 closed, in the observation.
    """

    answer: Answer
    stamp: int
    camera_age: float
    wait: float
    server_time: float
    joint_position: np.ndarray
    gripper: float


def query_to_msg(query: Query) -> FlowQuery.Request:
    """A query as a request."""
    request = FlowQuery.Request(operation=int(query.operation), method=str(query.method), seed=query.seed)
    request.chunk = floats(query.chunk)
    request.noise = floats(query.noise)
    if query.mask is not None:
        request.command_mask = [bool(commanded) for commanded in query.mask]
    return request


def query_from_msg(request: FlowQuery.Request, spec: PolicySpec) -> Query:
    """A checked query for the policy of `spec`.

    Raises:
        MessageError: the operation or the method is unknown, or an array that it needs is of the wrong size or not
            finite.
    """
    try:
        operation = Operation(request.operation)
    except ValueError:
        known = ", ".join(f"{known.value} ({known.name})" for known in Operation)
        raise MessageError(f"operation is {request.operation}; it must be one of {known}") from None
    method = Method() if operation is Operation.ENCODE else _method(request.method)
    shape = (spec.horizon, spec.dim)
    mask = noise = None
    if operation is Operation.STEER:
        if len(request.command_mask) != spec.dim:
            raise MessageError(f"command_mask has {len(request.command_mask)} entries; it must have {spec.dim}")
        mask = np.array(request.command_mask, bool)
    if operation is Operation.DENOISE:
        try:
            coordinates = (Parameterisation(method.noise).rows(spec.horizon), spec.dim)
        except ValueError as error:
            raise MessageError(str(error)) from None
        noise = rows("noise", request.noise, coordinates)
    return Query(
        operation,
        method,
        seed=request.seed,
        chunk=rows("chunk", request.chunk, shape) if operation in TAKES_CHUNK else None,
        noise=noise,
        mask=mask,
    )


def fill_response(
    response: FlowQuery.Response, answer: Answer, moment: Moment, spec: PolicySpec, *, wait: float
) -> None:
    """Write an answer into a response, all but `server_time`."""
    response.success = True
    response.header.stamp = time_msg(moment.stamp)
    response.header.frame_id = spec.frame_id
    response.horizon, response.dim = spec.horizon, spec.dim
    response.noise_recovered = floats(answer.noise_recovered)
    response.noise_used = floats(answer.noise_used)
    response.chunk = floats(answer.chunk)
    response.features = floats(answer.features)
    response.joint_position = np.asarray(moment.observation.joint_position, np.float64)
    response.gripper = float(moment.observation.gripper)
    response.diagnostics = diagnostics_to_msg(answer.diagnostics)
    timings = answer.timings
    response.timings = StageTimings(
        camera_age=moment.camera_age + timings.prepare,  # encoding begins after the preparation
        wait=wait,
        prepare=timings.prepare,
        encode=timings.encode,
        reverse=timings.reverse,
        denoise=timings.denoise,
    )


def reply_from_msg(response: FlowQuery.Response, operation: Operation, spec: PolicySpec) -> Reply:
    """A checked answer of the policy of `spec`.

    Raises:
        MessageError: it was refused, is of another policy's shape or frame, lacks what the operation gives, or holds
            values that are not finite.
    """
    if not response.success:
        raise MessageError(response.message)
    shape = (spec.horizon, spec.dim)
    if (response.horizon, response.dim) != shape:
        raise MessageError(f"the answer is of shape {(response.horizon, response.dim)}; {spec.name!r} has {shape}")
    if response.header.frame_id != spec.frame_id:
        raise MessageError(f"the answer is in frame {response.header.frame_id!r}; {spec.name!r} has {spec.frame_id!r}")
    timings, found = response.timings, response.diagnostics
    answer = Answer(
        features=np.array(response.features, np.float32),
        noise_recovered=_given("noise_recovered", response.noise_recovered, operation is Operation.REVERSE, shape),
        noise_used=_given("noise_used", response.noise_used, operation in GIVES_NOISE, shape),
        chunk=_given("chunk", response.chunk, operation in GIVES_CHUNK, shape),
        diagnostics=Diagnostics(
            found.noise_percentile,
            found.round_trip_rms,
            found.agreement,
            found.evaluations,
            found.fixed_point_residual,
            found.fixed_point_fallbacks,
        ),
        timings=Timings(timings.prepare, timings.encode, timings.reverse, timings.denoise),
    )
    stamp = nanoseconds(response.header.stamp)
    joints = np.array(response.joint_position, np.float64)
    return Reply(answer, stamp, timings.camera_age, timings.wait, response.server_time, joints, float(response.gripper))


def diagnostics_to_msg(diagnostics: Diagnostics) -> FlowDiagnostics:
    """Diagnostics as a message."""
    return FlowDiagnostics(
        noise_percentile=diagnostics.noise_percentile,
        round_trip_rms=diagnostics.round_trip_rms,
        agreement=diagnostics.agreement,
        fixed_point_residual=diagnostics.fixed_point_residual,
        fixed_point_fallbacks=diagnostics.fixed_point_fallbacks,
        evaluations=diagnostics.evaluations,
    )


def _method(text: str) -> Method:
    try:
        return parse_method(text)
    except MethodError as error:
        raise MessageError(str(error)) from None


def _given(name: str, values: Sequence[float], expected: bool, shape: tuple[int, int]) -> np.ndarray | None:
    # Some sources reverse or denoise nothing; what is empty then is not missing.
    return rows(name, values, shape) if expected or len(values) else None
