"""The node `noise_trainer` with the real `noise_policy` beside it, over real DDS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from cell_stand_in import Start
from frs_msgs.action import TrainNoisePolicy
from frs_msgs.msg import NoisePolicyInfo, PolicyInfo
from rclpy.action import ActionClient
from rclpy.action.client import ClientGoalHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rollout_recordings import record
from rollout_samples import WEIGHTS, D, H

from frs_steering.learn.noise_policy import load
from frs_steering.nodes.conversions import policy_info_to_msg
from frs_steering.nodes.noise_trainer import _file_for
from frs_steering.nodes.qos import LATCHED
from frs_steering.policies.interface import PolicySpec
from frs_steering.robot.spaces import ActionSpace

SPEC = PolicySpec(
    "made-up",
    WEIGHTS,
    ActionSpace.CARTESIAN_VELOCITY,
    H,
    D,
    8,
    1 / 15,
    "fr3_link0",
    tuple("xyzrpgh")[:D],
    (1.0,) * D,
    (),
)


@pytest.mark.parametrize(
    ("wanted", "first", "file"),
    [
        ("", "/runs/rollouts", "/runs/rollouts-dsbc.safetensors"),
        ("", "/runs/runs.v2", "/runs/runs.v2-dsbc.safetensors"),
        ("", "/runs/egg-0.5/egg-0.5.mcap", "/runs/egg-0.5/egg-0.5-dsbc.safetensors"),
        ("", "/runs/egg/egg.mcap.partial", "/runs/egg/egg-dsbc.safetensors"),
        ("/made/egg-0.5", "/runs/rollouts", "/made/egg-0.5.safetensors"),
        ("/made/egg-0.5.safetensors", "/runs/rollouts", "/made/egg-0.5.safetensors"),
    ],
)
def test_names_with_dots_stay_whole(wanted: str, first: str, file: str) -> None:
    assert _file_for(wanted, Path(first), "dsbc") == Path(file)


def test_no_noise_policy_is_replaced_by_one_that_was_given_no_name(tmp_path: Path) -> None:
    made = []
    for _ in range(3):
        made.append(_file_for("", tmp_path / "rollouts", "dsbc"))
        made[-1].touch()
    assert [file.name for file in made] == [f"rollouts-dsbc{number}.safetensors" for number in ("", "-2", "-3")]
    assert _file_for(str(made[0]), tmp_path / "rollouts", "dsbc") == made[0]


class Customer:
    """Plays the policy and asks for trainings; it listens while it waits."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.infos: list[NoisePolicyInfo] = []
        self.feedback: list[TrainNoisePolicy.Feedback] = []
        self._policy = node.create_publisher(PolicyInfo, "policy_info", LATCHED)
        node.create_subscription(NoisePolicyInfo, "noise_policy/info", self.infos.append, LATCHED)
        self._client: ActionClient = ActionClient(node, TrainNoisePolicy, "noise_policy/train")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)

    def close(self) -> None:
        self._executor.shutdown()
        self._client.destroy()

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
        end = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
            self._executor.spin_once(timeout_sec=0.05)
        return found

    def tell_policy(self) -> None:
        self._policy.publish(policy_info_to_msg(SPEC, self._node.get_clock().now().to_msg()))

    def ask(self, **goal: Any) -> ClientGoalHandle:
        self.until(self._client.server_is_ready, "the action")
        sent = self._client.send_goal_async(
            TrainNoisePolicy.Goal(**goal), lambda message: self.feedback.append(message.feedback)
        )
        self.until(sent.done, "an answer to the goal")
        return sent.result()

    def outcome(self, handle: ClientGoalHandle) -> tuple[int, TrainNoisePolicy.Result]:
        assert handle.accepted
        future = handle.get_result_async()
        self.until(future.done, "the result")
        return future.result().status, future.result().result


@pytest.fixture
def customer(ros: ModuleType, node: Node) -> Iterator[Customer]:
    one = Customer(node)
    yield one
    one.close()


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "rollouts"
    record(folder, "e1", count=30)
    record(folder, "e2", "failed", seed=1)
    return folder


def test_it_trains_and_puts_live_what_it_trained(customer: Customer, start_node: Start, recordings: Path):
    customer.tell_policy()
    start_node("noise_policy")
    start_node("noise_trainer")
    customer.until(lambda: customer.infos, "word from noise_policy")
    status, result = customer.outcome(customer.ask(kind="dsbc", recordings=[str(recordings)], go_live=True, seed=5))
    assert (status, result.success) == (GoalStatus.STATUS_SUCCEEDED, True), result.message
    assert result.file == str(recordings.with_name("rollouts-dsbc.safetensors"))
    known = load(Path(result.file))
    assert result.version == known.version and known.trained_on.seed == 5
    assert (result.rollouts, result.chunks) == (1, 30)
    assert 0.0 < result.training_time < 100.0 and 50e6 < result.peak_memory < 2e9
    assert "it is live" in result.message
    customer.until(lambda: customer.infos[-1].version == known.version, "the news")
    assert customer.feedback and 0.0 <= customer.feedback[-1].progress <= 1.0 and customer.feedback[-1].message

    # What can't be is said, and what is live stays live.
    for goal, why in (
        ({"kind": "magic", "recordings": ["x"]}, "kind is 'magic'; it must be one of dsbc, bc"),
        ({"kind": "bc", "recordings": ["x"], "go_live": True}, "only 'dsbc', which says noises, can go live"),
        ({"kind": "dsbc"}, "recordings is empty"),
        ({"kind": "dsbc", "recordings": ["/nowhere"]}, "/nowhere does not exist"),
    ):
        status, result = customer.outcome(customer.ask(**goal))
        assert (status, result.success) == (GoalStatus.STATUS_ABORTED, False)
        assert why in result.message and result.version == known.version


def test_without_noise_policy_it_says_what_it_trained(customer: Customer, start_node: Start, recordings: Path):
    start_node("noise_policy")  # but no policy, so that nothing can be checked
    start_node("noise_trainer")
    customer.until(lambda: customer.infos, "word from noise_policy")
    status, result = customer.outcome(customer.ask(kind="dsbc", recordings=[str(recordings)], go_live=True))
    assert (status, result.success, result.version) == (GoalStatus.STATUS_ABORTED, False, "")
    assert "it is not live: noise policy" in result.message and "no usable policy_info came" in result.message
    assert Path(result.file).is_file() and result.chunks == 30


def test_one_at_a_time_and_it_can_be_called_off(
    customer: Customer, start_node: Start, recordings: Path, tmp_path: Path
):
    trainer = start_node("noise_trainer")
    out = tmp_path / "mine.safetensors"
    handle = customer.ask(kind="dsbc", recordings=[str(recordings)], file=str(out))
    assert not customer.ask(kind="dsbc", recordings=[str(recordings)]).accepted
    customer.until(lambda: customer.feedback, "that it runs")
    handle.cancel_goal_async()
    status, result = customer.outcome(handle)
    assert (status, result.success, result.message) == (
        GoalStatus.STATUS_CANCELED, False, "the training was called off",
    )  # fmt: skip
    assert not out.exists()

    # And when the node itself is stopped meanwhile, it ends in time, with its training.
    customer.feedback.clear()
    customer.ask(kind="dsbc", recordings=[str(recordings)], file=str(out))
    customer.until(lambda: customer.feedback, "that it runs again")
    trainer.terminate()
    assert trainer.wait(5) == 0
    assert not out.exists()
