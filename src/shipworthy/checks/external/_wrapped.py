"""How another scanner is asked, so that one of them is a table and a function that reads its report.

It gets copies, in a folder of its own, without the workspace's settings. Every run holds a known-bad file of ours: when
that is not reported, nothing that the scanner says or does not say is believed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shipworthy.check import Context, Skipped
from shipworthy.checks.external._culprits import sift
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field
from shipworthy.tools import Completed, Tool, ToolFailed
from shipworthy.tools.catalogue import CATALOGUE, INSTALLED

LIMIT = 4_000_000  # bytes of one file
_PLAIN = regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,80}")
_MOST = 100_000


@dataclass(frozen=True)
class Said:
    """One thing that a scanner says. `name` is the file as it was given; `ident` is its own name for what is wrong;
    lines count from 1, 0 is none; `key` tells findings of one kind apart where lines move."""

    name: str
    ident: str
    message: str
    line: int = 0
    end_line: int = 0
    severity: Severity | None = None
    confidence: Confidence | None = None
    cwe: str = ""
    key: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Report:
    """What a scanner says of a run. `unread` are the files that it could not read, with the reason; `looked` those that
    it names as looked at (None: it does not say)."""

    said: tuple[Said, ...]
    unread: Mapping[str, str] = field(default_factory=dict)
    looked: frozenset[str] | None = None


@dataclass(frozen=True)
class Known:
    """The file that every run must report: its name, its bytes, and what must be said of it."""

    name: str
    content: bytes
    ident: str


@dataclass(frozen=True)
class Wrapped:
    """A scanner. `command` gives its arguments for a folder and names in it; `read` makes a report of what it printed,
    and raises ToolFailed, KeyError, TypeError, ValueError or AttributeError for anything else than a report. `rules`
    are ours by its own names, by CWE, and `other` for the rest; what is in `dropped` is not wanted.
    `marks` are words in a file that would silence it and that no option disarms: they are changed in its copy."""

    tool: Tool
    command: Callable[[Path, Sequence[str]], Sequence[str]]
    read: Callable[[Completed], Report]
    rules: Mapping[str, Rule]
    known: Known
    ok: tuple[int, ...] = (0, 1)
    dropped: frozenset[str] = frozenset()
    marks: tuple[bytes, ...] = ()
    timeout: float = 300.0


def optional(name: str, versions: str) -> Tool:
    """A program of the catalogue that is used when it is there."""
    known = CATALOGUE[name]
    install = f"{INSTALLED} {name}" if known.way == INSTALLED else f"install {name}, and have it on PATH"
    return Tool(known.command, versions=versions, version_args=known.version_args, install=install, optional=True)


def ask(artifacts: Iterable[Artifact], context: Context, wrapped: Wrapped) -> Iterator[Finding | Skipped]:
    """What it says of these artifacts; those on which it fails by themselves are skipped, and do not hide the others.
    Raises ToolFailed when it gives no report that can be believed."""
    name = wrapped.tool.name
    with tempfile.TemporaryDirectory(prefix="shipworthy-tool-") as place:
        store = Path(place).resolve() / "files"
        given: dict[str, Artifact] = {}
        folders: dict[str, str] = {}
        for artifact in artifacts:
            data = artifact.read_bytes(LIMIT + 1)
            if len(data) > LIMIT:
                yield Skipped(artifact, f"the file is larger than {LIMIT:,} bytes")
                continue
            own = _name(artifact.uri, folders, given)
            given[own] = artifact
            _lay(store / own, _without(wrapped.marks, data))
        if not given:
            return

        def attempt(names: Sequence[str], timeout: float) -> Report:
            return _asked(store, names, context, wrapped, timeout)

        report, refused = sift(tuple(given), attempt, wrapped.timeout, context.tools.stopped)
    for own, why in refused.items():
        yield Skipped(given[own], squeezed(f"{name} failed on the file: {why}", 200), code="unread")
    yield from _told(report, {own: one for own, one in given.items() if own not in refused}, wrapped)


def _asked(store: Path, names: Sequence[str], context: Context, wrapped: Wrapped, timeout: float) -> Report:
    """One run over some of the files, in a folder that holds only these and the known one."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=store.parent) as place:
        folder, known = Path(place), _known(wrapped)
        for one in names:
            (folder / one).parent.mkdir(exist_ok=True)
            os.link(store / one, folder / one)
        _lay(folder / known, wrapped.known.content)
        done = context.tools.run(
            wrapped.tool, *wrapped.command(folder, (known, *names)), timeout=timeout, cwd=folder, ok=wrapped.ok
        )
    return _read(done, wrapped, names)


