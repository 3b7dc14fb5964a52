"""The arrows of the architecture: who may import whom, and that the core never needs ROS."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STEERING = ROOT / "src" / "frs_steering" / "frs_steering"

ROS = re.compile(r"(rclpy|rcl_\w+|\w+_msgs|\w+_srvs|\w+_interfaces)(\.|$)")

CORE = {
    "flow": set(),
    "robot": set(),
    "policies": {"flow", "robot"},
    "arm": {"flow", "policies", "robot"},
    "health": {"arm", "record"},
    "learn": {"flow", "policies", "record", "robot", "steer"},
    "record": {"flow", "policies", "robot", "steer"},
    "steer": {"flow", "policies", "robot"},
}
"""Each part of frs_steering that knows nothing of ROS, and the parts that it may import."""

PACKAGES = {
    "src/frs_steering/frs_steering": set(),
    "src/frs_sim/frs_sim": {"frs_steering"},
    "src/frs_teleop_cli/frs_teleop_cli": {"frs_steering"},
    "launch/frs_bringup": {"frs_sim", "frs_steering", "frs_teleop_cli"},
}
"""Each package's Python folder, and the packages of ours that it may import (frs_msgs stands below them all)."""

IMPORT_ALL_WITHOUT_ROS = """
import importlib, importlib.abc, pkgutil, re, sys, traceback

class NoRos(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if re.match(sys.argv[1], name):
            raise ImportError(f"{name} is refused here")

sys.meta_path.insert(0, NoRos())
failed = 0
for part in sys.argv[2:]:
    names = [f"frs_steering.{part}"]
    package = importlib.import_module(names[0])
    names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{names[0]}.")]
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            failed += 1
            print(name, traceback.format_exc(limit=-2), sep=": ")
sys.exit(failed)
"""


def imported_modules(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; name the module in full"
            # `from frs_steering import steer` names a module by what it imports
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offences(folder: Path, forbidden: re.Pattern[str]) -> list[str]:
    """Lines "file imports module" for every import in a folder that the pattern matches."""
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(folder.rglob("*.py"))
        for module in imported_modules(path)
        if forbidden.match(module)
    ]


def test_every_part_of_the_core_is_in_the_table():
    parts = {folder.name for folder in STEERING.iterdir() if (folder / "__init__.py").is_file()}
    assert parts == {*CORE, "nodes"}


@pytest.mark.parametrize("part", CORE)
def test_core_names_no_ros(part):
    assert offences(STEERING / part, ROS) == []


@pytest.mark.parametrize("part", CORE)
def test_core_arrows(part):
    others = "|".join(sorted({*CORE, "nodes"} - CORE[part] - {part}))
    assert offences(STEERING / part, re.compile(rf"frs_steering\.({others})(\.|$)")) == []


@pytest.mark.parametrize("folder", PACKAGES)
def test_package_arrows(folder):
    ours = {Path(package).name for package in PACKAGES}
    others = "|".join(sorted(ours - PACKAGES[folder] - {Path(folder).name}))
    if others:
        assert offences(ROOT / folder, re.compile(rf"({others})(\.|$)")) == []


def test_core_imports_where_there_is_no_ros():
    command = [sys.executable, "-c", IMPORT_ALL_WITHOUT_ROS, ROS.pattern, *CORE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_sees_offenders(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "a.py").write_text(
        "import json\ndef f():\n    from std_srvs.srv import Trigger\n    import rclpy.node\n"
    )
    assert offences(tmp_path, ROS) == ["a.py imports std_srvs.srv.Trigger", "a.py imports rclpy.node"]
