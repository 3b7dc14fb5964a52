"""Finding the episodes' files in folders of any depth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from frs_steering.record.bag import PARTIAL
from frs_steering.record.errors import JournalError


def find_episodes(paths: Iterable[Path], *, leftovers: bool = False) -> list[Path]:
    """Every recording, whole or partial, at or below the paths; sorted, each once.

    A path that is itself a file is taken, whatever its name, so that a wrong one is named and not passed over.

    Args:
        paths: files and folders.
        leftovers: also take partial files beside their whole ones, which a recovery that was killed has left. They hold
            the same episode once more.

    Raises:
        JournalError: a path does not exist, or none holds a recording.
    """
    given = list(paths)
    found: set[Path] = set()
    for path in given:
        if path.is_file():
            found.add(path)
        elif path.is_dir():
            found.update(path.rglob("*.mcap"))
            found.update(
                file for file in path.rglob(f"*.mcap{PARTIAL}") if leftovers or not file.with_suffix("").is_file()
            )
        else:
            raise JournalError(f"{path} does not exist; a recording, or a folder of recordings, is needed")
    if not found:
        raise JournalError(f"no recording (*.mcap) in {', '.join(str(path) for path in given) or 'nothing'}")
    return sorted(found)
