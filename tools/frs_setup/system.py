"""What the operating system must give: a compiler, CMake, headless rendering, and what Debian splits off Python."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from frs_setup import egl_probe
from frs_setup.command import CommandError, run
from frs_setup.errors import SetupError

_RENDERING = ("libegl1", "libgl1-mesa-dri", "libopengl0")


def check_platform(system: str, machine: str) -> None:
    """Refuse machines for which there are no ROS wheels.

    Raises:
        SetupError: not Linux on x86-64.
    """
    if (system, machine) != ("Linux", "x86_64"):
        raise SetupError(
            f"{system} on {machine} does not suit: the ROS 2 wheels exist for Linux on x86_64 only; "
            "elsewhere build ros2_ws on a ROS 2 host"
        )


def missing_packages() -> list[str]:
    """Names of the Debian packages whose work nothing on this machine does; found by trying, not by asking dpkg."""
    missing = []
    if not (shutil.which("c++") or shutil.which("g++")) or not shutil.which("make"):
        missing.append("build-essential")
    if not shutil.which("cmake"):
        missing.append("cmake")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-dev")
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    if not _renders():
        missing.extend(_RENDERING)
    return missing


def install_packages(packages: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
    """Install Debian packages, as root or by a sudo that asks for no password.

    Raises:
        SetupError: this user may not, this machine has no apt-get, or it failed.
    """
    by_hand = f"apt-get install -y {' '.join(packages)}"
    if not shutil.which("apt-get"):
        raise SetupError(
            f"this machine has no apt-get: install what on Debian are {', '.join(packages)}, and start again"
        )
    if os.geteuid() == 0:
        command = ["apt-get"]
    elif _sudo_without_password():
        command = ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    else:
        raise SetupError(f"apt-get is not allowed to this user: run `sudo {by_hand}`, and start again")
    env = {**environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run([*command, "update"], log, env)
        run([*command, "install", "-y", "--no-install-recommends", *packages], log, env)
    except CommandError as error:
        raise CommandError(f"`{by_hand}` failed (no network, or packages of other names here?)", error.log) from None


def _renders() -> bool:
    probe = subprocess.run([sys.executable, egl_probe.__file__], capture_output=True, check=False)
    return probe.returncode == 0


def _sudo_without_password() -> bool:
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
