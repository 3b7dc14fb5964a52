"""ros2 launch and `frs up` start the same nodes with the same arguments: both are run, on executables that tell theirs.

launch is on no package index; where it is absent these tests are skipped, and what both starters call is tested
in test_description.py.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from frs_bringup.description import resolve
from frs_bringup.description_file import load
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter

# Tells what it was started with, as a ROS node would understand it, and waits for its end.
TELLING = f"""#!{sys.executable}
import fnmatch, json, os, signal, sys, yaml
words = sys.argv[sys.argv.index("--ros-args") + 1:]
rules, files, given, level = {{}}, [], [], ""
while words:
    flag = words.pop(0)
    if flag == "--ros-args":
        continue
    value = words.pop(0)
    if flag == "--params-file":
        files.append(value)
    elif flag == "--log-level":
        level = value
    else:
        name, _, value = value.partition(":=")
        if flag == "-p":
            given.append((name, yaml.safe_load(value)))
        else:
            rules[name] = value
full_name = rules["__ns"].rstrip("/") + "/" + rules["__node"]
parameters = {{}}
for file in files:
    for section, content in yaml.safe_load(open(file)).items():
        if fnmatch.fnmatch(full_name, section.replace("/**", "*")):
            parameters.update(content["ros__parameters"])
parameters.update(given)
variables = [os.environ.get(name) for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "ROS_AUTOMATIC_DISCOVERY_RANGE")]
told = {{"node": full_name, "rules": rules, "parameters": parameters, "level": level, "variables": variables}}
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print("TOLD " + json.dumps(told), flush=True)
signal.pause()
"""

# What `ros2 launch FILE name:=value ...` does, without its command line.
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
source = PythonLaunchDescriptionSource(sys.argv[1])
service = LaunchService()
service.include_launch_description(LaunchDescription([
    IncludeLaunchDescription(source, launch_arguments=[word.split(":=") for word in sys.argv[2:]])]))
sys.exit(service.run())
"""

SIM_LAUNCH = Path(__file__).parents[1] / "sim.launch.py"


def launch_is_installed() -> bool:
    # In another process: in this one pytest has put the folder launch/ in launch's place.
    return not subprocess.run([sys.executable, "-c", "import launch_ros.actions"], capture_output=True).returncode


pytestmark = pytest.mark.skipif(not launch_is_installed(), reason="ros2 launch is not installed here")


@pytest.fixture
def telling_nodes(make_executable: Callable[[str, str, str], None]) -> None:
    for node in load("sim", config_directory()).nodes:
        make_executable(node.package, node.executable, TELLING)


def told_by_starter(given: dict[str, str], expected: int) -> list[dict[str, Any]]:
    """What the nodes were told by `frs up`."""
    lines: queue.Queue[str] = queue.Queue()
    graph = resolve(load("sim", config_directory()), given)
    starter = Starter([p for p in graph.processes if not p.terminal], lambda _, line: lines.put(line))
    starter.start()
    try:
        told = [lines.get(timeout=20.0) for _ in range(expected)]
    finally:
        starter.stop()
    return parse(told)


def parse(lines: list[str]) -> list[dict[str, Any]]:
    """What was told in lines that may have launch's prefix, by node."""
    told = [json.loads(line.partition("TOLD ")[2]) for line in lines if "TOLD " in line]
    return sorted(told, key=lambda one: one["node"])


@pytest.mark.usefixtures("telling_nodes")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 7),
        ({"operator": "none", "task": "stack_cups", "seed": "12", "namespace": "lab", "log_level": "debug"}, 6),
        ({"operator": "keyboard", "params_file": str(config_directory() / "sim_parameters.yaml")}, 7),
    ],
)
def test_both_starters_start_the_same(given: dict[str, str], expected: int, procs: Callable[..., Any]) -> None:
    words = [f"{name}:={value}" for name, value in given.items()]
    launch = procs(sys.executable, "-u", "-c", LAUNCH, SIM_LAUNCH, *words)
    by_starter = told_by_starter(given, expected)
    for one in by_starter:
        launch.wait_for_text(f'TOLD {{"node": "{one["node"]}"')
    launch.send_signal(2)
    assert launch.wait(20.0) == 0
    assert parse(launch.text().splitlines()) == by_starter
    if given.get("operator") == "keyboard":
        assert "ros2 run frs_teleop_cli teleop --ros-args -r __node:=teleop" in launch.text()
