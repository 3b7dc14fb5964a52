"""What the operating system must give, and what is said where it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from frs_setup import egl_probe, system
from frs_setup.errors import SetupError


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Path:
    """A machine on which only the programs that a test puts into this folder exist; the user is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return folder


def install(machine: Path) -> str:
    """Install cmake and libegl1; returns what apt-get was called with."""
    environ = {"PATH": str(machine)}
    system.install_packages(["cmake", "libegl1"], machine.parent / "apt.log", environ)
    return (machine.parent / "apt.log").read_text()


def test_nothing_is_missing_here():
    assert system.missing_packages() == []


def test_missing_is_named(machine, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")  # the probe of EGL fails
    program(machine, "g++", "")
    program(machine, "make", "")
    assert system.missing_packages() == ["cmake", "libegl1", "libgl1-mesa-dri", "libopengl0"]


def test_rendering_needs_both_libraries(monkeypatch):
    def load(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(egl_probe.ctypes, "CDLL", load)
    assert not egl_probe.loads_opengl()
    with pytest.raises(OSError, match="libEGL"):
        egl_probe.display_opens()


def test_no_apt(machine):
    with pytest.raises(SetupError, match="no apt-get: install what on Debian are cmake, libegl1"):
        install(machine)


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_not_allowed(machine, sudo):
    program(machine, "apt-get", "exit 1")
    if sudo:
        program(machine, "sudo", sudo)
    with pytest.raises(SetupError, match="not allowed to this user: run `sudo apt-get install -y cmake libegl1`"):
        install(machine)


def test_with_sudo(machine):
    program(machine, "apt-get", "")
    program(machine, "sudo", 'echo "as root: $*"')
    said = install(machine)
    assert "as root: -n DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends cmake libegl1" in said


def test_apt_fails(machine, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    program(machine, "apt-get", '[ "$1" = update ] || { echo "E: Unable to locate package cmake"; exit 100; }')
    with pytest.raises(
        SetupError, match="(?s)`apt-get install -y cmake libegl1` failed.*Unable to locate package cmake"
    ):
        install(machine)


@pytest.mark.parametrize(("name", "machine_type"), [("Linux", "aarch64"), ("Darwin", "x86_64")])
def test_other_platforms(name, machine_type):
    with pytest.raises(SetupError, match=f"{name} on {machine_type} does not suit"):
        system.check_platform(name, machine_type)


def test_the_probe_runs_alone():
    assert subprocess.run([sys.executable, egl_probe.__file__], check=False).returncode == 0
