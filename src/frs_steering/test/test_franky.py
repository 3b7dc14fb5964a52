"""The true driver of an FR3, franky, against a simulator that speaks libfranka's wire protocol."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest
from franky_peer import ACCELERATION, TURN, FrankyPeer, drive, needed, speed, until

from frs_steering.arm.backends.franky import MAX_WIDTH, FrankyArm, FrankyError, FrankyGripper


@pytest.fixture(scope="module")
def peer() -> Iterator[FrankyPeer]:
    made = FrankyPeer()
    yield made
    made.kill()


@pytest.fixture
def arm(peer: FrankyPeer) -> Iterator[FrankyArm]:
    made = FrankyArm(peer.host, ACCELERATION, realtime=False)
    yield made
    made.close()


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "franky", None)
    with pytest.raises(FrankyError, match="pip install --no-deps franky-control"):
        FrankyArm("127.0.0.1", ACCELERATION)


@needed
def test_a_robot_that_does_not_answer_is_named() -> None:
    with pytest.raises(FrankyError, match=r"robot at 127.0.0.99: .*[Cc]onnection"):
        FrankyArm("127.0.0.99", ACCELERATION, realtime=False)


@needed
def test_it_streams_velocities_and_rests_when_none_comes(arm: FrankyArm) -> None:
    before = arm.read()
    assert before is not None and arm.error() == ""
    drive(arm, lambda: speed(arm) > 0.19, "the velocity asked for")
    until(lambda: abs(speed(arm)) < 1e-3, "rest, without another command")
    after = arm.read()
    assert after is not None
    moved = after[0] - before[0]
    assert moved[0] > 0.02 and np.abs(moved[1:]).max() < 0.01
    drive(arm, lambda: speed(arm) > 0.19, "it to go on")
    assert arm.error() == ""


@needed
def test_the_hand_follows_the_newest_wish(peer: FrankyPeer) -> None:
    hand = FrankyGripper(peer.host)
    assert hand.width is None, "nobody has measured it yet"
    until(lambda: hand.trouble == "", "a hand that answers")
    seen: list[float] = []

    def width() -> float:
        assert hand.width is not None, "it is measured also on the way"
        seen.append(hand.width)
        return hand.width

    hand.send(1.0)
    until(lambda: width() < 0.01, "closed fingers")
    assert any(0.02 < each < 0.06 for each in seen)
    hand.send(0.0)
    until(lambda: width() > MAX_WIDTH - 0.01, "open fingers")
    assert hand.trouble == ""
    hand.close()


@needed
def test_a_hand_that_hangs_is_told_and_does_nothing_late(peer: FrankyPeer) -> None:
    hand = FrankyGripper(peer.host)
    until(lambda: hand.trouble == "", "a hand that answers")
    before = hand.width
    assert before is not None and before > MAX_WIDTH / 4
    peer.hang(True)
    try:
        until(lambda: peer.host in hand.trouble, "the hand's trouble")
        hand.send(1.0)
    finally:
        peer.hang(False)
    until(lambda: hand.trouble == "", "the hand again")
    hand.send(0.0)
    seen: list[float] = []

    def is_open() -> bool:
        seen.append(hand.width or before)
        return seen[-1] > MAX_WIDTH - 0.01

    until(is_open, "open fingers")
    assert min(seen) > before - 0.002, "it began to close"
    hand.close()


@needed
def test_a_robot_that_vanishes_is_told_and_connected_to_again(peer: FrankyPeer, arm: FrankyArm) -> None:
    hand = FrankyGripper(peer.host)
    drive(arm, lambda: speed(arm) > 0.1, "motion")
    until(lambda: hand.trouble == "", "a hand that answers")
    peer.kill()
    until(lambda: peer.host in arm.error(), "an error")
    until(lambda: peer.host in hand.trouble, "the hand's trouble")
    until(lambda: hand.width is None, "an old width is not taken for a new one")
    assert arm.read() is None, "no old positions are taken for new ones"
    arm.send(TURN)  # does nothing, and does not raise
    with pytest.raises(FrankyError, match=peer.host):
        arm.recover()
    peer.start()
    arm.recover()
    assert arm.error() == ""
    drive(arm, lambda: speed(arm) > 0.1, "motion")
    until(lambda: hand.trouble == "", "the hand again")
    hand.close()
