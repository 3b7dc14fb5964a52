"""`frs arm`: what people can ask of the arm besides steering it (docs/safety.md)."""

from __future__ import annotations

import argparse
import signal
from functools import partial
from typing import TYPE_CHECKING

from frs_bringup.asking import Question, add_questions, run
from frs_bringup.errors import Refused
from frs_bringup.output import ProgressLine

if TYPE_CHECKING:
    from frs_bringup.asker import Asker

__all__ = ["add_arguments", "run"]

_EXAMPLES = """\
examples:
  frs arm stop             the arm brakes and stays stopped; takes seconds from a shell: no emergency stop
  frs arm reset            ends a stop; nothing moves by it
  frs arm recover          ends a fault that the robot told of
  frs arm home             slowly to the reset pose, through the safety gate; Ctrl-C ends it, the arm then holds
  frs arm open             opens the gripper, `frs arm close` closes it

They ask the node arm_controller, of the graph in ROS_DOMAIN_ID (0 where it is not set; `frs demo` prints its own).
Home and the gripper are refused while somebody drives the arm. Exit status: 0 when it was done, 1 when not.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    add_questions(
        parser,
        {
            "stop": Question("latch a stop: the arm brakes and stays stopped until it is reset", partial(_ask, "stop")),
            "reset": Question("end a stop; nothing moves by it", partial(_ask, "reset")),
            "recover": Question(
                "end a fault that the robot told of, after its cause is gone", partial(_ask, "recover")
            ),
            "home": Question("bring the arm slowly to its reset pose; Ctrl-C ends it", _home, _home_arguments),
            "open": Question("open the gripper", partial(_ask, "open_gripper")),
            "close": Question("close the gripper", partial(_ask, "close_gripper")),
        },
    )


def _ask(service: str, asker: Asker, _: argparse.Namespace) -> int:
    from std_srvs.srv import Trigger

    # All of these may be done twice, and a stop waits for no greeting.
    answer = asker.call(Trigger, f"arm_controller/{service}", Trigger.Request(), "arm_controller", greet=False)
    print(answer.message or "done")
    return 0


def _home_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="0..1, of the slow speed of such a motion (default: 1)"
    )


def _home(asker: Asker, args: argparse.Namespace) -> int:
    from frs_msgs.action import MoveHome

    line = ProgressLine()
    goal = MoveHome.Goal(speed_scale=args.speed)
    try:
        result, called_off = asker.act(
            MoveHome,
            "arm_controller/home",
            goal,
            "arm_controller",
            lambda feedback: line.show(f"{feedback.distance:.2f} rad left"),
        )
    finally:
        line.end()
    if not result.success and not called_off:
        raise Refused(result.message)
    print(result.message)
    return 128 + signal.SIGINT if called_off else 0
