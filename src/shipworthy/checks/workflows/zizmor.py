"""Workflows of GitHub as zizmor sees them, when it is installed: a second witness beside our own rules."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from shipworthy.check import Canary, Context, NotApplicable, Skipped, check
from shipworthy.checks.workflows._zizmor_rules import OTHER, RULES
from shipworthy.checks.workflows.github_actions import SIZE_LIMIT, is_ours
from shipworthy.model import Artifact, Confidence, Finding, Severity
from shipworthy.tools import Tool, ToolFailed, ToolMissing

__all__ = ["RULES", "scan"]

ZIZMOR = Tool("zizmor", versions=">=1.20,<2", install="pip install 'zizmor>=1.20,<2'")
TIMEOUT = 120.0
# Exit codes of findings by severity (11 to 14), of no findings (0), of findings in SARIF (1).
_OK = (0, 10, 11, 12, 13, 14)
_SEVERITY = {"Informational": Severity.INFO, "Low": Severity.LOW, "Medium": Severity.MEDIUM, "High": Severity.HIGH}
_CONFIDENCE = {"Low": Confidence.LOW, "Medium": Confidence.MEDIUM, "High": Confidence.HIGH}
# A file of ours in every run, which must be reported: silence about it means that nothing was looked at.
_KNOWN_BAD = "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: o/r@main\n"
_KNOWN = "unpinned-uses"
_CANARY = _KNOWN_BAD.encode()


@dataclass
class _Budget:
    """How often and until when it may be started again to find the file that it refuses."""

    runs: int
    until: float

    def spend(self) -> bool:
        self.runs -= 1
        return self.runs >= 0 and time.monotonic() < self.until


@check(
    "zizmor",
    kinds={"workflow"},
    scope="batch",
    version=1,
    accepts=is_ours,
    options={"required": False},
    canary=Canary(files={".github/workflows/ci.yml": _CANARY}, rule="zizmor-unpinned-uses"),
    timeout=600.0,
)
def scan(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings of a batch. zizmor reads copies, without network, settings and ignore comments. Raises NotApplicable
    when it is not installed and not required (our own check reads the same files), ToolFailed if it does not work."""
    try:
        context.tools.version(ZIZMOR)
    except ToolMissing as missing:
        if context.options.get("required") or ZIZMOR.name in context.tools.paths:
            raise
        raise NotApplicable(f"{missing.reason}: zizmor is a second witness beside github-actions") from None
    texts: list[tuple[Artifact, bytes]] = []
    for artifact in artifacts:
        data = artifact.read_bytes(SIZE_LIMIT + 1)
        if len(data) > SIZE_LIMIT:
            yield Skipped(artifact, f"the file is larger than {SIZE_LIMIT:,} bytes")
        else:
            texts.append((artifact, data))
    if texts:
        yield from _scan(texts, context, _Budget(64, time.monotonic() + 4 * TIMEOUT))


def _scan(texts: Sequence[tuple[Artifact, bytes]], context: Context, budget: _Budget) -> Iterator[Finding | Skipped]:
    """One run; if it refuses, its halves: one file that it cannot read does not hide the others."""
    try:
        entries = _run(texts, context)
    except ToolFailed as failure:
        if not budget.spend():
            for artifact, _ in texts:
                yield Skipped(artifact, f"zizmor failed too often: {failure.reason}")
            return
        _run((), context)  # does it work at all? If not, the check has failed, whatever the files
        if len(texts) == 1:
            yield Skipped(texts[0][0], "zizmor could not read the file")
            return
        middle = len(texts) // 2
        yield from _scan(texts[:middle], context, budget)
        yield from _scan(texts[middle:], context, budget)
        return
    for number, (artifact, _) in enumerate(texts, 1):
        yield from (_finding(artifact, entry) for entry in entries.get(number, ()))


def _run(texts: Sequence[tuple[Artifact, bytes]], context: Context) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """Its entries by the number of the file, counted from 1. Raises ToolFailed, also when ours is not reported."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-zizmor-") as folder:
        names = []
        for number, data in enumerate((_CANARY, *(data for _, data in texts))):
            is_action = number > 0 and PurePosixPath(texts[number - 1][0].uri).stem == "action"
            name = f"f{number:06d}/{'action.yml' if is_action else '.github/workflows/w.yml'}"
            path = Path(folder, name)
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            names.append(name)
        done = context.tools.run(
            ZIZMOR,
            "--offline", "--no-config", "--no-ignores", "--strict-collection", "--no-progress", "--color=never",
            "--format=json-v1", "--", *names,
            timeout=TIMEOUT, cwd=Path(folder), ok=_OK,
        )  # fmt: skip
    entries = done.json()
    if not isinstance(entries, list):
        raise ToolFailed(ZIZMOR.name, "printed JSON that is no report")
    found: dict[int, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(_number(entry, len(texts)), []).append(entry)
    if not any(entry.get("ident") == _KNOWN for entry in found.get(0, ())):
        raise ToolFailed(ZIZMOR.name, "did not report the known-bad file that every run has: its silence means nothing")
    return found


def _primary(entry: Any) -> Mapping[str, Any]:
    locations = entry["locations"]
    chosen = next((at for at in locations if at["symbolic"]["kind"] == "Primary"), locations[0])
    if not isinstance(chosen, dict):
        raise TypeError
    return chosen


def _number(entry: Any, count: int) -> int:
    """Which of our files an entry is about. Raises ToolFailed for what is not an entry as we know them."""
    try:
        at = _primary(entry)
        path = str(at["symbolic"]["key"]["Local"]["verbatim_path"]).removeprefix("./")
        number = int(path.partition("/")[0].removeprefix("f"))
        row = at["concrete"]["location"]["start_point"]["row"]
        if not 0 <= number <= count or not isinstance(row, int) or not isinstance(entry["ident"], str):
            raise ValueError
        entry["determinations"]["severity"], entry["determinations"]["confidence"]
    except (TypeError, KeyError, ValueError, IndexError, AttributeError):
        raise ToolFailed(ZIZMOR.name, "reported something that is not about the given files") from None
    return number


def _finding(artifact: Artifact, entry: Mapping[str, Any]) -> Finding:
    at, judged = _primary(entry), entry["determinations"]
    ident = str(entry["ident"])
    rule = RULES.get(ident, OTHER)
    said = " ".join(str(entry.get("desc", "")).split())[:200]
    noted = " ".join(str(at["symbolic"].get("annotation", "")).split())[:200]
    start, end = (at["concrete"]["location"].get(name, {}) for name in ("start_point", "end_point"))
    route = "/".join(
        str(next(iter(part.values()), "")) for part in at["symbolic"].get("route", {}).get("route", ())[:20]
    )
    return rule.at(
        artifact,
        f"{said} ({ident})" + (f": {noted}" if noted and noted != said else ""),
        key=f"{ident} {route} {noted}",
        severity=_SEVERITY.get(str(judged["severity"]), rule.severity),
        confidence=_CONFIDENCE.get(str(judged["confidence"]), rule.confidence),
        line=int(start["row"]) + 1,  # its rows count from 0
        end_line=int(end.get("row", start["row"])) + 1,
        witness=ZIZMOR.name,
    )
