"""The node `scripted_reasoner` beside the simulated cell: from the truth to a wish a person could have."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from frs_msgs.msg import Guidance
from rclpy.node import Node
from sim_graph import Ear, executable

from frs_sim.oracle import LEAST
from frs_steering.nodes.conversions import guidance_from_msg
from frs_steering.nodes.qos import EVENT
from frs_steering.steer.guidance import DIRECTIONS, GripperWish, GuidanceSource

LEAST_HEARD = float(np.float32(LEAST))  # as it comes out of a message


def test_it_gives_cardinal_directions_from_the_truth_alone(node: Node, procs: Callable[..., Any]) -> None:
    ear = Ear(node)
    wishes = ear.listen(Guidance, "guidance", EVENT)
    procs(executable("sim"))
    reasoner = procs(executable("scripted_reasoner"))
    ear.until(lambda: len(wishes) > 5)
    for seed in range(1, 4):
        assert ear.reset("egg_in_basket", seed).success
        wishes.clear()
        ear.until(lambda: len(wishes) > 3)
        for wish in map(guidance_from_msg, wishes):
            assert wish.source is GuidanceSource.SCRIPTED
            assert wish.author == "scripted"
            assert wish.gripper is GripperWish.KEEP
            assert wish.validity == 0.5
            assert wish.defer or (wish.direction in DIRECTIONS.values() and LEAST_HEARD <= wish.amount <= 1.0)
    heard = dict(node.get_subscriber_names_and_types_by_node("scripted_reasoner", "/"))
    assert {topic for topic in heard if topic != "/parameter_events"} <= {"/sim/truth", "/clock"}

    begun = time.monotonic()
    reasoner.send_signal(signal.SIGTERM)
    assert reasoner.wait(10) == 0
    assert time.monotonic() - begun < 2.0
