"""Our own eyes, for what the wrapped tool does not look for: values that are *named* password, key, token or secret.

Every expression starts at a literal and is bounded from there on, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from shipworthy.checks.secrets._placeholder import (
    is_example_token,
    is_placeholder,
    looks_like_password,
    looks_random,
    words,
)
from shipworthy.checks.secrets._rules import CLOUD_KEY, CLOUD_KEY_ID, CONNECTION_STRING, GENERIC, PASSWORD
from shipworthy.model import Rule


class Dialect(Enum):
    """How values are written. In code only quoted ones are literals; in settings bare ones are too."""

    CODE = "code"
    CONFIG = "config"
    DOCKER = "docker"


@dataclass(frozen=True)
class Match:
    """A named value. `start` and `end` are character offsets of the secret in the text; `name` is the variable."""

    rule: Rule
    pattern: str
    start: int
    end: int
    name: str
    secret: str = field(repr=False)


_KEYWORDS = (
    "password", "passwd", "passphrase", "_pass", "-pass", ".pass", "pwd", "secret", "token", "credential",
    *(f"{word}{joint}key" for word in ("api", "access", "auth", "account", "private", "encryption", "signing", "master")
      for joint in ("_", "-", "")),
)  # fmt: skip
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_REST = re.compile(r"[\w-]{0,60}")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_QUOTED = r"""(?:[bBrRuU]{1,2})?(?P<q>["'`])(?P<quoted>[^"'`\s]{4,300}+)(?P=q)"""
_BARE = r"""(?P<bare>[^\s"'`#,;{}()\[\]<>|&]{4,300}+)"""
_END_OF_LINE = r"(?=[ \t]{0,100}(?:[#;\r\n]|$))"
_TO_QUOTED = re.compile(
    r"""["'\])]{0,3}(?:[ \t]{0,4}:[ \t]{0,4}[\w\[\].| ]{1,40}?(?=[ \t]{0,4}=))?"""  # a type annotation
    r"""[ \t]{0,20}(?:={1,3}>?|:=|:)[ \t]{0,20}""" + _QUOTED
)
_TO_BARE = re.compile(
    r"""["']?(?:="""
    + _BARE
    + r"(?=\s|$)|[ \t]{0,20}(?:=|:(?=[ \t]))[ \t]{0,20}"
    + _BARE.replace("bare", "rest")
    + _END_OF_LINE
    + ")"
)
_TO_DOCKER = re.compile(rf"(?:=|[ \t]{{1,20}}){_BARE}(?=\s|$)")
_DOCKER_LINE = re.compile(r"[ \t]*(?:ENV|ARG)[ \t]+", re.IGNORECASE)
# `name: DB_PASSWORD` and, after it, `value: ...`, as in Kubernetes, Compose, task definitions and XML settings.
_TO_VALUE = re.compile(
    r"""["']?[ \t]{0,8},?[ \t]{0,8}(?:\r?\n)?[ \t]{0,60}["']?value["']?[ \t]{0,8}[:=][ \t]{0,8}(?:"""
    + _QUOTED
    + "|"
    + _BARE
    + _END_OF_LINE
    + ")",
    re.IGNORECASE,
)
_IS_NAME = re.compile(r"""(?:name|key)["']?[ \t]*[:=][ \t]*["']?$""", re.IGNORECASE)
_TO_DEFAULT = re.compile(r"""["'][ \t]{0,4},[ \t]{0,4}""" + _QUOTED)
_IS_GETENV = re.compile(r"""get(?:env)?\([ \t]*["']$""", re.IGNORECASE)
_URL = re.compile(r"""://(?P<user>[^\s:/@"'`<>\\]{0,64}):(?P<secret>[^\s/@"'`<>\\]{3,200})@(?P<host>[\w.-]{1,100})""")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: AKIA lasts, ASIA is temporary.
_KEY_ID = re.compile(r"(?<![A-Za-z0-9+/_])A(?:KI|SI)A[A-Z2-7]{16}(?![A-Za-z0-9+/_])")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*$")

_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORDS = words("password passwd passphrase pwd pass")
_SECRETS = words("secret token credential credentials apikey authkey accesskey secretkey")
_BEFORE_KEY = words("api access auth account private encryption signing secret master")
# The last word says that the value is about the secret and not the secret.
_ABOUT = words(
    """name id url uri path file filename dir type field label length len size count limit endpoint env var variable
    prefix suffix class regex pattern policy hint help text placeholder expiry ttl expires header param parameter index
    idx hash algorithm format version arn ref selector input form error message title description mode provider store
    manager engine separator tokenizer usage budget price rate"""
)
# Words that make a token a public or a passing thing (paging, model vocabularies, public keys).
_HARMLESS = words("public csrf xsrf mask pad eos bos unk sep cls special next page continuation cancel")


def find(text: str, dialect: Dialect) -> Iterator[Match]:
    """Named secrets and addresses with passwords in `text`, in no particular order; placeholders are left out."""
    yield from _addresses(text)
    yield from _key_ids(text)
    done = 0
    for begin, stop in _keywords(text):
        if begin < done:
            continue
        start = _name_start(text, begin, done)
        rest = _REST.match(text, stop)
        done = rest.end() if rest else stop
        name = text[start:done]
        kind = kind_of(name)
        found = kind and _value(text, start, done, dialect)
        if not kind or not found:
            continue
        match = _judge(kind, name, text[found[0] : found[1]], found[0])
        if match or text[found[0] - 1] not in "\"'`":
            done = found[1]  # a bare value is not read again for names in it: it could be read 300 times over
        if match:
            yield match


def _keywords(text: str) -> list[tuple[int, int]]:
    """Start and end of every keyword, in order. Plain searches are ten times as fast as one expression."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters change their length, and offsets must not move
        lower = text.translate(_ASCII_LOWER)
    found = []
    for word in _KEYWORDS:
        position = lower.find(word)
        while position >= 0:
            found.append((position, position + len(word)))
            position = lower.find(word, position + len(word))
    return sorted(found)


def _addresses(text: str) -> Iterator[Match]:
    for url in _URL.finditer(text):
        secret = url["secret"]
        if is_placeholder(secret) or is_placeholder(secret.rstrip("0123456789")) or secret == url["user"]:
            continue
        scheme = _SCHEME.search(text[max(0, url.start() - 20) : url.start()])
        name = f"{scheme[0] if scheme else ''}://{url['host']}"
        yield Match(CONNECTION_STRING, "password-in-address", url.start("secret"), url.end("secret"), name, secret)


def _key_ids(text: str) -> Iterator[Match]:
    for found in _KEY_ID.finditer(text):
        if not is_example_token(found[0].encode()):
            yield Match(CLOUD_KEY_ID, "aws-access-key-id", found.start(), found.end(), "", found[0])


def _name_start(text: str, position: int, floor: int) -> int:
    """Where the whole variable name starts: at most 60 characters back."""
    floor = max(floor, position - 60)
    while position > floor and text[position - 1] in _NAME_CHARACTERS:
        position -= 1
    return position


def kind_of(name: str) -> Rule | None:
    """What a variable or column of this name holds, if it holds a secret.

    >>> kind_of("dbPassword").id, kind_of("max_tokens"), kind_of("token_type")
    ('secret-password', None, None)
    """
    if name in {"PWD", "OLDPWD"}:
        return None  # a shell's working directory
    parts = [word.lower() for word in _SPLIT.findall(name)]
    while parts and parts[-1].isdigit():
        parts.pop()
    if not parts or parts[-1] in _ABOUT or not _HARMLESS.isdisjoint(parts):
        return None
    if not _PASSWORDS.isdisjoint(parts):
        return PASSWORD
    if not _SECRETS.isdisjoint(parts):
        return CLOUD_KEY if "aws" in parts and "access" in parts else GENERIC
    return GENERIC if any(second == "key" and first in _BEFORE_KEY for first, second in pairwise(parts)) else None


def _value(text: str, start: int, end: int, dialect: Dialect) -> tuple[int, int] | None:
    """Start and end of the value that the name at [start, end) is given, or None."""
    found = _TO_QUOTED.match(text, end)
    before = text[max(0, start - 24) : start]
    if not found and _IS_NAME.search(before):
        found = _TO_VALUE.match(text, end)
    if not found and _IS_GETENV.search(before):
        found = _TO_DEFAULT.match(text, end)
    if (
        not found
        and dialect is Dialect.DOCKER
        and _DOCKER_LINE.match(text, text.rfind("\n", max(0, start - 4000), start) + 1)
    ):
        found = _TO_DOCKER.match(text, end)
    if not found and dialect is not Dialect.CODE:
        found = _TO_BARE.match(text, end)
    if not found:
        return None
    group = next(group for group in ("quoted", "bare", "rest") if group in found.re.groupindex and found[group])
    return found.span(group)


def _judge(kind: Rule, name: str, value: str, start: int) -> Match | None:
    if is_placeholder(value) or value.strip("\"'") == name:
        return None
    end = start + len(value)
    if kind is PASSWORD:
        return Match(PASSWORD, "password-assignment", start, end, name, value) if looks_like_password(value) else None
    if not looks_random(value):
        return None
    if kind is CLOUD_KEY and len(value) == 40:  # the documented length of an AWS secret access key
        return Match(CLOUD_KEY, "aws-secret-access-key", start, end, name, value)
    return Match(GENERIC, "named-secret", start, end, name, value)
