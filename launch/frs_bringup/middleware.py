"""What ROS and DDS need around them on this machine: variables, a domain of one's own, shared memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")

SEGMENT = 17 * 2**20
"""Bytes of shared memory a node takes: the segment of frs_shm.xml (16 MiB) and its ports."""

_LOCK_PORTS = 22100  # + domain
_DOMAINS = 100  # 1..100: Fast DDS's ports stay below the ephemeral ones
_LAST_DOMAIN = 232  # of DDS: those beyond have no port


class NoDomainError(RuntimeError):
    """No ROS domain can be had; the message says why, and what would help."""


def set_defaults(environ: MutableMapping[str, str], defaults: Mapping[str, str]) -> None:
    """Set the variables that the user has not set. Must come before rclpy is imported."""
    for name, value in defaults.items():
        environ.setdefault(name, value)


@contextlib.contextmanager
def ros_domain(environ: MutableMapping[str, str], namespace: str, *, of_its_own: bool) -> Iterator[int]:
    """Keep a ROS domain, and the namespace in it, while a graph runs there.

    The domain is the one in ROS_DOMAIN_ID, and where that is not set one that no other run uses if it shall be
    `of_its_own`, else 0 like that of every ROS tool. It is put into `environ`. Must come before rclpy is imported.

    Raises:
        NoDomainError: another run of frs has a graph in that domain and namespace, whose nodes would be doubled; or
            ROS_DOMAIN_ID is no domain, or all are taken.
    """
    with contextlib.ExitStack() as locks:
        text = environ.get("ROS_DOMAIN_ID", "")
        if not text and of_its_own:
            domain, claim = claim_domain()
            locks.enter_context(claim)
        else:
            domain = _domain(text or "0")
            claimed = _claimed(domain)  # so that runs with a domain of their own take another one
            if claimed:
                locks.enter_context(claimed)
        graph = locks.enter_context(socket.socket(socket.AF_UNIX))
        digest = hashlib.sha256(namespace.encode()).hexdigest()[:32]  # a socket's name has 107 bytes at most
        try:
            graph.bind(f"\0frs-graph-{domain}-{digest}")  # without a file; the kernel frees it however we end
        except OSError:
            where = f"ROS domain {domain}" + (f", namespace {namespace}" if namespace != "/" else "")
            raise NoDomainError(
                f"another frs runs a graph in {where}: end it, or give this one a domain of its own, "
                f"e.g. ROS_DOMAIN_ID={(domain + 1) % _DOMAINS}"
            ) from None
        environ["ROS_DOMAIN_ID"] = str(domain)
        yield domain


def _domain(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_DOMAIN:
        raise NoDomainError(f"ROS_DOMAIN_ID is {text!r}; it must be a whole number from 0 to {_LAST_DOMAIN}")
    return int(text)


def claim_domain() -> tuple[int, socket.socket]:
    """Find a ROS domain that no other run on this machine uses.

    Returns:
        The domain, and the listening socket that is its lock: keep it; the kernel frees it however we end.

    Raises:
        NoDomainError: all are taken.
    """
    first = os.getpid() % _DOMAINS  # two that start at once seldom try the same one
    for i in range(_DOMAINS):
        domain = 1 + (first + i) % _DOMAINS
        lock = _claimed(domain)
        if lock:
            return domain, lock
    raise NoDomainError(
        f"all {_DOMAINS} ROS domains are taken by other runs (TCP ports {_LOCK_PORTS + 1} to "
        f"{_LOCK_PORTS + _DOMAINS}); end one, or choose ROS_DOMAIN_ID yourself"
    )


def _claimed(domain: int) -> socket.socket | None:
    lock = socket.socket()
    try:
        lock.bind(("127.0.0.1", _LOCK_PORTS + domain))
        lock.listen(1)
    except OSError:
        lock.close()
        return None
    return lock


def prepare(environ: MutableMapping[str, str], environment: Mapping[str, str], nodes: int) -> None:
    """Before a graph of so many nodes starts: set what its environment lacks, warn where shared memory is small."""
    set_defaults(environ, environment)
    if warning := shared_memory_warning(nodes):
        print(f"warning: {warning}", file=sys.stderr)


def shared_memory_warning(nodes: int) -> str:
    """What to do where shared memory is too small for that many nodes; empty where it is large enough."""
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:
        return ""
    needed = nodes * SEGMENT
    if free >= needed:
        return ""
    return (
        f"{SHARED_MEMORY} has {free >> 20} MiB free, {nodes} nodes need {needed >> 20} MiB: camera images may be lost. "
        "Remove what is in it, or give a container more: docker run --shm-size=512m"
    )


def clean_shared_memory() -> None:
    """Remove the segments of processes that were killed. Fast DDS's own tool spares those that are in use."""
    tool = shutil.which("fastdds")
    if tool:
        subprocess.run([tool, "shm", "clean"], capture_output=True, timeout=20, check=False)
