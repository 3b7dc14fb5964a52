"""Sights: scattered things, written once, read as training reads them."""

from pathlib import Path

import numpy as np

from frs_sim.objects import THINGS
from frs_sim.scene import CAMERAS
from frs_sim.sight import VIEWS, scatter
from frs_steering.learn.demonstrations import load_sights
from frs_steering.robot.kinematics import tcp_pose


def test_scenes_are_written_read_and_not_made_twice(tmp_path: Path) -> None:
    shards = scatter(30, tmp_path, seed=3, jobs=1)
    made = [path.stat().st_mtime_ns for path in shards]
    assert scatter(30, tmp_path, seed=3, jobs=1) == shards
    assert [path.stat().st_mtime_ns for path in shards] == made

    sights = load_sights(shards, tuple(CAMERAS))
    assert len(sights) == 30 * VIEWS
    assert sights.images.shape == (len(sights), 2, 64, 64, 3)
    seen = ~sights.things[..., 0].isnan().numpy()
    assert set(np.array(list(THINGS))[seen.any(0)]) == set(THINGS)
    tcp = tcp_pose(sights.joint_position.double().numpy())[:, :3, 3]
    assert (tcp[:, 2] > 0.025).all()
    at = sights.things.numpy() + tcp[:, None]
    assert ((np.abs(at[seen][:, 1]) < 0.3) & (at[seen][:, 2] > -0.01) & (at[seen][:, 2] < 0.2)).all()


def test_two_looks_at_one_scene_agree_on_where_things_are(tmp_path: Path) -> None:
    sights = load_sights(scatter(5, tmp_path, seed=4, jobs=1), tuple(CAMERAS))
    tcp = tcp_pose(sights.joint_position.double().numpy())[:, :3, 3]
    at = sights.things.numpy() + tcp[:, None]
    np.testing.assert_allclose(at[::VIEWS], at[1::VIEWS], atol=1e-3)
    assert not np.array_equal(sights.images[0], sights.images[1])
