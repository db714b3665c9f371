"""XML that reads files, opens addresses or grows: entities, external documents, inclusions."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "<"

_ENTITY = regex(r"<!entity\s+(?:%\s+)?[\w.:-]{1,80}\s+(system|public|['\"])")
_EXTERNAL = regex(r"<!doctype\s+[\w.:-]{1,80}\s+(?:system|public\s+['\"][^'\"]{0,200}['\"])\s+['\"](?:[a-z]{2,9}:|/)")
_DECLARES = regex(r"<!doctype\s+[\w.:-]{1,80}\s*\[|<!(?:element|attlist|notation)\s+[\w.:-]{1,80}\s")
_HTML = regex(r"<!doctype\s+html\b")


def look(text: Text) -> str:
    """What the XML does; empty when it does nothing."""
    if "<" not in text.characters:
        return ""
    low = text.low
    if "<!entity" in low:
        kinds = [found[1] for found, _ in zip(_ENTITY.finditer(low), range(64), strict=False)]
        if "system" in kinds or "public" in kinds:
            return "an entity from outside"
        if (len(kinds) > 2 and low.count("&") > 6) or "% " in low:
            return "entities that grow"
        return "an entity" if kinds else ""
    if "<!doctype" in low and not _HTML.search(low) and _EXTERNAL.search(low):
        return "a document type from outside"
    if "<!" in low and _DECLARES.search(low):
        return "a document type of its own"
    if "xinclude" in low and "include" in low and "href" in low:
        return "a document from outside"
    return "a style sheet from outside" if "<?xml-stylesheet" in low and "href" in low else ""


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    return "<!" in low or "xinclude" in low or "<?xml-stylesheet" in low
