"""The conductor of an episode: reset, let the policy drive, watch for the end, hold, label."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from frs_msgs.action import RunEpisode
from frs_msgs.msg import ArmState, EpisodeEvent, TaskState
from frs_msgs.srv import ResetTask, StartRecording
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool

from frs_sim.nodes.episode_peers import Interrupted, PeerError, Peers
from frs_sim.nodes.episode_recording import Recording
from frs_sim.nodes.own_episodes import OwnEpisodes
from frs_steering.nodes.parameters import declare, param
from frs_steering.nodes.qos import EVENT
from frs_steering.nodes.runtime import run

ANSWER_TIMEOUT = 3.0  # s, of each service call
ARM_FRESH = 0.5  # s since receipt; arm_state comes 15 times a second
REST_SPEED = 0.05  # rad/s; below it on every joint the arm is at rest
REST_SECONDS = 0.3  # s for which it must have been
HOLD_TIMEOUT = 4.0  # s; a lease of 1 s at most and a deceleration, with room
FEEDBACK_EVERY = 0.5  # s
WARN_EVERY = 10.0  # s between two words in the log about a recorder that complains
SILENCE = 1.0  # s without a decision after which a restarted flow_steering is looked for
CLOSE_SECONDS = 1.2  # s for making safe on the way out; a node stops within 2 s

REQUEST_EVERY = 0.5  # s between two attempts to activate flow_steering

AUTHOR = "episode"
OPERATORS = ("scripted", "keyboard", "none")


@dataclass(frozen=True)
class EpisodeParameters:
    """Parameters of the node."""

    peer_timeout: float = param(
        20.0, "s that another node may be away, at the start or during an episode", low=1.0, high=300.0
    )
    operator: str = param("none", "with 'scripted', episodes begin unless another node asks", choices=OPERATORS)
    episodes: int = param(1, "number of those; each has the next seed", low=0, high=1_000_000)
    record_directory: str = param("runs", "directory of their recordings; empty: none are made")


@dataclass
class _Run:
    """One episode under way. Times are monotonic, in s."""

    goal: RunEpisode.Goal
    result: RunEpisode.Result
    instruction: str = ""
    announced: bool = False
    scene: tuple[str, int, int] = ("", 0, 0)
    first_step: int = 0
    first_decision: int = 0
    begun: float = math.nan
    fault_since: float = math.inf
    deciders: set[bytes] = field(default_factory=set)
    next_request: float = math.nan


class Episode(Node):
    """Serves `run_episode`, one goal at a time.

    The episode itself is blocking code in a thread of its own; what other nodes say comes in on the executor.
    """

    def __init__(self) -> None:
        super().__init__("episode")
        self._settings = declare(self, EpisodeParameters)
        self._peers = Peers(self, self._interruption)
        self._recording = Recording(self._peers)
        self._events = self.create_publisher(EpisodeEvent, "episode_event", EVENT)
        self._goal: ServerGoalHandle | None = None
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._own: OwnEpisodes | None = None
        self._server = ActionServer(
            self,
            RunEpisode,
            "run_episode",
            self._execute,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        if self._settings.operator == "scripted" and self._settings.episodes:
            self._own = OwnEpisodes(self, self._settings.episodes, self._next_goal)

    def close(self) -> None:
        """Call the running episode off: the policy stops driving and the recording is finished."""
        self._closing = True
        self._peers.hurry(CLOSE_SECONDS)
        executor = SingleThreadedExecutor()  # the node's own has stopped, and the answers must come in
        executor.add_node(self)
        while self._thread is not None and self._thread.is_alive():
            executor.spin_once(timeout_sec=0.05)
        executor.shutdown()
        if self._own is not None:
            self._own.destroy()
        self._server.destroy()

    def _next_goal(self, first: bool) -> RunEpisode.Goal | None:
        """The next episode that begins by itself, or None while something is missing for it."""
        goal = RunEpisode.Goal(record_directory=self._settings.record_directory)
        if self._missing(goal):
            return None
        state: TaskState = self._peers.task_state.message
        goal.task, goal.seed = state.task, state.seed + (not first)
        return goal

    # The action

    def _on_goal(self, goal: RunEpisode.Goal) -> GoalResponse:
        if self._busy or self._closing:
            self.get_logger().warning(f"episode of {goal.task!r} rejected: another one is running")
            return GoalResponse.REJECT
        self._busy = True
        return GoalResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> RunEpisode.Result:
        done: Future[tuple[int, RunEpisode.Result]] = Future()
        self._goal = handle
        self._thread = threading.Thread(target=self._work, args=(handle, done), name="episode", daemon=True)
        self._thread.start()
        try:
            outcome = await done
        finally:
            self._busy = False
            self._goal = None
        assert outcome is not None  # it is set
        label, result = outcome
        if label in (EpisodeEvent.SUCCEEDED, EpisodeEvent.FAILED):
            handle.succeed()  # the episode ran to its end, whatever that was
        elif handle.is_cancel_requested:
            handle.canceled()
        else:
            handle.abort()
        return result

    def _interruption(self) -> str:
        if self._closing:
            return "the episode node was stopped"
        return "cancelled" if self._goal is not None and self._goal.is_cancel_requested else ""

    # The episode's thread

    def _work(self, handle: ServerGoalHandle, done: Future[tuple[int, RunEpisode.Result]]) -> None:
        try:
            done.set_result(self._conduct(handle))
        except Exception as error:
            done.set_exception(error)

    def _conduct(self, handle: ServerGoalHandle) -> tuple[int, RunEpisode.Result]:
        goal = handle.request
        name = f"{goal.task or 'task'}-{goal.seed}-{time.strftime('%Y%m%dT%H%M%S')}"
        episode = _Run(goal, RunEpisode.Result(episode_id=name))
        try:
            self._prepare(episode)
            if goal.record_directory:
                self._record(episode, handle)
            self._announce(episode, EpisodeEvent.STARTED, "")
            self._activate(episode)
            label, note = self._watch(episode, handle)
        except (PeerError, Interrupted) as error:
            label, note = EpisodeEvent.DISCARDED, str(error)
        self._count(episode)
        episode.result.success = label == EpisodeEvent.SUCCEEDED
        episode.result.message = "; ".join([note, *self._finish(episode, label, note)])
        self.get_logger().info(f"{name}: {episode.result.message}")
        return label, episode.result

    def _prepare(self, episode: _Run) -> None:
        """Bring scene and arm to the start; the cell tells the policy its instruction."""
        peers, goal, patience = self._peers, episode.goal, self._settings.peer_timeout
        try:
            peers.wait_for(lambda: not self._missing(goal), patience, "")
        except PeerError:
            raise PeerError(f"not there after {patience:.1f} s: {', '.join(self._missing(goal))}") from None
        arm = peers.arm_state.message
        if arm.state == ArmState.STOPPED:
            raise PeerError(f"the arm can't be driven: {arm.message}")
        self._switch(False)
        peers.wait_for(self._rests(), HOLD_TIMEOUT, "before the reset, the arm did not come to rest")
        before = peers.task_state.message.episode
        answer = peers.call(peers.reset, ResetTask.Request(task=goal.task, seed=goal.seed), ANSWER_TIMEOUT, again=True)
        if not answer.success:
            raise PeerError(f"the scene can't be reset: {answer.message}")

        def laid_out() -> bool:
            state = peers.task_state.message
            return state.episode != before and state.seed == goal.seed and goal.task in ("", state.task)

        peers.wait_for(laid_out, patience, "task_state did not show the new scene")
        peers.wait_for(self._rests(), patience, "after the reset, the arm did not come to rest")
        state = peers.task_state.message
        episode.scene = _scene(state)
        episode.instruction = state.instruction
        episode.result.step_limit = state.step_limit

    def _missing(self, goal: RunEpisode.Goal) -> list[str]:
        """What an episode lacks, with the node that gives it."""
        peers = self._peers
        recorder = [(peers.start_recording, "recorder")] if goal.record_directory else []
        services = [(peers.reset, "sim"), (peers.activate, "flow_steering"), *recorder]
        missing = [f"{client.srv_name} (of {node})" for client, node in services if not client.service_is_ready()]
        if peers.task_state.age > ARM_FRESH:
            missing.append("task_state (of sim)")
        if peers.policy_info.message is None:
            missing.append("policy_info (of vla_inference)")
        if peers.arm_state.age > ARM_FRESH:
            missing.append("arm_state (of arm_controller)")
        elif peers.arm_state.message.state == ArmState.FAULT:
            missing.append(f"a sound arm ({peers.arm_state.message.message})")
        return missing

    def _rests(self) -> Callable[[], bool]:
        """A test that is true when states that came from now on have shown the arm at rest for long enough."""
        heard = self._peers.arm_state
        since = time.monotonic()

        def rests() -> bool:
            nonlocal since
            arm: ArmState = heard.message
            slow = max(map(abs, arm.velocity)) <= REST_SPEED  # not where it is NaN: nothing was measured lately
            if arm.state in (ArmState.RUNNING, ArmState.FAULT) or not slow:
                since = time.monotonic()
            return heard.at > since + REST_SECONDS

        return rests

    def _record(self, episode: _Run, handle: ServerGoalHandle) -> None:
        """Begin the recording; what the recorder finds amiss is told, and refuses nothing that it does not itself."""
        if amiss := self._recording.preflight():
            self.get_logger().warning(f"{episode.result.episode_id}: the recorder says: {amiss}")
            handle.publish_feedback(RunEpisode.Feedback(message=f"the recorder says: {amiss}"))
        request = StartRecording.Request(
            episode_id=episode.result.episode_id,
            task=episode.scene[0],
            instruction=episode.instruction,
            seed=episode.goal.seed,
            directory=episode.goal.record_directory,
        )
        episode.result.bag = self._recording.begin(request)

    def _switch(self, on: bool, seconds: float = ANSWER_TIMEOUT, *, to_the_end: bool = False) -> SetBool.Response:
        request = SetBool.Request(data=on)
        return self._peers.call(self._peers.activate, request, seconds, again=True, to_the_end=to_the_end)

    def _activate(self, episode: _Run) -> None:
        """Let the policy drive, as soon as flow_steering is ready to: the policy may still be loading."""
        patience = self._settings.peer_timeout
        end = time.monotonic() + patience
        while not (answer := self._switch(True, patience)).success:
            if time.monotonic() > end:
                raise PeerError(f"flow_steering can't be activated: {answer.message}")
            self._peers.pause(REQUEST_EVERY)
        episode.begun = time.monotonic()
        episode.first_step = self._peers.task_state.message.step
        episode.first_decision = self._peers.decision.count
        episode.deciders = self._deciders()

    def _watch(self, episode: _Run, handle: ServerGoalHandle) -> tuple[int, str]:
        """Wait for the end. Returns the label (EpisodeEvent.*) and why."""
        next_feedback = episode.begun
        while True:
            self._peers.listen()
            self._count(episode)
            if (verdict := self._judge(episode)) is not None:
                return verdict
            self._look_for_silence(episode)
            if time.monotonic() >= next_feedback:
                next_feedback += FEEDBACK_EVERY
                result = episode.result
                feedback = RunEpisode.Feedback(step=result.steps, chunks=result.chunks, message=self._amiss())
                handle.publish_feedback(feedback)

    def _amiss(self) -> str:
        """What goes wrong just now, in words; empty: nothing."""
        arm: ArmState = self._peers.arm_state.message
        fault = arm.message if arm.state == ArmState.FAULT else ""
        if alarm := self._recording.alarm():
            alarm = f"the recorder says: {alarm}"
            self.get_logger().warning(alarm, throttle_duration_sec=WARN_EVERY)
        return "; ".join(filter(None, (fault, alarm)))

    def _count(self, episode: _Run) -> None:
        if math.isnan(episode.begun):
            return
        state = self._peers.task_state.message
        if _scene(state) == episode.scene:
            episode.result.steps = state.step - episode.first_step
        episode.result.chunks = self._peers.decision.count - episode.first_decision
        episode.result.duration = time.monotonic() - episode.begun

    def _judge(self, episode: _Run) -> tuple[int, str] | None:
        state: TaskState = self._peers.task_state.message
        arm: ArmState = self._peers.arm_state.message
        if arm.state == ArmState.STOPPED:
            return EpisodeEvent.STOPPED, f"the arm was {arm.message}"
        if _scene(state) != episode.scene:
            raise PeerError(f"the scene was changed during the episode, to task {state.task!r}, seed {state.seed}")
        if state.success:
            return EpisodeEvent.SUCCEEDED, "success"
        if episode.result.steps >= state.step_limit:
            return EpisodeEvent.FAILED, f"no success within {state.step_limit} control steps"
        return None

    def _look_for_silence(self, episode: _Run) -> None:
        peers, now, patience = self._peers, time.monotonic(), self._settings.peer_timeout
        if peers.task_state.age > patience:
            raise PeerError(f"task_state has not come for {patience:.1f} s; is sim running?")
        if peers.arm_state.age > patience:
            raise PeerError(f"arm_state has not come for {patience:.1f} s; is arm_controller running?")
        fault = peers.arm_state.message.state == ArmState.FAULT
        episode.fault_since = min(episode.fault_since, now) if fault else math.inf
        if now - episode.fault_since > patience:
            raise PeerError(f"the arm has been in a fault for {patience:.1f} s: {peers.arm_state.message.message}")
        silence = now - max(peers.decision.at, episode.begun)
        if silence > patience:
            raise PeerError(f"no decision for {patience:.1f} s; flow_steering: {self._why_silent()}")
        if silence < SILENCE:
            if not math.isnan(episode.next_request):  # the new one decides
                episode.deciders, episode.next_request = self._deciders(), math.nan
        elif self._deciders() - episode.deciders and not now < episode.next_request:
            # flow_steering was started anew, and begins inactive. One that was switched off is left alone.
            episode.next_request = now + REQUEST_EVERY
            peers.ask(peers.activate, SetBool.Request(data=True))

    def _why_silent(self) -> str:
        try:
            return self._switch(False).message  # it is over anyway, and the answer tells what went wrong
        except PeerError as error:
            return str(error)

    def _deciders(self) -> set[bytes]:
        return {bytes(info.endpoint_gid) for info in self.get_publishers_info_by_topic("decision")}

    def _finish(self, episode: _Run, label: int, note: str) -> list[str]:
        """Let the arm hold, say how it ended, finish the recording. Returns what went wrong with that."""
        peers = self._peers
        wrong = []
        if episode.announced:
            rests = self._rests()
            try:
                self._switch(False, to_the_end=True)
                peers.wait_for(
                    lambda: self._closing or rests(),  # a node that ends leaves the rest to the lease
                    HOLD_TIMEOUT,
                    "at the end, the arm did not come to rest",
                    to_the_end=True,
                )
            except PeerError as error:
                wrong.append(str(error))
            self._announce(episode, label, note)
        if self._recording.running:
            path, problem = self._recording.end(label, note)
            episode.result.bag = path or episode.result.bag
            wrong += [problem] if problem else []
        return wrong

    def _announce(self, episode: _Run, kind: int, note: str) -> None:
        event = EpisodeEvent(
            kind=kind,
            episode_id=episode.result.episode_id,
            task=episode.scene[0],
            instruction=episode.instruction,
            seed=episode.goal.seed,
            author=AUTHOR,
            note=note,
        )
        event.header.stamp = self.get_clock().now().to_msg()
        self._events.publish(event)
        episode.announced = True


def _scene(state: TaskState) -> tuple[str, int, int]:
    return state.task, state.seed, state.episode


def main(argv: list[str] | None = None) -> int:
    """Entry point of the executable `episode`."""
    return run(Episode, argv, behind=True)
