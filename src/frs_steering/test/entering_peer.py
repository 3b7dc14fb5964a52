"""A process that enters the graph, says at which ports in shared memory it listens, and stays."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path

import rclpy
from rclpy.node import Node

from frs_steering.nodes.entering import entering


def main() -> None:
    """Be the node `peer`, having entered in our way or, if the argument is "plainly", as any node does."""
    with contextlib.nullcontext() if sys.argv[1] == "plainly" else entering():
        rclpy.init()
        peer = Node("peer")
    files = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    print(
        "listens at", *sorted(Path(file).name for file in files if file.endswith("_el") and "_port" in file), flush=True
    )
    threading.Event().wait()
    del peer


if __name__ == "__main__":
    main()
