"""The summary of an episode, every number of it taken from the recording."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from frs_bringup.measures import Stat, chunks_driven, decisions_by_source, seams, stages_ms, ticks
from frs_steering.record.reader import records, same_topic, summarise

SOURCES = {0: "base", 1: "human", 2: "vlm", 3: "scripted", 4: "noise_policy"}
"""Decision.SOURCE_* in words."""

LABELS = {2: "succeeded", 3: "failed", 4: "stopped", 5: "discarded"}
"""EpisodeEvent kinds that end an episode, in words."""

STARTED = 1
"""EpisodeEvent.STARTED."""

SLOW = 0.95
"""Below this share of real time the simulation was too slow for the numbers to mean much, and the table says so."""

_TOPICS = ("decision", "gate_report", "arm_state", "episode_event", "task_state", "policy_info")
_PACKAGES = ("torch", "mujoco", "mcap", "numpy")


class SummaryError(ValueError):
    """A recording lacks what a summary needs; the message names it."""


def summarise_episode(bag: Path) -> dict[str, Any]:
    """Measure a recorded episode.

    Args:
        bag: the MCAP file, or the directory of the episode.

    Returns:
        What goes into summary.json. Stages are in ms, the duration in s, velocities in rad/s; `sim_speed` is
        simulated time over real time.

    Raises:
        JournalError: the recording can't be read.
        SummaryError: it does not hold the episode's end, or no policy.
    """
    whole = summarise(bag)
    heard = _read(bag)
    started, end_time, end = _borders(bag, heard["episode_event"])
    drive_end, steps, last_task = _drive(heard["task_state"], started, end_time)
    kept = {topic: [message for when, message in entries if when <= drive_end] for topic, entries in heard.items()}
    if not kept["policy_info"]:
        raise SummaryError(f"{bag} holds no policy_info: was vla_inference running?")
    policy = kept["policy_info"][-1]
    duration = (drive_end - started) * 1e-9
    return {
        "success": LABELS[end.kind] == "succeeded",
        "label": LABELS[end.kind],
        "note": end.note,
        "task": end.task,
        "seed": end.seed,
        "instruction": end.instruction,
        "episode_id": end.episode_id,
        "steps": steps if last_task else None,
        "step_limit": last_task.step_limit if last_task else None,
        "duration_s": round(duration, 3),
        "sim_speed": round(steps * policy.row_duration / duration, 3) if steps and duration else None,
        "chunks": chunks_driven(kept["arm_state"]),
        "decisions": decisions_by_source(kept["decision"], SOURCES),
        "deferred": sum(decision.deferred for decision in kept["decision"]),
        "ticks": ticks(kept["arm_state"]),
        "stages_ms": stages_ms(kept["decision"], kept["gate_report"]),
        "seam": seams(kept["arm_state"], kept["gate_report"], policy.row_duration),
        "recording": {
            "messages": whole.messages,
            "bytes": whole.size,
            "dropped_control": _count(whole.result, "dropped_control"),
            "dropped_images": _count(whole.result, "dropped_images"),
            "damage": list(whole.damage),
        },
        "policy": {"name": policy.name, "weights_sha256": policy.weights_sha256},
        "versions": versions(),
        "machine": machine(),
    }


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"python": platform.python_version()}
    for name in ("frs_bringup", *_PACKAGES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def machine() -> dict[str, Any]:
    """The machine that the numbers were measured on."""
    return {"cores": len(os.sched_getaffinity(0)), "architecture": platform.machine(), "system": platform.platform()}


def table(summary: Mapping[str, Any]) -> str:
    """The summary as a short table for people."""
    decisions = ", ".join(f"{count} {source}" for source, count in summary["decisions"].items() if count)
    share, starved, speed = summary["ticks"]["fresh_share"], summary["ticks"]["starved"], summary["sim_speed"]
    slow = f" (the simulation ran at {speed:.2f} of real time)" if speed is not None and speed < SLOW else ""
    rows = [
        ("task", f"{summary['task']} (seed {summary['seed']}): {summary['instruction']}"),
        ("success", _success_in_words(summary)),
        ("steps", f"{summary['steps']} of at most {summary['step_limit']} in {summary['duration_s']:.1f} s{slow}"),
        ("chunks", f"{summary['chunks']}"),
        ("steered by", f"{decisions or 'nobody'}; deferred to the policy: {summary['deferred']}"),
        ("fresh chunk", f"{_percent(share)} of the control steps that were due one, {starved} starved"),
        ("seam", _seam_in_words(summary["seam"])),
    ]
    lines = [f"{name:<14}{text}" for name, text in rows]
    lines += ["", f"{'stage':<14}{'p50 ms':>10}{'p99 ms':>10}{'n':>8}"]
    lines += [_stat_line(name, stat) for name, stat in summary["stages_ms"].items()]
    return "\n".join(lines)


def _success_in_words(summary: Mapping[str, Any]) -> str:
    note = f" ({summary['note']})" if summary["note"] else ""
    return f"{'yes' if summary['success'] else 'no, ' + summary['label']}{note}"


def _seam_in_words(seam: Mapping[str, Stat]) -> str:
    delay = seam["delay_ms"]["p50"]
    return "none" if delay is None else f"a chunk takes over {delay:.0f} ms after its observation"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _stat_line(name: str, stat: Stat) -> str:
    if stat["p50"] is None or stat["p99"] is None:
        return f"{name:<14}{'-':>10}{'-':>10}{0:>8}"
    return f"{name:<14}{stat['p50']:>10.2f}{stat['p99']:>10.2f}{stat['n']:>8}"


def _read(bag: Path) -> dict[str, list[tuple[int, Any]]]:
    """Messages of a recording by topic, each with the time of its receipt in ns."""
    heard: dict[str, list[tuple[int, Any]]] = defaultdict(list, {topic: [] for topic in _TOPICS})
    for record in records(bag, _TOPICS):
        topic = next(topic for topic in _TOPICS if same_topic(record.topic, topic))
        heard[topic].append((record.log_time, record.message))
    return heard


def _borders(bag: Path, events: list[tuple[int, Any]]) -> tuple[int, int, Any]:
    """When the episode started and ended [ns], and the event that ended it."""
    started = next((when for when, event in events if event.kind == STARTED), None)
    if started is None:
        raise SummaryError(f"{bag} holds no beginning of an episode (episode_event started)")
    for when, event in events:
        if event.kind in LABELS and when >= started:
            return started, when, event
    raise SummaryError(f"{bag} holds no end of an episode (episode_event succeeded, failed, stopped or discarded)")


def _drive(tasks: list[tuple[int, Any]], started: int, ended: int) -> tuple[int, int, Any]:
    """When the drive ended [ns], after how many control steps, and the task's state then (None if there was none).

    It ends when the task is done or the step limit is reached, else with the episode: by a hand, or because a node
    failed. What follows is the arm coming to rest before the episode is labelled.
    """
    during = [(when, task) for when, task in tasks if started <= when <= ended]
    during = [(when, task) for when, task in during if task.episode == during[0][1].episode]  # sim was not restarted
    if not during:
        return ended, 0, None
    first = during[0][1].step
    over = ((when, task) for when, task in during if task.success or task.step - first >= task.step_limit)
    end, last = next(over, (ended, during[-1][1]))
    return end, last.step - first, last


def _count(result: Mapping[str, str], name: str) -> int | None:
    return int(result[name]) if name in result else None
