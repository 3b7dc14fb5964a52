"""The queue and the thread: nothing waits, images go first, a full disk is said and survived."""

from __future__ import annotations

import json
import string
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_samples import CHANNELS, INDEX, START, image_message, picture, put_tick, write_episode
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from frs_steering.record import writer as writer_module
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import summarise
from frs_steering.record.writer import Episode, JournalWriter, Limits

IMAGE = INDEX["camera/wrist/color/image_raw"]
TEXT = INDEX["instruction"]
PICTURE = serialize_message(image_message(picture(1)))
WORDS = serialize_message(String(data="words"))


def test_everything_put_is_in_the_file(tmp_path: Path) -> None:
    # Put at once, not at the cell's rate: the queue holds what the thread has not compressed yet.
    writer = JournalWriter(tmp_path, Episode("all"), CHANNELS, Limits(image_queue=2 * 45))
    put = sum(put_tick(writer, tick) for tick in range(45))
    done = writer.close("succeeded", "well done", "ada", seconds=60.0)
    summary = summarise(done.path)
    assert done.whole
    assert done.messages == put == summary.messages
    assert (done.dropped_control, done.dropped_images, done.failure) == (0, 0, "")
    said = {"label": "succeeded", "note": "well done", "operator": "ada"}
    assert summary.result == said | {"dropped_control": "0", "dropped_images": "0"}
    assert summary.episode["episode_id"] == "all"


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A writer's thread that hangs in its first image until the event is set."""
    gate, compress = threading.Event(), writer_module.compress_image

    def wait(cdr: bytes, quality: int) -> bytes:
        assert gate.wait(30)
        return compress(cdr, quality)

    monkeypatch.setattr(writer_module, "compress_image", wait)
    yield gate
    gate.set()


def _hang(writer: JournalWriter) -> None:
    """Give the thread the image that it hangs in, and wait until it has taken it."""
    writer.put(IMAGE, PICTURE, START, START, image=True)
    end = time.monotonic() + 10
    while writer._images:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_under_load_images_are_dropped_and_counted_and_control_is_kept(
    tmp_path: Path, stalled: threading.Event
) -> None:
    writer = JournalWriter(tmp_path, Episode("load"), CHANNELS, Limits(control_queue=1000, image_queue=5))
    _hang(writer)
    begin = time.monotonic()
    for number in range(500):
        writer.put(IMAGE, PICTURE, START + number, START, image=True)
        writer.put(TEXT, WORDS, START + number, START)
    assert time.monotonic() - begin < 1.0  # put() does not wait for the thread
    stalled.set()
    done = writer.close("failed")
    assert done.whole
    assert done.dropped_control == 0
    assert done.dropped_images == 495
    summary = summarise(done.path)
    assert summary.count("instruction") == 500
    assert summary.count("camera/wrist/color/image_raw/compressed") == 6
    assert summary.result["dropped_images"] == "495"


def test_control_records_do_not_wait_for_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill costs what waits, and on a slow computer many images do."""
    permits, compress = threading.Semaphore(0), writer_module.compress_image

    def wait(cdr: bytes, quality: int) -> bytes:
        assert permits.acquire(timeout=30)
        return compress(cdr, quality)

    monkeypatch.setattr(writer_module, "compress_image", wait)
    writer = JournalWriter(tmp_path, Episode("order"), CHANNELS, Limits())
    for number in range(20):
        writer.put(IMAGE, PICTURE, START + number, START, image=True)
        writer.put(TEXT, WORDS, START + number, START)
    permits.release()  # for the image that the thread may have in hand
    end = time.monotonic() + 10
    while writer._control:
        assert time.monotonic() < end
        time.sleep(0.001)
    assert len(writer._images) >= 18
    permits.release(20)
    assert writer.close("failed").messages == 40


def test_a_full_queue_counts_the_control_records_it_loses(tmp_path: Path, stalled: threading.Event) -> None:
    writer = JournalWriter(tmp_path, Episode("full"), CHANNELS, Limits(control_queue=100))
    _hang(writer)
    for _ in range(130):
        writer.put(TEXT, WORDS, START, START)
    stalled.set()
    done = writer.close("failed")
    assert (done.dropped_control, done.messages) == (30, 101)


def test_a_stalled_disk_does_not_hold_up_the_end(tmp_path: Path, stalled: threading.Event) -> None:
    writer = JournalWriter(tmp_path, Episode("stalled"), CHANNELS, Limits())
    _hang(writer)
    for _ in range(3):
        writer.put(TEXT, WORDS, START, START)
    writer.put(IMAGE, PICTURE, START, START, image=True)
    begin = time.monotonic()
    done = writer.close("stopped", seconds=0.2)
    assert time.monotonic() - begin < 2.0
    assert not done.whole
    assert "within 0.2 s" in done.failure
    assert (done.messages, done.dropped_control, done.dropped_images) == (0, 3, 2), "what waits counts as lost"
    # Should the disk come back, the file gets its end all the same, and says what really was lost: a late image.
    stalled.set()
    writer._thread.join(10)
    result = summarise(writer.progress().path).result
    assert (result["label"], result["dropped_control"], result["dropped_images"]) == ("stopped", "0", "1")


def test_images_still_waiting_late_in_the_end_are_left_out(tmp_path: Path, stalled: threading.Event) -> None:
    writer = JournalWriter(tmp_path, Episode("late"), CHANNELS, Limits())
    _hang(writer)
    for _ in range(10):
        writer.put(IMAGE, PICTURE, START, START, image=True)
        writer.put(TEXT, WORDS, START, START)
    closer = threading.Thread(target=lambda: writer.close("stopped", seconds=0.02))
    closer.start()
    closer.join()  # by now half of the time is over
    stalled.set()
    writer._thread.join(10)
    done = writer.progress()
    assert done.whole
    assert (done.dropped_images, done.dropped_control) == (10, 0)


def test_an_image_that_cannot_be_compressed_is_left_out_and_named(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("odd"), CHANNELS, Limits())
    depth = serialize_message(image_message(picture(1, size=8), encoding="32FC1"))
    writer.put(IMAGE, depth, START, START, image=True)
    writer.put(TEXT, WORDS, START, START)
    done = writer.close("failed")
    assert (done.messages, done.dropped_images, done.dropped_control) == (1, 1, 0)
    assert "'32FC1'" in done.complaint


def test_what_comes_after_the_end_belongs_to_no_episode(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, Episode("closed"), CHANNELS, Limits())
    done = writer.close("failed")
    writer.put(TEXT, WORDS, START, START)
    assert writer.progress() == done


FULL_DISK = """
import json, resource, sys, time
from pathlib import Path
from journal_samples import CHANNELS, put_tick
from frs_steering.record.writer import Episode, JournalWriter, Limits
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
writer = JournalWriter(Path(sys.argv[1]), Episode("full"), CHANNELS, Limits())
put, end = 0, time.monotonic() + 30
while not writer.progress().failure and time.monotonic() < end:
    put += put_tick(writer, put % 50)
    time.sleep(0.001)
