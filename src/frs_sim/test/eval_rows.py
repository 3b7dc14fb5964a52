"""Rows of an evaluation that nobody ran, for the tests of what is made of them."""

from __future__ import annotations

from dataclasses import replace

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
    wall_time: float = 1.5,
) -> Row:
    """One episode of 20 decisions."""
    alone = method.startswith("base")
    trial = Trial(task, method, reasoner or (NOBODY if alone else "oracle"), every, seed, scene, "w", "c", False)
    return Row(trial, Episode(success, 150, 20, 0 if alone else 15, 200 if alone else 350, wall_time, 0.25))


def unbegun(task: str, method: str, scene: int = FIRST) -> Row:
    """One near its end, to which the expert did not come."""
    return Row(row(task, method, scene).trial, Episode(False, 0, 0, 0, 0, 9.0, 0.0))


def measured(found: Row, refined: tuple[float, ...]) -> Row:
    """The same with the rarities of its chunks; its references are all rare, the policy's own are not."""
    count = len(refined)
    rarities = {"refined_rarity": refined, "reference_rarity": (1.0,) * count, "base_rarity": (0.5,) * count}
    return Row(found.trial, replace(found.episode, **rarities))


def rows(task: str, method: str, outcomes: str, **more: float | str) -> list[Row]:
    """One episode for each letter: "+" succeeded, "-" failed; scenes in order."""
    return [row(task, method, FIRST + i, letter == "+", **more) for i, letter in enumerate(outcomes)]  # type: ignore[arg-type]
