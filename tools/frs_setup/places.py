"""Where the set-up puts things, all below the repository's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The files and folders that the set-up reads and makes."""

    root: Path

    @property
    def lock(self) -> Path:
        """The pinned packages."""
        return self.root / "requirements.lock"

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's Python."""
        return self.venv / "bin" / "python"

    @property
    def workspace(self) -> Path:
        """The colcon workspace."""
        return self.root / "ros2_ws"

    @property
    def install(self) -> Path:
        """Where colcon installs to."""
        return self.workspace / "install"

    @property
    def packages(self) -> list[Path]:
        """The folders of the ROS packages: what the workspace's `src` links to, in order of name."""
        return sorted(link.resolve() for link in (self.workspace / "src").iterdir() if link.is_dir())

    @property
    def fixup(self) -> Path:
        """What makes the CMake exports of the ROS wheels usable here."""
        return self.root / "tools" / "ros_wheels_fixup.cmake"

    @property
    def logs(self) -> Path:
        """What the tools that the set-up calls have printed."""
        return self.root / ".setup"
