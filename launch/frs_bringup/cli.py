"""The command `frs`: finds the subcommand's module and runs it.

A subcommand is a module with `add_arguments(parser)` and `run(args) -> int`, and one line in COMMANDS. Only the
chosen module is imported, so that `frs --help` is quick and `frs up` loads no more than it needs.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One subcommand: its module, and what it is for in one line."""

    module: str
    summary: str


COMMANDS = {
    "up": Command("frs_bringup.up", "start a configuration of the graph and keep it running"),
    "demo": Command("frs_bringup.demo", "run one steered episode in the simulated cell and measure it"),
    "session": Command(
        "frs_bringup.session", "steer rollouts, train a noise policy on them, put it live, and compare, in one go"
    ),
    "eval": Command("frs_sim.eval_command", "compare the policy alone with the policy steered, over many episodes"),
    "record": Command("frs_steering.record.command", "look at recordings, check them, mend what was cut short"),
    "train": Command(
        "frs_sim.train_command", "train a noise policy on recorded rollouts, or the embedded policy on demonstrations"
    ),
    "live": Command(
        "frs_bringup.live", "record, train a noise policy and put it live, in a graph that runs in another terminal"
    ),
    "arm": Command(
        "frs_bringup.arm", "see how the arm of a running graph is; stop, reset or recover it, bring it home, grip"
    ),
}

_EXAMPLES = """\
examples:
  frs demo                                   one steered episode, from start to summary
  frs up sim                                 the same graph, until Ctrl-C
  frs up sim --show-args                     what can be chosen about it
  frs eval                                   the policy alone against the policy steered
  frs record ls runs                         what was recorded
  frs live train runs                        while `frs up` runs: learn from what was recorded, then go live or not
  frs arm home                               likewise: bring the arm to its reset pose
  frs COMMAND --help                         more about a command
"""


def main(argv: list[str] | None = None) -> int:
    """Entry point of `frs`; returns the exit status."""
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _run(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="frs",
        description="Coarse directions from a person, acted out by a robot's own policy: flow reversal steering.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((word for word in words if not word.startswith("-")), None)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name == chosen:
            module = importlib.import_module(command.module)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(words)
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
