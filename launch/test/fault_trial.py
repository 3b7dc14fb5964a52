"""One fault in the running graph: what must be true before, during and after it; used by the table and by the soak."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from fault_cases import CONTROL_RATE, READY, Fault, Scene, Since
from frs_msgs.msg import ArmState
from hostile_chunks import PUSHED, Measured, measured_breaches
from joint_motion import AT_REST, Heard, rest_after, seconds, speed
from real_graph import RealGraph, real_graph
from wall_clock import turnable

from frs_bringup.description import Process
from frs_bringup.starter import QUICK

RELAYED = {"joint_states": "sensor_msgs/JointState", "camera/wrist/color/image_raw": "sensor_msgs/Image"}
RAW = "sim/raw/"
"""Where the simulation publishes what is relayed."""
REPORTED = 1 / CONTROL_RATE  # s, what a report of the truth looks back to
STANDS = 0.3  # s of the robot's clock for which a standing arm is watched
SETTLED = QUICK + 10.0  # s after a node was ended: the next fault, its end, its delay and its start take less than 10


@contextmanager
def scene(directory: Path, *, sim_time: bool = False) -> Iterator[Scene]:
    """The configuration `sim`, with relays that can be stopped between the simulation and the others.

    With `sim_time` its nodes follow /clock, as far as they ask for the time at all, and the wall clock can't be turned.
    """

    def relay(process: Process) -> Process:
        return (
            replace(process, remappings={topic: RAW + topic for topic in RELAYED}) if process.name == "sim" else process
        )

    script = Path(__file__).with_name("relay.py")
    relays = {
        topic: subprocess.Popen([sys.executable, str(script), kind, RAW + topic, topic])
        for topic, kind in RELAYED.items()
    }
    try:
        with (
            nullcontext() if sim_time else turnable(directory) as wall_clock,
            real_graph(
                directory, peer_timeout=60.0, change=relay, joint_states=RAW + "joint_states", sim_time=sim_time
            ) as graph,
        ):
            yield Scene(graph, {topic: process.pid for topic, process in relays.items()}, wall_clock)
    finally:
        for process in relays.values():
            os.kill(process.pid, signal.SIGCONT)
            process.terminate()
            process.wait(5.0)


def suffer_clock(directory: Path, fault: Fault, *, moving: bool, sim_time: bool) -> None:
    """Put a graph of its own through a clock that jumps.

    On a busy machine joint states may come late, and be a fault, with it or without.
    """
    with scene(directory, sim_time=sim_time) as running:
        graph = running.graph
        if moving:
            graph.begin()
        else:
            graph.until(lambda: graph.arm and graph.arm[-1].message.state in READY, "an arm that is claimed and waits")
            graph.until(lambda: graph.joints and speed(graph.joints[-1]) < AT_REST, "an arm at rest")
        del graph.joints[:-1], graph.arm[:-1]
        pids = graph.pids()
        with fault.inject(running):
            tick = graph.arm[-1].message.tick
            graph.until(lambda: graph.arm[-1].message.tick > tick + CONTROL_RATE, "a second of control steps")
            if moving and sim_time:
                graph.until_moving(time.time_ns())
        assert graph.pids() == pids
        assert_within_limits(graph)
        assert ArmState.STOPPED not in {heard.message.state for heard in graph.arm}
        if not moving:
            _assert_stood(graph.joints)
        graph.forget()  # its end is asked of nobody


def suffer(scene: Scene, fault: Fault, *, moving: bool) -> float | None:
    """Put the graph through a fault, and see that it is what it was afterwards.

    Returns:
        s from `fault.since` until the arm rested; None where it goes on, or stood anyway.
    """
    graph = scene.graph
    _let_settle(scene, fault.ended)
    _prepare(graph, moving=moving)
    pids = graph.pids()
    for heard in (graph.joints, graph.truth, graph.reports, graph.arm):
        del heard[:-1]
    with fault.inject(scene) as moment:
        if moving and fault.since is not None:
            taken = _until_rest(graph, fault.since, moment)
        else:
            taken = None
            if not moving and fault.since is not Since.COMMAND:
                _assert_standing(graph, moment)
    after = graph.pids()
    changed = {name for name in pids if after[name] != pids[name]}
    assert changed == ({fault.ended} if fault.ended else set()), f"processes that ended: {changed}"
    assert_within_limits(graph)
    assert taken is None or taken < fault.within, f"at rest {taken:.2f} s after {fault.since}"
    if moving and fault.since is None:
        _assert_went_on(graph, moment)
    _assert_goes_on(graph, fault, moving=moving)
    assert graph.pids() == after, "a process ended after the fault"
    assert_within_limits(graph)
    return taken


def _let_settle(scene: Scene, name: str) -> None:
    # A node that ends several times in a row soon after its start is given up by the starter, and rightly so.
    if name in scene.ended:
        scene.graph.until(lambda: time.monotonic() - scene.ended[name] > SETTLED, f"{name} to have run for {QUICK} s")
    if name:
        scene.ended[name] = time.monotonic()


def _prepare(graph: RealGraph, *, moving: bool) -> None:
    if not graph.chunks:
        graph.begin()  # so that there is an old chunk, too
    if moving:
        graph.begin()  # anew: the last one may be near its end
        return
    graph.end()
    graph.until(lambda: graph.arm[-1].message.state in READY, "an arm that is claimed and waits")
    graph.until(lambda: speed(graph.joints[-1]) < AT_REST, "an arm at rest")


def _until_rest(graph: RealGraph, since: Since, moment: int) -> float:
    if since is Since.FAULT:
        return graph.until_at_rest(moment)
    if since is Since.COMMAND:
        zero = graph.until(
            lambda: next((r.sent for r in graph.reports if r.sent > moment and _is_zero(r.message)), None),
            "a zero command",
        )
        return (zero - moment) * 1e-9
    idle = graph.until(
        lambda: next(
            (h.sent for h in graph.arm if h.sent > moment and h.message.state in (*READY, ArmState.FAULT)), None
        ),
        "a holding arm",
    )
    last = max((h for h in graph.arm if h.sent < idle), key=lambda heard: heard.sent)
    drives_no_more = last.sent + round(min(last.message.lease_remaining, 1 / CONTROL_RATE) * 1e9)
    return graph.until(lambda: rest_after(graph.joints, drives_no_more), "an arm at rest")


def _is_zero(report: object) -> bool:
    return report.row == -1 and report.chunk_id == 0 and not report.commanded.any()  # type: ignore[attr-defined]


def _assert_standing(graph: RealGraph, moment: int) -> None:
    def watched() -> bool:
        after = [heard for heard in graph.joints if heard.sent >= moment]
        return bool(after) and seconds(after[-1]) - seconds(after[0]) > STANDS

    graph.until(watched, "joint states of a standing arm")
    after = [heard for heard in graph.joints if heard.sent >= moment]
    _assert_stood(after)


def _assert_stood(joints: Sequence[Heard]) -> None:
    assert max(map(speed, joints)) < AT_REST, "the arm moved"
    np.testing.assert_allclose(joints[-1].message.position, joints[0].message.position, atol=2e-3)


def _assert_went_on(graph: RealGraph, moment: int) -> None:
    # All through the fault, not only after it. (It may hold for a moment: on a busy machine a chunk comes late.)
    states = [heard.message.state for heard in graph.arm if heard.sent > moment]
    assert not {ArmState.FAULT, ArmState.STOPPED} & set(states), f"the arm's states were {states}"
    assert len(states) < CONTROL_RATE or 2 * states.count(ArmState.RUNNING) > len(states), f"it held: {states}"


def _assert_goes_on(graph: RealGraph, fault: Fault, *, moving: bool) -> None:
    now = time.time_ns()
    if fault.over:
        if moving:
            assert not graph.result().success
        graph.until(lambda: graph.arm[-1].sent > now and graph.arm[-1].message.state in READY, "a ready arm")
    elif moving:
        graph.until_moving(now)
        if graph.episode_ended:  # on a busy machine its time may be over meanwhile
            ended = graph.result()
            own = ended.success or ended.steps >= ended.step_limit
            assert own, f"the same episode can go on; it ended after {ended.steps} steps: {ended.message}"
    else:
        graph.until(lambda: graph.arm[-1].sent > now and graph.arm[-1].message.state in READY, "a ready arm")


def assert_within_limits(graph: RealGraph) -> None:
    """By the joint states that the simulated arm measured, nothing went beyond a limit of ours, but for its lag."""
    touched = np.array([seconds(heard) for heard in graph.truth if heard.message.touched])
    measured: list[Measured] = []
    for heard in graph.joints:
        since = seconds(heard) - touched
        pushed = bool(((since > -REPORTED) & (since < PUSHED)).any())
        measured.append((np.array(heard.message.position[:7]), np.array(heard.message.velocity[:7]), pushed))
    found = measured_breaches(measured)
    assert not found, found
