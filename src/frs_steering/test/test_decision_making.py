"""Decisions over the wire: a policy that answers with nonsense, in this process but over real DDS."""

from __future__ import annotations

import math
import time
from types import ModuleType

import numpy as np
import pytest
import rclpy
from frs_msgs.srv import FlowQuery
from policy_examples import SPEC
from rclpy.node import Node

from frs_steering.nodes.decision_making import DecisionMaking, Open
from frs_steering.nodes.noise_peer import NoisePeer
from frs_steering.nodes.query_messages import fill_response, query_from_msg
from frs_steering.policies.interface import Observation
from frs_steering.policies.observation import Moment
from frs_steering.steer.deferral import Trust
from frs_steering.steer.diagnostics import Diagnostics
from frs_steering.steer.making import Making
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, Operation, Timings
from frs_steering.steer.reference import Reference

SHAPE = (SPEC.horizon, SPEC.dim)
MOMENT = Moment(Observation({}, np.zeros(7), 0.0, (0.0, 0.0), ""), stamp=1, camera_age=0.0)
TIMEOUT = 20.0  # s


@pytest.fixture
def asked(node: Node) -> list[Operation]:
    """A policy that steers to nowhere, and samples zeros; what it is asked for."""
    heard: list[Operation] = []

    def serve(request: FlowQuery.Request, response: FlowQuery.Response) -> FlowQuery.Response:
        heard.append(query_from_msg(request, SPEC).operation)
        chunk = np.full(SHAPE, math.nan if heard[-1] is Operation.STEER else 0.0, np.float32)
        fill_response(
            response, Answer(np.zeros(1), chunk, chunk, chunk, Diagnostics(), Timings()), MOMENT, SPEC, wait=0.0
        )
        return response

    node.create_service(FlowQuery, "flow_query", serve)
    return heard


def test_a_steered_chunk_that_is_not_finite_gives_way_to_the_policys_own(
    ros: ModuleType, node: Node, asked: list[Operation]
) -> None:
    made: list[Open] = []
    given_up: list[str] = []
    noise = NoisePeer(node, TIMEOUT)
    decisions = DecisionMaking(node, noise, query_timeout=TIMEOUT, on_made=made.append, on_given_up=given_up.append)

    end = time.monotonic() + TIMEOUT
    while not decisions.is_ready:
        assert time.monotonic() < end
        rclpy.spin_once(node, timeout_sec=0.1)
    reference = Reference(np.zeros(SHAPE, np.float32), np.array([True, True, True, False, False, False, False]))
    making = Making(reference, noise_policy=False, method=Method(), trust=Trust(), seed=1, defer_reason="")
    decisions.begin(Open(time.monotonic(), 1, 1, 1, SPEC, None, making))
    while not (made or given_up):
        assert time.monotonic() < end
        rclpy.spin_once(node, timeout_sec=0.1)
    assert given_up == []
    assert asked == [Operation.STEER, Operation.SAMPLE]
    assert "values that are not finite" in made[0].making.defer_reason
    assert made[0].replies[-1].answer.chunk is not None
