"""`frs arm`: what people can ask of the arm besides steering it (docs/safety.md)."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
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
  frs arm state            how the arm is, and what it and its driver say
  frs arm stop             the arm brakes and stays stopped; takes seconds from a shell: no emergency stop
  frs arm reset            ends a stop; nothing moves by it
  frs arm recover          ends a fault: the robot's own error, a second publisher, an arm said to be elsewhere
  frs arm home             slowly to the reset pose, through the safety gate; Ctrl-C ends it, the arm then holds
  frs arm open             opens the gripper, `frs arm close` closes it

They ask the node arm_controller, of the graph in ROS_DOMAIN_ID (0 where it is not set; `frs demo` prints its own).
Home and the gripper are refused while somebody drives the arm. Exit status: 0 when it was done, 1 when not.
"""

_STOP = """\
Where nobody answers it says so, and goes on asking until somebody does, or Ctrl-C (status 1: not stopped).
"""

_RECOVER = """\
Look at the arm first (`frs arm state` tells the fault). It ends a fault
  - that the robot told of, such as a reflex or the user stop; its driver is made to recover it,
  - by a second node that commanded the arm, when that one has gone,
  - by joint states that said the arm to be elsewhere: it then goes on from where it is said to be.
Nothing moves by it unless somebody owns the arm and still drives it. Stale joint states end by themselves.
"""

_SLOWEST = 0.05  # of the slow speed; homing.LEAST_SCALE

_SPEAKERS = ("arm_controller", "franky_driver", "franka_ros2_bridge")
"""Nodes that say on /diagnostics how the arm is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    add_questions(
        parser,
        {
            "state": Question("tell how the arm is, and what it and its driver say on /diagnostics", _state),
            "stop": Question("latch a stop: the arm brakes and stays stopped until it is reset", _stop, help=_STOP),
            "reset": Question("end a stop; nothing moves by it", partial(_ask, "reset")),
            "recover": Question("end a fault, after its cause is gone", partial(_ask, "recover"), help=_RECOVER),
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


def _stop(asker: Asker, _: argparse.Namespace) -> int:
    from std_srvs.srv import Trigger

    told = False

    def on_silence(why: str) -> None:
        nonlocal told
        if not told:
            print(f"error: {why}", file=sys.stderr)
            print(
                "the stop was NOT made yet: arm_controller does not answer; the arm may move on when it returns; "
                "still asking, Ctrl-C ends it",
                file=sys.stderr,
                flush=True,
            )
        told = True

    request = Trigger.Request()
    try:
        answer = asker.call(
            Trigger, "arm_controller/stop", request, "arm_controller", greet=False, on_silence=on_silence
        )
    except KeyboardInterrupt:
        print("interrupted: nobody has said that the arm is stopped", file=sys.stderr)
        return 1
    print(answer.message)
    return 0


def _state(asker: Asker, args: argparse.Namespace) -> int:
    from diagnostic_msgs.msg import DiagnosticArray
    from frs_msgs.msg import ArmState

    from frs_steering.arm.states import State
    from frs_steering.health.report import Level
    from frs_steering.nodes import diagnostics
    from frs_steering.nodes.qos import LATCHED

    states: list[ArmState] = []
    said: dict[str, str] = {}

    def on_diagnostics(msg: DiagnosticArray) -> None:
        for status in msg.status:
            node = status.name.partition(": ")[0]
            if node in [f"{args.namespace.strip('/')}/{name}".strip("/") for name in _SPEAKERS]:
                said[status.name] = f"{status.name}: {Level(status.level[0]).name}, {status.message}"

    asker.listen(ArmState, "arm_state", LATCHED, states.append)
    asker.listen(DiagnosticArray, diagnostics.TOPIC, 100, on_diagnostics)
    asker.wait(lambda: bool(states), "arm_state", "arm_controller", more=2.0 * diagnostics.PERIOD)
    newest = states[-1]
    joints = " ".join(f"{position:.3f}" for position in newest.position)
    print(f"state: {State(newest.state).name}, {newest.message}")
    print(f"owner: {newest.owner or 'none'}")
    print(f"joints [rad]: {joints}; gripper (0 open, 1 closed): {newest.gripper:.2f}")
    print(*[said[name] for name in sorted(said)], sep="\n")
    return 0


def _home_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed",
        type=_scale,
        default=1.0,
        metavar="X",
        help=f"{_SLOWEST}..1, of the slow speed of such a motion (default: 1)",
    )


def _scale(text: str) -> float:
    # To ROS a 0 is what was not given, and stands for full speed: whoever types it means something else.
    with contextlib.suppress(ValueError):
        if _SLOWEST <= float(text) <= 1.0:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number in {_SLOWEST}..1")


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
