"""Offered QoS profiles in the form in which rosbag2 stores them, so that a bag plays as it was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

_INFINITE = 2**63 - 1  # ns; rmw's infinite duration


@dataclass(frozen=True)
class OfferedQos:
    """QoS of one publisher; numbers as in rmw/types.h, which rosbag2 writes up to version 8 of its metadata.

    Attributes:
        reliability: 1 reliable, 2 best effort.
        durability: 1 transient-local, 2 volatile.
        history: 1 keep last, 2 keep all, 3 unknown (all that discovery can tell).
        depth: length of the history; 0 where unknown.
        deadline: ns.
        lifespan: ns.
        liveliness: 1 automatic, 3 manual by topic.
        lease: ns, of the liveliness.
    """

    reliability: int
    durability: int
    history: int = 3
    depth: int = 0
    deadline: int = _INFINITE
    lifespan: int = _INFINITE
    liveliness: int = 1
    lease: int = _INFINITE


def offered_qos_yaml(profiles: Sequence[OfferedQos]) -> str:
    """The profiles as YAML text, for a channel's metadata and for metadata.yaml alike; "" for none."""
    if not profiles:
        return ""
    entries = [
        {
            "history": profile.history,
            "depth": profile.depth,
            "reliability": profile.reliability,
            "durability": profile.durability,
            "deadline": _time(profile.deadline),
            "lifespan": _time(profile.lifespan),
            "liveliness": profile.liveliness,
            "liveliness_lease_duration": _time(profile.lease),
            "avoid_ros_namespace_conventions": False,
        }
        for profile in profiles
    ]
    return yaml.safe_dump(entries, sort_keys=False)


def _time(nanoseconds: int) -> dict[str, int]:
    seconds, rest = divmod(nanoseconds, 10**9)
    return {"sec": seconds, "nsec": rest}
