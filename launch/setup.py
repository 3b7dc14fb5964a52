"""Build description of frs_bringup for colcon (ament_python)."""

from glob import glob

from setuptools import find_packages, setup

setup(
    name="frs_bringup",
    version="0.1.0",
    description="Starts the stack: launch files, their one description, and the frs command",
    license="Apache-2.0",
    maintainer="frs maintainers",
    maintainer_email="maintainers@frs-project.org",
    packages=find_packages(exclude=["test", "test.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/frs_bringup"]),
        ("share/frs_bringup", ["package.xml"]),
        ("share/frs_bringup/launch", glob("*.launch.py")),
        ("share/frs_bringup/config", glob("config/*")),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "frs = frs_bringup.cli:main",
        ],
    },
)
