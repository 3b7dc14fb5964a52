"""`frs live preflight`, `start` and `end`: the recorder by hand."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from frs_bringup.asking import Question
from frs_bringup.errors import Refused

if TYPE_CHECKING:
    from frs_bringup.asker import Asker

LABELS = ("succeeded", "failed", "stopped", "discarded")
"""Constants of EpisodeEvent, in the letters of `frs record label`."""

_PREFLIGHT = """\
It looks whether cameras, joint states and the arm's reports come at their rates and in step, whether a policy is there,
and how many minutes the disk has room for. Each complaint is a line; then the exit status is 1.
"""

_START = """\
Nothing is reset or switched on by it. What the recorder finds amiss is said, and the recording begins all the same.
"""


def in_lines(complaints: str) -> str:
    """Put each of the recorder's complaints on a line; '...; it should ...' and '...; at most ...' belong together."""
    return "\n".join(re.split(r"; (?!it should |at most )", complaints))


def _preflight(asker: Asker, _: argparse.Namespace) -> int:
    from std_srvs.srv import Trigger

    try:
        answer = asker.call(Trigger, "recorder/preflight", Trigger.Request(), "recorder")
    except Refused as error:
        print(in_lines(str(error)))
        return 1
    print(answer.message)
    return 0


def _start(asker: Asker, args: argparse.Namespace) -> int:
    from frs_msgs.srv import StartRecording

    request = StartRecording.Request(
        episode_id=args.name,
        task=args.task,
        instruction=args.instruction,
        seed=args.seed,
        directory=str(args.directory.expanduser().absolute()) if args.directory else "",
    )
    answer = asker.call(StartRecording, "recorder/start", request, "recorder")
    print(in_lines(answer.message))
    return 0


def _start_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="of the file; letters, digits, '-', '_' and '.'")
    parser.add_argument("--task", default="", metavar="NAME", help="what is to be done")
    parser.add_argument("--instruction", default="", metavar="WORDS", help="the same, as the policy is told it")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the scene, where it has one")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="default: the recorder's own")


def _end(asker: Asker, args: argparse.Namespace) -> int:
    from frs_msgs.msg import EpisodeEvent
    from frs_msgs.srv import StopRecording

    request = StopRecording.Request(
        label=getattr(EpisodeEvent, args.label.upper()), note=args.note, author=args.operator
    )
    print(asker.call(StopRecording, "recorder/stop", request, "recorder").message)
    return 0


def _end_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("label", choices=LABELS, help="how the episode ended")
    parser.add_argument("--note", default="", metavar="WORDS", help="kept with the label")
    parser.add_argument("--operator", default="", metavar="NAME", help="who says so, kept likewise")


QUESTIONS = {
    "preflight": Question("ask the recorder whether an episode is worth recording", _preflight, help=_PREFLIGHT),
    "start": Question("begin a recording by hand", _start, _start_arguments, _START),
    "end": Question("end the recording and label it", _end, _end_arguments),
}
