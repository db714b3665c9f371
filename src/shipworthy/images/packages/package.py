"""A package, and how it is named everywhere (package URL, https://github.com/package-url/purl-spec)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from shipworthy.patterns import regex

_SEPARATORS = regex(r"[-_.]+")


@dataclass(frozen=True)
class Distribution:
    """What `os-release` says: `id` such as debian, `version` such as 12."""

    id: str = ""
    version: str = ""
    name: str = ""
    like: tuple[str, ...] = ()


@dataclass(frozen=True)
class Package:
    """An installed package. `type` is deb, apk, rpm, pypi or npm; `source` and `source_version` name what it was built
    from, by which distributions publish advisories (the package itself where it is not said); `epoch` belongs to
    versions of rpm; `layer` is the digest of the layer that has it and `path` the file that says so; `owner` is the
    package of the distribution that brought it, if one did."""

    type: str
    name: str
    version: str
    source: str = ""
    source_version: str = ""
    architecture: str = ""
    epoch: str = ""
    namespace: str = ""
    distribution: str = ""
    licence: str = ""
    layer: str = ""
    path: str = ""
    owner: str = ""

    @property
    def purl(self) -> str:
        """Its package URL."""
        name = self.name
        if self.type == "pypi":
            name = _SEPARATORS.sub("-", name).lower()
        elif self.type in ("deb", "apk"):
            name = name.lower()
        parts = [part for part in (self.namespace, *name.split("/")) if part]
        pairs = {"arch": self.architecture, "distro": self.distribution, "epoch": self.epoch}
        qualifiers = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(pairs.items()) if value)
        path = "/".join(_quoted(part) for part in parts)
        version = f"@{_quoted(self.version)}" if self.version else ""
        return f"pkg:{self.type}/{path}{version}" + (f"?{qualifiers}" if qualifiers else "")

    @property
    def full_version(self) -> str:
        """The version as it is compared: with the epoch in front, if there is one."""
        return f"{self.epoch}:{self.version}" if self.epoch else self.version


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe=":~")


def paragraphs(text: str, limit: int = 200_000) -> list[dict[str, str]]:
    """`Key: value` lines in paragraphs (deb822): keys in lower case, lines that go on joined."""
    found: list[dict[str, str]] = []
    now: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if not line.strip():
            if now:
                found.append(now)
            now, key = {}, ""
            if len(found) >= limit:
                break
        elif line[0] in " \t":
            if key and len(now[key]) < 10_000:
                now[key] += " " + line.strip()
        else:
            key, colon, value = line.partition(":")
            key = key.strip().lower() if colon else ""
            if key:
                now.setdefault(key, value.strip())
    return [*found, now] if now else found
