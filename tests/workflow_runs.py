"""What the tests of the workflow checks share: a file with a name, and what a check says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shipworthy.check import Context, registry
from shipworthy.model import Artifact, Finding, Kind, Skipped


def results(tmp_path: Path, check: str, content: str | bytes, name: str) -> list[Finding | Skipped]:
    """All that a check of one artifact yields."""
    path = tmp_path / "content"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    item = registry()[check]
    kind = next(iter(item.kinds))
    artifact = Artifact(name, kind if name else Kind.TEXT, "sha256:" + "0" * 64, path.stat().st_size, path=path)
    assert item.looks_at(artifact)
    yielded: Iterator[Finding | Skipped] = item.call(artifact, Context(tmp_path, item.options))  # type: ignore[assignment]
    return list(yielded)


def found(tmp_path: Path, check: str, content: str, name: str) -> dict[str, list[int | None]]:
    """The lines of each rule; nothing may have been skipped."""
    lines: dict[str, list[int | None]] = {}
    for one in results(tmp_path, check, content, name):
        assert isinstance(one, Finding), one
        lines.setdefault(one.rule.id, []).append(one.location.line)
    return lines
