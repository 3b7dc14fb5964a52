"""Fixtures of frs_bringup's tests."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

MakeExecutable = Callable[[str, str, str], None]


@pytest.fixture
def make_executable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeExecutable:
    """Installs a script: make_executable(package, executable, text). It shadows what is really installed."""
    prefix = tmp_path / "prefix"
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{prefix}{os.pathsep}{os.environ['AMENT_PREFIX_PATH']}")

    def make(package: str, executable: str, text: str) -> None:
        marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        path = prefix / "lib" / package / executable
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make
