"""The loss curves of a noise policy's training as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen needed
from matplotlib import pyplot as plt

from frs_steering.learn.train_noise_policy import Trained


def plot_curves(trained: Trained, out: Path) -> Path:
    """Plot the losses of trained and of held-out chunks over the steps, and which weights were kept. Returns `out`."""
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    steps = [look.step for look in trained.looks]
    axes.plot(steps, [look.trained for look in trained.looks], label="trained on")
    axes.plot(steps, [look.held_out for look in trained.looks], label="held out")
    axes.axvline(trained.best.step, color="grey", linestyle=":", label="kept")
    axes.set(xlabel="step", ylabel=f"loss ({trained.network.config.loss})")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return out
