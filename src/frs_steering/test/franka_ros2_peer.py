"""What franka_ros2 shows to others, without a robot: its state, a thousand times a second, and its recovery action.

franka_msgs has no wheel, so `build` makes a package of that name with the rosidl generators that frs_msgs is made with.
It holds the fields, types, constants and flags that the bridge uses, under the names of franka_ros2's interface
(github.com/frankarobotics/franka_ros2, franka_msgs 2.5.0); the other fields are left out.

As a script it is the peer, told by lines on its standard input what to show.
"""

from __future__ import annotations

import functools
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from obedient_peer import serve

ROOT = Path(__file__).resolve().parents[3]

FILES = {
    "CMakeLists.txt": """
cmake_minimum_required(VERSION 3.20)
project(franka_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME}
  msg/Errors.msg msg/FrankaRobotState.msg msg/GraspEpsilon.msg
  action/ErrorRecovery.action action/Grasp.action action/Move.action)
ament_package()
""",
    "package.xml": """
<package format="3">
  <name>franka_msgs</name>
  <version>0.0.0</version>
  <description>The part of franka_ros2's interface that franka_ros2_bridge uses</description>
  <maintainer email="maintainers@frs-project.org">frs maintainers</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>action_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
""",
    "msg/Errors.msg": """
bool joint_position_limits_violation
bool joint_reflex
bool cartesian_reflex
bool communication_constraints_violation
""",
    "msg/FrankaRobotState.msg": """
float64 time
uint8 ROBOT_MODE_IDLE=1
uint8 ROBOT_MODE_MOVE=2
uint8 ROBOT_MODE_REFLEX=4
uint8 ROBOT_MODE_USER_STOPPED=5
uint8 robot_mode
Errors current_errors
Errors last_motion_errors
""",
    "msg/GraspEpsilon.msg": """
float64 inner
float64 outer
""",
    "action/ErrorRecovery.action": "---\n---\n",
    "action/Grasp.action": """
float64 width
GraspEpsilon epsilon
float64 speed
float64 force
---
bool success
string error
---
float64 current_width
""",
    "action/Move.action": """
float64 width
float64 speed
---
bool success
string error
---
float64 current_width
""",
}


@functools.cache
def build(directory: Path) -> dict[str, str]:
    """Make the package below a directory, once; returns what processes need in their environment to import it."""
    source, prefix = directory / "franka_msgs", directory / "install"
    for name, content in FILES.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.lstrip())
    options = {
        "CMAKE_INSTALL_PREFIX": prefix,
        "CMAKE_PROJECT_INCLUDE": ROOT / "tools" / "ros_wheels_fixup.cmake",
        "CMAKE_C_FLAGS": "-O0",
        "CMAKE_CXX_FLAGS": "-O0",
        "Python3_EXECUTABLE": sys.executable,
        "BUILD_TESTING": "OFF",
    }
    built = directory / "build"
    for command in (
        ["cmake", "-S", source, "-B", built, *(f"-D{name}={value}" for name, value in options.items())],
        ["cmake", "--build", built, "--target", "install", "--parallel"],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    packages = next(prefix.glob("lib/python*/site-packages"))
    added = {"PYTHONPATH": packages, "LD_LIBRARY_PATH": prefix / "lib", "AMENT_PREFIX_PATH": prefix}
    return {name: os.pathsep.join(filter(None, [str(path), os.environ.get(name)])) for name, path in added.items()}


class Peer:
    """The robot's state as told; its clock goes on unless it is told to stand still."""

    def __init__(self, node: Any) -> None:
        from rclpy.action import ActionServer

        action = importlib.import_module("franka_msgs.action").ErrorRecovery
        messages = importlib.import_module("franka_msgs.msg")
        state = messages.FrankaRobotState
        self._state = state(robot_mode=state.ROBOT_MODE_MOVE)
        self._errors, self._idle, self._result = messages.Errors, state.ROBOT_MODE_IDLE, action.Result
        self.is_silent = self.stands_still = self.fails = False
        self._publisher = node.create_publisher(state, "franka_robot_state_broadcaster/robot_state", 10)
        self._server = ActionServer(node, action, "action_server/error_recovery", self._on_recover)
        node.create_timer(0.001, self._publish)

    def obey(self, line: str) -> None:
        """A line is a mode's number and the names of errors, or one of: silent, still, fails, well."""
        word, *errors = line.split()
        if word.isdigit():
            self._state.robot_mode = int(word)
            self._state.current_errors = self._errors(**dict.fromkeys(errors, True))
            return
        self.is_silent, self.stands_still, self.fails = word == "silent", word == "still", word == "fails"

    def _publish(self) -> None:
        self._state.time += 0.0 if self.stands_still else 0.001
        if not self.is_silent:
            self._publisher.publish(self._state)

    def _on_recover(self, goal: Any) -> Any:
        if self.fails:
            goal.abort()
        else:
            goal.succeed()
            self._state.robot_mode, self._state.current_errors = self._idle, self._errors()
        return self._result()


def main() -> None:
    """Show what the lines on standard input say, until they end."""
    serve("franka_ros2_peer", Peer, "shows a robot")


if __name__ == "__main__":
    main()
