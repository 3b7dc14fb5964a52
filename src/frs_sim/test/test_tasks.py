"""The tasks' layouts and success tests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frs_sim.objects import THINGS
from frs_sim.tasks import DEMO, HELD_OUT, TABLE_X, TABLE_Y, TASKS, TRAINING, TaskError, find_task, is_done, lay_out


@given(st.sampled_from(sorted(TASKS)), st.integers(0, 2**31))
@settings(max_examples=200, deadline=None)
def test_things_lie_on_the_table_and_apart(name: str, seed: int) -> None:
    task = find_task(name)
    poses = lay_out(task, np.random.default_rng(seed)).poses
    assert {task.object, task.place, *task.places} <= set(poses)
    free = [(key, pose) for key, pose in poses.items() if key != task.object or not task.start_in]
    for i, (key, (x, y, *_)) in enumerate(free):
        assert TABLE_X[0] <= x <= TABLE_X[1] and TABLE_Y[0] <= y <= TABLE_Y[1]
        for other, (ox, oy, *_) in free[i + 1 :]:
            assert np.hypot(x - ox, y - oy) > THINGS[key].clearance + THINGS[other].clearance


@given(st.sampled_from(sorted(TASKS)), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_the_seed_decides_the_layout(name: str, seed: int) -> None:
    task = find_task(name)
    first, again, other = (lay_out(task, np.random.default_rng(s)) for s in (seed, seed, seed + 1))
    assert first == again
    assert first != other


def test_no_demonstration_shows_a_held_out_task() -> None:
    assert not set(TRAINING) & set(HELD_OUT)
    taught = {(TASKS[name].object, TASKS[name].place) for name in TRAINING}
    instructions = {TASKS[name].instruction for name in TRAINING}
    for name in HELD_OUT:
        assert (TASKS[name].object, TASKS[name].place) not in taught
        assert TASKS[name].instruction not in instructions


def test_the_demos_behaviour_is_taught_and_its_sentence_is_not() -> None:
    demo, taught = TASKS[DEMO], [TASKS[name] for name in TRAINING]
    assert (demo.object, demo.place) in {(task.object, task.place) for task in taught}
    assert demo.instruction not in {task.instruction for task in taught}


def test_done_means_at_the_place_and_resting() -> None:
    task = find_task("egg_on_plate")
    plate = np.array([0.5, 0.0, 0.0])
    rest = THINGS["plate"].top + THINGS["egg"].rest_height
    assert is_done(task, np.array([0.5, 0.0, rest]), plate)
    assert not is_done(task, np.array([0.5, 0.0, rest + 0.1]), plate)  # above it
    assert not is_done(task, np.array([0.5, 0.09, rest]), plate)  # beside it
    assert not is_done(task, np.array([0.5, 0.0, -0.5]), plate)  # fallen


def test_an_unknown_task_lists_the_names() -> None:
    with pytest.raises(TaskError, match=r"no task is called 'fly'; there are: egg_on_plate, .*ring_on_stand"):
        find_task("fly")
