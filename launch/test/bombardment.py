"""Hostile chunks against the running controller, which drives the simulated arm by what it lets pass of them."""

from __future__ import annotations

import numpy as np
from fault_cases import DIM, HORIZON, READY, Scene, a_chunk
from frs_msgs.msg import ActionChunk, ArmState
from frs_msgs.srv import ClaimArm
from hostile_chunks import KINDS
from joint_motion import AT_REST, speed
from real_graph import RealGraph

from frs_steering.nodes.conversions import duration_msg
from frs_steering.nodes.qos import COMMAND

LEASES = (0.0, 0.05, 0.3, 1.0, 5.0)  # s
BURST = 50  # chunks sent at once, now and then


def bombard(scene: Scene, seed: int, chunks: int) -> None:
    """Claim the arm while nobody drives it, send `chunks` chunks that mean harm, and wait until it rests."""
    graph, rng = scene.graph, np.random.default_rng(seed)
    graph.end()
    graph.until(lambda: graph.arm[-1].message.state in READY, "an arm that waits")
    epoch = _claim(graph)
    publisher = graph.node.create_publisher(ActionChunk, "action_chunk", COMMAND)
    graph.until(lambda: publisher.get_subscription_count() > 1, "listeners")
    for chunk_id in range(1, chunks + 1):
        now: ArmState = graph.arm[-1].message
        publisher.publish(_hostile(rng, chunk_id, epoch, now.tick))
        if chunk_id % (2 * BURST) < BURST:
            steps = int(rng.integers(1, 5))
            graph.until(lambda: graph.arm[-1].message.tick >= now.tick + steps, "control steps")  # noqa: B023 - at once
    graph.until(lambda: graph.arm[-1].message.state != ArmState.RUNNING, "an arm that is not driven")
    graph.until(lambda: speed(graph.joints[-1]) < AT_REST, "an arm at rest")
    graph.node.destroy_publisher(publisher)


def _claim(graph: RealGraph) -> int:
    """As soon as the steering's lease has ended."""
    client = graph.node.create_client(ClaimArm, "arm_controller/claim")
    epoch = graph.until(lambda: graph.ask(client, ClaimArm.Request(owner="hostile")).epoch, "a claim that is granted")
    graph.node.destroy_client(client)
    return epoch


def _hostile(rng: np.random.Generator, chunk_id: int, epoch: int, tick: int) -> ActionChunk:
    rows = KINDS[rng.integers(len(KINDS))](rng, DIM)
    assert rows.shape == (HORIZON, DIM)
    chunk = a_chunk()
    chunk.rows = np.clip(rows, -1e30, 1e30).ravel().tolist()  # within the message's single precision; NaN stays
    chunk.chunk_id, chunk.owner_epoch = chunk_id, epoch
    chunk.first_tick = max(0, tick + 1 + int(rng.integers(-20, 4)))
    chunk.lease = duration_msg(float(rng.choice(LEASES)))
    return chunk
