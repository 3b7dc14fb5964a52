"""A session's report for people: report.md and its picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no screen needed
from matplotlib import pyplot as plt

from frs_bringup.session_record import Phase, SessionRecord
from frs_sim.intervals import wilson

PICTURE = "success.png"

STARVED = 0.1
"""Share of the control steps without a chunk above which the report warns: the arm mostly stood then."""

ROWS = {
    "before": "the policy alone",
    "rollouts": "steered by the scripted reasoner",
    "after": "the noise policy",
}
"""Phase -> who drove."""


def write_report(record: SessionRecord, directory: Path) -> Path:
    """Write report.md and success.png into the session's directory; returns the first.

    Raises:
        OSError: the disk refused.
    """
    _draw(record, directory / PICTURE)
    path = directory / "report.md"
    path.write_text("\n".join(_lines(record)) + "\n")
    return path


def table(record: SessionRecord) -> list[str]:
    """Success by phase, as lines of a Markdown table."""
    lines = ["| | scenes | succeeded | share | 95 % interval | decided by |", "|---|---|---|---|---|---|"]
    for name, who in ROWS.items():
        found = _phase(record, name).summary()
        low, high = found["interval"]
        decided = ", ".join(f"{source} {count}" for source, count in found["decisions"].items()) or "nobody"
        share = "-" if found["share"] is None else f"{found['share']:.0%}"
        lines.append(
            f"| {name}: {who} | {found['episodes']} | {found['successes']} | {share} | {low:.0%} to {high:.0%} |"
            f" {decided} |"
        )
    return lines


def _phase(record: SessionRecord, name: str) -> Phase:
    phase: Phase = getattr(record, name)
    return phase


def _lines(record: SessionRecord) -> list[str]:
    paired, training = record.paired(), record.training
    low, high = paired.interval
    lines = [
        f"# A session: {record.task}",
        "",
        f"The policy is {record.policy['name']!r} of weights `{record.policy['weights_sha256'][:12]}`. The intervals"
        " are Wilson's. Rollouts go on until enough have succeeded: their share says how well steering does.",
        "",
        *table(record),
        "",
        f"![success by phase]({PICTURE})",
        "",
        f"On the {paired.n} scenes that both drove, after minus before is"
        + (f" {paired.difference:+.0%}, 95 % interval {low:+.0%} to {high:+.0%}" if paired.n else " unknown")
        + f" (McNemar's exact test: p = {paired.p:.2g}).",
    ]
    lines += _warnings(record)
    if training is not None:
        picture = Path(training.file).with_suffix(".png").name
        lines += [
            "",
            "## The training",
            "",
            f"`{training.version}`: {training.rollouts} successful rollouts, {training.chunks} chunks, in"
            f" {training.seconds:.1f} s of a process that had {training.peak_memory_bytes / 1e6:.0f} MB at most, while"
            " the graph ran.",
            "",
            f"![loss]({picture})",
        ]
    odd = [
        (name, row)
        for name in ROWS
        for row in _phase(record, name).episodes
        if row.label not in ("succeeded", "failed")
    ]
    if odd:
        lines += [
            "",
            "## Not counted",
            "",
            *(f"- {name}, scene {row.seed}: {row.label}, {row.note}" for name, row in odd),
        ]
    return lines


def _warnings(record: SessionRecord) -> list[str]:
    few = [line for warning in record.warnings() for line in ("", f"**Warning**: {warning}.")]
    shares = {name: _phase(record, name).starved or 0.0 for name in ROWS}
    slow = ", ".join(f"{share:.0%} {name}" for name, share in shares.items() if share > STARVED)
    if not slow:
        return few
    busy = (
        f"**The machine was too busy**: of the control steps that were due a chunk, so many had none: {slow}."
        " What is said about success is then about the machine, too."
    )
    return [*few, "", busy]


def _draw(record: SessionRecord, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 2.4), layout="constrained")
    for place, name in enumerate(reversed(ROWS)):
        phase = _phase(record, name)
        n = len(phase.outcomes)
        low, high = wilson(phase.successes, n)
        axes.plot([low, high], [place, place], color="#8c8c8c", linewidth=6, alpha=0.4, solid_capstyle="butt")
        if n:
            axes.plot(phase.successes / n, place, "o", color="#0072B2")
        axes.annotate(f"{phase.successes} of {n}", (1.02, place), va="center", annotation_clip=False)
    axes.set(xlim=(0, 1), ylim=(-0.5, len(ROWS) - 0.5), xlabel="share of the scenes that succeeded, 95 % interval")
    axes.set_yticks(range(len(ROWS)), [f"{name}:\n{ROWS[name]}" for name in reversed(ROWS)])
    axes.grid(alpha=0.25, axis="x")
    figure.savefig(path, dpi=120)
    plt.close(figure)
