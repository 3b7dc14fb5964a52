"""The node `noise_policy` as the deciding node sees it: whether to ask it, and what it says, checked."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from frs_msgs.msg import NoisePolicyInfo
from frs_msgs.srv import ProposeNoise
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from frs_steering.flow import Parameterisation
from frs_steering.nodes.conversions import MessageError, floats, rows
from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.query_messages import Reply
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.making import Proposal

SPARED = 1.0
"""s after a proposal that did not come for which no further one is waited for: DDS takes a killed server for alive for
several seconds, and each wait would delay a chunk."""


class NoisePeer:
    """Asks for one proposal at a time."""

    def __init__(self, node: Node, timeout: float) -> None:
        """`timeout`: s after which a proposal is not waited for any longer."""
        self._logger = node.get_logger()
        self._timeout = timeout
        self._info = NoisePolicyInfo()
        self._future: Future[ProposeNoise.Response] | None = None
        self._asked = math.inf
        self._spared_until = -math.inf
        self._client: Client[ProposeNoise.Request, ProposeNoise.Response] = node.create_client(
            ProposeNoise, "noise_policy/propose"
        )
        node.create_subscription(NoisePolicyInfo, "noise_policy/info", self._on_info, LATCHED)

    def _on_info(self, msg: NoisePolicyInfo) -> None:
        if msg.version != self._info.version:
            self._logger.info(
                f"noise policy {msg.version} acts where nobody steers" if msg.version else "no noise policy is live"
            )
        self._info, self._spared_until = msg, -math.inf

    def acts(self, spec: PolicySpec, now: float) -> tuple[bool, str]:
        """Whether it is to be asked where nobody steers, and if one is live and can't be asked, why not."""
        version = self._info.version
        if not version:
            return False, ""
        if self._info.weights_sha256 != spec.weights_sha256:
            return False, f"noise policy {version} was trained with other weights than those of {spec.name!r}"
        if not self._client.service_is_ready():
            return False, "noise_policy/propose is not there; is noise_policy running?"
        if now < self._spared_until:
            return False, f"noise policy {version} did not answer in time a moment ago"
        return True, ""

    def ask(self, reply: Reply, seed: int, now: float, on_answer: Callable[[Future], None]) -> None:
        """Ask what to denoise for the observation of a reply; `on_answer` is called with what `is_awaited` takes."""
        request = ProposeNoise.Request(gripper=reply.gripper, seed=seed)
        request.features, request.joint_position = floats(reply.answer.features), reply.joint_position
        self._asked = now
        self._future = self._client.call_async(request)
        self._future.add_done_callback(on_answer)

    def is_awaited(self, future: Future) -> bool:
        """Whether an answer is the one that is waited for; it then is no more."""
        if future is not self._future:
            return False
        self._future = None
        return True

    def is_late(self, now: float) -> str:
        """Why the proposal is not waited for any longer, in words; empty while it is, or none was asked for."""
        if self._future is None or now - self._asked <= self._timeout:
            return ""
        self.drop()
        self._spared_until = now + SPARED
        return f"noise policy {self._info.version} did not answer within {self._timeout:.2f} s"

    def drop(self) -> None:
        """Wait for no answer any more."""
        if self._future is not None:
            self._client.remove_pending_request(self._future)
        self._future = None


def proposal_from_msg(response: ProposeNoise.Response, spec: PolicySpec) -> Proposal:
    """A checked proposal for the policy of `spec`.

    Raises:
        MessageError: it was refused, or is of another shape than its parameterisation and the policy's, or not finite.
    """
    if not response.success:
        raise MessageError(response.message)
    try:
        shape = (Parameterisation(response.parameterisation).rows(spec.horizon), spec.dim)
    except ValueError as error:
        raise MessageError(f"the proposal's {error}") from None
    if (response.rows, response.dim) != shape:
        raise MessageError(
            f"the proposal is of shape {(response.rows, response.dim)};"
            f" {response.parameterisation!r} noise for {spec.name!r} has {shape}"
        )
    noise = rows("the proposal's noise", response.noise, shape)
    return Proposal(np.array(noise), response.parameterisation, response.version)
