"""Rows of an evaluation that nobody ran, for the tests of what is made of them."""

from __future__ import annotations

from frs_sim.rows import NOBODY, Episode, Row, Trial

FIRST = 2**31


def row(
    task: str = "egg_in_basket",
    method: str = "frs",
    scene: int = FIRST,
    success: bool = True,
    *,
    reasoner: str = "",
    every: int = 1,
    seed: int = 0,
) -> Row:
    """One episode of 20 decisions."""
    alone = method.startswith("base")
    trial = Trial(task, method, reasoner or (NOBODY if alone else "oracle"), every, seed, scene, "w", "c", False)
    return Row(trial, Episode(success, 150, 20, 0 if alone else 15, 200 if alone else 350, 1.5, 0.25))


def rows(task: str, method: str, outcomes: str, **more: int | str) -> list[Row]:
    """One episode for each letter: "+" succeeded, "-" failed; scenes in order."""
    return [row(task, method, FIRST + i, letter == "+", **more) for i, letter in enumerate(outcomes)]  # type: ignore[arg-type]
