"""Expressions for template engines: brackets of a template around something that is computed."""

from __future__ import annotations

from shipworthy.guard.runtime.normalise import Text
from shipworthy.patterns import regex

NEEDS = "{<[@#$"

_OPEN = regex(
    r"\{\{|\{%|\$\{|#\{|<%|\*\{|@\{|~\{|\[\[|@\(|\{php\}|\{\$|\{(?:if|system|self|php|literal|function|fetch|include)\b|#set\s*\("
    r"|<#assign|\{\d+[*+]\d+\}|@\d+[*+]\d+|<#(?:list|if|include)|\$\w+\.class\b|#evaluate\("
)
_SUM = regex(r"(?<![\w.])['\"]?\d{1,12}['\"]?\s*[*+\-/]\s*['\"]?\d{1,12}")
_DUNDER = regex(r"__\w{2,30}__|\\x5f\\x5f|_{1,2}(?:class|mro|subclasses|globals|builtins|init|self|import)\b")
_REACH = regex(
    r"\b(?:config|request|self|cycler|lipsum|joiner|namespace|settings|_self|application|session|dump|phpinfo|system|exec"
    r"|eval|popen|passthru|constructor|getclass|forname|runtime|processbuilder|freemarker|getruntime|classloader|import"
    r"|require|process|global|file_get_contents|readfile|open|env|get_flashed_messages|url_for|range|attr|map|filter"
    r"|registerundefinedfiltercallback|spawn|child_process|java\.lang|t\(java|_context|smarty|template_object|print|out"
    r"|ruby|io|kernel|dir|file|puts|debug|include|load|ognl|memberaccess|beans|inputstream|scanner)\b"
)
_CALL = regex(
    r"[\w\])'\"]\s*\(|\|\s*(?:attr|map|filter|sort|join|reduce|system|exec|passthru|raw|safe|e|format|list|first|last|select|batch|upper)\b|\['?\w+'?\]"
)
_PLAIN = regex(r"\s*[\w.\-]{1,60}(?:\s*\|\s*\w{1,20})?\s*")
_MOST = 4000
_LONGEST = 600
_ANY0 = frozenset("{<[@#$")


def look(text: Text) -> str:
    """What is computed; empty when nothing is."""
    if not text.characters & _ANY0:
        return ""
    low = text.low
    for count, found in enumerate(_OPEN.finditer(low)):
        if count >= _MOST:
            return "more expressions than are looked at"
        if detail := _inside(low, found[0], found.end()):
            return detail
    return ""


def _inside(low: str, mark: str, start: int) -> str:
    inner = low[start : start + _LONGEST]
    if mark.startswith(("{", "@")) and _SUM.search(mark):
        return "a sum in a template"
    if mark.startswith("$") and mark != "${":
        return "the class of an object in a template"
    if mark == "{php}":
        return "a statement of a template"
    if mark in ("#set (", "#set(", "<#assign", "#evaluate(", "{php}") or mark.startswith("<#"):
        return "a statement of a template" if _CALL.search(inner) or _REACH.search(inner) or "=" in inner[:60] else ""
    close = {"{{": "}}", "{%": "%}", "<%": "%>", "[[": "]]", "@(": ")"}.get(mark, "}")
    end = inner.find(close)
    inner = inner if end < 0 else inner[:end]
    if not inner.strip() or (_PLAIN.fullmatch(inner) and not _DUNDER.search(inner) and inner.strip() not in _ALONE):
        return ""
    if end < 0 and mark not in ("{{", "${", "#{", "<%", "{%"):
        return ""
    if mark in ("[[", "{$") or (mark.startswith("{") and mark not in ("{{", "{%")):
        return (
            "an expression of a template"
            if _DUNDER.search(inner) or (_REACH.search(inner) and "(" in inner) or mark == "{system"
            else ""
        )
    if _SUM.fullmatch(inner.strip()) or (_SUM.search(inner) and end >= 0 and len(inner) < 40):
        return "a sum in a template"
    if _DUNDER.search(inner):
        return "the inner names of an object"
    reach, call = _REACH.search(inner), _CALL.search(inner)
    if mark == "{%":
        return (
            "a statement of a template"
            if (reach and call) or inner.lstrip().startswith(("import", "include", "debug"))
            else ""
        )
    if mark == "${" and not reach:
        return ""  # shells and JavaScript write values so
    return (
        "an expression of a template"
        if reach and (call or mark != "${" or inner.strip() in _ALONE) and (call or inner.strip() in _ALONE)
        else ""
    )


def possible(low: str, words: frozenset[str]) -> bool:  # noqa: ARG001  one signature for all
    """Whether `look` could see any of the texts; see `prefilter`."""
    return _OPEN.search(low) is not None


_ALONE = frozenset(
    (
        "config",
        "self",
        "request",
        "_self",
        "settings.secret_key",
        "config.items()",
        "app.request",
        "dump(app)",
        "this",
        "$smarty.version",
        "smarty.version",
        "_self.env",
        "_context",
        "debug",
        "request.application",
        "env",
        "application",
        "session",
        "constructor",
    )
)
