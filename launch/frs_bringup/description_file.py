"""Reads a description from its YAML file; the border where a wrong one is found out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from frs_bringup.description import RESPAWN_DELAY, Argument, Configuration, Node, Value, references
from frs_bringup.errors import DescriptionError

_TOP = {"summary", "environment", "arguments", "every_node", "nodes"}
_ARGUMENT = {"default", "description", "choices", "low", "high", "file", "when"}
_EVERY_NODE = {"namespace", "log_level", "parameter_files", "respawn_delay"}
_NODE = _EVERY_NODE | {"package", "executable", "parameters", "remappings", "when", "terminal"}


def load(name: str, directory: Path) -> Configuration:
    """Read DIRECTORY/NAME.yaml.

    Raises:
        DescriptionError: it does not exist (the message lists those that do), or something in it is wrong.
    """
    path = directory / f"{name}.yaml"
    if name not in names(directory):
        there = ", ".join(names(directory)) or "none"
        raise DescriptionError(f"no configuration is called {name!r} in {directory}; there are: {there}")
    try:
        return _configuration(name, directory, _read(path))
    except DescriptionError as error:
        raise DescriptionError(f"{path.name}: {error}") from error


def names(directory: Path) -> list[str]:
    """Names of the configurations in a directory: its YAML files that describe nodes."""
    return sorted(path.stem for path in directory.glob("*.yaml") if "nodes" in _read(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise DescriptionError(f"{path} can't be read: {' '.join(str(error).split())}") from error
    return content if isinstance(content, dict) else {}


def _configuration(name: str, directory: Path, content: dict[str, Any]) -> Configuration:
    _check_keys("the description", content, _TOP)
    every = _mapping("every_node", content.get("every_node"))
    _check_keys("every_node", every, _EVERY_NODE)
    arguments = {
        key: _argument(key, _mapping(f"argument {key!r}", entry))
        for key, entry in _mapping("arguments", content.get("arguments")).items()
    }
    for key, argument in arguments.items():
        _check_references(f"argument {key!r}", [f"$({other})" for other in argument.when], arguments)
    nodes = tuple(
        _node(key, {**every, **_mapping(f"node {key!r}", entry)}, arguments)
        for key, entry in _mapping("nodes", content.get("nodes")).items()
    )
    others = [_mapping("nodes", _read(directory / f"{other}.yaml").get("nodes")) for other in names(directory)]
    known = frozenset(node.name for node in nodes).union(*others)
    environment = {key: str(value) for key, value in _mapping("environment", content.get("environment")).items()}
    for key, value in environment.items():
        _check_references(f"environment variable {key!r}", [value], arguments)
    return Configuration(name, str(content.get("summary", "")), directory, environment, arguments, nodes, known)


def _argument(name: str, entry: dict[str, Any]) -> Argument:
    where = f"argument {name!r}"
    _check_keys(where, entry, _ARGUMENT)
    if name == "config":
        raise DescriptionError("argument 'config' can't be: $(config) is the directory of the description")
    if not isinstance(entry.get("default"), bool | int | float | str):
        raise DescriptionError(f"{where} has the default {entry.get('default')!r}; it must be a bool, number or string")
    if not entry.get("description"):
        raise DescriptionError(f"{where} has no description")
    numeric = isinstance(entry["default"], int | float) and not isinstance(entry["default"], bool)
    for key in ("low", "high"):
        if key in entry and not (numeric and isinstance(entry[key], int | float)):
            raise DescriptionError(f"{where} has the {key} {entry[key]!r}; only numbers have one, and it is a number")
    choices = tuple(map(str, entry.get("choices", ())))
    argument = Argument(
        name,
        entry["default"],
        entry["description"],
        choices,
        low=entry.get("low"),
        high=entry.get("high"),
        file=bool(entry.get("file", False)),
        when=_when(where, entry),
    )
    if argument.choices and argument.default not in argument.choices:
        raise DescriptionError(f"{where} has the default {argument.default!r}, which is not among its choices")
    if numeric and not argument.allows(entry["default"]):
        raise DescriptionError(f"{where} has the default {argument.default!r}; it must be {argument.range_in_words}")
    return argument


def _node(name: str, entry: dict[str, Any], arguments: Mapping[str, Argument]) -> Node:
    where = f"node {name!r}"
    _check_keys(where, entry, _NODE)
    for key in ("package", "executable"):
        if not isinstance(entry.get(key), str):
            raise DescriptionError(f"{where} has the {key} {entry.get(key)!r}; it must be a name")
    node = Node(
        name=name,
        package=entry["package"],
        executable=entry["executable"],
        namespace=entry.get("namespace", ""),
        log_level=entry.get("log_level", "info"),
        parameter_files=tuple(entry.get("parameter_files", ())),
        parameters=_mapping(f"parameters of {where}", entry.get("parameters")),
        remappings=_mapping(f"remappings of {where}", entry.get("remappings")),
        respawn_delay=float(entry.get("respawn_delay", RESPAWN_DELAY)),
        when=_when(where, entry),
        terminal=bool(entry.get("terminal", False)),
    )
    texts: list[Value] = [node.namespace, node.log_level, *node.parameter_files]
    texts += [*node.parameters.values(), *node.remappings.values()]
    _check_references(where, texts, arguments)
    _check_references(where, [f"$({key})" for key in node.when], arguments)
    return node


def _when(where: str, entry: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        key: tuple(map(str, allowed)) if isinstance(allowed, list) else (str(allowed),)
        for key, allowed in _mapping(f"'when' of {where}", entry.get("when")).items()
    }


def _check_references(where: str, texts: list[Any], arguments: Mapping[str, Argument]) -> None:
    for text in texts:
        for name in references(text):
            if name not in arguments and name != "config":
                known = ", ".join(["config", *arguments])
                raise DescriptionError(f"{where} refers to $({name}); there are: {known}")


def _check_keys(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise DescriptionError(f"{where} has the key {key!r}; it may have: {', '.join(sorted(known))}")


def _mapping(where: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DescriptionError(f"{where} is {value!r}; it must be a mapping")
    return value
