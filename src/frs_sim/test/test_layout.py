"""Where things lie at the start: on the table, apart, decided by the seed alone."""

import math

import numpy as np
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from frs_sim.layout import TABLE, Pose, holder, lay_out
from frs_sim.objects import THINGS
from frs_sim.tasks import TASKS, find_task

NAMES = st.sampled_from(sorted(TASKS))
SEEDS = st.integers(0, 2**32 - 1)


def circles(name: str, pose: Pose) -> list[tuple[float, float, float]]:
    x, y, _, yaw = pose
    turn = complex(math.cos(yaw), math.sin(yaw))
    spots = [(complex(x, y) + turn * complex(dx, dy), radius) for dx, dy, radius in THINGS[name].footprint]
    return [(spot.real, spot.imag, radius) for spot, radius in spots]


@given(NAMES, SEEDS)
@run(max_examples=200)
def test_things_lie_on_the_table_and_apart(name: str, seed: int) -> None:
    task = find_task(name)
    poses = lay_out(task, np.random.default_rng(seed)).poses
    assert set(task.things) <= set(poses)
    free = {key: pose for key, pose in poses.items() if not holder(task, key)}
    for key, (x, y, *_) in free.items():
        (x0, x1), (y0, y1) = THINGS[key].area or TABLE
        assert x0 <= x <= x1 and y0 - 0.01 <= y <= y1 + 0.01  # the place of a push lies up to 1 cm aside of the box
    pushed = {"box", "mat"} if name == "push_box" else set()
    for one in free:
        for other in free:
            if one < other and {one, other} != pushed:
                for x, y, radius in circles(one, free[one]):
                    for ox, oy, oradius in circles(other, free[other]):
                        assert math.hypot(x - ox, y - oy) > radius + oradius


@given(NAMES, SEEDS)
@run(max_examples=50)
def test_the_seed_decides_the_layout(name: str, seed: int) -> None:
    task = find_task(name)
    first, again, other = (lay_out(task, np.random.default_rng(s)) for s in (seed, seed, seed + 1))
    assert first == again
    assert first != other


@given(NAMES, SEEDS)
@run(max_examples=50)
def test_held_things_stand_in_their_holders(name: str, seed: int) -> None:
    task = find_task(name)
    poses = lay_out(task, np.random.default_rng(seed)).poses
    for thing, pose in poses.items():
        if fixture := holder(task, thing):
            assert pose[:2] == poses[fixture][:2]


def test_shades_stay_near_the_colours_that_the_instructions_name() -> None:
    shades = lay_out(find_task("stack_cups"), np.random.default_rng(3)).shades
    assert {"table", "red_cup", "green_cup"} <= set(shades)
    assert all(0.75 < factor < 1.25 for shade in shades.values() for factor in shade)
