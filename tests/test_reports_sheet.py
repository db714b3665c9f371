"""What is written without `rich` is what `rich` writes."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from shipworthy.reports._sheet import Cell, Row, Sheet, Table, show, width_of

_WORDS = st.text(st.sampled_from("ab é…✔·/.-[]:\u00a0"), max_size=12)
_LINES = st.lists(_WORDS | st.text("x", min_size=20, max_size=90), max_size=5).map(" ".join)
_CELLS = st.builds(Cell, _LINES, st.sampled_from(("", "dim", "bold red")), st.booleans())


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(1, 6))
    row = st.tuples(*[_CELLS] * count)
    names = st.tuples(*[_WORDS] * count)
    some = st.frozensets(st.integers(0, count - 1))
    return Table(draw(_LINES), draw(names), draw(st.lists(row, max_size=3)), draw(some), draw(some))


_PARTS = st.builds(Cell, _LINES, st.sampled_from(("", "dim", "bold red")))
_ROWS = st.builds(Row, st.tuples(_PARTS, _PARTS), st.booleans()) | st.builds(
    Row, st.tuples(_PARTS), st.just(True), st.integers(1, 12)
)


def _rich(sheet: Sheet) -> str:
    out = io.StringIO()
    show(sheet, Console(file=out, width=sheet.width, no_color=True, force_terminal=False))
    return out.getvalue()


@given(st.lists(_ROWS | _tables(), max_size=4), st.integers(1, 140))
@example([Table("", ("a", "b"), [(Cell("x" * 40), Cell("y" * 12 + " " + "z" * 30, "", True))], frozenset([1]))], 53)
@example([Table("", ("", ""), [(Cell(""), Cell(" " + ":" * 11)), (Cell(" " + ":" * 9), Cell(""))])], 7)
@example([Table("", ("", ""), [(Cell(""), Cell(":" * 11 + " ")), (Cell(":" * 9 + " "), Cell(""))])], 7)
def test_the_layout_is_that_of_rich_and_nothing_is_lost_where_it_is_broken(
    parts: list[Row | Table], width: int
) -> None:
    sheet, wide = Sheet(width, "utf-8", parts), Sheet(5_000, "utf-8", parts)
    plain, whole = sheet.plain(), _rich(wide)
    if plain is None:
        return
    if max(map(len, whole.split("\n"))) <= width and wide.plain() == whole:
        assert plain == _rich(sheet)
    elif all(
        isinstance(part, Table) and not part.whole and not any(c.whole for r in part.rows for c in r) for part in parts
    ):
        assert max(map(len, plain.split("\n"))) <= width
        assert Counter("".join(plain.split())) == Counter("".join(whole.split()))


@pytest.mark.parametrize("text", ["漢字", "👍", "e\u0301", "\u200d", "soft\u00adhyphen", "a\tb", "a\nb", "\x1b[1m"])
def test_text_of_other_widths_is_left_to_rich(text: str) -> None:
    for part in (Row((Cell(text),)), Table(text, ("a",)), Table("t", (text,)), Table("t", ("a",), [(Cell(text),)])):
        assert Sheet(80, "utf-8", [part]).plain() is None


def test_what_may_be_a_terminal_is_left_to_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "77")
    out = io.StringIO()
    assert width_of(out) == Console(file=out).width == 77
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert width_of(out) is None
    monkeypatch.delenv("FORCE_COLOR")
    near, far = pty.openpty()
    with open(far, "w", encoding="utf-8") as terminal:
        assert width_of(terminal) is None
    os.close(near)


def test_a_pipe_gets_the_same_report_with_and_without_rich(tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.")
    code = "import sys; from shipworthy.cli import main; main(sys.argv[1:]); print('rich' in sys.modules)"
    said = []
    for width, more in ((80, {}), (80, {"TTY_COMPATIBLE": "0"}), (140, {}), (140, {"TTY_COMPATIBLE": "0"})):
        env = {**os.environ, "COLUMNS": str(width), "TERM": "xterm", **more}
        env.pop("FORCE_COLOR", None)
        command = [sys.executable, "-c", code, "scan", "--quiet", "--no-cache", "bad.pkl"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        *lines, used = done.stdout.splitlines()
        assert used == str(bool(more))
        said.append(lines)
    assert said[0] == said[1]
    assert said[2] == said[3]
    assert said[0][0].startswith("Gate scan: NOT PASSED")
