"""XML that reads files, opens addresses or grows: entities, external documents, inclusions."""

from __future__ import annotations

from functools import lru_cache
from html.entities import html5

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "<"

_ENTITY = regex(r"<!entity\s+(?:%\s+)?[\w.:-]{1,80}\s+(system|public|['\"])")
_EXTERNAL = regex(r"<!doctype\s+[\w.:-]{1,80}\s+(?:system|public\s+['\"][^'\"]{0,200}['\"])\s+['\"](?:[a-z]{2,9}:|/)")
_DECLARES = regex(r"<!doctype\s+[\w.:-]{1,80}\s*\[|<!(?:element|attlist|notation)\s+[\w.:-]{1,80}\s")
_HTML = regex(r"<!doctype\s+html\b")
_REFERS = regex(r">\s{0,20}&([a-z_][\w.-]{0,60});\s{0,20}</")  # all that is in an element
_NAMES = frozenset(name.rstrip(";").lower() for name in html5) | {"apos"}
_REACHES = regex(
    r"\b(?:document|unparsed-text(?:-lines)?|system-property|doc|collection)\s*\(|xmlns:\w+\s*=\s*['\"](?:http://php\.net/"
    r"|java:|xalan://|http://xml\.apache\.org/(?:xalan|xslt)|urn:schemas-microsoft-com:xslt|http://saxon\.sf\.net)"
    r"|<(?:[\w-]{1,20}:)?(?:include|import)\s[^>]{0,80}href"
)
_ENCODING = regex(r"<\?xml\s[^>]{0,80}\bencoding\s{0,9}=\s{0,9}['\"]([\w.:-]{1,40})")
_WIDE = ("utf-16", "utf_16", "utf16", "utf-32", "utf_32", "utf32", "ucs-2", "ucs-4", "iso-10646-ucs")
_READ_AS_IT_IS = "<!ENTITY % a SYSTEM 'b'>+ADw-~{1~}"  # ASCII, with what stands for something else in some encodings
_STYLES = "xsl/transform"


def look(text: Text) -> str:
    """What the XML does; empty when it does nothing."""
    if "<" not in text.characters:
        return ""
    low = text.low
    if "<?xml" in low and (told := _ENCODING.search(low)) and not _ascii(told[1]):
        return "a document in an encoding that is not looked at"
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
    if _STYLES in low and _REACHES.search(low):
        return "a style sheet that reaches out"
    if ";" in low and any(found[1] not in _NAMES for found in _REFERS.finditer(low)):
        return "an entity of another document"
    return "a style sheet from outside" if "<?xml-stylesheet" in low and "href" in low else ""


@lru_cache(maxsize=256)
def _ascii(encoding: str) -> bool:
    """Whether what is ASCII is read as such in an encoding. What names UTF-16 is text by now, and no longer in it."""
    if encoding.startswith(_WIDE):
        return True
    try:
        return _READ_AS_IT_IS.encode().decode(encoding) == _READ_AS_IT_IS
    except (LookupError, ValueError):
        return False


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    if "<!" in low or "<?xml" in low or "xinclude" in low or ("<" in low and _STYLES in low):
        return True
    return "&" in low and ">" in low and _REFERS.search(low) is not None
