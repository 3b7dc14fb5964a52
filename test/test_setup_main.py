"""The set-up as a whole: what it prints, and that it does what is needed and no more."""

import subprocess
from pathlib import Path

import pytest

from frs_setup import main, packages, system, workspace
from frs_setup.errors import SetupError
from frs_setup.places import Places

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def calls(tmp_path, monkeypatch) -> list[str]:
    """Lets every phase only note that it ran; the machine lacks everything at first."""
    noted: list[str] = []

    def note(name, answer=None):
        return lambda *_, **__: noted.append(name) or answer

    missing = [["cmake"], []]
    monkeypatch.setattr(system, "missing_packages", lambda: missing.pop(0) if missing else [])
    monkeypatch.setattr(system, "install_packages", note("apt"))
    monkeypatch.setattr(packages, "are_current", lambda _: "finish" in noted)
    monkeypatch.setattr(packages, "install", note("pip"))
    monkeypatch.setattr(packages, "torch_imports", note("torch", True))
    monkeypatch.setattr(packages, "install_cuda", note("cuda"))
    monkeypatch.setattr(packages, "finish", note("finish"))
    monkeypatch.setattr(workspace, "is_current", lambda *_: "colcon" in noted)
    monkeypatch.setattr(workspace, "build", note("colcon"))
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "ros2_ws" / "src").mkdir(parents=True)
    return noted


def test_everything_then_nothing(tmp_path, calls, capsys):
    main.set_up(Places(tmp_path))
    assert calls == ["apt", "pip", "torch", "finish", "colcon"]
    said = capsys.readouterr().out.splitlines()
    assert [line.split(" ... ")[0] for line in said[:-1]] == [
        "set-up: system packages cmake",
        "set-up: python packages (.venv)",
        "set-up: workspace (ros2_ws)",
    ]
    calls_before = list(calls)
    main.set_up(Places(tmp_path))
    assert calls == calls_before
    assert capsys.readouterr().out.startswith("set-up: complete, ")


def test_torch_without_its_libraries(tmp_path, calls, monkeypatch):
    monkeypatch.setattr(packages, "torch_imports", lambda *_: False)
    main.set_up(Places(tmp_path))
    assert calls == ["apt", "pip", "cuda", "finish", "colcon"]


def test_a_failure_is_one_line(calls, monkeypatch, capsys):
    def fail(*_):
        raise SetupError("the moon is in the way")

    monkeypatch.setattr(packages, "install", fail)
    assert main.main() == 1
    printed = capsys.readouterr()
    assert printed.err == "set-up: the moon is in the way\n"
    assert "colcon" not in calls


def test_env_sh_says_what_is_missing(tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "env.sh").write_bytes((ROOT / "tools" / "env.sh").read_bytes())
    command = ["bash", "-c", f"source {tmp_path}/tools/env.sh"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"tools/env.sh: not set up yet; run `make setup` in {tmp_path}\n")


def test_env_sh_leaves_another_ros_out():
    env = {
        "PATH": "/usr/bin:/bin",
        "AMENT_PREFIX_PATH": "/opt/ros/jazzy",
        "LD_LIBRARY_PATH": "/opt/ros/jazzy/lib:/opt/cuda/lib",
    }
    script = (
        f"set -u; source {ROOT}/tools/env.sh; source {ROOT}/tools/env.sh; env; python -c 'import frs_msgs.msg'; echo $-"
    )
    said = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, check=True).stdout
    assert "/opt/ros" not in said
    assert "/opt/cuda/lib" in said
    assert f"FASTDDS_DEFAULT_PROFILES_FILE={ROOT}/launch/config/frs_shm.xml" in said
    assert "u" in said.splitlines()[-1]
