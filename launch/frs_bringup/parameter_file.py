"""A parameter file of ROS nodes, checked before anything is started: rcl tells a mistake once a node and start."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import yaml

from frs_bringup.errors import DescriptionError

_PARAMETERS = "ros__parameters"


_ANY = ("*", "**")
"""Last words of a section that stands for whatever nodes there are."""


def check_parameter_file(path: Path, nodes: Collection[str]) -> None:
    """Check that a file is YAML of the form NODE: {ros__parameters: {NAME: VALUE}}, however deep its namespaces.

    Whatever rcl would pass over in silence is refused: a limit that does not hold is worse than none.

    Args:
        path: of the file.
        nodes: names of all nodes that a section may be of.

    Raises:
        DescriptionError: it can't be read, is of another form, has a section of a node that there is not, or says
            something twice; the message names the file and the line.
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
        _check_twice(content, path)
        _check(content, path, nodes, ())


def _check(found: yaml.Node, path: Path, nodes: Collection[str], keys: tuple[str, ...]) -> None:
    """Check what stands under these keys, from the outermost one inwards."""
    name = keys[-1] if keys else "the file"
    if not isinstance(found, yaml.MappingNode):
        right = "a mapping of parameters" if name == _PARAMETERS else f"a mapping, of nodes and their {_PARAMETERS}"
        raise DescriptionError(f"{_place(found, path)}: {name} must be {right}")
    if name == _PARAMETERS:
        section = "/".join(keys[:-1])
        node = section.rpartition("/")[2]
        if node not in (*nodes, *_ANY):
            known = ", ".join(sorted(nodes))
            raise DescriptionError(f"{_place(found, path)}: section {section!r} is of no node; there are: {known}")
        return
    for key, value in found.value:
        _check(value, path, nodes, (*keys, str(key.value)))


def _check_twice(found: yaml.Node, path: Path) -> None:
    """Check that no key stands twice in a mapping, or in one within it: YAML's readers take the last."""
    if not isinstance(found, yaml.MappingNode):
        return
    known: set[str] = set()
    for key, value in found.value:
        if str(key.value) in known:
            raise DescriptionError(f"{_place(key, path)}: {key.value!r} is given twice")
        known.add(str(key.value))
        _check_twice(value, path)


def _place(found: yaml.Node, path: Path) -> str:
    return f"parameter file {path}, line {found.start_mark.line + 1}"
