"""Wishes: short taps are kept, held keys do not flood, directions and gripper join."""

import pytest
from frs_msgs.msg import Guidance
from hypothesis import given
from hypothesis import strategies as st

from frs_teleop_cli.wishes import ANSWER_TIME, NOWHERE, QUEUE_LIMIT, QueueFull, Wish, WishLine

FORWARD = Wish((1.0, 0.0, 0.0))
LEFT = Wish((0.0, 1.0, 0.0))
UP = Wish((0.0, 0.0, 1.0))
OPEN = Wish(gripper=Guidance.GRIPPER_OPEN)
CLOSE = Wish(gripper=Guidance.GRIPPER_CLOSE)
DEFER = Wish(defer=True)
EACH = st.sampled_from((FORWARD, LEFT, UP, OPEN, CLOSE, DEFER))


@pytest.fixture
def line():
    return WishLine(validity=1.0)


def test_first_press_is_sent_at_once(line):
    assert line.press(LEFT, 0.0) == LEFT
    assert line.now == LEFT


def test_taps_between_two_decisions_are_used_one_after_the_other(line):
    assert line.press(LEFT, 0.0) == LEFT
    assert line.press(FORWARD, 0.1) is None
    assert line.press(UP, 0.2) is None
    assert line.answered(LEFT, 0.5, used=True) == FORWARD
    assert line.last is not None
    assert line.last.wish == LEFT
    assert line.answered(FORWARD, 1.0, used=True) == UP
    assert line.answered(UP, 1.5, used=True) is None
    assert line.now is None


def test_direction_and_gripper_make_one_wish(line):
    line.press(LEFT, 0.0)
    both = Wish(LEFT.direction, Guidance.GRIPPER_CLOSE)
    assert line.press(CLOSE, 0.1) == both
    assert line.answered(both, 0.5, used=True) is None
    assert line.now is None


def test_what_joined_too_late_for_a_decision_is_sent_for_the_next(line):
    line.press(LEFT, 0.0)
    line.press(CLOSE, 0.1)
    assert line.answered(LEFT, 0.2, used=True) == CLOSE
    assert line.now == CLOSE


def test_gripper_joins_the_newest_of_the_queue(line):
    line.press(LEFT, 0.0)
    line.press(FORWARD, 0.1)
    assert line.press(OPEN, 0.2) is None
    assert line.answered(LEFT, 0.5, used=True) == Wish(FORWARD.direction, Guidance.GRIPPER_OPEN)


def test_contrary_gripper_wishes_queue(line):
    line.press(OPEN, 0.0)
    assert line.press(CLOSE, 0.1) is None
    assert list(line.queued) == [CLOSE]


def test_held_key_is_one_message_and_its_refreshing(line):
    sent = [at for at in range(100) if line.press(FORWARD, at / 100) is not None]
    assert sent == [0, 50]


def test_new_amount_replaces_the_old_one(line):
    line.press(FORWARD, 0.0)
    less = Wish(FORWARD.direction, amount=0.5)
    assert line.press(less, 0.1) == less


def test_defer_drops_the_queue(line):
    line.press(LEFT, 0.0)
    line.press(FORWARD, 0.1)
    assert line.press(DEFER, 0.2) == DEFER
    assert not line.queued
    assert line.press(UP, 0.3) == UP


def test_deferring_is_answered_by_a_decision_that_deferred(line):
    line.press(DEFER, 0.0)
    assert line.answered(DEFER, 0.3, used=True) is None
    assert line.now is None
    assert line.last is not None
    assert line.last.wish == DEFER


def test_decision_on_another_wish_changes_nothing(line):
    line.press(LEFT, 0.0)
    for other in (FORWARD, CLOSE, DEFER, Wish()):
        assert line.answered(other, 0.1, used=True) is None
    assert line.now == LEFT
    assert line.last is None


def test_overruled_wish_is_gone_but_not_accepted(line):
    line.press(LEFT, 0.0)
    line.press(FORWARD, 0.1)
    assert line.answered(LEFT, 0.3, used=False) == FORWARD
    assert line.last is None


def test_full_queue_says_so(line):
    line.press(LEFT, 0.0)
    for number in range(QUEUE_LIMIT):
        line.press((FORWARD, UP)[number % 2], 0.1)
    with pytest.raises(QueueFull, match=f"{QUEUE_LIMIT} wishes"):
        line.press(LEFT, 0.2)


def test_wish_that_went_stale_is_not_waited_for(line):
    line.press(LEFT, 0.0)
    line.press(FORWARD, 0.1)
    assert line.press(UP, 1.1) == UP
    assert not line.queued


def test_unused_wish_is_reported_lost(line):
    line.press(LEFT, 0.0)
    assert line.expire(1.0 + ANSWER_TIME) is None
    assert line.expire(1.1 + ANSWER_TIME) == LEFT
    assert line.now is None


def test_unused_defer_is_not_missed(line):
    line.press(DEFER, 0.0)
    assert line.expire(10.0) is None
    assert line.now is None


@given(EACH, EACH)
def test_joining_loses_nothing_or_refuses(first, second):
    joined = first.join(second)
    if joined is None or joined.defer:
        assert joined is None or first == second
        return
    for part in (first, second):
        assert part.direction in (NOWHERE, joined.direction)
        assert part.gripper in (Guidance.GRIPPER_KEEP, joined.gripper)
    rest = joined.without(first)
    assert rest is not None
    assert rest.empty or rest.without(second) is not None


@given(st.lists(st.tuples(EACH, st.floats(0.0, 0.4)), max_size=30))
def test_line_sends_only_what_it_says_it_waits_for(presses):
    line, at = WishLine(validity=1.0), 0.0
    for wish, pause in presses:
        at += pause
        try:
            sent = line.press(wish, at)
        except QueueFull:
            sent = None
        assert sent is None or sent == line.now
        assert len(line.queued) <= QUEUE_LIMIT
        if pause > 0.3 and line.now is not None:
            sent = line.answered(line.now, at, used=True)
            assert sent == line.now
