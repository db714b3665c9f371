"""Passwords, tokens and keys in the cells of text datasets (CSV, TSV, JSON lines).

A model that is trained on a secret can be made to say it. Findings are gathered per column and rule; binary formats
are not opened here, and are said to be so.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from shipworthy.check import Canary, Context, Skipped, check
from shipworthy.checks.secrets import _cells
from shipworthy.checks.secrets._engine import Hit, Scanned, Source, finding, scan
from shipworthy.checks.secrets._kingfisher import KINGFISHER
from shipworthy.checks.secrets._patterns import Dialect
from shipworthy.checks.secrets._rules import (
    CLOUD_KEY,
    CLOUD_KEY_ID,
    CONNECTION_STRING,
    GENERIC,
    PASSWORD,
    PRIVATE_KEY,
    TOKEN,
)
from shipworthy.checks.secrets.files import sample_token
from shipworthy.errors import ShipworthyError
from shipworthy.model import Artifact, Finding

RULES = (CLOUD_KEY, CLOUD_KEY_ID, TOKEN, PRIVATE_KEY, PASSWORD, CONNECTION_STRING, GENERIC)
MAX_BYTES = 64 * 1024 * 1024
_TABLES = {".csv", ".tsv"}
_TEXT = _TABLES | {".jsonl", ".ndjson"}
_HITS = 10_000
_ROWS_LISTED = 5


def _sample() -> bytes:
    return b"id,note\n1,hello\n2," + sample_token().split(b'"')[1] + b"\n"


@check(
    "secrets-datasets",
    kinds={"dataset"},
    scope="batch",
    version=3,
    needs=(KINGFISHER,),
    canary=Canary(files={"data/notes.csv": _sample}, rule=TOKEN.id),
    options={"max-bytes": MAX_BYTES},
    timeout=600.0,
)
def run(artifacts: tuple[Artifact, ...], context: Context) -> Iterator[Finding | Skipped]:
    """Findings per column; of larger datasets the first `max-bytes` are read, to the last whole line."""
    limit = int(context.options.get("max-bytes", MAX_BYTES))
    unread: list[Skipped] = []
    named: list[Finding] = []

    def sources() -> Iterator[tuple[Artifact, Source]]:
        for artifact in artifacts:
            suffix = _format(artifact)
            if suffix not in _TEXT:
                unread.append(Skipped(artifact, f"{suffix or 'a file without suffix'} is no text format; not searched"))
                continue
            data = _read(artifact, limit, unread)
            if data is None:
                continue
            if suffix in _TABLES:
                named.extend(_named(artifact, data, suffix))
            # In JSON lines the name stands beside each value, as in code; in a table only once, in the header.
            yield artifact, Source(data, suffix, None if suffix in _TABLES else Dialect.CODE)

    for scanned in scan(sources(), context.tools, most=_HITS):
        yield from _by_column(scanned, _format(scanned.tag))
        if scanned.more:
            yield Skipped(
                scanned.tag, f"it holds {scanned.more} more secrets than were looked at one by one", code="findings-cut"
            )
    yield from named
    yield from unread


def _format(artifact: Artifact) -> str:
    suffixes = PurePosixPath(artifact.uri.lower()).suffixes
    return suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])


def _read(artifact: Artifact, limit: int, unread: list[Skipped]) -> bytes | None:
    try:
        with artifact.open() as stream:
            if artifact.uri.lower().endswith(".gz"):
                with gzip.GzipFile(fileobj=stream) as unpacked:
                    data = unpacked.read(limit + 1)
            else:
                data = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        unread.append(Skipped(artifact, f"it cannot be read: {getattr(error, 'strerror', '') or type(error).__name__}"))
        return None
    except ShipworthyError as error:
        unread.append(Skipped(artifact, f"it cannot be read: {error.message}"))
        return None
    if len(data) > limit:
        data = data[:limit]
        data = data[: data.rfind(b"\n") + 1] or data
        unread.append(Skipped(artifact, f"only its first {len(data)} bytes were searched (max-bytes)"))
    return data


def _by_column(scanned: Scanned[Artifact], suffix: str) -> Iterator[Finding]:
    """One finding per column, rule and pattern, with the first rows that hold it."""
    groups: dict[tuple[str, str], list[tuple[Hit, int]]] = {}
    if not scanned.data:
        return
    by_line: dict[int, list[Hit]] = {}
    for hit in scanned.hits:
        by_line.setdefault(hit.line, []).append(hit)
    last = max(by_line, default=0)
    secrets = {hit.secret.decode("utf-8", "replace") for hit in scanned.hits}
    for row in _cells.rows(scanned.data, suffix):
        if row.first > last:
            break
        for line in range(row.first, min(row.last, last) + 1):
            for hit in by_line.get(line, ()):
                column = _column(row, hit, secrets)
                groups.setdefault((column, hit.pattern), []).append((hit, row.number))
    for (column, _), found in groups.items():
        yield _gathered(scanned.tag, column, found)


def _column(row: _cells.Row, hit: Hit, secrets: set[str]) -> str:
    """The column that the hit is in; no name that is itself a secret, as in a table without header."""
    secret = hit.secret.decode("utf-8", "replace")
    column = next((name for name, value in row.values if secret and secret in value), "")
    return "" if any(other and other in column for other in secrets) else column


def _named(artifact: Artifact, data: bytes, suffix: str) -> Iterator[Finding]:
    """One finding for each column that is named like a secret and holds values that look like one."""
    groups: dict[str, list[tuple[Hit, int]]] = {}
    for rule, column, row, value in _cells.named(data, suffix):
        hit = Hit(rule, "named-column", 0, 1, rule.confidence, rule.severity, "", value.encode(), column)
        groups.setdefault(column, []).append((hit, row))
    for column, found in groups.items():
        yield _gathered(artifact, column, found)


def _gathered(artifact: Artifact, column: str, found: list[tuple[Hit, int]]) -> Finding:
    hit, row = found[0]
    numbers = list(dict.fromkeys(number for _, number in found))
    listed = ", ".join(map(str, numbers[:_ROWS_LISTED])) + (", …" if len(numbers) > _ROWS_LISTED else "")
    where = f" in {len(numbers)} {'rows' if len(numbers) > 1 else 'row'} ({listed})"
    return finding(hit, artifact, where=where, key=f"{column}:", row=row, field=column or None, line=hit.line or None)
