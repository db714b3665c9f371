"""Advisory databases on disk, in the layout that OSV publishes: a zip archive with one JSON record per advisory.

A folder that holds `osv-scalibr/PyPI/all.zip` (what other scanners keep), a folder of JSON files and one JSON file are
read too.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from shipworthy.checks.dependencies import _osv
from shipworthy.errors import EnvironmentFailure, UsageError

LAYOUT = Path("osv-scalibr") / _osv.ECOSYSTEM / "all.zip"
LAYOUTS = tuple(Path("osv-scalibr") / name / "all.zip" for name in _osv.ECOSYSTEMS)
DEFAULT_URL = f"https://osv-vulnerabilities.storage.googleapis.com/{_osv.ECOSYSTEM}/all.zip"
ARCHIVE_LIMIT = 2_000_000_000
TOTAL_LIMIT = 8_000_000_000
RECORD_LIMIT = 16_000_000
RECORDS_LIMIT = 1_000_000
_MEMBER = re.compile(r"(?:[A-Za-z0-9_.-]{1,60}/){0,2}[A-Za-z0-9][A-Za-z0-9_.:-]{0,120}\.json")
# Whole databases hold tens of thousands of records; only those that name a wanted package are parsed.
_PACKAGE = re.compile(rb'"name"\s*:\s*"([^"]{0,300})"')
_MODIFIED = re.compile(rb'"modified"\s*:\s*"(\d{4}-\d{2}-\d{2})')
_REMEDY = "fetch it again with `shipworthy db update`, or import a mirrored copy with `shipworthy db import`"
_EXPECTED = f"a zip of records in the OSV format ({DEFAULT_URL} is one), a folder with such JSON files, or one of them"


@dataclass(frozen=True)
class Facts:
    """What a database holds: `newest` is the latest `modified` of its records (its snapshot date), `digest` is of its
    bytes, `unreadable` counts records that are no JSON or no OSV, `ecosystems` are those that records name."""

    path: Path
    digest: str
    records: int = 0
    packages: int = 0
    newest: date | None = None
    unreadable: int = 0
    withdrawn: int = 0
    ecosystems: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """Advisories for the wanted packages, the database's facts, and the ids of withdrawn records."""

    advisories: tuple[_osv.Advisory, ...]
    facts: Facts
    withdrawn: frozenset[str] = frozenset()


def locate(path: Path) -> Path:
    """The archive, folder or file to read. Raises UsageError if there is nothing of the kind."""
    for layout in LAYOUTS:
        if (path / layout).is_file():
            return path / layout
    if (path / "all.zip").is_file():
        return path / "all.zip"
    if path.is_file() or (path.is_dir() and any(path.glob("*.json"))):
        return path
    raise UsageError("there is no vulnerability database", where=str(path), remedy=_REMEDY)


def places(path: Path) -> tuple[Path, ...]:
    """All that there is to read at a path: the archives of several ecosystems, or what `locate` gives. Raises
    UsageError."""
    found = tuple(path / layout for layout in LAYOUTS if (path / layout).is_file())
    return found or (locate(path),)


def digest(path: Path) -> str:
    """`sha256:` and the digest of the archive, or of all names and bytes of a folder. Raises EnvironmentFailure."""
    total = hashlib.sha256()
    try:
        for file in [path] if path.is_file() else sorted(path.glob("*.json")):
            total.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError as error:
        raise _broken(path, error.strerror or "cannot be read") from None
    return f"sha256:{total.hexdigest()}"


def lookup(path: Path, wanted: frozenset[str]) -> Found:
    """Advisories for the wanted (normalized) names. Raises EnvironmentFailure for a damaged database."""
    found = [_read(place, wanted) for place in places(path)]
    if len(found) == 1:
        return found[0]
    dates = [one.facts.newest for one in found if one.facts.newest]
    total = replace(
        found[0].facts,
        digest="sha256:" + hashlib.sha256("".join(one.facts.digest for one in found).encode()).hexdigest(),
        records=sum(one.facts.records for one in found),
        packages=sum(one.facts.packages for one in found),
        newest=min(dates) if len(dates) == len(found) else None,
        unreadable=sum(one.facts.unreadable for one in found),
        withdrawn=sum(one.facts.withdrawn for one in found),
        ecosystems=frozenset().union(*(one.facts.ecosystems for one in found)),
    )
    advisories = tuple(item for one in found for item in one.advisories)
    return Found(advisories, total, frozenset().union(*(one.withdrawn for one in found)))


