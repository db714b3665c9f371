"""Licence ids and expressions of SPDX 2.3 (annex D), and which family a licence is of. Ids are facts of the SPDX list."""

# ruff: noqa: E501  (tables)

from __future__ import annotations

from shipworthy.patterns import regex

_PERMISSIVE = """0BSD AFL-3.0 Apache-1.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent
BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSL-1.0 CC0-1.0 CC-BY-3.0 CC-BY-4.0 curl ECL-2.0 FTL HPND ICU ISC MIT MIT-0
MulanPSL-2.0 NCSA OFL-1.1 OpenSSL PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 TCL Unicode-3.0 Unicode-DFS-2016 Unlicense
UPL-1.0 Vim W3C WTFPL X11 Zlib ZPL-2.1 Zope-2.0 libpng-2.0 bzip2-1.0.6"""
_WEAK = """CDDL-1.0 CDDL-1.1 CPL-1.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only
LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MS-RL OSL-3.0 CC-BY-SA-4.0
CC-BY-SA-3.0"""
_STRONG = "GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later"
_NETWORK = "AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0-only AGPL-3.0-or-later SSPL-1.0 RPL-1.5"
_RESTRICTED = (
    "BUSL-1.1 Elastic-2.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0 CC-BY-NC-ND-4.0 CC-BY-ND-4.0 PolyForm-Noncommercial-1.0.0 JSON"
)
FAMILIES = {
    name.lower(): family
    for family, names in (
        ("permissive", _PERMISSIVE), ("weak-copyleft", _WEAK), ("strong-copyleft", _STRONG), ("network-copyleft", _NETWORK),
        ("restricted", _RESTRICTED),
    )
    for name in names.split()
}  # fmt: skip
_SPELLED = {
    name.lower(): name for part in (_PERMISSIVE, _WEAK, _STRONG, _NETWORK, _RESTRICTED) for name in part.split()
}
# Ids of older lists, and what people write for one.
_ALSO = {
    "gpl-2.0": "GPL-2.0-only", "gpl-2.0+": "GPL-2.0-or-later", "gpl-3.0": "GPL-3.0-only", "gpl-3.0+": "GPL-3.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only", "lgpl-2.1+": "LGPL-2.1-or-later", "lgpl-3.0": "LGPL-3.0-only", "lgpl-3.0+": "LGPL-3.0-or-later",
    "agpl-3.0": "AGPL-3.0-only", "agpl-3.0+": "AGPL-3.0-or-later", "gplv2": "GPL-2.0-only", "gplv3": "GPL-3.0-only",
    "lgplv3": "LGPL-3.0-only", "agplv3": "AGPL-3.0-only", "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0", "apache2": "Apache-2.0", "mit license": "MIT", "the mit license": "MIT", "bsd": "BSD-3-Clause",
    "bsd-3": "BSD-3-Clause", "bsd-2": "BSD-2-Clause", "mpl 2.0": "MPL-2.0", "psf": "PSF-2.0", "isc license": "ISC",
}  # fmt: skip
_WORD = regex(r"\(|\)|[^\s()]+")
_LENGTH = 2_000


def normal(name: str) -> str:
    """The id as SPDX spells it; '' when it is none that is known here."""
    text = name.strip().lower()
    return _SPELLED.get(text) or _ALSO.get(text, "")


def family(name: str) -> str:
    """permissive, weak-copyleft, strong-copyleft, network-copyleft, restricted, or '' for what is not known."""
    return FAMILIES.get(normal(name).lower(), "")


def choices(text: str) -> list[frozenset[str]] | None:
    """What an expression lets one choose between: each choice is the set of licences that then hold together (`A OR (B AND
    C)` is [{A}, {B, C}]). None for what is no expression. `WITH` exceptions are left out: they only allow more."""
    if len(text) > _LENGTH:
        return None
    whole = normal(text)
    if whole:
        return [frozenset({whole})]
    words = _WORD.findall(text)
    reader = _Expression(words)
    try:
        found = reader.either(0)
    except (IndexError, ValueError):
        return None
    return found if reader.at == len(words) else None


class _Expression:
    """`OR` binds less than `AND`; parentheses nest to a bounded depth."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.at = words, 0

    def _next(self) -> str:
        return self.words[self.at].upper() if self.at < len(self.words) else ""

    def either(self, depth: int) -> list[frozenset[str]]:
        if depth > 20:
            raise ValueError
        found = self._both(depth)
        while self._next() == "OR":
            self.at += 1
            found = [*found, *self._both(depth)]
        return found

    def _both(self, depth: int) -> list[frozenset[str]]:
        found = self._one(depth)
        while self._next() == "AND":
            self.at += 1
            other = self._one(depth)
            if len(found) * len(other) > 256:
                raise ValueError
            found = [a | b for a in found for b in other]
        return found

    def _one(self, depth: int) -> list[frozenset[str]]:
        word = self.words[self.at]
        self.at += 1
        if word == "(":
            found = self.either(depth + 1)
            if self._next() != ")":
                raise ValueError
            self.at += 1
            return found
        if word == ")" or word.upper() in ("AND", "OR", "WITH"):
            raise ValueError
        if self._next() == "WITH":
            if self.at + 1 >= len(self.words):
                raise ValueError
            self.at += 2
        return [frozenset({normal(word) or word})]
