"""The textual application, driven by textual's own pilot."""

import asyncio
import dataclasses

from textual.widgets import Static

from frs_teleop_cli.app import ELSEWHERE, OperatorApp
from frs_teleop_cli.keys import KEYS, Act
from frs_teleop_cli.view import Note, View

ITS_OWN = (Act.QUIT, Act.HELP, Act.NOTE)
"""What the application carries out itself."""


class Desk:
    """A console that remembers what was pressed."""

    def __init__(self):
        self.pressed, self.notes = [], []
        self.shown = View(now=3.0, started=1.8)
        self.ended = False

    def press(self, key):
        self.pressed.append(key.act)

    def note(self, text):
        self.notes.append(text)

    def view(self):
        return self.shown


def on_screen(app):
    """The screen as lines of text, as the terminal would show them."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def pilot(size, steps):
    """Run `steps(app, pilot, desk)` on an application of `size`."""

    async def run():
        desk = Desk()
        app = OperatorApp(desk)
        async with app.run_test(size=size) as driver:
            await steps(app, driver, desk)
        return desk

    return asyncio.run(run())


def test_every_key_of_the_table_arrives():
    async def steps(_app, driver, _desk):
        for key in KEYS:
            for name in key.names:
                if key.act not in ITS_OWN:
                    await driver.press(name)

    desk = pilot((80, 24), steps)
    expected = [key.act for key in KEYS if key.act not in ITS_OWN for _ in key.names]
    assert desk.pressed == expected


def test_other_keys_do_nothing():
    async def steps(_app, driver, _desk):
        await driver.press("W", "A", "escape", "tab", "z", "f1", "ctrl+p", "ctrl+q")

    assert pilot((80, 24), steps).pressed == []


def test_quit_keys_quit():
    async def steps(app, driver, _desk):
        await driver.press("q")
        assert app._exit

    pilot((80, 24), steps)


def test_screen_closes_when_the_console_has_ended():
    async def steps(app, driver, desk):
        desk.ended = True
        await driver.pause(0.2)
        assert app._exit

    pilot((80, 24), steps)


def test_everything_fits_80_by_24():
    async def steps(app, driver, desk):
        desk.shown = dataclasses.replace(desk.shown, absent=("recorder",), notes=(Note("a", 3.0), Note("b", 3.0)))
        await driver.press("m")
        lines = on_screen(app)
        assert len(lines) == 24
        assert lines[0].startswith(" NO ARM  no arm_controller seen for 1.2 s")
        assert lines[0].rstrip().endswith("space = STOP")
        text = "\n".join(lines)
        for piece in ("Wish", "forward +x", "Decision", "Gate", "Recorder", "- b", "space STOP", "q quit"):
            assert piece in text

    pilot((80, 24), steps)


def test_stop_stays_in_sight_and_at_hand_in_a_tiny_terminal_and_under_the_help():
    async def steps(app, driver, desk):
        assert "space = STOP" in on_screen(app)[0]
        await driver.press("question_mark")
        assert "space = STOP" in on_screen(app)[0]
        await driver.press("space")
        assert desk.pressed == [Act.STOP]

    pilot((30, 6), steps)


def test_help_shows_the_whole_table_and_goes_again():
    async def steps(app, driver, _desk):
        await driver.press("question_mark")
        text = "\n".join(on_screen(app))
        assert all(key.meaning in text for key in KEYS)
        assert ELSEWHERE in text
        await driver.press("question_mark")
        assert "Recorder" in "\n".join(on_screen(app))
        assert not app.query_one("#help", Static).display

    pilot((80, 24), steps)


def test_a_note_is_typed_at_the_foot_and_no_letter_of_it_is_a_key():
    async def steps(app, driver, desk):
        await driver.press("t", *"aqy", "underscore", "x", "backspace", "n")
        assert "Note: aqy_n" in "\n".join(on_screen(app)[-2:])
        await driver.press("enter")
        assert "space STOP" in "\n".join(on_screen(app)[-2:])
        await driver.press("t", "a", "escape", "c")

    desk = pilot((80, 24), steps)
    assert desk.notes == ["aqy n"]
    assert desk.pressed == [Act.CLOSE]


def test_space_stops_while_a_note_is_typed_and_ctrl_c_quits():
    async def steps(app, driver, desk):
        await driver.press("t", "a", "space", "c")
        assert desk.pressed == [Act.STOP, Act.CLOSE]
        await driver.press("t", "ctrl+c")
        assert app._exit

    assert pilot((80, 24), steps).notes == []


def test_markup_in_messages_is_shown_as_it_is():
    async def steps(app, driver, desk):
        desk.shown = dataclasses.replace(desk.shown, notes=(Note("[red]not markup[/]", 3.0),))
        await driver.press("m")
        assert "[red]not markup[/]" in "\n".join(on_screen(app))

    pilot((80, 24), steps)
