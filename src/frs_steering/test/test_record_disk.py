"""Who holds a recording's file, and until when."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from frs_steering.record.disk import DiskFile, Room, being_written, held
from frs_steering.record.errors import JournalError

WRITER = """
import sys
from pathlib import Path
from frs_steering.record.disk import DiskFile
file = DiskFile(Path(sys.argv[1]))
print("begun", flush=True)
sys.stdin.read()
"""


def test_the_room_is_reckoned_at_the_rate_of_the_last_long_recording(tmp_path: Path) -> None:
    room = Room(tmp_path / "not" / "there" / "yet")
    before = room.minutes()
    assert before > 0.0
    room.wrote(5_000, 5.0)  # too short
    assert room.minutes() == pytest.approx(before, rel=0.05)
    room.wrote(40_000_000, 10.0)
    assert room.minutes() == pytest.approx(before / 4, rel=0.05)
    assert room.complaint(0.0) == ""
    assert f"the disk of {room.directory} has room for" in room.complaint(float("inf"))
    room.directory = Path("/proc/self")
    assert room.complaint(1.0) == "the disk of /proc/self has room for 0 minutes"


def test_a_disk_is_asked_for_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    assert Room(tmp_path / "not" / "yet").minutes() == pytest.approx(Room(tmp_path).minutes(), rel=0.1)


def test_a_file_is_held_from_its_beginning_until_its_writer_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap.partial"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "begun\n"
        assert being_written(path)
        with pytest.raises(JournalError, match=r"a\.mcap\.partial is being written"), held(path):
            pass
        writer.kill()
    assert not being_written(path)
    with held(path):
        assert being_written(path)
    assert not being_written(path)


def test_a_file_that_gets_its_name_meanwhile_is_not_taken_for_a_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mcap.partial"
    path.touch()

    def finished(*_: object) -> None:
        path.rename(tmp_path / "a.mcap")

    monkeypatch.setattr(fcntl, "flock", finished)
    with pytest.raises(JournalError, match="was finished or replaced this very moment"), held(path):
        pass


def test_a_disk_without_locks_records_but_nothing_is_changed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    path = tmp_path / "a.mcap.partial"
    file = DiskFile(path)
    assert file.write(b"content") == 7
    file.close()
    with pytest.raises(JournalError, match=r"can't be locked \(No locks available\)"), held(path):
        pass
