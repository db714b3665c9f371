"""Progress on stderr, for people at a terminal; nothing otherwise."""

from __future__ import annotations

import sys
from types import TracebackType

from shipworthy.cli.output import plain
from shipworthy.engine.events import Event, Line, StageFinished, StageStarted, Step
from shipworthy.model import Status

_MARKS = {
    Status.PASSED: "[green]✓[/]",
    Status.FAILED: "[red]✗[/]",
    Status.ERROR: "[red]![/]",
    Status.INTERRUPTED: "[yellow]■[/]",
    Status.NOT_BUILT: "[yellow]○[/]",
    Status.SKIPPED: "[dim]-[/]",
}


class Progress:
    """Listens to a run's events. A context manager; quiet when stderr is no terminal or when told to be."""

    def __init__(self, quiet: bool = False, lines: bool = True) -> None:
        self.active = not quiet and sys.stderr.isatty()
        self.lines = lines
        if self.active:
            from rich.console import Console
            from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars

            self._console = Console(stderr=True)
            self._bars = Bars(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.fields[count]}"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bars.add_task("starting", total=None, count="")

    def __enter__(self) -> Progress:
        if self.active:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.active:
            self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if not self.active:
            return
        from rich.markup import escape

        if isinstance(event, StageStarted):
            self._bars.remove_task(self._task)  # a task that is only reset keeps the total of the stage before
            title = f"{event.number:>2}/{event.of} {event.title}"
            self._task = self._bars.add_task(title, total=None, count="")
        elif isinstance(event, Step):
            count = f"{event.done:,}/{event.total:,}" if event.total else f"{event.done:,}" if event.done else ""
            self._bars.update(
                self._task, completed=event.done, total=event.total or None, count=f"{count} {event.name}".strip()
            )
        elif isinstance(event, Line) and self.lines:
            text = event.text.rstrip().rpartition("\r")[2]  # of a bar that is drawn over and over, how it ended
            self._say(f"     [dim]│ {escape(plain(text).expandtabs())}[/]")
        elif isinstance(event, StageFinished):
            result = event.result
            again = " (from the earlier run)" if result.resumed else ""
            note = f" [dim]{escape(plain(result.note))}{again}[/]"
            self._say(f"{_MARKS[result.status]} {event.number:>2}/{event.of} {result.stage}{note}")

    def _say(self, markup: str) -> None:
        """One line, cut at the terminal's edge: the report and the run's folder have all of it."""
        self._console.print(markup, highlight=False, no_wrap=True, overflow="ellipsis")
