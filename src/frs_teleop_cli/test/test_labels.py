"""Episodes that the operator records, labels and writes notes into."""

import subprocess
import threading
import time
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_prefix
from desk_bench import Bench, conduct, serve, steering_ready
from frs_msgs.msg import EpisodeEvent, RecorderState, TaskState
from frs_msgs.srv import StartRecording, StopRecording
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from frs_steering.nodes.qos import EVENT, LATCHED, SENSOR
from frs_steering.record.reader import records, summarise
from frs_teleop_cli.nodes.labels import Labels
from frs_teleop_cli.screen import screen

RECORDER = Path(get_package_prefix("frs_steering")) / "lib" / "frs_steering" / "recorder"


@pytest.fixture
def bench(node):
    made = Bench(node)
    yield made
    made.close()


def recording(bench, path="/somewhere/egg-0.mcap.partial"):
    """Let a recorder be heard that records."""
    state = bench.publisher(RecorderState, "recorder_state", LATCHED)
    state.publish(RecorderState(recording=True, path=path, message=f"recording to {path}"))
    bench.until(lambda: bench.desk.view().recorder)


def events_of(bench):
    events = []
    bench.tester.create_subscription(EpisodeEvent, "episode_event", events.append, EVENT)
    bench.until(lambda: bench.desk._labels._events.get_subscription_count() >= 2)
    return events


def test_a_recorder_that_was_started_again_is_told(bench):
    serve(bench, StartRecording, "recorder/start", {"success": True}, bench.desk._labels._start.client)
    state = bench.publisher(RecorderState, "recorder_state", LATCHED)
    events = events_of(bench)
    state.publish(RecorderState(message="ready"))  # of before the recording
    bench.press("e")
    bench.until(lambda: events)
    name = events[0].episode_id
    state.publish(RecorderState(recording=True, path=f"/runs/{name}/{name}.mcap.partial"))
    bench.until(lambda: bench.desk._labels._is_heard)
    bench.press("b")
    assert "no episode can begin while you record by hand: y, n or x ends that first" in bench.notes()
    assert "is recorded no more" not in bench.notes()
    state.publish(RecorderState(message="ready"))
    bench.until(lambda: f"{name} is recorded no more; e begins another recording" in bench.notes())
    assert not bench.desk._labels.recording_here


def test_operator_records_and_labels_an_episode(bench):
    started = serve(bench, StartRecording, "recorder/start", {"success": True}, bench.desk._labels._start.client)
    stopped = serve(
        bench, StopRecording, "recorder/stop", {"success": True, "messages": 77}, bench.desk._labels._stop.client
    )
    events = []
    bench.tester.create_subscription(EpisodeEvent, "episode_event", events.append, EVENT)
    bench.until(lambda: bench.desk._labels._events.get_subscription_count() >= 2)
    state = bench.publisher(RecorderState, "recorder_state", LATCHED)
    task = bench.publisher(TaskState, "task_state", LATCHED)
    task.publish(TaskState(task="egg_in_basket", instruction="put it in", seed=7))
    bench.until(lambda: bench.desk.view().task)
    bench.press("e")
    bench.until(lambda: events)
    state.publish(RecorderState(recording=True))
    bench.until(lambda: bench.desk.view().recorder)
    bench.press("y")
    bench.until(lambda: stopped and len(events) == 2)
    assert (started[0].task, started[0].instruction, started[0].seed) == ("egg_in_basket", "put it in", 7)
    assert [event.kind for event in events] == [EpisodeEvent.STARTED, EpisodeEvent.SUCCEEDED]
    assert {event.episode_id for event in events} == {started[0].episode_id}
    assert {event.author for event in events} == {"operator"}
    assert (stopped[0].label, stopped[0].author) == (EpisodeEvent.SUCCEEDED, "operator")
    bench.until(lambda: "77 messages recorded" in bench.notes())


def test_conducted_episode_is_left_to_its_conductor_until_that_is_gone(bench):
    stopped = serve(bench, StopRecording, "recorder/stop", {"success": True}, bench.desk._labels._stop.client)
    events = bench.publisher(EpisodeEvent, "episode_event", EVENT)
    events.publish(EpisodeEvent(kind=EpisodeEvent.STARTED, episode_id="egg-0", author="episode"))
    state = bench.publisher(RecorderState, "recorder_state", LATCHED)
    state.publish(RecorderState(recording=True, path="/somewhere/egg-0.mcap"))
    bench.until(lambda: bench.desk.view().recorder and bench.desk._labels._episode)
    bench.press("n")
    assert bench.notes() == ["episode egg-0 is conducted by episode, which labels it itself"]
    bench.tester.destroy_publisher(events)
    bench.until(lambda: bench.desk.count_publishers("episode_event") == 1)
    bench.press("n")
    bench.until(lambda: stopped)
    assert stopped[0].label == EpisodeEvent.FAILED


def test_without_a_task_the_instruction_is_recorded(bench):
    """A real robot has no task_state."""
    started = serve(bench, StartRecording, "recorder/start", {"success": True}, bench.desk._labels._start.client)
    bench.publisher(String, "instruction", LATCHED).publish(String(data="put the egg in the basket"))
    bench.until(lambda: bench.desk._told_policy)
    bench.press("e")
    bench.until(lambda: started)
    assert (started[0].instruction, started[0].task) == ("put the egg in the basket", "put_the_egg_in_the_basket")


