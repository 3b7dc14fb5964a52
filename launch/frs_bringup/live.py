"""`frs live`: recording and noise policies of a graph that runs, without a ROS command line."""

from __future__ import annotations

import argparse

from frs_bringup import live_noise_policy, live_recording, live_training
from frs_bringup.asking import add_questions, run

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  frs live preflight                           is an episode worth recording: topics, their rates, room on the disk
  frs live start egg-003 --task egg_in_basket  begin a recording by hand; the operator's keys b and e do so, too
  frs live end succeeded --note "second try"   end and label it
  frs live train runs                          train a noise policy on the successes in runs/, then go live or not
  frs live train runs --go-live                the same, and live without asking
  frs live load runs-dsbc.safetensors          put another noise policy live, while the robot runs
  frs live unload                              none any more: where nobody steers, the policy acts alone
  frs live train --help                        more about one of them

They ask the graph in ROS_DOMAIN_ID (0 where it is not set; `frs demo` and `frs session` print their own). Files and
directories are those of the machine that the graph runs on. Exit status: 0 when it was done, 1 when not.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    add_questions(parser, live_recording.QUESTIONS | {"train": live_training.QUESTION} | live_noise_policy.QUESTIONS)
