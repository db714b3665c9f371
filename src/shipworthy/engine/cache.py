"""Results of unchanged artifacts, between runs: SQLite in the user's own cache folder.

Not in the workspace: a cache that came with a repository could call anything clean. Only what ran to the end is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.check import Check, Context
from shipworthy.model import Artifact, Confidence, DatasetFacts, Finding, Kind, Location, Severity
from shipworthy.model._reading import DAMAGE, read_facts
from shipworthy.model.serial import facts_to_dict
from shipworthy.records import dataclass
from shipworthy.rules import STOPPED

_SCHEMA = "CREATE TABLE IF NOT EXISTS results (key BLOB PRIMARY KEY, value TEXT NOT NULL, used INTEGER NOT NULL)"
_BATCH = 500
_KEEP_DAYS = 30
_DAY = 86400
_WAIT = 2.0


def check_key(check: Check, context: Context, tool_versions: Mapping[str, str]) -> str:
    """What a check's results depend on besides the artifact: versions, rules, options, and what `cache_on` adds."""
    parts: dict[str, Any] = {
        "shipworthy": __version__,
        "check": check.name,
        "version": check.version,
        "rules": [repr(rule) for rule in check.rules],
        "options": dict(context.options),
        "trust": context.trust,
        "offline": context.offline,
        "tools": {tool.name: tool_versions.get(tool.name, "") for tool in check.needs},
        "extra": check.cache_on(context) if check.cache_on else "",
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def artifact_key(base: str, artifacts: Iterable[Artifact], beside: Callable[[Artifact], str] | None = None) -> bytes:
    """The key of one check on these artifacts. The name is part of it: checks may look at it."""
    digest = hashlib.sha256(base.encode())
    for artifact in artifacts:
        digest.update(f"\0{artifact.uri}\0{artifact.kind}\0{artifact.digest}".encode("utf-8", "surrogatepass"))
        if beside:
            digest.update(f"\0{beside(artifact)}".encode())
    return digest.digest()


@dataclass(frozen=True)
class Kept:
    """What a check said of its artifacts."""

    findings: tuple[Finding, ...] = ()
    facts: tuple[DatasetFacts, ...] = ()


class Cache:
    """Results by key. A cache that cannot be opened, read or written is no cache, and never an error."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[bytes, str]] = []
        self._written = time.monotonic()
        self._database = None if folder is None else _open(folder)

    def get(self, keys: Mapping[bytes, tuple[Check, tuple[Artifact, ...]]]) -> dict[bytes, Kept]:
        """The results of the keys that are known, bound to the artifacts of today."""
        self.flush()
        found: dict[bytes, Kept] = {}
        old: list[bytes] = []
        wanted, today = list(keys), time.time()
        for start in range(0, len(wanted), _BATCH):
            part = wanted[start : start + _BATCH]
            marks = ",".join("?" * len(part))
            sql = f"SELECT key, value, used FROM results WHERE key IN ({marks})"  # noqa: S608
            for key, value, used in self._query(sql, part):
                if not isinstance(used, int) or used < today - _DAY:
                    old.append(key)
                if value == "[]":  # most of them
                    found[key] = Kept()
                    continue
                check, artifacts = keys[key]
                with contextlib.suppress(*DAMAGE):  # foreign bytes: look again
                    found[key] = _kept(json.loads(value), check, artifacts)
        self._write("UPDATE results SET used = unixepoch() WHERE key = ?", [(key,) for key in old])
        return found

    def put(self, results: Mapping[bytes, tuple[Check, tuple[Artifact, ...], Kept]]) -> None:
        """Keep results, written many at a time. A finding of a rule that is not the check's own is not kept."""
        if self._database is None:
            return
        for key, (check, artifacts, kept) in results.items():
            own = {rule.id for rule in check.rules}
            if all(finding.rule.id in own for finding in kept.findings):
                rows = [_row(finding, artifacts) for finding in kept.findings]
                rows += [{"d": artifacts.index(one.artifact), **facts_to_dict(one)} for one in kept.facts]
                value = json.dumps(rows, separators=(",", ":"))
                with self._lock:
                    self._waiting.append((key, value))
        if len(self._waiting) >= _BATCH or time.monotonic() - self._written > _WAIT:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        with self._lock:
            rows, self._waiting, self._written = self._waiting, [], time.monotonic()
        self._write("INSERT OR REPLACE INTO results VALUES (?, ?, unixepoch())", rows)

    def close(self) -> None:
        """Forget what was not used for a month, and close."""
        if self._database is not None:
            self.flush()
            self._forget()
            with self._lock:
                self._database.close()
                self._database = None

    def _forget(self) -> None:
        """Once a day: to find what is old, all of it is read."""
        today = int(time.time() // _DAY)
        if self._query("PRAGMA user_version", []) != [(today,)]:
            self._write("DELETE FROM results WHERE used < unixepoch() - ?", [(_KEEP_DAYS * _DAY,)])
            self._query(f"PRAGMA user_version = {today}", [])

    def _query(self, sql: str, values: list[bytes]) -> list[Any]:
        if self._database is None:
            return []
        with self._lock, contextlib.suppress(sqlite3.Error):
            return self._database.execute(sql, values).fetchall()
        return []

    def _write(self, sql: str, rows: list[Any]) -> None:
        if self._database is None or not rows:
            return
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            self._database.executemany(sql, rows)


def _open(folder: Path) -> sqlite3.Connection | None:
    path = folder / "results-1.db"
    for _ in range(2):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level="DEFERRED")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute(_SCHEMA)
        except sqlite3.DatabaseError:
            with contextlib.suppress(OSError):  # not a database: begin anew
                path.unlink()
        except OSError:
            return None
        else:
            return database
    return None


def _kept(rows: list[dict[str, Any]], check: Check, artifacts: tuple[Artifact, ...]) -> Kept:
    return Kept(
        tuple(_finding(row, check, artifacts) for row in rows if "d" not in row),
        tuple(read_facts(row, artifacts[row["d"]]) for row in rows if "d" in row),
    )


def _row(finding: Finding, artifacts: tuple[Artifact, ...]) -> dict[str, Any]:
    place = {name: value for name, value in vars(finding.location).items() if value is not None}
    return {
        "r": finding.rule.id,
        "a": artifacts.index(finding.artifact) if finding.artifact in artifacts else _foreign(finding.artifact),
        "l": place,
        "m": finding.message,
        "e": finding.evidence,
        "s": finding.severity.value,
        "c": finding.confidence.value,
        "f": finding.remedy,
        "w": list(finding.witnesses),
        "k": finding.key,
    }


def _foreign(artifact: Artifact) -> list[str | int]:
    """An artifact that is not among those given: a file of an old commit, a member of an archive."""
    return [artifact.uri, artifact.kind.value, artifact.digest, artifact.size, artifact.media_type]


def _finding(row: Mapping[str, Any], check: Check, artifacts: tuple[Artifact, ...]) -> Finding:
    rules = {rule.id: rule for rule in (*check.rules, STOPPED)}
    given = row["a"]
    return Finding(
        rule=rules[row["r"]],
        artifact=artifacts[given] if isinstance(given, int) else Artifact(given[0], Kind(given[1]), *given[2:]),
        location=Location(**row["l"]),
        message=row["m"],
        evidence=row["e"],
        severity=Severity(row["s"]),
        confidence=Confidence(row["c"]),
        remedy=row["f"],
        witnesses=tuple(row["w"]),
        key=row["k"],
    )
