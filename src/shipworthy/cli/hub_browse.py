"""Browse the hub in the terminal. Keys: letters search as they are typed; up and down choose, enter opens, left or
backspace goes back, page up and page down scroll, tab looks at what is related, escape or ctrl-c ends."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from shipworthy.hub import Hub

EXAMPLES = """examples:
  shipworthy hub browse
  shipworthy hub browse pickle
"""
_KEYS = {
    b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down", b"\x1b[C": "enter", b"\x1bOC": "enter",
    b"\x1b[D": "back", b"\x1bOD": "back", b"\x1b[5~": "page-up", b"\x1b[6~": "page-down", b"\x1b[Z": "related",
    b"\r": "enter", b"\n": "enter", b"\t": "related", b"\x7f": "delete", b"\x08": "delete",
    b"\x1b": "end", b"\x03": "end", b"\x04": "end",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hub browse`."""
    parser.add_argument("query", nargs="*", metavar="QUERY", help="what to look for first")


def run(options: argparse.Namespace) -> int:
    """Browse until the reader ends it. Raises UsageError where there is no terminal."""
    from shipworthy.errors import UsageError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "browsing needs a terminal, for input and output", remedy="`shipworthy hub search WORDS` needs none"
        )
    from rich.console import Console

    from shipworthy.cli.hub import load_hub

    browser = Browser(load_hub(), " ".join(options.query))
    screen = Console(highlight=False)
    with screen.screen(hide_cursor=True), _keys() as keys:
        for key in keys:
            if key and not browser.press(key):
                return 0
            _draw(screen, browser)
    return 0


class Browser:
    """What is shown, and what a key changes. Nothing here knows of a terminal but its height."""

    def __init__(self, hub: Hub, query: str = "") -> None:
        self.hub, self.query = hub, query
        self.chosen = self.scrolled = 0
        self.height = 20
        self.opened: list[str] = []  # the way to the page that is read; empty: the list of answers
        self.listed: list[str] = []
        self._search()

    def _search(self) -> None:
        from shipworthy.errors import UsageError

        self.chosen = 0
        with contextlib.suppress(UsageError):  # a facet that is still being typed
            self.listed = [hit.page for hit in self.hub.search(self.query, limit=50)] if self.query.strip() else [
                *(path.page for path in self.hub.paths.values()), *(shelf.page for shelf in self.hub.shelves.values())
            ]  # fmt: skip

    def press(self, key: str) -> bool:
        """Do what a key means; False ends it."""
        if key == "end":
            return False
        if self.opened:
            self._in_page(key)
        else:
            self._in_list(key)
        return True

    def _in_list(self, key: str) -> None:
        if key in ("up", "down", "page-up", "page-down"):
            step = {"up": -1, "down": 1, "page-up": -self.height // 2, "page-down": self.height // 2}[key]
            self.chosen = max(0, min(len(self.listed) - 1, self.chosen + step))
        elif key in ("enter", "related") and self.listed:
            self.opened, self.scrolled = [self.listed[self.chosen]], 0
            if key == "related":
                self._in_page(key)
        elif key == "delete":
            self.query = self.query[:-1]
            self._search()
        elif len(key) == 1 and key.isprintable():
            self.query = (self.query + key)[:200]
            self._search()

    def _in_page(self, key: str) -> None:
        if key in ("up", "down", "page-up", "page-down"):
            step = {"up": -1, "down": 1, "page-up": -self.height, "page-down": self.height}[key]
            self.scrolled = max(0, min(max(0, len(self.lines()) - self.height), self.scrolled + step))
        elif key in ("back", "delete"):
            self.opened.pop()
            self.scrolled = 0
        elif key == "related":
            near = [one.page for one in self.hub.related(self.opened[-1], 30)]
            if near:
                self.listed, self.query, self.chosen, self.opened = near, "", 0, []

    def lines(self) -> list[str]:
        """The lines of what is shown, as markup."""
        from shipworthy.cli.hub_cards import card, line_of, linked
        from shipworthy.cli.hub_text import said

        if self.opened:
            return card(self.hub, self.opened[-1], everything=False)
        lines = []
        for number, page in enumerate(self.listed):
            mark = "[reverse]>[/] " if number == self.chosen else "  "
            lines += [
                f"{mark}{linked(self.hub, page)}",
                f"    [dim]{said(line_of(self.hub, self.hub.things[page]))[:200]}[/]",
            ]
        return lines or ["  nothing found"]


def _draw(screen: Console, browser: Browser) -> None:
    from rich.text import Text

    from shipworthy.cli.hub_text import said

    width, height = screen.size
    browser.height = max(3, height - 3)
    head = (
        f"[bold]search:[/] {said(browser.query)}[reverse] [/]"
        if not browser.opened
        else f"[dim]{said(browser.opened[-1])}[/]"
    )
    lines = [Text.from_markup(line) for line in browser.lines()]
    if browser.opened:
        wrapped = [part for line in lines for part in (line.wrap(screen, max(20, width - 1)) or [Text("")])]
        browser.scrolled = max(0, min(browser.scrolled, len(wrapped) - browser.height))
        shown = wrapped[browser.scrolled : browser.scrolled + browser.height]
    else:
        first = max(0, 2 * browser.chosen + 2 - browser.height)
        shown = lines[first : first + browser.height]
    foot = (
        "up/down, enter opens, tab: related, esc ends"
        if not browser.opened
        else "up/down scroll, backspace: back, tab: related"
    )
    screen.clear()
    screen.print(Text.from_markup(head), no_wrap=True, overflow="ellipsis")
    for line in shown:
        screen.print(line, no_wrap=True, overflow="ellipsis")
    screen.print(Text(foot, style="dim"), end="", no_wrap=True, overflow="ellipsis")


@contextlib.contextmanager
def _keys() -> Iterator[Iterator[str]]:
    """The keys that are pressed, by name; the first is empty, so that something is drawn. The terminal is as it was
    when this ends."""
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    try:
        yield _pressed(number)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _pressed(number: int) -> Iterator[str]:
    yield ""
    while data := os.read(number, 64):
        if data in _KEYS:
            yield _KEYS[data]
        elif not data.startswith(b"\x1b"):
            for char in data.decode("utf-8", "ignore"):  # typed quickly, or pasted
                yield _KEYS.get(char.encode(), char)
