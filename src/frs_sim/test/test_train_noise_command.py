"""`frs train dsbc` and `frs train bc`: from recordings on disk to one file."""

import argparse
import json
from pathlib import Path

import dataset_sample
import pytest
from journal_samples import write_episode
from rollout_recordings import record
from rollout_samples import WEIGHTS

from frs_sim.train_command import add_arguments, run
from frs_steering.learn.noise_policy import load
from frs_steering.policies import load_policy


def main(words: list[str]) -> int:
    """What `frs train` does with these words."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two successes, a failure, an empty file and one that is none of ours."""
    folder = tmp_path / "runs"
    record(folder, "e1")
    record(folder, "e2", seed=1)
    record(folder, "e3", "failed", seed=2)
    (folder / "empty.mcap").touch()
    (folder / "foreign.mcap").write_bytes(b"something else entirely")
    return folder


@pytest.mark.parametrize("kind", ["dsbc", "bc"])
def test_one_file_says_what_it_was_made_of(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    out = tmp_path / "new" / "egg.safetensors"
    assert main([kind, str(runs), "--steps", "50", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "2 successful episodes of egg_in_basket; left out: 1 failed" in said.out
    assert "24 of 24 chunks are learnt from; steered by: scripted 24" in said.out
    assert "empty.mcap is empty" in said.err and "foreign.mcap is not an MCAP file" in said.err
    known = load(out).trained_on
    assert (known.episodes, known.tasks, known.chunks) == (("e1", "e2"), ("egg_in_basket",), 24)
    assert known.weights_sha256 == WEIGHTS
    assert out.stat().st_mode == out.with_suffix(".json").stat().st_mode, "whoever may read the one may read the other"
    assert load(out).kind == kind
    report = json.loads(out.with_suffix(".json").read_text())
    assert report["quality"]["other_episodes"] == {"failed": 1}
    assert report["peak_memory_bytes"] > 0 and report["seconds"] > 0
    assert {path.suffix for path in out.parent.iterdir()} == {".safetensors", ".json", ".png"}


def test_names_with_dots_stay_whole(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("egg-0.5", "egg-0.7"):
        assert main(["dsbc", str(runs), "--steps", "50", "--out", str(tmp_path / "made" / name)]) == 0
        assert f"{name}.png and {name}.json beside it" in capsys.readouterr().out
    assert len(list((tmp_path / "made").iterdir())) == 6


def test_the_first_rollouts_alone_are_learnt_from(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "egg.safetensors"
    assert main(["dsbc", str(runs), "--rollouts", "1", "--steps", "50", "--out", str(out)]) == 0
    assert load(out).trained_on.episodes == ("e1",)
    capsys.readouterr()
    assert main(["dsbc", str(runs), "--rollouts", "3", "--out", str(out)]) == 2
    assert "--rollouts is 3; it must lie in [1, 2], as many as succeeded" in capsys.readouterr().err


def test_the_file_is_named_by_its_task(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dsbc", str(runs / "e1"), "--noise", "dct3", "--loss", "mse", "--steps", "50"]) == 0
    config = load(tmp_path / "runs/learn/egg_in_basket-dsbc.safetensors").network.config
    assert (config.noise, config.rows, config.loss) == ("dct3", 3, "mse")


def test_an_episode_without_a_task_gives_its_sentence_to_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, told, expected in (("told", "Put it down!", "put_it_down"), ("untold", "", "noise")):
        record(tmp_path / folder, "e1", task="", instruction=told)
        assert main(["dsbc", folder, "--steps", "50"]) == 0
        assert load(tmp_path / f"runs/learn/{expected}-dsbc.safetensors").kind == "dsbc"


@pytest.mark.parametrize(("every", "chunks"), [([], 50), (["--every", "4"], 14)])
def test_demonstrations_are_reversed_and_learnt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], every: list[str], chunks: int
) -> None:
    for name in ("d1", "d2"):
        write_episode(tmp_path / "runs", name, ticks=40)
    (tmp_path / "runs" / "empty.mcap").touch()
    out = tmp_path / "ring.safetensors"
    words = ["dsbc", str(tmp_path / "runs"), "--from-demonstrations", "--steps", "50", "--out", str(out), *every]
    assert main([*words, "--integrator", "euler"]) == 0
    said = capsys.readouterr()
    assert f"{chunks} of {chunks} chunks are learnt from; steered by: demonstration {chunks}" in said.out
    assert "empty.mcap is empty" in said.err
    made = load(out)
    assert made.trained_on.episodes == ("d1", "d2") and made.method == "offline-dsbc"
    assert made.trained_on.weights_sha256 == load_policy("embedded").spec.weights_sha256
    assert made.trained_on.demonstrations == f"euler:steps=10, every={every[-1] if every else 1}"


def test_the_baseline_learns_demonstrations_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_episode(tmp_path / "runs", "d1", ticks=40)
    assert main(["bc", "runs", "--from-demonstrations", "--steps", "50"]) == 0
    made = load(tmp_path / "runs/learn/egg_in_basket-offline-bc.safetensors")
    assert (made.method, made.trained_on.chunks) == ("bc", 25)
    assert made.trained_on.demonstrations == "as driven, every=1"


def test_a_dataset_is_learnt_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "egg.safetensors"
    root = dataset_sample.write(tmp_path / "eggs", episodes=8)
    assert main(["dsbc", str(root), "--steps", "50", "--out", str(out)]) == 0
    assert "12 of 12 chunks are learnt from; steered by: human 12" in capsys.readouterr().out
    assert load(out).trained_on.episodes == ("eggs/0", "eggs/2", "eggs/4", "eggs/6")
    words = ["dsbc", str(root), "--from-demonstrations", "--integrator", "euler", "--steps", "50", "--out", str(out)]
    assert main(words) == 0
    assert load(out).method == "offline-dsbc" and load(out).trained_on.chunks == 4 * (dataset_sample.FRAMES - 15)


def test_a_dataset_without_a_column_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = dataset_sample.write(tmp_path / "eggs", without=["frs.features"])
    assert main(["dsbc", str(root)]) == 1
    assert "eggs lacks the column frs.features; learning from rollouts needs it" in capsys.readouterr().err


def test_limits_on_what_a_dataset_lacks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = dataset_sample.write(tmp_path / "eggs")
    assert main(["dsbc", str(root), "--max-round-trip", "0.5"]) == 1
    errors = capsys.readouterr().err
    assert "error: round_trip_rms has the limit 0.5 but is not known" in errors and "column frs.diagnostics" in errors


def test_limits_leave_chunks_out(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["dsbc", str(runs), "--out", str(tmp_path / "o.safetensors"), "--steps", "50"]
    assert main([*words, "--max-noise-percentile", "0.4"]) == 1
    assert "24 noise_percentile above 0.4" in capsys.readouterr().err


def test_a_damaged_recording_costs_itself_and_a_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = runs / "e1" / "e1.mcap"
    whole = bytearray(bag.read_bytes())
    whole[len(whole) // 2] ^= 255
    bag.write_bytes(whole)
    assert main(["dsbc", str(runs), "--steps", "50", "--out", str(runs / "out.safetensors")]) == 0
    said = capsys.readouterr()
    assert "1 successful episodes of" in said.out and "is damaged: " in said.err


def test_rollouts_of_two_tasks_are_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(runs, "e4", task="tidy_sponge", seed=4)
    out = runs / "both.safetensors"
    assert main(["dsbc", str(runs), "--steps", "50", "--out", str(out)]) == 0
    assert "of 2 tasks: a noise policy knows no instruction" in capsys.readouterr().out
    assert load(out).trained_on.tasks == ("egg_in_basket", "tidy_sponge")


@pytest.mark.parametrize(
    ("words", "status", "complaint"),
    [
        (["nowhere"], 2, "nowhere does not exist"),
        (["runs/e3"], 1, r"none of 1 episodes succeeded (1 failed)"),
        (["runs", "--noise", "magic"], 2, "noise is 'magic'"),
        (["runs", "--noise", "dct99"], 2, "a chunk of 16 rows has no more than dct16"),
        (["runs", "--bound", "0"], 2, "--bound is 0.0; it must be above 0"),
        (["runs", "--every", "2"], 2, "--every is for demonstrations alone: give --from-demonstrations"),
        (["runs", "--weights", "/nope"], 2, "--weights is for demonstrations alone"),
        (["runs", "--from-demonstrations", "--every", "0"], 2, "--every is 0; it must be at least 1"),
        (["runs", "--min-agreement", "nan"], 2, "--min-agreement is nan; it must lie in [-1, 1]"),
        (["runs", "--max-noise-percentile", "7"], 2, "--max-noise-percentile is 7.0; it must lie in [0, 1]"),
        (["runs", "--steps", "1"], 2, "--steps is 1; it must be at least 50"),
        (["runs", "--out", "runs/empty.mcap/x.safetensors", "--steps", "50"], 1, "can't be written"),
    ],
)
def test_what_makes_no_sense_is_said(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], status: int, complaint: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["dsbc", *words]) == status
    errors = capsys.readouterr().err
    assert complaint in errors and "Traceback" not in errors
