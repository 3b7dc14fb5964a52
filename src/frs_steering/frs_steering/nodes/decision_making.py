"""The conversation about one decision: with the policy over flow_query, with the noise policy, and their time-outs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from frs_msgs.srv import FlowQuery
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from frs_steering.nodes.conversions import MessageError
from frs_steering.nodes.noise_peer import NoisePeer, proposal_from_msg
from frs_steering.nodes.query_messages import Reply, query_to_msg, reply_from_msg
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.arbiter import Wish
from frs_steering.steer.making import Making, Next
from frs_steering.steer.query import Operation

WARN_EVERY = 2.0  # s


@dataclass
class Open:
    """A decision in the making. Times are monotonic, in s.

    Attributes:
        begun: when.
        first_tick: control step at which row 0 is due.
        epoch: of the claim on the arm.
        seed: of the fresh noise.
        spec: of the policy.
        wish: that is followed, or that is to let the policy act; None where nobody wishes anything.
        making: what to ask next.
        replies: of the policy, so far.
        round_trip: s, of its queries together.
    """

    begun: float
    first_tick: int
    epoch: int
    seed: int
    spec: PolicySpec
    wish: Wish | None
    making: Making
    replies: list[Reply] = field(default_factory=list)
    round_trip: float = 0.0


class DecisionMaking:
    """Makes one decision at a time, on the node's executor.

    The policy's silence or refusal ends it. The noise policy's never does: the base policy acts instead.
    """

    def __init__(
        self,
        node: Node,
        noise: NoisePeer,
        *,
        query_timeout: float,
        on_made: Callable[[Open], None],
        on_given_up: Callable[[str], None],
    ) -> None:
        """Offer decisions.

        Args:
            node: whose executor and logger are used.
            noise: the noise policy.
            query_timeout: s after which the policy's answer is given up.
            on_made: takes a decision whose last reply holds the chunk that counts.
            on_given_up: takes the reason why there is none.
        """
        self._logger = node.get_logger()
        self._noise = noise
        self._query_timeout, self._timeouts = query_timeout, 0
        self._on_made, self._on_given_up = on_made, on_given_up
        self._open: Open | None = None
        self._asked = math.nan
        self._future: Future[FlowQuery.Response] | None = None
        self._flow: Client[FlowQuery.Request, FlowQuery.Response] = node.create_client(FlowQuery, "flow_query")

    @property
    def is_ready(self) -> bool:
        """Whether the policy's service is there."""
        return self._flow.service_is_ready()

    @property
    def is_busy(self) -> bool:
        """Whether a decision is being made."""
        return self._open is not None

    def lasts(self, now: float) -> float:
        """s since the decision that is being made was begun; 0 if there is none."""
        return now - self._open.begun if self._open is not None else 0.0

    def begin(self, decision: Open) -> None:
        """Make a decision; on_made or on_given_up tells how it ends, unless it is dropped."""
        self._open = decision
        self._ask(decision)

    def drop(self) -> bool:
        """Give up the decision that is being made without a word; returns whether there was one."""
        if self._open is None:
            return False
        if self._future is not None:
            self._flow.remove_pending_request(self._future)
        self._noise.drop()
        self._open = self._future = None
        return True

    def look_at_the_clock(self, now: float) -> None:
        """See to time-outs; to be called some 20 times a second."""
        decision = self._open
        if decision is None:
            return
        if self._future is not None and now - self._asked > self._query_timeout:
            self._timeouts += 1
            self._give_up(f"the policy did not answer within {self._query_timeout:.2f} s ({self._timeouts} so far)")
        elif late := self._noise.is_late(now):
            self._fall_back(decision, late)

    def _ask(self, decision: Open) -> None:
        self._asked = time.monotonic()
        self._future = self._flow.call_async(query_to_msg(decision.making.query))
        self._future.add_done_callback(self._on_answer)

    def _on_answer(self, future: Future[FlowQuery.Response]) -> None:
        decision = self._open
        if decision is None or future is not self._future:
            return  # it was given up
        self._future = None
        now = time.monotonic()
        decision.round_trip += now - self._asked
        making = decision.making
        operation, response = making.query.operation, future.result()
        try:
            reply = reply_from_msg(response, operation, decision.spec)
        except MessageError as error:
            if operation is Operation.DENOISE:
                self._fall_back(decision, f"noise policy {making.noise_policy}: {error}")
            elif operation is Operation.STEER and response is not None and response.success:
                self._fall_back(decision, f"the steered chunk is none: {error}")
            else:
                self._give_up(f"flow_query failed: {error}")
            return
        decision.replies.append(reply)
        step = making.answered(reply.answer)
        if step is Next.PROPOSE:
            self._noise.ask(reply, decision.seed, now, self._on_proposal)
        elif step is Next.ASK:
            self._warn(making.defer_reason)
            self._ask(decision)
        else:
            self._open = None
            self._on_made(decision)

    def _on_proposal(self, future: Future) -> None:
        decision = self._open
        if not self._noise.is_awaited(future) or decision is None:
            return
        try:
            decision.making.proposed(proposal_from_msg(future.result(), decision.spec))
        except MessageError as error:
            self._fall_back(decision, f"the noise policy failed: {error}")
            return
        self._ask(decision)

    def _fall_back(self, decision: Open, why: str) -> None:
        self._warn(why)
        decision.making.fall_back(why)
        self._ask(decision)

    def _warn(self, why: str) -> None:
        self._logger.warning(f"deferring to the policy: {why}", throttle_duration_sec=WARN_EVERY)

    def _give_up(self, why: str) -> None:
        self.drop()
        self._on_given_up(why)