put += put_tick(writer, 1)
done = writer.close("succeeded")
print(json.dumps({"put": put, "messages": done.messages, "lost": done.dropped_control + done.dropped_images,
                  "failure": done.failure, "whole": done.whole, "path": str(done.path)}))
"""


def test_a_full_disk_is_said_in_words_and_what_is_whole_is_kept(tmp_path: Path) -> None:
    # A limit on the size of files stands for the full disk: both come as an OSError out of write().
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parent).stdout)
    assert "File too large while writing" in done["failure"]
    assert not done["whole"]
    assert done["messages"] + done["lost"] == done["put"]
    assert done["messages"] > 0
    summary = summarise(Path(done["path"]))
    assert summary.messages == done["messages"]
    assert summary.damage == (f"the file ends at offset {summary.size} without its summary",)


def test_a_defect_in_the_thread_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    writer = JournalWriter(tmp_path, Episode("defect"), CHANNELS, Limits())
    writer.put(len(CHANNELS), WORDS, START, START)  # no such channel
    done = writer.close("failed")
    assert "died" in done.failure
    assert done.dropped_control == 1


ALLOWED = string.ascii_letters + string.digits + "._-"


@given(st.text(ALLOWED, min_size=1, max_size=128) | st.text(ALLOWED + "/ \n\0ä", min_size=1, max_size=12))
def test_an_episode_id_is_taken_if_and_only_if_it_is_a_plain_file_name(name: str) -> None:
    plain = not name.startswith(".") and Path(name).name == name and all(letter in ALLOWED for letter in name)
    try:
        Episode(name)
    except JournalError:
        assert not plain
    else:
        assert plain


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "ä", "a b", "a\n", "x" * 129])
def test_an_episode_id_that_is_no_plain_file_name_is_named(name: str) -> None:
    with pytest.raises(JournalError, match=r"episode_id is .*; it must be 1 to 128 letters"):
        Episode(name)


NO_ROOM = """
import resource, sys
from pathlib import Path
from journal_samples import CHANNELS
from frs_steering.record.bag import BagFile
from frs_steering.record.writer import Episode, JournalWriter, Limits
resource.setrlimit(resource.RLIMIT_FSIZE, (5, resource.RLIM_INFINITY))
folder, failed = Path(sys.argv[1]), []
for make in (lambda: JournalWriter(folder, Episode("e1"), CHANNELS, Limits()),
             lambda: BagFile(folder / "e1.mcap", CHANNELS, {})):
    try:
        make()
    except OSError as error:
        failed.append(error.strerror)
open_files = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
assert not [path for path in open_files if folder in path.parents], open_files
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert not list(folder.iterdir()), list(folder.iterdir())
assert JournalWriter(folder, Episode("e1"), CHANNELS, Limits()).close("failed").whole
print(failed)
"""


def test_an_episode_that_could_not_be_begun_can_be_tried_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_ROOM, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parent)
    assert done.stdout.strip() == "['File too large', 'File too large']"


def test_an_episode_is_never_overwritten(tmp_path: Path) -> None:
    write_episode(tmp_path, "once", ticks=1)
    with pytest.raises(JournalError, match="once exists already"):
        JournalWriter(tmp_path, Episode("once"), CHANNELS, Limits())
