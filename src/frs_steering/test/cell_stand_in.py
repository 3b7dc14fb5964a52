"""A stand-in for cell and arm: cameras, joint states and an arm that drives chunks by the tick, all over real DDS.

It moves nothing. It lets the tests of the policy's side say exactly what comes and what doesn't.
"""

from __future__ import annotations

import array
import threading
from collections.abc import Callable
from typing import Any

import rclpy
from builtin_interfaces.msg import Duration
from frs_msgs.msg import ActionChunk, ArmState, Decision, Guidance, LeaseRenewal, PolicyInfo
from frs_msgs.srv import ClaimArm, FlowQuery
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.task import Future
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import SetBool

from frs_steering.nodes.qos import COMMAND, EVENT, LATCHED, SENSOR
from frs_steering.robot.fr3 import FINGER_JOINT, JOINT_NAMES, RESET_POSITION

Start = Callable[..., Any]
"""start_node(executable, **parameters) -> the process, as the root conftest's `procs` makes it."""

SIZE = 224


class CellStandIn(Node):
    """Publishes what a cell would and keeps what it is sent; spun in a thread of its own."""

    def __init__(self) -> None:
        super().__init__("cell_stand_in")
        self.cameras = {"exterior", "wrist"}
        self.stopped = False
        self.fingers_apart = False
        self.arm = ArmState(state=ArmState.IDLE)
        self.chunks: list[ActionChunk] = []
        self.decisions: list[Decision] = []
        self.infos: list[PolicyInfo] = []
        self.claims = 0
        self._driving: ActionChunk | None = None
        self._epoch = 0
        self._pixels = array.array("B", bytes(SIZE * SIZE * 3))
        self._changed = threading.Condition()

        topics = {name: f"camera/{name}/color/image_raw" for name in self.cameras}
        self._images = {name: self.create_publisher(Image, topic, SENSOR) for name, topic in topics.items()}
        self._joints = self.create_publisher(JointState, "joint_states", SENSOR)
        self._fingers = self.create_publisher(JointState, "fr3_gripper_controller/joint_states", SENSOR)
        self._instruction = self.create_publisher(String, "instruction", LATCHED)
        self._instruction.publish(String(data="put the egg in the basket"))
        self._states = self.create_publisher(ArmState, "arm_state", LATCHED)
        self.guidance = self.create_publisher(Guidance, "guidance", EVENT)
        self.create_service(ClaimArm, "arm_controller/claim", self._on_claim)
        self.create_subscription(ActionChunk, "action_chunk", self._on_chunk, COMMAND)
        self.create_subscription(LeaseRenewal, "lease_renewal", self._on_renewal, COMMAND)
        self.create_subscription(Decision, "decision", lambda msg: self._keep(self.decisions, msg), EVENT)
        self.create_subscription(PolicyInfo, "policy_info", lambda msg: self._keep(self.infos, msg), LATCHED)
        self.query = self.create_client(FlowQuery, "flow_query")
        self.activate = self.create_client(SetBool, "flow_steering/activate")
        self.create_timer(1 / 15, self._look)
        self.create_timer(1 / 100, self._feel)
        self.create_timer(1 / 15, self._step)

        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop spinning and go."""
        self._stop.set()
        self._thread.join()
        self._executor.shutdown()
        self.destroy_node()

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until `condition` holds, looked at after everything that comes."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), f"not within {seconds} s: {what}"

    def until_decisions(
        self, wanted: Callable[[Decision], bool], what: str, since: int = 0, count: int = 1
    ) -> list[Decision]:
        """Wait for so many decisions like that after the first `since`; returns all of them, whatever came between."""

        def found() -> list[Decision]:
            return [decision for decision in self.decisions[since:] if wanted(decision)]

        self.until(lambda: len(found()) >= count, 60, f"{what}, from decision {since} on")
        return found()

    def call(self, client: Client[Any, Any], request: object, seconds: float = 30.0) -> Any:
        """Call a service from the test's thread."""
        assert client.wait_for_service(seconds), f"{client.srv_name} is not there"
        done = threading.Event()
        future: Future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        assert done.wait(seconds), f"no answer from {client.srv_name}"
        return future.result()

    def wait_ticks(self, count: int) -> None:
        """Wait for that many control steps."""
        tick = self.arm.tick
        self.until(lambda: self.arm.tick >= tick + count, 30, f"{count} control steps")

    def start_arm_again(self) -> None:
        """What a new arm_controller process looks like: no owner, ticks from the beginning."""
        self._driving = None
        self.arm = ArmState(state=ArmState.IDLE)

    def _spin(self) -> None:
        while rclpy.ok() and not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.1)

    def _keep(self, kept: list, msg: object) -> None:
        with self._changed:
            kept.append(msg)
            self._changed.notify_all()

    def _look(self) -> None:
        for name in sorted(self.cameras):
            image = Image(height=SIZE, width=SIZE, step=3 * SIZE, encoding="rgb8", data=self._pixels)
            image.header.stamp = self.get_clock().now().to_msg()
            self._images[name].publish(image)

    def _feel(self) -> None:
        arm, finger = dict(zip(JOINT_NAMES, RESET_POSITION.tolist(), strict=True)), {FINGER_JOINT: 0.04}
        self._tell(self._joints, arm if self.fingers_apart else arm | finger)
        if self.fingers_apart:
            self._tell(self._fingers, finger)

    def _tell(self, publisher: Publisher, positions: dict[str, float]) -> None:
        joints = JointState(name=list(positions), position=list(positions.values()))
        joints.header.stamp = self.get_clock().now().to_msg()
        publisher.publish(joints)

    def _on_claim(self, request: ClaimArm.Request, response: ClaimArm.Response) -> ClaimArm.Response:
        if self.stopped:
            response.message = "refused: stopped"
            return response
        self._epoch += 1
        self.arm.owner, self.arm.owner_epoch = request.owner, self._epoch
        self.arm.state = ArmState.ARMED
        response.success, response.epoch = True, self._epoch
        with self._changed:
            self.claims += 1
            self._changed.notify_all()
        return response

    def _on_chunk(self, msg: ActionChunk) -> None:
        self._driving = msg
        self._keep(self.chunks, msg)

    def _on_renewal(self, msg: LeaseRenewal) -> None:
        if self._driving is not None and msg.chunk_id >= self._driving.chunk_id and not _seconds(msg.lease):
            self._driving = None

    def _step(self) -> None:
        arm, chunk = self.arm, self._driving
        arm.tick += 1
        arm.chunk_id, arm.row = 0, -1
        if self.stopped:
            self._driving = None
            arm.state, arm.owner, arm.owner_epoch, arm.message = ArmState.STOPPED, "", 0, "stopped by the test"
        elif arm.state == ArmState.STOPPED:
            arm.state = ArmState.IDLE
        elif chunk is not None and chunk.owner_epoch == arm.owner_epoch:
            row = arm.tick - chunk.first_tick
            if row < chunk.horizon:
                arm.chunk_id, arm.row, arm.state = chunk.chunk_id, row, ArmState.RUNNING
        if arm.state == ArmState.RUNNING and arm.row < 0:
            arm.state = ArmState.HOLDING
        self._states.publish(arm)
        with self._changed:
            self._changed.notify_all()


def _seconds(lease: Duration) -> float:
    return lease.sec + lease.nanosec * 1e-9
