"""What the configuration `sim` tells the operator's view about the exterior camera is what the simulation has."""

from __future__ import annotations

import yaml

from frs_bringup.places import config_directory
from frs_sim.scene import EXTERIOR


def test_the_view_knows_where_the_simulated_camera_stands() -> None:
    sections = yaml.safe_load((config_directory() / "sim_parameters.yaml").read_text())
    given = sections["/**/camera_view"]["ros__parameters"]
    assert tuple(given["exterior_position"]) == EXTERIOR.position
    assert tuple(given["exterior_target"]) == EXTERIOR.target
    assert given["exterior_fovy"] == EXTERIOR.fovy
