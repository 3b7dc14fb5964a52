"""The two lists of tasks, and what tells them apart."""

import pytest

from frs_sim.goals import Bring, Goal
from frs_sim.objects import THINGS
from frs_sim.tasks import DEMO, HELD_OUT, TASKS, TRAINING, TaskError, find_task

SKILLS_OF_HELD_OUT = {
    "bread_on_plate": {"bread_in_basket", "egg_on_plate"},
    "dish_on_mat": {"dish_in_basket", "sponge_on_mat"},
    "carrot_in_drawer": {"open_drawer", "carrot_on_plate", "sponge_in_drawer"},
    "egg_in_basket": {"egg_on_plate", "carrot_in_basket"},
    "stack_cups": {"stack_red_on_blue", "stack_blue_on_green"},
    "ring_on_stand": {"ring_on_plate", "hoop_on_stand"},
}


def goals(names: tuple[str, ...]) -> set[Goal]:
    return {goal for name in names for goal in TASKS[name].goals}


def test_no_demonstration_shows_a_held_out_combination() -> None:
    assert not set(TRAINING) & set(HELD_OUT)
    taught = {TASKS[name].goals for name in TRAINING}
    brought = {(goal.object, goal.place) for goal in goals(TRAINING) if isinstance(goal, Bring)}
    instructions = {TASKS[name].instruction for name in TRAINING}
    for name in HELD_OUT:
        assert TASKS[name].goals not in taught
        assert TASKS[name].instruction not in instructions
        last = TASKS[name].goals[-1]
        assert (last.object, last.place) not in brought


def test_what_a_held_out_task_is_made_of_is_taught_in_other_combinations() -> None:
    assert set(SKILLS_OF_HELD_OUT) == set(HELD_OUT)
    for name, parts in SKILLS_OF_HELD_OUT.items():
        assert parts <= set(TRAINING)
        for goal in TASKS[name].goals:
            taught = [other for part in parts for other in TASKS[part].goals]
            assert goal in taught or goal.object in {other.object for other in taught}
            assert goal in taught or goal.place in {other.place for other in taught}


def test_there_are_enough_tasks_of_each_kind() -> None:
    assert len(HELD_OUT) == 6
    assert len(TRAINING) >= 12
    assert {type(goal).__name__ for goal in goals(TRAINING)} == {"Bring", "Push", "Slide"}


def test_the_demos_behaviour_is_taught_and_its_sentence_is_not() -> None:
    demo, taught = TASKS[DEMO], [TASKS[name] for name in TRAINING]
    assert demo.goals in {task.goals for task in taught}
    assert demo.instruction not in {task.instruction for task in taught}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_all_that_a_task_names_exists(name: str) -> None:
    task = TASKS[name]
    assert set(task.things) <= set(THINGS)
    assert all(THINGS[thing].part_of == "" for thing in task.things)
    for goal in task.goals:
        if isinstance(goal, Bring):
            assert THINGS[goal.object].loose and THINGS[goal.place].radius > 0.0


def test_an_unknown_task_lists_the_names() -> None:
    with pytest.raises(TaskError, match=r"no task is called 'fly'; there are: egg_on_plate, .*ring_on_stand"):
        find_task("fly")
