"""A description as actions of ros2 launch. Only this module imports launch."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from frs_bringup.description import Argument, Configuration, Process, resolve
from frs_bringup.description_file import load
from frs_bringup.places import config_directory
from frs_bringup.starter import STOP_SEQUENCE

_SIGTERM_AFTER, _SIGKILL_AFTER = (str(grace) for _, grace in STOP_SEQUENCE[:2])


def make_launch_description(name: str, directory: Path | None = None) -> LaunchDescription:
    """Describe a configuration's graph to ros2 launch.

    Args:
        name: of the configuration.
        directory: holds its description; the installed ones where None.

    Raises:
        DescriptionError: the description is wrong.
    """
    configuration = load(name, directory or config_directory())
    declared = [_declare(argument) for argument in configuration.arguments.values()]
    return LaunchDescription([*declared, OpaqueFunction(function=_actions, args=[configuration])])


def _declare(argument: Argument) -> DeclareLaunchArgument:
    default = str(argument.default).lower() if isinstance(argument.default, bool) else str(argument.default)
    return DeclareLaunchArgument(
        argument.name,
        default_value=default,
        description=f"{argument.description} ({argument.when_in_words})" if argument.when else argument.description,
        choices=list(argument.choices) or None,
    )


def _actions(context: LaunchContext, configuration: Configuration) -> list[Action]:
    given = {name: LaunchConfiguration(name).perform(context) for name in configuration.arguments}
    graph = resolve(configuration, given)
    variables: list[Action] = [
        SetEnvironmentVariable(name, value) for name, value in graph.environment.items() if name not in os.environ
    ]
    return variables + [_tell(process) if process.terminal else _node(process) for process in graph.processes]


def _node(process: Process) -> Node:
    return Node(
        package=process.package,
        executable=process.executable,
        name=process.name,
        namespace=process.namespace,
        parameters=[*map(str, process.parameter_files), *([dict(process.parameters)] if process.parameters else [])],
        remappings=list(process.remappings.items()),
        ros_arguments=["--log-level", process.logger_level],
        output="screen",
        respawn=True,
        respawn_delay=process.respawn_delay,
        sigterm_timeout=_SIGTERM_AFTER,
        sigkill_timeout=_SIGKILL_AFTER,
    )


def _tell(process: Process) -> LogInfo:
    # ros2 launch gives no node the keyboard.
    command = shlex.join(["ros2", "run", process.package, process.executable, *process.ros_arguments()])
    return LogInfo(msg=f"{process.name} needs a terminal of its own; run in another one:\n  {command}")
