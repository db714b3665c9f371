"""Progress as a person at a terminal sees it."""

from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime

import pytest

from shipworthy.cli.progress import Progress
from shipworthy.engine.events import Line, StageFinished, StageStarted, Step
from shipworthy.model import StageResult, Status


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def stderr_of_a_person(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return made


def seen(terminal: Terminal) -> list[str]:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue()).replace("\r", "\n").split("\n")


def test_a_stage_does_not_show_the_count_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_of_a_person(monkeypatch)
    with Progress() as progress:
        progress(StageStarted("scan", "Scan", 3, 10))
        progress(Step("checks", 4, 5))
        progress._bars.refresh()
        progress(StageStarted("train", "Train", 5, 10))
        progress._bars.refresh()
        progress(Step("waiting for another run", 0, 0))
        progress._bars.refresh()
    lines = seen(terminal)
    assert any("Scan" in line and "4/5 checks" in line for line in lines)
    assert any("waiting for another run" in line for line in lines)
    assert not any("Train" in line and "/5 " in line.replace("5/10", "") for line in lines)


def test_what_is_long_is_cut_at_the_edge_and_what_steers_a_terminal_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = stderr_of_a_person(monkeypatch)
    note = "6 code, 1 notebook, " * 10
    with Progress() as progress:
        progress(Line("stdout", "10%\r50%\r100% \x1b[2J[red]done\r"))
        progress(StageFinished(StageResult("load", Status.PASSED, datetime.now(UTC), note=note), 2, 10))
    assert "\x1b[2J" not in terminal.getvalue()
    lines = seen(terminal)
    assert any(line.strip() == "│ 100% \\x1b[2J[red]done" for line in lines)
    (load,) = [line for line in lines if "2/10 load" in line]
    assert load.endswith("…")
    assert len(load) == 80
    assert not any(line.startswith("1 notebook") for line in lines)
