"""Episodes of `frs eval` as files of the journal: what a noise policy learns from, without the graph.

The messages are those of the nodes, on the simulation's own time. There are no camera streams: the policy's own input
images are stored, losslessly, so that `frs record check` can make every chunk again.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from rclpy.serialization import serialize_message
from std_msgs.msg import String

from frs_sim.cell import CONTROL_RATE
from frs_steering.arm.outcome import Outcome
from frs_steering.nodes.arm_messages import step_report
from frs_steering.nodes.conversions import policy_info_to_msg, time_msg
from frs_steering.nodes.decision_messages import Made, decision_to_msg
from frs_steering.nodes.policy_input import policy_input_to_msg
from frs_steering.nodes.query_messages import Reply
from frs_steering.policies import Observation, PolicySpec
from frs_steering.policies.observation import Moment
from frs_steering.record.bag import PARTIAL, installed_channel
from frs_steering.record.writer import Episode, JournalWriter, Limits
from frs_steering.steer.arbiter import Wish
from frs_steering.steer.decision import Decided
from frs_steering.steer.guidance import Guidance

_TOPICS = {
    "policy_info": "frs_msgs/msg/PolicyInfo",
    "instruction": "std_msgs/msg/String",
    "decision": "frs_msgs/msg/Decision",
    "policy_input": "frs_msgs/msg/PolicyInput",
    "gate_report": "frs_msgs/msg/GateReport",
}
_EPOCH = 1  # of the claim on the arm: nobody else drives there


class Recording:
    """One episode's file; a `frs_sim.evaluation.Watcher`."""

    def __init__(self, directory: Path, task: str, instruction: str, scene: int, method: str, spec: PolicySpec) -> None:
        """Open `directory`/ID/ID.mcap, of an ID that names task, method and scene.

        What an interrupted evaluation left unfinished there is begun anew.

        Raises:
            JournalError: the episode is there already.
            OSError: it can't be written.
        """
        self._spec = spec
        self._began = time.time_ns()
        name = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{task}-{method}-{scene}")
        for unfinished in (directory / name).glob(f"*{PARTIAL}"):
            unfinished.unlink()
            unfinished.parent.rmdir()
        channels = [installed_channel(f"/{topic}", kind) for topic, kind in _TOPICS.items()]
        self._writer = JournalWriter(directory, Episode(name, task, instruction, scene), channels, Limits())
        self._put("policy_info", policy_info_to_msg(spec, time_msg(self._began)), self._began)
        self._put("instruction", String(data=instruction), self._began)

    def decided(
        self, number: int, tick: int, observation: Observation, guidance: Guidance | None, made: Decided, seed: int
    ) -> None:
        """Write decision `number` (from 1), made at control step `tick`, with what the policy saw."""
        now = self._time(tick)
        reply = Reply(made.answer, now, 0.0, 0.0, 0.0, observation.joint_position, observation.gripper)
        told = Made(
            chunk_id=number,
            epoch=_EPOCH,
            first_tick=tick,
            wish=None if guidance is None else Wish(guidance, 0.0),
            reference=made.reference,
            defer_reason=made.defer_reason,
            seed=seed,
            method=made.method,
            replies=(reply,),
            round_trip=0.0,
        )
        self._put("policy_input", policy_input_to_msg(Moment(observation, now, 0.0), seed, self._spec), now)
        self._put("decision", decision_to_msg(told, self._spec, 0.0), now)

    def stepped(self, tick: int, outcome: Outcome) -> None:
        """Write what the gate said of a control step."""
        now = self._time(tick)
        self._put("gate_report", step_report(outcome, tick, 0.0, time_msg(now)), now)

    def close(self, *, success: bool) -> Path:
        """Label the episode and finish its file; returns its path."""
        return self._writer.close("succeeded" if success else "failed").path

    def _time(self, tick: int) -> int:
        return self._began + round(tick / CONTROL_RATE * 1e9)

    def _put(self, topic: str, message: object, at: int) -> None:
        self._writer.put(list(_TOPICS).index(topic), serialize_message(message), at, at)
