"""`frs up`: starts the processes of a configuration where ros2 launch is absent."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from frs_bringup.description import Configuration, Graph, parse_assignments, resolve
from frs_bringup.description_file import load
from frs_bringup.errors import USAGE_ERROR, DescriptionError
from frs_bringup.middleware import NoDomainError, clean_shared_memory, prepare, ros_domain
from frs_bringup.output import LogFiles, PrefixedOutput
from frs_bringup.places import config_directory
from frs_bringup.starter import Starter, StartError
from frs_bringup.terminal import ending_on_signals, kept_terminal

_EXAMPLES = """\
examples:
  frs up sim                                 the simulated cell, steered by the scripted reasoner
  frs up sim operator:=keyboard              steered by you, in this terminal
  frs up sim task:=stack_cups seed:=7        another task and scene
  frs up sim params_file:=mine.yaml          with parameters of your own
  frs up sim --show-args                     all arguments with their meaning

Ctrl-C stops all nodes. They talk in the ROS domain that ROS_DOMAIN_ID names, 0 where it is not set, so that ROS tools
in another terminal hear them. The same graph on a ROS 2 host: ros2 launch frs_bringup sim.launch.py [name:=value ...]
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.epilog = _EXAMPLES
    parser.add_argument("name", metavar="NAME", help="the configuration, e.g. sim")
    parser.add_argument("assignments", nargs="*", metavar="name:=value", help="its arguments")
    parser.add_argument("--show-args", action="store_true", help="list the configuration's arguments and end")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C, until the terminal's node ends, or until a node can't be kept alive; returns the status."""
    try:
        configuration = load(args.name, config_directory())
        if args.show_args:
            print(arguments_in_words(configuration))
            return 0
        graph = resolve(configuration, parse_assignments(args.assignments))
        with ros_domain(os.environ, graph.namespace, of_its_own=False) as domain:
            return _run(graph, args.name, domain)
    except DescriptionError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    except (NoDomainError, StartError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def arguments_in_words(configuration: Configuration) -> str:
    """The arguments of a configuration, one paragraph each."""
    paragraphs = [f"{configuration.name}: {configuration.summary}"]
    for argument in configuration.arguments.values():
        choices = f" (one of: {', '.join(argument.choices)})" if argument.choices else ""
        when = f" ({argument.when_in_words})" if argument.when else ""
        numbers = f" ({argument.range_in_words})" if argument.range_in_words else ""
        default = f"{argument.default!r}" if isinstance(argument.default, str) else f"{argument.default}"
        paragraphs.append(f"  {argument.name}:={default}\n      {argument.description}{choices}{numbers}{when}")
    return "\n".join(paragraphs)


def _run(graph: Graph, name: str, domain: int) -> int:
    names = [process.name for process in graph.processes]
    prepare(os.environ, graph.environment, len(names))
    takes_terminal = any(process.terminal for process in graph.processes)
    output = LogFiles(names, _log_directory(name)) if takes_terminal else PrefixedOutput(names)
    starter = Starter(graph.processes, output)
    print(f"starting {len(names)} nodes in ROS domain {domain}; Ctrl-C stops them", flush=True)
    with ending_on_signals(starter.end), kept_terminal():
        starter.start()
        try:
            starter.wait()
        finally:
            starter.stop()
    if starter.killed:
        clean_shared_memory()
    if isinstance(output, LogFiles):
        output.close()
        print(f"what the nodes said is in {output.directory}")
    if starter.failure:
        print(f"error: {starter.failure}", file=sys.stderr)
        return 1
    return 0


def _log_directory(name: str) -> Path:
    home = os.environ.get("ROS_LOG_DIR") or Path(os.environ.get("ROS_HOME") or "~/.ros") / "log"
    return Path(home).expanduser() / f"frs-{name}-{time.strftime('%Y-%m-%d-%H-%M-%S')}-{os.getpid()}"
