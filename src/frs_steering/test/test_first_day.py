"""The limits of the first day, as docs/hardware.md gives them: what that page says of them is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import arm_bench
import numpy as np
import pytest
import yaml
from arm_bench import Bench

from frs_steering.nodes.arm_controller import ArmControllerParameters, settings_from

PAGE = Path(__file__).parents[3] / "docs" / "hardware.md"
LEASE = 0.3
"""s, flow_steering's own."""
RESTS = 1e-9
"""rad/s: less is rounding."""


@pytest.fixture
def given() -> dict[str, Any]:
    """The parameters of the page's step 4, by node."""
    (example,) = (text for text in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.S) if "joint_speed" in text)
    return {node: section["ros__parameters"] for node, section in yaml.safe_load(example).items()}


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("axis", range(6))
def test_the_arm_rests_half_a_second_after_the_last_renewal(
    given: dict[str, Any], axis: int, sign: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_from(ArmControllerParameters(**given["/**/arm_controller"]), first_epoch=40)
    monkeypatch.setattr(arm_bench, "SETTINGS", settings)
    bench = Bench()
    assert bench.execution.reset()[0], "a real arm starts stopped"
    bench.claimed()
    rows = np.zeros((16, 7))
    rows[:, axis] = sign
    bench.send(1, values=rows.ravel(), lease=LEASE)
    for _ in range(8):
        bench.step()
        assert bench.execution.renew(bench.epoch, 1, LEASE, bench.now)
    renewed = bench.now
    assert np.abs(bench.velocity).max() > RESTS
    while np.abs(bench.velocity).max() > RESTS:
        bench.step()
    assert bench.now - renewed < 0.47


def test_the_driver_brakes_no_slower_than_the_gate_reckons(given: dict[str, Any]) -> None:
    driver, controller = given["/**/franky_driver"], given["/**/arm_controller"]
    assert driver["joint_acceleration"] >= controller["joint_acceleration"]
