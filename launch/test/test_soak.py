"""Faults at random, one after another, for as long as FRS_SOAK_MINUTES says, and hostile chunks in between.

`make soak MINUTES=10` runs it longer than the tests do. A failure names the seed, the fault and what went before.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from bombardment import bombard
from fault_cases import FAULTS
from fault_trial import assert_within_limits, scene, suffer
from hostile_chunks import SPACES, breaches, drive

from frs_steering.arm.robots import ROBOTS

MINUTES = float(os.environ.get("FRS_SOAK_MINUTES", "0.5"))
SEED = int(os.environ.get("FRS_SOAK_SEED", time.time_ns() % 2**32))
BOMBARDED, CHUNKS = 60, 200  # between two faults: to the running controller, and to one that is not a process

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240 + 120 * MINUTES)]


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # rows of 1e300
def test_soak(tmp_path: Path) -> None:
    draw = random.Random(SEED)
    done: list[str] = []
    with scene(tmp_path) as running:
        end = time.monotonic() + 60.0 * MINUTES
        while time.monotonic() < end:
            fault, moving = draw.choice(FAULTS), draw.random() < 0.7
            done.append(f"{fault.name}, {'moving' if moving else 'standing'}")
            try:
                suffer(running, fault, moving=moving)
                bombard(running, draw.randrange(2**32), BOMBARDED)
                assert_within_limits(running.graph)
                trace = drive(draw.randrange(2**32), CHUNKS, draw.choice(SPACES), draw.choice(list(ROBOTS.values())))
                found = breaches(trace)
                assert not found, found
            except BaseException:
                print(f"\nseed {SEED}, fault {len(done)}:", *done[-5:], sep="\n  ")
                raise
    sent = f"{BOMBARDED * len(done)} hostile chunks to the graph, {CHUNKS * len(done)} beside it"
    print(f"\nseed {SEED}: {len(done)} faults, {sent}, no breach")
