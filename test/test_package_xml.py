"""Each package.xml names what its package imports, by keys that rosdep knows: a ROS 2 host gets nothing else."""

import ast
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = {
    "src/frs_steering": "frs_steering",
    "src/frs_sim": "frs_sim",
    "src/frs_teleop_cli": "frs_teleop_cli",
    "launch": "frs_bringup",
}
"""Folder of each Python package, and its name."""

PYTHON_KEYS = {
    "PIL": "python3-pil",
    "cv2": "python3-opencv",
    "duckdb": "python-duckdb-pip",
    "franky_sim": "python3-franky-sim-pip",
    "hypothesis": "python3-hypothesis",
    "imageio_ffmpeg": "python3-imageio-ffmpeg-pip",
    "matplotlib": "python3-matplotlib",
    "mcap": "mcap-ros2-support",
    "mcap_ros2": "mcap-ros2-support",
    "mujoco": "python3-mujoco-pip",
    "numpy": "python3-numpy",
    "pytest": "python3-pytest",
    "rich": "python3-textual-pip",
    "rosbags": "python3-rosbags-pip",
    "safetensors": "python3-safetensors-pip",
    "textual": "python3-textual-pip",
    "torch": "python3-pytorch-pip",
    "tqdm": "python3-tqdm",
    "yaml": "python3-yaml",
    "zstandard": "mcap-ros2-support",
}
"""Rosdep key by the name that is imported. What a package brings along has its key: mcap's closure, textual's rich."""

IN_ROSDISTRO = {
    "mcap-ros2-support", "python-duckdb-pip", "python3-hypothesis", "python3-matplotlib", "python3-mujoco-pip",
    "python3-numpy", "python3-opencv", "python3-pil", "python3-pytest", "python3-pytorch-pip", "python3-rosbags-pip",
    "python3-textual-pip", "python3-tqdm", "python3-yaml",
}  # fmt: skip
"""Keys that were looked up in rosdep/python.yaml of github.com/ros/rosdistro; a new one comes here once it was, too."""

ONLY_STARTED = {"frs_bringup": {"frs_teleop_cli", "ros2launch"}}
"""Declared though never imported: the package starts them, or is started by them."""


def imported(files: list[Path]) -> set[str]:
    """Top-level names that files import, or look for with find_spec."""
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(), str(path)))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    names |= {
        node.args[0].value
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "find_spec"
        if isinstance(node.args[0], ast.Constant)
    }
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names


def keys(files: list[Path], own: set[str]) -> set[str]:
    """Rosdep keys of what files import; a ROS package's is its name."""
    return {PYTHON_KEYS.get(name, name) for name in imported(files) - own}


def declared(package_xml: Path, *tags: str) -> set[str]:
    root = ElementTree.parse(package_xml).getroot()
    return {str(element.text) for tag in tags for element in root.iter(tag)}


@pytest.mark.parametrize("folder", PACKAGES)
def test_package_xml_names_what_is_imported(folder: str) -> None:
    name, xml = PACKAGES[folder], ROOT / folder / "package.xml"
    code = [*(ROOT / folder / name).rglob("*.py"), *(ROOT / folder).glob("*.launch.py")]
    needed = keys(code, {name}) | ONLY_STARTED.get(name, set())
    assert declared(xml, "depend", "exec_depend") == needed
    tests = list((ROOT / folder / "test").glob("*.py"))
    helpers = {path.stem for other in PACKAGES for path in (ROOT / other / "test").glob("*.py")}
    own = helpers | set(PACKAGES.values())
    assert declared(xml, "test_depend") == keys(tests, own) - needed


def test_every_key_has_a_rule() -> None:
    rules = yaml.safe_load((ROOT / "ros2_ws" / "rosdep.yaml").read_text())
    found = {
        key
        for folder in PACKAGES
        for key in declared(ROOT / folder / "package.xml", "depend", "exec_depend", "test_depend")
    }
    python = {key for key in found if "-" in key}  # a ROS package's name has none
    assert python - IN_ROSDISTRO == set(rules)
    assert not set(rules) & IN_ROSDISTRO
    for rule in rules.values():
        for system in ("debian", "ubuntu"):
            assert rule[system]["pip"]["packages"]
