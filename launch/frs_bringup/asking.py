"""What the commands have in common that ask a running graph: `frs live` and `frs arm`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from frs_bringup.errors import NobodyAnswers, Refused
from frs_bringup.middleware import set_defaults
from frs_bringup.places import config_directory
from frs_bringup.runs import left_at_last

if TYPE_CHECKING:
    from frs_bringup.asker import Asker


@dataclass(frozen=True)
class Question:
    """One thing that can be asked.

    Attributes:
        summary: what it does, in one line.
        ask: does it; returns the exit status.
        add_arguments: declares what it takes.
        help: more about it, under its arguments.
    """

    summary: str
    ask: Callable[[Asker, argparse.Namespace], int]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None
    help: str = ""


def add_questions(parser: argparse.ArgumentParser, questions: Mapping[str, Question]) -> None:
    """Declare a command's questions as subcommands; `run` then asks the chosen one."""
    group = parser.add_subparsers(dest="question", metavar="WHAT", required=True)
    for name, question in questions.items():
        sub = group.add_parser(
            name,
            help=question.summary,
            description=f"{question.summary[0].upper()}{question.summary[1:]}.",
            epilog=question.help,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        question.add_arguments(sub)
        sub.add_argument("--namespace", default="/", metavar="NS", help="of the graph's nodes (default: none)")
        sub.set_defaults(ask=question.ask)


def run(args: argparse.Namespace) -> int:
    """Ask; returns the exit status: 1 where nobody answers or the answer is no, 130 after Ctrl-C."""
    # The graph's own transport, unless the shell has chosen one. Must come before rclpy is imported.
    set_defaults(os.environ, {"FASTDDS_DEFAULT_PROFILES_FILE": str(config_directory() / "frs_shm.xml")})
    from frs_bringup.asker import Asker

    def ask(leaving: ExitStack) -> int:
        asker = Asker("/" + args.namespace.strip("/"), os.environ.get("ROS_DOMAIN_ID") or "0")
        leaving.callback(asker.close)
        return _answered(asker, args)

    return left_at_last(ask)


def _answered(asker: Asker, args: argparse.Namespace) -> int:
    try:
        return args.ask(asker, args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except (NobodyAnswers, Refused) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
