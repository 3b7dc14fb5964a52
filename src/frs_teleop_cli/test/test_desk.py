"""The node behind the screen, among real publishers and servers."""

import pytest
from desk_bench import Bench, conduct, serve, steering_ready
from frs_msgs.msg import ArmState, Decision, GateReport, Guidance, PolicyInfo, TaskState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

from frs_steering.nodes.qos import EVENT, LATCHED
from frs_teleop_cli.nodes.desk import PEERS
from frs_teleop_cli.wishes import Wish


@pytest.fixture
def bench(node):
    made = Bench(node)
    yield made
    made.close()


def decision_for(guidance, **fields):
    message = Decision(chunk_id=5, source=Decision.SOURCE_HUMAN, method="frs", **fields)
    message.guidance = guidance
    message.timings.total = 0.1
    return message


def vector(message):
    return (message.direction.x, message.direction.y, message.direction.z)


def test_one_press_is_one_guidance(bench):
    bench.press("left")
    bench.until(lambda: bench.guidance)
    (message,) = bench.guidance
    assert vector(message) == (0.0, 1.0, 0.0)
    assert message.header.frame_id == "fr3_link0"
    assert message.header.stamp.sec > 0
    assert (message.source, message.author) == (Guidance.SOURCE_HUMAN, "operator")
    assert (message.defer, message.amount, message.gripper) == (False, 1.0, Guidance.GRIPPER_KEEP)
    assert (message.validity.sec, message.validity.nanosec) == (1, 0)


def test_taps_are_sent_as_decisions_take_them_up(bench):
    decisions = bench.publisher(Decision, "decision", EVENT)
    bench.press("left", "c", "up")
    bench.until(lambda: len(bench.guidance) == 2)
    assert bench.desk.view().queued == (Wish((1.0, 0.0, 0.0)),)
    decisions.publish(decision_for(bench.guidance[1]))
    bench.until(lambda: len(bench.guidance) == 3)
    assert vector(bench.guidance[1]) == (0.0, 1.0, 0.0)
    assert bench.guidance[1].gripper == Guidance.GRIPPER_CLOSE
    assert vector(bench.guidance[2]) == (1.0, 0.0, 0.0)
    view = bench.desk.view()
    assert view.taken.wish == Wish((0.0, 1.0, 0.0), Guidance.GRIPPER_CLOSE)


def test_decision_on_somebody_elses_wish_is_not_ours(bench):
    decisions = bench.publisher(Decision, "decision", EVENT)
    bench.press("left")
    bench.until(lambda: bench.guidance)
    bench.guidance[0].author = "another"
    decisions.publish(decision_for(bench.guidance[0]))
    bench.until(lambda: bench.desk.view().decision)
    assert bench.desk.view().wish is not None
    assert bench.desk.view().taken is None


def test_overruled_wish_is_explained(bench):
    decisions = bench.publisher(Decision, "decision", EVENT)
    bench.press("left")
    bench.until(lambda: bench.guidance)
    bench.guidance[0].defer = True
    message = decision_for(bench.guidance[0], deferred=True, defer_reason="agreement 0.1 is below 0.5")
    message.source = Decision.SOURCE_BASE
    decisions.publish(message)
    bench.until(bench.notes)
    assert bench.notes() == ["left (+y): the policy acted instead, agreement 0.1 is below 0.5"]
    assert bench.desk.view().wish is None
    assert bench.desk.view().taken is None


def test_flipped_compass_turns_the_keys_and_amount_halves(bench):
    bench.press("f", "m", "left")
    bench.until(lambda: bench.guidance)
    assert vector(bench.guidance[0]) == (0.0, -1.0, 0.0)
    assert bench.guidance[0].amount == 0.5
    bench.press("d", "f", "m", "left")
    bench.until(lambda: len(bench.guidance) == 3)
    assert bench.guidance[1].defer
    assert vector(bench.guidance[2]) == (0.0, 1.0, 0.0)
    assert bench.guidance[2].amount == 1.0


def test_stop_is_asked_for_until_a_late_arm_controller_confirms(bench):
    bench.press("left", "space")
    assert bench.desk.view().stop_asked is not None
    assert bench.desk.view().wish is None
    requests = []

    def on_stop(_request, response):
        requests.append(1)
        response.success = len(requests) > 1  # the first is refused
        return response

    bench.tester.create_service(Trigger, "arm_controller/stop", on_stop)
    bench.until(lambda: bench.desk.view().stop_asked is None)
    assert len(requests) >= 2


