"""What a report of a security tool says, whatever wrote it, and how little of it is believed without a second look."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.errors import without_passwords
from shipworthy.model import Confidence, Kind, Severity
from shipworthy.patterns import regex
from shipworthy.records import dataclass
from shipworthy.witnesses.claims import UnreadableReport

STATEMENTS = 100_000
_TEXT = 500
_CWE = regex(r"(?i)\bCWE[-_ :/]{0,3}(\d{1,5})\b")
_ID = regex(r"(?:CVE-\d{4}-\d{4,9}|GHSA(?:-[0-9a-z]{4}){3}|PYSEC-\d{4}-\d{1,6}|RUSTSEC-\d{4}-\d{4}|GO-\d{4}-\d{4,6})")
_TAG = regex(
    r"(?i)</?(?:a|b|blockquote|br|code|div|em|font|h[1-6]|hr|i|img|li|ol|p|pre|span|strong|table|tbody|td|th|tr|u|ul)"
    r"(?:\s[^<>]{0,500}|\s?/)?>"
)
# Tokens by their looks, and what is assigned to a name that says what it is: reports quote lines of what they scanned.
_TOKEN = regex(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,8000}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|"
    r"(?<![\w-])(?:gh[pousr]_|github_pat_|xox[a-z]-|sk-|glpat-|AIza|hf_)[\w-]{16,255}|"
    r"(?<![\w-])eyJ[\w-]{10,4000}\.[\w-]{10,4000}(?:\.[\w-]{0,4000})?"
)
_ASSIGNED = regex(
    r"(?i)((?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|authorization|cookie)[\"']?\s{0,3}[:=]\s{0,3})"
    r"(\"[^\"]{3,255}\"|'[^']{3,255}'|(?:bearer |basic )?[^\s\"',;&]{3,255})"
)
_DENSE = regex(r"(?=[A-Za-z+/=_-]{0,80}\d)[A-Za-z0-9+/=_-]{16,512}")
_WORDS = {
    "critical": Severity.CRITICAL, "blocker": Severity.CRITICAL, "urgent": Severity.CRITICAL,
    "high": Severity.HIGH, "important": Severity.HIGH, "error": Severity.HIGH, "major": Severity.HIGH,
    "medium": Severity.MEDIUM, "moderate": Severity.MEDIUM, "warning": Severity.MEDIUM, "warn": Severity.MEDIUM,
    "low": Severity.LOW, "minor": Severity.LOW, "negligible": Severity.LOW, "style": Severity.LOW,
    "info": Severity.INFO, "information": Severity.INFO, "informational": Severity.INFO, "note": Severity.INFO,
    "none": Severity.INFO, "log": Severity.INFO, "debug": Severity.INFO, "bestpractice": Severity.INFO,
}  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """One thing that a tool says. `path` is a file as the report spells it; `subject` is what is no file (an address,
    a host, an image, a package); lines and columns count from 1; `ids` name advisories; `part` is what it is about in
    there (a resource, a parameter, a port); `identity` is what the tool itself knows it by. A `secret` is never told.
    """

    rule: str
    message: str
    severity: Severity
    confidence: Confidence = Confidence.MEDIUM
    title: str = ""
    path: str = ""
    line: int | None = None
    end_line: int | None = None
    column: int | None = None
    subject: str = ""
    kind: Kind = Kind.OTHER
    cwes: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    package: str = ""
    version: str = ""
    part: str = ""
    remedy: str = ""
    commit: str = ""
    identity: str = ""
    secret: bool = False


@dataclass(frozen=True)
class Report:
    """A whole report. `made` is when, as the report spells it; `looked` how many things it says that it looked at
    (None: it does not say); `gaps` what it could not look at; `notes` are for people; `commits` are those of which it
    says that they were looked at."""

    statements: tuple[Statement, ...]
    version: str = ""
    made: str = ""
    looked: int | None = None
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tool: str = ""
    commits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A tool whose reports are taken in. `form` names what it writes, `command` how; `category` is that of our checks
    that look at the same; `stage` is where a run takes it in (`scan` or `test`); `tried` says what the reader was
    tried on: `real` (the program was run here), `recorded` (real reports that others recorded), or `documented` (its
    documentation alone)."""

    title: str
    form: str
    command: str
    category: str
    read: Callable[[bytes], Report]
    tried: str
    stage: str = "scan"
    about: str = ""


