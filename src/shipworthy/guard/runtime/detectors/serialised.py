"""Objects that run when they are read: pickle, Java, PHP, .NET, Ruby, YAML, and what JSON can name."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = ""

_PHP = regex(r"(?:^|[;:{])[oc]:\+?\d{1,4}:\"[\w\\]{1,200}\":\d{1,4}:\{")
_PICKLE = regex(
    r"c(?:os|posix|nt|subprocess|__builtin__|builtins|commands|pty|sys|importlib|runpy|socket|webbrowser|operator|timeit|code|torch[\w.]{0,60}|numpy[\w.]{0,60})\n[\w.]{1,100}\n"
)
_YAML = regex(
    r"!!(?:python/|javax?\.|java/|org\.|com\.|ruby/|sun\.|js/|system\.)|!ruby/|!<tag:yaml\.org,2002:(?:python|java|js)|!(?:python|system)/object|!!python"
)
_TYPES = regex(
    r"(?:system\.|java\.|javax\.|com\.sun\.|org\.apache\.|org\.springframework|microsoft\.|ysoserial|bsh\."
    r"|com\.mchange|com\.zaxxer|groovy\.|ch\.qos|oracle\.jdbc)[\w.$+`\[\], ]{3,200}"
)
_KEYS = frozenset(
    (
        "@type",
        "$type",
        "__type",
        "py/object",
        "py/reduce",
        "py/function",
        "py/type",
        "py/newargs",
        "_$$nd_func$$_",
        "__proto__",
        "rce",
        "java.class",
    )
)
_FIRST = frozenset("\x80\xacrHaAC\x00/\x048")
_BEGIN_OF_ANY = regex(r"\x01(?:[\x80\xac\x04\x00]|ro0ab|h4si|aaea|aced00|/wey|8004)")
_SIGNS = ("$$nd_", ":{", "<java", "processbuilder", "<sorted-set", "<dynamic-proxy", 'type"', "py/", "proto")
_POLLUTE = regex(r"(?:^|[.\[])(?:__proto__|constructor\]?[.\[]+prototype)")


def look(text: Text) -> str:
    """Which object it is; empty when it is none."""
    raw, low = text.raw, text.low
    if text.place == "key":
        if low in ("@type", "$type", "__type"):
            return ""  # judged with the class that it names
        if low in _KEYS and low != "rce":
            return "the prototype of every object" if low == "__proto__" else "an object that runs when it is read"
        if "proto" in low and _POLLUTE.search(low):
            return "the prototype of every object"
        return ""
    if raw[:1] in _FIRST and (detail := _begins(raw, low)):
        return detail
    if "_$$nd_func$$_" in low or "_$$nd_cc$$_" in low:
        return "a JavaScript function"
    if '"' in text.characters and ":{" in low and _PHP.search(low):
        return "a PHP object"
    if "\n" in text.characters and _PICKLE.search(raw):
        return "a pickle"
    if "!" in text.characters and _YAML.search(low):
        return "a YAML object"
    if text.name.rpartition(".")[2] in ("@type", "$type", "__type", "class", "@class", "javaclass") and _TYPES.match(
        low
    ):
        return "an object that runs when it is read"
    if "<" in text.characters and (
        ("<java" in low and "class=" in low and "<object" in low)
        or "java.lang.processbuilder" in low
        or "<sorted-set>" in low
        or "<dynamic-proxy>" in low
    ):
        return "a Java object"
    if '"' in text.characters and ('"@type"' in low or '"$type"' in low) and _TYPES.search(low):
        return "an object that runs when it is read"
    return "an object that runs when it is read" if "py/reduce" in low or '"py/object"' in low else ""


def _begins(raw: str, low: str) -> str:
    first = raw[:2]
    if first[:1] == "\x80" and len(raw) > 3 and first[1:] in "\x01\x02\x03\x04\x05" and "." in raw[-3:]:
        return "a pickle"
    if first == "\xac\xed" or raw.startswith(("rO0AB", "H4sIAAAAAAAAAJ")) or low.startswith("aced0005"):
        return "a Java object"
    if raw.startswith(("AAEAAAD/////", "\x00\x01\x00\x00\x00\xff\xff\xff\xff", "/wEyxBEAAQAAAP", "AAEAAAD")):
        return "a .NET object"
    if raw.startswith("\x04\x08") and len(raw) > 6 and raw[2] in "oucUCIe[{":
        return "a Ruby object"
    if (
        low.startswith("8004")
        and low.isalnum()
        and len(low) > 20
        and low.endswith("2e")
        and set(low) <= set("0123456789abcdef")
    ):
        return "a pickle"
    return ""


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    if _BEGIN_OF_ANY.search(low) or any(sign in low for sign in _SIGNS):
        return True
    return bool(("\n" in low and _PICKLE.search(low)) or ("!" in low and _YAML.search(low)))
