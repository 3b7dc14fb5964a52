"""What ROS and DDS need around them on this machine: variables, a domain of one's own, shared memory."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, MutableMapping
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")

SEGMENT = 17 * 2**20
"""Bytes of shared memory a node takes: the segment of frs_shm.xml (16 MiB) and its ports."""

_LOCK_PORTS = 22100  # + domain
_DOMAINS = 100  # 1..100: Fast DDS's ports stay below the ephemeral ones


class NoDomainError(RuntimeError):
    """Every ROS domain is taken."""


def set_defaults(environ: MutableMapping[str, str], defaults: Mapping[str, str]) -> None:
    """Set the variables that the user has not set. Must come before rclpy is imported."""
    for name, value in defaults.items():
        environ.setdefault(name, value)


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
        lock = socket.socket()
        try:
            lock.bind(("127.0.0.1", _LOCK_PORTS + domain))
            lock.listen(1)
        except OSError:
            lock.close()
            continue
        return domain, lock
    raise NoDomainError(
        f"all {_DOMAINS} ROS domains are taken by other runs (TCP ports {_LOCK_PORTS + 1} to "
        f"{_LOCK_PORTS + _DOMAINS}); end one, or choose ROS_DOMAIN_ID yourself"
    )


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