def _known(wrapped: Wrapped) -> str:
    return f"known/{wrapped.known.name}"


def _without(marks: Iterable[bytes], data: bytes) -> bytes:
    """The bytes with each of these words changed, and all others where they were."""
    for mark in marks:
        data = data.replace(mark, b"x" * len(mark))
    return data


def _lay(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _name(uri: str, folders: dict[str, str], taken: Mapping[str, Artifact]) -> str:
    """A harmless name: files of one folder stay together, and keep their own names where those are plain."""
    above, _, last = uri.rpartition("/")
    folder = folders.setdefault(above, f"d{len(folders):06d}")
    if not _PLAIN.fullmatch(last) or f"{folder}/{last}" in taken:
        suffix = last[-12:].rpartition(".")[2]
        last = f"f{len(taken):06d}" + (f".{suffix}" if suffix.isalnum() and suffix.isascii() else "")
    return f"{folder}/{last}"


def _read(done: Completed, wrapped: Wrapped, given: Sequence[str]) -> Report:
    name, known = wrapped.tool.name, _known(wrapped)
    try:
        report = wrapped.read(done)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ToolFailed(name, f"printed something that is no report of it ({type(error).__name__})") from None
    if len(report.said) > _MOST:
        raise ToolFailed(name, f"printed more than {_MOST:,} findings")
    names = {known, *given}
    if any(name not in names for name in (*(one.name for one in report.said), *report.unread)):
        raise ToolFailed(name, "reported something that is not about the given files")
    if not any(one.name == known and one.ident == wrapped.known.ident for one in report.said):
        raise ToolFailed(name, "did not report the known-bad file that every run has: its silence means nothing")
    return report


def _told(report: Report, given: Mapping[str, Artifact], wrapped: Wrapped) -> Iterator[Finding | Skipped]:
    name, known = wrapped.tool.name, _known(wrapped)
    for file, artifact in given.items():
        if file in report.unread:
            yield Skipped(artifact, f"{name} could not read the file: {report.unread[file]}"[:200], code="unread")
        elif report.looked is not None and file not in report.looked:
            yield Skipped(artifact, f"{name} did not look at the file", code="unread")
    for one in report.said:
        if one.name == known or one.ident in wrapped.dropped:
            continue
        rule = wrapped.rules.get(one.ident) or wrapped.rules.get(one.cwe) or wrapped.rules["other"]
        said = squeezed(one.message)
        yield rule.at(
            given[one.name],
            f"{said} ({one.ident})",
            key=f"{one.ident} {one.key or said}",
            severity=one.severity,
            confidence=one.confidence,
            line=one.line or None,
            end_line=one.end_line if one.end_line > one.line > 0 else None,
            evidence=one.evidence,
            witness=name,
        )


def squeezed(text: object, limit: int = 240) -> str:
    """Text of a report: one line, bounded. Raises TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError("not text")
    plain = " ".join(text.split())
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"


def whole(value: Any, kind: type) -> Any:
    """A part of a report that must be of a kind. Raises TypeError."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"not {kind.__name__}")
    return value


def renamed(tool: str, rules: Iterable[Rule], alike: Mapping[str, str]) -> dict[str, Rule]:
    """Our rules under the tool's name, by its own idents: what it sees means what ours do."""
    ours = {rule.id: rule for rule in rules}
    made = {
        name: Rule(f"{tool}-{name}", r.title, r.severity, r.description, r.remedy, r.confidence, r.taxonomy, r.help)
        for name in dict.fromkeys(alike.values())
        for r in (ours[name],)
    }
    return {ident: made[name] for ident, name in alike.items()}


def other(tool: str, subject: str, where: str, help_topic: str, cwe: str = "CWE-693") -> Rule:
    """The rule for all that has no words of ours."""
    return Rule(
        f"{tool}-other",
        f"{tool} reports this {subject}",
        Severity.LOW,
        "Another scanner objects to it by a rule for which there are no words of ours; the message says which.",
        f"Read what the rule means {where}; if it does not matter here, waive the finding with the reason.",
        Confidence.MEDIUM,
        (cwe,),
        help_topic,
    )
