"""The cell's physics, drive, cameras and judgement."""

import numpy as np
import pytest

from frs_sim.cell import ACCELERATION, CONTROL_RATE, SUCCESS_HOLD, Cell, Eyes
from frs_sim.poses import reach
from frs_sim.scene import TIMESTEP
from frs_sim.tasks import HELD_OUT
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import pose_and_jacobian, tcp_pose


@pytest.fixture(scope="module")
def cell() -> Cell:
    return Cell("egg_in_basket", 0)


def test_the_same_seed_gives_the_same_scene(cell: Cell) -> None:
    cell.reset("egg_in_basket", 5)
    first = cell.data.qpos.copy()
    cell.reset("stack_cups", 6)
    other = cell.data.qpos.copy()
    cell.reset("egg_in_basket", 5)
    np.testing.assert_array_equal(cell.data.qpos, first)
    assert np.abs(other - first).max() > 0.01


def test_the_arm_rests_at_the_reset_pose_and_its_tcp_is_where_kinematics_says(cell: Cell) -> None:
    cell.reset("egg_in_basket", 1)
    assert np.abs(cell.joint_position - RESET_POSITION).max() < 0.1
    assert np.abs(cell.joint_velocity).max() < 0.01
    np.testing.assert_allclose(cell.truth().tcp_position, tcp_pose(cell.joint_position)[:3, 3], atol=1e-4)
    assert cell.gripper == pytest.approx(0.0, abs=0.01)


def test_the_drive_follows_a_velocity_and_ramps_within_the_acceleration_limit(cell: Cell) -> None:
    cell.reset("egg_in_basket", 2)
    wanted = np.array([0.4, 0.0, 0.0, -0.3, 0.0, 0.0, 0.5])
    before, speeds = cell.joint_position, []
    cell.send(wanted)
    for _ in range(100):
        cell.advance(0.01)
        speeds.append(cell.joint_velocity)
    np.testing.assert_allclose(speeds[-1], wanted, atol=0.03)
    np.testing.assert_allclose(cell.joint_position - before, wanted * 1.0, atol=0.05)
    assert np.abs(np.diff(speeds, axis=0)).max() / 0.01 < 1.5 * ACCELERATION
    cell.send(np.zeros(7))
    cell.advance(0.3)
    assert np.abs(cell.joint_velocity).max() < 0.02


def test_at_rest_the_arm_is_where_its_commands_add_up_to(cell: Cell) -> None:
    cell.reset("egg_in_basket", 2)
    rng = np.random.default_rng(0)
    commanded, velocity, wish = cell.joint_position, np.zeros(7), np.zeros(7)
    for step in range(160):
        if step % 8 == 0:
            wish = rng.uniform(-0.4, 0.4, 7) if step < 144 else np.zeros(7)
        velocity = velocity + np.clip(wish - velocity, -0.5, 0.5)  # rad/s, as the gate's 8 rad/s^2 allow
        commanded = commanded + velocity / CONTROL_RATE
        cell.step(velocity, 0.0)
    np.testing.assert_allclose(cell.joint_position, commanded, atol=2e-3)  # rad, the servos lag under the weight


@pytest.mark.parametrize(
    ("old", "new"),  # rad/s; ramped joint by joint, the hand was 0.06 to 0.07 m/s faster in between than at either
    [
        ((-0.25, 0.15, -0.03, 0.16, 0.63, -0.22, 0.83), (-0.08, -0.04, 0.14, -0.03, -0.04, 0.04, 0.77)),
        ((-0.16, 0.04, 0.35, 0.03, -0.47, 0.0, -0.29), (-0.35, 0.29, 0.2, 0.28, 0.19, -0.41, 0.21)),
        ((0.06, -0.23, 0.13, -0.18, -0.64, 0.15, 0.31), (-0.11, -0.33, -0.07, -0.33, 0.03, 0.44, 0.06)),
    ],
)
def test_between_two_commands_the_hand_is_no_faster_than_at_both(
    cell: Cell, old: tuple[float, ...], new: tuple[float, ...]
) -> None:
    cell.reset("egg_in_basket", 2)
    cell.send(old)
    cell.advance(0.2)
    cell.send(new)
    for _ in range(60):
        cell.advance(TIMESTEP)
        jacobian = pose_and_jacobian(cell.joint_position)[1][:3]
        at_old, at_new, measured = (np.linalg.norm(jacobian @ one) for one in (old, new, cell.joint_velocity))
        assert measured < max(at_old, at_new) + 0.01  # m/s, the servos' own


