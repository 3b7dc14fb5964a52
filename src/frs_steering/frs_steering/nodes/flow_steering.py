"""The deciding node: whose wish, when to ask the policy, and the chunk that goes to the arm."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from frs_msgs.msg import ActionChunk, ArmState, Decision, LeaseRenewal, PolicyInfo
from frs_msgs.msg import Guidance as GuidanceMsg
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

from frs_steering.health.report import Health
from frs_steering.health.steering import Decisions, decisions_health, steering_health
from frs_steering.nodes.arm_claim import ArmClaim
from frs_steering.nodes.conversions import MessageError, duration_msg, guidance_from_msg, spec_from_msg
from frs_steering.nodes.decision_making import WARN_EVERY, DecisionMaking, Open
from frs_steering.nodes.decision_messages import Made, chunk_to_msg, decision_to_msg, joints_from_msg
from frs_steering.nodes.diagnostics import Diagnostics
from frs_steering.nodes.noise_peer import NoisePeer
from frs_steering.nodes.parameters import ParameterError, declare, param
from frs_steering.nodes.policy_watch import PolicyWatch
from frs_steering.nodes.qos import COMMAND, EVENT, LATCHED
from frs_steering.nodes.runtime import run
from frs_steering.policies.interface import PolicySpec
from frs_steering.steer.arbiter import Arbiter
from frs_steering.steer.deferral import Trust
from frs_steering.steer.guidance import GuidanceError
from frs_steering.steer.making import LET_THE_POLICY_ACT, Making
from frs_steering.steer.method import Method, MethodError, parse_method
from frs_steering.steer.reference import check, reference_for
from frs_steering.steer.schedule import Schedule

ARM_STATE_STALE = 0.5
"""s since receipt; the arm's state comes 15 times a second."""

HOUSEKEEPING = 0.05
"""s between two looks at time-outs and the claim."""

MOVABLE = (ArmState.ARMED, ArmState.RUNNING, ArmState.HOLDING)


@dataclass(frozen=True)
class FlowSteeringParameters:
    """Parameters of the node."""

    mode: str = param(
        "steer", "'base' ignores all guidance and any noise policy: the policy acts alone", choices=("steer", "base")
    )
    method: str = param(
        "frs", "how a chunk is made from guidance: a source and its settings, such as 'frs:steps=20' (docs/concepts.md)"
    )
    lease: float = param(
        0.3,
        "s that the arm may go on without a sign of this node, which renews it 15 times a second",
        low=0.1,
        high=1.0,
    )
    active_on_start: bool = param(False, "make decisions without waiting for flow_steering/activate")
    query_timeout: float = param(1.0, "s after which the policy's answer is given up", low=0.05, high=60.0)
    noise_policy_timeout: float = param(
        0.1, "s after which a noise policy's proposal is not waited for, and the policy acts", low=0.01, high=1.0
    )
    seed: int = param(0, "of the first decision's noise; each further decision adds 1", low=0, high=2**62)
    min_noise_percentile: float = param(
        0.0, "0..1; a steered chunk from shorter noise is dropped and the policy acts; 0: never", low=0.0, high=1.0
    )
    max_noise_percentile: float = param(
        1.0, "0..1; a steered chunk from longer noise is dropped and the policy acts; 1: never", low=0.0, high=1.0
    )
    max_round_trip: float = param(
        math.inf, "RMS, normalised, between reference and chunk; above it the policy acts", low=0.0, high=math.inf
    )
    min_agreement: float = param(
        -1.0,
        "-1..1, cosine between chunk and direction; below it the policy acts; -1: never",
        low=-1.0,
        high=1.0,
    )
    max_residual: float = param(
        math.inf, "RMS, normalised, of the fixed point; above it the policy acts", low=0.0, high=math.inf
    )


