"""The video for people."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import CHANNELS, cut, put_tick, write_episode

from frs_steering.record.errors import JournalError
from frs_steering.record.overlay import HEIGHT, WIDTH, CameraView, Moment, direction_label, draw
from frs_steering.record.video import FRAME_RATE, LAST_LOOK, episode_frame, episode_video, moments
from frs_steering.record.writer import Episode, JournalWriter, Limits

VIEW = CameraView((1.2, 0.6, 0.7), (0.4, 0.0, 0.1), 40.0)


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of an episode of 30 ticks: chunks 1 forward, 2 down, 3 by the policy, 4 down."""
    return write_episode(tmp_path_factory.mktemp("episodes")).path.parent


def test_every_tick_shows_who_steers_where(episode: Path) -> None:
    seen = list(moments(episode))
    assert len(seen) == 30
    assert [moment.seconds for moment in seen] == pytest.approx([tick / FRAME_RATE for tick in range(30)])
    assert (seen[4].steered_by, seen[4].direction) == ("scripted reasoner", (1.0, 0.0, 0.0))
    assert (seen[12].steered_by, seen[12].direction) == ("scripted reasoner", (0.0, 0.0, -1.0))
    assert (seen[20].steered_by, seen[20].direction) == ("policy", (0.0, 0.0, 0.0))
    assert seen[4].arm == "running, chunk 1"
    assert seen[4].instruction == "put the egg in the basket"
    assert [moment.verdict for moment in seen] == [""] * 29 + ["success"]
    assert seen[20].exterior is not None
    assert seen[20].exterior[..., 0].mean() > seen[4].exterior[..., 0].mean()  # the picture of its own tick


@pytest.mark.parametrize("late", ["wrist", "exterior"])
def test_the_video_begins_when_every_camera_has_come(tmp_path: Path, late: str) -> None:
    topic = f"camera/{late}/color/image_raw"
    writer = JournalWriter(tmp_path, Episode("late"), CHANNELS, Limits())
    for tick in range(10):
        put_tick(writer, tick, leave_out=topic if tick < 4 else "")
    seen = list(moments(writer.close("failed").path))
    assert len(seen) == 6
    assert seen[0].exterior is not None
    assert seen[0].wrist is not None


def test_one_camera_alone_makes_a_video_too(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("one-eyed"), CHANNELS, Limits())
    for tick in range(10):
        put_tick(writer, tick, leave_out="camera/wrist/color/image_raw")
    seen = list(moments(writer.close("failed").path))
    assert len(seen) == 10
    assert {moment.wrist for moment in seen} == {None}


def test_the_video_is_h264_of_the_right_length(episode: Path, tmp_path: Path) -> None:
    path = tmp_path / "episode.mp4"
    frames = episode_video(episode, path, VIEW)
    assert frames == 30 + LAST_LOOK * FRAME_RATE
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    assert (about["codec"], about["size"], about["fps"]) == ("h264", (WIDTH, HEIGHT), FRAME_RATE)
    assert "yuv420p" in about["pix_fmt"]
    assert sum(1 for _ in reader) == frames


def test_a_video_can_be_made_of_a_partial_file(tmp_path: Path) -> None:
    partial = cut(write_episode(tmp_path, ticks=60).path.parent)
    assert episode_video(partial, tmp_path / "episode.mp4") > LAST_LOOK * FRAME_RATE


def test_one_frame_is_the_picture_of_its_moment(episode: Path) -> None:
    frame = episode_frame(episode, 0.5, VIEW)
    assert frame.shape == (HEIGHT, WIDTH, 3)
    assert frame.dtype == np.uint8
    assert not np.array_equal(frame, episode_frame(episode, 0.5))  # without the arrow in the scene
    assert np.array_equal(episode_frame(episode, 99.0), episode_frame(episode, 2.0))


def test_a_recording_without_images_makes_no_video(tmp_path: Path) -> None:
    done = JournalWriter(tmp_path, Episode("blind"), CHANNELS, Limits()).close("failed")
    for make in (lambda: episode_video(done.path, tmp_path / "a.mp4"), lambda: episode_frame(done.path, 0.0)):
        with pytest.raises(JournalError, match="holds no camera image"):
            make()


def test_the_label_is_the_verdict_where_no_event_told_it(tmp_path: Path) -> None:
    for label, verdict in (("failed", "failure"), ("discarded", "")):
        writer = JournalWriter(tmp_path, Episode(label), CHANNELS, Limits())
        put_tick(writer, 0)
        assert list(moments(writer.close(label).path))[-1].verdict == verdict


@pytest.mark.parametrize(
    ("direction", "label"),
    [
        ((1.0, 0.0, 0.0), "+x  forward"),
        ((0.0, -1.0, 0.0), "-y  right"),
        ((0.0, 0.0, 1.0), "+z  up"),
        ((0.6, 0.0, 0.8), "(+0.60, +0.00, +0.80)"),
        ((0.0, 0.0, 0.0), ""),
    ],
)
def test_directions_have_names(direction: tuple[float, float, float], label: str) -> None:
    assert direction_label(direction) == label


def test_nothing_known_yet_still_makes_a_picture() -> None:
    assert draw(Moment()).shape == (HEIGHT, WIDTH, 3)


coordinate = st.floats(-2.0, 2.0)


@given(st.tuples(coordinate, coordinate, coordinate))
def test_the_projection_is_a_pinhole(point: tuple[float, float, float]) -> None:
    # Seen along +x from the origin with 90 degrees: right is -y, and a point at 45 degrees lies on the edge.
    view = CameraView((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 90.0)
    x, y, z = point
    at = view.project(np.array(point))
    if x <= 0.01:
        assert at is None
    else:
        assert at == pytest.approx((0.5 - 0.5 * y / x, 0.5 - 0.5 * z / x))


def test_the_target_lies_in_the_middle_of_the_picture() -> None:
    assert VIEW.project(np.array(VIEW.target)) == pytest.approx((0.5, 0.5))
