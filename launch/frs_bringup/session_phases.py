"""What a session asks of the running graph: episodes, one after another, and a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from frs_msgs.action import RunEpisode, TrainNoisePolicy
from rclpy.action import ActionClient

from frs_bringup.episode_client import EpisodeClient, EpisodeError, Progress
from frs_bringup.measures import decisions_by_source, ticks
from frs_bringup.session_record import COUNTED, EpisodeRow, Phase, Training
from frs_bringup.summary import SOURCES
from frs_steering.record.bag import PARTIAL
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import records, summarise

TRIES = 3
"""So often a scene is tried whose episode ends without saying anything: stopped, or a node was missing."""

Say = Callable[[str], None]


def run_episodes(
    client: EpisodeClient,
    phase: Phase,
    scenes: Iterable[int],
    *,
    task: str,
    directory: Path,
    enough: Callable[[], bool],
    say: Say,
    warn: Say,
    kept: Callable[[], None],
) -> None:
    """Run recorded episodes until there are enough, or no scene is left.

    Args:
        client: of the graph, which is ready.
        phase: takes the episodes.
        scenes: seeds.
        task: name.
        directory: of the recordings.
        enough: asked after every scene.
        say: is told how far it is.
        warn: is told what is amiss meanwhile; empty where nothing is.
        kept: called when an episode was added to the phase.

    Raises:
        EpisodeError: the graph runs no episodes, or one scene ended TRIES times without an outcome.
    """
    number = 0

    def follow(now: Progress) -> None:
        warn(now.amiss)
        say(
            f"episode {number}: step {now.step} of at most {now.step_limit}, {now.message};"
            f" {phase.successes} of {len(phase.outcomes)} succeeded"
        )

    for number, seed in enumerate(scenes, start=1):  # noqa: B007 - `follow` reads it
        for _ in range(TRIES):
            result = client.run(RunEpisode.Goal(task=task, seed=seed, record_directory=str(directory)), follow)
            phase.episodes.append(_row(seed, result))
            kept()
            if phase.episodes[-1].label in COUNTED:
                break
        else:
            raise EpisodeError(f"scene {seed} ended {TRIES} times without an outcome; the last time: {result.message}")
        if enough():
            return


def train(client: EpisodeClient, recordings: Path, file: Path, seed: int, say: Say) -> Training:
    """Train a noise policy on all successes of a directory and put it live.

    Raises:
        EpisodeError: nobody trains, or it failed; the message says why.
    """
    trainer: ActionClient = ActionClient(client.node, TrainNoisePolicy, "noise_policy/train")

    def on_feedback(message: Any) -> None:
        client.heard_of()
        say(message.feedback.message)

    if not trainer.wait_for_server(10.0):
        raise EpisodeError("noise_policy/train is not there; is noise_trainer running?")
    goal = TrainNoisePolicy.Goal(kind="dsbc", recordings=[str(recordings)], file=str(file), go_live=True, seed=seed)
    handle = client.finish(trainer.send_goal_async(goal, on_feedback), "noise_trainer")
    if not handle.accepted:
        raise EpisodeError("the node noise_trainer rejected the goal: another training is running")
    result = client.finish(handle.get_result_async(), "noise_trainer").result
    if not result.success:
        raise EpisodeError(f"no noise policy went live: {result.message}")
    return Training(
        file=result.file,
        version=result.version,
        rollouts=result.rollouts,
        chunks=result.chunks,
        seconds=round(result.training_time, 2),
        peak_memory_bytes=result.peak_memory,
    )


def _row(seed: int, result: RunEpisode.Result) -> EpisodeRow:
    label, decisions, due, note = "discarded", {}, ticks([]), result.message
    bag = _finished(result.bag)
    if bag is not None:
        try:
            label = summarise(bag).result.get("label") or "discarded"
            found = [record.message for record in records(bag, ["decision"])]
            decisions = {source: count for source, count in decisions_by_source(found, SOURCES).items() if count}
            due = ticks([record.message for record in records(bag, ["arm_state"])])
        except (JournalError, OSError) as error:  # costs this episode, not the session
            label, note = "discarded", f"{note}; its recording can't be read: {error}"
    return EpisodeRow(
        seed=seed,
        label=label,
        note=note,
        steps=result.steps,
        step_limit=result.step_limit,
        duration=round(result.duration, 2),
        decisions=decisions,
        driven=int(due["driven"] or 0),
        starved=int(due["starved"] or 0),
        bag=str(bag or ""),
    )


def _finished(bag: str) -> Path | None:
    """Where a recording is now: the conductor, if no answer of the recorder came, knows it by its name of before."""
    path = Path(bag)
    if path.suffix == PARTIAL and not path.exists() and path.with_suffix("").exists():
        return path.with_suffix("")
    return path if bag else None
