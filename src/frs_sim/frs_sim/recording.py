"""Episodes of `frs eval` as files of the journal: what a noise policy learns from, without the graph.

The messages are those of the nodes, on the simulation's own time. There are no camera streams: the policy's own input
images are stored, losslessly, so that `frs record check` can make every chunk again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
import time
from pathlib import Path

from rclpy.serialization import serialize_message
from std_msgs.msg import String

from frs_sim.cell import CONTROL_RATE
from frs_sim.evaluation import DELAY
from frs_sim.rows import NOBODY, Trial
from frs_steering.arm.outcome import Outcome
from frs_steering.nodes.arm_messages import step_report
from frs_steering.nodes.conversions import policy_info_to_msg, time_msg
from frs_steering.nodes.decision_messages import Made, decision_to_msg
from frs_steering.nodes.policy_input import policy_input_to_msg
from frs_steering.nodes.query_messages import Reply
from frs_steering.policies import Observation, PolicySpec
from frs_steering.policies.observation import Moment
from frs_steering.record.bag import PARTIAL, installed_channel
from frs_steering.record.check import EVALUATION
from frs_steering.record.configuration import PARAMETERS_RECORD, SILENT_RECORD, VERSIONS_RECORD, versions
from frs_steering.record.disk import held
from frs_steering.record.errors import JournalError
from frs_steering.record.topics import EVALUATED
from frs_steering.record.writer import Episode, JournalWriter, Limits
from frs_steering.steer.arbiter import Wish
from frs_steering.steer.decision import Decided
from frs_steering.steer.guidance import Guidance

_LONGEST = 110  # letters of an id before its digest: 128 are allowed in all
_EPOCH = 1  # of the claim on the arm: nobody else drives there


def episode_id(trial: Trial) -> str:
    """Name of a trial's episode: its task, method and scene, what else is not the default, and a digest of all of it.

    Trials have the same name if and only if they are equal, and so go the same way.
    """
    parts = [trial.task, trial.method]
    if trial.reasoner not in (NOBODY, "oracle"):
        parts.append(trial.reasoner)
    if trial.every != 1:
        parts.append(f"every{trial.every}")
    if trial.noise_policy:
        parts.append(trial.noise_policy[:8])
    if trial.near_end:
        parts.append("near-end")
    parts.append(str(trial.scene))
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(trial), sort_keys=True).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', '-'.join(parts))[:_LONGEST]}-{digest}"


def is_recorded(directory: Path, trial: Trial) -> bool:
    """Whether a trial's episode is there, whole."""
    name = episode_id(trial)
    return (directory / name / f"{name}.mcap").is_file()


class Recording:
    """One episode's file; a `frs_sim.evaluation.Watcher`."""

    def __init__(
        self, directory: Path, trial: Trial, instruction: str, spec: PolicySpec, noise_policy: str = ""
    ) -> None:
        """Open `directory`/ID/ID.mcap, of the ID of the trial.

        What an interrupted evaluation left unfinished there is begun anew.

        Args:
            directory: of the recordings.
            trial: what is run.
            instruction: what the policy is told.
            spec: of the policy.
            noise_policy: version of the noise policy that decides; empty where none does.

        Raises:
            JournalError: the episode is there already, or is being written.
            OSError: it can't be written.
        """
        self._spec, self._noise_policy = spec, noise_policy
        self._began = time.time_ns()
        name = episode_id(trial)
        _clear(directory / name)
        channels = [installed_channel(f"/{topic}", kind) for topic, kind in EVALUATED.items()]
        self._writer = JournalWriter(directory, Episode(name, trial.task, instruction, trial.scene), channels, Limits())
        self._writer.describe(VERSIONS_RECORD, versions())
        told = {key: json.dumps(value) for key, value in dataclasses.asdict(trial).items()}
        self._writer.describe(f"{PARAMETERS_RECORD}{EVALUATION}", told)
        self._writer.describe(SILENT_RECORD, {})
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
            first_tick=tick + DELAY,
            wish=None if guidance is None else Wish(guidance, 0.0),
            reference=made.reference,
            defer_reason=made.defer_reason,
            seed=seed,
            method=made.method,
            replies=(reply,),
            round_trip=0.0,
            noise_policy="" if made.defer_reason else self._noise_policy,
        )
        self._put("policy_input", policy_input_to_msg(Moment(observation, now, 0.0), seed, self._spec), now)
        self._put("decision", decision_to_msg(told, self._spec, 0.0), now)

    def stepped(self, tick: int, outcome: Outcome) -> None:
        """Write what the gate said of a control step."""
        now = self._time(tick)
        self._put("gate_report", step_report(outcome, tick, 0.0, time_msg(now)), now)

    def close(self, *, success: bool) -> Path:
        """Label the episode and finish its file; returns its path.

        Raises:
            JournalError: the disk refused, or records were lost: a result without its recording must not pass for one
                with it.
        """
        done = self._writer.close("succeeded" if success else "failed")
        if not done.whole or done.dropped_control:
            raise JournalError(done.failure or f"{done.dropped_control} records were lost in {done.path}")
        return done.path

    def _time(self, tick: int) -> int:
        return self._began + round(tick / CONTROL_RATE * 1e9)

    def _put(self, topic: str, message: object, at: int) -> None:
        self._writer.put(list(EVALUATED).index(topic), serialize_message(message), at, at)


def _clear(folder: Path) -> None:
    """Remove what was begun there and never finished."""
    if not folder.is_dir() or any(folder.glob("*.mcap")):
        return
    with contextlib.ExitStack() as stack:
        for partial in folder.glob(f"*{PARTIAL}"):
            stack.enter_context(held(partial))  # or another evaluation writes it now
        shutil.rmtree(folder)
