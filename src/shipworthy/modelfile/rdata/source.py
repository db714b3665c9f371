"""Models that are R source: what `dput` and `dump` write. `dget` and `source` run all of it, and R its `.Rprofile`.

Nothing is run: the text is divided into R's tokens, and the names are looked at that are called.
Source: R Language Definition, section 10.3; `?Startup`, `?dump`, `?dput`.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.rdata.judge import _ACTS, _STRONG
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

_DATA = r"(?:structure|list|c|new|quote|expression|data\.frame|factor|matrix|array)\s*\("
_NAME = r"(?:[A-Za-z.][\w.]{0,99}|`[^`\n]{1,99}`|\"[^\"\n]{1,99}\")"
_DPUT = regex(r"\s*(?:#[^\n]{0,999}\n\s*){0,9}(?:" + _DATA + r"|new\s*\()")
_DUMP = regex(
    r"\s*(?:#[^\n]{0,999}\n\s*){0,9}" + _NAME + r"[ \t]*(?:<-|=)[ \t]*\r?\n\s*(?:" + _DATA + r"|function\s*\()"
)
_MADE = regex(
    r"\s*(?:#[^\n]{0,999}\s*){0,99}(?:" + _NAME + r"\s*(?:<<?-|=)\s*(?:structure|local|new|\(\s*(?:function|\\))\s*\(|"
    r"assign\s*\(\s*[\"'][^\"'\n]{1,99}[\"']\s*,\s*(?:" + _DATA + r"|local\s*\())"
)
_TOKEN = regex(
    r"#[^\n]*|(?P<raw>[rR][\"']-*[(\[{])|(?P<quote>[\"'`])|(?P<name>[A-Za-z.][\w.]*(?::::?[\w.]+)?)|(?P<space>\s+)|"
    r"[0-9][\w.]*|."
)
_ENDS = {quote: regex(rf"(?s:[^{quote}\\]|\\.)*{quote}") for quote in "\"'`"}
_CLOSED = {"(": ")", "[": "]", "{": "}"}
_ACTING = frozenset(
    (*(name for name, does in _ACTS.items() if does in ("starts programs", "loads native code")),
     "download.file", "socketConnection", "url", "unlink", "file.remove", "sys.source")
)  # fmt: skip
_PLAIN = frozenset(
    "structure list c new quote expression function if for while repeat data.frame factor matrix array pairlist "
    "integer numeric character logical complex double raw vector as.integer as.numeric as.character as.logical as.raw "
    "as.name as.symbol as.Date as.POSIXct as.factor seq seq_len rep row.names class names dim levels attr is.na return "
    "asS4 environment new.env emptyenv globalenv baseenv setNames length sum exp log sqrt abs max min mean cbind rbind "
    "t solve crossprod stop warning missing switch paste paste0 is.null nrow ncol".split()
)
_MOST = 4 << 20


@dataclass
class Told:
    """What a source does: (what, line) for all that acts, and the first name that is not known to be data."""

    acts: list[tuple[str, int]] = field(default_factory=list)
    unsure: str = ""


def is_data(text: str) -> bool:
    """Whether a text begins as R writes values."""
    return _DPUT.match(text) is not None or is_dump(text)


def is_dump(text: str) -> bool:
    """Whether it begins as `dump` writes: a name and an arrow, a value on the next line."""
    return _DUMP.match(text) is not None


def makes_one(text: str) -> bool:
    """Whether the first thing that it does is to make an object, as a model that somebody wrote down."""
    return _MADE.match(text) is not None


def judge(text: str) -> Told:
    """What running this text would do."""
    told = Told()
    if len(text) > _MOST:
        told.unsure = f"it is larger than {_MOST >> 20} MiB"
        return told
    seen: set[str] = set()
    for name, at, called in _names(text):
        plain = name.rpartition(":")[2]
        if not name:
            told.unsure = told.unsure or "it has a text without an end"
        elif plain in _ACTING and (called or plain in _STRONG) and plain not in seen:
            seen.add(plain)
            told.acts.append((f"{_ACTS.get(plain, 'runs files')} ({shown(plain, 40)})", text.count("\n", 0, at) + 1))
        elif called and (plain not in _PLAIN or "\\" in name):
            told.unsure = told.unsure or f"it calls {shown(name, 60)}"
    return told


def _names(text: str) -> Iterator[tuple[str, int, bool]]:
    """The names in a text, where they stand and whether they are called; an empty one where it can't be read on.
    What `quote` is given is not called.
    """
    at, name, begin = 0, "", 0
    depth, quoted = 0, 0  # the depth from which on all is quoted
    while match := _TOKEN.match(text, at):
        at, kind = match.end(), match.lastgroup
        if kind == "space" or match[0][0] == "#":
            continue
        if match[0] == "(":
            depth += 1
            if name:
                yield name, begin, not quoted
                quoted = quoted or (depth if name in ("quote", "expression") else 0)
        elif name:
            yield name, begin, False
        if match[0] == ")":
            quoted = 0 if depth == quoted else quoted
            depth -= 1
        name, begin = "", match.start()
        if kind == "name":
            name = match[0]
        elif kind == "quote":
            end = _ENDS[match[0]].match(text, at)
            if end is None:
                yield "", begin, False
                return
            name, at = text[at : end.end() - 1], end.end()
            opens = text[at : at + 1] == "(" or match[0] == "`"
            name = name if opens else ""  # any other text is a value
        elif kind == "raw":
            closing = _CLOSED[match[0][-1]] + match[0][2:-1] + match[0][1]
            end_at = text.find(closing, at)
            if end_at < 0:
                yield "", begin, False
                return
            at = end_at + len(closing)
    if name:
        yield name, begin, False
