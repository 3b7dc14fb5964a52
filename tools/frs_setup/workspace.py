"""The colcon workspace: built when something that colcon copies or compiles has changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from frs_setup import stamp
from frs_setup.command import run
from frs_setup.errors import SetupError
from frs_setup.places import Places

_COMPILED = ("msg", "srv", "action")
_DESCRIPTIONS = ("CMakeLists.txt", "package.xml", "setup.cfg", "setup.py")
_BUILT = ("build", "install", "log")
_STAMP = "frs_setup_stamp"
_BASE_STAMP = "frs_setup_base_stamp"


def wanted_stamp(places: Places, base: str) -> str:
    """What the workspace is built from.

    With --symlink-install the Python files, launch files and parameter files are links: of these only the names count
    (a new launch file must be linked), not the contents.

    Args:
        places: where things are.
        base: stamp of the Python packages that it is built against.
    """
    parts: list[str | bytes] = [base, places.fixup.read_bytes()]
    for package in places.packages:
        for path in _counting_files(package):
            parts.append(str(path.relative_to(places.root)))
            if path.parent.name in _COMPILED or path.name in _DESCRIPTIONS:
                parts.append(path.read_bytes())
    return stamp.digest(parts)


def check_links(places: Places) -> None:
    """Make sure that the workspace's `src` links to the packages.

    Raises:
        SetupError: an entry is no folder, as in a checkout or a copy that did not keep symbolic links.
    """
    for link in sorted((places.workspace / "src").iterdir()):
        if not link.is_dir():
            raise SetupError(
                f"{link.relative_to(places.root)} does not link to its package: this copy has lost its symbolic links; "
                "clone it anew with `git clone -c core.symlinks=true`"
            )


def is_current(places: Places, base: str) -> bool:
    """Whether the built workspace is that of the sources."""
    built = (places.install / "setup.bash").is_file()
    return built and stamp.is_current(places.install / _STAMP, wanted_stamp(places, base))


def build(places: Places, base: str, environ: Mapping[str, str]) -> None:
    """Run colcon.

    Args:
        places: where things are.
        base: stamp of the Python packages that it is built against.
        environ: environment with .venv active.

    Raises:
        CommandError: colcon failed.
    """
    log = places.logs / "colcon.log"
    log.unlink(missing_ok=True)
    base_stamp = places.install / _BASE_STAMP
    if base_stamp.is_file() and not stamp.is_current(base_stamp, base):
        for name in _BUILT:  # CMake's cache and the built extension hold paths and versions of the packages before
            shutil.rmtree(places.workspace / name, ignore_errors=True)
    wanted = wanted_stamp(places, base)
    (places.install / _STAMP).unlink(missing_ok=True)
    cmake = [
        f"-DCMAKE_PROJECT_INCLUDE={places.fixup}",
        f"-DPython3_EXECUTABLE={places.python}",
        "-DBUILD_TESTING=OFF",
        "--no-warn-unused-cli",
    ]
    run(["colcon", "build", "--symlink-install", "--cmake-args", *cmake], log, environ, cwd=places.workspace)
    stamp.write(base_stamp, base)
    stamp.write(places.install / _STAMP, wanted)


def _counting_files(package: Path) -> Iterator[Path]:
    """Files of a package that colcon copies, compiles or links by name, in order."""
    passed_over = {package / "test", *(module.parent for module in package.glob("*/__init__.py"))}
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and passed_over.isdisjoint(path.parents):
            yield path
