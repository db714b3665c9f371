"""A value that is a command from its first word, where that says so by itself. The name of a command does not: people
write `find`, `sleep 5` and `whoami`, too."""

from __future__ import annotations

from shipworthy.guard.runtime.detectors._shell_shown import WORDS
from shipworthy.patterns import regex

LONGEST = 400
DROPPED = str.maketrans("", "", "\"'\\^")  # the marks that a shell takes out of a word
# A name with quotes or escapes inside of it
_DISGUISED = r"[\w.]*(?:[\"']\w*[\"']|[\\^]\w)[\w\"'\\^.-]*(?=$|\s|\x01)"
_BEFORE = r"(?:(?:time|nohup|sudo|env|exec|command|builtin|nice|setsid|timeout \d+\w?)\s+){0,3}"
_INTERPRETED = (  # a program that is told to run what comes next
    _BEFORE + r"(?:[\w./]{0,40}/)?(?:(?:ba|z|da|k|c)?sh|python[23]?(?:\.\d{1,2})?|perl|ruby|php|node|lua|busybox sh)"
    r"\s+(?:-\w{1,8}\s+){0,3}-\w{0,3}[cer]\s+"
)
_SYSTEM = r"(?:/+(?:etc|proc|root|dev|var/log)/|/[\w?*\[\]]{0,4}[?*][\w?*\[\]]{0,4}/|%\w{4,20}%\\|[a-z]:\\+win)"
_READS = (  # a file of the system is read, or written, and that is all
    _BEFORE
    + r"(?:cat|type|more|less|head|tail|nl|tac|strings|xxd|od|base64|vim?|nano|tee|copy|cp|rm|chmod|zcat|column)"
    r"(?:\s+-[\w=]{1,12})*\s+(?:[\w+]{1,12}\s+)?['\"]?"
    + _SYSTEM
    + r"[^\s,;|&]{1,80}(?:\s+[\w./~-]{1,40})?\s*(?=$|\x01)"
)
_CALLED = (  # nothing but a call that runs what it is given
    r"(?:\|\||&&|[|&;])?\s*(?:phpinfo\s*\(\s*\)|(?:system|exec|passthru|shell_exec|popen|proc_open|pcntl_exec|assert|eval)"
    r"\s*\(\s*['\"`$][^\x01\n]{1,120}\))\s*;?\s*(?=$|\x01)"
)
# The code of a page, and what in it runs something or takes what a client sends
_TAG = regex(r"<\?(?:php\b|=|\s)")
_RUNS = regex(
    r"\b(?:system|exec|passthru|shell_exec|popen|proc_open|eval|assert|phpinfo|include|require|file_get_contents|readfile"
    r"|fopen|fwrite|move_uploaded_file|base64_decode)(?:_once)?\s?\(|`|\$_(?:get|post|request|cookie|server|files)\b"
)
_START = regex(rf"\s*(?:(?P<name>{_DISGUISED})|(?P<code>{_INTERPRETED})|(?P<file>{_READS})|(?P<call>{_CALLED}))")
_ANY_NAME, _ANY_CALL = regex(rf"\x01\s*{_DISGUISED}"), regex(rf"\x01\s*{_CALLED}")
_ANY_ORDER = regex(rf"\x01\s*(?:{_INTERPRETED}|{_READS})")
_NEXT = regex(r"['\"$<(]|([a-z][\w.-]{1,20})")
_STARTERS = frozenset(  # one of which is among the words of what `_INTERPRETED` and `_READS` match
    """
sh bash zsh dash ksh csh python python2 python3 perl ruby php node lua busybox cat type more less head tail nl tac
strings xxd od base64 vi vim nano tee copy cp rm chmod zcat column
""".split()
)
_VERSION = ".0123456789"
_DETAILS = {"file": "a command that reads a file of the system", "call": "code that starts a program"}


def first(low: str) -> str:
    """What the value runs; empty when it runs nothing by its first word."""
    if _page(low):
        return "code that starts a program"
    found = _START.match(low) if len(low) < LONGEST else None
    if found is None:
        return ""
    kind = found.lastgroup or ""
    if kind == "name":
        given = found["name"]
        name = plain(given).rpartition("/")[2]
        quoted = given[0] in "\"'" and given[0] == given[-1] and not set(given[1:-1]) & set("\"'\\^")
        hidden = not quoted and (name in WORDS or (len(name) > 4 and name.rstrip(_VERSION) in WORDS))
        return "a command with its name disguised" if hidden else ""
    if kind == "code":
        following = _NEXT.match(low, found.end())
        runs = following is not None and (following[1] is None or following[1] in WORDS)
        return "a program that is told what to run" if runs else ""
    return _DETAILS[kind]


def _page(low: str) -> bool:
    tag = _TAG.search(low) if "<?" in low else None
    return tag is not None and _RUNS.search(low, tag.end()) is not None


def plain(word: str) -> str:
    """A word without the marks that a shell takes out of it."""
    return word.translate(DROPPED).replace("$@", "").replace("$*", "").replace("[", "").replace("]", "").rstrip(":.")


def possible(low: str, words: frozenset[str]) -> bool:
    """Whether `first` could see any of the texts; see `prefilter`."""
    if _ANY_NAME.search(low) or ("(" in low and _ANY_CALL.search(low)):
        return True
    return (not words.isdisjoint(_STARTERS) and _ANY_ORDER.search(low) is not None) or _page(low)
