"""An episode that the embedded policy really decided, on made-up pictures, as the recorder keeps it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from frs_msgs.msg import ActionChunk, ActionSpace, Decision, PolicyInput
from journal_samples import CHANNELS, INDEX, START, TICK, put_tick
from rclpy.serialization import serialize_message

from frs_steering.nodes.conversions import floats, time_msg
from frs_steering.nodes.policy_input import policy_input_to_msg
from frs_steering.policies import Observation, load_policy
from frs_steering.policies.interface import Policy
from frs_steering.policies.observation import Moment
from frs_steering.record.writer import Episode, JournalWriter, Limits
from frs_steering.steer.answer import answer
from frs_steering.steer.method import parse_method
from frs_steering.steer.query import Operation, query_for
from frs_steering.steer.reference import Reference

METHODS = (
    "base",
    "frs",
    "frs:steps=5,integrator=midpoint",
    "frs:integrator=fixed_point,iterations=3",
    "rank",
    "direct",
)


def decided(policy: Policy, number: int, method: str) -> tuple[PolicyInput, Decision]:
    """What the policy saw and what came of it, by one method."""
    spec, rng = policy.spec, np.random.default_rng(number)
    images = {name: rng.integers(0, 256, (96, 96, 3), np.uint8) for name in spec.cameras}
    seen = Observation(images, rng.uniform(-1.0, 1.0, 7), float(rng.random()), (0.0, 0.0), "put the egg in the basket")
    how = parse_method(method)
    chunk = 0.1 * rng.standard_normal((spec.horizon, spec.dim)).astype(np.float32)
    reference = Reference(chunk, np.arange(spec.dim) < 3) if how.needs_reference else None
    query = query_for(reference, method=how, seed=number)
    assert query.operation in (Operation.STEER, Operation.SAMPLE)
    made = answer(policy, seen, query)
    decision = Decision(
        chunk_id=number, owner_epoch=1, horizon=spec.horizon, dim=spec.dim, method=method, steps=how.steps,
        seed=number, policy=spec.name, weights_sha256=spec.weights_sha256, source=Decision.SOURCE_SCRIPTED,
        action_space=ActionSpace(value=int(spec.action_space)), gripper=seen.gripper,
        joint_position=seen.joint_position, features=floats(made.features), refined=floats(made.chunk),
        noise_used=floats(made.noise_used),
    )  # fmt: skip
    moment = Moment(seen, START + number * TICK, 0.0)
    decision.header.stamp = time_msg(moment.stamp)
    return policy_input_to_msg(moment, number, spec), decision


def messages(methods: tuple[str, ...] = METHODS) -> list[tuple[PolicyInput, Decision]]:
    """One decision by each of the methods."""
    policy = load_policy("embedded")
    return [decided(policy, number, method) for number, method in enumerate(methods, start=1)]


def write(directory: Path, made: list[tuple[PolicyInput, Decision]], name: str = "policy") -> Path:
    """Record them, with all that a complete episode has; returns the file."""
    writer = JournalWriter(directory, Episode(name, "egg_in_basket"), CHANNELS, Limits())
    put_tick(writer, 0, leave_out="decision")
    for seen, decision in made:
        chunk = ActionChunk(chunk_id=decision.chunk_id, owner_epoch=1, rows=decision.refined)
        for topic, message in (("policy_input", seen), ("decision", decision), ("action_chunk", chunk)):
            writer.put(INDEX[topic], serialize_message(message), START, START)
    return writer.close("succeeded").path
