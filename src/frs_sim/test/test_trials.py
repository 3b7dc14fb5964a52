"""Episodes in other processes: what is run, what is not run again, and what goes wrong."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import noise_policy_file
import numpy as np
import pytest
from frs_msgs.msg import Decision

from frs_sim.recording import Recording, episode_id
from frs_sim.rows import NOBODY, Journal, Row, Trial
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_sim.trials import TrialError, run_trials
from frs_steering.learn.noise_policy import load
from frs_steering.learn.rollouts import rollout
from frs_steering.policies import Observation, load_policy
from frs_steering.record.check import check
from frs_steering.record.errors import JournalError
from frs_steering.record.find import find_episodes
from frs_steering.record.reader import records, summarise
from frs_steering.record.replay import replay
from frs_steering.record.writer import Episode
from frs_steering.steer.decision import decide
from frs_steering.steer.deferral import Trust
from frs_steering.steer.method import Method

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
    again = replay(path, load_policy("embedded"))
    assert again.problems == () and again.again == row.episode.decisions
    assert check(path).problems == (), "it holds all that an episode without the graph can hold"
    assert found.configuration.parameters["/frs_eval"]["reasoner"] == '"oracle"'
    assert "frs_sim" in found.configuration.versions


def test_what_a_noise_policy_decides_bears_its_name(tmp_path: Path) -> None:
    file = noise_policy_file.write(tmp_path / "egg.safetensors")
    digest = load(file).sha256
    trial = dataclasses.replace(BASE, method="dsbc", noise_policy=digest)
    with Journal(tmp_path / "rows") as journal:
        (row,) = run_trials([trial], 1, None, journal, {"dsbc": file}, tmp_path / "runs")
    (path,) = find_episodes([tmp_path / "runs"])
    decisions = [record.message for record in records(path, ["decision"])]
    own = [decision for decision in decisions if not decision.deferred]
    assert own and len(decisions) == row.episode.decisions
    assert {decision.noise_policy for decision in own} == {f"egg@{digest[:12]}"}
    assert {decision.source for decision in own} == {Decision.SOURCE_NOISE_POLICY}
    assert replay(path, load_policy("embedded")).problems == ()


def test_a_deferred_decision_is_the_base_policys(tmp_path: Path) -> None:
    policy = load_policy("embedded")
    images = {name: np.zeros((64, 64, 3), np.uint8) for name in policy.spec.cameras}
    observation = Observation(images, np.zeros(7), 0.5, (0.0, 0.0), "do something")
    made = decide(policy, observation, None, Trust(), method=Method(), seed=1)
    recording = Recording(tmp_path, BASE, "do something", policy.spec, "egg@123")
    recording.decided(1, 1, observation, None, made, 1)
    recording.decided(2, 9, observation, None, dataclasses.replace(made, defer_reason="too rare"), 1)
    decisions = [record.message for record in records(recording.close(success=False), ["decision"])]
    assert [(one.noise_policy, one.source) for one in decisions] == [
        ("egg@123", Decision.SOURCE_NOISE_POLICY), ("", Decision.SOURCE_BASE)
    ]  # fmt: skip


def test_what_is_recorded_is_never_overwritten_but_for_what_is_unfinished(tmp_path: Path) -> None:
    spec, other = load_policy("embedded").spec, dataclasses.replace(BASE, scene=6)
    Recording(tmp_path, BASE, "do something", spec).close(success=False)
    with pytest.raises(JournalError, match="exists already"):
        Recording(tmp_path, BASE, "do something", spec)
    left = tmp_path / episode_id(other) / f"{episode_id(other)}.mcap.partial"
    left.parent.mkdir()
    left.write_bytes(b"killed before its end")
    recording = Recording(tmp_path, other, "do something", spec)
    with pytest.raises(JournalError, match="is being written"):
        Recording(tmp_path, other, "do something", spec)  # by another evaluation of the same
    recording.close(success=True)
    labels = {summarise(path).episode["seed"]: summarise(path).result["label"] for path in find_episodes([tmp_path])}
    assert labels == {str(BASE.scene): "failed", "6": "succeeded"}


def test_trials_that_differ_have_files_of_their_own() -> None:
    others = [
        dataclasses.replace(FRS, **{name: value})
        for name, value in {
            "task": "dance", "method": "rank", "reasoner": "noisy:0.1", "every": 2, "scene": 6, "weights": "others",
            "code": "other", "near_end": True, "instruction": "dance", "noise_policy": "00" * 32,
        }.items()
    ]  # fmt: skip
    names = [episode_id(trial) for trial in (FRS, BASE, *others)]
    assert len(set(names)) == len(names)
    assert all(Episode(name) for name in names)
    named = dataclasses.replace(FRS, every=2, noise_policy="abcdef0123456789", method="frs")
    assert episode_id(named).startswith(f"{TRAINING[0]}-frs-noisy_0.5-every2-abcdef01-{FIRST_HELD_OUT_SEED}-")
    assert Episode(episode_id(dataclasses.replace(FRS, method="frs:" + "steps=5," * 40)))


def test_what_is_not_recorded_is_run_again_and_what_is_recorded_is_not(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, known = tmp_path / "runs", journal.rows[BASE]
    (row,) = run_trials([BASE], 1, None, journal, record=runs)
    assert outcome(row) == outcome(known)
    assert "1 of them are run again: they are not recorded in" in capsys.readouterr().err
    (path,) = find_episodes([runs])
    content = path.read_bytes()
    assert run_trials([BASE], 1, None, journal, record=runs) == [row]
    assert capsys.readouterr().err == ""
    with Journal(tmp_path / "others") as others:  # whose rows were lost, but not the recording
        (again,) = run_trials([BASE], 1, None, others, record=runs)
    assert outcome(again) == outcome(known)
    assert path.read_bytes() == content and find_episodes([runs]) == [path]


def test_an_episode_that_fails_is_named_and_the_others_stay(journal: Journal) -> None:
    bad = dataclasses.replace(BASE, task="dance")
    with pytest.raises(TrialError, match=r"the episode dance, base:steps=1, scene 2147483648 failed: TaskError: no"):
        run_trials([BASE, bad, FRS], 1, None, journal)
    assert set(journal.rows) == {BASE, FRS}
