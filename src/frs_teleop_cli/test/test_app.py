"""The textual application, driven by textual's own pilot."""

import asyncio
import dataclasses

from textual.widgets import Static

from frs_teleop_cli.app import OperatorApp
from frs_teleop_cli.keys import KEYS, Act
from frs_teleop_cli.view import Note, View


class Desk:
    """A console that remembers what was pressed."""

    def __init__(self):
        self.pressed = []
        self.shown = View(now=3.0, started=1.8)
        self.ended = False

    def press(self, key):
        self.pressed.append(key.act)

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
                if key.act not in (Act.QUIT, Act.HELP):
                    await driver.press(name)

    desk = pilot((80, 24), steps)
    expected = [key.act for key in KEYS if key.act not in (Act.QUIT, Act.HELP) for _ in key.names]
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
        await driver.press("question_mark")
        assert "Recorder" in "\n".join(on_screen(app))
        assert not app.query_one("#help", Static).display

    pilot((80, 24), steps)


def test_markup_in_messages_is_shown_as_it_is():
    async def steps(app, driver, desk):
        desk.shown = dataclasses.replace(desk.shown, notes=(Note("[red]not markup[/]", 3.0),))
        await driver.press("m")
        assert "[red]not markup[/]" in "\n".join(on_screen(app))

    pilot((80, 24), steps)
