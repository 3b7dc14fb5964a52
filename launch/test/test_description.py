"""Tests of frs_bringup.description and frs_bringup.description_file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rclpy.exceptions import InvalidNamespaceException
from rclpy.validate_namespace import validate_namespace

from frs_bringup.description import Argument, Configuration, Node, parse_assignments, resolve
from frs_bringup.description_file import load, names
from frs_bringup.errors import DescriptionError
from frs_bringup.places import config_directory
from frs_sim.nodes.sim import SimParameters
from frs_sim.tasks import TASKS

SMALL = """
summary: two nodes
environment: {PROFILE: $(config)/profile.xml}
arguments:
  who: {default: me, choices: [me, you], description: of the two}
  count: {default: 3, low: 0, high: 9, description: how often}
  share: {default: 0.5, description: of the whole}
  loud: {default: false, description: whether to shout}
  name: {default: "", when: {who: you}, description: of you}
  more: {default: "", description: further parameters}
  namespace: {default: "", description: of all}
every_node: {namespace: $(namespace), parameter_files: [$(config)/base.yaml, $(more)], respawn_delay: 0.5}
nodes:
  first:
    package: some_package
    executable: one
    parameters: {times: $(count), label: "$(who)-$(count)", loud: $(loud), text: "7"}
    remappings: {here: there_$(who)}
  second:
    package: some_package
    executable: two
    when: {who: you}
    terminal: true
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(SMALL)
    (tmp_path / "base.yaml").write_text("/**:\n  ros__parameters: {}\n")
    return tmp_path


def test_defaults_give_the_first_node_alone(directory: Path) -> None:
    graph = resolve(load("small", directory), {})
    (process,) = graph.processes
    assert process.parameters == {"times": 3, "label": "me-3", "loud": False, "text": "7"}
    assert process.remappings == {"here": "there_me"}
    assert process.parameter_files == (directory / "base.yaml",)
    assert process.namespace == "/"
    assert process.respawn_delay == 0.5
    assert graph.environment == {"PROFILE": f"{directory}/profile.xml"}


def test_a_file_must_be_there_and_may_be_in_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    argument = Argument("noise_policy", "", "file of a noise policy", file=True)
    with pytest.raises(DescriptionError, match=r"argument 'noise_policy' is '~/egg'; there is no such file"):
        argument.parse("~/egg")
    (tmp_path / "egg").touch()
    assert [argument.parse(text) for text in ("~/egg", "")] == ["~/egg", ""]


def test_arguments_choose_nodes_and_values(directory: Path) -> None:
    more = directory / "mine.yaml"
    more.write_text("{}")
    given_words = parse_assignments(
        ["who:=you", "name:=Ada", "count:=9", "loud:=true", f"more:={more}", "namespace:=lab/one"]
    )
    first, second = resolve(load("small", directory), given_words).processes
    assert first.parameters == {"times": 9, "label": "you-9", "loud": True, "text": "7"}
    assert first.parameter_files == (directory / "base.yaml", more)
    assert first.namespace == "/lab/one"
    assert first.logger_level == "lab.one.first:=info"
    assert second.terminal
    assert not first.terminal


