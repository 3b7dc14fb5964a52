"""Scores: what is counted, what it cost, and who is better on the same scenes."""

import json

import pytest
from eval_rows import measured, row, rows, unbegun

from frs_sim.eval_table import against_the_best, report
from frs_sim.intervals import wilson
from frs_sim.scores import ALL, Condition, compare, conditions, in_distribution, score, summary

TWO_TASKS = [
    *rows("bread", "base", "----"), *rows("bread", "frs", "+++-"),
    *rows("cups", "base", "+---"), *rows("cups", "frs", "++-+"),
]  # fmt: skip


def test_each_condition_is_scored_on_each_task_and_on_all() -> None:
    found = {(s.task, s.condition.method): s for s in score(TWO_TASKS)}
    assert {key: (s.successes, s.n) for key, s in found.items()} == {
        ("bread", "base"): (0, 4), ("bread", "frs"): (3, 4),
        ("cups", "base"): (1, 4), ("cups", "frs"): (3, 4),
        (ALL, "base"): (1, 8), (ALL, "frs"): (6, 8),
    }  # fmt: skip
    overall = found[ALL, "frs"]
    assert (overall.low, overall.high) == wilson(6, 8)
    assert (overall.evaluations, overall.decide_time, overall.steered) == pytest.approx((17.5, 0.0125, 0.75))
    assert overall.wall_time == pytest.approx(1.5)


def test_wall_time_is_the_mean_of_an_episode() -> None:
    (found,) = score([row(scene=1, wall_time=1.0), row(scene=2, wall_time=4.0)])
    assert found.wall_time == pytest.approx(2.5)
    assert "| 2.5          |" in report([row(scene=1, wall_time=1.0), row(scene=2, wall_time=4.0)])


def test_what_the_expert_did_not_bring_near_its_end_is_left_out_and_told() -> None:
    given = [*rows("bread", "base", "++"), *rows("bread", "frs", "-+"), unbegun("bread", "base", 9)]
    assert [(s.condition.method, s.successes, s.n, s.wall_time) for s in score(given)] == [
        ("base", 2, 2, 1.5), ("frs", 1, 2, 1.5)
    ]  # fmt: skip
    (comparison,) = compare([*given, row("bread", "frs", 9)])
    assert comparison.paired.n == 2
    assert summary(given)["left_out"] == 1
    assert "did not bring them near their end: 1." in report(given)
    assert "left out" not in report(given[:-1])
    assert "| method" not in report([unbegun("bread", "base")])


def test_a_single_task_is_not_scored_twice() -> None:
    assert [s.task for s in score(rows("bread", "frs", "+-"))] == ["bread"]


def test_cost_is_per_decision_and_not_per_episode() -> None:
    short = row(scene=1)
    long = row(scene=2)
    object.__setattr__(long.episode, "decisions", 60)
    object.__setattr__(long.episode, "evaluations", 450)
    assert score([short, long])[0].evaluations == pytest.approx(800 / 80)


def test_reasoners_and_pauses_tell_conditions_apart_and_the_base_is_one() -> None:
    found = conditions(
        [
            *rows("bread", "base", "+"),
            *rows("bread", "frs", "+", reasoner="noisy:0.1"),
            *rows("bread", "frs", "+", every=2),
        ]
    )
    assert [c.label(found) for c in found] == ["base", "frs, noisy:0.1, every 1", "frs, oracle, every 2"]


def test_a_name_is_no_longer_than_needed() -> None:
    found = conditions(TWO_TASKS)
    assert [c.label(found) for c in found] == ["base", "frs"]


def test_comparisons_are_scene_by_scene() -> None:
    first = rows("bread", "base", "+-+-")
    second = list(reversed(rows("bread", "frs", "-++-")))
    (comparison,) = compare([*first, *second])
    assert (comparison.first.method, comparison.second.method) == ("base", "frs")
    assert (comparison.paired.n, comparison.paired.first_only, comparison.paired.second_only) == (4, 1, 1)


def test_only_scenes_of_both_are_compared() -> None:
    (comparison,) = compare([*rows("bread", "base", "----"), *rows("bread", "frs", "++")])
    assert (comparison.paired.n, comparison.paired.difference) == (2, -1.0)


def test_the_best_is_compared_with_the_others() -> None:
    found = against_the_best([*TWO_TASKS, *rows("bread", "rank", "+---"), *rows("cups", "rank", "++++")])
    assert {c.first.method for c in found} == {"frs"}
    assert [(c.second.method, c.task) for c in found] == [
        (method, task) for method in ("base", "rank") for task in ("bread", "cups", ALL)
    ]


def test_the_report_tells_successes_costs_and_differences() -> None:
    text = report(TWO_TASKS)
    assert "| frs    | 75 %    | 41 .. 93      | 8        | 17.5 " in text
    assert "| bread | 0 % (0 .. 49)  | 75 % (30 .. 95) |" in text
    assert "4 episodes in each cell" in text
    assert "### frs against the others" in text
    assert "| base | +62 points | " in text
    assert "+50 points (cups)" in text


def test_many_methods_go_down_the_page() -> None:
    many = [r for k in range(1, 5) for task in ("bread", "cups") for r in rows(task, f"frs:steps={k}", "+-")]
    assert "| method      | bread " in report(many)


def test_one_condition_is_compared_with_nothing() -> None:
    assert "against" not in report(rows("bread", "base", "+-"))


def test_the_summary_is_plain_json() -> None:
    found = json.loads(json.dumps(summary(TWO_TASKS)))
    assert (found["tasks"], found["seeds"], found["weights"], found["code"]) == (["bread", "cups"], [0], ["w"], ["c"])
    assert {
        "task": "bread", "method": "frs", "reasoner": "oracle", "every": 1, "n": 4, "successes": 3, "rate": 0.75,
        "interval": list(wilson(3, 4)), "evaluations_per_decision": 17.5, "seconds_per_decision": 0.0125,
        "seconds_per_episode": 1.5,
        "share_of_decisions_steered": 0.75, "seeds": [0],
    } in found["scores"]  # fmt: skip
    overall = next(c for c in found["comparisons"] if c["task"] == ALL)
    assert (overall["n"], overall["only_first_succeeded"], overall["only_second_succeeded"]) == (8, 0, 5)
    assert overall["difference"] == pytest.approx(-0.625)


def test_a_condition_is_named_by_what_was_run() -> None:
    assert Condition.of(row(method="base:steps=5")) == Condition("base:steps=5", "none", 1)


def test_share_in_distribution() -> None:
    given = [measured(r, refined) for r, refined in zip(
        rows("bread", "frs", "++"), [(0.1, 0.95), (0.96, 0.2, 0.0)], strict=True
    )]  # fmt: skip
    (found,) = in_distribution([*given, *rows("bread", "base", "--")])
    assert (found.condition.method, found.n) == ("frs", 5)
    assert (found.refined[0], found.reference[0], found.base[0]) == pytest.approx((0.8, 0.0, 1.0))
    assert "| frs    | 80 % (" in report(given)
