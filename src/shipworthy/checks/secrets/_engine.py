"""Secrets in bytes: the wrapped tool and our own patterns together, as hits that show no secret."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

from shipworthy.checks.secrets import _kingfisher, _patterns
from shipworthy.checks.secrets._patterns import Dialect
from shipworthy.checks.secrets._placeholder import entropy, is_checksum, is_example_token, is_placeholder, words
from shipworthy.checks.secrets._rules import (
    CLOUD_KEY,
    CLOUD_KEY_ID,
    CONNECTION_STRING,
    PASSWORD,
    PRIVATE_KEY,
    is_identifier,
    rule_for,
)
from shipworthy.model import Artifact, Confidence, Finding, Rule, Severity
from shipworthy.tools import Toolbox

T = TypeVar("T")
CHUNK_BYTES = 128 * 1024 * 1024
CHUNK_FILES = 4000
HITS_PER_SOURCE = 100
OWN = "shipworthy"

_LOCK_FILES = re.compile(
    r"(?:.*[.-]lock(?:\.json|\.yaml)?|.*\.lockb?|go\.sum|.*\.min\.(?:js|css)|.*\.map)", re.IGNORECASE
)
_CONFIG = words(
    """.env .ini .cfg .conf .config .properties .yaml .yml .toml .tf .tfvars .hcl .sh .bash .zsh .ps1 .bat"""
)
_CODE = words(
    """.py .pyi .js .mjs .cjs .ts .tsx .jsx .java .kt .scala .groovy .go .rb .rs .c .h .cc .cpp .hpp .cs .php .swift
    .pl .lua .r .sql .sh .bash .zsh .ps1 .bat .yaml .yml .toml .ini .cfg .conf .env .properties .tf .tfvars .hcl"""
)
# Most of the tool's expressions want a quote, a blank or the end of the line after a token, and miss it in a table, in
# markup or in brackets. So prose and data are handed over a second time, with as many bytes and blanks for these:
_LOOSE = bytes.maketrans(b",<>()[]{}&|*", b" " * 12)
# UTF-32 first: its mark begins with that of UTF-16.
_BOMS = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_WORDS = re.compile(rb"[a-z]+\d{0,2}(?:[-_.][a-z]+\d{0,2}){2,}|[a-z]{16,}")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]{0,60}-----")


@dataclass(frozen=True)
class Source:
    """Bytes to look at. `suffix` tells the tool what they are; without a dialect our own patterns are not used."""

    data: bytes = field(repr=False)
    suffix: str = ".txt"
    dialect: Dialect | None = Dialect.CODE


@dataclass(frozen=True)
class Hit:
    """A secret at a place: `line` from 1, `column` in bytes from 1. `pattern` is the tool's or our own name for it;
    `context` is the variable it is given to."""

    rule: Rule
    pattern: str
    line: int
    column: int
    confidence: Confidence
    severity: Severity
    witness: str
    secret: bytes = field(repr=False)
    context: str = ""


@dataclass(frozen=True)
class Scanned(Generic[T]):
    """What was found in one source. `data` is what the lines and columns refer to (empty without hits); `more` counts
    the hits that are not listed."""

    tag: T
    hits: tuple[Hit, ...]
    more: int = 0
    data: bytes = field(default=b"", repr=False)


def dialect_of(name: str) -> Dialect | None:
    """How values are written in a file of this name; None for lock files and minified code, which only look random."""
    path = PurePosixPath(name.lower())
    if _LOCK_FILES.fullmatch(path.name):
        return None
    if "dockerfile" in path.name or "containerfile" in path.name:
        return Dialect.DOCKER
    return (
        Dialect.CONFIG
        if path.suffix in _CONFIG or path.name.startswith((".env", ".netrc", ".npmrc", ".pypirc"))
        else Dialect.CODE
    )


def suffix_of(name: str) -> str:
    """The suffix that tells the tool which language a file is in."""
    return PurePosixPath(name).suffix or ".txt"


def scan(
    sources: Iterable[tuple[T, Source]], tools: Toolbox, *, timeout: float = 300.0, most: int = HITS_PER_SOURCE
) -> Iterator[Scanned[T]]:
    """Look at every source; each is yielded once, after the tool has proved that it read it.

    Raises ToolMissing and ToolFailed; `timeout` in seconds is for one run of the tool, which takes up to 128 MB; `most`
    is how many hits of one source are listed.
    """
    tools.locate(_kingfisher.KINGFISHER)
    pending = iter(sources)
    while True:
        with _kingfisher.stage() as staged:
            tags: list[tuple[T, int, list[tuple[int, Hit]]]] = []
            for tag, source in pending:
                data = as_text(source.data)
                tags.append((tag, staged.add(data, source.suffix), list(_own(data, source.dialect))))
                if source.suffix.lower() not in _CODE and (loose := data.translate(_LOOSE)) != data:
                    staged.add(loose, ".txt")
                if staged.bytes >= CHUNK_BYTES or len(tags) >= CHUNK_FILES:
                    break
            if not tags:
                return
            by_index: dict[int, list[_kingfisher.Raw]] = {}
            for raw in _kingfisher.scan(staged, tools, timeout):
                by_index.setdefault(raw.index, []).append(raw)
            for position, (tag, index, own) in enumerate(tags):
                stop = tags[position + 1][1] if position + 1 < len(tags) else len(staged)
                found = [raw for number in range(index, stop) for raw in by_index.get(number, ())]
                data = staged.read(index) if found or own else b""
                hits = _merge(data, found, own)
                yield Scanned(tag, tuple(hits[:most]), max(0, len(hits) - most), data)


def as_text(data: bytes) -> bytes:
    """The bytes as the tool shall see them: UTF-16 and UTF-32 become UTF-8; in anything else nothing moves, but NULs
    become spaces and a zip archive loses its first letter, or the tool would guess an encoding or leave it out."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    head = data[:4096]
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        if len(head) >= 8 and head[first::2].count(0) > 0.7 * len(head[first::2]) and head[1 - first :: 2].count(0) < 4:
            return data.decode(encoding, "replace").encode("utf-8", "replace")
    if data.startswith(b"PK"):
        data = b" " + data[1:]
    return data.replace(b"\0", b" ")


