"""Markup that runs: script elements, event attributes, addresses that are code, and ways out of a quoted attribute."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "<>:'\"`"

_TAG = regex(r"<[\s\x00/]{0,4}([a-z][\w:-]{0,30})")
_EVENT = regex(r"(?:^|[\s/\"'`\x00-\x20>;])on[a-z]{3,25}[\s\x00]{0,8}=[\s\x00]{0,8}[^\s=]")
_BLANKS = r"[\s\x00-\x20]{0,20}"
_SCRIPT_URL = regex(
    "|".join(_BLANKS.join(word) + _BLANKS + ":" for word in ("javascript", "vbscript", "livescript"))
    + r"|data:[\w/+]{0,30}(?:html|svg|xml|script)[^,]{0,40},"
)
_CSS_COMMENT = regex(r"/\*[^*]{0,200}\*/")
_RUNS = frozenset(
    (
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "base",
        "frameset",
        "frame",
        "xml",
        "bgsound",
        "layer",
        "ilayer",
        "isindex",
        "portal",
        "import",
    )
)
_CALLS = regex(
    r"\b(?:alert|confirm|prompt|eval|fetch|settimeout|setinterval|function|atob|import|print|open|msgbox|constructor|import)\s*(?:\?\.)?[(`\[]|document\s*\.|document\[|window\s*[.\[]|\.cookie|location\s*=|string\.fromcharcode|\.innerhtml|localstorage|\.constructor"
)
_OUT = regex(
    r"['\"`]\s*[;)}\]+\-*/,|&>]|['\"]\s+(?:on|style|src|href|autofocus)|</(?:script|style|title|textarea|noscript|template|xmp|math|select)|-->|\]\]>"
)
_CODE_OUT = regex(
    r"^[^\n]{0,200}?['\"`]\s*[;+\-*,)|&^%/<>=}\]]{1,4}\s*[^\n]{0,60}?\b(?:alert|confirm|prompt|eval|fetch|print|function|import|window|document|location|top|self|throw|settimeout)\b\s*[(`=.\[{]"
)
_INCLUDE = regex(r"<!--\s{0,8}#\s{0,4}(?:exec|include|echo|printenv|config|set|fsize|flastmod|odbc)\b")
_STYLE = regex(r"expression\s*\(|-moz-binding|behavior\s*:|@import|url\s*\(\s*['\"]?\s*(?:javascript|data):")
_FUNCTIONS = frozenset(
    "alert confirm prompt eval fetch settimeout setinterval function atob import print open msgbox constructor".split()
)
_OBJECTS = ("document", "window", "cookie", "location", "fromcharcode", "innerhtml", "localstorage", "constructor")
_MOST = 200
_ANY0 = frozenset("'\"`>")
_ANY1 = frozenset("'\"<>")


def look(text: Text) -> str:
    """What would run; empty when nothing would."""
    low = text.low
    if "<![cdata[" in low:
        low = low.replace("<![cdata[", "").replace("]]>", "")
    if "<!--" in low and _INCLUDE.search(low):
        return "a directive for the server"
    if "<" in text.characters and (detail := _tags(low)):
        return detail
    if (":" in text.characters and "script" in "".join(low.split()) and (found := _SCRIPT_URL.search(low))) and (
        (found.start() <= 40 and (text.whole or low.lstrip().startswith(found[0][:4])))
        or _CALLS.search(low, found.end(), found.end() + 200)
    ):
        return "an address that is code"
    if (
        ":" in text.characters
        and low.lstrip().startswith("data:")
        and _SCRIPT_URL.match(low.lstrip())
        and ("<" in low or "base64" in low)
    ):
        return "an address that is code"
    if not text.characters & _ANY0:
        return ""
    if "on" in low and "=" in text.characters and (found := _EVENT.search(low)) and _OUT.search(low):  # noqa: SIM102
        if text.characters & _ANY1 and (_CALLS.search(low, found.start()) or low.find("=") < 80):
            return "an event attribute after the end of another"
    if len(low) < 600 and _CALLS.search(low) and _CODE_OUT.match(low):
        return "code after the end of a string"
    return ""


def _tags(low: str) -> str:
    for count, found in enumerate(_TAG.finditer(low)):
        if count >= _MOST:
            return "very much markup"
        name = found[1]
        rest = low[found.end() : found.end() + 1000]
        if "/*" in rest:
            rest = _CSS_COMMENT.sub("", rest)
        end = rest.find(">")
        inside = rest if end < 0 else rest[: end + 1]
        if _EVENT.search(inside) and (end >= 0 or len(rest) < 300 or "(" in rest):
            return "an element with an event attribute"
        if _SCRIPT_URL.search(inside) and "=" in inside:
            return "an element whose address is code"
        if name.rpartition(":")[2] == "script":
            if "src" in inside or "href" in inside or _CALLS.search(rest) or "</script" in rest or _ASSIGN.search(rest):
                return "a script element"
        elif (
            name in _RUNS
            and ("src" in inside or "href" in inside or "data" in inside or "code" in inside)
            and "=" in inside
        ):
            return "an element that loads a document"
        elif (
            name == "meta"
            and "http-equiv" in inside
            and ("refresh" in inside or "link" in inside or "cookie" in inside or "policy" in inside)
        ):
            return "an element that redirects"
        elif (
            name in ("link", "style")
            and (_STYLE.search(rest) or ("stylesheet" in inside and "href" in inside) or "import" in inside)
        ) or (_STYLE.search(inside) and "style" in inside):
            return "a style that loads or runs"
        elif name in ("svg", "math", "set", "animate") and (
            "<script" in rest or "<set" in rest or ("xlink" in rest and ":" in inside)
        ):
            return "an element that runs"
        elif (name == "form" and "action" in inside and ("javascript" in inside or "http" in inside)) or (
            name in ("input", "button", "isindex") and "formaction" in inside
        ):
            return "a form that sends elsewhere"
        elif name == "img" and ("dynsrc" in inside or "lowsrc" in inside):
            return "an element whose address is code"
    return ""


_ASSIGN = regex(r"[\w\])]\s*=\s*['\"\w]|\w\(")


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `look` could see any of the texts; see `prefilter`."""
    if "<" in low:
        return True
    if ":" in low and ("data:" in low or "script" in "".join(low.split())):
        return True
    if "=" in low and "on" in low and _EVENT.search(low):
        return True
    called = not words.isdisjoint(_FUNCTIONS) or any(name in low for name in _OBJECTS)
    return called and _CALLS.search(low) is not None
