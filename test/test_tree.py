"""What holds for every Python file of the repository."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bench", "docker", "launch", "src", "test", "tools")
MOST_LINES = 400
ROS_HOST_ONLY = {"launch", "launch_ros"}
"""Imported on a ROS 2 host only: they are not on the package index."""


def python_files() -> list[Path]:
    return [*ROOT.glob("*.py"), *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))]


def locked() -> set[str]:
    """Names of the distributions in requirements.lock, normalised."""
    pins = re.findall(r"^\s*([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    return {normalise(pin) for pin in pins}


def normalise(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def top_level_imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(), str(path))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    from_ = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module}
    return {name.split(".")[0] for name in plain | from_}


def test_no_file_is_too_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files()}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_imports_are_locked():
    """A fresh clone gets what requirements.lock says, and not what happens to lie in somebody's .venv."""
    own = {path.stem for path in python_files()} | {"frs_setup", "frs_msgs"}
    own |= {path.parent.name for path in python_files() if path.name == "__init__.py"}
    distributions, pinned = packages_distributions(), locked()
    unlocked = {
        f"{path.relative_to(ROOT)} imports {name}, of {distributions.get(name, 'no distribution here')}"
        for path in python_files()
        for name in top_level_imports(path) - own - ROS_HOST_ONLY - sys.stdlib_module_names
        if not pinned & {normalise(distribution) for distribution in distributions.get(name, [])}
    }
    assert unlocked == set()
