"""Entering the graph: the ports of the dead are passed by, those of the living are left alone."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frs_steering.nodes.entering import OLD, SHARED_MEMORY, entering

PEER = Path(__file__).parent / "entering_peer.py"


def _is_free(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _port(directory: Path, number: int, age: float) -> Path:
    path = directory / f"fastdds_port{number}_el"
    path.touch()
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_ports_of_the_dead_are_locked_within_the_block(tmp_path: Path) -> None:
    dead = _port(tmp_path, 1, age=60.0)
    with entering(tmp_path):
        assert not _is_free(dead)
    assert _is_free(dead)
    assert dead.exists()


def test_the_living_keep_their_ports(tmp_path: Path) -> None:
    alive = _port(tmp_path, 1, age=60.0)
    with alive.open() as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        with entering(tmp_path):
            assert not _is_free(alive)
        assert not _is_free(alive)


def test_a_port_whose_owner_may_be_about_to_lock_it_is_left_to_it(tmp_path: Path) -> None:
    young = _port(tmp_path, 1, age=OLD / 2)
    with entering(tmp_path):
        assert _is_free(young)


def test_an_error_in_the_block_lets_go(tmp_path: Path) -> None:
    dead = _port(tmp_path, 1, age=60.0)
    with pytest.raises(ValueError, match="no such weights"), entering(tmp_path):
        raise ValueError("no such weights")
    assert _is_free(dead)


@pytest.mark.parametrize("way", ["plainly", "ours"])
def test_who_starts_again_listens_elsewhere(procs: Callable[..., Any], way: str) -> None:
    """Plainly it gets the dead one's ports: that is what the other case is measured by."""

    def listening() -> tuple[Any, set[str]]:
        process = procs(sys.executable, PEER, way)
        return process, set(process.wait_for_text("\n").split()[2:])

    first, dead = listening()
    first.kill()
    first.wait()
    assert dead
    for name in dead:
        os.utime(SHARED_MEMORY / name, (time.time() - 60.0, time.time() - 60.0))
    _, new = listening()
    assert new
    assert bool(new & dead) == (way == "plainly")
