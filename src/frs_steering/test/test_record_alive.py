"""What the preflight says of topics that come, come slowly, stop, and fall out of step."""

from __future__ import annotations

from frs_steering.record.alive import SKEW, WINDOW, Alive
from frs_steering.record.topics import Kind, Topic

CAMERA = Topic("camera", "sensor_msgs/msg/Image", Kind.IMAGE, True, 15.0)
JOINTS = Topic("joints", "sensor_msgs/msg/JointState", Kind.SENSOR, True, 15.0)
INFO = Topic("info", "frs_msgs/msg/PolicyInfo", Kind.LATCHED, True)
CHUNKS = Topic("chunks", "frs_msgs/msg/ActionChunk", Kind.EVENT, True)
SECOND = 10**9


def fed(seconds: float, camera: float = 15.0, joints: float = 100.0, behind: float = 0.0) -> Alive:
    """After so many seconds of messages at these rates, the camera's sent `behind` seconds before they came."""
    alive = Alive((CAMERA, JOINTS, INFO, CHUNKS), 0)
    for index, rate in enumerate((camera, joints)):
        for number in range(round(seconds * rate)):
            at = round((number + 1) / rate * SECOND)
            alive.note(index, at, at - round(behind * SECOND) * (index == 0))
    alive.note(2, 1, 1)
    return alive


def test_all_is_well() -> None:
    assert fed(5.0).complaints(5 * SECOND) == []
    assert fed(0.3).complaints(3 * SECOND // 10) == [], "too early to call anything slow"


def test_what_never_came_is_named() -> None:
    alive = Alive((CAMERA, JOINTS, INFO, CHUNKS), 0)
    assert alive.complaints(5 * SECOND) == [
        "camera never came; it should come 15 times a second",
        "joints never came; it should come 15 times a second",
        "info never came",
    ], "chunks come only when the policy drives"


def test_what_is_slow_is_named_with_its_rate() -> None:
    assert fed(5.0, camera=10.0).complaints(5 * SECOND) == ["camera comes 10.5 times a second; it should 15 times"]


def test_what_stopped_is_named() -> None:
    alive = fed(5.0)
    later = round((5.0 + WINDOW + 0.1) * SECOND)
    for number in range(round((WINDOW + 0.1) * 100)):
        alive.note(1, 5 * SECOND + number * SECOND // 100, 5 * SECOND)
    assert alive.complaints(later) == ["camera has not come for 2 s; it should come 15 times a second"]


def test_sensors_out_of_step_are_named() -> None:
    assert fed(5.0, behind=SKEW / 2).complaints(5 * SECOND) == []
    assert fed(5.0, behind=0.5).complaints(5 * SECOND) == [
        "camera was last sent 0.50 s before joints; at most 0.2 s allowed"
    ]
