"""Whether a noise policy may go live: it says noises, for this policy, and sensible ones where it was recorded."""

from __future__ import annotations

import numpy as np

from frs_steering.learn.noise_data import USUAL
from frs_steering.learn.noise_policy import NoisePolicy, NoisePolicyError
from frs_steering.policies.interface import PolicySpec

LIVE = USUAL
"""By which `steer.making` has a proposal denoised."""

_JOINTS_AND_GRIPPER = 8


def check_live(noise_policy: NoisePolicy, spec: PolicySpec) -> None:
    """Refuse a noise policy that must not decide what is denoised.

    It is asked about the recorded observations in its file, by the very call that a decision makes. That it meets them
    as well as its training did has been checked when it was loaded.

    Args:
        noise_policy: as loaded.
        spec: of the frozen policy that will denoise.

    Raises:
        NoisePolicyError: it says chunks, or noises for another sampler than the one that denoises them live, was
            trained with another policy, or says noise that is of the wrong shape, not finite, or beyond its own bound.
    """
    config = noise_policy.network.config
    if noise_policy.kind != "dsbc":
        raise NoisePolicyError(
            f"noise policy {noise_policy.version} is of kind {noise_policy.kind!r}, which says chunks; to go live it"
            " must be 'dsbc', which says noises"
        )
    if noise_policy.trained_on.sampler != LIVE:
        raise NoisePolicyError(
            f"noise policy {noise_policy.version} says noises that make their chunks by"
            f" {noise_policy.trained_on.sampler}; while the robot runs it is {LIVE}. `frs eval` takes the right one"
        )
    noise_policy.check_fits(spec)
    for place, seen in enumerate(noise_policy.held_out.inputs.numpy()):
        features, (*joints, gripper) = seen[:-_JOINTS_AND_GRIPPER], seen[-_JOINTS_AND_GRIPPER:]
        noise = noise_policy.propose(features, np.array(joints), float(gripper), seed=place)
        if noise.shape != (config.rows, spec.dim):
            raise NoisePolicyError(
                f"noise policy {noise_policy.version} says noise of shape {noise.shape};"
                f" it must be {(config.rows, spec.dim)}"
            )
        if not np.abs(noise).max() <= config.bound:  # and so not NaN
            raise NoisePolicyError(
                f"noise policy {noise_policy.version} says noise of size {np.abs(noise).max():g};"
                f" its own bound is {config.bound:g}"
            )
