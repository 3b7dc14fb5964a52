"""The configuration of a real FR3: its nodes by driver, and parameters that the nodes take."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from test_node_parameters import declared

from frs_bringup.description import resolve
from frs_bringup.description_file import load
from frs_bringup.errors import DescriptionError
from frs_steering.nodes.arm_controller import ArmControllerParameters, settings_from

CONFIG = Path(__file__).parents[1] / "config"
COMMON = {"arm_controller", "vla_inference", "flow_steering", "noise_policy", "noise_trainer", "recorder"}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ({"operator": "none"}, {"franka_ros2_bridge"}),
        ({"driver": "franky", "host": "172.16.0.2", "operator": "none"}, {"franky_driver"}),
        ({}, {"franka_ros2_bridge", "teleop", "camera_view"}),
    ],
)
def test_the_driver_chooses_what_speaks_to_the_robot(given: dict[str, str], more: set[str]) -> None:
    graph = resolve(load("fr3", CONFIG), given)
    assert {process.name for process in graph.processes} == COMMON | more
    assert not any(process.package == "frs_sim" for process in graph.processes)


def test_arm_and_gripper_are_read_from_their_own_topics_by_all_that_read_them() -> None:
    """Whoever merges them on joint_states makes old values look new."""
    given = {"driver": "franky", "gripper": "robotiq", "gripper_port": "/dev/null"}
    processes = {process.name: process for process in resolve(load("fr3", CONFIG), given).processes}
    for name in ("franky_driver", "arm_controller", "vla_inference", "recorder"):
        assert processes[name].remappings == {
            "joint_states": "franka/joint_states",
            "fr3_gripper_controller/joint_states": "franka_gripper/joint_states",
        }
    assert processes["franky_driver"].parameters["gripper"] == "robotiq"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "172.16.0.2"}, "argument 'host' is '172.16.0.2'; it counts only with driver:=franky"),
        ({"operator": "none", "instruction": "stack"}, "argument 'instruction' is 'stack'; it .* operator:=keyboard"),
    ],
)
def test_what_nobody_would_be_told_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        resolve(load("fr3", CONFIG), given)


@pytest.mark.parametrize("name", ["franka_gripper", "fr3_gripper"])
def test_the_franka_hand_is_read_and_driven_where_franka_ros2_has_it(name: str) -> None:
    processes = {process.name: process for process in resolve(load("fr3", CONFIG), {"franka_gripper": name}).processes}
    assert processes["franka_ros2_bridge"].parameters == {"gripper": "franka_hand", "gripper_actions": name}
    topics = {
        processes[node].remappings["fr3_gripper_controller/joint_states"] for node in ("arm_controller", "recorder")
    }
    assert topics == {f"{name}/joint_states"}


def test_every_parameter_that_is_set_is_declared() -> None:
    sections = yaml.safe_load((CONFIG / "fr3_parameters.yaml").read_text())
    for driver in ("franka_ros2", "franky"):
        for process in resolve(load("fr3", CONFIG), {"driver": driver}).processes:
            given = sections.get(f"/**/{process.name}", {}).get("ros__parameters", {}) | dict(process.parameters)
            assert set(given) <= set(declared(process.package, process.executable)), process.name


def test_the_first_days_limits_are_slow_and_those_of_the_page() -> None:
    given = yaml.safe_load((CONFIG / "fr3_parameters.yaml").read_text())["/**/arm_controller"]["ros__parameters"]
    limits = settings_from(ArmControllerParameters(**given), first_epoch=1).limits
    assert limits.velocity.max() == pytest.approx(0.13) and limits.linear_speed == 0.05
    page = (CONFIG.parents[1] / "docs" / "hardware.md").read_text()
    for name in ("joint_speed", "joint_acceleration", "linear_speed", "angular_speed", "workspace_low"):
        assert f"{name}: {given[name]}" in page
