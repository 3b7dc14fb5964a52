"""The textual application: draws the screen ten times a second and hands key presses on."""

from __future__ import annotations

import textwrap
from typing import ClassVar, Protocol

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from frs_teleop_cli.keys import KEYS, Act, Key, key_named, summary
from frs_teleop_cli.prompt import Prompt
from frs_teleop_cli.screen import Row, Screen, Tone, screen
from frs_teleop_cli.view import View

REFRESH = 0.1
"""s between two drawings; a key press draws at once."""

LABEL_WIDTH = 10

ELSEWHERE = "frs live train RUNS learns from the recordings"
"""What is done beside the screen (docs/operator.md)."""

STYLES: dict[Tone, str] = {"": "", "dim": "dim", "good": "green", "warn": "bold yellow", "bad": "bold red"}
BANNERS: dict[Tone, str] = {
    "": "bold reverse",
    "dim": "bold reverse",
    "good": "bold reverse green",
    "warn": "bold reverse yellow",
    "bad": "bold reverse red",
}


class Console(Protocol):
    """What is behind the screen."""

    def press(self, key: Key) -> None:
        """Carry out a key other than help, note and quit; must not raise."""

    def note(self, text: str) -> None:
        """Put a note into what is being recorded; must not raise."""

    def view(self) -> View:
        """Return what there is to show."""

    @property
    def ended(self) -> bool:
        """Whether the screen should close."""


class OperatorApp(App[None]):
    """The operator's screen. Every key is read here, whatever is shown: no widget can swallow the stop."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #banner { dock: top; height: 1; }
    #foot { dock: bottom; height: 2; }
    #top { height: 7; margin: 1 0; }
    #wishes { width: 1fr; height: 7; }
    #compass { width: 30; height: 7; }
    #facts { height: 8; }
    #notes { height: 3; margin: 1 0 0 0; }
    #help { display: none; height: 1fr; }
    Static { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, console: Console) -> None:
        """Show and control `console`."""
        super().__init__(ansi_color=True)  # the terminal's own colours: readable wherever its shell is
        self._console = console
        self._help = False
        self._prompt = Prompt()

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield Static(id="banner")
        with Horizontal(id="top"):
            yield Static(id="wishes")
            yield Static(id="compass")
        yield Static(id="facts")
        yield Static(id="notes")
        yield Static(_help(), id="help")
        yield Static(id="foot")

    def on_mount(self) -> None:
        """Start drawing."""
        self.set_interval(REFRESH, self._draw)
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def on_key(self, event: events.Key) -> None:
        """Carry out a key press."""
        key = key_named(event.key)
        typing = self._prompt.shown is not None
        if key is None and not typing:
            return
        event.stop()
        event.prevent_default()
        if key is not None and key.act is Act.STOP:  # before everything else: no letter of a note
            self._prompt.close()
            self._console.press(key)
        elif event.key == "ctrl+c":
            self.exit()
        elif typing:
            if line := self._prompt.press(event.key, event.character):
                self._console.note(line)
        elif key is not None:
            self._carry_out(key)
        self._draw()

    def _carry_out(self, key: Key) -> None:
        if key.act is Act.QUIT:
            self.exit()
        elif key.act is Act.HELP:
            self._help = not self._help
        elif key.act is Act.NOTE:
            self._help = False
            self._prompt.open()
        else:
            self._console.press(key)

    def _draw(self) -> None:
        if self._console.ended:
            self.exit()
            return
        if not self.query("#foot"):
            return  # a timer or a key came before the panes were laid out, or after they were taken down
        shown: Screen = screen(self._console.view())
        self.query_one("#banner", Static).update(_banner(shown.banner, self.size.width), layout=False)
        self.query_one("#wishes", Static).update(_rows(shown.wishes), layout=False)
        self.query_one("#compass", Static).update(Text("\n".join(shown.compass)), layout=False)
        self.query_one("#facts", Static).update(_rows(shown.facts), layout=False)
        self.query_one("#notes", Static).update(_rows(shown.notes, label_width=2), layout=False)
        self.query_one("#foot", Static).update(_foot(self.size.width, self._prompt.shown), layout=False)
        for pane in ("#top", "#facts", "#notes", "#foot"):
            self.query_one(pane).display = not self._help
        self.query_one("#help").display = self._help


def _banner(row: Row, width: int) -> Text:
    stop = " space = STOP "
    room = max(0, width - len(stop) - 1)
    left = f" {row.label}  {row.text}"
    if len(left) > room:
        left = left[: max(0, room - 1)] + "…"
    return Text.assemble((left.ljust(room), BANNERS[row.tone]), " ", (stop, "bold reverse"), no_wrap=True)


def _rows(rows: tuple[Row, ...], label_width: int = LABEL_WIDTH) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, row in enumerate(rows):
        text.append("\n" if number else "")
        text.append(f" {row.label:<{label_width}}", style="bold").append(row.text, style=STYLES[row.tone])
    return text


def _foot(width: int, typed: str | None) -> Text:
    if typed is not None:
        return Text(typed, style="bold", no_wrap=False)
    # textwrap does not break at non-breaking spaces: a key and its word stay together.
    keys = "  ".join(item.replace(" ", "\u00a0") for item in summary())
    return Text("\n".join(textwrap.wrap(keys, max(width, 20))).replace("\u00a0", " "), style="dim")


def _help() -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for number, key in enumerate(KEYS):
        text.append("\n" if number else "")
        text.append(f" {key.shown:<10}", style="bold").append(key.meaning)
    return text.append("\n another terminal: ", style="bold").append(ELSEWHERE)
