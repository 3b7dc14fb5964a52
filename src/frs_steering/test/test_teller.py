"""What is told is told in order, on another thread, and whoever tells never waits."""

from __future__ import annotations

import threading

import pytest

from frs_steering.nodes import teller
from frs_steering.nodes.teller import Teller


def ignore(error: Exception) -> None:
    raise AssertionError(error)


def test_all_is_told_in_order_before_it_ends() -> None:
    told: list[tuple[int, str]] = []
    to = Teller(ignore)
    for number in range(50):
        to.tell(lambda number=number: told.append((number, threading.current_thread().name)))  # type: ignore[misc]
    to.close(5.0)
    assert told == [(number, "teller") for number in range(50)]
    assert to.lost == 0


def test_who_tells_does_not_wait_for_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teller, "MOST", 5)
    begun, free, told = threading.Event(), threading.Event(), list[int]()
    to = Teller(ignore)

    def block() -> None:
        begun.set()
        assert free.wait(5.0)

    to.tell(block)
    assert begun.wait(5.0)
    for number in range(8):
        to.tell(lambda number=number: told.append(number))  # type: ignore[misc]
    assert (told, to.lost) == ([], 3)
    free.set()
    to.close(5.0)
    assert told == [3, 4, 5, 6, 7] or told == [4, 5, 6, 7], "the oldest are thrown away, one more for the end itself"


def test_an_error_is_told_and_is_not_the_end() -> None:
    errors: list[Exception] = []
    told: list[str] = []
    to = Teller(errors.append)
    to.tell(lambda: told.append(str(1 // 0)))
    to.tell(lambda: told.append("next"))
    to.close(5.0)
    assert told == ["next"]
    assert [type(error) for error in errors] == [ZeroDivisionError]
