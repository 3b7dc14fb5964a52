"""Methods that were learnt: `dsbc` says the noise, of rollouts, `offline-dsbc` of demonstrations; `bc` the chunk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from frs_steering.learn.noise_policy import NoisePolicy, load
from frs_steering.policies import Observation, Policy, PolicySpec
from frs_steering.steer.answer import answer
from frs_steering.steer.decision import Decided, decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, Operation, Query

LEARNED = ("dsbc", "offline-dsbc", "bc")
"""Names of the methods, beside those of `steer.method`; each takes its noise policy from a file, which says its own."""


def decide_learned(policy: Policy, observation: Observation, noise_policy: NoisePolicy, seed: int) -> Decided:
    """Make one decision as a noise policy says; nobody's guidance is asked for.

    Args:
        policy: the frozen policy that the noise policy was trained with.
        observation: what both see.
        noise_policy: of kind "dsbc": the policy denoises what it says; "bc": what it says is driven.
        seed: of the noise policy's draw.
    """
    features = answer(policy, observation, Query(Operation.ENCODE)).features
    said = noise_policy.propose(features, observation.joint_position, observation.gripper, seed)
    if noise_policy.kind == "bc":
        return Decided(Method("direct"), None, "", Answer(features, chunk=said), 0)
    return decide(policy, observation, None, Trust(), method=noise_policy.denoising, seed=seed, noise=said)


def load_learned(files: Sequence[Path], spec: PolicySpec) -> dict[str, NoisePolicy]:
    """The noise policies of the files, by the method that each is for.

    Raises:
        NoisePolicyError: one can't be loaded, or was trained with another policy.
        ValueError: two are for one method.
    """
    found: dict[str, NoisePolicy] = {}
    for path in files:
        noise_policy = load(path)
        noise_policy.check_fits(spec)
        if noise_policy.method in found:
            raise ValueError(f"{path} is the second file for {noise_policy.method!r}; one for each method is needed")
        found[noise_policy.method] = noise_policy
    return found
