"""The policy's node: takes cameras, joint states and the instruction, answers flow queries."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from frs_msgs.msg import PolicyInfo, PolicyInput
from frs_msgs.srv import FlowQuery
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String

from frs_steering.health.policy import Queries, Streams, inputs_health, policy_health
from frs_steering.health.report import Health
from frs_steering.nodes.conversions import MessageError, frame_from_msg, nanoseconds, policy_info_to_msg
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.joint_ear import hear_joints
from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.policy_input import policy_input_to_msg
from frs_steering.nodes.policy_watch import TOPIC
from frs_steering.nodes.qos import ALIVE, EVENT, LATCHED, SENSOR
from frs_steering.nodes.query_messages import fill_response, query_from_msg
from frs_steering.nodes.runtime import run, side_node
from frs_steering.policies import load_policy
from frs_steering.policies.interface import Observation, Policy, PolicyError
from frs_steering.policies.observation import Freshness, JointLayout, Moment, ObservationAssembler, ObservationError
from frs_steering.robot.fr3 import FINGER_JOINT, FINGER_OPEN, JOINT_NAMES
from frs_steering.steer.answer import answer
from frs_steering.steer.query import Operation, Query, QueryError

WARM_UP_CALLS = 3
"""The first calls of a network are several times slower than the rest; they are made before anybody asks."""

WARN_EVERY = 2.0  # s

LOOK_EVERY = 0.05
"""s between two looks at whether everything that the policy sees is fresh."""

TELL_EVERY = 1.0
"""s between two reasons of one blindness."""


@dataclass(frozen=True)
class VlaInferenceParameters:
    """Parameters of the node."""

    policy: str = param("embedded", "name of the policy")
    weights: str = param("", "its weights file; empty: the one that comes with it")
    threads: int = param(1, "threads of the network; the cameras and the arm need the other cores", low=1, high=64)
    max_image_age: float = param(0.2, "s since receipt; an older image is stale", low=0.01, high=10.0)
    max_joint_age: float = param(0.2, "s since receipt; an older joint state is stale", low=0.01, high=10.0)
    max_skew: float = param(0.2, "s between the oldest and the newest stamp in one observation", low=0.0, high=10.0)


class VlaInference(Node):
    """Answers flow queries in the main thread; a node beside it, `<name>_sensors`, receives meanwhile.

    Images that came while the network works are thus received, and dated, when they came.
    """

    def __init__(self) -> None:
        super().__init__("vla_inference")
        parameters = declare(self, VlaInferenceParameters)
        torch.set_num_threads(parameters.threads)
        cv2.setNumThreads(parameters.threads)
        self._policy = load_policy(parameters.policy, Path(parameters.weights) if parameters.weights else None)
        spec = self._policy.spec
        self._observations = ObservationAssembler(
            spec.cameras,
            JointLayout(JOINT_NAMES, FINGER_JOINT, gripper_open=FINGER_OPEN),
            Freshness(parameters.max_image_age, parameters.max_joint_age, parameters.max_skew),
        )
        self._max_image_age = parameters.max_image_age
        limits = {_camera_words(camera): parameters.max_image_age for camera in spec.cameras}
        self._streams = Streams({**limits, "joint_states": parameters.max_joint_age})
        self._queries = Queries()
        # What ENCODE saw last, its seed, and when (s, monotonic).
        self._encoded: tuple[Moment, int, float] | None = None
        took = _warm_up(self._policy)
        self.side_nodes = (self._make_sensor_node(),)
        self.create_service(FlowQuery, "flow_query", self._on_query)
        self._inputs = self.create_publisher(PolicyInput, "policy_input", EVENT)
        self._untold: list[tuple[Moment, int]] = []  # what was seen in answered queries, with their seeds
        self._answered = self.create_guard_condition(self._tell_inputs)
        self._info = self.create_publisher(PolicyInfo, "policy_info", LATCHED)
        self._info.publish(policy_info_to_msg(spec, self.get_clock().now().to_msg()))
        self.get_logger().info(
            f"policy {spec.name!r} ({spec.weights_sha256[:12]}) is ready: {spec.horizon} x {spec.dim} "
            f"{spec.action_space.name}, {spec.execute_rows} rows of {spec.row_duration:.4f} s driven; "
            f"one steered chunk takes {took * 1e3:.0f} ms"
        )

    def _make_sensor_node(self) -> Node:
        # It reads no clock but the monotonic one.
        node = side_node(self, "sensors", parameter_overrides=[Parameter("use_sim_time", value=False)])
        for camera in self._policy.spec.cameras:
            topic = f"camera/{camera}/color/image_raw"
            node.create_subscription(Image, topic, partial(self._on_image, camera), SENSOR)
        hear_joints(node, {"joint_states": self._on_joints, "fr3_gripper_controller/joint_states": self._on_fingers})
        node.create_subscription(String, "instruction", self._on_instruction, LATCHED)
        self._why_not = node.create_publisher(String, TOPIC, ALIVE)
        self._told, self._told_at = "?", -math.inf
        node.create_timer(LOOK_EVERY, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        # Beside the network's thread, so that it can be told that the network hangs.
        Diagnostics(self, {"inputs": self._inputs_health, "policy": self._policy_health}, on=node)
        return node

    def _inputs_health(self) -> Health:
        now = time.monotonic()
        return inputs_health(self._streams.at(now), self._observations.why_not(now))

    def _policy_health(self) -> Health:
        spec = self._policy.spec
        return policy_health(spec.name, spec.weights_sha256, self._queries, time.monotonic())

    def _look(self) -> None:
        now = time.monotonic()
        why = self._observations.why_not(now)
        # An age in the words changes with every look, and nobody reads that fast.
        if self._told != why and (not self._told or not why or now - self._told_at > TELL_EVERY):
            self._told, self._told_at = why, now
            self._why_not.publish(String(data=why))

    def _on_image(self, camera: str, msg: Image) -> None:
        now = time.monotonic()
        self._streams.saw(_camera_words(camera), nanoseconds(msg.header.stamp), now)
        self._observations.put_image(camera, frame_from_msg(msg), now)

    def _on_joints(self, msg: JointState) -> None:
        stamp, now = nanoseconds(msg.header.stamp), time.monotonic()
        self._streams.saw("joint_states", stamp, now)
        self._observations.put_joints(msg.name, msg.position, stamp, now)

    def _on_fingers(self, msg: JointState) -> None:
        self._observations.put_joints(msg.name, msg.position, nanoseconds(msg.header.stamp), time.monotonic())

    def _on_instruction(self, msg: String) -> None:
        self._observations.put_instruction(msg.data)

    def _on_query(self, request: FlowQuery.Request, response: FlowQuery.Response) -> FlowQuery.Response:
        received = time.monotonic()
        self._queries.begun(received)
        try:
            query = query_from_msg(request, self._policy.spec)
            moment = self._moment(query)
            wait = time.monotonic() - received
            result = answer(self._policy, moment.observation, query)
            fill_response(response, result, moment, self._policy.spec, wait=wait)
            if query.operation is not Operation.ENCODE:  # of which no chunk comes
                self._untold.append((moment, query.seed))
                self._answered.trigger()  # once the answer is on its way: nobody waits for the journal
        except (MessageError, ObservationError, QueryError) as error:
            response.success, response.message = False, str(error)
            self.get_logger().warning(f"query refused: {error}", throttle_duration_sec=WARN_EVERY)
        except Exception as error:  # whatever the network does, the next query deserves an answer
            response.success, response.message = False, f"the policy failed: {type(error).__name__}: {error}"
            self.get_logger().error(response.message, throttle_duration_sec=WARN_EVERY)
        ended = time.monotonic()
        self._queries.ended(ended, "" if response.success else response.message)
        response.server_time = ended - received
        return response

    def _moment(self, query: Query) -> Moment:
        # A noise policy's noise is denoised under the observation that it was proposed for: its decision has one seed.
        now = time.monotonic()
        if query.operation is Operation.DENOISE and self._encoded is not None:
            moment, seed, taken = self._encoded
            if seed == query.seed and moment.camera_age + now - taken <= self._max_image_age:
                return moment
        moment = self._observations.assemble(now)
        self._encoded = (moment, query.seed, now) if query.operation is Operation.ENCODE else None
        return moment

    def _tell_inputs(self) -> None:
        untold, self._untold = self._untold, []
        if self._inputs.get_subscription_count():
            for moment, seed in untold:
                self._inputs.publish(policy_input_to_msg(moment, seed, self._policy.spec))


def _camera_words(camera: str) -> str:
    return f"camera {camera!r}"


def _warm_up(policy: Policy) -> float:
    """Run the policy on blank pictures until it is warm.

    Returns:
        Duration of the last call in s.

    Raises:
        PolicyError: the parts that it names are not those of its features.
    """
    spec = policy.spec
    blank = Observation(
        images={camera: np.zeros((224, 224, 3), np.uint8) for camera in spec.cameras},
        joint_position=np.zeros(7),
        gripper=0.0,
        gripper_before=(0.0, 0.0),
        instruction="warm up",
    )
    rest = np.zeros((spec.horizon, spec.dim), np.float32)
    for _ in range(WARM_UP_CALLS):
        begun = time.monotonic()
        said = answer(policy, blank, Query(Operation.STEER, chunk=rest, mask=np.ones(spec.dim, bool)))
    if spec.feature_parts and sum(spec.feature_parts) != said.features.size:
        raise PolicyError(f"policy {spec.name!r} names feature_parts of {sum(spec.feature_parts)} numbers in all; its"
                          f" features are {said.features.size}")  # fmt: skip
    return time.monotonic() - begun


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `vla_inference`."""
    return run(VlaInference, argv, realtime=True)
