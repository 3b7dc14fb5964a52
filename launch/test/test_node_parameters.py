"""What the configurations set is what the nodes declare, and reaches them through real ROS arguments."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rclpy.node import Node

from frs_bringup.description import Process, resolve
from frs_bringup.description_file import load
from frs_bringup.places import config_directory

PRINTING = """
import json, rclpy, sys
rclpy.init(args=sys.argv)
node = rclpy.create_node("original_name")
defaults = {"steps": 1, "label": "default", "loud": True, "rate": 1.0, "names": ["a"]}
values = {name: node.declare_parameter(name, value).value for name, value in defaults.items()}
topic = node.resolve_topic_name("here")
print(json.dumps({"node": node.get_fully_qualified_name(), "values": values, "topic": topic,
                  "level": int(node.get_logger().get_effective_level())}), flush=True)
"""


def declared(package: str, executable: str) -> dict[str, dataclasses.Field[Any]]:
    """Parameters that a node's dataclass declares, by name."""
    executed = importlib.import_module(f"{package}.nodes.{executable}")
    nodes = [value for value in vars(executed).values() if isinstance(value, type) and issubclass(value, Node)]
    modules = {executed, *(importlib.import_module(node.__module__) for node in nodes if node is not Node)}
    own = [
        value
        for module in modules
        for name, value in vars(module).items()
        if name.endswith("Parameters") and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
    ]
    return {field.name: field for cls in own for field in dataclasses.fields(cls)}


@pytest.mark.parametrize("name", [node.name for node in load("sim", config_directory()).nodes])
def test_every_parameter_that_is_set_is_declared(name: str) -> None:
    graphs = [resolve(load("sim", config_directory()), {"operator": operator}) for operator in ("scripted", "keyboard")]
    process = next(process for graph in graphs for process in graph.processes if process.name == name)
    sections = yaml.safe_load((config_directory() / "sim_parameters.yaml").read_text())
    given = sections.get(f"/**/{name}", {}).get("ros__parameters", {}) | dict(process.parameters)
    known = declared(process.package, process.executable)
    for parameter, value in given.items():
        assert parameter in known, f"{name} declares no {parameter!r}"
        field = known[parameter]
        default = field.default_factory() if field.default is dataclasses.MISSING else field.default  # type: ignore[misc]
        assert isinstance(value, type(default)), f"{name}.{parameter} is {value!r}; its default is {default!r}"


@pytest.mark.parametrize("namespace", ["/", "/lab/one"])
def test_ros_arguments_reach_a_node(tmp_path: Path, procs: Callable[..., Any], namespace: str) -> None:
    base, more = tmp_path / "base.yaml", tmp_path / "more.yaml"
    base.write_text(
        "/**/printer:\n  ros__parameters: {steps: 5, rate: 2.5, names: [b, c], label: base}\n"
        "/**/other:\n  ros__parameters: {steps: 9}\n"
    )
    more.write_text("/**:\n  ros__parameters: {rate: 3.5, label: more}\n")
    process = Process(
        "p",
        "e",
        "printer",
        namespace,
        "debug",
        (base, more),
        {"label": "7", "loud": False},
        {"here": "there"},
        1.0,
        False,
    )
    printer = procs(sys.executable, "-c", PRINTING, *process.ros_arguments())
    assert printer.wait(30.0) == 0
    told = json.loads(printer.text())
    prefix = namespace.rstrip("/")
    assert told["node"] == f"{prefix}/printer"
    assert told["topic"] == f"{prefix}/there"
    assert told["level"] == 10
    assert told["values"] == {"steps": 5, "rate": 3.5, "names": ["b", "c"], "label": "7", "loud": False}
