"""The scan: sniff, read, queue what lies inside, until nothing is left or a limit is reached."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.modelfile import trailers
from shipworthy.modelfile.far import LAZY, TRAILER_LIMIT, FarView
from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.readers import reader_of, settle
from shipworthy.modelfile.report import Code, Limits, Report, Tally, Verdict
from shipworthy.modelfile.scope import Job, Role, Scope, State
from shipworthy.modelfile.sniff import HEAD, sniff
from shipworthy.modelfile.view import View
from shipworthy.patterns import ill_formed, listed
from shipworthy.records import replace

DEFAULT_LIMITS = Limits()
_EXPLAIN_LINES = 5_000
_PLACE = 12  # characters of a line before what is done there
_REPEATED = 3


def scan(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, trust: Sequence[str] = ()) -> Report:
    """Scan a file. `trust` holds patterns of `module:qualname` that the project vouches for.

    Nothing is loaded, imported or executed. Raises EnvironmentFailure when the file can't be read, or is no file.
    """
    where = os.fsdecode(path)
    try:
        with open(where, "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ValueError("it is no regular file, so it has no end that is known; scan_stream reads a stream")
            return _scan(View.of_file(stream), limits, trust, where)[0]
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(
            f"the model file can't be read: {error}", where=str(path), remedy="Check that it exists and is readable."
        ) from error


def scan_bytes(data: bytes, *, limits: Limits = DEFAULT_LIMITS, trust: Sequence[str] = ()) -> Report:
    """Scan bytes in memory; references to neighbouring files are reported, not followed."""
    return _scan(View.of(bytes(data)), limits, trust, None)[0]


def scan_view(
    view: View, *, limits: Limits = DEFAULT_LIMITS, trust: Sequence[str] = (), path: Path | None = None
) -> Report:
    """Scan bytes that are held already, or lie elsewhere (`far.FarView`), without copying them. References to
    neighbouring files are followed only with the `path` where the file lies.
    """
    return _scan(view, limits, trust, path)[0]


def scan_stream(stream: BinaryIO, *, limits: Limits = DEFAULT_LIMITS, trust: Sequence[str] = ()) -> Report:
    """Scan what a binary stream still holds; it is copied to memory or a temporary file first.

    Raises EnvironmentFailure when the stream can't be read.
    """
    from shipworthy.modelfile.view import Spool

    spool = Spool(limits.spool)
    try:
        while data := stream.read(1 << 20):
            spool.write(data)
        return _scan(spool.view(), limits, trust, None)[0]
    except OSError as error:
        raise EnvironmentFailure(f"the stream can't be read: {error}") from error


def explain(path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS, trust: Sequence[str] = ()) -> str:
    """What loading the file would do, for people: every import and call of every pickle inside, with offsets.

    Bounded; escaped to printable ASCII. Raises EnvironmentFailure when the file can't be read.
    """
    where = os.fsdecode(path)
    try:
        with open(where, "rb", buffering=0) as stream:
            report, lines = _scan(View.of_file(stream), limits, trust, where, explained=True)
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"the model file can't be read: {error}", where=str(path)) from error
    shown = _gathered(lines)[:_EXPLAIN_LINES]
    if len(shown) == _EXPLAIN_LINES:
        shown.append("... (more lines are not shown)")
    head = f"format {report.format or 'not recognised'}, {report.size} bytes, verdict {report.verdict.value}"
    issues = [f"  {i.severity}: {i.message}{f' [{i.where}]' if str(i.where) else ''}" for i in report.issues]
    unknowns = [f"  not read: {reason}" for reason in report.unknowns]
    if report.verdict is Verdict.CLEAN and not report.names:
        head += "\n  loading it imports and calls nothing that the file names"
    return "\n".join([head, *issues, *unknowns, *(["", *shown] if shown else [])]) + "\n"


def _gathered(lines: list[str]) -> list[str]:
    """The lines, each call that one member makes again and again shown once: a network has an `OrderedDict()` for each
    of its layers.
    """
    keys, member = [], 0
    for line in lines:
        member += line.startswith("== ")
        keys.append((member, line[_PLACE:]) if line.startswith("call ", _PLACE) else None)
    counts = Counter(keys)
    shown: list[str] = []
    seen: set[tuple[int, str]] = set()
    for line, key in zip(lines, keys, strict=True):
        if key is None or counts[key] <= _REPEATED:
            shown.append(line)
        elif key not in seen:
            seen.add(key)
            shown.append(f"{line} ... {counts[key]} times")
    return shown


def _scan(
    view: View, limits: Limits, trust: Sequence[str], path: str | Path | None, explained: bool = False
) -> tuple[Report, list[str]]:
    trust = listed(trust)
    if (wrong := ill_formed(trust)) is not None:
        raise UsageError(
            f"`{wrong}` is no pattern of module:name", where="trust", remedy='such as "mypackage.models:*"'
        )
    tally = Tally(limits)
    lines: list[str] = []
    state = State(limits, trust, tally, len(view), path, lines if explained else None)
    format_, used = _read(Scope(state, view))
    while state.jobs:
        if state.started >= limits.jobs:
            tally.unknown(f"only the first {limits.jobs} files inside were read")
            break
        state.started += 1
        _run(state, state.jobs.pop())
    if used < len(view):
        tally.unknown(f"{len(view) - used} of {len(view)} bytes are not explained by the format {format_ or '?'}")
    issues = tally.sorted_issues()
    if any(issue.code is Code.BROKEN_STREAM and issue.severity in ("low", "medium") for issue in issues):
        tally.unknown("it is broken, so what lies behind that place was not read for certain")
    verdict = Verdict.FINDING if issues else Verdict.UNKNOWN if tally.unknowns else Verdict.CLEAN
    report = Report(
        format=format_,
        verdict=verdict,
        issues=issues,
        unknowns=tuple(tally.unknowns),
        size=len(view),
        explained=used,
        members=tuple(tally.members),
        names=tuple(sorted(tally.names)),
        left=state.left,
        loose=state.loose,
    )
    return report, lines


def _run(state: State, job: Job) -> None:
    view = job.open()
    if view is None:
        return
    if isinstance(view, FarView) and not _fetched(state, view, job):
        return
    scope = Scope(state, view, job.name, job.depth, job.role)
    found = job.format
    if job.role is Role.BLOB and not found and state.trace is None:
        found = settle(scope)
        if not found:  # numbers, as nearly all of a model is
            scope.note_member("", "", len(view))
            return
    format_, used = _read(scope, found)
    scope.note_member("", format_, len(view))
    if job.role is Role.TRAILER and not job.format:
        trailers.search(scope, format_)
    if used < len(view) and job.role is Role.FILE:
        scope.unknown(f"{len(view) - used} of {len(view)} bytes are not explained by the format {format_ or '?'}")


def _fetched(state: State, view: View, job: Job) -> bool:
    """Whether a part of a file elsewhere is looked into: raw data is not, and what is hidden only if it is small."""
    if job.role is Role.FILE or (job.role is Role.TRAILER and len(view) <= TRAILER_LIMIT):
        return True
    state.left += len(view)
    state.loose += len(view)
    return False


def _read(scope: Scope, format_: str = "") -> tuple[str, int]:
    if isinstance(scope.view, FarView) and (format_ or sniff(scope.view.head(HEAD), len(scope.view))) not in LAZY:
        scope = replace(scope, view=scope.view.near())
    found = format_ or settle(scope)
    if scope.trace is not None:
        kind = found or ("not recognised" if scope.role is Role.FILE else "raw data")
        scope.trace.append(f"== {scope.name or 'the file'}: {kind}, {len(scope.view)} bytes")
    tally = scope.state.tally
    issues, unknowns = len(tally.found), len(tally.unknowns)
    explained = reader_of(found)(scope)
    unread = len(tally.unknowns) > unknowns and len(tally.found) == issues and scope.role is Role.FILE
    if unread and not isinstance(scope.view, FarView):
        pickles.search(scope)  # of what stays unknown, people ask at least whether a payload is in it
    return found, explained
