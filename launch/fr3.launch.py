"""A Franka Research 3 with the whole stack; its nodes and arguments stand in config/fr3.yaml."""

from launch import LaunchDescription

from frs_bringup.actions import make_launch_description


def generate_launch_description() -> LaunchDescription:
    """Entry point of `ros2 launch frs_bringup fr3.launch.py`."""
    return make_launch_description("fr3")
