"""A noise policy's file for the tests: untrained, made for the embedded policy."""

from __future__ import annotations

from pathlib import Path

import torch

from frs_steering.learn.held_out import hold_out
from frs_steering.learn.noise_network import Config, Network
from frs_steering.learn.noise_policy import TrainedOn, save
from frs_steering.policies import load_policy


def write(path: Path, kind: str = "dsbc", *, weights: str = "", demonstrations: str = "") -> Path:
    """Write it; for other weights than the package's where some are named."""
    policy = load_policy("embedded")
    spec = policy.spec
    network_config = policy.network.config  # type: ignore[attr-defined]
    features = network_config.features + 3 * network_config.things
    rows, noise = (spec.horizon, "full") if kind == "bc" else (1, "tiled")
    config = Config(kind, features + 8, rows, spec.dim, spec.horizon, noise, "mse" if kind == "bc" else "nll")
    known = TrainedOn(("e1",), 10, spec.name, weights or spec.weights_sha256, ("egg",), 0, 100, 1.0, demonstrations)
    network, draw = Network(config).eval(), torch.Generator().manual_seed(7)
    seen, targets = (torch.randn(size, generator=draw) for size in ((4, config.seen), (4, rows, spec.dim)))
    save(network, known, hold_out(network, seen, targets, torch.ones(4, dtype=torch.bool)), path)
    return path
