"""The node `camera_view`, among real publishers, looked at over HTTP."""

import json
import re
import signal
import sys
import time
import urllib.request

import cv2
import numpy as np
import pytest
from frs_msgs.msg import ArmState, Decision, EpisodeEvent, Guidance
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import String

from frs_steering.nodes.parameters import ParameterError
from frs_steering.nodes.qos import EVENT, LATCHED, SENSOR
from frs_steering.record.overlay import HEADER, HEIGHT, MARGIN, VIEW, WIDTH
from frs_teleop_cli.nodes import camera_view
from frs_teleop_cli.nodes.camera_view import CameraView

COMMAND = (sys.executable, "-m", "frs_teleop_cli.nodes.camera_view")
SCENE = {"exterior_position": [1.15, 0.58, 0.66], "exterior_target": [0.44, 0.0, 0.13], "exterior_fovy": 40.0}
STOP_TIME = 2.0  # s
BLUE, GREEN = (20, 40, 210), (30, 180, 60)
HUMAN = np.array((255, 180, 84))  # the colour of a person's wishes


class Bench:
    """The view and a tester node in one executor."""

    def __init__(self, tester):
        self.tester = tester
        self.view = CameraView()
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(tester)
        self.executor.add_node(self.view)
        self.publishers = {}
        self.number = "-1"  # of the picture seen last

    def until(self, happened, timeout=5.0):
        end = time.monotonic() + timeout
        while not happened():
            assert time.monotonic() < end, f"did not happen in {timeout} s; the page says {self.view.tell()}"
            self.executor.spin_once(timeout_sec=0.02)

    def publish(self, topic, message, qos=EVENT):
        if topic not in self.publishers:
            self.publishers[topic] = self.tester.create_publisher(type(message), topic, qos)
            self.until(lambda: self._heard(self.publishers[topic]))
        self.publishers[topic].publish(message)

    def _heard(self, publisher):
        known = self.tester.get_subscriptions_info_by_topic(publisher.topic_name)
        return publisher.get_subscription_count() >= len(known) and any(i.node_name == "camera_view" for i in known)

    def steer(self, source=Decision.SOURCE_HUMAN, **guidance):
        """Publish a decision, a person's if nothing else is said, and the state of the arm that it drives."""
        wish = Guidance(source=Guidance.SOURCE_HUMAN, amount=1.0)
        wish.direction.x, wish.direction.y, wish.direction.z = guidance.pop("direction", (0.0, 1.0, 0.0))
        for name, value in guidance.items():
            setattr(wish, name, value)
        self.publish("decision", Decision(chunk_id=3, owner_epoch=7, source=source, guidance=wish))
        self.until(lambda: self.view._decisions)
        arm = ArmState(state=ArmState.RUNNING, chunk_id=3, owner_epoch=7, gripper=0.25)
        arm.tcp_pose.position.x, arm.tcp_pose.position.z = 0.45, 0.25
        self.publish("arm_state", arm, LATCHED)
        self.until(lambda: "Who steers" in self.facts())

    def picture(self):
        headers, body = get(self.view._server.address, f"picture.jpg?after={self.number}")
        self.number = headers["X-Frame"]
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def told(self):
        return json.loads(get(self.view._server.address, "facts.json")[1])

    def facts(self):
        return dict(self.told()["facts"])

    def warnings(self):
        return self.told()["warnings"]


def get(address, path):
    with urllib.request.urlopen(f"{address}/{path}", timeout=5) as answer:
        return answer.headers, answer.read()


@pytest.fixture
def bench(node, monkeypatch):
    made = []

    def make(**parameters):
        overrides = [Parameter(name, value=value) for name, value in {"port": 0, **parameters}.items()]
        plain = camera_view.Node.__init__
        monkeypatch.setattr(
            camera_view.Node, "__init__", lambda self, name: plain(self, name, parameter_overrides=overrides)
        )
        made.append(Bench(node))
        return made[-1]

    yield make
    for one in made:
        one.view.close()
        one.executor.shutdown()
        one.view.destroy_node()


