"""Pictures of an evaluation: success by task, against its cost, and against what was swept; shares in distribution."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")  # no screen needed
from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator, PercentFormatter

from frs_sim.rows import NOBODY, Row
from frs_sim.scores import ALL, RARE, Condition, InDistribution, Score, conditions, groups, in_distribution, score
from frs_sim.sweeps import AMOUNT, EVERY, WRONG, Series, sweeps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#8c8c8c"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D3A9B", "#A6761D", "#333333")
"""Told apart by colour-blind readers too: Okabe and Ito's, without the yellow that white paper swallows, and more."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")
DPI = 150
APART = 1.4  # times the tick before, on a logarithmic axis
LOG_FROM = 8.0  # times the smallest value: above, the axis is logarithmic

AXES = {
    "steps": "K, steps of the sampler",
    "strength": "strength of partial noising",
    "candidates": "candidates of sample-and-rank",
    "sigma": "noise added to the recovered noise",
    "delegate": "delegation of what is not commanded",
    "ahead": "rows commanded beyond those that are driven",
    "noise": "parameterisation of the noise",
    WRONG: "probability that the reasoner's direction is wrong",
    EVERY: "guidance at every n-th chunk",
    AMOUNT: "amount of every direction; 0: as the oracle chooses",
}
"""Setting -> what its axis is called; others by their own name."""

