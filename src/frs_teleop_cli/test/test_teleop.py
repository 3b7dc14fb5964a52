"""The real `teleop` process in a real pseudo-terminal, among real DDS peers."""

import signal
import subprocess
import sys
import time

import pytest
from frs_msgs.msg import ArmState, Decision, EpisodeEvent, Guidance
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String
from terminal_process import TerminalProcess

from frs_steering.nodes.qos import EVENT, LATCHED

TELEOP = (sys.executable, "-m", "frs_teleop_cli.nodes.teleop")
STOP_TIME = 2.0  # s


@pytest.fixture
def teleop():
    """Starts teleop in a terminal and waits for its screen."""
    started = []

    def start(*parameters):
        ros_args = ["--ros-args", *(word for one in parameters for word in ("-p", one))] if parameters else []
        started.append(TerminalProcess(*TELEOP, *ros_args))
        started[-1].wait_for("space = STOP")
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture
def heard(node):
    """A function that waits for so many wishes and returns them."""
    messages = []
    node.create_subscription(Guidance, "guidance", messages.append, EVENT)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def wait(count, timeout=10.0):
        end = time.monotonic() + timeout
        while len(wishes := [message for message in messages if not message.defer]) < count:
            assert time.monotonic() < end, f"{len(wishes)} of {count} wishes in {timeout} s"
            executor.spin_once(timeout_sec=0.05)
        return wishes

    def connect(process):
        # Only teleop knows when it can reach us: let the policy act until something comes.
        end = time.monotonic() + 10
        while not messages:
            assert time.monotonic() < end, "no guidance within 10 s"
            process.press(b"d")
            executor.spin_once(timeout_sec=0.3)

    wait.connect = connect
    yield wait
    executor.shutdown()


def until(happened, timeout=10.0):
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, f"did not happen within {timeout} s"
        time.sleep(0.01)


def test_key_presses_become_guidance_and_sigterm_ends_it(teleop, heard):
    process = teleop()
    heard.connect(process)
    process.press(b"\x1b[A")
    process.press(b"c")
    moved, joined = heard(2)[:2]
    assert (moved.direction.x, moved.direction.y, moved.direction.z) == (1.0, 0.0, 0.0)
    assert moved.source == Guidance.SOURCE_HUMAN
    assert joined.direction.x == 1.0
    assert joined.gripper == Guidance.GRIPPER_CLOSE
    process.wait_for("forward +x]")
    status, seconds = process.end(signal.SIGTERM)
    assert status == 0
    assert seconds < STOP_TIME
    assert process.restored()
    process.wait_for("\x1b[?1049l")
    process.wait_for("\x1b[?25h")


@pytest.mark.parametrize("leave", [signal.SIGINT, b"q", b"\x03"], ids=["SIGINT", "q", "ctrl+c"])
def test_other_ways_out(teleop, leave):
    process = teleop()
    if isinstance(leave, bytes):
        process.press(leave)
    status, seconds = process.end(None if isinstance(leave, bytes) else leave)
    assert status == 0
    assert seconds < STOP_TIME
    assert process.restored()


def test_broken_connection_ends_it(teleop):
    process = teleop()
    process.hang_up()
    _, seconds = process.end()
    assert seconds < STOP_TIME


def test_terminal_that_takes_no_more_output_does_not_keep_it(teleop):
    process = teleop()
    process.block_output()
    status, seconds = process.end(signal.SIGTERM)
    assert status == 1
    assert seconds < STOP_TIME
    assert process.restored()


def test_nonsense_from_the_peers_does_not_disturb_the_screen(teleop, heard, node):
    process = teleop()
    heard.connect(process)
    nan = float("nan")
    arm = node.create_publisher(ArmState, "arm_state", LATCHED)
    decisions = node.create_publisher(Decision, "decision", EVENT)
    until(lambda: arm.get_subscription_count() and decisions.get_subscription_count())
    arm.publish(ArmState(state=200, row=-7, lease_remaining=nan, message="\x1b[2Jboo", gripper=nan))
    decision = Decision(source=99, chunk_id=2**64 - 1, defer_reason="\x07")
    decision.guidance.direction.x = nan
    decision.diagnostics.agreement = decision.timings.total = float("inf")
    decisions.publish(decision)
    process.wait_for("STATE 200?")
    process.wait_for("18446744073709551615")
    process.press(b"s")
    assert heard(1)[0].direction.z == -1.0
    assert "\x1b[2Jboo" not in process.drawn


def test_episode_end_ends_it_when_asked_to(teleop, node):
    process = teleop("exit_after_episode:=true")
    events = node.create_publisher(EpisodeEvent, "episode_event", EVENT)

    def over():
        # Only teleop knows when it can hear us: a killed one of an earlier test still counts as a subscription.
        for kind in (EpisodeEvent.STARTED, EpisodeEvent.SUCCEEDED):
            events.publish(EpisodeEvent(kind=kind, episode_id="egg-0", author="episode"))
        return process.process.poll() is not None

    until(over)
    assert process.process.returncode == 0
    process.wait_for("episode egg-0 succeeded")
    assert process.restored()


def test_instruction_can_be_given(teleop, node):
    told = []
    node.create_subscription(String, "instruction", lambda message: told.append(message.data), LATCHED)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    teleop("instruction:=put the egg in the basket")

    def heard():
        executor.spin_once(timeout_sec=0.05)
        return told

    until(heard)
    executor.shutdown()
    assert told == ["put the egg in the basket"]


def test_wrong_parameter_is_named(teleop):
    process = TerminalProcess(*TELEOP, "--ros-args", "-p", "validity:=-1.0")
    try:
        status, _ = process.end(timeout=15)
        assert status == 1
        process.wait_for("parameter 'validity' of node 'teleop'")
    finally:
        process.close()


def test_without_a_terminal_it_says_so():
    done = subprocess.run(TELEOP, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: teleop needs a terminal for its keys and screen (over SSH: ssh -t)\n"
    assert done.stdout == ""
