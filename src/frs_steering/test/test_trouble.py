"""What waits for `recover`: whose words it is, and until when."""

from __future__ import annotations

from frs_steering.arm.trouble import Trouble

RIVALRY = "/arm_controller, /my_planner all publish on /turn, past arm_controller's gate: end all but one"


def test_an_error_is_the_robots_word_and_waits_for_recover_when_it_is_over() -> None:
    now = Trouble().reported("joint_reflex", "")
    assert now.message == "the robot says: joint_reflex; call arm_controller/recover"
    assert now.present == "the robot still says: joint_reflex"
    over = now.reported("", "")
    assert (over.present, over.latched, over.message) == ("", "joint_reflex", now.message)


def test_who_else_commands_the_arm_is_not_the_robots_word() -> None:
    now = Trouble().reported("", RIVALRY)
    assert now.present == RIVALRY
    assert now.message == f"{RIVALRY}; call arm_controller/recover"
    assert now.reported("", "").message == now.message


def test_nor_is_it_where_a_driver_tells_of_it_too() -> None:
    both = Trouble().reported(RIVALRY, "").reported(RIVALRY, RIVALRY)
    assert (both.present, both.message) == (RIVALRY, f"{RIVALRY}; call arm_controller/recover")


def test_the_robots_own_error_comes_first() -> None:
    both = Trouble(elsewhere="fr3_joint4 is said to be elsewhere").reported("joint_reflex", RIVALRY)
    assert both.present == "the robot still says: joint_reflex"
    assert both.message == "the robot says: joint_reflex; call arm_controller/recover"
    assert both.latched == f"joint_reflex; {RIVALRY}; fr3_joint4 is said to be elsewhere", "and what else is ended"


def test_where_there_is_none_nothing_is_said() -> None:
    assert (Trouble().present, Trouble().latched, Trouble().message) == ("", "", "")
