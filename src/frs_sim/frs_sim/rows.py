"""Rows of an evaluation: a journal that survives a kill, and the Parquet file made of it."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, get_type_hints

import duckdb

NOBODY = "none"
"""Reasoner of trials whose method takes no guidance."""

JOURNAL = "journal.jsonl"
PARQUET = "episodes.parquet"

_SQL_TYPES = {str: "VARCHAR", int: "BIGINT", bool: "BOOLEAN", float: "DOUBLE", tuple[float, ...]: "DOUBLE[]"}


class RowsError(ValueError):
    """Rows can't be read or written; the message names the file."""


@dataclass(frozen=True)
class Trial:
    """What decides how one episode goes: two trials that are equal have the same outcome.

    Attributes:
        task: its name.
        method: the method's canonical text, or one of `learned.LEARNED`.
        reasoner: the reasoner's canonical text; "none" where the method takes no guidance.
        every: the reasoner is asked at every n-th chunk; at the others the policy acts alone.
        seed: the block of scenes that `scene` belongs to.
        scene: seed of the scene.
        weights: SHA-256 of the policy's weights.
        code: fingerprint of the code, see `frs_sim.code_hash`.
        in_distribution: whether it is measured how rare the steered chunks are.
        near_end: the expert brings the task near its end, and the method takes over there.
        instruction: what the policy is told; empty for the task's own sentence.
        noise_policy: SHA-256 of the noise policy's file; empty where the method takes none.
    """

    task: str
    method: str
    reasoner: str
    every: int
    seed: int
    scene: int
    weights: str
    code: str
    in_distribution: bool
    near_end: bool = False
    instruction: str = ""
    noise_policy: str = ""


@dataclass(frozen=True)
class Episode:
    """How one episode went.

    Attributes:
        success: by the task's own test.
        steps: control steps taken; with `near_end` those of the method alone.
        decisions: chunks made; none where the expert did not bring the task near its end, see `counts`.
        steered: of these, by a reference; at the others the policy acted alone.
        evaluations: of the velocity field, in all decisions.
        wall_time: s, of the whole episode.
        decide_time: s, in all decisions: encoding the observation and running the flow, without rendering.
        refined_rarity: of the chunk of each steered decision, where the trial measures it: 0..1, share of the
            policy's own chunks under the same observation that fit it better (`frs_steering.steer.likeness`).
        reference_rarity: of the references of the same decisions.
        base_rarity: of a chunk that the policy alone would have made at each.
    """

    success: bool
    steps: int
    decisions: int
    steered: int
    evaluations: int
    wall_time: float
    decide_time: float
    refined_rarity: tuple[float, ...] = ()
    reference_rarity: tuple[float, ...] = ()
    base_rarity: tuple[float, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it says anything of the method: it had its turn."""
        return self.decisions > 0


@dataclass(frozen=True)
class Row:
    """One episode: what was run, and how it went."""

    trial: Trial
    episode: Episode

    def flat(self) -> dict[str, Any]:
        """Column -> value."""
        return dataclasses.asdict(self.trial) | dataclasses.asdict(self.episode)

    @staticmethod
    def of(columns: dict[str, Any]) -> Row:
        """The row with these columns; KeyError or TypeError where one is missing or wrong."""
        trial, episode = (
            {name: _as(hint, columns[name]) for name, hint in hints.items()} for hints in (_TRIAL, _EPISODE)
        )
        return Row(Trial(**trial), Episode(**episode))


_TRIAL, _EPISODE = get_type_hints(Trial), get_type_hints(Episode)
COLUMNS = {name: _SQL_TYPES[hint] for name, hint in (_TRIAL | _EPISODE).items()}
"""Column -> SQL type, in order."""


class Journal:
    """All rows that were ever run for a folder. Open in one process at a time; each row is on the disk once added."""

    def __init__(self, folder: Path) -> None:
        """Open the folder's journal, make both where they are missing, and read what is there.

        A last line that a kill has cut short is dropped.

        Raises:
            RowsError: the folder can't be written, another process writes there, or a line is no row.
        """
        self.path = folder / JOURNAL
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise RowsError(f"{folder} can't be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it however the process ends
        except BlockingIOError:
            self._file.close()
            raise RowsError(f"another process writes rows to {folder}; wait for it or choose another folder") from None
        self.rows = self._read()

    def add(self, row: Row) -> None:
        """Append a row; a trial that is there already is replaced."""
        self._file.write(json.dumps(row.flat()).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.rows[row.trial] = row

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read(self) -> dict[Trial, Row]:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)
        rows = {}
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                row = Row.of(json.loads(line))
            except (ValueError, TypeError, KeyError) as error:
                self._file.close()
                raise RowsError(
                    f"line {number} of {self.path} is no row of this version ({error!r}); choose another folder"
                ) from error
            rows[row.trial] = row
        return rows


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write the rows, one an episode; the file is replaced in one go."""
    lines = path.with_suffix(".jsonl.new")
    new = path.with_suffix(".parquet.new")
    lines.write_text("".join(json.dumps(row.flat()) + "\n" for row in rows))
    source = f"read_json(?, format = 'newline_delimited', columns = {COLUMNS})"
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT * FROM {source}) TO '{_quoted(new)}' (FORMAT parquet)", [str(lines)])
    new.replace(path)
    lines.unlink()


def read_parquet(path: Path) -> list[Row]:
    """Read rows that `write_parquet` wrote.

    Raises:
        RowsError: the file is missing, is no Parquet file, or lacks a column.
    """
    try:
        with duckdb.connect() as database:
            values = database.execute(f"SELECT {', '.join(COLUMNS)} FROM read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise RowsError(f"{path} can't be read: {str(error).splitlines()[0]}") from error
    return [Row.of(dict(zip(COLUMNS, row, strict=True))) for row in values]


def _as(hint: Any, value: Any) -> Any:
    return tuple(value) if hint == tuple[float, ...] else hint(value)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
