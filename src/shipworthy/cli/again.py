"""Run again and again: whenever files changed, or when it is time. Ctrl-C ends it, with the last run's exit code."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime

from shipworthy.cli.output import settings_for
from shipworthy.engine.timers import Cron, Snapshot, changed, snapshot
from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.stages.load import own_outputs

_INTERVAL = 1.0  # seconds between two looks at the files
_NAP = 30.0  # the longest sleep: a laptop that was closed notices soon that it is late


def run_again(options: argparse.Namespace, once: Callable[[str], int]) -> int:
    """Call `once` with what started it, until Ctrl-C. Raises UsageError for options that do not go together."""
    if options.resume is not None or options.output:
        raise UsageError(
            "a repeated run is always a new one, with its reports in its own folder",
            where="--resume" if options.resume is not None else "--output",
            remedy="leave it out",
        )
    return _on_time(options, once) if options.cron else _on_change(options, once)


def _on_time(options: argparse.Namespace, once: Callable[[str], int]) -> int:
    cron, code = Cron.parse(options.cron), 0
    try:
        while True:
            due = cron.after(datetime.now())
            if due is None:
                return code
            _tell(options, f"next run: {due:%Y-%m-%d %H:%M}")
            while (left := (due - datetime.now()).total_seconds()) > 0:
                time.sleep(min(left, _NAP))
            code = _guarded(once, f"cron: {options.cron}")
    except KeyboardInterrupt:
        return code


def _on_change(options: argparse.Namespace, once: Callable[[str], int]) -> int:
    def look() -> Snapshot:
        settings = settings_for(options.directory, options.settings)  # what a run writes must not start the next one
        return snapshot(options.directory, (*settings.scan.exclude, *own_outputs(settings)))

    code, how = 0, "watch: start"
    try:
        while True:
            before = look()
            code = _guarded(once, how)
            _tell(options, "watching for changes; Ctrl-C ends it")
            changed(before, look, time.sleep, _INTERVAL)
            how = "watch: files changed"
    except KeyboardInterrupt:
        return code


def _guarded(once: Callable[[str], int], how: str) -> int:
    """One run; what keeps it from starting (settings that are just being edited) is told and does not end the rest."""
    try:
        return once(how)
    except ShipworthyError as error:
        print(f"{error}" + (f"\n  what to do: {error.remedy}" if error.remedy else ""), file=sys.stderr)
        return int(error.exit_code)


def _tell(options: argparse.Namespace, text: str) -> None:
    if not options.quiet:
        print(text, file=sys.stderr, flush=True)