_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def plot(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Draw success.png, cost.png (where there are several methods), by_SETTING.png for each swept setting, and
    in_distribution.png where that was measured.

    Returns the files; those of earlier rows are removed.
    """
    for old in (folder / f"{name}.png" for name in ("success", "cost", "in_distribution")):
        old.unlink(missing_ok=True)
    for old in folder.glob("by_*.png"):
        old.unlink()
    scores = score(rows)
    among = [condition for condition in conditions(rows) if any(s.condition == condition for s in scores)]
    if not among:
        return []
    with plt.rc_context(_STYLE):
        figures = {"success": _success(scores, among, groups(rows))}
        if len(among) > 1:
            figures["cost"] = _cost(scores, among)
        for setting, series in sweeps(among).items():
            figures[f"by_{setting}"] = _sweep(setting, series, scores, among)
        if measured := in_distribution(rows):
            figures["in_distribution"] = _distribution(measured)
        files = []
        for name, figure in figures.items():
            files.append(folder / f"{name}.png")
            figure.savefig(files[-1], dpi=DPI)
            plt.close(figure)
    return files


def _success(scores: Sequence[Score], among: Sequence[Condition], names: Sequence[str]) -> Figure:
    """Bars: a group a task, a bar a condition."""
    colours = _colours(among)
    width = 0.8 / len(among)
    inches = min(16.0, max(6.2, 2.8 + len(names) * max(0.9, 0.3 + 0.16 * len(among))))
    figure, axes = plt.subplots(figsize=(inches, 3.6))
    for i, condition in enumerate(among):
        mine = [s for s in scores if s.condition == condition]
        # The bars of all tasks stand apart.
        places = [names.index(s.task) + 0.4 * (s.task == ALL) + (i - (len(among) - 1) / 2) * width for s in mine]
        axes.bar(
            places, [s.rate for s in mine], 0.92 * width, yerr=_errors(mine), color=colours[condition],
            label=condition.label(among), error_kw={"elinewidth": 0.9, "ecolor": "#222222", "capsize": 1.5},
        )  # fmt: skip
    ticks = [i + 0.4 * (name == ALL) for i, name in enumerate(names)]
    axes.set_xticks(ticks, [name.replace("_", " ") for name in names], rotation=20 if len(names) > 1 else 0)
    if len(names) > 1:
        plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", length=0)
    axes.grid(False, axis="x")
    axes.margins(x=0.02)
    _percents(axes)
    _legend(figure, axes)
    return figure


def _cost(scores: Sequence[Score], among: Sequence[Condition]) -> Figure:
    """Points: evaluations per decision, and wall time, against success over all tasks."""
    colours = _colours(among)
    figure, panels = plt.subplots(1, 2, figsize=(9.0, 3.6), sharey=True)
    overall = {s.condition: s for s in scores}  # the last of each condition is over all tasks
    evaluations, times = ([getattr(s, cost) for s in overall.values()] for cost in ("evaluations", "wall_time"))
    for axes, costs in zip(panels, (evaluations, times), strict=True):
        for i, ((condition, s), cost) in enumerate(zip(overall.items(), costs, strict=True)):
            axes.errorbar(
                [cost], [s.rate], yerr=_errors([s]), fmt=MARKERS[i % len(MARKERS)], color=colours[condition],
                markersize=6, elinewidth=1.0, capsize=2, label=condition.label(among),
            )  # fmt: skip
        _numbers(axes, _apart(sorted(set(costs))), ticks=False)
        _percents(axes)
    panels[0].set_xlabel("evaluations of the velocity field per decision")
    panels[1].set_xlabel("wall time of an episode [s]")
    panels[1].set_ylabel("")
    _legend(figure, panels[0])
    return figure


def _distribution(measured: Sequence[InDistribution]) -> Figure:
    """Bars: a group a condition, over all tasks; what was driven, what it was made from, and the control."""
    overall = {d.condition: d for d in measured}  # the last of each condition is over all tasks
    figure, axes = plt.subplots(figsize=(min(16.0, max(6.2, 2.8 + 0.9 * len(overall))), 3.6))
    bars = {"refined": "chunks", "reference": "references", "base": "the policy's own"}
    for i, ((kind, name), colour) in enumerate(zip(bars.items(), (*COLOURS[:2], GREY), strict=True)):
        found = [getattr(d, kind) for d in overall.values()]
        axes.bar(
            [at + 0.27 * (i - 1) for at in range(len(found))], [share for share, _, _ in found], 0.25,
            yerr=[[share - low for share, low, _ in found], [high - share for share, _, high in found]],
            color=colour, label=name, error_kw={"elinewidth": 0.9, "ecolor": "#222222", "capsize": 1.5},
        )  # fmt: skip
    axes.axhline(RARE, color="#222222", linestyle=":", linewidth=0.9, label="the policy's own, expected")
    axes.set_xticks(range(len(overall)), [condition.label(overall) for condition in overall], rotation=20)
    plt.setp(axes.get_xticklabels(), ha="right", rotation_mode="anchor")
    axes.grid(False, axis="x")
    _percents(axes)
    axes.set_ylabel("in distribution, 95 % interval")
    _legend(figure, axes)
    return figure


def _sweep(setting: str, series: Sequence[Series], scores: Sequence[Score], among: Sequence[Condition]) -> Figure:
    """Lines: a setting against success over all tasks; for a single series the tasks too."""
    known = {(s.condition, s.task): s for s in scores}
    overall = {s.condition: s for s in scores}
    names = list(dict.fromkeys(s.task for s in scores if s.task != ALL))
    values = list(dict.fromkeys(value for one in series for value, _ in one.points))
    numbers = all(_is_number(value) for value in values)
    places = _places(values)
    figure, axes = plt.subplots(figsize=(6.2, 3.6))
    drawn = {condition for one in series for _, condition in one.points}
    for i, condition in enumerate(c for c in among if c.reasoner == NOBODY and c not in drawn):
        base = overall[condition]
        axes.axhspan(base.low, base.high, color=GREY, alpha=0.15, linewidth=0)
        axes.axhline(base.rate, color=GREY, linestyle=("--", ":", "-.")[i % 3], label=condition.label(among))
    if len(series) == 1 and len(names) > 1:
        for i, task in enumerate(names):
            axes.plot(
                [places[value] for value, _ in series[0].points],
                [known[condition, task].rate for _, condition in series[0].points],
                color=COLOURS[1:][i % (len(COLOURS) - 1)], linestyle="-" if numbers else ":", linewidth=0.9, alpha=0.75,
                marker=".", label=task.replace("_", " "),
            )  # fmt: skip
    for i, one in enumerate(series):
        points = [overall[condition] for _, condition in one.points]
        beside = 0.0 if numbers else 0.06 * (i - (len(series) - 1) / 2)
        axes.errorbar(
            [places[value] + beside for value, _ in one.points], [s.rate for s in points], yerr=_errors(points),
            color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], markersize=6,
            linestyle="-" if numbers else "none", linewidth=2.0, elinewidth=1.2, capsize=3,
            label=one.label + (f", {ALL}" if len(series) == 1 and len(names) > 1 else ""), zorder=3,
        )  # fmt: skip
    axes.set_xlabel(AXES.get(setting, setting.replace("_", " ")))
    if numbers:
        _numbers(axes, sorted(places.values()), ticks=True)
    else:
        axes.set_xticks(list(places.values()), [_word(value) for value in places])
        axes.margins(x=0.25)
    _percents(axes)
    _legend(figure, axes)
    return figure


def _colours(among: Sequence[Condition]) -> dict[Condition, str]:
    """Grey for the policy alone, a colour for each other condition."""
    alone = [condition for condition in among if condition.reasoner == NOBODY]
    steered = [condition for condition in among if condition.reasoner != NOBODY]
    shades = {condition: GREY if i == 0 else f"{0.75 - 0.1 * (i % 5)}" for i, condition in enumerate(alone)}
    if len(steered) <= len(COLOURS):
        return shades | dict(zip(steered, COLOURS, strict=False))
    spread = matplotlib.colormaps["viridis"]
    last = len(steered) - 1
    return shades | {c: matplotlib.colors.to_hex(spread(0.95 * i / last)) for i, c in enumerate(steered)}


def _errors(scores: Sequence[Score]) -> list[list[float]]:
    return [[s.rate - s.low for s in scores], [s.high - s.rate for s in scores]]


def _places(values: Sequence[Hashable]) -> dict[Hashable, float]:
    """Where on the axis each value is: numbers where they belong, words side by side."""
    if all(_is_number(value) for value in values):
        return {value: float(str(value)) for value in values}
    return {value: float(i) for i, value in enumerate(values)}


def _is_number(value: Hashable) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Hashable) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _numbers(axes: Axes, values: Sequence[float], *, ticks: bool) -> None:
    if values[0] > 0 and values[-1] / values[0] >= LOG_FROM:
        axes.set_xscale("log")
        ticks = True
    if ticks:
        axes.set_xticks(list(values), [f"{value:.3g}" for value in values])
        axes.xaxis.set_minor_locator(NullLocator())


def _apart(values: Sequence[float]) -> list[float]:
    """Those of the values, in order, whose labels would not lie on one another."""
    kept: list[float] = []
    for value in values:
        if not kept or value > APART * kept[-1]:
            kept.append(value)
    return kept


def _percents(axes: Axes) -> None:
    axes.set_ylim(-0.02, 1.02)  # with room for a marker at 0
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylabel("success, 95 % interval")


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside right upper")
