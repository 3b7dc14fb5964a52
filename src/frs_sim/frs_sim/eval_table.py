"""The scores of an evaluation as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frs_sim.rows import Row
from frs_sim.scores import (
    ALL,
    RARE,
    Comparison,
    Condition,
    InDistribution,
    Score,
    compare,
    conditions,
    counted,
    groups,
    in_distribution,
    instructions,
    score,
)


def report(rows: Sequence[Row]) -> str:
    """Success per condition with what it costs, success per task, and the best condition against each other one."""
    scores, parts = score(rows), ["## Success"]
    if told := instructions(rows):
        parts.append(f"The policy was told: {', '.join(map(repr, told))}.")
    if any(row.trial.near_end for row in rows):
        parts.append("The expert drove until the last thing was held above its place; the method drove from there.")
    if left_out := len(rows) - len(counted(rows)):
        parts.append(f"Episodes left out, because the expert did not bring them near their end: {left_out}.")
    if not scores:
        return "\n\n".join(parts) + "\n"
    parts.append(_overview(scores))
    if len(groups(rows)) > 1:
        parts += ["### By task", _by_task(scores)]
    if comparisons := against_the_best(rows):
        best = comparisons[0].first
        parts += [f"### {_name(best, conditions(rows))} against the others, scene by scene", _compared(comparisons)]
    if measured := in_distribution(rows):
        parts += ["### In distribution", _distribution(measured)]
    return "\n\n".join(parts) + "\n"


def against_the_best(rows: Sequence[Row]) -> list[Comparison]:
    """The condition with the highest success rate over all tasks against each other one, on each task and on all."""
    everything = groups(rows)[-1:]
    overall = {s.condition: s.rate for s in score(rows) if s.task in everything}
    best = max(overall, key=lambda condition: overall[condition])
    ordered = sorted(rows, key=lambda row: Condition.of(row) != best)  # stable: the others stay in order
    return [c for c in compare(ordered) if c.first == best and c.paired.n]


def _overview(scores: Sequence[Score]) -> str:
    everything = {s.condition: s for s in scores}  # the last of each condition is over all tasks
    lines = []
    for s in everything.values():
        lines.append([
            _name(s.condition, everything), _percent(s.rate), _interval((s.low, s.high)), s.n,
            f"{s.evaluations:.1f}", f"{1000 * s.decide_time:.1f}", f"{s.wall_time:.1f}",
            _percent(s.steered),
        ])  # fmt: skip
    head = [
        "method", "success", "95 % interval", "episodes", "evaluations a decision", "ms a decision", "s an episode",
        "steered",
    ]  # fmt: skip
    return _table(head, lines)


def _by_task(scores: Sequence[Score]) -> str:
    among = list(dict.fromkeys(s.condition for s in scores))
    cells = {(s.task, s.condition): f"{_percent(s.rate)} ({_interval((s.low, s.high))})" for s in scores}
    names = [task for task in dict.fromkeys(s.task for s in scores) if task != ALL]
    # The longer list goes down the page.
    if len(among) <= len(names):
        head = ["task", *(_name(condition, among) for condition in among)]
        lines = [[task, *(cells.get((task, condition), "") for condition in among)] for task in names]
    else:
        head = ["method", *names]
        lines = [
            [_name(condition, among), *(cells.get((task, condition), "") for task in names)] for condition in among
        ]
    counts = sorted({s.n for s in scores if s.task != ALL})
    episodes = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"{_table(head, lines)}\n\n{episodes} episodes in each cell, 95 % Wilson intervals."


def _compared(comparisons: Sequence[Comparison]) -> str:
    among = [comparisons[0].first, *(c.second for c in comparisons)]
    lines = []
    for second in dict.fromkeys(c.second for c in comparisons):
        mine = [c for c in comparisons if c.second == second]
        overall, each = mine[-1].paired, [c for c in mine if c.task != ALL]
        least = min(each, key=lambda c: c.paired.difference)
        low, high = overall.interval
        lines.append([
            _name(second, among), f"{100 * overall.difference:+.0f} points", f"{100 * low:+.0f} .. {100 * high:+.0f}",
            f"{overall.p:.2g}", f"{100 * least.paired.difference:+.0f} points ({least.task})", overall.n,
        ])  # fmt: skip
    head = ["than", "better by", "95 % interval", "McNemar's p", "least on a task", "scenes"]
    return _table(head, lines)


def _distribution(measured: Sequence[InDistribution]) -> str:
    among = list(dict.fromkeys(d.condition for d in measured))
    lines = []
    for condition in among:
        last = [d for d in measured if d.condition == condition][-1]  # over all tasks
        shares = [f"{_percent(share)} ({_interval((low, high))})" for share, low, high in _shares(last)]
        lines.append([_name(condition, among), *shares, last.n])
    head = ["method", "chunks", "references", "the policy's own", "steered decisions"]
    return (
        f"{_table(head, lines)}\n\nShare below the policy's {100 * RARE:.0f}th percentile of the denoising error under "
        "the same observation; 95 % intervals, episodes as clusters. The policy's own chunks are a control."
    )


def _shares(measured: InDistribution) -> list[tuple[float, float, float]]:
    return [measured.refined, measured.reference, measured.base]


def _name(condition: Condition, among: Iterable[Condition]) -> str:
    return condition.label(among)


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def _interval(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.0f} .. {100 * interval[1]:.0f}"


def _table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Aligned in the source too: it is printed on the screen."""
    cells = [list(head), *([str(cell) for cell in line] for line in lines)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    rows = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells
    ]
    return "\n".join([rows[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rows[1:]])