def image(colour, encoding="rgb8"):
    pixels = np.full((24, 24, len(colour)), colour, np.uint8)
    return Image(height=24, width=24, encoding=encoding, step=24 * len(colour), data=pixels.tobytes())


def camera_pictures(picture):
    """The two cameras' parts of the whole picture."""
    rows = slice(HEADER + 60, HEADER + VIEW - 60)
    return picture[rows, MARGIN + 60 : MARGIN + VIEW - 60], picture[rows, 2 * MARGIN + VIEW + 60 : WIDTH - MARGIN - 60]


def orange(picture):
    """Number of pixels in the colour of a person's wish."""
    return int((np.abs(picture.astype(int) - HUMAN).max(-1) < 40).sum())


def test_both_cameras_are_shown_whatever_their_encoding(bench):
    bench = bench()
    bench.publish("camera/exterior/color/image_raw", image(BLUE), SENSOR)
    bench.publish("camera/wrist/color/image_raw", image(GREEN[::-1], "bgr8"), SENSOR)
    bench.until(lambda: len(bench.view._images) == 2)
    picture = bench.picture()
    assert picture.shape == (HEIGHT, WIDTH, 3)
    exterior, wrist = camera_pictures(picture)
    assert np.abs(exterior.mean((0, 1)) - BLUE).max() < 8
    assert np.abs(wrist.mean((0, 1)) - GREEN).max() < 8
    bench.publish("camera/wrist/color/image_raw", image((90,), "mono8"), SENSOR)
    bench.until(lambda: np.abs(camera_pictures(bench.picture())[1].mean() - 90) < 8)


def test_cameras_that_never_come_or_fall_silent_are_named(bench, monkeypatch):
    bench = bench()
    bench.picture()  # there is one all the same
    assert bench.warnings() == [
        "No picture from the exterior camera yet: nothing has come on /camera/exterior/color/image_raw.",
        "No picture from the wrist camera yet: nothing has come on /camera/wrist/color/image_raw.",
        "No word from the arm controller yet.",
    ]
    bench.publish("camera/wrist/color/image_raw", image(GREEN), SENSOR)
    bench.until(lambda: not any("wrist" in line for line in bench.warnings()))
    monkeypatch.setattr(camera_view, "SILENCE", 0.1)
    bench.until(lambda: any(re.match(r"The wrist camera has been silent for \d", one) for one in bench.warnings()))


def test_pictures_that_can_not_be_shown_are_named(bench):
    bench = bench()
    bench.publish("camera/exterior/color/image_raw", image((1, 2), "16UC1"), SENSOR)
    bench.until(lambda: bench.view._images)
    assert "The exterior camera's pictures can't be shown: image encoding '16UC1'" in bench.warnings()[0]
    bench.picture()


def test_the_wish_in_force_is_drawn_into_the_scene_and_told(bench):
    bench = bench(**SCENE)
    bench.publish("instruction", String(data="stack the cups"), LATCHED)
    bench.publish("camera/exterior/color/image_raw", image(BLUE), SENSOR)
    bench.until(lambda: bench.view._images)
    assert orange(camera_pictures(bench.picture())[0]) == 0
    bench.steer(gripper=Guidance.GRIPPER_CLOSE)
    assert orange(camera_pictures(bench.picture())[0]) > 200
    assert bench.facts() == {
        "Task": "stack the cups",
        "Who steers": "human",
        "Wish in force": "+y  left, close the gripper",
        "Gripper": "25% closed",
        "Arm": "RUNNING",
    }


def test_without_the_cameras_place_only_the_compass_shows_the_wish(bench):
    bench = bench()
    bench.publish("camera/exterior/color/image_raw", image(BLUE), SENSOR)
    bench.steer()
    bench.until(lambda: bench.view._images)
    picture = bench.picture()
    assert orange(camera_pictures(picture)[0]) == 0
    assert orange(picture[HEADER + VIEW :]) > 200


