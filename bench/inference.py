"""What a decision of the policy that comes with the package costs: one observation, batch 1, the node's one thread.

The first rows are the parts; the last two are `steer.answer`, which `vla_inference` and the evaluation call, with all
its checks and diagnostics. The parts and the whole take turns, so that whatever else runs meets all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from report import machine_line, table, time_each
from torch import Tensor

from frs_steering.flow import VelocityField, denoise
from frs_steering.policies import Observation, Policy, load_policy
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.steer.answer import answer
from frs_steering.steer.guidance import DIRECTIONS, Guidance, GuidanceSource
from frs_steering.steer.method import Method
from frs_steering.steer.query import Operation, Query, query_for
from frs_steering.steer.reference import reference_for

GOAL = 40.0  # ms, p99 of one encode and 10 Euler steps on 2 cores
STEPS = 10
IMAGE = (224, 224, 3)
WARM_UP = 20  # decisions that don't count
WHOLE = "all together: prepare, encode, 10 steps"


@dataclass(frozen=True)
class Case:
    """An observation, what the parts make of it, and the two queries."""

    observation: Observation
    prepared: Any
    field: VelocityField
    noise: Tensor
    sample: Query
    steer: Query


def draw(policy: Policy, count: int, seed: int) -> list[Case]:
    """Draw `count` observations: pictures of noise, joints around DROID's reset pose, and a direction each."""
    rng = np.random.default_rng(seed)
    spec, directions, cases = policy.spec, list(DIRECTIONS.values()), []
    for number in range(count):
        images = {camera: rng.integers(0, 256, IMAGE, np.uint8) for camera in spec.cameras}
        joints = RESET_POSITION + rng.uniform(-0.15, 0.15, 7)
        observation = Observation(images, joints, 0.0, (0.0, 0.0), "do something")
        prepared = policy.prepare(observation)
        wish = Guidance(GuidanceSource.SCRIPTED, "bench", direction=directions[number % len(directions)])
        steer = query_for(reference_for(wish, spec, joints), method=Method("frs", steps=STEPS), seed=number)
        sample = Query(Operation.SAMPLE, Method("base", steps=STEPS), number)
        noise = torch.from_numpy(rng.normal(size=(1, spec.horizon, spec.dim)).astype(np.float32))
        cases.append(Case(observation, prepared, policy.field(policy.encode(prepared)), noise, sample, steer))
    return cases


@torch.inference_mode()
def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Time a decision of the policy that comes with the package.")
    parser.add_argument("--decisions", type=int, default=300, help="how many of each (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the network, as the node's (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the observations (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    policy = load_policy("embedded")
    works: dict[str, Callable[[Case], object]] = {
        "prepare": lambda case: policy.prepare(case.observation),
        "encode": lambda case: policy.encode(case.prepared),
        "10 Euler steps": lambda case: denoise(case.field, case.noise, STEPS),
        WHOLE: lambda case: answer(policy, case.observation, case.sample),
        "the same steered: 20 steps": lambda case: answer(policy, case.observation, case.steer),
    }
    described = machine_line()
    times = time_each(works, draw(policy, args.decisions, args.seed), WARM_UP)
    unit = float(np.median(times[WHOLE]))
    rows = []
    for name, taken in times.items():
        p50, p99 = np.percentile(taken, (50, 99))
        shown = [f"{value * 1e3:.2f}" for value in (p50, p99, taken.max())]
        verdict = f"p99 at most {GOAL:g}: {'met' if p99 * 1e3 <= GOAL else 'missed'}" if name == WHOLE else ""
        rows.append([name, *shown, f"{taken.size}", f"{p50 / unit:.2f}", verdict])
    head = ["batch 1", "p50 ms", "p99 ms", "max ms", "n", "ratio of p50", "goal"]
    print(f"## One decision's inference\n\n{table(head, rows)}")
    print(f"\nMeasured with {torch.get_num_threads()} thread(s), on {described}.")


if __name__ == "__main__":
    main()