def plain(value: Any, limit: int = _TEXT) -> str:
    """Text of a report: no markup, no passwords, no tokens, one line, bounded."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    text = value[: limit * 8]
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = " ".join(html.unescape(text).split())
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable())
    text = _ASSIGNED.sub(r"\1…", _TOKEN.sub("…", without_passwords(text)))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def guarded(value: Any, limit: int = 160) -> str:
    """Text that may quote a secret: whatever looks like one is gone."""
    return _DENSE.sub("…", plain(value, limit))


def name(value: Any, limit: int = 200) -> str:
    """An identifier or a path of a report, bounded, as it is spelled."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    text = value.strip() if isinstance(value, str) else ""
    return "".join(char for char in text[:4096] if char.isprintable())[:limit]


def address(value: Any) -> str:
    """An address without what may be secret in it: user, query and fragment."""
    text = without_passwords(name(value, 2000))
    return re.split(r"[?#]", text, maxsplit=1)[0]


def number(value: Any) -> int | None:
    """A line or column: a whole number of at least 1, also when it is spelled as text."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else None


def cwes(*values: Any) -> tuple[str, ...]:
    """CWE ids out of numbers, texts and lists of them, each once."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, (list, tuple)):
            found |= dict.fromkeys(cwes(*value[:50]))
        elif isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000:
            found[f"CWE-{value}"] = None
        elif isinstance(value, str):
            text = value[:2000]
            if re.fullmatch(r"\s*[1-9]\d{0,4}\s*", text):
                found[f"CWE-{int(text)}"] = None
            found |= dict.fromkeys(f"CWE-{int(match[1])}" for match in _CWE.finditer(text) if int(match[1]))
    return tuple(found)


def advisories(*values: Any) -> tuple[str, ...]:
    """Ids of advisories (CVE, GHSA and the like) out of texts and lists of them, each once."""
    found: dict[str, None] = {}
    for value in values:
        if isinstance(value, (list, tuple)):
            found |= dict.fromkeys(advisories(*value[:50]))
        elif isinstance(value, str):
            found |= dict.fromkeys(match[0] for match in _ID.finditer(value[:4000]))
    return tuple(found)


def graded(value: Any, default: Severity = Severity.MEDIUM) -> Severity:
    """A severity in words; one that is not known, or none, is `default`: unknown is not harmless."""
    word = name(value).lower()
    return _WORDS.get(word, default)


def scored(value: Any) -> Severity | None:
    """A severity from a CVSS base score, by the ratings of CVSS v3.1, section 5."""
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    if not 0 <= score <= 10:
        return None
    for least, severity in (
        (9.0, Severity.CRITICAL),
        (7.0, Severity.HIGH),
        (4.0, Severity.MEDIUM),
        (0.1, Severity.LOW),
    ):
        if score >= least:
            return severity
    return Severity.INFO


def sure(value: Any, default: Confidence = Confidence.MEDIUM) -> Confidence:
    """A confidence in words."""
    words = {
        "high": Confidence.HIGH, "certain": Confidence.HIGH, "confirmed": Confidence.HIGH, "very high": Confidence.HIGH,
        "medium": Confidence.MEDIUM, "firm": Confidence.MEDIUM, "low": Confidence.LOW, "weak": Confidence.LOW,
        "tentative": Confidence.LOW, "undefined": Confidence.LOW, "very low": Confidence.LOW,
    }  # fmt: skip
    return words.get(name(value).lower(), default)


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list. Raises UnreadableReport for one that holds anything else."""
    for item in value if isinstance(value, list) else []:
        if not isinstance(item, dict):
            raise UnreadableReport("a list of it holds something that is no object")
        yield item


def at(value: Any, *names: str | int) -> Any:
    """What lies under these names; None when it is not there."""
    for each in names:
        if isinstance(each, int):
            value = value[each] if isinstance(value, list) and len(value) > each else None
        else:
            value = value.get(each) if isinstance(value, dict) else None
    return value


def wanted(value: Any, key: str, kind: type, *, tool: str = "the tool") -> Any:
    """A member that the tool always writes. Raises UnreadableReport when it is not there."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise UnreadableReport(f"it has no `{key}` as {tool} writes it")
    return found
