"""The virtual environment with the pinned packages, and the hooks that make it a ROS installation."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from frs_setup import pythons, stamp
from frs_setup.command import CommandError, run
from frs_setup.errors import SetupError
from frs_setup.pip_log import diagnose
from frs_setup.places import Places

_GIB = 2**30
NEEDED = 6 * _GIB
"""Free bytes for .venv, pip's cache and the workspace, with torch for the CPU."""
NEEDED_CUDA = 8 * _GIB
"""Further free bytes for the CUDA libraries of the torch from PyPI."""

_HOOKS = ("local_setup.sh", "local_setup.bash", "setup.sh", "setup.bash")
_STAMP = "frs_setup_stamp"


def venv_version(venv: Path) -> str | None:
    """Version of the Python that a virtual environment was made with, such as "3.11.7"; None where there is none."""
    try:
        text = (venv / "pyvenv.cfg").read_text()
    except OSError:
        return None
    found = re.search(r"^version\s*=\s*(\S+)", text, re.MULTILINE)
    return found.group(1) if found else None


def check_venv_python(venv: Path, chosen: str | None) -> None:
    """Refuse to go on in a virtual environment of a Python that does not suit, or of another than the one asked for.

    Args:
        venv: the virtual environment, there or not.
        chosen: the PYTHON that the user named (this very Python), or None.

    Raises:
        SetupError: the virtual environment must go first.
    """
    present = venv_version(venv)
    if present is None:
        return
    version = tuple(int(number) for number in present.split(".")[:2])
    wrong = pythons.problem(version)
    if not wrong and chosen and version != sys.version_info[:2]:
        wrong = f"PYTHON={chosen} is Python {sys.version_info.major}.{sys.version_info.minor}"
    if wrong:
        raise SetupError(f"{venv} was made with Python {present}, but {wrong}: `rm -rf {venv}`, and start again")


def check_room(folder: Path, needed: int) -> None:
    """Refuse to start what the disk has no room for.

    Raises:
        SetupError: less than `needed` bytes are free where `folder` is.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"{free / _GIB:.1f} GB are free in {folder}, the set-up needs {needed / _GIB:.0f} GB: make room"
        )


def wanted_stamp(places: Places) -> str:
    """What the packages are installed from: the lock file, the Python, and the place (a venv cannot be moved)."""
    return stamp.digest([places.lock.read_bytes(), str(venv_version(places.venv)), str(places.venv)])


def are_current(places: Places) -> bool:
    """Whether .venv holds what the lock file says."""
    return _works(places.python) and stamp.is_current(places.venv / _STAMP, wanted_stamp(places))


def install(places: Places, environ: Mapping[str, str]) -> None:
    """Make .venv, or take the one that is there, and install the pinned packages into it.

    Args:
        places: where things are.
        environ: the environment pip runs in; FRS_TORCH_INDEX in it names one more index to look for torch.

    Raises:
        SetupError: no room, no network, a package that is not there, or a failure in pip's own words.
    """
    log = places.logs / "pip.log"
    log.unlink(missing_ok=True)
    if not (_works(places.python) and _is_at_home(places.venv)):
        check_room(places.root, NEEDED)
        run([sys.executable, "-m", "venv", "--clear", places.venv], log, environ)
    (places.venv / "COLCON_IGNORE").touch()

    index = environ.get("FRS_TORCH_INDEX")
    extra = ["--extra-index-url", index] if index else []
    _pip(["--no-deps", *extra, "-r", places.lock], places, environ)
    write_hooks(places.venv)


def torch_imports(places: Places, environ: Mapping[str, str]) -> bool:
    """Whether the installed torch finds its libraries: the CUDA build does not without those that it declares."""
    command = [str(places.python), "-c", "import torch"]
    return subprocess.run(command, capture_output=True, env=environ, check=False).returncode == 0


def install_cuda(places: Places, environ: Mapping[str, str]) -> None:
    """Install what torch declares beyond the lock file: the CUDA libraries of the build that PyPI has.

    Raises:
        SetupError: no room, or pip failed, or torch cannot be imported even so.
    """
    check_room(places.root, NEEDED_CUDA)
    pin = re.search(r"^torch==\S+", places.lock.read_text(), re.MULTILINE)
    if pin is None:
        raise SetupError(f"{places.lock} pins no torch")
    _pip([pin.group(), "-c", places.lock], places, environ)
    run([places.python, "-c", "import torch"], places.logs / "pip.log", environ)


def finish(places: Places) -> None:
    """Note that the packages are complete."""
    stamp.write(places.venv / _STAMP, wanted_stamp(places))


def write_hooks(venv: Path) -> None:
    """Write the files by which colcon and the user's shell take a folder for a ROS installation (a prefix).

    They put the virtual environment in front of AMENT_PREFIX_PATH, CMAKE_PREFIX_PATH and PATH, once.
    """
    lines = [f"_frs_prefix={shlex.quote(str(venv))}"]
    for name, folder in (("AMENT_PREFIX_PATH", ""), ("CMAKE_PREFIX_PATH", ""), ("PATH", "/bin")):
        path = f"$_frs_prefix{folder}"
        lines.append(
            f'case ":${{{name}:-}}:" in *":{path}:"*) ;; *) export {name}="{path}${{{name}:+:${name}}}" ;; esac'
        )
    lines.append("unset _frs_prefix")
    for hook in _HOOKS:
        (venv / hook).write_text("\n".join(lines) + "\n")


def environment(places: Places, environ: Mapping[str, str]) -> dict[str, str]:
    """Environment in which the workspace is built: .venv active, and a ROS installation."""
    return {
        **environ,
        "VIRTUAL_ENV": str(places.venv),
        "AMENT_PREFIX_PATH": str(places.venv),
        "CMAKE_PREFIX_PATH": str(places.venv),
        "PATH": os.pathsep.join([str(places.venv / "bin"), environ.get("PATH", os.defpath)]),
    }


def _pip(arguments: list[str | Path], places: Places, environ: Mapping[str, str]) -> None:
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    try:
        run([places.python, "-m", "pip", "install", *options, *arguments], places.logs / "pip.log", environ)
    except CommandError as error:
        python = ".".join((venv_version(places.venv) or "").split(".")[:2])
        known = diagnose(error.log.read_text(errors="replace"), python)
        if known:
            raise SetupError(f"{known} [log: {error.log}]") from None
        raise


def _is_at_home(venv: Path) -> bool:
    """Whether its scripts name its own Python: those of one that was moved or copied name the old one's."""
    try:
        return str(venv) in (venv / "bin" / "pip").read_text()
    except OSError:
        return False


def _works(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
