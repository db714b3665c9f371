"""Lookups of logging and text libraries (`${jndi:…}`), also written in pieces."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "$"

_INNER = regex(r"\$\{([^${}]{0,200})\}")
_LOOKUP = regex(
    r"\$\{\s*(?:jndi|script|dns|url|java|lower|upper|base64decoder|const|file|resourcebundle|sys|env|main|ctx|bundle|docker|k8s|web|log4j|date|spring|urlencoder|urldecoder|xml)\s*:"
)
_NOT_HARMFUL = frozenset(("date", "lower", "upper"))
_ROUNDS = 24


def look(text: Text) -> str:
    """Which lookup it is; empty when it is none."""
    if "$" not in text.characters or "{" not in text.characters:
        return ""
    low = text.low
    if "${" not in low:
        return ""
    nested = False
    for _ in range(_ROUNDS):
        found = _LOOKUP.search(low)
        if found and (name := found[0][2:].strip().rstrip(":").strip()) not in _NOT_HARMFUL:
            if name in ("jndi", "script", "dns", "url"):
                return "a lookup that reaches out"
            if not _only_default(low, found.start()):
                return (
                    "a lookup of the environment"
                    if name in ("env", "sys", "java", "docker", "k8s", "ctx")
                    else "a lookup"
                )
        smaller = _INNER.sub(_value, low, count=32)
        if smaller == low:
            return "a lookup in pieces" if nested and ("jndi" in low or "ldap:" in low or "rmi:" in low) else ""
        nested, low = True, smaller
    return "lookups inside of lookups"


def _only_default(low: str, start: int) -> bool:
    """`${env:x:-j}` in the middle of a word writes a letter: it is resolved, and judged by what it spells."""
    end = low.find("}", start)
    return ":-" in low[start : end if end > 0 else start + 200] and "${" in low[:start]


def _value(found: object) -> str:
    assert hasattr(found, "group")  # noqa: S101  for the type checker
    inner: str = found.group(1)
    if ":-" in inner:
        return inner.rpartition(":-")[2]
    name, colon, rest = inner.partition(":")
    return rest if colon and name.strip() in ("lower", "upper") else inner if not colon else ""


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    return "${" in low