def test_stop_is_confirmed_by_the_state_of_the_arm_and_ends_the_steering(bench):
    arm = bench.publisher(ArmState, "arm_state", LATCHED)
    bench.press("space")
    arm.publish(ArmState(state=ArmState.STOPPED))
    bench.until(lambda: bench.desk.view().stop_asked is None)
    assert bench.desk.view().steering is False


def test_stop_switches_the_steering_off_too(bench):
    requests = serve(bench, SetBool, "flow_steering/activate", {"success": True}, bench.desk._activate.client)
    bench.press("space")
    bench.until(lambda: requests)
    assert requests[0].data is False


def test_steering_key_toggles(bench):
    requests = serve(bench, SetBool, "flow_steering/activate", {"success": True}, bench.desk._activate.client)
    bench.press("a")
    bench.until(lambda: bench.desk.view().steering is True)
    bench.press("a")
    bench.until(lambda: bench.desk.view().steering is False)
    assert [request.data for request in requests] == [True, False]
    assert bench.notes() == ["steering on", "steering off"]


def test_refused_steering_says_why(bench):
    answer = {"success": False, "message": "no policy_info came"}
    serve(bench, SetBool, "flow_steering/activate", answer, bench.desk._activate.client)
    bench.press("a")
    bench.until(bench.notes)
    assert bench.notes() == ["flow_steering/activate: no policy_info came"]
    assert bench.desk.view().steering is None


def test_leaving_switches_off_what_was_switched_on_here(bench):
    requests = serve(bench, SetBool, "flow_steering/activate", {"success": True}, bench.desk._activate.client)
    bench.desk.close(bench.executor)
    assert requests == []
    bench.press("a")
    bench.until(lambda: bench.desk.view().steering is True)
    bench.desk.close(bench.executor)
    assert [request.data for request in requests] == [True, False]


def test_keys_without_their_nodes_say_so(bench):
    bench.press("r", "a", "e", "y")
    assert bench.notes() == [
        "arm_controller/reset: no arm_controller is there",
        "flow_steering/activate: no flow_steering is there",
        "the steering is OFF: nothing moves while you record; a switches it on",
        "recorder/start: no recorder is there",
        "nothing is being recorded; e starts a recording",
    ]


def test_error_in_a_key_is_a_line_on_the_screen(bench):
    bench.desk._guidance.destroy()
    bench.press("left")
    assert bench.notes()[0].startswith("key ← j: ")


def test_absent_nodes_are_named_and_come_back(bench):
    bench.until(lambda: bench.desk.view().absent == tuple(PEERS))
    bench.publisher(Decision, "decision", EVENT)
    bench.until(lambda: "flow_steering" not in bench.desk.view().absent)


def test_wish_that_nobody_takes_up_is_reported(bench):
    bench.press("w")
    bench.until(bench.notes)
    assert bench.notes() == ["up (+z): no decision took it up"]


def test_screen_learns_from_every_topic(bench):
    nan = float("nan")
    bench.publisher(PolicyInfo, "policy_info", LATCHED).publish(
        PolicyInfo(name="embedded", execute_rows=8, row_duration=1 / 15)
    )
    bench.publisher(TaskState, "task_state", LATCHED).publish(TaskState(task="egg_in_basket", step=3, step_limit=9))
    bench.publisher(ArmState, "arm_state", LATCHED).publish(ArmState(state=2, tick=9, row=1, lease_remaining=nan))
    gate = bench.publisher(GateReport, "gate_report", EVENT)
    gate.publish(GateReport(verdict=GateReport.REJECTED, reason=GateReport.REASON_NOT_FINITE, detail="row 3"))
    gate.publish(GateReport(verdict=GateReport.ACCEPTED))
    bench.until(lambda: bench.desk.view().gate and bench.desk.view().gate.facts.verdict == GateReport.ACCEPTED)
    bench.until(lambda: bench.desk.view().policy and bench.desk.view().arm and bench.desk.view().task)
    view = bench.desk.view()
    assert view.objection.facts.detail == "row 3"
    assert view.task.facts.task == "egg_in_basket"
    assert view.arm.facts.lease_remaining is None
    assert view.lead == 2  # the schedule's, before anything was measured


