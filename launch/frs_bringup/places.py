"""Where the installed files of this package are."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory


def config_directory() -> Path:
    """Directory of the descriptions, parameter files and the DDS profile."""
    return Path(get_package_share_directory("frs_bringup")) / "config"