def examine(path: Path) -> Facts:
    """Read and parse every record. Raises EnvironmentFailure for a damaged database."""
    return _read(locate(path), None).facts


def _read(path: Path, wanted: frozenset[str] | None) -> Found:
    advisories: list[_osv.Advisory] = []
    withdrawn: set[str] = set()
    packages: set[str] = set()
    records = unreadable = 0
    newest = ""
    sought = None if wanted is None else {canonicalize_name(name.removeprefix("npm:")) for name in wanted}
    ecosystems: set[str] = set()
    for data in _records(path):
        records += 1
        ecosystems |= {name for name in _osv.ECOSYSTEMS if f'"{name}"'.encode() in data}
        for match in _MODIFIED.finditer(data):
            newest = max(newest, match[1].decode())
        names = {canonicalize_name(m[1].decode("utf-8", "replace")) for m in _PACKAGE.finditer(data)}
        plain = data.strip()
        if (
            wanted is not None
            and b"\\u" not in data
            and not names & (sought or set())
            and plain[:1] == b"{"
            and plain[-1:] == b"}"
        ):
            continue
        try:
            record = json.loads(data)
            found = _osv.parse(record)
        except (ValueError, RecursionError):
            unreadable += 1
            continue
        if record.get("withdrawn"):
            withdrawn.add(record["id"])
        packages |= {a.package for a in found}
        if wanted is not None:
            advisories += [replace(a, source="database") for a in found if a.package in wanted]
    if records == 0 or unreadable == records:
        raise _broken(path, "it holds no record in the OSV format")
    facts = Facts(
        path, digest(path), records, len(packages), _date(newest), unreadable, len(withdrawn), frozenset(ecosystems)
    )
    return Found(tuple(advisories), facts, frozenset(withdrawn))


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _records(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for number, file in enumerate(sorted(path.glob("*.json"))):
            if number >= RECORDS_LIMIT:
                raise _broken(path, f"it holds more than {RECORDS_LIMIT:,} records")
            yield _file(file)
    elif zipfile.is_zipfile(path):
        yield from _members(path)
    elif path.suffix.lower() == ".json":
        yield from _single(path)
    else:
        raise _broken(path, "it is no complete zip archive")


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(RECORD_LIMIT + 1)
    except OSError as error:
        raise _broken(path, error.strerror or "cannot be read") from None
    if len(data) > RECORD_LIMIT:
        raise _broken(path, f"a record is larger than {RECORD_LIMIT:,} bytes")
    return data


def _single(path: Path) -> Iterator[bytes]:
    """One record, or a list of records, or `{"advisories": [...]}` as the embedded set has it."""
    data = _file(path)
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise _broken(path, "it is no complete JSON") from None
    if isinstance(content, dict) and isinstance(content.get("advisories"), list):
        content = content["advisories"]
    for record in content if isinstance(content, list) else [content]:
        yield json.dumps(record).encode()


def _members(path: Path) -> Iterator[bytes]:
    """The records of an archive, each read in memory within limits: nothing is extracted to disk."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if len(infos) > RECORDS_LIMIT:
                raise _broken(path, f"it holds more than {RECORDS_LIMIT:,} members")
            for info in infos:
                if info.is_dir():
                    continue
                if not _MEMBER.fullmatch(info.filename) or ".." in info.filename.split("/"):
                    raise _broken(path, f"it has a member with an unusual name: {info.filename[:60]!r}")
                with archive.open(info) as stream:
                    data = stream.read(RECORD_LIMIT + 1)
                total += len(data)
                if len(data) > RECORD_LIMIT or total > TOTAL_LIMIT:
                    raise _broken(path, "it unpacks to more than a database of advisories could hold")
                yield data
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _broken(path, f"it is damaged ({type(error).__name__})") from None
    except OSError as error:
        raise _broken(path, error.strerror or "cannot be read") from None


def _broken(path: Path, reason: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"the vulnerability database cannot be used: {reason}", where=str(path), remedy=_REMEDY)


def import_database(source: Path, destination: Path, ecosystem: str = "") -> Facts:
    """Check a database (archive, folder or file) and put it where checks find it, `destination` / LAYOUT, or the layout
    of the ecosystem.

    Every record is parsed first; the old database stays until the new one is complete. Raises UsageError when there is
    nothing at `source`, EnvironmentFailure when it is damaged or cannot be written.
    """
    try:
        place = locate(source)
    except UsageError as error:
        raise UsageError(error.message, where=error.where, remedy=f"give {_EXPECTED}") from None
    target = destination / LAYOUT
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=".incoming-", suffix=".zip", delete=False
        ) as incoming:
            temporary = Path(incoming.name)
            try:
                _copy(place, incoming)
                incoming.flush()
                os.fsync(incoming.fileno())
                facts = _checked(temporary)
                temporary.chmod(0o644)
                if ecosystem and ecosystem not in facts.ecosystems:
                    raise _broken(place, f"none of its records is of {ecosystem}")
                if "npm" in (ecosystem, *(facts.ecosystems if len(facts.ecosystems) == 1 else ())):
                    target = destination / LAYOUTS[1]
                    target.parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise EnvironmentFailure(
            f"the vulnerability database cannot be written: {error.strerror or error}", where=str(target)
        ) from None
    return replace(facts, path=target)


def _checked(path: Path) -> Facts:
    facts = examine(path)
    if facts.newest is None or facts.packages == 0:
        raise _broken(path, f"it holds no dated advisory for packages of {' or '.join(_osv.ECOSYSTEMS)}")
    if facts.unreadable * 20 > facts.records:
        raise _broken(path, f"{facts.unreadable} of {facts.records} records are not in the OSV format")
    # The name that the digest covers is the final one.
    return replace(facts, digest=_digest_as(path, LAYOUT.name))


def _digest_as(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        inner = hashlib.file_digest(stream, "sha256").digest()
    return "sha256:" + hashlib.sha256(name.encode() + b"\0" + inner).hexdigest()


def _copy(place: Path, incoming: IO[bytes]) -> None:
    if place.is_file() and zipfile.is_zipfile(place):
        if place.stat().st_size > ARCHIVE_LIMIT:
            raise _broken(place, f"it is larger than {ARCHIVE_LIMIT:,} bytes")
        with place.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                incoming.write(chunk)
        return
    with zipfile.ZipFile(incoming, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(_records(place)):
            archive.writestr(f"record-{number:07d}.json", data)


def update_database(url: str, destination: Path, *, timeout: float = 60.0) -> Facts:
    """Download an archive over https (plain http from this machine only) and import it. Uses the network: only for
    commands whose user asked for it. Raises UsageError for other addresses, EnvironmentFailure when it fails."""
    if not urlsplit(url).path.lower().endswith(".zip"):
        raise UsageError(
            "the address of a database ends in .zip", where=url.partition("?")[0], remedy=f"for example {DEFAULT_URL}"
        )
    with tempfile.TemporaryDirectory(prefix="shipworthy-db-") as folder:
        arrived = Path(folder) / "all.zip"
        download(url, arrived, timeout=timeout)
        return import_database(arrived, destination)


def download(url: str, target: Path, *, timeout: float = 60.0) -> None:
    """Fetch an archive into a file. Raises UsageError and EnvironmentFailure, as `_index.fetch`."""
    from shipworthy.checks.dependencies._index import fetch

    with target.open("wb") as stream:
        try:
            fetch(url, stream, limit=ARCHIVE_LIMIT, timeout=timeout)
        except EnvironmentFailure as error:
            error.remedy = (
                "advisories that were here before stay as they were; without network: fetch that file on another "
                "machine, and here `shipworthy db import all.zip`"
            )
            raise


def status(destination: Path) -> Facts | None:
    """The facts of the database in a folder, None if there is none. Raises EnvironmentFailure if it is damaged."""
    try:
        place = locate(destination)
    except UsageError:
        return None
    return examine(place)
