"""The virtual environment: whose Python it is, what it is installed from, and what its hooks do."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from frs_setup import packages
from frs_setup.errors import SetupError
from frs_setup.places import Places

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def places(tmp_path) -> Places:
    (tmp_path / "requirements.lock").write_text("torch==1.0\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return Places(tmp_path)


def made_with(venv: Path, version: str) -> None:
    venv.mkdir(exist_ok=True)
    (venv / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")


def python(places: Places, script: str) -> None:
    """Let this script be the Python of .venv."""
    places.python.write_text(f"#!/bin/sh\n{script}\n")
    places.python.chmod(0o755)
    (places.venv / "bin" / "pip").write_text(f"#!{places.python}\n")


def test_version(tmp_path):
    assert packages.venv_version(tmp_path) is None
    made_with(tmp_path, "3.12.1")
    assert packages.venv_version(tmp_path) == "3.12.1"


def test_python_of_the_venv(tmp_path):
    packages.check_venv_python(tmp_path / "none", "python3.11")
    made_with(tmp_path, f"{OURS}.99")
    packages.check_venv_python(tmp_path, None)
    packages.check_venv_python(tmp_path, "python3")
    made_with(tmp_path, "3.10.4")
    with pytest.raises(SetupError, match=r"made with Python 3.10.4, but Python 3.10 does not suit.*rm -rf"):
        packages.check_venv_python(tmp_path, None)
    made_with(tmp_path, "3.12.4" if OURS != "3.12" else "3.11.4")
    with pytest.raises(SetupError, match=rf"but PYTHON=python3 is Python {OURS}.*rm -rf"):
        packages.check_venv_python(tmp_path, "python3")


def test_room(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    packages.check_room(tmp_path, 1)
    with pytest.raises(SetupError, match=r"GB are free in .*, the set-up needs \d+ GB: make room"):
        packages.check_room(tmp_path, 2 * free)


def test_current_only_with_the_same_lock_and_python(places):
    made_with(places.venv, "3.11.7")
    packages.finish(places)
    assert not packages.are_current(places), "no Python in it"
    python(places, "exit 0")
    assert packages.are_current(places)
    made_with(places.venv, "3.11.8")
    assert not packages.are_current(places)
    made_with(places.venv, "3.11.7")
    places.lock.write_text("torch==1.1\n")
    assert not packages.are_current(places)


def test_install_takes_what_is_there(places):
    python(places, 'echo "$@"')
    packages.install(places, {"FRS_TORCH_INDEX": "some-index", "PATH": ""})
    assert f"--no-deps --extra-index-url some-index -r {places.lock}" in (places.logs / "pip.log").read_text()
    assert (places.venv / "COLCON_IGNORE").is_file()
    assert (places.venv / "setup.bash").is_file()


def test_install_makes_a_moved_venv_anew(places, monkeypatch):
    commands = []
    monkeypatch.setattr(packages, "run", lambda command, *_: commands.append(command))
    python(places, "exit 0")
    packages.install(places, {"PATH": ""})
    assert [sys.executable, "-m", "venv", "--clear", places.venv] not in commands
    (places.venv / "bin" / "pip").write_text("#!/elsewhere/.venv/bin/python\n")
    packages.install(places, {"PATH": ""})
    assert [sys.executable, "-m", "venv", "--clear", places.venv] in commands


def test_install_says_what_pip_lacks(places):
    python(places, '[ "$1" = -c ] || { echo "ERROR: No matching distribution found for torch==1.0"; exit 1; }')
    with pytest.raises(SetupError, match=r"^pip finds no torch==1.0 for Python"):
        packages.install(places, {"PATH": ""})


def test_install_shows_pips_last_words(places):
    python(places, '[ "$1" = -c ] || { echo "a strange thing"; exit 1; }')
    with pytest.raises(SetupError, match="(?s)pip.log has all.*    a strange thing$"):
        packages.install(places, {"PATH": ""})


def test_cuda_libraries_keep_to_the_lock(places):
    python(places, 'echo "$@"')
    packages.install_cuda(places, {"PATH": ""})
    assert f"torch==1.0 -c {places.lock}\n" in (places.logs / "pip.log").read_text()


def test_hooks_put_the_venv_in_front_once(tmp_path):
    venv = tmp_path / "a venv"
    venv.mkdir()
    packages.write_hooks(venv)
    script = f'. "{venv}/setup.sh"; . "{venv}/local_setup.sh"; echo "$AMENT_PREFIX_PATH,$CMAKE_PREFIX_PATH,$PATH"'
    env = {"PATH": "/usr/bin:/bin", "AMENT_PREFIX_PATH": "/other"}
    for shell in (["sh", "-uc"], ["bash", "-uc"]):
        said = subprocess.run([*shell, script], env=env, capture_output=True, text=True, check=True).stdout
        assert said == f"{venv}:/other,{venv},{venv}/bin:/usr/bin:/bin\n"
