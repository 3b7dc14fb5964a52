"""The noise policy's node: says which noise to denoise, and takes another noise policy while the robot runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from frs_msgs.msg import NoisePolicyInfo, PolicyInfo
from frs_msgs.srv import LoadNoisePolicy, ProposeNoise
from rclpy.node import Node

from frs_steering.learn.noise_check import check_live
from frs_steering.learn.noise_policy import NoisePolicy, NoisePolicyError, load
from frs_steering.nodes.conversions import MessageError, floats, spec_from_msg
from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.runtime import run
from frs_steering.policies.interface import PolicySpec

MOST_BYTES = 64 * 2**20
"""Of a noise policy's file; those of this project have less than one MiB. It is read between two proposals."""

WARN_EVERY = 2.0  # s


@dataclass(frozen=True)
class NoisePolicyParameters:
    """Parameters of the node."""

    file: str = param("", "noise policy to begin with, live once the policy is there; empty: none")


class NoisePolicyNode(Node):
    """Proposes noises while a noise policy is live: one that was read, checked, and fits the policy that is there.

    Everything happens in one thread, so that a proposal is made by the old noise policy or by the new one.
    """

    def __init__(self) -> None:
        super().__init__("noise_policy")
        parameters = declare(self, NoisePolicyParameters)
        torch.set_num_threads(1)  # a network of this size does not profit from more
        self._spec: PolicySpec | None = None
        self._chosen: NoisePolicy | None = None  # whether or not it fits the policy that is there
        self._live: NoisePolicy | None = None
        self._why_none = "no noise policy is live; load one with noise_policy/load"
        self._info = self.create_publisher(NoisePolicyInfo, "noise_policy/info", LATCHED)
        if parameters.file:
            try:
                self._chosen = _read(parameters.file)
            except NoisePolicyError as error:
                # No reason to end: the robot goes on without, and a restart would find the same file.
                self._why_none = str(error)
                self.get_logger().error(f"no noise policy is live: {error}")
        self.create_service(ProposeNoise, "noise_policy/propose", self._on_propose)
        self.create_service(LoadNoisePolicy, "noise_policy/load", self._on_load)
        self.create_subscription(PolicyInfo, "policy_info", self._on_policy_info, LATCHED)
        self._tell()

    def _on_policy_info(self, msg: PolicyInfo) -> None:
        """Another policy, or the same one again: what was chosen is live only if it fits."""
        before, self._live = self._live, None
        try:
            self._spec = spec_from_msg(msg)
            if self._chosen is not None:
                check_live(self._chosen, self._spec)
                self._live = self._chosen
        except MessageError as error:
            self._spec, self._why_none = None, f"the policy is not understood: {error}"
            self.get_logger().error(self._why_none)
        except NoisePolicyError as error:
            self._why_none = str(error)
            self.get_logger().error(f"no noise policy is live: {error}")
        if self._live is not before:
            self._tell()

    def _on_load(
        self, request: LoadNoisePolicy.Request, response: LoadNoisePolicy.Response
    ) -> LoadNoisePolicy.Response:
        try:
            self._choose(request.file)
            response.success = True
        except NoisePolicyError as error:
            response.message = str(error)
        except Exception as error:  # whatever the file holds, what is live stays live
            response.message = f"noise policy {request.file}: {type(error).__name__}: {error}"
        if not response.success:
            self.get_logger().error(f"{_named(self._live)} stays: {response.message}")
        response.version = self._live.version if self._live else ""
        return response

    def _choose(self, file: str) -> None:
        """Put a file's noise policy live, or none where it names none.

        Raises:
            NoisePolicyError: it can't be; nothing has changed.
        """
        chosen = None
        if file:
            if self._spec is None:
                raise NoisePolicyError(
                    f"noise policy {file} can't be checked: no usable policy_info came; is vla_inference running?"
                )
            chosen = _read(file)
            check_live(chosen, self._spec)
        else:
            self._why_none = "no noise policy is live: none was asked for"
        self._chosen = self._live = chosen
        self._tell()

    def _on_propose(self, request: ProposeNoise.Request, response: ProposeNoise.Response) -> ProposeNoise.Response:
        live = self._live
        if live is None:
            response.message = self._why_none
            return response
        try:
            features, joints = np.array(request.features, np.float32), np.array(request.joint_position, np.float64)
            noise = live.propose(features, joints, request.gripper, request.seed)
        except NoisePolicyError as error:
            response.message = f"{live.version}: {error}"
            self.get_logger().warning(response.message, throttle_duration_sec=WARN_EVERY)
            return response
        response.success = True
        response.noise = floats(noise)
        response.rows, response.dim = noise.shape
        response.parameterisation = live.network.config.noise
        response.version = live.version
        return response

    def _tell(self) -> None:
        """Say which noise policy is live."""
        live, info = self._live, NoisePolicyInfo()
        info.header.stamp = self.get_clock().now().to_msg()
        if live is not None:
            known = live.trained_on
            info.version, info.kind, info.file = live.version, live.kind, str(live.path)
            info.parameterisation, info.weights_sha256 = live.network.config.noise, known.weights_sha256
            episodes = "demonstrations" if known.demonstrations else "rollouts"
            info.trained_on = f"{len(known.episodes)} {episodes}, {known.chunks} chunks"
            self.get_logger().info(f"{_named(live)} is live, trained on {info.trained_on}")
        else:
            self.get_logger().info("no noise policy is live")
        self._info.publish(info)


def _read(file: str) -> NoisePolicy:
    """Load a file of a reasonable kind and size.

    Raises:
        NoisePolicyError: it is none, or holds no noise policy.
    """
    path = Path(file).expanduser().absolute()
    if path.exists() and not path.is_file():
        raise NoisePolicyError(f"noise policy {path} is no file; it must be one that `frs train dsbc` wrote")
    if path.is_file() and path.stat().st_size > MOST_BYTES:
        raise NoisePolicyError(f"noise policy {path} has {path.stat().st_size} bytes; it may have {MOST_BYTES}")
    return load(path)


def _named(noise_policy: NoisePolicy | None) -> str:
    return f"noise policy {noise_policy.version}" if noise_policy else "no noise policy"


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `noise_policy`."""
    return run(NoisePolicyNode, argv, realtime=True)
