"""The vulnerability database's archives, one for each ecosystem: which there are, which a project needs, how they come.

The layout is that of OSV's export: `osv-scalibr/<ECOSYSTEM>/all.zip`; an ecosystem is a registry (`PyPI`) or a
distribution, with its release (`Debian:12`) or with all of them (`Debian`).
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlsplit

from shipworthy.checks.dependencies import _database, _npm
from shipworthy.errors import EnvironmentFailure, UsageError

BASE_URL = "https://osv-vulnerabilities.storage.googleapis.com"
REGISTRIES = ("PyPI", "npm")
DISTRIBUTIONS = ("Debian", "Alpine", "Ubuntu", "AlmaLinux", "Rocky Linux", "Wolfi", "Chainguard")
_RELEASE = re.compile(r"v?\d{1,4}(?:\.\d{1,4}){0,2}")
_OF = re.compile(rb'"ecosystem"\s*:\s*"([^"]{1,100})"')
_MODIFIED = re.compile(rb'"modified"\s*:\s*"(\d{4}-\d{2}-\d{2})')
# A record that is none, or of something else: one in this many is let through.
_WRONG_IN = 20
_ENTRIES = 50_000
_LEFT_OUT = frozenset({".git", "node_modules", ".venv", "venv", "__pycache__", "site-packages"})
_DOCKERFILE = re.compile(r"(?:dockerfile|containerfile)(?:\..{1,60})?|.{1,60}\.(?:dockerfile|containerfile)")
_FROM = re.compile(r"(?im)^[ \t]*FROM[ \t]+(?:--platform=[^ \t\n]{1,100}[ \t]+)?([^ \t\n]{1,300})")
_NICKNAMES = {
    "buster": "Debian:10", "bullseye": "Debian:11", "bookworm": "Debian:12", "trixie": "Debian:13",
    "focal": "Ubuntu:20.04", "jammy": "Ubuntu:22.04", "noble": "Ubuntu:24.04",
}  # fmt: skip
_NAMED = {"debian": "Debian", "ubuntu": "Ubuntu", "almalinux": "AlmaLinux", "rockylinux": "Rocky Linux"}
_PARTS = {"Debian": 1, "Ubuntu": 2, "AlmaLinux": 1, "Rocky Linux": 1}
# Official images that stand on Debian when their tag names nothing else.
_ON_DEBIAN = frozenset({"python", "node", "buildpack-deps", "pytorch", "golang", "rust", "ruby", "openjdk"})


@dataclass(frozen=True)
class Archive:
    """One archive. `newest` is the latest `modified` of its records, None when they give no date."""

    ecosystem: str
    path: Path
    records: int
    newest: date | None
    digest: str


def layout(ecosystem: str) -> Path:
    """Where the archive of an ecosystem lies in the folder of the database."""
    return Path("osv-scalibr") / ecosystem / "all.zip"


def known(text: str) -> str:
    """The ecosystem as it is written here. Raises UsageError for one whose packages no check reads."""
    name, colon, release = text.removesuffix(":LTS").partition(":")
    whole = {one.lower(): one for one in (*REGISTRIES, *DISTRIBUTIONS)}.get(name.lower(), "")
    if not whole or (colon and (whole in REGISTRIES or not _RELEASE.fullmatch(release))):
        raise UsageError(
            f"`{text[:60]}` is not an ecosystem whose packages are read here",
            where="--ecosystem",
            remedy=f"{', '.join((*REGISTRIES, *DISTRIBUTIONS))}; a distribution also with its release, `Debian:12`",
        )
    return f"{whole}:{release}" if colon else whole


def address(base: str, ecosystem: str) -> str:
    """Where OSV, or a mirror with its layout, has the archive."""
    name, _, release = ecosystem.partition(":")
    year, _, month = release.partition(".")
    long_term = name == "Ubuntu" and month == "04" and year.isdigit() and int(year) % 2 == 0
    return f"{base.rstrip('/')}/{quote(ecosystem + (':LTS' if long_term else ''), safe='')}/all.zip"


def archives(folder: Path) -> list[Archive]:
    """What there is. Raises EnvironmentFailure for a damaged archive."""
    found = []
    for path in sorted(folder.glob("osv-scalibr/*/all.zip")):
        records, newest, _, _ = _survey(path, strict=False)
        found.append(Archive(path.parent.name, path, records, newest, _database.digest(path)))
    return found


def bring(source: Path, destination: Path, ecosystem: str = "") -> Archive:
    """Check an archive, a folder of records or one record, and put it where checks find it; the old one stays until
    the new one is complete. Without an ecosystem the records must tell which it is. Raises UsageError when they do
    not, or nothing is there; EnvironmentFailure when it is damaged or of another ecosystem."""
    wanted = known(ecosystem) if ecosystem else ""
    if wanted in ("", *REGISTRIES):
        place = _database.locate(source) if source.exists() else None
        names = _survey(place, strict=False)[2] if place is not None else Counter()
        own = wanted or next((one for one in REGISTRIES if names[one]), "")
        if own or not names or not set(names) & set(DISTRIBUTIONS):
            facts = _database.import_database(source, destination, own)
            return Archive(facts.path.parent.name, facts.path, facts.records, facts.newest, facts.digest)
    place = _database.locate(source)
    folder = destination / "osv-scalibr"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", suffix=".zip", delete=False) as incoming:
            temporary = Path(incoming.name)
            try:
                _database._copy(place, incoming)
                incoming.flush()
                os.fsync(incoming.fileno())
                name, records, newest = _checked(temporary, place, wanted)
                target = destination / layout(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.chmod(0o644)
                temporary.replace(target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise EnvironmentFailure(
            f"the vulnerability database cannot be written: {error.strerror or error}", where=str(destination)
        ) from None
    return Archive(name, target, records, newest, _database.digest(target))


def update(ecosystem: str, base: str, destination: Path, *, timeout: float = 60.0) -> Archive:
    """Download the archive of an ecosystem and bring it. `base` may be the address of one zip. Uses the network: only
    for commands whose user asked for it. Raises UsageError and EnvironmentFailure."""
    one = urlsplit(base).path.lower().endswith(".zip")
    with tempfile.TemporaryDirectory(prefix="shipworthy-db-") as folder:
        arrived = Path(folder) / "all.zip"
        _database.download(base if one else address(base, known(ecosystem)), arrived, timeout=timeout)
        return bring(arrived, destination, ecosystem)


def _checked(path: Path, shown: Path, wanted: str) -> tuple[str, int, date | None]:
    """The ecosystem, the number of records and their date. Raises UsageError and EnvironmentFailure."""
    records, newest, names, wrong = _survey(path, strict=True)
    if newest is None:
        raise _database._broken(shown, "it holds no dated record in the OSV format")
    if wrong * _WRONG_IN > records:
        raise _database._broken(shown, f"{wrong} of {records} records are not in the OSV format")
    name = wanted or _told(names, records - wrong)
    if not name:
        raise UsageError(
            "its records are of several ecosystems: which archive it is, they do not tell",
            where=str(shown),
            remedy="say it: `shipworthy db import FILE --ecosystem Debian:12`",
        )
    of = names[name]
    if (records - wrong - of) * _WRONG_IN > records:
        raise _database._broken(shown, f"only {of} of its {records} records are of {name}")
    return name, records, newest


def _told(names: Counter[str], records: int) -> str:
    """The one ecosystem that all records are of: a release, else a distribution of which no release is in all."""
    everywhere = [name for name, count in names.items() if count == records and ":" in name]
    if everywhere:
        return everywhere[0] if len(everywhere) == 1 else ""
    bases = [name for name, count in names.items() if count == records and name in DISTRIBUTIONS]
    return bases[0] if len(bases) == 1 else ""


def _survey(path: Path, *, strict: bool) -> tuple[int, date | None, Counter[str], int]:
    """Records, the newest date, how many records name an ecosystem (with its release and without), and, if strict, how
    many are none."""
    records, wrong, newest = 0, 0, ""
    names: Counter[str] = Counter()
    for data in _database._records(_database.locate(path)):
        records += 1
        if strict and not _is_record(data):
            wrong += 1
            continue
        newest = max([newest, *(match[1].decode() for match in _MODIFIED.finditer(data))])
        of = {match[1].decode("utf-8", "replace").removesuffix(":LTS") for match in _OF.finditer(data)}
        names.update(of | {name.partition(":")[0] for name in of})
    if records == 0:
        raise _database._broken(path, "it holds no record in the OSV format")
    return records, _database._date(newest), names, wrong


def _is_record(data: bytes) -> bool:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(record, dict) and isinstance(record.get("id"), str) and isinstance(record.get("affected", []), list)
    )


def of_project(root: Path) -> tuple[str, ...]:
    """The ecosystems of the manifests below a folder and of the bases that its Dockerfiles name; at least PyPI."""
    found = {"PyPI"}
    for path in _files(root):
        name = path.name.lower()
        if _npm.reader_for(name) is not None:
            found.add("npm")
        elif _DOCKERFILE.fullmatch(name) and path.is_file():
            found |= set(_of_bases(path))
    return tuple(sorted(found, key=lambda one: (one not in REGISTRIES, one)))


def _files(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in names:
            seen += 1
            if seen > _ENTRIES:
                return
            yield Path(folder, name)


def _of_bases(path: Path) -> Iterable[str]:
    try:
        with path.open("rb") as stream:
            text = stream.read(1_000_000).decode("utf-8", "replace")
    except OSError:
        return []
    return [one for match in _FROM.finditer(text) for one in base_ecosystems(match[1])]


def base_ecosystems(reference: str) -> tuple[str, ...]:
    """The ecosystems of a base image by its name and tag alone, such as `python:3.12-slim-bookworm`; empty when they do
    not tell."""
    place, _, tag = reference.partition("@")[0].rpartition("/")[2].partition(":")
    for word, ecosystem in _NICKNAMES.items():
        if word in tag.split("-"):
            return (ecosystem,)
    if alpine := re.search(r"alpine(\d\.\d{1,2})?", tag) or (place == "alpine" and re.match(r"(\d\.\d{1,2})?", tag)):
        return (f"Alpine:v{alpine[1]}" if alpine[1] else "Alpine",)
    if place in _NAMED:
        name = _NAMED[place]
        release = re.match(r"\d{1,4}(?:\.\d{1,4})*", tag)
        parts = release[0].split(".")[: _PARTS[name]] if release else []
        return (f"{name}:{'.'.join(parts)}" if len(parts) == _PARTS[name] else name,)
    if "chainguard/" in reference or place.startswith("wolfi"):
        return ("Chainguard", "Wolfi")
    return ("Debian",) if place in _ON_DEBIAN else ()
