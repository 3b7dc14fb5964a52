"""Tests of frs_bringup.middleware."""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest

from frs_bringup import middleware
from frs_bringup.middleware import NoDomainError, claim_domain, set_defaults, shared_memory_warning


def test_two_claims_never_share_a_domain_and_a_freed_one_comes_back() -> None:
    first, first_lock = claim_domain()
    second, second_lock = claim_domain()
    with second_lock:
        assert first != second
        assert 1 <= first <= 100
        first_lock.close()
        third, third_lock = claim_domain()
        third_lock.close()
        assert third == first


def test_a_domain_is_free_again_when_its_owner_was_killed(procs: Callable[..., Any]) -> None:
    program = (
        "import os, time\nos.getpid = lambda: 3\n"
        "from frs_bringup.middleware import claim_domain\nprint(claim_domain()[0], flush=True); time.sleep(60)"
    )
    owner = procs(sys.executable, "-c", program)
    owner.wait_for_text("\n")
    owner.kill()
    owner.wait()
    again = procs(sys.executable, "-c", program)
    assert again.wait_for_text("\n") == owner.text()


def test_no_free_domain_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "_DOMAINS", 1)
    monkeypatch.setattr(middleware, "_LOCK_PORTS", 22300)
    _, lock = claim_domain()
    with lock, pytest.raises(NoDomainError, match="choose ROS_DOMAIN_ID yourself"):
        claim_domain()


def test_what_the_user_has_set_stays() -> None:
    environ = {"A": "mine"}
    set_defaults(environ, {"A": "ours", "B": "ours"})
    assert environ == {"A": "mine", "B": "ours"}


def test_too_little_shared_memory_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(middleware.shutil, "disk_usage", lambda _: usage(2**26, 0, 2**26))  # a container's default
    assert shared_memory_warning(3) == ""
    assert "64 MiB free, 8 nodes need 136 MiB" in shared_memory_warning(8)
    assert "docker run --shm-size" in shared_memory_warning(8)
