"""Fixtures of frs_bringup's tests."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from frs_bringup.description_file import load
from frs_bringup.places import config_directory

if TYPE_CHECKING:
    from fault_times import FaultTimes

MakeExecutable = Callable[[str, str, str], None]

# Says where it would talk and waits for SIGINT. It reads for short times only: a signal that comes between a trap
# and the read that it should interrupt is seen when the read ends.
WAITING = """#!/bin/bash
trap 'echo bye; exit 0' INT
echo "domain $ROS_DOMAIN_ID, profile $FASTDDS_DEFAULT_PROFILES_FILE"
while :; do read -r -t 0.2 <> <(:); done
"""


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


@pytest.fixture
def waiting_nodes(make_executable: MakeExecutable) -> None:
    """In place of the real nodes of the configuration `sim`: scripts that say "domain ..." and wait."""
    for node in load("sim", config_directory()).nodes:
        make_executable(node.package, node.executable, WAITING)


@pytest.fixture(scope="session")
def fault_times() -> Iterator[FaultTimes]:
    """Where trials of faults are kept; written in the end to the file that FRS_FAULTS_JSON names, if it does."""
    from fault_cases import FAULTS, SIM_CLOCK, WALL_CLOCK  # not before the root's conftest has chosen the domain
    from fault_times import FaultTimes

    times = FaultTimes()
    yield times
    if path := os.environ.get("FRS_FAULTS_JSON"):
        times.write(Path(path), (*FAULTS, SIM_CLOCK, WALL_CLOCK))
