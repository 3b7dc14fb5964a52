"""The configuration of what was recorded: every node's parameters, who did not tell, and the versions of it all."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ament_index_python.packages import get_packages_with_prefixes

VERSIONS_RECORD = "frs_versions"
"""Name of the MCAP metadata record of versions: of each package, the distribution, Python and the system."""

PARAMETERS_RECORD = "frs_parameters"
"""With a node's full name behind it ("frs_parameters/lab/recorder"), the metadata record of its parameters as JSON."""

SILENT_RECORD = "frs_silent"
"""Name of the MCAP metadata record that ends the asking: nodes that told no parameters -> why."""

_ROS = "rclpy"
"""Whose version tells the distribution where its name is not in the environment."""


@dataclass(frozen=True)
class Configuration:
    """What a file tells of it.

    Attributes:
        versions: package, "distribution", "python" or "system" -> version; empty where none was written.
        parameters: full name of a node -> parameter -> value as JSON.
        silent: full name of a node that told no parameters -> why; None where the asking had no end.
    """

    versions: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    silent: Mapping[str, str] | None


def configuration(metadata: Mapping[str, Mapping[str, str]]) -> Configuration:
    """What metadata records, by name, tell of the configuration."""
    parameters = {
        name.removeprefix(PARAMETERS_RECORD): content
        for name, content in sorted(metadata.items())
        if name.startswith(f"{PARAMETERS_RECORD}/")
    }
    return Configuration(metadata.get(VERSIONS_RECORD, {}), parameters, metadata.get(SILENT_RECORD))


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions of this project's installed packages, of rclpy, the distribution, Python and the system."""
    found = {"distribution": os.environ.get("ROS_DISTRO", "unknown")}
    found |= {"python": platform.python_version(), "system": platform.platform()}
    for name, prefix in sorted(get_packages_with_prefixes().items()):
        if name.startswith("frs_") or name == _ROS:
            package = ElementTree.parse(Path(prefix, "share", name, "package.xml"))
            found[name] = package.findtext("version", "unknown").strip()
    return found
