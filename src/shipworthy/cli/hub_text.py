"""The hub's Markdown in a terminal: lines of markup for `rich`, of a width, with code in colour where that shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape

from shipworthy.cli.output import plain
from shipworthy.patterns import regex

_SPAN = regex(r"(`[^`\n]{1,300}`)")
_LINK = regex(r"\[([^\]\n]{1,200})\]\([^)\s]{1,500}\)")
_BOLD = regex(r"\*\*([^*\n]{1,300})\*\*")
_ITEM = regex(r"( {0,8})([-*]|\d{1,2}\.) ")
_FENCE = regex(r" {0,8}(?:```|~~~)")


def said(text: str) -> str:
    """A text as it can be printed: without what would steer the terminal, and with no markup of its own."""
    return escape(plain(text))


def markdown(text: str, width: int = 0, *, colour: bool = False) -> list[str]:
    """Markdown as it is read in a terminal. Of a `width` (in columns), what is longer is broken, and goes on where its
    list item began; code is never broken. `colour` is for what can show it: it takes a moment to work out."""
    lines: list[str] = []
    code: list[str] | None = None
    language = ""
    for line in text.splitlines():
        if _FENCE.match(line):
            if code is None:
                code, language = [], line.strip().lstrip("`~").strip()
            else:
                lines += _code(code, language if colour else "")
                code = None
        elif code is not None:
            code.append(line)
        elif line.startswith("### "):
            lines.append(f"[bold]{_inline(line[4:])}[/]")
        else:
            item = _ITEM.match(line)
            lines += broken(_inline(line), width, len(item[0]) if item else 0)
    return [*lines, *_code(code or [], language if colour else "")]


def _inline(line: str) -> str:
    """A line with its code, emphasis and links (by their words) as markup."""
    parts = []
    for part in _SPAN.split(line):
        if len(part) > 2 and part[0] == part[-1] == "`":
            parts.append(f"[cyan]{said(part[1:-1])}[/]")
        else:
            parts.append(_BOLD.sub(r"[bold]\1[/]", said(_LINK.sub(r"\1", part))))
    return "".join(parts)


def broken(markup: str, width: int, hanging: int = 0) -> list[str]:
    """A line of markup as lines of at most `width` columns (0: as it is), all but the first indented by `hanging`."""
    if not width or not markup.strip():
        return [markup]
    from rich.console import Console
    from rich.text import Text

    whole = Text.from_markup(markup)
    if whole.cell_len <= width:
        return [markup]
    lines = whole.wrap(Console(width=width), max(20, width - hanging))
    return [f"{' ' * hanging if number else ''}{_stripped(line).markup}" for number, line in enumerate(lines)]


def _stripped(line: Any) -> Any:
    line.rstrip()
    return line


def _code(code: list[str], language: str) -> Iterator[str]:
    """A block of code, indented; in the colours of its language, if one is given."""
    if language and code:
        from rich.syntax import Syntax

        text = plain("\n".join(code))
        coloured = Syntax(text, language, theme="ansi_dark").highlight(text)
        coloured.rstrip()
        yield from (f"    {line.markup}" if line.plain.strip() else "" for line in coloured.split("\n"))
        return
    yield from (f"    [cyan]{said(line)}[/]" if line.strip() else "" for line in code)
