"""The journal and the Parquet file: no row is lost, none counts twice."""

import json
from pathlib import Path

import duckdb
import pytest
from eval_rows import FIRST, row, rows
from hypothesis import given
from hypothesis import strategies as st

from frs_sim.rows import COLUMNS, JOURNAL, PARQUET, Episode, Journal, Row, RowsError, Trial, read_parquet, write_parquet

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
WHOLE = st.integers(0, 2**62)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCORES = st.lists(FINITE, max_size=3).map(tuple)
ROWS = st.builds(
    Row,
    st.builds(Trial, WORDS, WORDS, WORDS, WHOLE, WHOLE, WHOLE, WORDS, WORDS, st.booleans()),
    st.builds(Episode, st.booleans(), WHOLE, WHOLE, WHOLE, WHOLE, FINITE, FINITE, SCORES, SCORES, SCORES),
)


@given(st.lists(ROWS, max_size=5))
def test_parquet_gives_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, given_rows: list[Row]) -> None:
    path = tmp_path_factory.mktemp("rows") / "it's.parquet"
    write_parquet(given_rows, path)
    assert read_parquet(path) == given_rows
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_anybody_reads_the_columns(tmp_path: Path) -> None:
    write_parquet(rows("egg_in_basket", "frs", "+-+"), tmp_path / PARQUET)
    relation = duckdb.sql(f"SELECT * FROM '{tmp_path / PARQUET}'")
    assert relation.columns == list(COLUMNS)
    assert relation.aggregate("sum(success::INT), avg(steps)").fetchall() == [(2, 150.0)]


@given(st.lists(ROWS, min_size=1, max_size=4, unique_by=lambda row: row.trial), st.data())
def test_a_kill_at_any_byte_loses_the_last_row_at_most(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[Row], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    with Journal(folder) as journal:
        for given_row in given_rows:
            journal.add(given_row)
    content = (folder / JOURNAL).read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    (folder / JOURNAL).write_bytes(content[:cut])
    whole = content[:cut].count(b"\n")
    with Journal(folder) as journal:
        assert list(journal.rows.values()) == given_rows[:whole]
        for given_row in given_rows[whole:]:
            journal.add(given_row)
    assert (folder / JOURNAL).read_bytes() == content


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(row(success=False))
        journal.add(row(success=True))
    with Journal(tmp_path) as journal:
        assert list(journal.rows.values()) == [row(success=True)]


@pytest.mark.parametrize(
    "change",
    [{"method": "frs:steps=5"}, {"reasoner": "noisy:0.1"}, {"every": 2}, {"weights": "other"}, {"code": "other"},
     {"scene": FIRST + 1}, {"in_distribution": True}],
)  # fmt: skip
def test_whatever_decides_the_outcome_tells_trials_apart(tmp_path: Path, change: dict[str, object]) -> None:
    known = row()
    with Journal(tmp_path) as journal:
        journal.add(known)
        other = Row.of(known.flat() | change)
        assert other.trial not in journal.rows
        journal.add(other)
    with Journal(tmp_path) as journal:
        assert len(journal.rows) == 2


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    lines = [json.dumps(row().flat()), json.dumps({"task": "egg_in_basket"})]
    (tmp_path / JOURNAL).write_text("\n".join(lines) + "\n")
    with pytest.raises(RowsError, match=r"line 2 of .*journal\.jsonl is no row of this version"):
        Journal(tmp_path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(RowsError, match="another process writes rows"):
        Journal(tmp_path)
    Journal(tmp_path).__exit__(None, None, None)


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RowsError, match="file/deeper can't be written: Not a directory"):
        Journal(tmp_path / "file" / "deeper")


def test_no_parquet_is_named(tmp_path: Path) -> None:
    with pytest.raises(RowsError, match=r"nothing\.parquet can't be read"):
        read_parquet(tmp_path / "nothing.parquet")
    (tmp_path / "text.parquet").write_text("no rows")
    with pytest.raises(RowsError, match=r"text\.parquet can't be read"):
        read_parquet(tmp_path / "text.parquet")
