"""Tests of frs_bringup.cli."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest

from frs_bringup.cli import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "examples:" in said
    assert f"  frs {name} " in said


def test_help_lists_the_commands_without_loading_them(procs: Callable[..., Any]) -> None:
    program = (
        "import sys\nfrom frs_bringup.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('numpy', 'rclpy', 'frs_sim') if name in sys.modules])"
    )
    frs = procs(sys.executable, "-c", program)
    assert frs.wait(20.0) == 0
    said = " ".join(frs.text().split())
    for name, command in COMMANDS.items():
        assert f" {name} {command.summary}" in said
    assert frs.text().endswith("[]\n")


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["down"])
    assert ended.value.code == 2
    assert "invalid choice: 'down'" in capsys.readouterr().err


def interrupted(*_: object) -> int:
    raise KeyboardInterrupt


def test_ctrl_c_gives_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(importlib.import_module(COMMANDS["up"].module), "run", interrupted)
    assert main(["up", "sim"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_ctrl_c_while_the_command_is_imported_gives_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib, "import_module", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