def test_ros_arguments_are_those_of_ros(directory: Path) -> None:
    (process,) = resolve(load("small", directory), {}).processes
    assert process.ros_arguments() == [
        "--ros-args", "-r", "__node:=first", "-r", "__ns:=/", "--params-file", str(directory / "base.yaml"),
        "-p", "times:=3", "-p", 'label:="me-3"', "-p", "loud:=false", "-p", 'text:="7"',
        "-r", "here:=there_me", "--log-level", "first:=info",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["whom:=me"], r"no argument 'whom'; it has: who, count, share, loud, name, more, namespace"),
        (["who:=she"], r"'who' is 'she'; it must be one of: me, you"),
        (["count:=three"], r"'count' is 'three'; it must be of type int"),
        (["count:=1.5"], r"'count' is '1.5'; it must be of type int"),
        (["count:=true"], r"'count' is 'true'; it must be of type int"),
        (["count:=-1"], r"'count' is '-1'; it must be from 0 to 9"),
        (["namespace:=9bad"], r"namespace '/9bad' of node 'first' is no ROS name; between slashes"),
        (["namespace:=a//b"], r"namespace '/a//b' of node 'first' is no ROS name"),
        (["loud:=1"], r"'loud' is '1'; it must be of type bool"),
        (["name:=Ada"], r"argument 'name' is 'Ada'; it counts only with who:=you"),
        (["share:=[1"], r"'share' is '\[1'; it must be of type float"),
        (["more:=other.yaml"], r"section '/\*\*/thrid' is of no node; there are: first, second, third"),
        (["more:=absent.yaml"], r"parameter file .*absent.yaml of node 'first' does not exist"),
        (["who=me"], r"'who=me' is no argument; write name:=value"),
    ],
)
def test_wrong_arguments_are_named(
    directory: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(directory)
    (directory / "large.yaml").write_text("nodes: {third: {package: some_package, executable: three}}")
    (directory / "other.yaml").write_text("/**/thrid:\n  ros__parameters: {times: 4}\n")
    with pytest.raises(DescriptionError, match=message):
        resolve(load("small", directory), parse_assignments(words))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nodes": {"a": {"package": "p", "executable": "e", "retries": 3}}}, r"node 'a' has the key 'retries'"),
        ({"nodes": {"a": {"package": "p"}}}, r"node 'a' has the executable None; it must be a name"),
        ({"nodes": {"a": {"package": "p", "executable": "e", "parameters": {"x": "$(no)"}}}}, r"refers to \$\(no\)"),
        ({"nodes": {"a": {"package": "p", "executable": "e", "when": {"no": 1}}}}, r"refers to \$\(no\)"),
        ({"arguments": {"x": {"default": 1}}}, r"argument 'x' has no description"),
        ({"arguments": {"x": {"default": [1], "description": "d"}}}, r"argument 'x' has the default \[1\]"),
        ({"arguments": {"x": {"default": "c", "choices": ["a"], "description": "d"}}}, r"not among its choices"),
        ({"arguments": {"config": {"default": "c", "description": "d"}}}, r"argument 'config' can't be"),
        ({"arguments": {"x": {"default": 1, "low": 2, "description": "d"}}}, r"default 1; it must be at least 2"),
        ({"arguments": {"x": {"default": "", "high": 2, "description": "d"}}}, r"'x' has the high 2; only numbers"),
        ({"arguments": {"x": {"default": 1, "when": {"y": 2}, "description": "d"}}}, r"'x' refers to \$\(y\)"),
        ({"nodes": ["a"]}, r"nodes is \['a'\]; it must be a mapping"),
        ({"extra": 1}, r"the description has the key 'extra'"),
    ],
)
def test_wrong_descriptions_are_named(tmp_path: Path, change: dict, message: str) -> None:
    (tmp_path / "bad.yaml").write_text(json.dumps({"nodes": {}, **change}))
    with pytest.raises(DescriptionError, match=rf"bad.yaml: .*{message}"):
        load("bad", tmp_path)


def test_missing_configuration_lists_those_there_are(directory: Path) -> None:
    assert names(directory) == ["small"]  # base.yaml describes no nodes
    with pytest.raises(DescriptionError, match=r"called 'large' in .*; there are: small"):
        load("large", directory)


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_an_arguments_text_comes_back_as_its_value(value: bool | int | float) -> None:
    parsed = Argument("x", type(value)(0), "any").parse(json.dumps(value))
    assert parsed == value
    assert type(parsed) is type(value)


@given(st.text("ab9_/- ", max_size=8))
def test_a_namespace_is_refused_where_ros_refuses_it(name: str) -> None:
    node = Node("n", "p", "e", "$(namespace)", "info", (), {}, {}, 1.0, {}, False)
    argument = Argument("namespace", "", "of all")
    configuration = Configuration("c", "", Path("."), {}, {"namespace": argument}, (node,), frozenset())
    try:
        right = validate_namespace("/" + name.strip("/"))
    except InvalidNamespaceException:
        right = False
    if right:
        assert resolve(configuration, {"namespace": name}).namespace == "/" + name.strip("/")
    else:
        with pytest.raises(DescriptionError, match="is no ROS name"):
            resolve(configuration, {"namespace": name})


def test_the_installed_sim_configuration_has_the_tasks_and_seeds_that_there_are() -> None:
    arguments = load("sim", config_directory()).arguments
    assert arguments["task"].choices == tuple(TASKS)
    seed = next(field for field in dataclasses.fields(SimParameters) if field.name == "seed")
    assert (arguments["seed"].low, arguments["seed"].high) == (seed.metadata["low"], seed.metadata["high"])


def test_the_installed_sim_configuration_resolves_for_every_operator() -> None:
    configuration = load("sim", config_directory())
    everyone = {"sim", "vla_inference", "flow_steering", "noise_policy", "noise_trainer", "arm_controller", "recorder"}
    everyone |= {"episode"}
    extra = {"scripted": {"scripted_reasoner"}, "keyboard": {"teleop", "camera_view"}, "none": set()}
    for operator, more in extra.items():
        graph = resolve(configuration, {"operator": operator})
        assert {process.name for process in graph.processes} == everyone | more
        assert all(process.name == process.executable for process in graph.processes)


def test_the_installed_parameter_files_name_nodes_that_there_are() -> None:
    nodes = {node.name for node in load("sim", config_directory()).nodes}
    sections = yaml.safe_load((config_directory() / "sim_parameters.yaml").read_text())
    for section, content in sections.items():
        assert section.removeprefix("/**/") in nodes
        assert set(content) == {"ros__parameters"}
