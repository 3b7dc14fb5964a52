"""Episodes in other processes: what is run, what is not run again, and what goes wrong."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from frs_sim.recording import Recording
from frs_sim.rows import NOBODY, Journal, Row, Trial
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_sim.trials import TrialError, run_trials
from frs_steering.learn.rollouts import rollout
from frs_steering.policies import load_policy
from frs_steering.record.errors import JournalError
from frs_steering.record.find import find_episodes
from frs_steering.record.reader import records, summarise

BASE = Trial(TRAINING[0], "base:steps=1", NOBODY, 1, 0, FIRST_HELD_OUT_SEED, "weights", "code", False)
FRS = dataclasses.replace(BASE, method="frs:steps=1", reasoner="noisy:0.5")


def outcome(row: Row) -> dict[str, object]:
    """All but the times, which no two runs share."""
    return {name: value for name, value in row.flat().items() if not name.endswith("_time")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rows of two trials, run in two processes."""
    folder = tmp_path_factory.mktemp("finished")
    with Journal(folder) as journal:
        assert [row.trial for row in run_trials([FRS, BASE], 2, None, journal)] == [FRS, BASE]
    return folder


@pytest.fixture
def journal(finished: Path, tmp_path: Path) -> Iterator[Journal]:
    """A journal of one's own with those rows."""
    with Journal(shutil.copytree(finished, tmp_path / "rows")) as journal:
        yield journal


def test_the_same_trial_goes_the_same_way(journal: Journal, tmp_path: Path) -> None:
    with Journal(tmp_path / "other") as other:
        again = run_trials([BASE, FRS], 1, None, other)  # one process runs both, after each other
    assert list(map(outcome, again)) == [outcome(journal.rows[trial]) for trial in (BASE, FRS)]


def test_rows_that_are_there_are_not_run_again(journal: Journal) -> None:
    known, content = journal.rows[BASE], journal.path.read_bytes()
    assert run_trials([BASE], 1, None, journal) == [known]
    changed = dataclasses.replace(BASE, method="base:steps=2")
    both = run_trials([BASE, changed], 1, None, journal)
    assert both[0] == known
    assert both[1].episode.evaluations == 2 * both[1].episode.decisions
    assert journal.path.read_bytes() == content + journal.path.read_bytes().splitlines(keepends=True)[-1]


def test_a_recorded_episode_can_be_learnt_from_and_made_again(tmp_path: Path) -> None:
    trial = dataclasses.replace(FRS, method="frs", reasoner="oracle", instruction="do something")
    with Journal(tmp_path / "rows") as journal:
        (row,) = run_trials([trial], 1, None, journal, record=tmp_path / "runs")
    (path,) = find_episodes([tmp_path / "runs"])
    found = summarise(path)
    assert found.result["label"] == ("succeeded" if row.episode.success else "failed")
    assert (found.episode["task"], found.episode["instruction"]) == (trial.task, "do something")
    messages = [record.message for record in records(path, ["decision", "gate_report"])]
    learnt = rollout("one", trial.task, "succeeded", messages)
    assert len(learnt.steps) == row.episode.decisions
    assert all(step.drove for step in learnt.steps[:-1])
    assert sum(step.source == "scripted" for step in learnt.steps) == row.episode.steered
    (policy_inputs, decisions) = ([r.message for r in records(path, [name])] for name in ("policy_input", "decision"))
    assert [seen.seed for seen in policy_inputs] == [decision.seed for decision in decisions]


def test_what_is_recorded_is_never_overwritten_but_for_what_is_unfinished(tmp_path: Path) -> None:
    spec = load_policy("embedded").spec
    Recording(tmp_path, "egg_on_plate", "do something", 5, "frs:steps=5", spec).close(success=False)
    with pytest.raises(JournalError, match="exists already"):
        Recording(tmp_path, "egg_on_plate", "do something", 5, "frs:steps=5", spec)
    Recording(tmp_path, "egg_on_plate", "do something", 6, "frs:steps=5", spec)  # killed before its end
    Recording(tmp_path, "egg_on_plate", "do something", 6, "frs:steps=5", spec).close(success=True)
    assert [summarise(path).result["label"] for path in find_episodes([tmp_path])] == ["failed", "succeeded"]


def test_an_episode_that_fails_is_named_and_the_others_stay(journal: Journal) -> None:
    bad = dataclasses.replace(BASE, task="dance")
    with pytest.raises(TrialError, match=r"the episode dance, base:steps=1, scene 2147483648 failed: TaskError: no"):
        run_trials([BASE, bad, FRS], 1, None, journal)
    assert set(journal.rows) == {BASE, FRS}