def test_any_operators_name_makes_an_episode_that_can_be_recorded(node):
    notes, told = [], []
    labels = Labels(node, "Jane Doe", lambda text, bad=False: told.append(text), lambda *_: None, lambda: False)
    requests, events = [], []

    def on_start(request, response):
        requests.append(request)
        response.success = True
        return response

    node.create_service(StartRecording, "recorder/start", on_start)
    node.create_subscription(EpisodeEvent, "episode_event", events.append, EVENT)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    end = time.monotonic() + 10.0
    while not labels._start.client.service_is_ready() and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)
    labels.start(None, "", time.monotonic())
    while not events and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)
    executor.shutdown()
    assert requests[0].episode_id.startswith("Jane_Doe-2"), notes
    assert [event.author for event in events] == ["Jane Doe"]


def test_what_the_preflight_finds_is_told_and_the_recording_begins(bench):
    complaint = {"success": False, "message": "the disk of /runs has room for 3 minutes"}
    looked = serve(bench, Trigger, "recorder/preflight", complaint, bench.desk._labels._preflight.client)
    answer = {"success": True, "path": "p", "message": "recording to p; joint_states never came"}
    started = serve(bench, StartRecording, "recorder/start", answer, bench.desk._labels._start.client)
    bench.press("e")
    bench.until(lambda: started and bench.desk._labels._episode)
    assert len(looked) == 1
    assert "before the recording: the disk of /runs has room for 3 minutes" in bench.notes()


def test_what_the_recorder_says_at_the_start_is_told(bench):
    answer = {"success": True, "path": "p", "message": "recording to p; joint_states never came"}
    serve(bench, StartRecording, "recorder/start", answer, bench.desk._labels._start.client)
    bench.press("e")
    bench.until(lambda: bench.desk._labels._episode)
    (note,) = [note for note in bench.desk.view().notes if note.text.startswith("at the recording's start")]
    assert note.bad
    assert note.text == "at the recording's start: joint_states never came"


def test_a_note_goes_out_at_once_and_into_the_label(bench):
    stopped = serve(bench, StopRecording, "recorder/stop", {"success": True}, bench.desk._labels._stop.client)
    events = events_of(bench)
    bench.desk.note("lost")
    assert bench.notes() == ["nothing is being recorded that could take the note 'lost'"]
    recording(bench)
    bench.desk.note("the egg slipped")
    bench.until(lambda: events)
    noted = (events[0].kind, events[0].episode_id, events[0].author, events[0].note)
    assert noted == (EpisodeEvent.NOTE, "egg-0", "operator", "the egg slipped")
    bench.press("n")
    bench.until(lambda: stopped)
    assert (stopped[0].note, stopped[0].author) == ("the egg slipped", "operator")


def test_an_episode_that_was_begun_here_is_known_to_be_this_operators(bench):
    events = events_of(bench)
    goals, over = conduct(bench)
    steering_ready(bench)
    bench.publisher(TaskState, "task_state", LATCHED).publish(TaskState(task="egg_in_basket"))
    bench.until(lambda: bench.desk.view().task)
    conductor = bench.publisher(EpisodeEvent, "episode_event", EVENT)
    begun = EpisodeEvent(kind=EpisodeEvent.STARTED, episode_id="egg-0", task="egg_in_basket", author="episode")
    conductor.publish(begun)
    bench.until(lambda: len(events) == 1 and bench.desk._labels._episode)
    bench.press("b")
    bench.until(lambda: goals and bench.desk._episodes.running)
    conductor.publish(begun)
    bench.until(lambda: len(events) == 3)
    note = events[-1]
    assert (note.kind, note.author, note.note) == (EpisodeEvent.NOTE, "operator", "began this episode")
    assert (note.episode_id, note.task) == ("egg-0", "egg_in_basket")
    over.set()
    bench.until(lambda: not bench.desk._episodes.running)


def test_a_topic_that_falls_silent_is_an_alarm_on_the_screen(bench, procs, tmp_path):
    """The real recorder; one camera stops while it records."""
    procs(RECORDER, "--ros-args", "-p", f"directory:={tmp_path}", "-p", "cameras:=[wrist]", stdin=subprocess.DEVNULL)
    camera = bench.tester.create_publisher(Image, "camera/wrist/color/image_raw", SENSOR)
    joints = bench.tester.create_publisher(JointState, "joint_states", SENSOR)
    silent, over = threading.Event(), threading.Event()

    def publish():
        while not over.wait(1 / 15):
            joints.publish(JointState())
            if not silent.is_set():
                camera.publish(Image(height=1, width=1, step=3, encoding="rgb8", data=[0, 0, 0]))

    def line():
        (row,) = [row for row in screen(bench.desk.view()).facts if row.label == "Recorder"]
        return row

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        bench.until(lambda: "idle" in line().text and bench.desk._labels._preflight.client.service_is_ready(), 20.0)
        bench.press("e")
        bench.until(lambda: "RECORDING" in line().text, 20.0)
        bench.until(lambda: "camera/wrist" not in line().text, 20.0)  # it has come, at its rate
        silent.set()
        bench.until(lambda: "camera/wrist/color/image_raw has not come for 2 s" in line().text, 20.0)
        assert line().tone == "bad"
        assert line().text.startswith("RECORDING, BUT ")
        bench.desk.note("camera unplugged")
        bench.press("n")
        bench.until(lambda: any("messages recorded" in note for note in bench.notes()), 20.0)
    finally:
        over.set()
        publisher.join()
    (file,) = tmp_path.glob("*/*.mcap")
    assert "camera unplugged" in summarise(file).result["note"]
    assert "camera unplugged" in [record.message.note for record in records(file, ["episode_event"])]
