"""The table of faults: each is made in the running graph while the arm stands and while it moves.

All processes are the real ones, and so are the signals. What every case asks is in `fault_trial`. Jumps of the wall
clock have a graph of their own, in `test_wall_time`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fault_cases import FAULTS, Fault, Scene
from fault_times import FaultTimes
from fault_trial import scene, suffer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The graph that all faults are made in."""
    with scene(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
@pytest.mark.parametrize("moving", [False, True], ids=["standing", "moving"])  # the outer loop: restarts lie apart
def test_fault(running: Scene, fault_times: FaultTimes, fault: Fault, moving: bool) -> None:
    taken = suffer(running, fault, moving=moving)
    fault_times.add(fault, taken, moving=moving)
