"""What an image's own lists say of its files: which package each came with, and its digest.

A claim, never a proof: whoever makes the image writes these lists.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import posixpath
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shipworthy.model import Artifact
from shipworthy.patterns import regex

_LIST = 32 << 20  # bytes: more is no package's list of files
_SUMS = ("var/lib/dpkg/info/", "var/lib/dpkg/status.d/")
_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9.+:_ -]{0,80}")


class Claim(NamedTuple):
    """A list says that a file of this digest, wherever it stands in the image, came with the package."""

    package: str
    digest: str
    listed: str  # the uri of the list


def path_in(file: Artifact, image: str) -> str:
    """The file's path in the image `image`, whichever layer it is of."""
    rest = file.uri.removeprefix(f"{image}: ")
    return rest.removeprefix("/") if rest.startswith("/") else rest.partition(": /")[2]


def claims(image: str, files: Iterable[Artifact]) -> dict[str, list[Claim]]:
    """What packages of Python, dpkg and apk, in any layer, say of paths."""
    found: dict[str, list[Claim]] = {}
    for file in files:
        path = path_in(file, image)
        told: Iterable[tuple[str, str, str]] = ()
        if file.size > _LIST:
            continue
        if path.endswith(".dist-info/RECORD"):
            told = _record(posixpath.dirname(path), _text(file))
        elif path.endswith(".md5sums") and path.startswith(_SUMS):
            package = posixpath.basename(path).removesuffix(".md5sums").partition(":")[0]
            lines = (line.partition("  ") for line in _text(file).splitlines())
            told = ((package, name, f"md5:{digest}") for digest, _, name in lines)
        elif path in _APK:
            told = _apk(_text(file))
        for package, name, digest in told:
            shown = package if _NAME.fullmatch(package) else "a package"
            found.setdefault(name, []).append(Claim(shown, digest, file.uri))
    return found


def fitting(file: Artifact, told: Iterable[Claim]) -> list[Claim]:
    """Those of the claims about its path that have the file's digest."""
    known = {file.digest}
    for name in {claim.digest.partition(":")[0] for claim in told} & {"md5", "sha1"}:
        digest = hashlib.new(name, usedforsecurity=False)
        with file.open() as stream:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
        known.add(f"{name}:{digest.hexdigest()}")
    return [claim for claim in told if claim.digest in known]


def _text(file: Artifact) -> str:
    return file.read_bytes().decode("utf-8", "replace")


def _record(info: str, text: str) -> Iterator[tuple[str, str, str]]:
    """A wheel's RECORD (packaging.python.org, recording installed projects): path, `sha256=` in base64, size."""
    folder, name = posixpath.split(info)
    package = " ".join(name.removesuffix(".dist-info").replace("_", "-").rsplit("-", 1))
    try:
        for row in csv.reader(text.splitlines()):
            algorithm, _, value = (row[1] if len(row) > 1 else "").partition("=")
            if algorithm == "sha256" and len(value) == 43:
                digest = base64.urlsafe_b64decode(value + "=").hex()
                yield package, posixpath.normpath(posixpath.join(folder, row[0])), f"sha256:{digest}"
    except (csv.Error, ValueError):
        return


def _apk(text: str) -> Iterator[tuple[str, str, str]]:
    """The database of apk: P: package, F: folder, R: file in it, Z: its SHA-1 in base64 after `Q1`."""
    package = folder = name = ""
    for line in text.splitlines():
        field, value = line[:2], line[2:]
        if field == "P:":
            package = value
        elif field == "F:":
            folder = value
        elif field == "R:":
            name = f"{folder}/{value}".lstrip("/")
        elif field == "Z:" and value.startswith("Q1"):
            try:
                yield package, name, f"sha1:{base64.b64decode(value[2:]).hex()}"
            except ValueError:
                continue
