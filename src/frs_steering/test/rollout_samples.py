"""Rollouts for the tests of noise policies: decisions as messages, of a made-up policy with four features."""

from __future__ import annotations

import numpy as np
from frs_msgs.msg import Decision, GateReport

H, D, F = 16, 7, 4
WEIGHTS = "ab" * 32


def decision(chunk_id: int, rng: np.random.Generator, *, method: str = "frs", steered: bool = True) -> Decision:
    """A decision whose noise is a function of the features in its commanded dimensions and fresh in the others; where
    nobody steered it is fresh in all of them.
    """
    features = rng.standard_normal(F)
    noise = rng.standard_normal((H, D))
    if steered:
        noise[:, :3] = 1.5 * np.sign(features[:3])
    message = Decision(
        chunk_id=chunk_id, owner_epoch=1, method=method if steered else "base",
        source=Decision.SOURCE_SCRIPTED if steered else Decision.SOURCE_BASE, horizon=H, dim=D,
        policy="made-up", weights_sha256=WEIGHTS, first_tick=first_tick(chunk_id),
    )  # fmt: skip
    message.features = features.astype(np.float32).tolist()
    message.joint_position = rng.uniform(-1.0, 1.0, 7)
    message.gripper = float(rng.random())
    message.noise_used = noise.astype(np.float32).ravel().tolist()
    message.command_mask = ([steered] * 3 + [False] * (D - 3)) * H
    message.refined = (0.1 * noise).astype(np.float32).ravel().tolist()
    message.diagnostics.noise_percentile = 0.5
    message.diagnostics.round_trip_rms = message.diagnostics.agreement = 0.25
    message.diagnostics.fixed_point_residual = float("nan")
    return message


def first_tick(chunk_id: int) -> int:
    """Control step at which row 0 of a chunk is due."""
    return 8 * chunk_id


def drove(chunk_id: int, *, row: int = 1, verdict: int = GateReport.ACCEPTED) -> GateReport:
    """The gate's word on a row of a chunk: by default that it drove."""
    return GateReport(chunk_id=chunk_id, row=row, verdict=verdict, tick=first_tick(chunk_id) + max(0, row))


def messages(count: int, seed: int = 0, *, method: str = "frs") -> list[Decision | GateReport]:
    """An episode of some decisions, all of which drove."""
    rng = np.random.default_rng(seed)
    return [
        message for i in range(1, count + 1) for message in (decision(i, rng, method=method), drove(i))
    ]  # fmt: skip