class FlowSteering(Node):
    """Makes decisions while active and owning the arm, each in time for the seam.

    A latched stop of the arm ends the activity: after its reset the arm does not move before the next activation.
    """

    def __init__(self) -> None:
        super().__init__("flow_steering")
        self._settings = declare(self, FlowSteeringParameters)
        self._method = _method(self, self._settings.method)
        self._trust = Trust(
            self._settings.min_noise_percentile,
            self._settings.max_noise_percentile,
            self._settings.max_round_trip,
            self._settings.min_agreement,
            self._settings.max_residual,
        )
        self._active = self._settings.active_on_start
        self._spec: PolicySpec | None = None
        self._schedule: Schedule | None = None
        self._arbiter = Arbiter()
        self._arm: ArmState | None = None
        self._arm_received = -math.inf
        self._next_seed = self._settings.seed
        self._chunk_id, self._chunk_epoch = 0, 0
        self._trouble = ""  # why the last decision was given up, if it was
        self._told: tuple[bool, str] | None = None
        self._ended = Decisions()

        self._claim = ArmClaim(self)
        self._policy = PolicyWatch(self, self._on_policy)
        self._chunks = self.create_publisher(ActionChunk, "action_chunk", COMMAND)
        self._renewals = self.create_publisher(LeaseRenewal, "lease_renewal", COMMAND)
        self._decisions = self.create_publisher(Decision, "decision", EVENT)
        self._is_active = self.create_publisher(Bool, "flow_steering/active", LATCHED)
        self._why_not = self.create_publisher(String, "flow_steering/why_not", LATCHED)
        self._noise = NoisePeer(self, self._settings.noise_policy_timeout)
        self._making = DecisionMaking(
            self,
            self._noise,
            query_timeout=self._settings.query_timeout,
            on_made=self._on_made,
            on_given_up=self._on_given_up,
        )
        self.create_subscription(PolicyInfo, "policy_info", self._on_policy_info, LATCHED)
        self.create_subscription(ArmState, "arm_state", self._on_arm_state, LATCHED)
        self.create_subscription(GuidanceMsg, "guidance", self._on_guidance, EVENT)
        self.create_service(SetBool, "flow_steering/activate", self._on_activate)
        self.create_timer(HOUSEKEEPING, self._keep_house, clock=Clock(clock_type=ClockType.STEADY_TIME))
        Diagnostics(self, {"steering": self._steering_health, "decisions": self._decisions_health})

    # What comes in

    def _on_policy_info(self, msg: PolicyInfo) -> None:
        self._give_up("the policy was loaded again")
        self._arbiter.clear()  # they were checked against the policy before
        try:
            self._spec = spec_from_msg(msg)
        except MessageError as error:
            self._spec, self._schedule = None, None
            self.get_logger().error(f"this policy can't be steered: {error}")
            return
        self._schedule = Schedule(self._spec.execute_rows, self._spec.row_duration)
        self.get_logger().info(f"the policy is {self._spec.name!r} ({self._spec.weights_sha256[:12]})")

    def _on_guidance(self, msg: GuidanceMsg) -> None:
        if self._settings.mode == "base" or not self._method.needs_reference:
            return
        if self._spec is None:  # as at every start; why_not and the activation name it
            return
        try:
            guidance = guidance_from_msg(msg)
            check(guidance, self._spec)
        except GuidanceError as error:
            self.get_logger().warning(
                f"guidance from {msg.author or 'an unnamed author'} ignored: {error}", throttle_duration_sec=WARN_EVERY
            )
            return
        self._arbiter.put(guidance, time.monotonic())

    def _on_arm_state(self, msg: ArmState) -> None:
        now = time.monotonic()
        self._arm, self._arm_received = msg, now
        self._claim.observe(msg, now)
        if msg.state == ArmState.STOPPED and self._active:
            self._deactivate("the arm was stopped; it moves again only after a reset and flow_steering/activate")
        self._decide_if_due(msg, now)  # first: every millisecond before it counts; a lease has time
        self._renew_lease(msg)

    def _on_policy(self) -> None:
        why = self._policy.why_not
        if why and self._active:
            # What drives now was in order, but nobody would know when it no longer is.
            self.get_logger().warning(f"the arm holds: {why}", throttle_duration_sec=WARN_EVERY)
            self._let_go()
            self._give_up(why)
        self._tell(time.monotonic())

    def _renew_lease(self, arm: ArmState) -> None:
        if self._policy.why_not:
            return
        if self._active and self._claim.epoch and arm.owner_epoch == self._chunk_epoch == self._claim.epoch:
            self._renew(self._settings.lease)

    def _renew(self, lease: float) -> None:
        renewal = LeaseRenewal(owner_epoch=self._chunk_epoch, chunk_id=self._chunk_id, lease=duration_msg(lease))
        renewal.header.stamp = self.get_clock().now().to_msg()
        self._renewals.publish(renewal)

    def _let_go(self) -> None:
        # No chunk is due any more, so the arm does not count itself starved.
        if self._chunk_epoch and self._chunk_epoch == self._claim.epoch:
            self._renew(0.0)

    def _on_activate(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if not request.data:
            self._deactivate("switched off")
            trouble = f"; the last decision was given up: {self._trouble}" if self._trouble else ""
            trouble = f"; the policy can't act: {self._policy.why_not}" if self._policy.why_not else trouble
            response.success, response.message = True, f"inactive: the running chunk's lease ends{trouble}"
            return response
        missing = self._missing(time.monotonic())
        response.success = not missing
        response.message = "; ".join(missing) or f"active in mode {self._settings.mode!r}"
        if response.success:
            self._active, self._trouble = True, ""
            self.get_logger().info(response.message)
            self._tell(time.monotonic())
        return response

    def _missing(self, now: float) -> list[str]:
        """What an activation lacks, in words."""
        missing = []
        if self._spec is None:
            missing.append("no usable policy_info came; is vla_inference running?")
        elif not self._making.is_ready:
            missing.append("flow_query is not there; is vla_inference running?")
        if self._arm is None:
            missing.append("no arm_state came; is arm_controller running?")
        elif now - self._arm_received > ARM_STATE_STALE:
            missing.append(f"arm_state has not come for {ARM_STATE_STALE:.1f} s; is arm_controller running?")
        elif self._arm.state == ArmState.STOPPED:
            missing.append(f"the arm is stopped ({self._arm.message}); call arm_controller/reset first")
        elif not self._claim.epoch:
            missing.append(self._claim.why_not)
        return missing

    def _tell(self, now: float) -> None:
        """Say, when it has changed, whether this node is active and what keeps it from deciding."""
        why = "; ".join(self._missing(now))
        if not why and self._active:
            arm = self._arm
            fault = arm is not None and arm.state == ArmState.FAULT
            why = f"the arm is in a fault: {arm.message}" if arm is not None and fault else ""
            why = why or self._policy.why_not or self._trouble
        if self._told != (self._active, why):
            self._told = self._active, why
            self._is_active.publish(Bool(data=self._active))
            self._why_not.publish(String(data=why))

    def _steering_health(self) -> Health:
        active, why = self._told or (self._active, "")
        spec, wish = self._spec, self._arbiter.choose(time.monotonic())
        values = {
            "mode": self._settings.mode,
            "method": self._settings.method,
            "policy": "none came" if spec is None else spec.name,
            "claim": f"epoch {self._claim.epoch}" if self._claim.epoch else self._claim.why_not,
            "who steers": wish.guidance.author if wish is not None else "nobody",
        }
        return steering_health(active=active, why=why, values=values)

    def _decisions_health(self) -> Health:
        return decisions_health(self._ended, self._arm.ticks_starved if self._arm else 0, time.monotonic())

    def _deactivate(self, why: str) -> None:
        if self._active:
            self.get_logger().warning(f"inactive: {why}")
            self._let_go()
        self._active = False
        self._give_up("")
        self._tell(time.monotonic())

    # One decision

    def _keep_house(self) -> None:
        now = time.monotonic()
        self._claim.step(now)
        self._making.look_at_the_clock(now)
        if self._schedule is not None and self._making.lasts(now) > self._schedule.patience:
            self.get_logger().warning(
                f"the arm holds: a decision is overdue, {self._making.lasts(now):.2f} s after it was begun",
                throttle_duration_sec=WARN_EVERY,
            )
            self._let_go()  # its chunk may still come and drive
        if self._active and self._arm is not None and now - self._arm_received > ARM_STATE_STALE:
            self.get_logger().warning(
                "arm_state does not come any more; is arm_controller running?", throttle_duration_sec=WARN_EVERY
            )
        self._tell(now)

    def _decide_if_due(self, arm: ArmState, now: float) -> None:
        spec, schedule = self._spec, self._schedule
        if not self._active or self._making.is_busy or spec is None or schedule is None:
            return
        if arm.state not in MOVABLE or not self._claim.epoch or arm.owner_epoch != self._claim.epoch:
            return
        if self._policy.why_not or not schedule.is_due(arm.tick, arm.chunk_id, arm.row):
            return
        if not self._making.is_ready:
            self.get_logger().warning(
                "flow_query is not there; is vla_inference running?", throttle_duration_sec=WARN_EVERY
            )
            return
        wish = self._arbiter.choose(now)
        try:
            reference = None if wish is None else reference_for(wish.guidance, spec, joints_from_msg(arm))
        except MessageError as error:
            self._trouble = str(error)
            self.get_logger().warning(f"no decision: {error}", throttle_duration_sec=WARN_EVERY)
            return
        deferring = LET_THE_POLICY_ACT if wish is not None and reference is None else ""
        noise_acts = False
        if wish is None and self._settings.mode != "base":
            noise_acts, deferring = self._noise.acts(spec, now)
        making = Making(
            reference,
            noise_policy=noise_acts,
            method=self._method,
            trust=self._trust,
            seed=self._next_seed,
            defer_reason=deferring,
        )
        decision = Open(now, arm.tick + 1, self._claim.epoch, self._next_seed, spec, wish, making)
        self._next_seed += 1
        self._making.begin(decision)

    def _on_made(self, decision: Open) -> None:
        if decision.epoch == self._claim.epoch:
            self._send(decision)

    def _send(self, decision: Open) -> None:
        if decision.epoch != self._chunk_epoch:
            self._chunk_id, self._chunk_epoch = 0, decision.epoch
        self._chunk_id += 1
        self._trouble = ""
        made = Made(
            chunk_id=self._chunk_id,
            epoch=decision.epoch,
            first_tick=decision.first_tick,
            wish=decision.wish,
            reference=decision.making.reference,
            noise_policy=decision.making.noise_policy,
            defer_reason=decision.making.defer_reason,
            seed=decision.seed,
            method=decision.making.query.method,
            replies=tuple(decision.replies),
            round_trip=decision.round_trip,
        )
        spec = decision.spec
        self._chunks.publish(chunk_to_msg(made, spec, self._settings.lease))
        total = time.monotonic() - decision.begun
        if self._schedule is not None and self._arm is not None:
            self._schedule.sent(self._chunk_id, self._arm.tick, total)
        if decision.wish is not None:
            self._arbiter.used(decision.wish)
        self._ended.was_made(total, (spec.horizon - spec.execute_rows) * spec.row_duration, time.monotonic())
        if total > spec.horizon * spec.row_duration:
            self.get_logger().warning(
                f"a decision took {total:.2f} s, longer than its chunk lasts; the arm can't move at this pace",
                throttle_duration_sec=WARN_EVERY,
            )
        self._decisions.publish(decision_to_msg(made, spec, total))

    def _give_up(self, why: str) -> None:
        """Drop the decision in the making, if there is one; its wish stays for the next."""
        if self._making.drop():
            self._on_given_up(why)

    def _on_given_up(self, why: str) -> None:
        if why:
            self._ended.was_given_up(why, time.monotonic())
            self._trouble = why
            self.get_logger().warning(f"decision given up: {why}", throttle_duration_sec=WARN_EVERY)


def _method(node: Node, text: str) -> Method:
    where = f"parameter 'method' of node {node.get_name()!r} is {text!r}"
    try:
        method = parse_method(text)
    except MethodError as error:
        raise ParameterError(f"{where}: {error}") from None
    if method.needs_noise:
        raise ParameterError(f"{where}, which needs a noise from outside; noise_policy/load puts one live")
    return method


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `flow_steering`."""
    return run(FlowSteering, argv, realtime=True)
