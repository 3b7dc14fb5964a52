"""One decision, question by question: what to ask next, until a chunk counts.

Who decides, at the beginning of every chunk: a wish (a person's over a model's over a script's, see `arbiter`), else
the noise policy that is live, else the base policy. Whatever goes wrong on the way to a better chunk, the base policy's
is the one that comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from frs_steering.steer.deferral import Trust, reason_to_defer
from frs_steering.steer.method import Method
from frs_steering.steer.query import Answer, Operation, Query, query_for
from frs_steering.steer.reference import Reference

LET_THE_POLICY_ACT = "the wish was to let the policy act"


@dataclass(frozen=True)
class Proposal:
    """What a noise policy would have denoised.

    Attributes:
        noise: (k, D) float32, normalised: coordinates in the parameterisation.
        parameterisation: name of a `flow.Parameterisation`.
        version: of the noise policy.
    """

    noise: np.ndarray
    parameterisation: str
    version: str


class Next(Enum):
    """What comes after an answer of the policy."""

    ASK = auto()
    """`Making.query` is to be asked of the policy."""
    PROPOSE = auto()
    """The noise policy is to be asked, with the features of the answer."""
    DONE = auto()
    """The answer's chunk counts."""


class Making:
    """A decision in the making. Begin by asking `query`.

    A reference is steered by the method; without one, a noise policy's proposal is denoised; else the base policy acts.
    It also acts where the chunk is not to be trusted, or the noise policy fails.

    Attributes:
        query: to be asked of the policy now, or asked last.
        reference: that the chunk follows; None where none does.
        noise_policy: version of the noise policy whose noise the chunk is; empty where it is not.
        defer_reason: why the base policy acts though there was a wish or a noise policy; empty where it does not.
    """

    def __init__(
        self,
        reference: Reference | None,
        *,
        noise_policy: bool,
        method: Method,
        trust: Trust,
        seed: int,
        defer_reason: str = "",
    ) -> None:
        """Plan a decision.

        Args:
            reference: what is wished; None where nothing is, or the wish is to let the policy act.
            noise_policy: whether one is to be asked where there is no reference.
            method: how a chunk is made from a reference.
            trust: limits beyond which a chunk is dropped and the base policy acts.
            seed: of all fresh noise, and of the noise policy's draw.
            defer_reason: known from the start.
        """
        self.reference = reference
        self.noise_policy = ""
        self.defer_reason = defer_reason
        self._method, self._trust, self._seed = method, trust, seed
        if reference is None and noise_policy:
            self.query = Query(Operation.ENCODE, seed=seed)
        else:
            self.query = query_for(reference, method=method, seed=seed)

    def answered(self, answer: Answer) -> Next:
        """Take the policy's answer to `query`."""
        if self.query.operation is Operation.ENCODE:
            return Next.PROPOSE
        if self.query.operation is not Operation.SAMPLE:
            reason = reason_to_defer(answer, self._trust)
            if reason:
                self.fall_back(reason)
                return Next.ASK
        return Next.DONE

    def proposed(self, proposal: Proposal) -> None:
        """Take the noise policy's word: `query` denoises it.

        The sampler is that of `learn.noise_check.LIVE`, whatever the method's: a noise makes its chunk by one alone.
        """
        self.noise_policy = proposal.version
        method = Method("noise", noise=proposal.parameterisation)
        self.query = query_for(None, proposal.noise, method=method, seed=self._seed)

    def fall_back(self, reason: str) -> None:
        """Let the base policy act: `query` is its chunk."""
        self.reference, self.noise_policy, self.defer_reason = None, "", reason
        self.query = query_for(None, method=self._method, seed=self._seed)
