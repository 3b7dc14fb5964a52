"""The node `camera_view`: the operator's eyes where there is no desktop, a page for the browser with both cameras."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from frs_msgs.msg import ArmState, Decision, EpisodeEvent
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import String

from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.qos import EVENT, LATCHED, SENSOR
from frs_steering.nodes.runtime import run
from frs_steering.record.errors import JournalError
from frs_steering.record.images import RawImage, parse_image
from frs_steering.record.overlay import ACTING, Moment, direction_label, draw
from frs_steering.record.overlay import CameraView as Projection
from frs_steering.record.video import with_arm_state
from frs_teleop_cli.view_server import Told, ViewServer
from frs_teleop_cli.words import ARM_STATES, UNKNOWN, age, clean

CAMERAS = ("exterior", "wrist")

SILENCE = 1.0
"""s without a picture, or without a word of the arm controller, after which the operator is warned."""

_DECISIONS_KEPT = 8  # a chunk begins to drive at most two decisions after its own was told
_FAR = 10.0  # m from the base, where no tool centre point is
_VERDICTS = {EpisodeEvent.SUCCEEDED: "success", EpisodeEvent.FAILED: "failure"}
_ENDINGS = {*_VERDICTS, EpisodeEvent.STOPPED, EpisodeEvent.DISCARDED}


@dataclass(frozen=True)
class CameraViewParameters:
    """Parameters of the node `camera_view`."""

    host: str = param("127.0.0.1", "address to listen on; 127.0.0.1: this machine alone, 0.0.0.0: all who can reach it")
    port: int = param(8080, "to listen on; the next free one where it is taken, 0: any", low=0, high=65535)
    exterior_position: Sequence[float] = param([0.0, 0.0, 0.0], "of the exterior camera in the base frame [m]")
    exterior_target: Sequence[float] = param([1.0, 0.0, 0.0], "a point on its optical axis, likewise [m]")
    exterior_fovy: float = param(
        0.0, "its vertical field of view [degrees]; 0: unknown, no arrow into the scene", low=0.0, high=170.0
    )


class CameraView(Node):
    """Keeps the newest of everything; what is drawn from it is drawn in the server's threads, when somebody looks."""

    def __init__(self) -> None:
        """Listen to the graph and to browsers.

        Raises:
            ParameterError: a parameter is out of its range.
            OSError: the parameter host can't be listened on.
        """
        super().__init__("camera_view")
        parameters = declare(self, CameraViewParameters)
        self._projection = _projection(parameters)
        self._lock = threading.Lock()
        self._images: dict[str, tuple[RawImage | JournalError, float]] = {}  # by camera, and when it came (monotonic s)
        self._arm: tuple[ArmState, float] | None = None
        self._decisions: dict[tuple[int, int], Decision] = {}
        self._instruction, self._verdict = "", ""
        self._episode = (0.0, 0.0)  # monotonic s: its beginning and, once known, its end
        self._server = ViewServer(parameters.host, parameters.port, self._draw, self.tell)
        for camera in CAMERAS:
            topic = f"camera/{camera}/color/image_raw"
            # As bytes: most pictures are never looked at.
            self.create_subscription(Image, topic, partial(self._on_image, camera), SENSOR, raw=True)
        self.create_subscription(ArmState, "arm_state", self._on_arm, LATCHED)
        self.create_subscription(Decision, "decision", self._on_decision, EVENT)
        self.create_subscription(String, "instruction", self._on_instruction, LATCHED)
        self.create_subscription(EpisodeEvent, "episode_event", self._on_event, EVENT)
        self._address = self.create_publisher(String, "camera_view/address", LATCHED)
        self._address.publish(String(data=self._server.address))
        if parameters.port not in (0, self._server.port):
            self.get_logger().warning(f"port {parameters.port} is taken, {self._server.port} is used instead")
        self.get_logger().info(f"both cameras are to be seen at {self._server.address}")

    def close(self) -> None:
        """Let the browsers go."""
        self._server.close()

    def moment(self) -> Moment:
        """All that the picture shows; any thread."""
        with self._lock:
            images, arm, decisions = dict(self._images), self._arm, dict(self._decisions)
            begun, ended = self._episode
            now = Moment(instruction=self._instruction, verdict=self._verdict)
        if begun:
            now = replace(now, seconds=(ended or time.monotonic()) - begun)
        if arm is not None:
            now = _drawable(with_arm_state(now, arm[0], decisions))
        pictures = {camera: _rgb(image) for camera, (image, _) in images.items() if isinstance(image, RawImage)}
        return replace(now, exterior=pictures.get("exterior"), wrist=pictures.get("wrist"))

    def tell(self) -> Told:
        """What the page says in words; any thread."""
        with self._lock:
            warnings = [self._camera_warning(camera) for camera in CAMERAS]
            arm = self._arm
        now = time.monotonic()
        if arm is None or now - arm[1] > SILENCE:
            since = "yet" if arm is None else f"for {age(now - arm[1])}"
            warnings.append(f"No word from the arm controller {since}.")
        facts = [("Task", clean(self._instruction) or "none yet"), *self._arm_facts(arm[0] if arm else None)]
        return Told(tuple(facts), tuple(filter(None, warnings)))

    def _arm_facts(self, state: ArmState | None) -> list[tuple[str, str]]:
        if state is None:
            return []
        with self._lock:
            moment = _drawable(with_arm_state(Moment(), state, dict(self._decisions)))
        acts = moment.steered_by in ACTING
        wishes = [direction_label(moment.direction), f"{moment.gripper} the gripper" if moment.gripper else ""]
        driven = state.chunk_id != 0
        steers = f"nobody: the {moment.steered_by} acts" if driven else "nobody: no chunk drives"
        closed = f"{state.gripper:.0%} closed" if np.isfinite(state.gripper) else UNKNOWN
        words = ARM_STATES.get(state.state, UNKNOWN)
        return [
            ("Who steers", steers if acts else moment.steered_by),
            ("Wish in force", ", ".join(filter(None, wishes)) or clean(f"none {moment.remark}")),
            ("Gripper", closed),
            ("Arm", f"{words}: {clean(state.message)}" if state.message else words),
        ]

    def _camera_warning(self, camera: str) -> str:
        if camera not in self._images:
            topic = self.resolve_topic_name(f"camera/{camera}/color/image_raw")
            return f"No picture from the {camera} camera yet: nothing has come on {topic}."
        image, at = self._images[camera]
        if isinstance(image, JournalError):
            return f"The {camera} camera's pictures can't be shown: {clean(str(image))}."
        silent = time.monotonic() - at
        return f"The {camera} camera has been silent for {age(silent)}: its picture is old." if silent > SILENCE else ""

    def _draw(self) -> np.ndarray:
        return draw(self.moment(), self._projection)

    # What the graph tells

    def _on_image(self, camera: str, cdr: bytes) -> None:
        image: RawImage | JournalError
        try:
            image = parse_image(cdr)
        except JournalError as error:
            image = error
        with self._lock:
            self._images[camera] = (image, time.monotonic())
        self._server.picture.changed()

    def _on_arm(self, message: ArmState) -> None:
        with self._lock:
            self._arm = (message, time.monotonic())
        self._server.picture.changed()

    def _on_decision(self, message: Decision) -> None:
        with self._lock:
            self._decisions[message.owner_epoch, message.chunk_id] = message
            while len(self._decisions) > _DECISIONS_KEPT:
                del self._decisions[next(iter(self._decisions))]

    def _on_instruction(self, message: String) -> None:
        with self._lock:
            self._instruction = message.data
        self._server.picture.changed()

    def _on_event(self, message: EpisodeEvent) -> None:
        now = time.monotonic()
        with self._lock:
            if message.kind == EpisodeEvent.STARTED:
                self._episode, self._verdict = (now, 0.0), ""
            elif message.kind in _ENDINGS:
                self._episode, self._verdict = (self._episode[0], now), _VERDICTS.get(message.kind, "")
        self._server.picture.changed()


