"""What the policy saw reaches the journal: with it a decision made over the wire can be made again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import policy_episode
from cell_stand_in import CellStandIn, Start
from frs_msgs.msg import Decision, PolicyInput
from frs_msgs.srv import FlowQuery
from policy_examples import SPEC

from frs_steering.nodes.decision_messages import Made, decision_to_msg
from frs_steering.nodes.policy_input import policy_input_to_msg
from frs_steering.nodes.qos import EVENT
from frs_steering.nodes.query_messages import Reply, fill_response, reply_from_msg
from frs_steering.policies import load_policy
from frs_steering.policies.interface import Observation
from frs_steering.policies.observation import Moment
from frs_steering.record.replay import replay
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, Operation


def test_images_are_kept_as_they_are_or_at_the_policys_size():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    moment = Moment(Observation({"top": pixels}, np.arange(7.0), 0.25, (0.0, 0.0), "go"), 3_000_000_004, 0.0)
    spec = dataclasses.replace(SPEC, cameras=("top",))
    msg = policy_input_to_msg(moment, 9, spec)
    assert (msg.header.stamp.sec, msg.header.stamp.nanosec, msg.seed, msg.gripper) == (3, 4, 9, 0.25)
    assert (msg.instruction, list(msg.cameras), list(msg.joint_position)) == ("go", ["top"], list(range(7)))
    (image,) = msg.images
    assert (image.height, image.width, image.step, image.encoding) == (20, 30, 90, "rgb8")
    assert bytes(image.data) == pixels.tobytes()
    (small,) = policy_input_to_msg(moment, 9, dataclasses.replace(spec, image_size=10)).images
    assert (small.height, small.width, len(small.data)) == (10, 10, 300)


def test_a_decision_holds_what_a_noise_policy_needs():
    seen = Observation({}, np.arange(7.0), 0.75, (0.0, 0.0), "")
    chunk = np.ones((SPEC.horizon, SPEC.dim), np.float32)
    response = FlowQuery.Response()
    answer = Answer(np.array([1.5, 2.5], np.float32), noise_used=chunk, chunk=chunk)
    fill_response(response, answer, Moment(seen, 5, 0.0), SPEC, wait=0.0)
    reply: Reply = reply_from_msg(response, Operation.SAMPLE, SPEC)
    made = Made(1, 1, 1, None, None, "", 0, Method("base"), (reply,), 0.0)
    decision = decision_to_msg(made, SPEC, 0.0)
    assert list(decision.features) == [1.5, 2.5]
    assert (list(decision.joint_position), decision.gripper) == (list(range(7)), 0.75)


def test_what_a_query_saw_is_told_and_makes_its_answer_again(
    cell: CellStandIn, start_node: Start, weights: Path, tmp_path: Path
):
    told: list[PolicyInput] = []
    cell.create_subscription(PolicyInput, "policy_input", lambda msg: cell._keep(told, msg), EVENT)
    start_node("vla_inference", weights=weights)
    cell.until(lambda: bool(cell.infos), 60, "policy_info")
    for seed in range(1000):  # until its streams have come, and DDS has found the listener
        query = FlowQuery.Request(operation=FlowQuery.Request.SAMPLE, method="base", seed=seed)
        answer = cell.call(cell.query, query)
        if answer.success and told:
            break
    cell.until(lambda: told[-1].seed == seed, 10, "what the policy saw in the last query")
    seen = told[-1]
    policy = load_policy("embedded", weights)
    decision = Decision(
        chunk_id=1, method="base", steps=10, seed=seed, horizon=answer.horizon, dim=answer.dim, refined=answer.chunk,
        noise_used=answer.noise_used, features=answer.features, weights_sha256=policy.spec.weights_sha256,
    )  # fmt: skip
    decision.header.stamp = answer.header.stamp
    assert replay(policy_episode.write(tmp_path, [(seen, decision)]), policy).problems == ()
