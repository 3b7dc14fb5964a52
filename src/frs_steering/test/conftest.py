"""What the tests of the policy's side share: real node processes, a cell for them, and a small policy's weights."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from ament_index_python.packages import get_package_prefix
from arm_stand_in import ArmStandIn
from cell_stand_in import CellStandIn, Start

from frs_steering.policies import embedded


@pytest.fixture
def start_node(procs: Callable[..., Any]) -> Start:
    """Start a node of this package by its executable's name, with parameters as keywords."""

    return lambda name, **parameters: procs(*_command(name, **parameters))


@pytest.fixture(scope="module")
def policy_node(weights: Path) -> Iterator[None]:
    """`vla_inference` with random weights, started once for all tests of a module: it takes a while."""
    process = subprocess.Popen(_command("vla_inference", weights=weights))
    yield
    process.terminate()
    try:
        process.wait(30)
    finally:
        process.kill()


@pytest.fixture
def cell(ros: ModuleType) -> Iterator[CellStandIn]:
    """Cameras, joint states and an arm that drives chunks by the tick."""
    stand_in = CellStandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def arm(ros: ModuleType) -> Iterator[ArmStandIn]:
    """An arm that obeys."""
    stand_in = ArmStandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of the embedded policy with random weights: it makes chunks, if not clever ones."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("policy") / "random.safetensors"
    embedded.save(embedded.Network(embedded.NetworkConfig()), path)
    return path


def _command(name: str, **parameters: object) -> list[str]:
    executable = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / name
    given = [word for key, value in parameters.items() for word in ("-p", f"{key}:={_yaml(value)}")]
    return [str(executable), "--ros-args", *given]


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
