"""The fingerprint of the code: what changes it, and what does not."""

import importlib.metadata
from pathlib import Path
from typing import Any

import cv2
import mujoco
import numpy as np
import pytest
import torch

from frs_sim.code_hash import ENTRIES, PACKAGES, code_hash, modules

FILES = {
    "one/__init__.py": "",
    "one/main.py": "from two.deep.part import f\n\ndef run() -> int:\n    from two import lazy\n    return f()\n",
    "one/unused.py": "X = 1\n",
    "two/__init__.py": "",
    "two/deep/__init__.py": "",
    "two/deep/part.py": '"""What it is."""\n\ndef f() -> int:\n    """What it does."""\n    return 1  # one\n',
    "two/lazy.py": "import numpy\n\nY = 1\n",
}


@pytest.fixture
def packages(tmp_path: Path) -> dict[str, Path]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return {"one": tmp_path / "one", "two": tmp_path / "two"}


def hash_after(packages: dict[str, Path], file: str, old: str, new: str) -> str:
    path = packages["one"].parent / file
    path.write_text(path.read_text().replace(old, new, 1))
    return code_hash(["one.main"], packages)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("one/main.py", "return f()", "return f() + 1"), ("two/deep/part.py", "return 1", "return 2"),
     ("two/lazy.py", "Y = 1", "Y = 2"), ("two/deep/__init__.py", "", "Z = 1")],
)  # fmt: skip
def test_code_that_is_run_counts(packages: dict[str, Path], file: str, old: str, new: str) -> None:
    assert code_hash(["one.main"], packages) != hash_after(packages, file, old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("two/deep/part.py", "What it does", "What it really does"), ("two/deep/part.py", "# one", "# 1"),
     ("two/deep/part.py", "What it is", "What else it is"), ("one/unused.py", "1", "2")],
)  # fmt: skip
def test_texts_and_other_code_do_not(packages: dict[str, Path], file: str, old: str, new: str) -> None:
    assert code_hash(["one.main"], packages) == hash_after(packages, file, old, new)


@pytest.mark.parametrize("library", [cv2, mujoco, np, torch])
def test_libraries_count(packages: dict[str, Path], library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(["one.main"], packages)
    monkeypatch.setattr(library, "__version__", "0.0")
    assert code_hash(["one.main"], packages) != before


def test_the_robots_model_counts(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_hash(["one.main"], packages)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0")
    assert code_hash(["one.main"], packages) != before


def test_all_of_an_episode_is_covered_and_nothing_that_only_shows_it() -> None:
    found = set(modules(ENTRIES, PACKAGES))
    assert found >= {
        "frs_sim.cell", "frs_sim.scene", "frs_sim.tasks", "frs_sim.workshop", "frs_steering.steer.sources.frs",
        "frs_steering.flow", "frs_steering.arm.gate", "frs_steering.policies.embedded.network",
        "frs_steering.robot.kinematics",
    }  # fmt: skip
    assert not found & {"frs_sim.eval_plots", "frs_sim.eval_command"}
    assert not any(".nodes" in name for name in found)