def test_what_is_still_starting_is_known_until_all_have_been_heard(bench):
    assert bench.desk.view().waiting == ("arm_controller", "vla_inference", "flow_steering")
    bench.press("b")
    assert bench.notes() == ["no episode can begin yet: waiting for arm_controller, vla_inference, flow_steering"]
    bench.publisher(ArmState, "arm_state", LATCHED).publish(ArmState())
    bench.until(lambda: bench.desk.view().waiting == ("vla_inference", "flow_steering"))
    steering_ready(bench)


def test_steering_itself_says_whether_it_is_on_and_what_keeps_it_from_deciding(bench):
    active = steering_ready(bench)
    assert bench.desk.view().steering is False
    active.publish(Bool(data=True))
    why_not = bench.publisher(String, "flow_steering/why_not", LATCHED)
    why_not.publish(String(data="flow_query failed: no instruction came yet"))
    bench.until(lambda: bench.desk.view().steering and bench.desk.view().why_not)
    assert bench.desk.view().why_not == "flow_query failed: no instruction came yet"


def test_episode_begins_in_the_first_scene_and_then_in_the_next_seeds(bench):
    goals, over = conduct(bench, "no success within 9 control steps")
    steering_ready(bench)
    task = bench.publisher(TaskState, "task_state", LATCHED)
    task.publish(TaskState(task="egg_in_basket", seed=7))
    bench.until(lambda: bench.desk.view().task)
    bench.press("b", "b")
    bench.until(lambda: goals and bench.desk._episodes.running)
    assert (goals[0].task, goals[0].seed, goals[0].record_directory) == ("egg_in_basket", 7, "runs")
    assert bench.notes() == [
        "an episode is under way; x calls it off",
        "episode begins: egg_in_basket, seed 7; x calls it off",
    ]
    over.set()
    bench.until(lambda: not bench.desk._episodes.running)
    assert bench.notes()[-1] == "the episode ended: no success within 9 control steps"
    task.publish(TaskState(task="egg_in_basket", seed=7, episode=1))
    bench.until(lambda: bench.desk.view().task.facts.episode == 1)
    bench.press("b")
    bench.until(lambda: len(goals) == 2)
    assert goals[1].seed == 8


def test_episode_is_called_off_by_a_key_and_by_leaving(bench):
    goals, _ = conduct(bench)
    steering_ready(bench)
    bench.publisher(TaskState, "task_state", LATCHED).publish(TaskState(task="egg_in_basket"))
    bench.until(lambda: bench.desk.view().task)
    bench.press("b")
    bench.until(lambda: bench.desk._episodes.running)
    bench.press("x")
    bench.until(lambda: not bench.desk._episodes.running)
    bench.press("b")
    bench.until(lambda: len(goals) == 2 and bench.desk._episodes.running)
    bench.desk.close(bench.executor)
    bench.until(lambda: not bench.desk._episodes.running)


def test_what_is_amiss_before_an_episode_is_told_once(bench):
    said = "before the episode: the recorder says: the disk of /runs has room for 3 minutes"
    goals, over = conduct(bench, amiss=said.removeprefix("before the episode: "))
    steering_ready(bench)
    bench.publisher(TaskState, "task_state", LATCHED).publish(TaskState(task="egg_in_basket"))
    bench.until(lambda: bench.desk.view().task)
    bench.press("b")
    bench.until(lambda: said in bench.notes() and bench.desk._episodes.running)
    over.set()
    bench.until(lambda: not bench.desk._episodes.running)
    assert bench.notes().count(said) == len(goals) == 1
    assert next(note for note in bench.desk.view().notes if note.text == said).bad


def test_episode_without_a_conductor_says_so(bench):
    steering_ready(bench)
    bench.press("b")
    assert bench.notes() == ["no episode can begin: nobody conducts any here; e records by hand"]


def test_unanswered_question_is_given_up(bench):
    bench.tester.create_service(Trigger, "arm_controller/reset", lambda _request, response: response)
    client = bench.desk._reset.client
    bench.until(client.service_is_ready)
    bench.executor.remove_node(bench.tester)  # there, but silent
    bench.press("r")
    bench.press("r")
    assert bench.notes() == ["arm_controller/reset: still waiting for arm_controller"]
    bench.until(lambda: len(bench.notes()) == 2)
    assert bench.notes()[1] == "arm_controller/reset: no answer of arm_controller in 2 s"