def _projection(parameters: CameraViewParameters) -> Projection | None:
    for name in ("exterior_position", "exterior_target"):
        value = getattr(parameters, name)
        if len(value) != 3 or not np.isfinite(value).all():
            raise ParameterError(f"parameter {name!r} of node 'camera_view' is {value!r}; it must be x, y and z in m")
    if parameters.exterior_fovy == 0.0:
        return None
    (x, y, z), (tx, ty, tz) = parameters.exterior_position, parameters.exterior_target
    if np.hypot(tx - x, ty - y) < 1e-6:
        raise ParameterError(
            f"parameter 'exterior_target' of node 'camera_view' is {list(parameters.exterior_target)}, straight above "
            "or below exterior_position; it must lie beside it, or exterior_fovy be 0 for no arrow into the scene"
        )
    return Projection((x, y, z), (tx, ty, tz), parameters.exterior_fovy)


def _rgb(image: RawImage) -> np.ndarray:
    """(height, width, 3) uint8 RGB."""
    match image.encoding:
        case "bgr8":
            return cv2.cvtColor(image.pixels, cv2.COLOR_BGR2RGB)
        case "mono8":
            return cv2.cvtColor(image.pixels, cv2.COLOR_GRAY2RGB)
    return image.pixels


def _drawable(moment: Moment) -> Moment:
    """The moment without numbers that can't be drawn: messages may hold any."""
    if moment.tcp is not None and not np.abs(moment.tcp).max() < _FAR:
        moment = replace(moment, tcp=None)
    if not (np.abs(moment.direction).max() < 1.1 and 0.0 <= moment.amount <= 1.0):
        moment = replace(moment, direction=(0.0, 0.0, 0.0), amount=1.0)
    return moment


def main(argv: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM."""
    cv2.setNumThreads(1)
    return run(CameraView, argv, behind=True)


if __name__ == "__main__":
    sys.exit(main())
