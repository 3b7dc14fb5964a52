"""Tests of frs_bringup.episode_client against real publishers, services and an action server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from frs_msgs.action import RunEpisode
from frs_msgs.msg import ArmState, Decision, Guidance, PolicyInfo, RecorderState, TaskState
from rcl_interfaces.srv import GetParameters
from rclpy.action import ActionServer, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import SetBool

from frs_bringup import episode_client
from frs_bringup.episode_client import EpisodeClient, EpisodeError, Progress
from frs_steering.nodes.qos import EVENT, LATCHED


class Graph(Node):
    """Offers what the client looks for, and conducts an episode of two control steps."""

    def __init__(self, *, accepts: bool = True) -> None:
        super().__init__("graph")
        self.states = [
            (self.create_publisher(kind, topic, LATCHED), message)
            for kind, topic, message in (
                (PolicyInfo, "policy_info", PolicyInfo()),
                (ArmState, "arm_state", ArmState(state=ArmState.ARMED)),
                (TaskState, "task_state", TaskState(step_limit=300)),
                (RecorderState, "recorder_state", RecorderState()),
            )
        ]
        for publisher, message in self.states:
            publisher.publish(message)
        self.guidance = self.create_publisher(Guidance, "guidance", EVENT)
        self.decision = self.create_publisher(Decision, "decision", EVENT)
        self.create_service(SetBool, "flow_steering/activate", lambda _, response: response)
        self.create_service(GetParameters, "episode/get_parameters", lambda _, response: response)
        self.heard_progress = threading.Event()
        self.server = ActionServer(
            self,
            RunEpisode,
            "run_episode",
            self.conduct,
            goal_callback=lambda _: GoalResponse.ACCEPT if accepts else GoalResponse.REJECT,
        )

    async def conduct(self, handle: ServerGoalHandle) -> RunEpisode.Result:
        handle.publish_feedback(RunEpisode.Feedback(step=2, chunks=1, message="no camera"))
        assert self.heard_progress.wait(10.0)
        handle.succeed()
        return RunEpisode.Result(success=True, message="success", steps=2)


@pytest.fixture
def client(ros: ModuleType) -> Iterator[EpisodeClient]:
    client = EpisodeClient(lambda: None, ("scripted_reasoner",))
    yield client
    client.close()


@pytest.fixture
def start_graph(ros: ModuleType) -> Iterator[Callable[..., Graph]]:
    """Starts a Graph on a thread of its own."""
    ended = threading.Event()
    threads = []

    def start(**options: bool) -> Graph:
        graph = Graph(**options)
        executor = SingleThreadedExecutor()
        executor.add_node(graph)

        def spin() -> None:
            while not ended.is_set():
                executor.spin_once(timeout_sec=0.05)
            executor.shutdown()
            graph.server.destroy()
            graph.destroy_node()

        threads.append(threading.Thread(target=spin))
        threads[-1].start()
        return graph

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def test_an_episode_from_readiness_to_result(client: EpisodeClient, start_graph: Callable[..., Graph]) -> None:
    assert set(client.missing()) == {
        "vla_inference", "arm_controller", "sim", "recorder", "flow_steering", "scripted_reasoner", "episode",
    }  # fmt: skip
    graph = start_graph()
    client.wait_until_ready(lambda _: None)
    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        graph.heard_progress.set()

    result = client.run(RunEpisode.Goal(task="egg_in_basket"), on_progress)
    assert result.success
    assert result.message == "success"
    assert seen == [Progress(2, 300, 1, "no decision yet", "no camera")]


def test_what_is_missing_is_named(client: EpisodeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episode_client, "READY_SECONDS", 0.2)
    with pytest.raises(EpisodeError, match=r"not ready after 0.2 s; missing: policy_info \(of vla_inference\), arm_"):
        client.wait_until_ready(lambda _: None)


def test_a_faulty_arm_is_not_ready(client: EpisodeClient, start_graph: Callable[..., Graph]) -> None:
    graph = start_graph()
    client.wait_until_ready(lambda _: None)
    graph.states[1][0].publish(ArmState(state=ArmState.FAULT, message="joint states are 0.30 s old"))
    faulty = "a sound arm, now joint states are 0.30 s old"

    for _ in range(100):
        if client.missing():
            break
        client.spin()
    assert client.missing() == {"arm_controller": faulty}


def test_a_rejected_goal_is_an_error(client: EpisodeClient, start_graph: Callable[..., Graph]) -> None:
    start_graph(accepts=False)
    client.wait_until_ready(lambda _: None)
    with pytest.raises(EpisodeError, match="rejected the goal"):
        client.run(RunEpisode.Goal(), lambda _: None)


def test_a_silent_conductor_is_given_up(
    client: EpisodeClient, start_graph: Callable[..., Graph], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = start_graph()
    client.wait_until_ready(lambda _: None)
    monkeypatch.setattr(episode_client, "SILENCE_SECONDS", 0.5)
    with pytest.raises(EpisodeError, match="nothing was heard from the node episode for"):
        client.run(RunEpisode.Goal(), lambda _: None)
    graph.heard_progress.set()
