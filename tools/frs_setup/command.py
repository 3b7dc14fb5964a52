"""Running the tools that do the work, with their output in a file."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from frs_setup.errors import SetupError

_ROS_VARIABLES = ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
_SHOWN_LINES = 15


class CommandError(SetupError):
    """A command failed; `log` holds all that it printed."""

    def __init__(self, what: str, log: Path) -> None:
        self.log = log
        tail = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
        super().__init__("\n".join([f"{what}; its last lines ({log} has all):", *(f"    {line}" for line in tail)]))


def run(command: Sequence[str | Path], log: Path, env: Mapping[str, str], cwd: Path | None = None) -> None:
    """Run a command to its end.

    Args:
        command: the program and its arguments.
        log: file that its output is appended to.
        env: its whole environment.
        cwd: where it runs; here if None.

    Raises:
        CommandError: its exit status was not 0, or there is no such program.
    """
    words = [str(word) for word in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(f"$ {shlex.join(words)}\n")
        file.flush()
        try:
            status = subprocess.run(
                words, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=cwd, check=False
            ).returncode
        except OSError as error:
            file.write(f"{error}\n")
            status = 127
    if status != 0:
        raise CommandError(f"`{words[0]}` failed with exit status {status}", log)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Copy an environment without what another ROS, another Python or another build has put into it.

    A ROS that is sourced in the user's shell would shadow the wheels in .venv, in part and in silence.
    """
    kept = {
        name: value for name, value in environ.items() if name not in _ROS_VARIABLES and not name.startswith("PYTHON")
    }
    libraries = kept.pop("LD_LIBRARY_PATH", "").split(os.pathsep)
    own = [
        path for path in libraries if path and not path.startswith("/opt/ros/") and "/site-packages/ros_" not in path
    ]
    if own:
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(own)
    return kept
