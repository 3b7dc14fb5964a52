"""What the tests of the simulation share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from frs_sim.cell import Cell, Eyes
from frs_sim.tasks import FIRST_HELD_OUT_SEED, TRAINING
from frs_steering.policies import Policy, load_policy


@pytest.fixture(scope="module")
def workshop() -> Iterator[tuple[Cell, Eyes, Policy]]:
    """A cell of the first training task, its cameras, and the embedded policy."""
    cell = Cell(TRAINING[0], FIRST_HELD_OUT_SEED)
    eyes = Eyes(cell.model)
    yield cell, eyes, load_policy("embedded")
    eyes.close()