def _own(data: bytes, dialect: Dialect | None) -> Iterator[tuple[int, Hit]]:
    """Our own hits with their byte offsets."""
    if dialect is None:
        return
    # Latin-1 keeps one character per byte: offsets are byte offsets, and nothing is undecodable.
    text = data.decode("latin-1")
    starts: list[int] = []
    for match in _patterns.find(text, dialect):
        starts = starts or [0, *(newline.end() for newline in re.finditer("\n", text))]
        line = bisect_right(starts, match.start)
        yield (
            match.start,
            Hit(
                rule=match.rule,
                pattern=match.pattern,
                line=line,
                column=match.start - starts[line - 1] + 1,
                confidence=match.rule.confidence,
                severity=match.rule.severity,
                witness="",
                secret=data[match.start : match.end],
                context=match.name,
            ),
        )


def _merge(data: bytes, found: list[_kingfisher.Raw], own: list[tuple[int, Hit]]) -> list[Hit]:
    starts = [0, *(newline.end() for newline in re.finditer(b"\n", data))] if found else []
    theirs = []
    for raw in found:
        if raw.line > len(starts):
            begin, secret = len(data), b""
        else:
            begin = starts[raw.line - 1] + raw.start
            stop = starts[raw.line - 1] + raw.end if raw.end else _end_of_line(data, begin)
            secret = data[begin:stop]
        if not is_checksum(data[max(0, begin - 7) : begin], secret):
            theirs.append((begin, _hit(raw, secret, data[begin : begin + 20_000])))
    taken = sorted((begin, begin + len(hit.secret)) for begin, hit in theirs)
    if any(hit.rule is CLOUD_KEY for _, hit in theirs + own):  # the secret itself is there: its id adds nothing
        own = [(begin, hit) for begin, hit in own if hit.rule is not CLOUD_KEY_ID]
    kept = [(begin, hit) for begin, hit in own if not _overlaps(taken, begin, begin + len(hit.secret))]
    unique: dict[tuple[int, str], Hit] = {}
    for begin, hit in sorted(theirs + kept, key=lambda pair: pair[0]):
        unique.setdefault((begin, hit.rule.id), hit)
    return list(unique.values())


