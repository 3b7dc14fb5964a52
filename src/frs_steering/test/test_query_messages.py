"""The flow's query and answer over the wire."""

from __future__ import annotations

import math

import numpy as np
import pytest
from frs_msgs.srv import FlowQuery
from policy_examples import SPEC

from frs_steering.nodes.conversions import MessageError
from frs_steering.nodes.query_messages import fill_response, query_from_msg, query_to_msg, reply_from_msg
from frs_steering.policies.interface import Observation
from frs_steering.policies.observation import Moment
from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.method import Method, parse_method
from frs_steering.steer.query import Answer, Operation, Query, Timings

SHAPE = (SPEC.horizon, SPEC.dim)
CHUNK = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
MASK = np.array([True, True, True, False, False, False, True])


def answered(**changes) -> FlowQuery.Response:
    """A response to STEER, filled as the server does."""
    moment = Moment(Observation({}, np.zeros(7), 0.0, (0.0, 0.0), ""), stamp=5_000_000_006, camera_age=0.03)
    answer = Answer(
        features=np.arange(3, dtype=np.float32),
        noise_recovered=CHUNK + 1,
        noise_used=CHUNK + 2,
        chunk=CHUNK,
        diagnostics=Diagnostics(0.5, 0.25, 0.75, 20, 0.125, 3),
        timings=Timings(0.01, 0.02, 0.03, 0.04),
    )
    response = FlowQuery.Response(server_time=0.125)
    fill_response(response, answer, moment, SPEC, wait=0.0625)
    for name, value in changes.items():
        setattr(response, name, value)
    return response


def test_queries_round_trip():
    for query in (
        Query(Operation.SAMPLE, Method("base", steps=7), seed=2**63),
        Query(Operation.STEER, chunk=CHUNK, mask=MASK),
        Query(Operation.STEER, parse_method("partial:strength=0.25"), chunk=CHUNK, mask=MASK),
        Query(Operation.DENOISE, parse_method("noise:noise=tiled"), noise=CHUNK[:1]),
        Query(Operation.DENOISE, noise=CHUNK),
        Query(Operation.ENCODE),
    ):
        found = query_from_msg(query_to_msg(query), SPEC)
        assert (found.operation, found.method, found.seed) == (query.operation, query.method, query.seed)
        for name in ("chunk", "noise", "mask"):
            np.testing.assert_array_equal(getattr(found, name), getattr(query, name))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (FlowQuery.Request(operation=9), r"operation is 9; it must be one of 0 \(ENCODE\)"),
        (FlowQuery.Request(operation=4, method="frs"), "command_mask has 0 entries; it must have 7"),
        (
            FlowQuery.Request(operation=4, method="frs", command_mask=[True] * 7),
            "chunk has 0 values; it must have 16 x 7",
        ),
        (
            FlowQuery.Request(operation=2, method="frs", chunk=[math.nan] * 112),
            "chunk has 112 values that are not finite",
        ),
        (FlowQuery.Request(operation=3, method="noise", noise=[0.0] * 3), "noise has 3 values"),
        (FlowQuery.Request(operation=3, method="noise:noise=tiled", noise=[0.0] * 112), "it must have 1 x 7"),
        (FlowQuery.Request(operation=3, method="noise:noise=dct17"), "has no more than dct16"),
        (FlowQuery.Request(operation=1), "method is ''; it must be one of base, frs"),
        (FlowQuery.Request(operation=1, method="base:steps=0"), "steps is 0"),
    ],
)
def test_wrong_queries_are_named(request_, message):
    with pytest.raises(MessageError, match=message):
        query_from_msg(request_, SPEC)


def test_answers_round_trip():
    reply = reply_from_msg(answered(), Operation.STEER, SPEC)
    np.testing.assert_array_equal(reply.answer.chunk, CHUNK)
    np.testing.assert_array_equal(reply.answer.noise_recovered, CHUNK + 1)
    np.testing.assert_array_equal(reply.answer.noise_used, CHUNK + 2)
    np.testing.assert_array_equal(reply.answer.features, [0, 1, 2])
    assert reply.answer.diagnostics == Diagnostics(0.5, 0.25, 0.75, 20, 0.125, 3)
    assert reply.answer.timings.denoise == pytest.approx(0.04)
    assert reply.stamp == 5_000_000_006
    assert reply.camera_age == pytest.approx(0.03 + 0.01)  # it ages while it is prepared
    assert (reply.wait, reply.server_time) == (0.0625, 0.125)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"success": False, "message": "camera 'wrist' never came"}, "camera 'wrist' never came"),
        ({"horizon": 10}, r"the answer is of shape \(10, 7\); 'embedded' has \(16, 7\)"),
        ({"chunk": [0.0] * 7}, "chunk has 7 values"),
        ({"chunk": [math.inf] * 112}, "chunk has 112 values that are not finite"),
        ({"noise_recovered": [0.0] * 3}, "noise_recovered has 3 values"),
    ],
)
def test_wrong_answers_are_named(changes, message):
    with pytest.raises(MessageError, match=message):
        reply_from_msg(answered(**changes), Operation.STEER, SPEC)


def test_a_source_that_reverses_nothing_gives_no_noise():
    reply = reply_from_msg(answered(noise_recovered=[], noise_used=[]), Operation.STEER, SPEC)
    assert reply.answer.noise_recovered is None and reply.answer.noise_used is None
    with pytest.raises(MessageError, match="noise_recovered has 0 values"):
        reply_from_msg(answered(noise_recovered=[]), Operation.REVERSE, SPEC)
    with pytest.raises(MessageError, match="noise_used has 0 values"):
        reply_from_msg(answered(noise_used=[]), Operation.SAMPLE, SPEC)


def test_answer_in_another_frame_is_named():
    response = answered()
    response.header.frame_id = "base"
    with pytest.raises(MessageError, match="the answer is in frame 'base'; 'embedded' has 'fr3_link0'"):
        reply_from_msg(response, Operation.STEER, SPEC)
