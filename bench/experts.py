"""Whether the scripted experts solve their tasks, disturbed as in demonstrations: success of each, as Markdown."""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from report import machine_line, table
from tqdm import tqdm

from frs_sim import workshop
from frs_sim.disturbance import Disturbance
from frs_sim.expert import act, plan
from frs_sim.graphics import SPAWN
from frs_sim.intervals import wilson
from frs_sim.tasks import HELD_OUT, TASKS, TRAINING
from frs_steering.robot.kinematics import joint_velocity


def solve(task: str, seed: int) -> bool:
    """Let the expert, disturbed, do one scene of a task; whether it succeeds within the task's time."""
    cell = workshop.cell()
    cell.reset(task, seed)
    disturbance = Disturbance(np.random.default_rng(seed))
    while cell.steps < cell.task.step_limit and not cell.success:
        truth = cell.truth()
        wanted = plan(cell.task, truth)
        action = disturbance.next(act(wanted, truth), wanted.phase)
        cell.step(joint_velocity(cell.joint_position, action[:6]), float(action[6]))
    return cell.success


def main() -> None:
    """Run all scenes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), metavar="TASK",
                        help="names (default: all)")  # fmt: skip
    parser.add_argument("--scenes", type=int, default=40, help="of each task (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first scene (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (default: all cores)")
    args = parser.parse_args()
    described = machine_line()
    scenes = [(task, args.seed + index) for task in args.tasks for index in range(args.scenes)]
    solved = dict.fromkeys(args.tasks, 0)
    with ProcessPoolExecutor(args.jobs, mp_context=SPAWN) as pool:
        outcomes = pool.map(solve, *zip(*scenes, strict=True), chunksize=4)
        for (task, _), success in zip(scenes, tqdm(outcomes, total=len(scenes), unit="episode"), strict=True):
            solved[task] += success
    kinds = dict.fromkeys(TRAINING, "taught") | dict.fromkeys(HELD_OUT, "held out")
    rows = []
    for task, count in solved.items():
        low, high = wilson(count, args.scenes)
        share = f"{100 * count / args.scenes:.0f} % ({100 * low:.0f} .. {100 * high:.0f})"
        rows.append([task, kinds.get(task, "demo"), f"{count}", f"{args.scenes}", share])
    print(f"## The experts\n\n{table(['task', 'kind', 'solved', 'scenes', 'share'], rows)}\n\n{described}")


if __name__ == "__main__":
    main()
