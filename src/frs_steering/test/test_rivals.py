"""Who else publishes where the arm is commanded is found and named."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import ModuleType

import pytest
from std_msgs.msg import String

from frs_steering.nodes import rivals
from frs_steering.nodes.rivals import Rivals


def until(condition: Callable[[], bool]) -> None:
    pause, end = threading.Event(), time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end
        pause.wait(0.02)


def test_a_second_publisher_is_named_until_it_goes(ros: ModuleType) -> None:
    own, other = ros.create_node("own"), ros.create_node("other", namespace="lab")
    watch = Rivals(own, own.create_publisher(String, "turn", 1).topic_name)
    assert watch.look() == ""
    other.create_publisher(String, "/turn", 1)
    until(lambda: watch.look() != "")
    assert watch.look() == "/lab/other, /own all publish on /turn, past arm_controller's gate: end all but one"
    other.destroy_node()
    until(lambda: watch.look() == "")
    own.destroy_node()


def test_a_lone_publisher_is_a_stranger_unless_it_is_the_controller(ros: ModuleType) -> None:
    driver, stranger, controller = (ros.create_node(name) for name in ("driver", "move_group", "arm_controller"))
    watch = Rivals(driver, "/bend")
    assert watch.stranger() == ""
    stranger.create_publisher(String, "/bend", 1)
    until(lambda: watch.stranger().startswith("move_group publishes on /bend; only arm_controller"))
    assert watch.look() == "", "one alone is no rival"
    stranger.destroy_node()
    controller.create_publisher(String, "/bend", 1)
    until(lambda: driver.count_publishers("/bend") == 1 and watch.stranger() == "")
    driver.destroy_node()
    controller.destroy_node()


def test_one_of_the_same_name_is_given_time_to_be_forgotten(ros: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that was killed and started again is two for a while."""
    own, twin = ros.create_node("own"), ros.create_node("own")
    watch = Rivals(own, own.create_publisher(String, "twist", 1).topic_name)
    twin.create_publisher(String, "twist", 1)
    until(lambda: own.count_publishers("/twist") == 2)
    assert watch.look() == ""
    monkeypatch.setattr(rivals, "PATIENCE", 0.0)
    until(lambda: watch.look() == "2 nodes /own publish on /twist: end all but one")
    twin.destroy_node()
    own.destroy_node()
