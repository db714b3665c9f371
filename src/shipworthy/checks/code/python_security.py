"""Weaknesses in Python that ruff's security rules know: shells, SQL, broken cryptography, XML, temporary files."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.code._ruff_rules import RULES
from shipworthy.checks.code._source import Unreadable, looks_python, lowered, read_source, without_strings
from shipworthy.model import Artifact, Finding
from shipworthy.tools import Tool, ToolFailed

__all__ = ["RULES", "scan"]

RUFF = Tool("ruff", versions=">=0.15,<0.18", install="pip install 'ruff>=0.15,<0.18'")
TIMEOUT = 120.0
# Every file gets these lines at its end, and the report must have them: a file that ruff did not read to its end is
# never taken for clean. The name is not a builtin's, so that the scanned code cannot have redefined it.
_SENTINEL = "\n\nimport marshal as _shipworthy_end\n_shipworthy_end.loads(b'')\n"
_SENTINEL_CODE = "S302"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NAME = re.compile(r"(?P<name>[A-Za-z_][\w.]{0,79})(?![\w.\"'])(?P<call>\()?")
_CALL = re.compile(r"([A-Za-z_][\w.]{0,79})\(")
_NO_NAMES = frozenset({"from", "import", "with", "try", "assert", "return", "def", "class", "lambda", "not", "await"})
_CANARY = b"import subprocess\n\n\ndef run(command):\n    subprocess.call(command, shell=True)\n"


@dataclass(frozen=True)
class _Copy:
    """One file as ruff gets it: its text in UTF-8 under a name of ours, and the line that must be reported."""

    artifact: Artifact | None
    text: str

    @property
    def written(self) -> str:
        return self.text + _SENTINEL

    @property
    def last_line(self) -> int:
        return len(_LINE_END.split(self.written)) - 1


@dataclass
class _Budget:
    """How often and until when ruff may be started again to find the file that breaks it."""

    runs: int = 64
    until: float = field(default_factory=lambda: time.monotonic() + 4 * TIMEOUT)

    def spend(self) -> bool:
        self.runs -= 1
        return self.runs >= 0 and time.monotonic() < self.until


@check(
    "python-security",
    kinds={"code"},
    scope="batch",
    version=3,
    needs=(RUFF,),
    canary=Canary(files={"run.py": _CANARY}, rule="python-shell-true"),
    accepts=looks_python,
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of the Python files of a batch. ruff reads copies, no settings and no `noqa`: to accept a finding is a
    waiver's business, not the scanned code's. Raises ToolMissing, or ToolFailed if ruff does not work at all."""
    copies = []
    for artifact in artifacts:
        try:
            copies.append(_Copy(artifact, read_source(artifact)))
        except Unreadable as error:
            yield Skipped(artifact, f"the file {error}")
    if not copies:
        return
    context.tools.version(RUFF)
    yield from _scan(tuple(copies), context, _Budget())


def _scan(copies: tuple[_Copy, ...], context: Context, budget: _Budget) -> Iterator[Finding | Skipped]:
    """One run; if it fails, its halves: one hostile file (which can overflow ruff's stack) does not hide the rest."""
    try:
        report = _run(copies, context)
    except ToolFailed as failure:
        if not budget.spend():
            for copy in copies:
                yield Skipped(copy.artifact, f"ruff failed too often: {failure.reason}")
            return
        _run((), context)  # does it work at all? If not, the check has failed, whatever the files
        if len(copies) == 1:
            yield Skipped(copies[0].artifact, f"ruff could not read the file: {failure.reason}")
            return
        middle = len(copies) // 2
        yield from _scan(copies[:middle], context, budget)
        yield from _scan(copies[middle:], context, budget)
        return
    for index, copy in enumerate(copies, 1):
        yield from _read(copy, report.get(index, ()))


def _run(copies: tuple[_Copy, ...], context: Context) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """Give ruff's entries by the number of the file, counted from 1. Raises ToolFailed, also when the file that we add
    ourselves is not reported: a tool that says nothing has not looked."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-ruff-") as folder:
        for index, copy in enumerate((_Copy(None, ""), *copies)):
            Path(folder, f"f{index:06d}.py").write_bytes(copy.written.encode("utf-8", "surrogatepass"))
        done = context.tools.run(
            RUFF,
            "check", "--isolated", "--no-cache", "--ignore-noqa", "--no-respect-gitignore", "--exit-zero", "--no-fix",
            "--target-version", "py313", "--select", ",".join((*RULES, _SENTINEL_CODE)), "--output-format", "json",
            "--", ".",
            timeout=TIMEOUT, cwd=Path(folder), ok=(0,),
        )  # fmt: skip
    entries = done.json()
    if not isinstance(entries, list):
        raise ToolFailed(RUFF.name, "printed JSON that is no report")
    found: dict[int, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(_number(entry, len(copies)), []).append(entry)
    if not _complete(_Copy(None, ""), found.get(0, ())):
        raise ToolFailed(RUFF.name, "did not report the known-bad file that every batch has: its silence means nothing")
    return found


def _number(entry: Any, count: int) -> int:
    """Which of our files an entry is about. Raises ToolFailed for what is not an entry as we know them."""
    try:
        name = PurePath(entry["filename"]).name
        number = int(name.removeprefix("f").removesuffix(".py"))
        if (
            int(entry["location"]["row"]) < 0
            or not 0 <= number <= count
            or not isinstance(entry.get("code"), str | None)
        ):
            raise ValueError
    except (TypeError, KeyError, ValueError):
        raise ToolFailed(RUFF.name, "reported something that is not about the given files") from None
    return number


def _complete(copy: _Copy, entries: Sequence[Mapping[str, Any]]) -> bool:
    return any(e.get("code") == _SENTINEL_CODE and e["location"]["row"] == copy.last_line for e in entries)


def _read(copy: _Copy, entries: Sequence[Mapping[str, Any]]) -> Iterator[Finding | Skipped]:
    artifact = copy.artifact
    if artifact is None:
        return
    lines = _LINE_END.split(copy.text)
    for entry in entries:
        rule = RULES.get(str(entry.get("code")))
        row = int(entry["location"]["row"])
        if rule is None or row > len(lines):
            continue
        column = int(entry["location"].get("column") or 1)
        what = _what(lines[row - 1], column)
        told = f": {what}" if what and what.removesuffix("()") not in rule.title.split() else ""
        yield rule.at(
            artifact,
            f"{rule.title}{told} ({entry['code']})",
            evidence=without_strings(lines[row - 1]),
            line=row,
            column=column,
            severity=lowered(rule.severity, artifact.uri),
            witness="ruff",
        )
    if not _complete(copy, entries):
        first = next((int(e["location"]["row"]) for e in entries if e.get("code") in (None, "invalid-syntax")), None)
        reason = f"is not Python 3 for ruff (line {first})" if first else "was not reported as read by ruff"
        yield Skipped(artifact, f"the file {reason}")


def _what(line: str, column: int) -> str:
    """The name at the column, or else the call around it; names only, because strings may be secrets."""
    here = _NAME.match(line, column - 1)
    if here and here["name"] not in _NO_NAMES:
        return here["name"] + ("()" if here["call"] else "")
    calls = _CALL.findall(without_strings(line[: column - 1]))
    return f"{calls[-1]}()" if calls else ""
