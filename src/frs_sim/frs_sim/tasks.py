"""The tasks of the cell: what is asked for, in which words, and what lies on the table.

Training tasks and held-out tasks are two lists. A held-out task asks for a combination of object and place that is
in no demonstration; docs/tasks.md says how the split was made.
"""

from __future__ import annotations

from dataclasses import dataclass

from frs_sim.goals import Bring, Goal, Push, Slide
from frs_sim.objects import THINGS

FIRST_HELD_OUT_SEED = 2**31
"""Scenes of evaluations have seeds from here on, scenes of demonstrations seeds below."""


class TaskError(ValueError):
    """A task that does not exist or can't be laid out; the message lists what there is."""


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Attributes:
        name: as used in commands.
        instruction: what the policy is told.
        goals: to be reached in this order, and all to hold in the end.
        starts_in: name of the fixture that the last goal's object stands in at the start, or empty: on the table.
        drawer_open: the drawer stands open at the start (where there is one).
        beside: things that always lie on the table too: other places, and what could be confused.
        extras: how many further things the scene's seed may add.
        step_limit: control steps (15 Hz) after which the episode has failed.
    """

    name: str
    instruction: str
    goals: tuple[Goal, ...]
    starts_in: str = ""
    drawer_open: bool = False
    beside: tuple[str, ...] = ()
    extras: int = 4
    step_limit: int = 400

    @property
    def things(self) -> tuple[str, ...]:
        """What the task can't do without, the large things first."""
        named = [name for goal in self.goals for name in (goal.place, goal.object)]
        names = [*([self.starts_in] if self.starts_in else []), *named, *self.beside]
        return tuple(dict.fromkeys(THINGS[name].part_of or name for name in names))


def _bring(name: str, instruction: str, thing: str, place: str, starts_in: str = "", *beside: str) -> Task:
    goals = (Bring(thing, place),)
    return Task(name, instruction, goals, starts_in=starts_in, drawer_open=place == "drawer", beside=beside)


_TRAINING = (
    _bring("egg_on_plate", "put the egg on the plate", "egg", "plate"),
    _bring("egg_on_mat", "put the egg on the mat", "egg", "mat"),
    _bring("egg_in_drawer", "put the egg in the drawer", "egg", "drawer"),
    _bring("carrot_in_basket", "put the carrot in the basket", "carrot", "basket"),
    _bring("carrot_on_plate", "put the carrot on the plate", "carrot", "plate"),
    _bring("carrot_on_mat", "put the carrot on the mat", "carrot", "mat"),
    _bring("sponge_in_basket", "put the sponge in the basket", "sponge", "basket"),
    _bring("sponge_in_drawer", "put the sponge in the drawer", "sponge", "drawer"),
    _bring("sponge_on_mat", "put the sponge on the mat", "sponge", "mat"),
    _bring("sponge_on_plate", "put the sponge on the plate", "sponge", "plate"),
    _bring("red_cup_on_mat", "put the red cup on the mat", "red_cup", "mat"),
    _bring("red_cup_on_plate", "put the red cup on the plate", "red_cup", "plate"),
    _bring("red_cup_in_basket", "put the red cup in the basket", "red_cup", "basket"),
    _bring("green_cup_on_mat", "put the green cup on the mat", "green_cup", "mat"),
    _bring("green_cup_on_plate", "put the green cup on the plate", "green_cup", "plate"),
    _bring("green_cup_in_basket", "put the green cup in the basket", "green_cup", "basket"),
    _bring("blue_cup_on_mat", "put the blue cup on the mat", "blue_cup", "mat"),
    _bring("blue_cup_on_plate", "put the blue cup on the plate", "blue_cup", "plate"),
    _bring("blue_cup_in_basket", "put the blue cup in the basket", "blue_cup", "basket"),
    _bring("stack_red_on_blue", "stack the red cup on the blue cup", "red_cup", "blue_cup"),
    _bring("stack_blue_on_green", "stack the blue cup on the green cup", "blue_cup", "green_cup"),
    _bring("stack_green_on_blue", "stack the green cup on the blue cup", "green_cup", "blue_cup"),
    _bring("stack_green_on_red", "stack the green cup on the red cup", "green_cup", "red_cup"),
    _bring("stack_blue_on_red", "stack the blue cup on the red cup", "blue_cup", "red_cup"),
    _bring("bread_in_basket", "move the bread from the toaster to the basket", "bread", "basket", "toaster"),
    _bring("bread_on_mat", "move the bread from the toaster to the mat", "bread", "mat", "toaster"),
    _bring("dish_in_basket", "move the dish from the rack to the basket", "dish", "basket", "rack"),
    _bring("dish_on_plate", "move the dish from the rack to the round plate", "dish", "plate", "rack"),
    _bring("ring_on_plate", "put the ring on the plate", "ring", "plate"),
    _bring("ring_on_mat", "put the ring on the mat", "ring", "mat"),
    _bring("ring_in_basket", "put the ring in the basket", "ring", "basket"),
    _bring("hoop_on_stand", "hang the hoop on the stand", "hoop", "stand"),
    _bring("hoop_in_basket", "put the hoop in the basket", "hoop", "basket"),
    _bring("hoop_on_plate", "put the hoop on the plate", "hoop", "plate"),
    _bring("hoop_on_mat", "put the hoop on the mat", "hoop", "mat"),
    Task("open_drawer", "open the drawer", (Slide(open=True),)),
    Task("close_drawer", "close the drawer", (Slide(open=False),), drawer_open=True),
    Task("push_box", "push the box onto the mat", (Push("box", "mat"),)),
)

_HELD_OUT = (
    _bring("bread_on_plate", "move the bread from the toaster to the plate", "bread", "plate", "toaster", "basket"),
    _bring("dish_on_mat", "take the plate from the rack to the table", "dish", "mat", "rack", "basket"),
    Task(
        "carrot_in_drawer", "open the drawer and put the carrot in", (Slide(open=True), Bring("carrot", "drawer")),
        beside=("sponge",), step_limit=700,
    ),
    _bring("egg_in_basket", "put the egg in the basket", "egg", "basket", "", "plate"),
    _bring("stack_cups", "stack the red cup on the green cup", "red_cup", "green_cup", "", "blue_cup"),
    _bring("ring_on_stand", "hang the ring on the stand", "ring", "stand", "", "plate"),
)  # fmt: skip

_DEMO = Task(
    # A behaviour that was taught, under a sentence that was not: the policy does not know which behaviour is meant.
    "tidy_sponge", "tidy the sponge away", (Bring("sponge", "basket"),), beside=("plate", "carrot", "egg"), extras=0,
)  # fmt: skip

TASKS: dict[str, Task] = {task.name: task for task in (*_TRAINING, *_HELD_OUT, _DEMO)}
TRAINING = tuple(task.name for task in _TRAINING)
HELD_OUT = tuple(task.name for task in _HELD_OUT)
DEMO = _DEMO.name


def find_task(name: str) -> Task:
    """The task of that name.

    Raises:
        TaskError: there is none; the message lists the names.
    """
    if name not in TASKS:
        raise TaskError(f"no task is called {name!r}; there are: {', '.join(TASKS)}")
    return TASKS[name]
