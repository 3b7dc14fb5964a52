"""Build description of frs_teleop_cli for colcon (ament_python)."""

from setuptools import find_packages, setup

setup(
    name="frs_teleop_cli",
    version="0.1.0",
    description="The operator: terminal screen, keyboard guidance and episode control",
    license="Apache-2.0",
    maintainer="frs maintainers",
    maintainer_email="maintainers@frs-project.org",
    packages=find_packages(exclude=["test", "test.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/frs_teleop_cli"]),
        ("share/frs_teleop_cli", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "camera_view = frs_teleop_cli.nodes.camera_view:main",
            "teleop = frs_teleop_cli.nodes.teleop:main",
        ],
    },
)
