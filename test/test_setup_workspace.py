"""When the workspace is built again, and when not."""

from pathlib import Path

import pytest

from frs_setup import workspace
from frs_setup.command import CommandError
from frs_setup.errors import SetupError
from frs_setup.places import Places


@pytest.fixture
def places(tmp_path) -> Places:
    """A tree with one package of messages and one of Python."""
    for name, text in {
        "tools/ros_wheels_fixup.cmake": "",
        "src/our_msgs/package.xml": "<package/>",
        "src/our_msgs/msg/A.msg": "int32 a",
        "src/ours/setup.py": "setup()",
        "src/ours/ours/__init__.py": "",
        "src/ours/ours/code.py": "",
        "src/ours/config/nodes.yaml": "a: 1",
        "src/ours/test/test_code.py": "",
    }.items():
        write(tmp_path / name, text)
    (tmp_path / "ros2_ws" / "src").mkdir(parents=True)
    for name in ("our_msgs", "ours"):
        (tmp_path / "ros2_ws" / "src" / name).symlink_to(f"../../src/{name}")
    return Places(tmp_path)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def colcon(places: Places, script: str) -> dict[str, str]:
    """Environment in which this script is colcon."""
    write(places.root / "bin" / "colcon", f"#!/bin/sh\n{script}\n")
    (places.root / "bin" / "colcon").chmod(0o755)
    return {"PATH": f"{places.root / 'bin'}:/usr/bin:/bin"}


def test_a_link_that_became_a_file_is_named(places):
    workspace.check_links(places)
    link = places.workspace / "src" / "ours"
    link.unlink()
    link.write_text("../../src/ours")  # as git leaves it where core.symlinks is false
    with pytest.raises(SetupError, match="ros2_ws/src/ours does not link to its package"):
        workspace.check_links(places)


BUILDS = "echo built; mkdir -p build install; echo x >> build/times; touch install/setup.bash"


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("src/our_msgs/msg/A.msg", True),
        ("src/our_msgs/srv/New.srv", True),
        ("src/ours/setup.py", True),
        ("src/ours/config/new.yaml", True),
        ("tools/ros_wheels_fixup.cmake", True),
        ("src/ours/config/nodes.yaml", False),
        ("src/ours/ours/code.py", False),
        ("src/ours/ours/new.py", False),
        ("src/ours/test/test_new.py", False),
    ],
)
def test_what_makes_it_build_again(places, changed, counts):
    before = workspace.wanted_stamp(places, "base")
    write(places.root / changed, "something else")
    assert (workspace.wanted_stamp(places, "base") != before) == counts


def test_builds_once(places, monkeypatch):
    environ = colcon(places, BUILDS)
    monkeypatch.setenv("PATH", environ["PATH"])
    assert not workspace.is_current(places, "base")
    workspace.build(places, "base", environ)
    assert workspace.is_current(places, "base")
    write(places.root / "src/our_msgs/msg/A.msg", "int64 a")
    assert not workspace.is_current(places, "base")
    workspace.build(places, "base", environ)
    assert (places.workspace / "build" / "times").read_text() == "x\nx\n", "built on what was there"


def test_other_packages_below_mean_a_build_from_nothing(places, monkeypatch):
    environ = colcon(places, BUILDS)
    monkeypatch.setenv("PATH", environ["PATH"])
    workspace.build(places, "base", environ)
    assert not workspace.is_current(places, "another base")
    workspace.build(places, "another base", environ)
    assert (places.workspace / "build" / "times").read_text() == "x\n"


def test_failure_shows_the_last_lines(places, monkeypatch):
    environ = colcon(places, f"{BUILDS}; echo 'A.msg: no such type int65'; exit 2")
    monkeypatch.setenv("PATH", environ["PATH"])
    with pytest.raises(CommandError, match="(?s)`colcon` failed with exit status 2.*no such type int65"):
        workspace.build(places, "base", environ)
    assert not workspace.is_current(places, "base")
