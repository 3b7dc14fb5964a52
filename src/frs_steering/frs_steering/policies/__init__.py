"""Velocity fields: what a policy is, and the policies there are."""

from __future__ import annotations

from pathlib import Path

from frs_steering.policies.interface import Observation, Policy, PolicyError, PolicySpec, Prefix

__all__ = ["POLICIES", "Observation", "Policy", "PolicyError", "PolicySpec", "Prefix", "load_policy"]


def _load_embedded(weights: Path | None) -> Policy:
    from frs_steering.policies import embedded  # here, so that only a process that loads a policy loads torch

    return embedded.load(weights)


POLICIES = {"embedded": _load_embedded}
"""Loaders by name: each takes the path of a weights file, or None for its own."""


def load_policy(name: str, weights: Path | None = None) -> Policy:
    """Load a policy by name.

    Raises:
        PolicyError: no policy of that name, or its weights can't be loaded.
    """
    if name not in POLICIES:
        raise PolicyError(f"no policy is called {name!r}; there are: {', '.join(POLICIES)}")
    return POLICIES[name](weights)
