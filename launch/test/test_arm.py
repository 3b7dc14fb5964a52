"""`frs arm`, asked of an arm controller that only listens."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ament_index_python.packages import get_package_prefix
from asked_graph import AskedGraph
from frs_msgs.action import MoveHome
from std_srvs.srv import Trigger

from frs_bringup import arm, asker
from frs_bringup.cli import main
from frs_steering.arm.homing import LEAST_SCALE

FRS = (sys.executable, "-m", "frs_bringup.cli")


@pytest.fixture
def graph(ros: ModuleType) -> Iterator[AskedGraph]:
    made = AskedGraph()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("word", "service"),
    [
        ("stop", "stop"),
        ("reset", "reset"),
        ("recover", "recover"),
        ("open", "open_gripper"),
        ("close", "close_gripper"),
    ],
)
def test_each_word_is_a_service(graph: AskedGraph, capsys: pytest.CaptureFixture[str], word: str, service: str) -> None:
    graph.serve("arm_controller", Trigger, f"arm_controller/{service}", success=True, message="so be it")
    assert main(["arm", word]) == 0
    assert graph.requests
    assert capsys.readouterr().out == "so be it\n"


def test_a_refusal_is_told_in_the_arms_own_words(graph: AskedGraph, capsys: pytest.CaptureFixture[str]) -> None:
    graph.serve("arm_controller", Trigger, "arm_controller/open_gripper", "left", success=False, message="it drives")
    assert main(["arm", "open", "--namespace", "left"]) == 1
    assert capsys.readouterr().err == "error: it drives\n"


def test_it_says_who_is_missing_and_how_it_is_started(
    graph: AskedGraph, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "DISCOVERY_SECONDS", 1.0)
    graph.serve("somebody", Trigger, "somebody/else")
    assert main(["arm", "reset"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: arm_controller/reset: the node arm_controller is not there. ROS domain ")
    assert os.environ["ROS_DOMAIN_ID"] in said and "somebody" in said
    assert "`frs up sim` or `frs up fr3`" in said


def test_a_graph_in_another_namespace_is_pointed_at(
    graph: AskedGraph, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asker, "DISCOVERY_SECONDS", 1.0)
    graph.serve("arm_controller", Trigger, "arm_controller/reset", "right", success=True)
    assert main(["arm", "reset"]) == 1
    expected = "arm_controller/reset: the node arm_controller is in namespace /right: add --namespace /right"
    assert capsys.readouterr().err == f"error: {expected}\n"


def test_home_tells_how_far_it_is(graph: AskedGraph, capsys: pytest.CaptureFixture[str]) -> None:
    def work(handle: Any) -> MoveHome.Result:
        handle.publish_feedback(MoveHome.Feedback(distance=0.25))
        handle.succeed()
        return MoveHome.Result(success=True, message="the arm is home")

    graph.act("arm_controller", MoveHome, "arm_controller/home", work)
    assert main(["arm", "home", "--speed", "0.5"]) == 0
    assert [goal.speed_scale for goal in graph.requests] == [0.5]
    assert capsys.readouterr().out.endswith("the arm is home\n")


@pytest.mark.parametrize("speed", ["0", "0.04", "1.5", "nan", "fast"])
def test_a_speed_of_home_that_ros_would_take_for_another_is_refused(
    capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["arm", "home", "--speed", speed])
    assert f"argument --speed: {speed!r} is no number in 0.05..1" in capsys.readouterr().err


def test_the_slowest_speed_is_the_arms_own() -> None:
    assert arm._SLOWEST == LEAST_SCALE


@pytest.fixture
def controller(procs: Callable[..., Any]) -> Any:
    """The real one, without an arm."""
    made = procs(Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / "arm_controller")
    made.wait_for_text("limits: ")
    return made


def test_a_stop_outlasts_a_controller_that_hangs(controller: Any, procs: Callable[..., Any]) -> None:
    controller.send_signal(signal.SIGSTOP)
    stop = procs(*FRS, "arm", "stop")
    stop.wait_for_text("the stop was NOT made yet: arm_controller does not answer")
    assert stop.poll() is None
    controller.send_signal(signal.SIGCONT)
    assert stop.wait(30.0) == 0
    assert "stopped; call arm_controller/reset to go on" in stop.text()
    controller.wait_for_text("STOPPED: ")


def test_an_interrupted_stop_says_that_nobody_answered(procs: Callable[..., Any]) -> None:
    stop = procs(*FRS, "arm", "stop")
    stop.wait_for_text("still asking, Ctrl-C ends it")
    assert "the node arm_controller is not there. ROS domain" in stop.text()
    stop.send_signal(signal.SIGINT)
    assert stop.wait(15.0) == 1
    assert "interrupted: nobody has said that the arm is stopped" in stop.text()
    assert "Traceback" not in stop.text()


def test_the_arms_state_is_told_with_what_its_parts_say(controller: Any, procs: Callable[..., Any]) -> None:
    state = procs(*FRS, "arm", "state")
    assert state.wait(30.0) == 0, state.text()
    lines = state.text().splitlines()
    assert lines[0].startswith("state: IDLE, ") and lines[1] == "owner: none"
    assert lines[2].startswith("joints [rad]: nan ")
    assert [line.partition(", ")[0] for line in lines[3:]] == [
        "arm_controller: arm: STALE",
        "arm_controller: gate: OK",
        "arm_controller: gripper: WARN",
    ]


def test_home_that_is_refused_says_why(graph: AskedGraph, capsys: pytest.CaptureFixture[str]) -> None:
    def work(handle: Any) -> MoveHome.Result:
        handle.abort()
        return MoveHome.Result(message="refused: the arm is stopped")

    graph.act("arm_controller", MoveHome, "arm_controller/home", work)
    assert main(["arm", "home"]) == 1
    assert capsys.readouterr().err == "error: refused: the arm is stopped\n"


def test_ctrl_c_calls_home_off_and_waits_for_its_end(graph: AskedGraph, procs: Callable[..., Any]) -> None:
    over = threading.Event()

    def work(handle: Any) -> MoveHome.Result:
        while not handle.is_cancel_requested and not over.is_set():
            handle.publish_feedback(MoveHome.Feedback(distance=0.25))
            over.wait(0.1)
        handle.canceled()
        return MoveHome.Result(message="called off: the arm holds")

    graph.act("arm_controller", MoveHome, "arm_controller/home", work)
    home = procs(*FRS, "arm", "home")
    try:
        home.wait_for_text("0.25 rad left")
        home.send_signal(signal.SIGINT)
        assert home.wait(15.0) == 130
        assert "called off: the arm holds" in home.text()
        assert "Traceback" not in home.text()
    finally:
        over.set()
