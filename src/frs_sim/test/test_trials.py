"""Episodes in other processes: what is run, what is not run again, and what goes wrong."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from frs_sim.rows import NOBODY, Journal, Row, Trial
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_sim.trials import TrialError, run_trials

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


def test_an_episode_that_fails_is_named_and_the_others_stay(journal: Journal) -> None:
    bad = dataclasses.replace(BASE, task="dance")
    with pytest.raises(TrialError, match=r"the episode dance, base:steps=1, scene 2147483648 failed: TaskError: no"):
        run_trials([BASE, bad, FRS], 1, None, journal)
    assert set(journal.rows) == {BASE, FRS}
