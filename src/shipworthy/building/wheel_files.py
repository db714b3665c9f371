"""What wheels hold, by digest, and which of them a package index has published.

A wheel is believed by its digest alone: the list that it brings (`RECORD`) is its maker's word, so every file is read.
"""

from __future__ import annotations

import hashlib
import lzma
import posixpath
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shipworthy.patterns import regex

_FILES = 200_000
_BYTES = 16 << 30  # unpacked
_INFO = ".dist-info/METADATA"

# A line that leaves pip no choice but to ask an index: a name, one version, digests. No address, path, or variable.
_PLAIN = regex(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[A-Za-z0-9., _-]*\])?\s*==\s*[A-Za-z0-9.!+_-]+\s*"
    r"(?:;(?:(?!\s-)[^$])*)?(?:\s+--hash[=\s]sha256:[0-9a-f]{64})+"
)
# Options that do not say where packages come from.
_HARMLESS = regex(r"--(?:require-hashes|prefer-binary|pre|(?:only|no)-binary[=\s]\s*[A-Za-z0-9:._,-]+)")
_HASH = regex(r"sha256:([0-9a-f]{64})")
_COMMENT = regex(r"(?:^|\s+)#.*$")
_CODING = regex(r"coding[:=]")


@dataclass(frozen=True)
class Wheel:
    """A wheel: `digest` is that of the file (sha256:…), `files` has the digest of each file that it puts below
    `site-packages`, and `metadata` the name of the one there that tells this package from others."""

    name: str
    version: str
    digest: str
    metadata: str
    files: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def published(requirements: bytes) -> tuple[frozenset[str], str]:
    """The SHA-256 digests (hex) whose files pip can only have found at the index that the user has configured, and why
    some are left out ("" for none). Requirements that themselves say where packages come from have none: this project
    may have put them there."""
    text = requirements.decode("ascii", "replace")
    if "\ufffd" in text or any(map(_CODING.search, text.split("\n")[:2])):
        return frozenset(), "the requirements file is not plain ASCII"  # in other encodings pip may see other lines
    plain: set[str] = set()
    other: set[str] = set()
    local = ""
    for line in _lines(text):
        found = _HASH.findall(line)
        if _PLAIN.fullmatch(line):
            plain.update(found)
        elif line.startswith("-") and not _HARMLESS.fullmatch(line):
            return frozenset(), f"the requirements file says where packages come from: `{line[:60]}`"
        elif not line.startswith("-"):
            local = local or f"`{line[:60]}` names no version of an index"
            other.update(found)
    return frozenset(plain - other), local


def _lines(text: str) -> Iterator[str]:
    """Lines as pip joins and cleans them; it splits as `str.splitlines` does."""
    joined = ""
    for line in text.splitlines():
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            joined += line.strip("\\")
            continue
        whole = _COMMENT.sub("", joined + (" " + line if is_comment else line)).strip()
        joined = ""
        if whole:
            yield whole
    if whole := _COMMENT.sub("", joined).strip():
        yield whole


def read(place: Path) -> Wheel | None:
    """The wheel that lies there; None when it cannot be read to its end: then it proves nothing."""
    with place.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        try:
            with zipfile.ZipFile(stream) as archive:
                files = _contents(archive)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError):
            return None  # RuntimeError: an encrypted file, or a compression that is not known
    name, version = [*place.name.split("-"), "", ""][:2]
    metadata = [path for path in files if path.endswith(_INFO) and path.count("/") == 1]
    if len(metadata) != 1 or not version:
        return None
    return Wheel(name.replace("_", "-"), version, f"sha256:{digest}", metadata[0], files)


def _contents(archive: zipfile.ZipFile) -> dict[str, str]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > _FILES or sum(member.file_size for member in members) > _BYTES:
        raise ValueError("more than a package has")
    names = Counter(_installed(member.filename) for member in members)
    found = {}
    for member in members:
        name = _installed(member.filename)
        if not name or names[name] > 1:  # of two files of one name, who knows which is installed
            continue
        with archive.open(member) as stream:
            found[name] = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"  # type: ignore[arg-type]
    return found


def _installed(name: str) -> str:
    """Where below `site-packages` the file is put; "" for one that goes elsewhere, or that installing rewrites."""
    first, _, rest = name.partition("/")
    if first.endswith(".data"):
        part, _, name = rest.partition("/")
        if part not in ("purelib", "platlib"):
            return ""
    if name.endswith(".dist-info/RECORD") or posixpath.normpath(name) != name or name.startswith(("/", "../")):
        return ""
    return name


def of_index(places: Iterable[Path], wanted: Iterable[str]) -> tuple[Wheel, ...]:
    """The wheels among these files that have one of the digests (sha256:…)."""
    digests = frozenset(wanted)
    return tuple(wheel for place in places if (wheel := read(place)) is not None and wheel.digest in digests)
