"""The whole real graph, and `kill -9` of each of its nodes while an episode drives the arm.

What every test asks: nobody else's process ends, the node is started again, and then decisions come and the arm
moves again. And the arm is at rest within half a second of the moment when nothing drives it any more: by the joint
states that the robot measured, on the robot's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from frs_msgs.msg import ArmState
from joint_motion import Heard
from real_graph import RealGraph, real_graph

from frs_steering.record.check import check
from frs_steering.record.reader import summarise
from frs_steering.record.recover import recover

pytestmark = [pytest.mark.whole_graph, pytest.mark.timeout(240)]

REST_WITHIN = 0.5
"""s from the moment when nothing drives the arm any more until it is at rest."""

HORIZON = 16
"""Control steps that a chunk can drive at most."""

CONTROL_RATE = 15.0  # Hz

NOT_DRIVEN = (ArmState.HOLDING, ArmState.FAULT)
"""Where a chunk ran out or its lease ended; on a machine so busy that joint states grow stale, in a fault."""


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealGraph]:
    """The configuration `sim`, patient with nodes that a busy machine starts slowly."""
    with real_graph(tmp_path_factory.mktemp("graph"), peer_timeout=60.0) as running:
        yield running


@contextmanager
def killed(graph: RealGraph, name: str) -> Iterator[int]:
    """Kill a node, and wait for its next process; gives the moment of the kill [ns since the epoch].

    In the end all processes but that one are those of the beginning.
    """
    before = graph.pids()
    yield graph.kill(name)
    after = graph.pids()
    assert after.pop(name) not in (None, before.pop(name))
    assert after == before, "another node's process has ended, too"


def first_state(graph: RealGraph, since: int, *states: int) -> Heard:
    """The first arm state after a moment that is one of `states`."""
    return graph.until(
        lambda: next((heard for heard in graph.arm if heard.sent > since and heard.message.state in states), None),
        f"an arm state in {states}",
    )


def last_tick(graph: RealGraph, before: int) -> int:
    """Of the last control step before a moment."""
    return max(heard.message.tick for heard in graph.arm if heard.sent <= before)


def guided(graph: RealGraph, since: int, *, by_anybody: bool) -> int:
    """When the first decision after a moment was sent that somebody's guidance was there for, or nobody's."""

    def first() -> int | None:
        later = (heard for heard in graph.decisions if heard.sent > since)
        return next((heard.sent for heard in later if bool(heard.message.guidance.author) is by_anybody), None)

    return graph.until(first, f"a decision {'with' if by_anybody else 'without'} guidance")


def test_without_steering_the_arm_rests_at_the_leases_end(graph: RealGraph) -> None:
    graph.begin()
    with killed(graph, "flow_steering") as moment:
        idle = first_state(graph, moment, *NOT_DRIVEN)
        assert idle.message.tick - last_tick(graph, moment) < REST_WITHIN * CONTROL_RATE
        assert graph.until_at_rest(moment) < REST_WITHIN
        graph.until_moving(idle.sent)
    assert not graph.episode_ended


def test_without_the_policy_the_arm_rests_after_the_last_row(graph: RealGraph) -> None:
    """The policy drives the arm by chunks alone. The one that runs when it dies may drive on to its last row: the gate
    has judged it, and the steering and the arm's controller live. So the half second counts from there, and the chunk
    itself is shown to run out in time.
    """
    graph.begin()
    with killed(graph, "vla_inference") as moment:
        idle = first_state(graph, moment, *NOT_DRIVEN)
        last = max((heard.message for heard in graph.chunks), key=lambda chunk: (chunk.owner_epoch, chunk.chunk_id))
        assert last.first_tick <= last_tick(graph, moment) + 3  # one that was under way when the policy died
        assert idle.message.tick <= last.first_tick + HORIZON
        assert graph.until_at_rest(idle.sent) < REST_WITHIN
        graph.until_moving(idle.sent)
    assert not graph.episode_ended


def test_without_its_controller_the_robots_own_driver_stops_the_arm(graph: RealGraph) -> None:
    graph.begin()
    epoch = graph.arm[-1].message.owner_epoch
    with killed(graph, "arm_controller") as moment:
        assert graph.until_at_rest(moment) < REST_WITHIN
        running = first_state(graph, moment, ArmState.RUNNING)
        assert running.message.owner_epoch > epoch  # steering has claimed the new one
        graph.until_moving(running.sent)
    assert not graph.episode_ended


def test_without_a_reasoner_the_policy_acts(graph: RealGraph) -> None:
    graph.begin()
    with killed(graph, "scripted_reasoner") as moment:
        alone = guided(graph, moment, by_anybody=False)
        steered = guided(graph, alone, by_anybody=True)
        graph.until_moving(steered)
    assert not graph.episode_ended


@pytest.mark.parametrize("name", ["noise_policy", "noise_trainer"])
def test_without_those_that_learn_nothing_changes(graph: RealGraph, name: str) -> None:
    graph.begin()
    with killed(graph, name) as moment:
        graph.until_moving(moment)
    assert not graph.episode_ended


def test_a_recording_that_was_cut_off_can_be_recovered(graph: RealGraph) -> None:
    partial = graph.begin()
    known = len(graph.decisions)
    graph.until(lambda: len(graph.decisions) > known + 2, "three more decisions")  # the last half second may be lost
    with killed(graph, "recorder") as moment:
        graph.until_moving(moment)
        cut = summarise(partial)
        assert moment - cut.end < 1e9
        mended = recover(partial)
        assert mended.messages == cut.messages
        assert mended.count("action_chunk") >= 1
        assert mended.count("joint_states") > 10
        assert [line.split(";")[0] for line in check(mended.path).problems] == ["label is 'unlabelled'"]
        result = graph.end()
        assert result is not None
        # The dead one answers no call, and the new one has nothing to finish.
        assert "recorder/stop" in result.message or "nothing is being recorded" in result.message
        graph.begin(seed=2)  # and the new recorder records


def test_after_its_conductor_died_another_episode_can_be_run(graph: RealGraph) -> None:
    """The conductor drives nothing: policy and operator go on, and the operator can stop the arm."""
    partial = graph.begin()
    with killed(graph, "episode") as moment:
        graph.forget()
        graph.until_moving(moment)
        graph.begin(seed=2)
        left = summarise(partial.with_suffix(""))
        assert left.result["label"] == "discarded"
        assert "left open" in left.result["note"]


def test_a_robot_that_vanishes_is_a_fault_until_it_is_back(graph: RealGraph) -> None:
    graph.begin()
    with killed(graph, "sim") as moment:
        fault = first_state(graph, moment, ArmState.FAULT)
        assert "joint states are" in fault.message.message
        graph.until(
            lambda: any(heard.sent > fault.sent and not heard.message.commanded.any() for heard in graph.reports),
            "a zero command",
        )
        result = graph.result()  # the scene that it was about is gone
        assert not result.success
        assert "the scene was changed during the episode" in result.message
        graph.begin()
