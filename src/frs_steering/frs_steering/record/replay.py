"""Whether an episode's decisions can be made again: what the policy saw is encoded, the stored noise denoised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from frs_steering.flow import integrator
from frs_steering.policies.interface import Observation, Policy
from frs_steering.record.check import TOLERANCE
from frs_steering.record.errors import JournalError
from frs_steering.record.reader import records
from frs_steering.steer.method import Method, MethodError, parse_method


@dataclass(frozen=True)
class Replay:
    """What came out.

    Attributes:
        again: decisions that should come out again, whether they did or not.
        worst: largest difference between a chunk as executed and as made again, SI.
        passed_over: reason -> decisions that can't be made again, and need not be.
        problems: a line for each decision that should have come out again and did not.
    """

    again: int
    worst: float
    passed_over: Mapping[str, int]
    problems: tuple[str, ...]


@torch.inference_mode()
def replay(path: Path, policy: Policy) -> Replay:
    """Make all decisions of an episode again.

    Args:
        path: of the file, the partial file, or the episode's directory.
        policy: with the weights that made them.

    Raises:
        JournalError: the file can't be read, see `reader.records`.
    """
    # Before the decisions, because each is sent after its chunk, and the one may overtake the other.
    inputs = {input_key(record.message): record.message for record in records(path, ["policy_input"])}
    passed_over: Counter[str] = Counter()
    problems: list[str] = []
    again, worst = 0, 0.0
    begun = min(inputs, default=(0, 0, 0))[:2]
    for record in records(path, ["decision"]):
        message = record.message
        if input_key(message)[:2] < begun:
            passed_over["made of what the policy saw before the recording began"] += 1
            continue
        try:
            method = parse_method(message.method)
            if not method.noise_makes_chunk:
                passed_over[f"by {method.source!r}, whose noise alone does not make the chunk"] += 1
                continue
            worst = max(worst, _difference(policy, inputs.get(input_key(message)), message, method))
        except (JournalError, MethodError) as error:
            problems.append(f"decision on chunk {message.chunk_id} of epoch {message.owner_epoch}: {error}")
        again += 1
    return Replay(again, worst, dict(passed_over), tuple(problems))


def input_key(message: Any) -> tuple[int, int, int]:
    """What a decision and the stored policy input that it was made from have in common."""
    return message.header.stamp.sec, message.header.stamp.nanosec, message.seed


def _difference(policy: Policy, seen: Any, decision: Any, method: Method) -> float:
    """Largest difference between a decision's chunk and the same made again; JournalError where it is too large.

    TOLERANCE covers the rounding of another machine's kernels; another image, noise or weights are far beyond it.
    """
    spec = policy.spec
    if decision.weights_sha256 != spec.weights_sha256:
        raise JournalError(
            f"made by {decision.policy!r} of weights {decision.weights_sha256[:12]};"
            f" those given are of {spec.name!r}, {spec.weights_sha256[:12]}"
        )
    if seen is None:
        raise JournalError("what the policy saw is not in the file")
    if len(decision.noise_used) != spec.horizon * spec.dim or len(decision.refined) != spec.horizon * spec.dim:
        raise JournalError(f"its noise and chunk must have {spec.horizon} x {spec.dim} values each")
    prefix = policy.encode(policy.prepare(stored_observation(seen, spec.cameras)))
    _close("the features", prefix.features.float().numpy(), np.array(getattr(decision, "features", ()), np.float32))
    noise = torch.tensor(decision.noise_used, dtype=torch.float32).view(1, spec.horizon, spec.dim)
    sampled = integrator(method.integrator, method.iterations).denoise(policy.field(prefix), noise, decision.steps)
    return _close("the chunk", policy.denormalise(sampled).float().numpy().ravel(), np.array(decision.refined))


def stored_observation(seen: Any, cameras: tuple[str, ...]) -> Observation:
    """The observation in a stored policy input (frs_msgs/PolicyInput).

    Raises:
        JournalError: the image of one of `cameras` is damaged or missing.
    """
    images = {}
    for name, picture in zip(seen.cameras, seen.images, strict=False):
        pixels = np.frombuffer(bytes(picture.data), np.uint8)
        if picture.encoding != "rgb8" or pixels.size != 3 * picture.height * picture.width or not pixels.size:
            raise JournalError(f"the policy's image of camera {name!r} is damaged")
        images[name] = pixels.reshape(picture.height, picture.width, 3)
    missing = [name for name in cameras if name not in images]
    if missing:
        raise JournalError(f"the policy's image of camera {missing[0]!r} is not in the file")
    first, second = map(float, getattr(seen, "gripper_before", (seen.gripper, seen.gripper)))
    joints = np.array(seen.joint_position, np.float64)
    return Observation(images, joints, float(seen.gripper), (first, second), seen.instruction)


def _close(what: str, found: np.ndarray, stored: np.ndarray) -> float:
    if found.shape != stored.shape:
        raise JournalError(f"{what} came out with {found.size} numbers; {stored.size} are stored")
    difference = float(np.abs(found - stored).max())
    if not difference <= TOLERANCE:  # and so not NaN
        raise JournalError(f"{what} came out differently, by {difference:.2g}; at most {TOLERANCE:g} is rounding")
    return difference
