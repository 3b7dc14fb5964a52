"""Build description of frs_steering for colcon (ament_python)."""

from setuptools import find_packages, setup

setup(
    name="frs_steering",
    version="0.1.0",
    description="Flow Reversal Steering: the method, the policies, the arm and the journal, with their nodes",
    license="Apache-2.0",
    maintainer="frs maintainers",
    maintainer_email="maintainers@frs-project.org",
    packages=find_packages(exclude=["test", "test.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/frs_steering"]),
        ("share/frs_steering", ["package.xml"]),
    ],
    package_data={"frs_steering": ["policies/embedded/*.safetensors", "policies/embedded/*.md"]},
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "arm_controller = frs_steering.nodes.arm_controller:main",
            "flow_steering = frs_steering.nodes.flow_steering:main",
            "franka_ros2_bridge = frs_steering.nodes.franka_ros2_bridge:main",
            "franky_driver = frs_steering.nodes.franky_driver:main",
            "noise_policy = frs_steering.nodes.noise_policy:main",
            "noise_trainer = frs_steering.nodes.noise_trainer:main",
            "recorder = frs_steering.nodes.recorder:main",
            "vla_inference = frs_steering.nodes.vla_inference:main",
        ],
    },
)
