"""Tests of frs_bringup.output."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from frs_bringup import output
from frs_bringup.output import WARN_PERIOD, LogFiles, PrefixedOutput, ProgressLine, Warnings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_prefixes_are_aligned() -> None:
    stream = io.StringIO()
    printed = PrefixedOutput(["sim", "recorder"], stream)
    printed("sim", "ready")
    printed("recorder", "ready too")
    assert stream.getvalue() == "[sim]      ready\n[recorder] ready too\n"


def test_each_node_has_a_colour_of_its_own_at_a_terminal() -> None:
    stream = Terminal()
    printed = PrefixedOutput(["sim", "recorder"], stream)
    printed("sim", "ready")
    printed("recorder", "ready")
    sim, recorder = stream.getvalue().splitlines()
    assert sim.startswith("\x1b[36m[sim]")
    assert recorder.startswith("\x1b[33m[recorder]")
    assert sim.endswith("\x1b[0m ready")


def test_log_files_hold_each_nodes_lines_at_once(tmp_path: Path) -> None:
    logs = LogFiles(["sim", "recorder"], tmp_path / "logs")
    logs("sim", "one")
    logs("sim", "two")
    assert (tmp_path / "logs" / "sim.log").read_text() == "one\ntwo\n"
    assert (tmp_path / "logs" / "recorder.log").read_text() == ""
    logs.close()


def test_progress_without_a_terminal_comes_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = io.StringIO(), [100.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    line = ProgressLine(stream)
    line.show("starting", keep=True)
    for step in range(20):
        now[0] += 0.5
        line.show(f"step {step}")
    line.end()
    assert stream.getvalue().splitlines() == ["starting", "step 9", "step 19"]


def test_progress_at_a_terminal_is_one_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = Terminal()
    line = ProgressLine(stream)
    line.show("step 1 of many")
    line.show("step 2 of many")
    line.end()
    line.end()
    assert stream.getvalue() == "\r\x1b[Kstep 1 of\r\x1b[Kstep 2 of\n"


def test_progress_keeps_silent_where_the_terminal_is_another_ones() -> None:
    stream = Terminal()
    line = ProgressLine(stream, silent=True)
    line.show("step 1", keep=True)
    line.end()
    assert stream.getvalue() == ""


def test_what_is_amiss_stays_and_is_said_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = io.StringIO(), [100.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    warnings = Warnings(ProgressLine(stream))
    for text in ("", "no camera", "one camera", ""):
        warnings.show(text)
    now[0] += WARN_PERIOD
    warnings.show("one camera")
    assert stream.getvalue().splitlines() == ["warning: no camera", "warning: one camera"]


def test_a_kept_line_is_whole_however_narrow_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    stream = Terminal()
    ProgressLine(stream).show("warning: no camera", keep=True)
    assert stream.getvalue() == "\r\x1b[Kwarning: no camera\n"