def test_a_chunk_of_the_policys_own_is_not_steered(bench):
    bench = bench(**SCENE)
    bench.steer(defer=True)
    assert bench.facts()["Who steers"] == "nobody: the policy acts"
    assert bench.facts()["Wish in force"] == "none"


def test_a_noise_policy_that_acts_is_named(bench):
    bench = bench(**SCENE)
    bench.steer(source=Decision.SOURCE_NOISE_POLICY, defer=True)
    assert bench.facts()["Who steers"] == "nobody: the noise policy acts"


def test_numbers_that_can_not_be_drawn_are_left_out(bench):
    bench = bench(**SCENE)
    nan = float("nan")
    bench.steer(direction=(nan, 0.0, 1e300), amount=nan)
    for place in (nan, 1e300):
        arm = ArmState(state=200, chunk_id=3, owner_epoch=7, gripper=nan, message="\x1b[2Jboo\n")
        arm.tcp_pose.position.x = place
        bench.publish("arm_state", arm, LATCHED)
        bench.until(lambda: bench.facts()["Gripper"] == "?")
        bench.picture()
    assert bench.facts()["Arm"] == "?: [2Jboo"


def test_an_episode_counts_its_seconds_and_shows_its_end(bench):
    bench = bench()
    bench.publish("episode_event", EpisodeEvent(kind=EpisodeEvent.STARTED))
    bench.until(lambda: bench.view.moment().seconds > 0.05)
    bench.publish("episode_event", EpisodeEvent(kind=EpisodeEvent.SUCCEEDED))
    bench.until(lambda: bench.view.moment().verdict == "success")
    assert bench.view.moment().seconds == bench.view.moment().seconds
    bench.publish("episode_event", EpisodeEvent(kind=EpisodeEvent.STARTED))
    bench.until(lambda: bench.view.moment().verdict == "")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"port": 70000}, r"'port' .*70000.*65535"),
        ({"exterior_position": [1.0, 2.0]}, r"'exterior_position' .* is \[1.0, 2.0\]; it must be x, y and z in m"),
        ({"exterior_fovy": 40.0, "exterior_target": [0.0, 0.0, 1.0]}, r"'exterior_target' .* straight above or below"),
    ],
)
def test_wrong_parameters_are_named(bench, parameters, message):
    with pytest.raises(ParameterError, match=message):
        bench(**parameters)


def test_the_process_tells_its_address_and_ends_in_time_while_somebody_looks(node, procs):
    told = []
    node.create_subscription(String, "camera_view/address", told.append, LATCHED)
    first = procs(*COMMAND, "--ros-args", "-p", "port:=0")
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + 20.0
    while not told:
        assert time.monotonic() < end, f"no address within 20 s; {first.text()}"
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    address = told[0].data
    first.wait_for_text(f"both cameras are to be seen at {address}")
    port = int(address.rpartition(":")[2])
    second = procs(*COMMAND, "--ros-args", "-p", f"port:={port}")
    second.wait_for_text(f"port {port} is taken, ")
    second.wait_for_text("both cameras are to be seen at http://127.0.0.1:")
    number = get(address, "picture.jpg")[0]["X-Frame"]
    looking = urllib.request.Request(f"{address}/picture.jpg?after={number}")
    begun = time.monotonic()
    for process in (first, second):
        process.send_signal(signal.SIGINT)
    with pytest.raises(OSError):  # noqa: PT011 refused, reset, or 503: the view goes
        while time.monotonic() - begun < STOP_TIME:
            urllib.request.urlopen(looking, timeout=STOP_TIME).read()
    for process in (first, second):
        assert process.wait(STOP_TIME) == 0, process.text()
    assert time.monotonic() - begun < STOP_TIME
