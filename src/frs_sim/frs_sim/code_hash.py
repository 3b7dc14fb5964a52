"""A fingerprint of the code that an episode is made by, so that rows of another version are never taken for its own."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import mujoco
import numpy as np
import torch

import frs_sim
import frs_steering

PACKAGES = {package.__name__: Path(package.__path__[0]) for package in (frs_sim, frs_steering)}
"""What belongs to the code: package -> its folder."""
ENTRIES = ("frs_sim.evaluation", "frs_sim.workshop")
"""Where it begins: how an episode is run, and what it is run with."""


def code_hash(entries: Sequence[str] = ENTRIES, packages: Mapping[str, Path] = PACKAGES) -> str:
    """12 hexadecimal digits over `modules(entries, packages)` and the versions of the libraries that decide outcomes.

    Comments, docstrings and layout do not count.
    """
    digest = hashlib.sha256(repr(_libraries()).encode())
    for name, tree in sorted(modules(entries, packages).items()):
        digest.update(f"\n{name}\n{ast.dump(_without_docstrings(tree))}".encode())
    return digest.hexdigest()[:12]


def _libraries() -> dict[str, str]:
    # The last brings the robot's model.
    return {
        "mujoco": mujoco.__version__,
        "numpy": np.__version__,
        "torch": torch.__version__,
        "opencv": cv2.__version__,
        "franky-sim": importlib.metadata.version("franky-sim"),
    }


def modules(entries: Sequence[str], packages: Mapping[str, Path]) -> dict[str, ast.Module]:
    """Name -> syntax tree of `entries` and all that it imports of the packages, inside functions too, at any depth."""
    found: dict[str, ast.Module] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in found and (path := _source(name, packages)) is not None:
            tree = found[name] = ast.parse(path.read_text(), str(path))
            waiting += [name.rpartition(".")[0], *_imports(tree)]
    return found


def _source(name: str, packages: Mapping[str, Path]) -> Path | None:
    """The file of a module, found without importing it; None where there is none: the name is of something inside."""
    package, *rest = name.split(".")
    if package not in packages:
        return None
    path = packages[package].joinpath(*rest)
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _imports(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A text that stands alone is a docstring, of whatever comes before or after it.
            kept = [x for x in body if not (isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant))]
            node.body = kept  # type: ignore[attr-defined] # the kinds of nodes with a body have no name in common
    return tree
