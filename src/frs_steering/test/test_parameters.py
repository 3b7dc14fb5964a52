"""What a node is given is what it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import pytest

from frs_steering.nodes.parameters import ParameterError, declare, param


@dataclass(frozen=True)
class Settings:
    speed: float = param(1.0, "m/s", low=0.0, high=2.0)
    mode: str = param("slow", "how", choices=("slow", "fast"))
    count: int = param(3, "of all", low=1, high=9)
    corner: Sequence[float] = param([0.0, 0.0], "x, y [m]", low=-1, high=1)


def given(ros: ModuleType, *assignments: str) -> Settings:
    """The settings of a node that was started with these parameters."""
    words = [word for assignment in assignments for word in ("-p", assignment)]
    node = ros.create_node("settled", cli_args=["--ros-args", *words])
    try:
        return declare(node, Settings)
    finally:
        node.destroy_node()


def test_values_are_taken_and_ros_has_its_own(ros: ModuleType) -> None:
    assert given(ros, "speed:=0.5", "mode:=fast", "use_sim_time:=false") == Settings(0.5, "fast")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("sped:=0.5", "node 'settled' has no parameter 'sped'; it has corner, count, mode, speed"),
        ("speed:=3.0", r"parameter 'speed' of node 'settled' is 3.0; it must lie in \[0.0, 2.0\]: m/s"),
        ("speed:=3", r"parameter 'speed' of node 'settled' is 3.0; it must lie in \[0.0, 2.0\]: m/s"),
        ("count:=0", r"parameter 'count' of node 'settled' is 0; it must lie in \[1, 9\]: of all"),
        ("corner:=[0.5, 2.5]", r"parameter 'corner' of node 'settled' is \[0.5, 2.5\]; it must lie in \[-1, 1\]: x, y"),
        ("speed:=fast", "it must be of type float"),
        ("mode:=medium", "it must be one of slow, fast"),
    ],
)
def test_what_is_wrong_is_named(ros: ModuleType, assignment: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        given(ros, assignment)
