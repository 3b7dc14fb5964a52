"""When a goal is reached, judged on positions alone."""

import numpy as np

from frs_sim.fixtures import DRAWER_OPEN, DRAWER_TRAVEL
from frs_sim.goals import Bring, Slide, drawer_travel, is_reached
from frs_sim.objects import THINGS


def test_brought_means_at_the_place_and_resting() -> None:
    plate = np.array([0.5, 0.0, 0.0])
    rest = THINGS["plate"].top + THINGS["egg"].rest_height

    def reached(x: float, y: float, z: float) -> bool:
        return is_reached(Bring("egg", "plate"), {"egg": np.array([x, y, z]), "plate": plate})

    assert reached(0.5, 0.0, rest)
    assert not reached(0.5, 0.0, rest + 0.1)  # above it
    assert not reached(0.5, 0.09, rest)  # beside it
    assert not reached(0.5, 0.0, -0.5)  # fallen


def test_stacked_means_on_top_and_not_beside() -> None:
    green = np.array([0.5, 0.1, 0.028])
    goal = Bring("red_cup", "green_cup")
    assert is_reached(goal, {"red_cup": green + [0.005, 0.0, 0.056], "green_cup": green})
    assert not is_reached(goal, {"red_cup": green + [0.06, 0.0, 0.0], "green_cup": green})
    assert not is_reached(goal, {"red_cup": green + [0.0, 0.0, 0.12], "green_cup": green})


def test_a_drawer_is_open_or_closed_or_neither() -> None:
    def at(travel: float) -> dict[str, np.ndarray]:
        return {"cabinet": np.array([0.64, 0.0, 0.0]), "drawer": np.array([0.64 - travel, 0.0, 0.0])}

    assert drawer_travel(at(0.07)) == np.float64(0.64) - np.float64(0.64 - 0.07)
    assert is_reached(Slide(open=True), at(DRAWER_TRAVEL)) and not is_reached(Slide(open=False), at(DRAWER_TRAVEL))
    assert is_reached(Slide(open=False), at(0.0)) and not is_reached(Slide(open=True), at(0.0))
    half = at(DRAWER_OPEN - 0.03)
    assert not is_reached(Slide(open=True), half) and not is_reached(Slide(open=False), half)
