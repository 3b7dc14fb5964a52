"""The table of faults: each is made in the running graph while the arm stands and while it moves.

All processes are the real ones, and so are the signals. What every case asks is in `fault_trial`. With FRS_FAULTS_JSON
set to a file, the times are written there, and `bench/faults.py` makes the table in docs/safety.md from them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fault_cases import FAULTS, Fault, Scene, Since
from fault_trial import scene, suffer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def running(ros: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The graph that all faults are made in."""
    with scene(ros, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture(scope="module")
def times() -> Iterator[dict[str, dict[str, float | None]]]:
    """Measured: by the fault's name, by `standing` or `moving` [s]."""
    measured: dict[str, dict[str, float | None]] = {}
    yield measured
    path = os.environ.get("FRS_FAULTS_JSON")
    if path:
        rows = [
            {
                "fault": fault.name,
                "follows": fault.follows,
                "since": fault.since.value if fault.since else None,
                "within": fault.within if fault.since else None,
                "watched": fault.since is not Since.COMMAND,  # a robot that is gone has no joint states
                "times": measured[fault.name],
            }
            for fault in FAULTS
            if fault.name in measured
        ]
        Path(path).write_text(json.dumps(rows, indent=1) + "\n")


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])  # the outer loop: restarts lie apart
def test_fault(running: Scene, times: dict[str, dict[str, float | None]], fault: Fault, moving: bool) -> None:
    taken = suffer(running, fault, moving=moving)
    times.setdefault(fault.name, {})["moving" if moving else "standing"] = taken
