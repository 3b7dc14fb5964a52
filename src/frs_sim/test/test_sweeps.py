"""What is swept: conditions that differ in one setting alone."""

from frs_sim.rows import NOBODY
from frs_sim.scores import Condition
from frs_sim.sweeps import EVERY, WRONG, sweeps

BASE = Condition("base", NOBODY, 1)


def guided(method: str, reasoner: str = "oracle", every: int = 1) -> Condition:
    return Condition(method, reasoner, every)


def points(found: dict, setting: str) -> dict[str, list[object]]:
    return {series.label: [value for value, _ in series.points] for series in found[setting]}


def test_methods_that_differ_in_what_they_are_sweep_nothing() -> None:
    assert sweeps([BASE, guided("frs"), guided("direct"), guided("rank")]) == {}


def test_numbers_are_in_order_and_the_default_is_among_them() -> None:
    found = sweeps([BASE, guided("frs"), guided("frs:steps=20"), guided("frs:steps=2")])
    assert list(found) == ["steps"]
    assert points(found, "steps") == {"frs": [2, 10, 20]}


def test_each_combination_of_the_other_settings_is_a_series() -> None:
    found = sweeps(
        [guided("frs"), guided("frs:steps=5"), guided("frs:delegate=no"), guided("frs:steps=5,delegate=no"),
         guided("partial:strength=0.2"), guided("partial:strength=0.8")]
    )  # fmt: skip
    assert points(found, "steps") == {"frs": [5, 10], "frs:delegate=no": [5, 10]}
    assert points(found, "delegate") == {"frs": [True, False], "frs:steps=5": [True, False]}
    assert points(found, "strength") == {"partial": [0.2, 0.8]}


def test_wrong_and_rare_guidance() -> None:
    found = sweeps(
        [
            BASE,
            *(guided("frs", reasoner, every) for reasoner in ("oracle", "noisy:0.4", "noisy:0.1") for every in (1, 4)),
        ]
    )
    assert points(found, WRONG) == {"frs, every 1": [0.0, 0.1, 0.4], "frs, every 4": [0.0, 0.1, 0.4]}
    assert list(points(found, EVERY)) == ["frs, oracle", "frs, noisy:0.4", "frs, noisy:0.1"]


def test_words_stay_as_they_came() -> None:
    found = sweeps([guided("frs:integrator=midpoint"), guided("frs"), guided("frs:integrator=fixed_point")])
    assert points(found, "integrator") == {"frs": ["midpoint", "euler", "fixed_point"]}
