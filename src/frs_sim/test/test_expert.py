"""The scripted experts solve the tasks; the oracle says no more than a person could."""

import numpy as np
import pytest

from frs_sim.cell import CONTROL_RATE, Cell
from frs_sim.expert import Phase, act, imagine, plan
from frs_sim.oracle import LEAST, oracle
from frs_sim.tasks import TASKS
from frs_steering.robot.kinematics import joint_velocity
from frs_steering.steer.guidance import DIRECTIONS, GripperWish


@pytest.mark.parametrize("task", TASKS)
def test_the_expert_solves_the_task(task: str) -> None:
    cell = Cell(task, 11)
    while cell.steps < cell.task.step_limit and not cell.success:
        truth = cell.truth()
        action = act(plan(cell.task, truth), truth)
        assert np.linalg.norm(action[:3]) <= 0.2 + 1e-9
        cell.step(joint_velocity(cell.joint_position, action[:6]), action[6])
    assert cell.success


def test_the_oracle_gives_one_cardinal_direction_or_defers() -> None:
    allowed = set(DIRECTIONS.values())
    seen = set()
    for seed in range(3):
        cell = Cell("egg_in_basket", seed)
        while not cell.success and cell.steps < cell.task.step_limit:
            truth = cell.truth()
            wish = oracle(cell.task, truth)
            seen.add(wish.defer)
            if not wish.defer:
                assert wish.direction in allowed and LEAST <= wish.amount <= 1.0
            assert wish.gripper is GripperWish.KEEP
            action = act(plan(cell.task, truth), truth)
            cell.step(joint_velocity(cell.joint_position, action[:6]), action[6])
    assert seen == {True, False}


def test_the_oracle_points_to_where_the_object_is() -> None:
    cell = Cell("egg_in_basket", 3)
    wish, truth = oracle(cell.task, cell.truth()), cell.truth()
    error = truth.positions["egg"] - truth.tcp_position
    assert not wish.defer
    assert np.dot(wish.direction, error) > 0.03


@pytest.mark.parametrize(("task", "way"), [("open_drawer", -1.0), ("close_drawer", 1.0)])
def test_around_the_knob_the_oracle_says_whether_to_pull_or_to_push(task: str, way: float) -> None:
    cell = Cell(task, 2)
    while (wanted := plan(cell.task, truth := cell.truth())).phase is not Phase.GRASP:
        action = act(wanted, truth)
        cell.step(joint_velocity(cell.joint_position, action[:6]), action[6])
    assert oracle(cell.task, truth).direction == (way, 0.0, 0.0)


def test_what_the_expert_imagines_is_what_it_then_does() -> None:
    """The label of a frame is the chunk that follows where nothing disturbs."""
    cell = Cell("egg_in_basket", 1)
    imagined, done = [], []
    while not cell.success and cell.steps < cell.task.step_limit:
        chunk = imagine(cell.task, cell.truth(), 16, 1.0 / CONTROL_RATE)
        imagined.append(chunk)
        done.append(chunk[0])
        cell.step(joint_velocity(cell.joint_position, chunk[0, :6]), chunk[0, 6])
    assert cell.success
    ahead = 8
    error = np.abs([chunk[ahead] - done[i + ahead] for i, chunk in enumerate(imagined[:-ahead])])
    assert error[:, :3].mean() < 0.01  # m/s, of 0.2
    assert error[:, 6].mean() < 0.05  # gripper
