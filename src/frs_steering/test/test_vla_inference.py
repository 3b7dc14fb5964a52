"""The policy's node as a real process, fed and asked over real DDS."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path

import pytest
from cell_stand_in import CellStandIn, Start
from frs_msgs.srv import FlowQuery

STEER = FlowQuery.Request.STEER
MASK = [True] * 3 + [False] * 4


def steer(**changes: object) -> FlowQuery.Request:
    """A query that is right but for `changes`."""
    fields = {"operation": STEER, "method": "frs", "chunk": [0.1] * 112, "command_mask": MASK} | changes
    return FlowQuery.Request(**fields)


def ask(cell: CellStandIn, query: FlowQuery.Request, words: str = "", timeout: float = 30.0) -> FlowQuery.Response:
    """Ask until the answer is a refusal with `words`, or a success where none are given.

    A busy machine may make a stream stale for a moment, which is then refused, too.
    """
    for _ in range(1000):
        answer = cell.call(cell.query, query, timeout)
        if (words in answer.message and not answer.success) if words else answer.success:
            return answer
    raise AssertionError(f"no {words or 'success'} in 1000 answers; the last: {answer.message}")


def test_answers_and_refuses_in_words(cell: CellStandIn, start_node: Start, weights: Path):
    cell.cameras = {"exterior"}
    process = start_node("vla_inference", weights=weights)
    cell.until(lambda: bool(cell.infos), 60, "policy_info")
    info = cell.infos[-1]
    assert (info.horizon, info.dim, info.header.frame_id) == (16, 7, "fr3_link0")

    # A camera that never came is named, and nothing is made up for it.
    refused = ask(cell, steer(), "camera 'wrist' never came")
    assert len(refused.chunk) == 0

    # With it, the answer is whole.
    cell.cameras = {"exterior", "wrist"}
    answer = ask(cell, steer())
    assert len(answer.chunk) == len(answer.noise_used) == len(answer.noise_recovered) == 112
    assert all(math.isfinite(value) for value in answer.chunk)
    assert answer.diagnostics.evaluations == 20
    stages = answer.timings
    assert 0 < stages.wait + stages.prepare + stages.encode + stages.reverse + stages.denoise <= answer.server_time
    assert 0 <= stages.camera_age < 0.3

    # Other methods, too.
    answer = ask(cell, steer(method="frs:integrator=fixed_point,iterations=2"))
    assert answer.diagnostics.evaluations == 31 and answer.diagnostics.fixed_point_residual >= 0.0
    answer = ask(cell, steer(method="direct"))
    assert answer.diagnostics.evaluations == len(answer.noise_used) == 0
    assert list(answer.chunk)[:3] == pytest.approx([0.1] * 3)

    # The same seed gives the same noise.
    sample = FlowQuery.Request(operation=FlowQuery.Request.SAMPLE, method="base", seed=5)
    assert ask(cell, sample).noise_used == ask(cell, sample).noise_used

    # A proposed noise is denoised under the observation that it was proposed for, unless that has become stale.
    seen = ask(cell, FlowQuery.Request(operation=FlowQuery.Request.ENCODE, seed=9))
    denoise = FlowQuery.Request(operation=FlowQuery.Request.DENOISE, method="noise", seed=9, noise=[0.0] * 112)
    again = ask(cell, denoise)
    assert (again.header.stamp, again.features) == (seen.header.stamp, seen.features)
    cell.wait_ticks(5)
    assert ask(cell, denoise).header.stamp != seen.header.stamp

    # Bad queries are refused by name, and the next good one is answered.
    for query, words in (
        (steer(chunk=[math.nan] * 112), "chunk has 112 values that are not finite"),
        (steer(chunk=[0.0] * 7), "chunk has 7 values; it must have 16 x 7"),
        (steer(command_mask=[True]), "command_mask has 1 entries; it must have 7"),
        (steer(method="frs:steps=0"), "steps is 0; it must lie in [1, 1000]"),
        (steer(method="magic"), "method is 'magic'; it must be one of base, frs"),
        (steer(method="base"), "to STEER it must follow a reference"),
        (steer(method="frs:noise=dct17"), "a chunk of 16 rows has no more than dct16"),
        (steer(operation=77), "operation is 77"),
    ):
        ask(cell, query, words)
    ask(cell, steer())

    # Images that come during a long query are dated by their arrival: they are fresh at once when it is over.
    ask(cell, steer(method="frs:steps=1000"), timeout=60.0)
    assert ask(cell, steer()).timings.camera_age < 0.3

    # A camera that stops is stale, with its age.
    cell.cameras = {"exterior"}
    refused = ask(cell, steer(), "camera 'wrist' is")
    assert "s old; at most 0.20 s allowed" in refused.message

    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    assert process.wait(30) == 0
    assert time.monotonic() - begun < 2.0


def test_the_fingers_may_come_on_a_topic_of_their_own(cell: CellStandIn, policy_node: None):
    ask(cell, steer())
    cell.fingers_apart = True
    cell.wait_ticks(10)  # what came with the arm is old by then
    ask(cell, steer())


def one_line(process) -> str:
    """What a node that can't start says: exit code 1 and a single line."""
    assert process.wait(60) == 1, process.text()
    (line,) = process.text().strip().splitlines()
    return line


def test_missing_weights_are_named(start_node: Start, tmp_path: Path):
    path = tmp_path / "nowhere.safetensors"
    assert str(path) in one_line(start_node("vla_inference", weights=path))


def test_corrupt_weights_are_named(start_node: Start, weights: Path, tmp_path: Path):
    path = tmp_path / "torn.safetensors"
    path.write_bytes(weights.read_bytes()[:-1000])
    assert str(path) in one_line(start_node("vla_inference", weights=path))


@pytest.mark.parametrize(("name", "value"), [("threads", 0), ("policy", "nobody")])
def test_wrong_parameter_is_named(start_node: Start, weights: Path, name: str, value: object):
    line = one_line(start_node("vla_inference", weights=weights, **{name: value}))
    assert name in line
