"""The files of a LeRobotDataset: tables and statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from frs_steering.record.errors import JournalError
from frs_steering.record.frames import Feature

STATISTICS = ("min", "max", "mean", "std", "count")
_SQL = {"float32": "FLOAT", "int64": "BIGINT", "bool": "BOOLEAN", "string": "VARCHAR"}


def sql_type(feature: Feature) -> str:
    """A feature's type in a table; one of a single number is a plain value, as LeRobot's of shape (1,)."""
    return _SQL[feature.dtype] + (f"[{feature.size}]" if feature.size > 1 else "")


def types_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Types of a table's columns, from a row of plain values and nested lists."""
    types = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
    found = {}
    for key, value in row.items():
        depth = 0
        while isinstance(value, list):
            value, depth = value[0], depth + 1
        found[key] = types[type(value)] + "[]" * depth
    return found


def write_table(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str], path: Path, footer: str = "") -> None:
    """Write rows as Parquet, the columns of the types given; `footer` is added to DuckDB's COPY options.

    Raises:
        JournalError: the disk refused.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(f'"{key}" {kind}' for key, kind in types.items())
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE rows ({columns})")
        values = [[_plain(row[key], kind) for key, kind in types.items()] for row in rows]
        database.executemany(f"INSERT INTO rows VALUES ({', '.join('?' * len(types))})", values)
        try:
            database.execute(f"COPY rows TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet{footer})")
        except duckdb.Error as error:
            raise JournalError(f"{path} can't be written: {error}") from error


def _plain(value: Any, kind: str) -> Any:
    plain = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(plain, list) and "[" not in kind:
        return float(plain[0])
    return [float(number) for number in plain] if kind.startswith("FLOAT[") else plain


def write_tasks(tasks: list[str], path: Path) -> None:
    """Write the tasks in the order of their numbers.

    LeRobot reads this file with pandas and looks tasks up in the table's index, which pandas names in the footer.
    """
    described = {
        "index_columns": ["__index_level_0__"],
        "column_indexes": [{"name": None, "field_name": None, "pandas_type": "unicode", "numpy_type": "object",
                            "metadata": {"encoding": "UTF-8"}}],
        "columns": [
            {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64",
             "metadata": None},
            {"name": None, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object",
             "metadata": None},
        ],
        "pandas_version": "2.0.0",
    }  # fmt: skip
    rows = [{"task_index": index, "__index_level_0__": task} for index, task in enumerate(tasks)]
    types = {"task_index": "BIGINT", "__index_level_0__": "VARCHAR"}
    write_table(rows, types, path, f", KV_METADATA {{pandas: '{json.dumps(described)}'}}")


def statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """(N, size) -> the statistics of each column over the rows; rows that are not finite are left out."""
    finite = values[np.isfinite(values).all(1)]
    kept = finite if len(finite) else np.zeros((1, values.shape[1]))
    return {"min": kept.min(0), "max": kept.max(0), "mean": kept.mean(0), "std": kept.std(0),
            "count": np.array([len(finite)])}  # fmt: skip


def joined(episodes: Sequence[dict[str, dict[str, np.ndarray]]]) -> dict[str, dict[str, Any]]:
    """The statistics of all episodes together."""
    joined: dict[str, dict[str, Any]] = {}
    for key in episodes[0]:
        parts = [episode[key] for episode in episodes]
        counts = np.array([int(part["count"][0]) for part in parts])
        weights = counts / max(1, counts.sum())
        mean = sum(weight * part["mean"] for weight, part in zip(weights, parts, strict=True))
        square = sum(w * (part["std"] ** 2 + part["mean"] ** 2) for w, part in zip(weights, parts, strict=True))
        joined[key] = {
            "min": np.min([part["min"] for part in parts], 0).tolist(),
            "max": np.max([part["max"] for part in parts], 0).tolist(),
            "mean": np.asarray(mean).tolist(),
            "std": np.sqrt(np.maximum(square - np.asarray(mean) ** 2, 0.0)).tolist(),
            "count": [int(counts.sum())],
        }
    return joined
