"""Trains noise policies from recorded rollouts while the graph runs, and puts them live where that is asked for."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

from frs_msgs.action import TrainNoisePolicy
from frs_msgs.msg import NoisePolicyInfo
from frs_msgs.srv import LoadNoisePolicy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from frs_steering.nodes.qos import LATCHED
from frs_steering.nodes.runtime import run
from frs_steering.nodes.training_process import TrainingFailed, TrainingProcess

KINDS = ("dsbc", "bc")
"""As in `learn.noise_network`, which this process does without: it would load torch."""

SUFFIX = ".safetensors"

FEEDBACK_EVERY = 0.5  # s
LOAD_SECONDS = 10.0
"""s for noise_policy to come up, read the file and check it."""
ASK_AGAIN = 2.0  # s without an answer; a service that has only just discovered its client loses it
CLOSE_SECONDS = 1.0  # s for the training's thread on the way out; a node stops within 2 s


class NoiseTrainer(Node):
    """Serves `noise_policy/train`, one goal at a time. It watches over the training, which has a process of its own."""

    def __init__(self) -> None:
        super().__init__("noise_trainer")
        self._version = ""
        self._busy = False
        self._training: TrainingProcess | None = None
        self._thread: threading.Thread | None = None
        self._loading: Client[LoadNoisePolicy.Request, LoadNoisePolicy.Response] = self.create_client(
            LoadNoisePolicy, "noise_policy/load"
        )
        self.create_subscription(NoisePolicyInfo, "noise_policy/info", self._on_info, LATCHED)
        self._server = ActionServer(
            self,
            TrainNoisePolicy,
            "noise_policy/train",
            self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )

    def close(self) -> None:
        """End the training that runs."""
        if self._training is not None:
            self._training.end()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        self._server.destroy()

    def _on_info(self, msg: NoisePolicyInfo) -> None:
        self._version = msg.version

    def _on_goal(self, goal: TrainNoisePolicy.Goal) -> GoalResponse:
        if self._busy:
            self.get_logger().warning(f"training of {goal.kind!r} rejected: another one is running")
            return GoalResponse.REJECT
        self._busy = True
        return GoalResponse.ACCEPT

    def _on_cancel(self, _: ServerGoalHandle) -> CancelResponse:
        if self._training is not None:
            self._training.end()
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> TrainNoisePolicy.Result:
        result = TrainNoisePolicy.Result()
        over: Future[None] = Future()
        try:
            self._training = _training_for(handle.request)
            if handle.is_cancel_requested:  # before it began
                self._training.end()
            self._thread = threading.Thread(
                target=self._work, args=(handle, self._training, result, over), name="training", daemon=True
            )
            self._thread.start()
            await over
        except TrainingFailed as error:
            result.message = str(error)
        finally:
            self._training, self._busy = None, False
        result.version = result.version or self._version
        if result.success:
            self.get_logger().info(result.message)
            handle.succeed()
            return result
        self.get_logger().error(result.message)
        if handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    # The training's thread

    def _work(
        self,
        handle: ServerGoalHandle,
        training: TrainingProcess,
        result: TrainNoisePolicy.Result,
        over: Future[None],
    ) -> None:
        next_feedback = time.monotonic()

        def on_progress(line: str, progress: float) -> None:
            nonlocal next_feedback
            if time.monotonic() >= next_feedback:
                next_feedback = time.monotonic() + FEEDBACK_EVERY
                handle.publish_feedback(TrainNoisePolicy.Feedback(message=line, progress=progress))

        try:
            made = training.run(on_progress)
            result.file, result.rollouts, result.chunks = str(made.file), made.rollouts, made.chunks
            result.training_time, result.peak_memory = made.seconds, made.peak_memory
            result.message = (
                f"{made.file.name} is trained on {made.rollouts} rollouts ({made.chunks} chunks)"
                f" in {made.seconds:.1f} s with {made.peak_memory / 1e6:.0f} MB at most"
            )
            result.success = True
            if handle.request.go_live:
                self._go_live(result)
        except (TrainingFailed, OSError) as error:
            result.message = str(error)
        except Exception as error:  # whatever went wrong, the goal gets its result and the next one a chance
            result.success, result.message = False, f"{type(error).__name__}: {error}"
        finally:
            over.set_result(None)

    def _go_live(self, result: TrainNoisePolicy.Result) -> None:
        """Ask noise_policy to take the file, and say in the result what came of it."""
        why = "noise_policy/load is not there; is noise_policy running?"
        end = time.monotonic() + LOAD_SECONDS
        while (left := end - time.monotonic()) > 0.0:
            if not self._loading.wait_for_service(min(left, ASK_AGAIN)):
                continue
            future = self._loading.call_async(LoadNoisePolicy.Request(file=result.file))
            if _done(future, min(left, ASK_AGAIN)):
                response: LoadNoisePolicy.Response = future.result()
                why, result.version = response.message, response.version
                if response.success:
                    result.message += "; it is live"
                    return
                break
            self._loading.remove_pending_request(future)
            why = f"noise_policy/load did not answer within {LOAD_SECONDS:.0f} s"
        result.success = False
        result.message += f"; it is not live: {why}"


def _done(future: Future, seconds: float) -> bool:
    """Wait so long for an answer, which comes in on the executor; returns whether it came."""
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    return done.wait(seconds)


def _training_for(goal: TrainNoisePolicy.Goal) -> TrainingProcess:
    """The training that a goal asks for.

    Raises:
        TrainingFailed: it makes no sense.
    """
    if goal.kind not in KINDS:
        raise TrainingFailed(f"kind is {goal.kind!r}; it must be one of {', '.join(KINDS)}")
    if goal.go_live and goal.kind != "dsbc":
        raise TrainingFailed(f"kind is {goal.kind!r}, which says chunks; only 'dsbc', which says noises, can go live")
    if not goal.recordings:
        raise TrainingFailed("recordings is empty; it must name recorded episodes or folders of them")
    recordings = [Path(name).expanduser().absolute() for name in goal.recordings]
    return TrainingProcess(goal.kind, recordings, _file_for(goal.file, recordings[0], goal.kind), goal.seed)


def _file_for(wanted: str, first: Path, kind: str) -> Path:
    """Where the result goes: as wanted, else beside the first recording, where it replaces none: it may be live.

    What follows a dot is no suffix to be replaced: "egg-0.5" and "egg-0.7" are two, and so are "runs.v1" and "runs.v2".
    """
    if wanted:
        file = Path(wanted).expanduser().absolute()
        return file.with_name(f"{file.name.removesuffix(SUFFIX)}{SUFFIX}")
    name = f"{first.name.partition('.mcap')[0]}-{kind}"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    files = (first.with_name(name + SUFFIX) for name in names)
    return next(file for file in files if not file.exists())


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `noise_trainer`."""
    return run(NoiseTrainer, argv, behind=True)
