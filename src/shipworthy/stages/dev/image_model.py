"""Whether an image holds the signed model, whole and as it was signed, and no other.

That the signed bytes are somewhere does not do: a copy that nobody loads would hide what is served. So every place in
which a part of the model lies must have nothing else under the model's own names. Model files of packages are no
concern of ours, but it is the package's own list of digests that says which these are, not the folder they lie in.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from shipworthy.evidence.digest import Manifest
from shipworthy.model import Artifact, Finding, Kind
from shipworthy.rules import MODEL_BESIDE, MODEL_MISSING, MODEL_UNSIGNED

_LIST = 32 << 20  # bytes: more is no package's list of files
_SUMS = ("var/lib/dpkg/info/", "var/lib/dpkg/status.d/")
_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")


def look(
    subject: Artifact, model: Path, files: Sequence[Artifact], links: Mapping[str, Artifact] | None = None
) -> Iterator[Finding]:
    """What is wrong with the models of the image `subject`, whose files these are (named `NAME: /PATH`; those that a
    later layer hides `NAME: layer N: /PATH`). `model` is the verified one, a folder or a file; `links` are the files by
    the further names that links give them."""
    signed = {entry.path if model.is_dir() else model.name: entry.digest for entry in Manifest.of(model).files}
    start = f"{subject.uri}: /"
    named = [(file.uri, file) for file in files] + list((links or {}).items())
    there = {uri.removeprefix(start): file for uri, file in named if uri.startswith(start)}
    yield from _changed(subject, signed, there, model.is_dir())
    ours = frozenset(signed.values())
    unsigned = [file for file in files if file.kind is Kind.MODEL and file.digest not in ours]
    packaged = _packaged(subject.uri, files) if unsigned else {}
    for file in unsigned:
        if not _is_packaged(file, packaged.get(_path(file, subject.uri), set())):
            yield MODEL_UNSIGNED.at(file, message=f"`{file.uri}` is a model file that nobody signed")


def _path(file: Artifact, image: str) -> str:
    """The file's path in the image, whichever layer it is of."""
    rest = file.uri.removeprefix(f"{image}: ")
    return rest.removeprefix("/") if rest.startswith("/") else rest.partition(": /")[2]


def _changed(
    subject: Artifact, signed: Mapping[str, str], there: Mapping[str, Artifact], is_folder: bool
) -> Iterator[Finding]:
    digests = {file.digest for file in there.values()}
    for path, digest in sorted(signed.items()):
        if digest not in digests:
            message = f"`{path}` of the signed model is not in the image, or not as it was signed"
            yield MODEL_MISSING.at(subject, evidence=path, message=message)
    for place in _places(signed, there, is_folder):
        yield from _beside(place, signed, there)


def _places(signed: Mapping[str, str], there: Mapping[str, Artifact], is_folder: bool) -> list[str]:
    """Where a part of the signed folder lies, under its own name."""
    places = {
        name.removesuffix(path)
        for name, file in there.items()
        for path, digest in signed.items()
        if is_folder and file.digest == digest and (name == path or name.endswith(f"/{path}"))
    }
    return sorted(places)


def _beside(place: str, signed: Mapping[str, str], there: Mapping[str, Artifact]) -> Iterator[Finding]:
    """What lies in that place and is not the model: other bytes under the name of a part, and files of other names,
    which a loader may read as its own (a configuration that names code, a vocabulary, an adapter)."""
    changed = [
        path for path, digest in sorted(signed.items()) if (at := there.get(place + path)) and at.digest != digest
    ]
    for path in changed:
        other = there[place + path]
        message = f"`{other.uri}` lies beside the signed model under the name of a part of it, and is not it"
        yield MODEL_MISSING.at(other, evidence=path, message=message)
    if changed or not all(place + path in there for path in signed):
        return  # a file that happens to be alike, or what is told already
    more = sorted(name for name in there if name.startswith(place) and name.removeprefix(place) not in signed)
    if more:
        first = there[more[0]]
        names = ", ".join(name.removeprefix(place) for name in more[:5]) + (" and others" if len(more) > 5 else "")
        message = f"beside the signed model in `/{place}` lie {len(more):,} files that nobody signed: {names}"
        yield MODEL_BESIDE.at(first, evidence=names[:300], key=place, message=message)


def _is_packaged(file: Artifact, known: Iterable[str]) -> bool:
    """Whether the file has one of the digests that packages give for its path."""
    if file.digest in known:
        return True
    for name in ("md5", "sha1"):
        if any(one.startswith(f"{name}:") for one in known):
            digest = hashlib.new(name, usedforsecurity=False)
            with file.open() as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
            if f"{name}:{digest.hexdigest()}" in known:
                return True
    return False


def _packaged(image: str, files: Iterable[Artifact]) -> dict[str, set[str]]:
    """The digests that packages of Python, dpkg and apk, in any layer, say that paths have."""
    found: dict[str, set[str]] = {}
    for file in files:
        path = _path(file, image)
        told: Iterable[tuple[str, str]] = ()
        if file.size > _LIST:
            continue
        if path.endswith(".dist-info/RECORD"):
            told = _record(posixpath.dirname(posixpath.dirname(path)), _text(file))
        elif path.endswith(".md5sums") and path.startswith(_SUMS):
            lines = (line.partition("  ") for line in _text(file).splitlines())
            told = ((name, f"md5:{digest}") for digest, _, name in lines)
        elif path in _APK:
            told = _apk(_text(file))
        for name, digest in told:
            found.setdefault(name, set()).add(digest)
    return found


def _text(file: Artifact) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def _record(folder: str, text: str) -> Iterator[tuple[str, str]]:
    """A wheel's RECORD (packaging.python.org, recording installed projects): path, `sha256=` in base64, size."""
    try:
        for row in csv.reader(text.splitlines()):
            algorithm, _, value = (row[1] if len(row) > 1 else "").partition("=")
            if algorithm == "sha256" and len(value) == 43:
                digest = base64.urlsafe_b64decode(value + "=").hex()
                yield posixpath.normpath(posixpath.join(folder, row[0])), f"sha256:{digest}"
    except (csv.Error, ValueError):
        return


def _apk(text: str) -> Iterator[tuple[str, str]]:
    """The database of apk: F: folder, R: file in it, Z: its SHA-1 in base64 after `Q1`."""
    folder = name = ""
    for line in text.splitlines():
        field, value = line[:2], line[2:]
        if field == "F:":
            folder = value
        elif field == "R:":
            name = f"{folder}/{value}".lstrip("/")
        elif field == "Z:" and value.startswith("Q1"):
            try:
                yield name, f"sha1:{base64.b64decode(value[2:]).hex()}"
            except ValueError:
                continue
