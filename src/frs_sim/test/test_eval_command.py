"""`frs eval`: its arguments, what it leaves behind, and that a killed run goes on."""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import noise_policy_file
import pytest
from eval_rows import rows
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.eval_command import SCENES, add_arguments, run, scenes, split_methods
from frs_sim.rows import JOURNAL, PARQUET, write_parquet
from frs_sim.tasks import TRAINING
from frs_steering.learn.episodes import find
from frs_steering.policies import load_policy

QUICK = ("--tasks", TRAINING[0], "--methods", "base:steps=1", "--jobs", "2")
COMMAND = "import sys, test_eval_command; sys.exit(test_eval_command.main(sys.argv[1:]))"


def main(words: list[str]) -> int:
    """What `frs eval` does with these words."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(words))


@pytest.mark.parametrize(
    ("words", "methods"),
    [(["base,frs"], ["base", "frs"]), (["base", "frs:steps=20"], ["base", "frs:steps=20"]),
     (["base,frs:steps=20,delegate=no,rank"], ["base", "frs:steps=20,delegate=no", "rank"]),
     (["frs:steps=2,frs:steps=5,delegate=no", "base"], ["frs:steps=2", "frs:steps=5,delegate=no", "base"])],
)  # fmt: skip
def test_methods_are_parted_by_spaces_and_commas(words: list[str], methods: list[str]) -> None:
    assert split_methods(words) == methods


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, SCENES)), min_size=2, max_size=2, unique_by=lambda x: x[0])
)
def test_scenes_of_two_seeds_are_disjoint_and_not_among_the_demonstrations(blocks: list[tuple[int, int]]) -> None:
    first, second = sorted((scenes(*block) for block in blocks), key=lambda block: block.start)
    assert 2**31 <= first.start < first.stop <= second.start


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--tasks", "dance"], "no task is called 'dance'"), (["--tasks", "heldout,dance"], "no task is called 'dance'"),
     (["--methods", "magic"], "method is 'magic'"), (["--methods", "base,frs:magic=1"], "no setting 'magic'"),
     (["--methods", "noise"], "takes its noise from outside"),
     (["--methods", "frs:noise=dct99"], "method frs:noise=dct99: noise is 'dct99'; a chunk of 16 rows"),
     (["--methods", "base,dsbc"], "method 'dsbc' needs its file: --noise-policy FILE (frs train dsbc makes one)"),
     (["--methods", "offline-dsbc"], "--noise-policy FILE (frs train dsbc --from-demonstrations makes one)"),
     (["--methods", "direct,frs", "--reasoner", "expert"], "for the method direct alone; not 'frs'"),
     (["--noise-policy", "none.safetensors"], "none.safetensors does not exist; make one with: frs train dsbc"),
     (["--reasoner", "oracle,magic"], "no reasoner is called"),
     (["--reasoner", "noisy:2"], "must lie in [0, 1]"), (["--episodes", "0"], "--episodes is 0"),
     (["--episodes", "10001"], "--episodes is 10001"), (["--seed", "0,-1"], "--seed is -1"),
     (["--seed", "x"], "--seed is 'x'"), (["--jobs", "0"], "--jobs is 0"), (["--every", "0"], "--every is 0"),
     (["--weights", "none.safetensors"], "none.safetensors does not exist"), (["--plot", "nowhere"], "can't be read")],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert complaint in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main([*QUICK, "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.endswith("file can't be written: File exists\n")


def test_an_evaluation_leaves_rows_a_summary_a_table_and_plots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*QUICK, "--methods", "base:steps=1", "frs:steps=1", "--reasoner", "oracle,noisy:1", "--every", "50"]
    assert main([*words, "--seed", "0,3", "--episodes", "1", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        JOURNAL, PARQUET, "summary.json", "summary.md", "success.png", "cost.png", "by_wrong.png"
    }  # fmt: skip
    columns = "method, reasoner, every, seed, scene - 2147483648"
    query = f"SELECT {columns} FROM '{tmp_path / PARQUET}' ORDER BY seed, method, reasoner"
    assert duckdb.sql(query).fetchall() == [
        ("base:steps=1", "none", 1, 0, 0), ("frs:steps=1", "noisy:1", 50, 0, 0), ("frs:steps=1", "oracle", 50, 0, 0),
        ("base:steps=1", "none", 1, 3, 30000), ("frs:steps=1", "noisy:1", 50, 3, 30000),
        ("frs:steps=1", "oracle", 50, 3, 30000),
    ]  # fmt: skip
    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["seeds"] == [0, 3]
    assert [(score["method"], score["n"]) for score in found["scores"]] == [
        ("base:steps=1", 2), ("frs:steps=1", 2), ("frs:steps=1", 2)
    ]  # fmt: skip
    table = (tmp_path / "summary.md").read_text()
    assert table in capsys.readouterr().out


def test_a_noise_policy_is_compared_with_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = noise_policy_file.write(tmp_path / "n.safetensors")
    words = [*QUICK, "--episodes", "1", "--out", str(tmp_path / "out"), "--noise-policy", str(file)]
    assert main([*words, "--methods", "base:steps=1"]) == 2
    assert "is for the method 'dsbc', which --methods does not name" in capsys.readouterr().err
    offline = noise_policy_file.write(tmp_path / "d.safetensors", demonstrations="euler:steps=10")
    assert main([*words, str(offline), "--methods", "base:steps=1,dsbc,offline-dsbc"]) == 0
    query = f"SELECT method, reasoner, noise_policy FROM '{tmp_path / 'out' / PARQUET}' ORDER BY method"
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in (file, offline))
    assert duckdb.sql(query).fetchall() == [
        ("base:steps=1", "none", ""), ("dsbc", "none", first), ("offline-dsbc", "none", second)
    ]  # fmt: skip


def test_an_expert_demonstrates_for_training(tmp_path: Path) -> None:
    words = ["--tasks", TRAINING[0], "--methods", "direct", "--reasoner", "expert", "--episodes", "1", "--jobs", "1"]
    assert main([*words, "--out", str(tmp_path / "out"), "--record", str(tmp_path / "shown")]) == 0
    query = f"SELECT method, reasoner, success, steered FROM '{tmp_path / 'out' / PARQUET}'"
    assert duckdb.sql(query).fetchall() == [("direct", "expert", True, 0)]
    (episode,) = find([tmp_path / "shown"])
    spec = load_policy("embedded").spec
    shown = episode.demonstration(spec, every=1)
    decisions = duckdb.sql(f"SELECT decisions FROM '{tmp_path / 'out' / PARQUET}'").fetchall()[0][0]
    assert (shown.task, shown.label, len(shown.chunks)) == (TRAINING[0], "succeeded", decisions)
    assert all(one.chunk.shape == (spec.horizon, spec.dim) for one in shown.chunks)
    assert all(set(one.observation.images) == set(spec.cameras) for one in shown.chunks)


def test_tables_and_plots_are_made_anew_without_running(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_parquet([*rows("bread", "base", "+-"), *rows("bread", "frs", "++")], tmp_path / PARQUET)
    assert main(["--plot", str(tmp_path)]) == 0
    assert "| frs    | 100 %   |" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} >= {"summary.json", "summary.md", "success.png", "cost.png"}


def test_a_killed_evaluation_leaves_no_process_and_goes_on(tmp_path: Path, procs: Callable) -> None:
    journal = tmp_path / "out" / JOURNAL
    words = [*QUICK, "--out", str(tmp_path / "out"), "--episodes", "3"]
    process = procs(sys.executable, "-c", COMMAND, *words, cwd=Path(__file__).parent)
    until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 0, "a first row")
    process.kill()
    process.wait()
    until(lambda: not group_lives(process.pid), "the end of the workers")
    before = journal.read_bytes()
    before = before[: before.rfind(b"\n") + 1]
    assert main(words) == 0
    lines = journal.read_bytes().splitlines()
    assert b"\n".join(lines).startswith(before.rstrip(b"\n"))
    assert len(lines) == len({json.loads(line)["scene"] for line in lines}) == 3


def until(happened: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60.0
    while not happened():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
