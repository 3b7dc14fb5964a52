"""The faults: how each is made in the running graph, what must follow, and from when the arm's rest is measured."""

from __future__ import annotations

import enum
import math
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from frs_msgs.msg import ActionChunk, ActionSpace, ArmState, EpisodeEvent, GateReport
from frs_msgs.srv import ClaimArm, StartRecording, StopRecording
from real_graph import RealGraph
from std_msgs.msg import String
from std_srvs.srv import Trigger
from wall_clock import WallClock

from frs_steering.nodes.qos import COMMAND, LATCHED
from frs_steering.robot.fr3 import BASE_FRAME

CONTROL_RATE = 15.0  # Hz
HORIZON, DIM = 16, 7
ROW = [0.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
SMALL = 1_000_000  # bytes; a recording of a second is larger

READY = (ArmState.ARMED, ArmState.HOLDING)
"""States of an arm that has an owner and waits for a chunk."""


class Since(enum.Enum):
    """From when the arm's rest is measured."""

    FAULT = "the fault"
    LEASE = "the lease's end"
    COMMAND = "the fault, until the command is zero"
    """The robot itself is gone."""


@dataclass(frozen=True)
class Scene:
    """Where a fault happens.

    Attributes:
        graph: that runs.
        relays: pids by topic.
        wall_clock: of the nodes; None where they follow /clock.
        ended: when each node was ended last, on the monotonic clock [s].
    """

    graph: RealGraph
    relays: Mapping[str, int]
    wall_clock: WallClock | None
    ended: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Attributes:
        name: what happens.
        follows: what the arm does about it while it moves.
        inject: makes it, gives the moment [ns since the epoch], and ends it; returns early only by an error.
        since: from when the arm's rest is measured; None where the arm goes on.
        within: how soon after that it must rest [s].
        ended: the node that gets a new process.
        over: the episode is over, because the scene is gone or the arm was stopped; the next one can begin.
        unmeasured: what a moving arm does where no rest is measured.
    """

    name: str
    follows: str
    inject: Callable[[Scene], AbstractContextManager[int]]
    since: Since | None = None
    within: float = 0.5
    ended: str = ""
    over: bool = False
    unmeasured: str = "goes on"


def suspended(name: str) -> Callable[[Scene], AbstractContextManager[int]]:
    """SIGSTOP a node, and let it go on in the end."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[int]:
        moment = scene.graph.send_signal(name, signal.SIGSTOP)
        try:
            yield moment
        finally:
            scene.graph.send_signal(name, signal.SIGCONT)

    return inject


def ended(name: str, number: int) -> Callable[[Scene], AbstractContextManager[int]]:
    """End a node by a signal."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[int]:
        yield scene.graph.kill(name, number)

    return inject


def cut(topic: str) -> Callable[[Scene], AbstractContextManager[int]]:
    """Stop what a topic carries, and let it come again in the end."""
    return _relay_told(topic, signal.SIGSTOP, signal.SIGCONT)


def repeated(topic: str) -> Callable[[Scene], AbstractContextManager[int]]:
    """Let a topic's last message come again and again, with fresh stamps, until the end."""
    return _relay_told(topic, signal.SIGUSR1, signal.SIGUSR1)


def _relay_told(topic: str, begin: int, end: int) -> Callable[[Scene], AbstractContextManager[int]]:
    # A signal to a topic's relay, and one that ends what it began.
    @contextmanager
    def inject(scene: Scene) -> Iterator[int]:
        moment = time.time_ns()
        os.kill(scene.relays[topic], begin)
        try:
            yield moment
        finally:
            os.kill(scene.relays[topic], end)

    return inject


def a_chunk() -> ActionChunk:
    """One that would drive, in nobody's name yet."""
    chunk = ActionChunk(horizon=HORIZON, dim=DIM, rows=ROW * HORIZON, row_duration=1 / CONTROL_RATE)
    chunk.header.frame_id = BASE_FRAME
    chunk.action_space.value = ActionSpace.CARTESIAN_VELOCITY
    chunk.lease.nanosec = 300_000_000
    return chunk


def refused(
    *reasons: int, of_another_owner: bool = False, **change: Any
) -> Callable[[Scene], AbstractContextManager[int]]:
    """Send a bad chunk, in the owner's name or another's, until the gate has refused it."""

    @contextmanager
    def inject(scene: Scene) -> Iterator[int]:
        graph, moment = scene.graph, time.time_ns()
        publisher = graph.node.create_publisher(ActionChunk, "action_chunk", COMMAND)
        asked = 0

        def told() -> bool:
            nonlocal asked
            now = graph.arm[-1].message
            if now.tick > asked:  # again on each control step, until it is heard
                asked = now.tick
                publisher.publish(_changed(a_chunk(), now, of_another_owner, change))
            verdicts = [heard.message for heard in graph.reports if heard.sent > moment and heard.message.row == -1]
            return any(said.verdict == GateReport.REJECTED and said.reason in reasons for said in verdicts)

        graph.until(told, f"a chunk refused for one of the reasons {reasons}")
        yield moment
        graph.node.destroy_publisher(publisher)

    return inject


def _changed(chunk: ActionChunk, now: ArmState, of_another_owner: bool, change: Mapping[str, Any]) -> ActionChunk:
    chunk.owner_epoch = now.owner_epoch + of_another_owner
    chunk.first_tick = now.tick + 1
    chunk.chunk_id = now.chunk_id + 1
    for name, value in change.items():
        setattr(chunk, name, value)
    return chunk


@contextmanager
def intruder(scene: Scene) -> Iterator[int]:
    """Another node claims the arm while its owner's lease runs, and sends chunks of its own."""
    graph = scene.graph
    if graph.arm[-1].message.state == ArmState.RUNNING:
        client = graph.node.create_client(ClaimArm, "arm_controller/claim")
        answer = graph.ask(client, ClaimArm.Request(owner="intruder"))
        assert not answer.success, "the arm was given to an intruder"
        graph.node.destroy_client(client)
    with refused(GateReport.REASON_WRONG_OWNER, of_another_owner=True)(scene) as moment:
        yield moment


@contextmanager
def replayed(scene: Scene, times: int = 1, rate: float = CONTROL_RATE) -> Iterator[int]:
    """Send the last chunk again, `times` at `rate` Hz, until the gate has refused it."""
    graph = scene.graph
    publisher = graph.node.create_publisher(ActionChunk, "action_chunk", COMMAND)
    graph.until(lambda: publisher.get_subscription_count() > 1, "listeners")
    # Of the steering: those that tests send have no stamp.
    old = next(heard.message for heard in reversed(graph.chunks) if heard.message.header.stamp.sec)
    moment, begun = time.time_ns(), time.monotonic()
    for sent in range(times):
        publisher.publish(old)
        time.sleep(max(0.0, begun + sent / rate - time.monotonic()))

    def told() -> bool:
        publisher.publish(old)
        said = [heard for heard in graph.reports if heard.message.row == -1 and heard.message.chunk_id == old.chunk_id]
        accepted = sum(heard.message.verdict == GateReport.ACCEPTED for heard in said)
        assert accepted <= 1, f"chunk {old.chunk_id} was accepted {accepted} times"  # its first time may be among them
        known = (GateReport.REASON_OLD_CHUNK, GateReport.REASON_WRONG_OWNER)  # the latter under a new owner
        return any(heard.sent > moment and heard.message.reason in known for heard in said)

    graph.until(told, "an old chunk refused")
    yield moment
    graph.node.destroy_publisher(publisher)


@contextmanager
def sim_time_jumps(scene: Scene) -> Iterator[int]:
    """/clock, which all nodes follow, is an hour ahead, then an hour behind, then right again."""
    graph, moment = scene.graph, time.time_ns()
    clock = graph.sim_clock
    assert clock is not None, "a scene with simulated time"
    for ahead in (3600.0, -3600.0, 0.0):
        clock.set_ahead(ahead)
        graph.until(lambda: abs(graph.arm[-1].message.header.stamp.sec - clock.now()) < 60.0, "nodes that follow it")
        tick = graph.arm[-1].message.tick
        graph.until(lambda: graph.arm[-1].message.tick > tick + CONTROL_RATE, "a second of control steps")  # noqa: B023
    yield moment


@contextmanager
def wall_time_jumps(scene: Scene) -> Iterator[int]:
    """The wall clock of all nodes is an hour ahead, then an hour behind, then right again."""
    graph, moment = scene.graph, time.time_ns()
    assert scene.wall_clock is not None, "a scene whose wall clock can be turned"
    try:
        for ahead in (3600, -3600):
            scene.wall_clock.set_ahead(ahead)
            tick = graph.arm[-1].message.tick
            graph.until(lambda: graph.arm[-1].message.tick > tick + CONTROL_RATE, "a second of control steps")  # noqa: B023
            assert abs(graph.arm[-1].sent * 1e-9 - time.time() - ahead) < 10.0, "the clock was not turned"
    finally:
        scene.wall_clock.set_ahead(0)
    yield moment


@contextmanager
def robot_error(scene: Scene) -> Iterator[int]:
    """The robot's driver tells of an error; in the end it tells of none, and a person asks for the recovery."""
    graph = scene.graph
    publisher = graph.node.create_publisher(String, "robot_driver/error", LATCHED)
    client = graph.node.create_client(Trigger, "arm_controller/recover")
    graph.until(publisher.get_subscription_count, "a controller that listens")
    moment = time.time_ns()
    publisher.publish(String(data="cartesian_reflex, by the test"))

    def told() -> bool:  # it may be in a fault for late joint states already
        now = graph.arm[-1].message
        return now.state == ArmState.FAULT and "cartesian_reflex" in now.message

    try:
        graph.until(told, "a fault that names the robot's error")
        yield moment
    finally:
        publisher.publish(String(data=""))
        # Refused until the news has come.
        graph.until(lambda: graph.ask(client, Trigger.Request()).success, "a recovery")
        graph.node.destroy_client(client)
        graph.node.destroy_publisher(publisher)


@contextmanager
def full_disk(scene: Scene) -> Iterator[int]:
    """The recorder can write no further: a limit on the size of its files, which comes out of write() likewise."""
    graph = scene.graph
    pid = graph.pids()["recorder"]
    assert pid is not None
    start, stop = (
        graph.node.create_client(kind, f"recorder/{name}")
        for kind, name in ((StartRecording, "start"), (StopRecording, "stop"))
    )
    by_hand = not graph.recording
    if by_hand:
        begun = graph.ask(start, StartRecording.Request(
            episode_id=f"by_hand_{time.time_ns()}", task="by_hand", directory=str(graph.bags)
        ))  # fmt: skip
        assert begun.success, begun.message
    known, (soft, hard) = len(graph.said("recorder")), resource.prlimit(pid, resource.RLIMIT_FSIZE)
    moment = time.time_ns()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL, hard))
    try:
        graph.until(lambda: "File too large while writing" in graph.said("recorder")[known:], "a complaint")
        yield moment
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        if by_hand:
            graph.ask(stop, StopRecording.Request(label=EpisodeEvent.DISCARDED))
        for client in (start, stop):
            graph.node.destroy_client(client)


