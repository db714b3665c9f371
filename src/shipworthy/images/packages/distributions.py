"""What dpkg and apk say that they installed."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.images.packages.package import Package, paragraphs
from shipworthy.patterns import regex

_SOURCE = regex(r"([^\s()]{1,200})(?:\s{1,5}\(([^\s()]{1,200})\))?")


def dpkg(text: str, *, installed: bool) -> Iterator[Package]:
    """The packages of a status file (deb-control(5)); with `installed`, those whose status says that they are (the
    files of `status.d`, which images without dpkg have, do not say)."""
    for fields in paragraphs(text):
        name, version = fields.get("package", ""), fields.get("version", "")
        if not name or not version:
            continue
        if installed and fields.get("status", "").split()[-1:] not in (["installed"], ["triggers-pending"],
                                                                       ["triggers-awaited"], ["half-configured"],
                                                                       ["unpacked"], ["half-installed"]):  # fmt: skip
            continue
        match = _SOURCE.match(fields.get("source", ""))
        yield Package(
            "deb",
            name,
            version,
            source=match[1] if match else name,
            source_version=(match[2] if match else "") or version,
            architecture=fields.get("architecture", ""),
        )


def apk(text: str) -> Iterator[Package]:
    """The packages of apk's database (apk-v2: paragraphs of `X:value`; P name, V version, A architecture, o origin,
    L licence)."""
    now: dict[str, str] = {}
    for line in [*text.splitlines(), ""]:
        if line:
            if line[1:2] == ":" and line[0] in "PVAoL":
                now.setdefault(line[0], line[2:302].strip())
            continue
        if now.get("P") and now.get("V"):
            yield Package(
                "apk",
                now["P"],
                now["V"],
                source=now.get("o") or now["P"],
                source_version=now["V"],
                architecture=now.get("A", ""),
                licence=now.get("L", ""),
            )
        now = {}


def apk_files(text: str) -> Iterator[tuple[str, str]]:
    """The files that apk installed, each with its package."""
    name = folder = ""
    for line in text.splitlines():
        kind, value = line[:2], line[2:]
        if kind == "P:":
            name, folder = value.strip(), ""
        elif kind == "F:":
            folder = value.strip()
        elif kind == "R:":
            yield f"{folder}/{value.strip()}".lstrip("/"), name


def os_release(text: str) -> dict[str, str]:
    """The values of an os-release file (os-release(5)), keys in upper case."""
    found: dict[str, str] = {}
    for line in text.splitlines()[:200]:
        key, equals, value = line.strip().partition("=")
        if equals and key.isidentifier():
            found.setdefault(key, value.strip("\"'")[:200])
    return found
