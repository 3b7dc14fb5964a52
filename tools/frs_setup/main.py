"""The phases of the set-up, one after the other, each with a line that says how long it took."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from frs_setup import packages, system, workspace
from frs_setup.command import clean_environment
from frs_setup.errors import SetupError
from frs_setup.places import Places


def main() -> int:
    """Set everything up that is not yet; returns the exit status."""
    try:
        set_up(Places(Path(__file__).resolve().parents[2]))
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: interrupted; start again, what is done stays done", file=sys.stderr)
        return 130
    return 0


def set_up(places: Places) -> None:
    """Bring system libraries, .venv and the workspace up to date.

    Raises:
        SetupError: in words, what is missing.
    """
    start = time.monotonic()
    environ = clean_environment(os.environ)
    system.check_platform(platform.system(), platform.machine())
    workspace.check_links(places)
    packages.check_venv_python(places.venv, os.environ.get("PYTHON"))
    with _alone(places):
        missing = system.missing_packages()
        if missing:
            with _phase(f"system packages {' '.join(missing)}"):
                system.install_packages(missing, places.logs / "apt.log", environ)
            still = system.missing_packages()
            if still:
                raise SetupError(f"{' '.join(still)} installed, but not usable [log: {places.logs / 'apt.log'}]")
        if not packages.are_current(places):
            with _phase("python packages (.venv)"):
                packages.install(places, environ)
                complete = packages.torch_imports(places, environ)
            if not complete:
                with _phase("CUDA libraries of torch, 2 GB (docs/dependencies.md: how to do without)"):
                    packages.install_cuda(places, environ)
            packages.finish(places)
        base = packages.wanted_stamp(places)
        if not workspace.is_current(places, base):
            with _phase("workspace (ros2_ws)"):
                workspace.build(places, base, packages.environment(places, environ))
    print(f"set-up: complete, {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def _phase(name: str) -> Iterator[None]:
    print(f"set-up: {name} ... ", end="", flush=True)
    start = time.monotonic()
    try:
        yield
    except BaseException:
        print("stopped", flush=True)
        raise
    print(f"{time.monotonic() - start:.1f} s", flush=True)


@contextlib.contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Wait until no other set-up of this tree runs, and keep others waiting."""
    with places.lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: another one runs in this tree; waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
