"""Tests of frs_bringup.middleware."""

from __future__ import annotations

import sys
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import pytest

from frs_bringup import middleware
from frs_bringup.middleware import NoDomainError, claim_domain, ros_domain, set_defaults, shared_memory_warning


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


def test_a_graph_takes_the_users_domain_or_0_or_one_of_its_own() -> None:
    user = str(claim_domain()[0])  # given back at once
    environ = {"ROS_DOMAIN_ID": user}
    with ros_domain(environ, "/", of_its_own=True) as domain:
        assert (str(domain), environ) == (user, {"ROS_DOMAIN_ID": user})
        assert middleware._claimed(domain) is None, "others choose another one"
    environ = {}
    with ros_domain(environ, "/test_middleware", of_its_own=False) as domain:
        assert (domain, environ) == (0, {"ROS_DOMAIN_ID": "0"})
    environ = {"ROS_DOMAIN_ID": ""}
    with ros_domain(environ, "/", of_its_own=True) as domain:
        assert 1 <= domain <= 100
        assert environ == {"ROS_DOMAIN_ID": str(domain)}


def test_one_graph_a_domain_and_namespace() -> None:
    deep = "/lab" * 60
    with ros_domain({}, "/", of_its_own=True) as domain:
        environ = {"ROS_DOMAIN_ID": str(domain)}
        with ros_domain(environ, deep, of_its_own=False):
            with pytest.raises(NoDomainError, match=f"in ROS domain {domain}, namespace {deep}: end it"):
                ros_domain(environ, deep, of_its_own=False).__enter__()
            with pytest.raises(
                NoDomainError, match=f"a graph in ROS domain {domain}: end it, or .*e.g. ROS_DOMAIN_ID="
            ):
                ros_domain(environ, "/", of_its_own=True).__enter__()
        with ros_domain(environ, deep, of_its_own=False):
            pass  # it is free again


@pytest.mark.parametrize("text", ["233", "-1", "one", "1.5"])
def test_a_domain_that_is_none_is_named(text: str) -> None:
    with pytest.raises(NoDomainError, match=f"ROS_DOMAIN_ID is '{text}'; it must be a whole number from 0 to 232"):
        ros_domain({"ROS_DOMAIN_ID": text}, "/", of_its_own=False).__enter__()


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
