"""Demonstrations as episodes of an evaluation: the scripted expert drives, and the policy has no part in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frs_sim.cell import CONTROL_RATE, Truth
from frs_sim.expert import imagine
from frs_sim.tasks import Task
from frs_steering.policies import Observation, Policy
from frs_steering.steer.answer import answer
from frs_steering.steer.decision import Decided
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, Operation, Query


@dataclass(frozen=True)
class Demonstrator:
    """Says whole chunks, where a reasoner says directions.

    The expert knows the true state; the policy sees what it always sees, and only lends its features, by which a
    recording's chunks can be learnt from.

    Attributes:
        every: control steps from one chunk to the next; each is a demonstrated chunk of the recording.
    """

    every: int = 2

    def decide(self, policy: Policy, observation: Observation, task: Task, truth: Truth) -> Decided:
        """The chunk that the expert would drive from here on, as a decision of the method "direct".

        Args:
            policy: whose chunks are Cartesian velocities and a gripper position.
            observation: what it sees.
            task: that the expert does.
            truth: that the expert alone knows.
        """
        features = answer(policy, observation, Query(Operation.ENCODE)).features
        chunk = imagine(task, truth, policy.spec.horizon, 1.0 / CONTROL_RATE).astype(np.float32)
        return Decided(Method("direct"), None, "", Answer(features, chunk=chunk), 0)
