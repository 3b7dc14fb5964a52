"""Running tools: their output in a log, their environment without another ROS."""

import pytest

from frs_setup.command import CommandError, clean_environment, run


def test_log_has_everything(tmp_path):
    log = tmp_path / "logs" / "a.log"
    run(["echo", "one"], log, {"PATH": "/bin"})
    run(["sh", "-c", "echo $WORD >&2"], log, {"PATH": "/bin", "WORD": "two"})
    assert log.read_text() == "$ echo one\none\n$ sh -c 'echo $WORD >&2'\ntwo\n"


def test_failure_names_the_log_and_shows_its_end(tmp_path):
    log = tmp_path / "a.log"
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", "seq 100; exit 4"], log, {"PATH": "/bin:/usr/bin"})
    lines = str(caught.value).splitlines()
    assert lines[0] == f"`sh` failed with exit status 4; its last lines ({log} has all):"
    assert lines[1:] == [f"    {number}" for number in range(86, 101)]


def test_no_such_program(tmp_path):
    with pytest.raises(CommandError, match="(?s)exit status 127.*No such file or directory: 'colcon'"):
        run(["colcon"], tmp_path / "a.log", {"PATH": str(tmp_path)})


def test_another_ros_is_left_out():
    given = {
        "HOME": "/home/a",
        "AMENT_PREFIX_PATH": "/opt/ros/jazzy",
        "PYTHONPATH": "/opt/ros/jazzy/lib/python3.12/site-packages",
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "LD_LIBRARY_PATH": "/opt/ros/jazzy/lib:/opt/cuda/lib:/venv/lib/python3.11/site-packages/ros_rcl.libs",
    }
    assert clean_environment(given) == {"HOME": "/home/a", "LD_LIBRARY_PATH": "/opt/cuda/lib"}
