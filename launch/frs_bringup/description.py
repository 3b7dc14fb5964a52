"""One description of each configuration of the graph, read from YAML and resolved into processes.

`ros2 launch` and `frs up` both start what `resolve` returns, so that they can't drift apart. Nothing here
imports rclpy or launch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from frs_bringup.errors import DescriptionError
from frs_bringup.parameter_file import check_parameter_file

Value = bool | int | float | str
"""What an argument or a parameter can be."""

RESPAWN_DELAY = 1.0
"""s between a node's end and its next start, where a description says nothing."""

_BOOLS = {"true": True, "false": False}
_REFERENCE = re.compile(r"\$\((\w+)\)")
_NAMESPACE = re.compile(r"/|(/[A-Za-z_][A-Za-z0-9_]*)+")


@dataclass(frozen=True)
class Argument:
    """What can be chosen at the start, as `name:=value`.

    Attributes:
        name: as written in front of `:=`.
        default: its value where none is given; its type is the argument's type.
        description: one line for `--show-args`.
        choices: allowed values; empty for any.
        low: smallest allowed number; None for any.
        high: greatest allowed number; None for any.
        file: whether it names a file, which must be there, if it is not empty.
        when: arguments -> values with which it counts; with others it may not be given.
    """

    name: str
    default: Value
    description: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    file: bool = False
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def parse(self, text: str) -> Value:
        """Turn what was typed into the argument's type.

        Raises:
            DescriptionError: it is of another type, out of its range, not among the choices, or no file where it must
                be one.
        """
        if self.choices and text not in self.choices:
            raise DescriptionError(f"argument {self.name!r} is {text!r}; it must be one of: {', '.join(self.choices)}")
        if self.file and text and not Path(text).expanduser().is_file():
            raise DescriptionError(f"argument {self.name!r} is {text!r}; there is no such file")
        if isinstance(self.default, str):
            return text
        kind = type(self.default)
        try:
            value = _BOOLS[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError):
            raise DescriptionError(f"argument {self.name!r} is {text!r}; it must be of type {kind.__name__}") from None
        if not self.allows(value):
            raise DescriptionError(f"argument {self.name!r} is {text!r}; it must be {self.range_in_words}")
        return value

    def allows(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def range_in_words(self) -> str:
        """The range of a number: "from 0 to 9", "at least 0", "at most 9"; empty where every number is allowed."""
        if self.low is not None and self.high is not None:
            return f"from {self.low} to {self.high}"
        if self.low is not None:
            return f"at least {self.low}"
        return f"at most {self.high}" if self.high is not None else ""

    @property
    def when_in_words(self) -> str:
        """With what it counts: "only with driver:=franky"; empty where it always does."""
        return " and ".join(f"only with {name}:={' or '.join(allowed)}" for name, allowed in self.when.items())


@dataclass(frozen=True)
class Node:
    """One node as described, before its arguments are known. Strings may refer to arguments as `$(name)`."""

    name: str
    package: str
    executable: str
    namespace: str
    log_level: str
    parameter_files: tuple[str, ...]
    parameters: Mapping[str, Value]
    remappings: Mapping[str, str]
    respawn_delay: float
    when: Mapping[str, tuple[str, ...]]
    terminal: bool


@dataclass(frozen=True)
class Configuration:
    """A description as read.

    Attributes:
        name: of the configuration, e.g. "sim".
        summary: one line.
        directory: holds the description and the files it names; `$(config)`.
        environment: variables that the nodes need unless the user has set them.
        arguments: by name, in the order of the file.
        nodes: in the order in which they are started.
        known: names of the nodes of every configuration in the directory; a parameter file may serve several.
    """

    name: str
    summary: str
    directory: Path
    environment: Mapping[str, str]
    arguments: Mapping[str, Argument]
    nodes: tuple[Node, ...]
    known: frozenset[str]


@dataclass(frozen=True)
class Process:
    """One process to start.

    Attributes:
        package: that holds the executable.
        executable: installed as lib/PACKAGE/EXECUTABLE.
        name: of the node.
        namespace: absolute, "/" at the root.
        log_level: of the node's own logger.
        parameter_files: in rising precedence; each exists.
        parameters: they win over the files.
        remappings: from -> to.
        respawn_delay: s between its end and its next start.
        terminal: it talks with the person at the terminal and ends with them; it is not started again.
    """

    package: str
    executable: str
    name: str
    namespace: str
    log_level: str
    parameter_files: tuple[Path, ...]
    parameters: Mapping[str, Value]
    remappings: Mapping[str, str]
    respawn_delay: float
    terminal: bool

    @property
    def logger_level(self) -> str:
        """Value of --log-level for the node's logger alone: at "debug" the middleware would drown it."""
        logger = ".".join([*filter(None, self.namespace.split("/")), self.name])
        return f"{logger}:={self.log_level}"

    def ros_arguments(self) -> list[str]:
        """Everything that follows the executable on its command line."""
        arguments = ["--ros-args", "-r", f"__node:={self.name}", "-r", f"__ns:={self.namespace}"]
        for path in self.parameter_files:
            arguments += ["--params-file", str(path)]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={json.dumps(value)}"]  # JSON is YAML, and keeps "7" apart from 7
        for old, new in self.remappings.items():
            arguments += ["-r", f"{old}:={new}"]
        return [*arguments, "--log-level", self.logger_level]


@dataclass(frozen=True)
class Graph:
    """A configuration with its arguments chosen.

    Attributes:
        values: of all arguments.
        environment: variables that the nodes need unless the user has set them.
        processes: in the order in which they are started.
    """

    values: Mapping[str, Value]
    environment: Mapping[str, str]
    processes: tuple[Process, ...]

    @property
    def namespace(self) -> str:
        """Of the first node; in a configuration that names one for every node, that of all."""
        return self.processes[0].namespace if self.processes else "/"


def parse_assignments(words: Sequence[str]) -> dict[str, str]:
    """Split words of the form `name:=value`.

    Raises:
        DescriptionError: a word has another form.
    """
    given = {}
    for word in words:
        name, sign, value = word.partition(":=")
        if not sign or not name:
            raise DescriptionError(f"{word!r} is no argument; write name:=value")
        given[name] = value
    return given


def resolve(configuration: Configuration, given: Mapping[str, str]) -> Graph:
    """Choose the arguments of a configuration.

    Args:
        configuration: as read.
        given: argument -> value as typed; the others keep their defaults.

    Raises:
        DescriptionError: an argument does not exist (the message lists those that do) or has a wrong value,
            or a parameter file does not exist or is none, or the namespace is no ROS name.
    """
    for name in given:
        if name not in configuration.arguments:
            known = ", ".join(configuration.arguments)
            raise DescriptionError(f"configuration {configuration.name!r} has no argument {name!r}; it has: {known}")
    values: dict[str, Value] = {
        name: argument.parse(given[name]) if name in given else argument.default
        for name, argument in configuration.arguments.items()
    }
    for argument in configuration.arguments.values():
        # ros2 launch gives all of them; what has its default says nothing.
        if values[argument.name] != argument.default and not _holds(argument.when, values):
            raise DescriptionError(
                f"argument {argument.name!r} is {values[argument.name]!r}; it counts {argument.when_in_words}"
            )
    scope = {**values, "config": str(configuration.directory)}
    chosen = (node for node in configuration.nodes if _holds(node.when, values))
    environment = {name: str(fill(value, scope)) for name, value in configuration.environment.items()}
    return Graph(values, environment, tuple(_process(node, scope, configuration.known) for node in chosen))


def references(value: Value) -> list[str]:
    """Names of the arguments that a value refers to."""
    return _REFERENCE.findall(value) if isinstance(value, str) else []


def fill(value: Value, scope: Mapping[str, Value]) -> Value:
    """Replace `$(name)` by its value. A value that is nothing but one reference keeps the argument's type."""
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    return scope[whole[1]] if whole else _REFERENCE.sub(lambda match: str(scope[match[1]]), value)


def _holds(when: Mapping[str, tuple[str, ...]], values: Mapping[str, Value]) -> bool:
    return all(str(values[name]) in allowed for name, allowed in when.items())


def _process(node: Node, scope: Mapping[str, Value], known: frozenset[str]) -> Process:
    files = [Path(path).expanduser().absolute() for path in (str(fill(x, scope)) for x in node.parameter_files) if path]
    for path in files:
        if not path.is_file():
            raise DescriptionError(f"parameter file {path} of node {node.name!r} does not exist")
        check_parameter_file(path, known)
    namespace = "/" + str(fill(node.namespace, scope)).strip("/")
    if not _NAMESPACE.fullmatch(namespace):
        raise DescriptionError(
            f"namespace {namespace!r} of node {node.name!r} is no ROS name; "
            "between slashes it must have letters, digits and '_', and begin with no digit"
        )
    return Process(
        package=node.package,
        executable=node.executable,
        name=node.name,
        namespace=namespace,
        log_level=str(fill(node.log_level, scope)),
        parameter_files=tuple(files),
        parameters={name: fill(value, scope) for name, value in node.parameters.items()},
        remappings={old: str(fill(new, scope)) for old, new in node.remappings.items()},
        respawn_delay=node.respawn_delay,
        terminal=node.terminal,
    )
