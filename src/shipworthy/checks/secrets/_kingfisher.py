"""Hand bytes to kingfisher, and believe its report only when it proves that it read all of them.

Kingfisher 2.14 as measured: it does not follow symbolic links, reports each secret once per run unless told otherwise,
gives lines from 1 and columns in bytes from 0 with an inclusive end, and exits with 200 when it found something. It
counts the files and bytes that it scanned. So every run is given a file with a token made up for it: a report without
that token, or with other counts than ours, is a failure and not a clean result.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import secrets
import string
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from shipworthy.checks.secrets._placeholder import words
from shipworthy.tools import Tool, Toolbox, ToolFailed, ToolMissing
from shipworthy.user_folders import cache_folder

KINGFISHER = Tool("kingfisher", versions=">=2.14,<3", install="pip install kingfisher-bin")
# Nothing leaves the machine, nothing in the files can silence the scan, nothing in the report holds a secret.
_ARGUMENTS = (
    "--quiet", "--no-validate", "--no-update-check", "--redact", "--format", "json", "--no-dedup", "--no-ignore",
    "--no-extract-archives", "--git-history", "none", "--max-file-size", "0", "--confidence", "low",
)  # fmt: skip
# Suffixes that tell the tool a language. All others become .txt: some make it leave the file out as an archive.
_SUFFIXES = words(
    """.py .pyi .js .mjs .cjs .ts .tsx .jsx .java .kt .scala .groovy .go .rb .rs .c .h .cc .cpp .hpp .cs .php .swift
    .pl .lua .r .sql .sh .bash .zsh .ps1 .bat .yaml .yml .json .jsonl .toml .ini .cfg .conf .env .properties .xml .html
    .css .md .rst .tf .tfvars .hcl .gradle .csv .tsv"""
)
_NAME = re.compile(r"(\d{6})\.[a-z0-9]{1,10}")
_FOUND = 200
_WARM_UP = 120.0  # seconds; compiling takes 9 of one core, more where others want it too


@dataclass(frozen=True)
class Raw:
    """One finding of the tool: `line` from 1, `start` and `end` in bytes of that line, `end` exclusive (0: unknown)."""

    index: int
    rule: str
    line: int
    start: int
    end: int
    confidence: str


class Stage:
    """A private directory with numbered copies of what is to be scanned, so that no file name can mean anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._suffixes: list[str] = []
        self.bytes = 0
        self.add(b'token = "' + _known_token() + b'"\n', ".py")

    def __len__(self) -> int:
        return len(self._suffixes)

    def add(self, data: bytes, suffix: str) -> int:
        """Write one file; returns its number. Raises OSError when the disk is full."""
        self._suffixes.append(suffix.lower() if suffix.lower() in _SUFFIXES else ".txt")
        self.bytes += len(data)
        descriptor = os.open(self._path(len(self) - 1), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        return len(self) - 1

    def read(self, index: int) -> bytes:
        """The bytes of file `index`."""
        return self._path(index).read_bytes()

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06d}{self._suffixes[index]}"


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage in a directory that only this user can enter, removed with all its bytes afterwards."""
    with tempfile.TemporaryDirectory(prefix="shipworthy-secrets-", ignore_cleanup_errors=False) as folder:
        yield Stage(Path(folder))


def scan(staged: Stage, tools: Toolbox, timeout: float) -> list[Raw]:
    """Run the tool over the stage. Raises ToolMissing (absent, or a version we do not know) and ToolFailed (crashed,
    hung, silent, cut short, or read something else than it was given)."""
    cache = _rule_cache()
    with _alone_if_cold(cache, tools):
        done = tools.run(
            KINGFISHER,
            "scan",
            str(staged.folder),
            *_ARGUMENTS,
            timeout=timeout,
            cwd=staged.folder,
            env={"KF_RULE_CACHE_DIR": str(cache)} if cache else None,
            ok=(0, _FOUND),
        )
    report = done.json()
    try:
        raw = _parse(report)
        counted = report["metadata"]["summary"]
        version = str(report["metadata"]["kingfisher_version"])
        broken = report["audit"]["summary"]["scan_failed"] + report["audit"]["summary"]["scan_partial"]
        files, size, findings = counted["blobs_scanned"], counted["bytes_scanned"], counted["findings"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ToolFailed(KINGFISHER.name, f"its report has another shape: {type(error).__name__}") from None
    _require_version(version)
    if (files, size) != (len(staged), staged.bytes):
        raise ToolFailed(KINGFISHER.name, f"read {files} files ({size} bytes) of {len(staged)} ({staged.bytes} bytes)")
    if findings != len(raw) or broken:
        raise ToolFailed(KINGFISHER.name, f"its report is not complete: {len(raw)} of {findings} findings")
    if any(not 0 <= item.index < len(staged) for item in raw):
        raise ToolFailed(KINGFISHER.name, "its report names a file that it was not given")
    if not any(item.index == 0 for item in raw):
        raise ToolFailed(KINGFISHER.name, "did not find the token that was planted to see whether it works")
    return [item for item in raw if item.index != 0]


def _parse(report: Any) -> list[Raw]:
    found = []
    for item in report["findings"]:
        place = item["finding"]
        name = _NAME.fullmatch(str(place["path"]).rpartition("/")[2])
        if not name:
            raise ValueError("a path that is not ours")
        start, end = int(place["column_start"]), int(place["column_end"]) + 1
        found.append(
            Raw(
                index=int(name[1]),
                rule=str(item["rule"]["name"])[:100],
                line=max(1, int(place["line"])),
                start=max(0, start),
                end=end if end > start else 0,
                confidence=str(place["confidence"]),
            )
        )
    return found


def _require_version(version: str) -> None:
    try:
        known = Version(version) in SpecifierSet(KINGFISHER.versions, prereleases=True)
    except InvalidVersion:
        known = False
    if not known:
        reason = f"is version {version[:40]}; {KINGFISHER.versions} is needed"
        raise ToolMissing(KINGFISHER.name, reason, KINGFISHER.install)


def _known_token() -> bytes:
    """A fresh, well-formed and worthless GitHub token: 30 random characters and their checksum, CRC-32 in base 62."""
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    body = "".join(secrets.choice(digits) for _ in range(30))
    rest, check = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        check = digits[digit] + check
    return base64.b64decode("Z2hwXw==") + (body + check.rjust(6, "0")).encode()


@contextmanager
def _alone_if_cold(cache: Path | None, tools: Toolbox) -> Iterator[None]:
    """Where this program has no compiled rules yet, one run compiles them and the others wait: together they would all
    do the same.

    The lock is a file's, so that runs of several processes count too. Where there can be no lock, nobody waits; and
    nobody waits for long, since the run that has it may hang.
    """
    mark = cache / f"{_identity(tools)}.warm" if cache else None
    with ExitStack() as stack:
        with suppress(OSError):
            until = time.monotonic() + _WARM_UP
            lock = stack.enter_context(open(mark.with_name("lock"), "ab")) if mark and not _warm(mark) else None
            while lock and mark and not _warm(mark) and time.monotonic() < until and not _lock(lock.fileno()):
                time.sleep(0.1)
                if tools.ended and tools.ended.is_set():
                    break
            if mark and _warm(mark):
                stack.close()
        yield
        if mark and not mark.exists():
            with suppress(OSError):
                mark.touch(mode=0o600)


def _identity(tools: Toolbox) -> str:
    """Which program it is: another version keeps other rules, whose files do not tell whose they are."""
    program = tools.locate(KINGFISHER).resolve()
    status = program.stat()
    told = f"{program}\0{status.st_size}\0{status.st_mtime_ns}"
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _warm(mark: Path) -> bool:
    return mark.exists() and any(mark.parent.glob("*.vscdb"))


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _rule_cache() -> Path | None:
    """Where the tool keeps its compiled rules between runs (2.4 MB; without it each run takes 9 s of CPU more).

    In the user's own cache folder, or where the tool's own variable says; never in the workspace, whose content is not
    trusted. None when there is no such place.
    """
    if given := os.environ.get("KF_RULE_CACHE_DIR"):
        return Path(given)
    try:
        folder = cache_folder() / "kingfisher"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return None
    return folder if status.st_uid == os.getuid() and not status.st_mode & 0o022 else None
