"""The node `episode` among the simulated cell, the arm controller and the recorder; the scripted expert decides."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import expert_decider
import pytest
from action_msgs.msg import GoalStatus
from frs_msgs.action import RunEpisode
from frs_msgs.msg import ArmState, EpisodeEvent, TaskState
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionClient
from rclpy.node import Node
from sensor_msgs.msg import JointState
from sim_graph import Ear, executable
from std_msgs.msg import String
from std_srvs.srv import Trigger

from frs_sim.tasks import TASKS
from frs_steering.nodes.qos import EVENT, LATCHED
from frs_steering.record.reader import summarise

EPISODE_LIMIT = 90.0  # s; the expert takes about 15, on an idle machine


class Graph:
    """The processes around an episode, and the client of its action."""

    def __init__(self, procs: Callable[..., Any], ear: Ear) -> None:
        self._procs, self.ear = procs, ear
        self._left = False
        self.events = ear.listen(EpisodeEvent, "episode_event", EVENT)
        self.arm = ear.listen(ArmState, "arm_state", LATCHED)
        self.feedback: list[RunEpisode.Feedback] = []
        self._client = ActionClient(ear.node, RunEpisode, "run_episode")

    def leave(self) -> None:
        """Be no client of the action any more."""
        if not self._left:
            self._client.destroy()
            self.ear.spin(0.1)  # its executor holds what it last waited for
        self._left = True

    def start(self, decider: str, *sim_parameters: str, recorder: bool = False, conductor: Sequence[str] = ()) -> None:
        """Start the nodes."""
        self.sim = self._procs(executable("sim"), "--ros-args", *sim_parameters)
        self._procs(executable("arm_controller", "frs_steering"), "--ros-args", "-p", "simulated:=true")
        if recorder:
            self._procs(executable("recorder", "frs_steering"))
        self.decider = self.start_decider(decider)
        self.episode = self._procs(executable("episode"), "--ros-args", "-p", "peer_timeout:=30.0", *conductor)

    def start_decider(self, kind: str) -> Any:
        return self._procs(sys.executable, expert_decider.__file__, kind)

    def ask(self, task: str, seed: int = 1, record_directory: str = "") -> Any:
        """Send a goal, and return its handle."""
        self.ear.until(self._client.server_is_ready)
        # Discovery goes in order: a node that answers this client has discovered those that were made before it.
        self.ear.call(GetParameters, "episode/get_parameters", GetParameters.Request())
        goal = RunEpisode.Goal(task=task, seed=seed, record_directory=record_directory)
        future = self._client.send_goal_async(goal, lambda msg: self.feedback.append(msg.feedback))
        self.ear.until(future.done)
        return future.result()

    def outcome(self, handle: Any) -> tuple[int, RunEpisode.Result]:
        """Wait for a goal's end; returns its status and result."""
        future = handle.get_result_async()
        self.ear.until(future.done, EPISODE_LIMIT)
        return future.result().status, future.result().result

    def driving(self) -> bool:
        """Whether a chunk drives the arm."""
        return bool(self.arm) and self.arm[-1].state == ArmState.RUNNING

    def kinds(self) -> list[int]:
        """Of the events so far."""
        return [event.kind for event in self.events]


@pytest.fixture
def graph(node: Node, procs: Callable[..., Any]) -> Iterator[Graph]:
    made = Graph(procs, Ear(node))
    yield made
    made.leave()


def test_an_episode_from_reset_to_label(graph: Graph, tmp_path: Path) -> None:
    graph.start("expert", recorder=True)
    instructions = graph.ear.listen(String, "instruction", LATCHED)
    handle = graph.ask("egg_in_basket", seed=3, record_directory=str(tmp_path))
    assert handle.accepted
    graph.ear.until(graph.driving)
    assert not graph.ask("egg_in_basket").accepted  # one at a time
    status, result = graph.outcome(handle)

    assert result.message == "success"
    assert result.success
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert result.step_limit == TASKS["egg_in_basket"].step_limit
    assert 15 < result.steps < result.step_limit
    assert result.chunks > 15
    assert result.steps / 15 - 1 < result.duration
    assert instructions[-1].data == TASKS["egg_in_basket"].instruction
    assert graph.feedback[-1].step <= result.steps
    assert not graph.driving()
    assert max(map(abs, graph.arm[-1].velocity)) < 0.05
    graph.ear.until(lambda: len(graph.events) == 2)
    assert graph.kinds() == [EpisodeEvent.STARTED, EpisodeEvent.SUCCEEDED]
    assert {(e.episode_id, e.task, e.seed) for e in graph.events} == {(result.episode_id, "egg_in_basket", 3)}
    assert Path(result.bag).exists()
    assert result.episode_id in result.bag


