"""Build description of frs_sim for colcon (ament_python)."""

from setuptools import find_packages, setup

setup(
    name="frs_sim",
    version="0.1.0",
    description="The simulated DROID cell: scene, tasks, scripted experts, oracle reasoner and their nodes",
    license="Apache-2.0",
    maintainer="frs maintainers",
    maintainer_email="maintainers@frs-project.org",
    packages=find_packages(exclude=["test", "test.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/frs_sim"]),
        ("share/frs_sim", ["package.xml"]),
    ],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "episode = frs_sim.nodes.episode:main",
            "scripted_reasoner = frs_sim.nodes.scripted_reasoner:main",
            "sim = frs_sim.nodes.sim:main",
        ],
    },
)
