"""A parameter file of ROS nodes, checked before anything is started: rcl tells a mistake once a node and start."""

from __future__ import annotations

from pathlib import Path

import yaml

from frs_bringup.errors import DescriptionError

_PARAMETERS = "ros__parameters"


def check_parameter_file(path: Path) -> None:
    """Check that a file is YAML of the form NODE: {ros__parameters: {NAME: VALUE}}, however deep its namespaces.

    Raises:
        DescriptionError: it can't be read, or is of another form; the message names the file and the line.
    """
    try:
        content = yaml.compose(path.read_text(), yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise DescriptionError(f"parameter file {path}{line}: {error.problem or error.context}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DescriptionError(f"parameter file {path} can't be read: {' '.join(str(error).split())}") from None
    if content is not None:
        _check(content, path, "the file")


def _check(found: yaml.Node, path: Path, name: str) -> None:
    if not isinstance(found, yaml.MappingNode):
        right = "a mapping of parameters" if name == _PARAMETERS else f"a mapping, of nodes and their {_PARAMETERS}"
        line = found.start_mark.line + 1
        raise DescriptionError(f"parameter file {path}, line {line}: {name} must be {right}")
    if name == _PARAMETERS:
        return
    for key, value in found.value:
        _check(value, path, str(key.value))