def test_it_can_be_called_off_and_stopped(graph: Graph) -> None:
    graph.start("expert")
    handle = graph.ask("carrot_in_basket")
    graph.ear.until(graph.driving)
    handle.cancel_goal_async()
    status, result = graph.outcome(handle)
    assert status == GoalStatus.STATUS_CANCELED
    assert (result.success, result.message) == (False, "cancelled")
    assert not graph.driving()
    graph.ear.until(lambda: graph.kinds() == [EpisodeEvent.STARTED, EpisodeEvent.DISCARDED])

    # and the next one begins, from another scene
    handle = graph.ask("carrot_in_basket", seed=2)
    graph.ear.until(graph.driving)
    # until the operator stops the arm
    assert graph.ear.call(Trigger, "arm_controller/stop", Trigger.Request()).success
    status, result = graph.outcome(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert "the arm was stopped" in result.message
    graph.ear.until(lambda: graph.kinds()[2:] == [EpisodeEvent.STARTED, EpisodeEvent.STOPPED])
    # after which no episode begins before the reset
    status, result = graph.outcome(graph.ask("carrot_in_basket"))
    assert status == GoalStatus.STATUS_ABORTED
    assert "arm_controller/reset" in result.message


def test_what_the_recorder_finds_amiss_is_told_and_notes_are_kept(graph: Graph, node: Node, tmp_path: Path) -> None:
    graph.start("still", "-p", "camera_rate:=1.0", recorder=True)
    notes = node.create_publisher(EpisodeEvent, "episode_event", EVENT)
    handle = graph.ask("egg_in_basket", record_directory=str(tmp_path))
    graph.ear.until(graph.driving)
    slow = "the recorder says: camera/exterior/color/image_raw "
    # In the first two seconds of its life the recorder knows no rates yet, and the preflight may be content.
    graph.ear.until(lambda: any(told.step > 0 and slow in told.message for told in graph.feedback))
    graph.episode.wait_for_text(slow)

    said = graph.ear.listen(EpisodeEvent, "episode_event", EVENT)
    graph.ear.until(lambda: notes.get_subscription_count() >= 4)  # recorder, episode, and twice the test
    (name,) = {event.episode_id for event in graph.events}
    notes.publish(EpisodeEvent(kind=EpisodeEvent.NOTE, episode_id="another", author="X", note="of another episode"))
    notes.publish(EpisodeEvent(kind=EpisodeEvent.NOTE, episode_id=name, author="Jane Doe", note="the egg slipped"))
    graph.ear.until(lambda: len(said) >= 2)
    graph.ear.spin(0.2)
    handle.cancel_goal_async()
    _, result = graph.outcome(handle)
    assert result.message == "cancelled"
    assert summarise(Path(result.bag)).result["note"] == "cancelled; Jane Doe: the egg slipped"


def test_the_step_limit_ends_it(graph: Graph) -> None:
    graph.start("still", "-p", "realtime_factor:=5.0", "-p", "camera_rate:=1.0")
    status, result = graph.outcome(graph.ask("egg_in_basket"))
    assert status == GoalStatus.STATUS_SUCCEEDED  # it ran to its end
    assert not result.success
    assert result.message == f"no success within {result.step_limit} control steps"
    assert result.steps >= result.step_limit
    graph.ear.until(lambda: graph.kinds() == [EpisodeEvent.STARTED, EpisodeEvent.FAILED])


def test_a_decider_that_died_goes_on_after_its_restart(graph: Graph) -> None:
    graph.start("still")
    handle = graph.ask("egg_in_basket")
    graph.ear.until(graph.driving)
    graph.decider.send_signal(signal.SIGKILL)
    graph.ear.until(lambda: not graph.driving())
    graph.start_decider("still")
    graph.ear.until(graph.driving)
    # a scene that somebody else resets is no longer this episode's
    graph.ear.reset("egg_in_basket", 77)
    status, result = graph.outcome(handle)
    assert status == GoalStatus.STATUS_ABORTED
    assert "the scene was changed during the episode, to task 'egg_in_basket', seed 77" in result.message


def test_with_the_scripted_operator_episodes_begin_by_themselves(graph: Graph) -> None:
    words = ["-p", "operator:=scripted", "-p", "episodes:=2", "-p", "record_directory:=''"]
    graph.leave()
    graph.start("still", "-p", "realtime_factor:=5.0", "-p", "camera_rate:=1.0", "-p", "seed:=7", conductor=words)
    graph.episode.wait_for_text("episode 2 of 2 is over", EPISODE_LIMIT)
    graph.ear.until(lambda: len(graph.events) == 4)
    assert graph.kinds() == 2 * [EpisodeEvent.STARTED, EpisodeEvent.FAILED]
    assert [event.seed for event in graph.events] == [7, 7, 8, 8]


@pytest.mark.usefixtures("graph")
def test_with_another_node_to_ask_for_them_no_episodes_begin(procs: Callable[..., Any]) -> None:
    episode = procs(executable("episode"), "--ros-args", "-p", "operator:=scripted")
    episode.wait_for_text("no episode begins by itself: tester can ask for them")


def test_a_signal_ends_a_running_episode_safely(graph: Graph) -> None:
    graph.start("expert")
    graph.ask("egg_in_basket")
    graph.ear.until(graph.driving)
    joints = graph.ear.listen(JointState, "joint_states")
    begun = time.monotonic()
    graph.episode.send_signal(signal.SIGTERM)
    assert graph.episode.wait(10) == 0
    assert time.monotonic() - begun < 2.0
    assert "Traceback" not in graph.episode.text()
    graph.decider.wait_for_text("inactive")
    graph.ear.until(lambda: EpisodeEvent.DISCARDED in graph.kinds())
    graph.ear.until(lambda: joints and max(map(abs, joints[-1].velocity[:7])) < 0.02)


def test_what_is_missing_is_named(graph: Graph, node: Node, procs: Callable[..., Any], tmp_path: Path) -> None:
    procs(executable("sim"))
    procs(executable("episode"), "--ros-args", "-p", "peer_timeout:=1.0")
    states = graph.ear.listen(TaskState, "task_state", LATCHED)
    graph.ear.until(lambda: states)
    status, result = graph.outcome(graph.ask("egg_in_basket", record_directory=str(tmp_path)))
    assert status == GoalStatus.STATUS_ABORTED
    for missing in ("flow_steering/activate", "arm_state (of arm_controller)", "policy_info", "recorder/start"):
        assert missing in result.message
    assert "task_state" not in result.message
    assert not graph.events


def test_an_unknown_task_is_named(graph: Graph) -> None:
    graph.start("still")
    status, result = graph.outcome(graph.ask("juggle"))
    assert status == GoalStatus.STATUS_ABORTED
    assert "no task is called 'juggle'; there are: " in result.message
    assert not graph.events
