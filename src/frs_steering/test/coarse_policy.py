"""A policy in another type than float32, as large ones are, for the tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from frs_steering.flow import VelocityField
from frs_steering.policies import Observation, Policy, Prefix


class CoarsePolicy:
    """Another policy, seen through bfloat16; it takes nothing else."""

    def __init__(self, policy: Policy) -> None:
        self._policy, self.spec = policy, policy.spec

    def prepare(self, observation: Observation) -> Any:
        return self._policy.prepare(observation)

    def encode(self, prepared: Any) -> Prefix:
        return self._policy.encode(prepared)

    def field(self, prefix: Any) -> VelocityField:
        field = self._policy.field(prefix)

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            assert (x.dtype, t.dtype) == (torch.bfloat16, torch.float32), "as VelocityField says"
            return field(x.float(), t).bfloat16()

        return velocity

    def normalise(self, chunk: Tensor) -> Tensor:
        return self._policy.normalise(chunk.float()).bfloat16()

    def denormalise(self, chunk: Tensor) -> Tensor:
        assert chunk.dtype == torch.bfloat16
        return self._policy.denormalise(chunk.float()).bfloat16()
