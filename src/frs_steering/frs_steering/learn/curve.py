"""The loss curve of a training as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen needed
from matplotlib import pyplot as plt


def plot_losses(log: Path, out: Path) -> Path:
    """Plot every loss in a losses.jsonl over the iterations, on a logarithmic scale. Returns `out`."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    for name in [key for key in rows[0] if key not in ("iteration", "seconds")] if rows else []:
        axes.plot([row["iteration"] for row in rows], [row[name] for row in rows], label=name)
    axes.set(xlabel="iteration", ylabel="loss (mean of 100 iterations)", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return out
