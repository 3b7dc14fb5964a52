"""`frs live load` and `unload`: which noise policy is live."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from frs_bringup.asking import Question

if TYPE_CHECKING:
    from frs_bringup.asker import Asker

_HELP = """\
The file is checked first: it must fit the policy that runs, and say finite noise. What is live stays live unless all is
well. Between two proposals the new one takes the place of the old, while the robot runs. The operator's key d keeps any
noise policy out for one chunk.
"""


def load(asker: Asker, file: str) -> str:
    """Put a file live, or none where it is empty; returns the version that is live now.

    Raises:
        NobodyAnswers: noise_policy is not there.
        Refused: the file can't be used; the one before stays.
    """
    from frs_msgs.srv import LoadNoisePolicy

    answer = asker.call(LoadNoisePolicy, "noise_policy/load", LoadNoisePolicy.Request(file=file), "noise_policy")
    return str(answer.version)


def _load(asker: Asker, args: argparse.Namespace) -> int:
    print(f"{load(asker, str(args.file.expanduser().absolute()))} is live")
    return 0


def _unload(asker: Asker, _: argparse.Namespace) -> int:
    load(asker, "")
    print("no noise policy is live: where nobody steers, the policy acts alone")
    return 0


def _file_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a .safetensors file of `frs train dsbc`")


QUESTIONS = {
    "load": Question("put a noise policy live, while the robot runs", _load, _file_argument, _HELP),
    "unload": Question("have no noise policy live any more", _unload),
}
