"""What a node is given is what it has."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import pytest

from frs_steering.nodes.parameters import ParameterError, declare, param


@dataclass(frozen=True)
class Settings:
    speed: float = param(1.0, "m/s", low=0.0, high=2.0)
    mode: str = param("slow", "how", choices=("slow", "fast"))


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
        ("sped:=0.5", "node 'settled' has no parameter 'sped'; it has mode, speed"),
        ("speed:=3.0", "parameter 'speed' of node 'settled': .* out of range Min: 0.0, Max: 2.0, value: 3.0"),
        ("speed:=fast", "it must be of type float"),
        ("mode:=medium", "it must be one of slow, fast"),
    ],
)
def test_what_is_wrong_is_named(ros: ModuleType, assignment: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        given(ros, assignment)
