"""Assignments and options of JavaScript that are weak in themselves."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.checks.code._js_calls import _SECRET_NAME, Hit, _html
from shipworthy.checks.code._js_names import Names, Part
from shipworthy.checks.code._js_tokens import Token
from shipworthy.model import Confidence, Severity
from shipworthy.patterns import regex

_HTML = (".innerHTML", ".outerHTML", ".srcdoc")
_NESTED = regex(r"\((?:\?:)?[^()\[\]|]{0,40}[+*]\)(?:[+*]|\{\d+,\})|\((?:\?:)?\[[^\]]{1,40}\][+*]\)(?:[+*]|\{\d+,\})")
# What begins such a group for certain, and is no part of the word that is repeated, divides the text in one way only:
# `(?:\s\w+)*` takes linear time.
_DIVIDED = regex(r"\((?:\?:)?(?:\\[sW]|[-,;:/ ]|\\[-./])(?:\\[wd]|[A-Za-z0-9])+[+*]\)[+*]\Z")
_UNVERIFIED = {"rejectUnauthorized": "false", "strictSSL": "false", "insecureSkipVerify": "true"}


def detect(names: Names) -> Iterator[Hit]:
    """What assignments, keys of objects and literals say."""
    for given, value, at in names.assignments():
        token = names.tokens[at]
        for name in given:
            for rule, severity, confidence in _assigned(names, name, value):
                yield rule, token.line, token.column, name, severity, confidence
    for at, token in enumerate(names.tokens):
        yield from _keyed(names, at, token)
        if token.kind == "regex" and any(not _DIVIDED.match(m[0]) for m in _NESTED.finditer(token.value)):
            yield "slow-regex", token.line, token.column, "", None, None
    yield from _written(names)


def _assigned(names: Names, name: str, part: Part) -> Iterator[tuple[str, Severity | None, Confidence | None]]:
    if name.endswith(_HTML):
        yield from _html(names, part)
    elif (name.endswith("NODE_TLS_REJECT_UNAUTHORIZED") and part and part[0].value in ("0", "false")) or (
        name.endswith((".rejectUnauthorized", ".strictSSL")) and part and part[0].value == "false"
    ):
        yield "tls-unverified", None, None
    elif (
        name in ("location", "window.location", "document.location") or name.endswith("location.href")
    ) and names.is_theirs(part):
        yield "open-redirect", None, None
    elif name.endswith((".escapeMarkup", ".autoescape", ".noEscape")) and part:
        if (part[0].value == "false") != name.endswith("noEscape"):
            yield "no-escape", None, None
    elif _SECRET_NAME.search(name) and any(
        t.value == "random" and n > 1 and part[n - 2].value == "Math" for n, t in enumerate(part)
    ):
        yield "weak-random", None, None


def _keyed(names: Names, at: int, token: Token) -> Iterator[Hit]:
    """`key: value` of an object, wherever it stands."""
    tokens = names.tokens
    if at + 2 >= len(tokens) or tokens[at + 1].value != ":" or token.kind not in ("name", "text"):
        return
    value = tokens[at + 2]
    if _UNVERIFIED.get(token.value) == value.value and value.kind == "name":
        yield "tls-unverified", token.line, token.column, token.value, None, None
    elif token.value == "__html":
        for rule, severity, confidence in _html(names, tokens[at + 2 : names.ends(at + 2)]):
            yield rule, token.line, token.column, "dangerouslySetInnerHTML", severity, confidence
    elif token.value in ("noEscape", "autoescape") and value.value == (
        "true" if token.value == "noEscape" else "false"
    ):
        yield "no-escape", token.line, token.column, token.value, None, None
    elif token.value == "httpOnly" and value.value == "false" and "session" in " ".join(names.imported.values()):
        yield "cookie-flags", token.line, token.column, token.value, None, None
    elif token.kind == "name" and _SECRET_NAME.search(token.value):
        part = tokens[at + 2 : names.ends(at + 2)]
        if any(t.value == "random" and n > 1 and part[n - 2].value == "Math" for n, t in enumerate(part)):
            yield "weak-random", token.line, token.column, token.value, None, None


def _written(names: Names) -> Iterator[Hit]:
    """`a[key][other] = …` with a key of a request."""
    tokens = names.tokens
    for at, token in enumerate(tokens):
        if (
            token.value != "["
            or token.kind != "sign"
            or at == 0
            or (tokens[at - 1].kind != "name" and tokens[at - 1].value != "]")
        ):
            continue
        end = names.close.get(at)
        if end is None or end + 1 >= len(tokens) or not names.is_theirs(tokens[at + 1 : end]):
            continue
        after = tokens[end + 1]
        nested = tokens[at - 1].value == "]" or after.value == "["
        if after.value == "=" or after.value == "[":
            sure = Confidence.MEDIUM if nested else None
            yield "prototype-pollution", token.line, token.column, "", None, sure