STEERING = "flow_steering"
WRIST = "camera/wrist/color/image_raw"
HOLDS = "holds when the lease ends"
LETS_GO = "the steering lets go, the arm holds"
FAULTS = (
    Fault("the steering is killed (SIGKILL)", HOLDS, ended(STEERING, signal.SIGKILL), Since.FAULT, ended=STEERING),
    Fault(
        "the controller is killed (SIGKILL)",
        "the robot's driver stops it",
        ended("arm_controller", signal.SIGKILL),
        Since.FAULT,
        ended="arm_controller",
    ),
    Fault("the steering hangs (SIGSTOP)", HOLDS, suspended(STEERING), Since.FAULT),
    Fault("the lease ends", "brakes to a hold", suspended(STEERING), Since.LEASE, within=0.3),
    Fault("the controller hangs (SIGSTOP)", "the robot's driver stops it", suspended("arm_controller"), Since.FAULT),
    Fault("the policy server hangs (SIGSTOP)", LETS_GO, suspended("vla_inference"), Since.FAULT),
    Fault(
        "the policy server is killed (SIGKILL)",
        LETS_GO,
        ended("vla_inference", signal.SIGKILL),
        Since.FAULT,
        ended="vla_inference",
    ),
    Fault("NaN in a chunk", "refused", refused(GateReport.REASON_NOT_FINITE, rows=[math.nan, *ROW[1:]] * HORIZON)),
    Fault("a chunk of the wrong shape", "refused", refused(GateReport.REASON_WRONG_SHAPE, horizon=HORIZON - 1)),
    Fault(
        "a chunk of the wrong action space",
        "refused",
        refused(GateReport.REASON_WRONG_SPACE, action_space=ActionSpace(value=ActionSpace.JOINT_VELOCITY)),
    ),
    Fault("an old chunk again", "refused", replayed),
    Fault("a second publisher", "refused", intruder),
    Fault("chunks at 1 kHz", "all refused", lambda scene: replayed(scene, times=1000, rate=1000.0)),
    Fault("a camera's images stop", LETS_GO, cut(WRIST), Since.FAULT),
    Fault("a camera's images come, and repeat themselves", LETS_GO, repeated(WRIST), Since.FAULT),
    Fault("the joint states stop", "a fault, brakes", cut("joint_states"), Since.FAULT),
    Fault("the joint states come, and repeat themselves", "a fault, brakes", repeated("joint_states"), Since.FAULT),
    Fault("the robot hangs (SIGSTOP of the simulation)", "a fault, brakes", suspended("sim"), Since.COMMAND),
    Fault("the robot tells of an error", "a fault, brakes, until it is recovered", robot_error, Since.FAULT),
    Fault("the recorder's disk is full", "goes on", full_disk),
    Fault("the recorder hangs (SIGSTOP)", "goes on", suspended("recorder")),
    Fault("the recorder is killed (SIGKILL)", "goes on", ended("recorder", signal.SIGKILL), ended="recorder"),
    Fault(
        "the robot vanishes (SIGKILL of the simulation)",
        "a fault, brakes; the episode is over",
        ended("sim", signal.SIGKILL),
        Since.COMMAND,
        ended="sim",
        over=True,
    ),
    Fault("the steering is restarted (SIGTERM)", HOLDS, ended(STEERING, signal.SIGTERM), Since.FAULT, ended=STEERING),
    Fault(
        "the controller is restarted (SIGTERM)",
        "brakes and says that it is stopped; the episode is over",
        ended("arm_controller", signal.SIGTERM),
        Since.FAULT,
        ended="arm_controller",
        over=True,
    ),
)
WALL_CLOCK = Fault(
    "the wall clock jumps by an hour, ahead, behind and right again",
    "goes on, or holds or brakes because something comes late",
    wall_time_jumps,
    unmeasured="keeps within its limits",
)
"""It needs a graph of its own: DDS remembers the jump (docs/safety.md, Clocks)."""
SIM_CLOCK = Fault(
    "simulated time jumps by an hour, ahead, behind and right again",
    "goes on, or holds while the stamps of what the policy sees do not fit",
    sim_time_jumps,
    unmeasured="keeps within its limits, and goes on",
)
"""It needs a graph whose nodes follow /clock."""
