"""The node `noise_policy`: what it takes, what it refuses, and what it says, all over real DDS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import noise_policy_sample
import numpy as np
import pytest
from cell_stand_in import Start
from frs_msgs.msg import NoisePolicyInfo, PolicyInfo
from frs_msgs.srv import LoadNoisePolicy, ProposeNoise
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from frs_steering.learn.noise_policy import load
from frs_steering.nodes.conversions import floats, policy_info_to_msg
from frs_steering.nodes.qos import LATCHED
from frs_steering.policies import load_policy
from frs_steering.policies.interface import PolicySpec


class Asker(Node):
    """Plays the policy and asks, spun in a thread of its own."""

    def __init__(self) -> None:
        super().__init__("asker")
        self.infos: list[NoisePolicyInfo] = []
        self._changed = threading.Condition()
        self._policy = self.create_publisher(PolicyInfo, "policy_info", LATCHED)
        self.create_subscription(NoisePolicyInfo, "noise_policy/info", self._on_info, LATCHED)
        self.propose = self.create_client(ProposeNoise, "noise_policy/propose")
        self.load = self.create_client(LoadNoisePolicy, "noise_policy/load")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._executor.shutdown()
        self.destroy_node()

    def _spin(self) -> None:
        while not self._over.is_set():
            self._executor.spin_once(timeout_sec=0.1)

    def _on_info(self, msg: NoisePolicyInfo) -> None:
        with self._changed:
            self.infos.append(msg)
            self._changed.notify_all()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, 30.0), f"not within 30 s: {what}"

    def tell_policy(self, spec: PolicySpec) -> None:
        self._policy.publish(policy_info_to_msg(spec, self.get_clock().now().to_msg()))

    def call(self, client: Client[Any, Any], request: object) -> Any:
        assert client.wait_for_service(30.0), f"{client.srv_name} is not there"
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        assert done.wait(30.0), f"no answer from {client.srv_name}"
        return future.result()

    def take(self, file: Path | str) -> LoadNoisePolicy.Response:
        return self.call(self.load, LoadNoisePolicy.Request(file=str(file)))

    def take_soon(self, file: Path | str) -> LoadNoisePolicy.Response:
        """The same, as soon as the node has heard of the policy."""
        answers = (self.take(file) for _ in range(200))
        return next(answer for answer in answers if "no usable policy_info" not in answer.message)


@pytest.fixture
def asker(ros: ModuleType) -> Iterator[Asker]:
    node = Asker()
    yield node
    node.close()


@pytest.fixture(scope="module")
def spec(weights: Path) -> PolicySpec:
    return load_policy("embedded", weights).spec


def shuffle(file: Path, out: Path) -> None:
    """A file whose weights are all there and finite, in another order."""
    with safe_open(file, "pt") as opened:
        header = opened.metadata()
    tensors = load_file(file)
    for name in [name for name in tensors if name.endswith("weight")]:
        tensors[name] = tensors[name].flatten().flip(0).view_as(tensors[name]).contiguous()
    save_file(tensors, out, header)


def test_a_good_file_goes_live_and_bad_ones_leave_it_in_place(
    asker: Asker, start_node: Start, weights: Path, spec: PolicySpec, tmp_path: Path
):
    good = noise_policy_sample.write(tmp_path / "good.safetensors", weights)
    process = start_node("noise_policy")
    refused = asker.take(good)
    assert not refused.success and "no usable policy_info came; is vla_inference running?" in refused.message

    asker.tell_policy(spec)
    answer = asker.take_soon(good)
    known = load(good)
    assert (answer.success, answer.message, answer.version) == (True, "", known.version)
    asker.until(lambda: asker.infos[-1].version == known.version, "the news")
    info = asker.infos[-1]
    assert (info.kind, info.parameterisation, info.file) == ("dsbc", "tiled", str(good))
    assert (info.weights_sha256, info.trained_on) == (spec.weights_sha256, "2 rollouts, 10 chunks")

    (tmp_path / "empty.safetensors").touch()
    (tmp_path / "torn.safetensors").write_bytes(good.read_bytes()[:-100])
    noise_policy_sample.write(tmp_path / "chunks.safetensors", weights, "bc")
    noise_policy_sample.write(tmp_path / "other.safetensors", weights, weights_sha256="ab" * 32)
    shuffle(good, tmp_path / "shuffled.safetensors")
    for name, why in (
        ("none.safetensors", "does not exist; make one with: frs train dsbc"),
        ("empty.safetensors", "can't be read as safetensors"),
        ("torn.safetensors", "can't be read as safetensors"),
        ("chunks.safetensors", "which says chunks; to go live it must be 'dsbc'"),
        ("other.safetensors", "was trained with 'embedded' of weights abababababab"),
        ("shuffled.safetensors", "must not be used: on the 4 recorded observations in it the loss is"),
        (".", "is no file"),
    ):
        answer = asker.take(tmp_path / name)
        assert (answer.success, answer.version) == (False, known.version), name
        assert why in answer.message, answer.message

    features = np.full(known.network.config.seen - 8, 0.5, np.float32)
    request = ProposeNoise.Request(features=floats(features), joint_position=np.zeros(7), gripper=0.5, seed=2**63)
    said = asker.call(asker.propose, request)
    assert (said.success, said.rows, said.dim, said.parameterisation) == (True, 1, 7, "tiled")
    np.testing.assert_array_equal(said.noise, known.propose(features, np.zeros(7), 0.5, 2**63).ravel())
    request.features = floats(features[:3])
    said = asker.call(asker.propose, request)
    assert not said.success and "it was given 11 numbers" in said.message

    answer = asker.take("")
    assert (answer.success, answer.version) == (True, "")
    assert "none was asked for" in asker.call(asker.propose, request).message
    assert process.poll() is None


def test_it_begins_with_a_file_and_knows_whose_it_is(
    asker: Asker, start_node: Start, weights: Path, spec: PolicySpec, tmp_path: Path
):
    file = noise_policy_sample.write(tmp_path / "good.safetensors", weights)
    start_node("noise_policy", file=file)
    asker.until(lambda: bool(asker.infos), "word from the node")
    assert asker.infos[-1].version == ""  # there is no policy yet that it could fit
    asker.tell_policy(spec)
    asker.until(lambda: asker.infos[-1].version != "", "it is live")
    other = PolicySpec(**{**vars(spec), "weights_sha256": "00" * 32})
    asker.tell_policy(other)  # another policy: its noises mean something else
    asker.until(lambda: asker.infos[-1].version == "", "it is not live any more")
    asker.tell_policy(spec)
    asker.until(lambda: asker.infos[-1].version != "", "it is live again")


def test_a_bad_file_at_the_start_is_said_and_the_node_goes_on(asker: Asker, start_node: Start, tmp_path: Path):
    process = start_node("noise_policy", file=tmp_path / "nowhere")
    asker.until(lambda: bool(asker.infos), "word from the node")
    process.wait_for_text("nowhere does not exist; make one with: frs train dsbc")
    answer = asker.call(asker.propose, ProposeNoise.Request())
    assert not answer.success and "nowhere does not exist" in answer.message
