"""`frs arm`, asked of an arm controller that only listens."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from asked_graph import AskedGraph
from frs_msgs.action import MoveHome
from std_srvs.srv import Trigger

from frs_bringup import asker
from frs_bringup.cli import main

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