def test_the_gripper_closes_and_opens(cell: Cell) -> None:
    cell.reset("egg_in_basket", 3)
    cell.send_gripper(1.0)
    cell.advance(1.0)
    assert cell.gripper > 0.97
    cell.send_gripper(0.0)
    cell.advance(1.0)
    assert cell.gripper < 0.03


def test_success_needs_half_a_second_at_the_place(cell: Cell) -> None:
    cell.reset("egg_in_basket", 4)
    at = cell.model.joint("egg").qposadr[0]
    basket = cell.data.body("basket").xpos
    cell.data.qpos[at : at + 3] = [basket[0], basket[1], 0.035]
    cell.advance(0.5)  # it drops and rolls to rest
    held = [cell.step_success() for _ in range(SUCCESS_HOLD)]
    assert held == [False] * (SUCCESS_HOLD - 1) + [True]
    cell.data.qpos[at : at + 3] = [basket[0], basket[1], 0.3]  # taken away
    cell.advance(1.0 / CONTROL_RATE)
    assert not cell.step_success()


@pytest.mark.parametrize("task", HELD_OUT)
def test_nothing_is_done_at_the_start(cell: Cell, task: str) -> None:
    for seed in range(5):
        cell.reset(task, seed)
        assert not any(cell.step_success() for _ in range(SUCCESS_HOLD + 1))


def test_unused_things_are_out_of_the_way(cell: Cell) -> None:
    cell.reset("egg_on_plate", 0)
    truth = cell.truth()
    assert "ring" not in truth.positions
    cell.advance(1.0)
    assert cell.data.body("ring").xpos[2] < -4.0


def test_both_cameras_see_the_table(cell: Cell) -> None:
    cell.reset("egg_in_basket", 7)
    eyes = Eyes(cell.model)
    views = {name: eyes.look(cell.data, name).copy() for name in ("exterior", "wrist")}
    cell.reset("egg_in_basket", 8)
    moved = {name: eyes.look(cell.data, name).copy() for name in ("exterior", "wrist")}
    eyes.close()
    for name, view in views.items():
        assert view.shape == (224, 224, 3) and view.dtype == np.uint8
        assert 30 < view.mean() < 220 and view.std() > 20
        assert np.abs(view.astype(int) - moved[name]).max() > 50  # things lie elsewhere


def test_the_arm_can_be_put_somewhere_and_stays_there(cell: Cell) -> None:
    cell.reset("egg_in_basket", 1)
    there = RESET_POSITION + 0.05
    assert cell.place_arm(there, 1.0)
    cell.advance(0.5)
    np.testing.assert_allclose(cell.joint_position, there, atol=2e-3)
    assert cell.gripper > 0.9


def test_an_arm_that_is_put_into_something_says_so(cell: Cell) -> None:
    cell.reset("egg_in_basket", 1)
    # By the basket's own walls, which the fingers then are in.
    basket = cell.truth().positions["basket"]
    free = [cell.place_arm(reach(basket + [0.063, y, 0.02], np.zeros(3)), 0.0) for y in np.linspace(-0.05, 0.05, 5)]
    assert not any(free)
    assert cell.place_arm(reach(basket + [0.0, 0.0, 0.2], np.zeros(3)), 0.0)
