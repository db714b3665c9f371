"""Progress on stderr, for people at a terminal; nothing otherwise."""

from __future__ import annotations

import sys
from types import TracebackType

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
            from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bars

            self._console = Console(stderr=True)
            self._bars = Bars(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._task = self._bars.add_task("starting", total=None)

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
            self._bars.reset(self._task, total=None, description=f"{event.number:>2}/{event.of} {event.title}")
        elif isinstance(event, Step):
            self._bars.update(self._task, completed=event.done, total=event.total or None)
        elif isinstance(event, Line) and self.lines:
            self._console.print(f"     [dim]│ {escape(event.text)}[/]", highlight=False)
        elif isinstance(event, StageFinished):
            result = event.result
            again = " (from the earlier run)" if result.resumed else ""
            note = f" [dim]{escape(result.note)}{again}[/]"
            self._console.print(
                f"{_MARKS[result.status]} {event.number:>2}/{event.of} {result.stage}{note}", highlight=False
            )