def _overlaps(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    position = bisect_right(spans, (end, 0))
    return any(begin < end and start < stop for begin, stop in spans[max(0, position - 3) : position])


def _end_of_line(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return len(data) if end < 0 else end


def _hit(raw: _kingfisher.Raw, secret: bytes, following: bytes) -> Hit:
    rule = rule_for(raw.rule)
    confidence = Confidence(raw.confidence) if raw.confidence in {"low", "medium", "high"} else Confidence.LOW
    severity = rule.severity
    if rule is PRIVATE_KEY and (end := _KEY_END.search(following)):
        secret = following[: end.end()]  # the tool marks the first line only
    text = secret.decode("utf-8", "replace")
    if is_example_token(secret) or (rule in (CONNECTION_STRING, PASSWORD) and is_placeholder(text)):
        severity, confidence = Severity.LOW, Confidence.LOW
    elif rule not in (CONNECTION_STRING, PASSWORD, PRIVATE_KEY) and _WORDS.fullmatch(secret):
        severity, confidence = Severity.LOW, Confidence.LOW  # a name in lower case, not a random token
    elif is_identifier(raw.rule):
        severity = Severity.LOW
    elif confidence is Confidence.LOW:
        severity = min(severity, Severity.MEDIUM)
    return Hit(rule, raw.rule, raw.line, raw.start + 1, confidence, severity, _kingfisher.KINGFISHER.name, secret)


def redact(secret: bytes) -> str:
    """At most the first four characters (a quarter of short ones), and the length."""
    if not secret:
        return "redacted"
    text = secret.decode("utf-8", "replace")
    shown = "".join(c if c.isprintable() else "?" for c in text[: min(4, len(text) // 4)])
    return f"{shown}… ({len(text)} characters)"


def mark(secret: bytes) -> str:
    """What tells two secrets apart in a key. A digest only of what is too random to be guessed back from it; of a
    password nothing but its length."""
    text = secret.decode("utf-8", "replace")
    if len(text) >= 20 and entropy(text) >= 3.5:
        return hashlib.sha256(secret).hexdigest()[:8]
    return f"{len(text)} characters"


def finding(hit: Hit, artifact: Artifact, *, where: str = "", key: str = "", **place: Any) -> Finding:
    """The finding for a hit: redacted evidence, and a key that survives moved lines and from which no secret can be
    computed. `where` is added to the message; `place` is passed on to `Rule.at`."""
    secret = hit.secret.decode("utf-8", "replace")
    context = "" if not secret or secret in hit.context else _printable(hit.context)
    verb = "for" if hit.rule is CONNECTION_STRING else "given to"
    named = f" {verb} {context}" if context else ""
    private = hit.rule is PRIVATE_KEY
    severity, confidence = hit.severity, hit.confidence
    if not hit.witness and _is_sample(artifact.uri):
        severity, confidence = Severity.LOW, Confidence.LOW
    return hit.rule.at(
        artifact,
        f"{hit.rule.title} ({hit.pattern}){named}{where}",
        evidence=f"private key, redacted ({len(hit.secret)} bytes)" if private else redact(hit.secret),
        key=f"{key or ''}{hit.pattern}:{context}:{mark(hit.secret)}",
        severity=severity,
        confidence=confidence,
        witness=hit.witness or OWN,
        **place,
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:80])


_SAMPLE_FOLDERS = words(
    """test tests testing testdata doc docs example examples fixture fixtures sample samples mock mocks spec specs
    demo"""
)
_SAMPLE_FILE = re.compile(
    r"test_.*|conftest\.py|.*_test\.\w+|.*\.(?:test|spec)\.\w+|.*\.(?:md|rst|example|sample|template|dist)"
)


def _is_sample(uri: str) -> bool:
    """Tests, documentation and examples, where named values are mostly made up."""
    *folders, name = uri.lower().split("/")
    return not _SAMPLE_FOLDERS.isdisjoint(folders) or _SAMPLE_FILE.fullmatch(name) is not None
