"""What a control step costs: kinematics, and the gate around them, on likely motions of the arm.

Absolute times depend on the machine and on what else runs there; the ratios within one run say more, for the calls
take turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from report import machine_line, table, time_each

from frs_steering.arm.gate import Motion, brake, step
from frs_steering.arm.limits import Limits
from frs_steering.robot.fr3 import RESET_POSITION
from frs_steering.robot.kinematics import inverse, joint_velocity, pose_and_jacobian, tcp_pose

Array = NDArray[np.float64]

PERIOD = 1.0 / 15.0  # s, of a control step
WARM_UP = 50  # steps that don't count
TOO_FAST = 4.0  # times the requested velocity: beyond the limits of speed
UNIT = "pose, Jacobian, damped least squares"


@dataclass(frozen=True)
class Case:
    """A control step: a twist (6,) [m/s, rad/s], the joint velocities (7,) [rad/s] it takes, and the motion so far."""

    twist: Array
    requested: Array
    motion: Motion


def draw(count: int, seed: int) -> list[Case]:
    """Draw `count` steps around DROID's reset pose, with twists up to a full coarse command."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        position = RESET_POSITION + rng.uniform(-0.15, 0.15, 7)
        twist = np.concatenate([rng.uniform(-0.25, 0.25, 3), rng.uniform(-0.3, 0.3, 3)])
        requested = joint_velocity(position, twist)
        before = requested + rng.uniform(-0.1, 0.1, 7)
        cases.append(Case(twist, requested, Motion(position, position, before, 0.0)))
    return cases


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description="Time a control step's kinematics and the gate.")
    parser.add_argument("--steps", type=int, default=5000, help="how many of each (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the motions (default: %(default)s)")
    args = parser.parse_args()
    limits = Limits()
    works: dict[str, Callable[[Case], object]] = {
        "pose": lambda case: tcp_pose(case.motion.measured),
        UNIT: lambda case: inverse(pose_and_jacobian(case.motion.measured)[1]) @ case.twist,
        "the same with the null space (a Cartesian row)": lambda case: joint_velocity(case.motion.measured, case.twist),
        "gate, as asked for": lambda case: step(case.requested, 0.0, case.motion, limits, PERIOD),
        "gate, asked for too much": lambda case: step(TOO_FAST * case.requested, 0.0, case.motion, limits, PERIOD),
        "brake": lambda case: brake(case.motion.velocity, limits, PERIOD),
    }
    described = machine_line()
    times = time_each(works, draw(args.steps, args.seed), WARM_UP)
    unit = float(np.median(times[UNIT]))
    rows = []
    for name, taken in times.items():
        p50, p99 = np.percentile(taken, (50, 99))
        shown = [f"{value * 1e6:.0f}" for value in (p50, p99, taken.max())]
        rows.append([name, *shown, f"{taken.size}", f"{p50 / unit:.2f}", f"{100 * p50 / PERIOD:.2f} %"])
    head = ["one call", "p50 µs", "p99 µs", "max µs", "n", "ratio of p50", "p50 of a control step"]
    print(f"## One control step's arithmetic\n\n{table(head, rows)}\n\nMeasured on {described}.")


if __name__ == "__main__":
    main()
