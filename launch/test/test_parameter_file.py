"""Tests of frs_bringup.parameter_file."""

from __future__ import annotations

from pathlib import Path

import pytest

from frs_bringup.description_file import load
from frs_bringup.errors import DescriptionError
from frs_bringup.parameter_file import check_parameter_file
from frs_bringup.places import config_directory

NODES = ("arm", "sim")
RIGHT = (
    "",
    "{}",
    "/**:\n  ros__parameters: {a: 1}\n",
    "lab:\n  sim:\n    ros__parameters:\n      a: {b: [1, 2]}\n",
    "/**/arm:\n  ros__parameters: {a: 1}\n/left/arm:\n  ros__parameters: {a: 2}\nsim:\n  ros__parameters: {a: 1}\n",
    "/left/*:\n  ros__parameters: {a: 1}\n",
)


@pytest.mark.parametrize("text", RIGHT)
def test_what_ros_reads_passes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    check_parameter_file(path, NODES)


def test_the_installed_ones_pass() -> None:
    for name in ("sim", "fr3"):
        check_parameter_file(config_directory() / f"{name}_parameters.yaml", load(name, config_directory()).known)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sim:\n  ros__parameters: {a: [1}\n", r"mine.yaml, line 2: expected ',' or '\]'"),
        ("sim:\n\tros__parameters:\n", r"mine.yaml, line 2: found character"),
        ("a: b: c\n", r"mine.yaml, line 1: mapping values are not allowed here"),
        ("just words\n", r"mine.yaml, line 1: the file must be a mapping, of nodes and their ros__parameters"),
        ("sim:\n  seed: 3\n", r"mine.yaml, line 2: seed must be a mapping, of nodes and their ros__parameters"),
        ("sim:\n  ros__parameters: 3\n", r"mine.yaml, line 2: ros__parameters must be a mapping of parameters"),
        (
            "/**/amr:\n  ros__parameters: {a: 1}\n",
            r"mine.yaml, line 2: section '/\*\*/amr' is of no node; .*: arm, sim",
        ),
        ("lab:\n  arm:\n    left:\n      ros__parameters: {}\n", r"mine.yaml, line 4: section 'lab/arm/left' is of no"),
        ("ros__parameters: {a: 1}\n", r"mine.yaml, line 1: section '' is of no node; there are: arm, sim"),
        ("sim:\n  ros__parameters:\n    a: 0.1\n    b: 2\n    a: 1.5\n", r"mine.yaml, line 5: 'a' is given twice"),
        ("sim:\n  ros__parameters: {a: {b: 1, b: 2}}\n", r"mine.yaml, line 2: 'b' is given twice"),
        ("sim:\n  ros__parameters: {}\nsim:\n  ros__parameters: {}\n", r"mine.yaml, line 3: 'sim' is given twice"),
        ("a: 1\0", r"mine.yaml can't be read: unacceptable character"),
    ],
)
def test_a_wrong_one_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(DescriptionError, match=message) as caught:
        check_parameter_file(path, NODES)
    assert len(str(caught.value).splitlines()) == 1
