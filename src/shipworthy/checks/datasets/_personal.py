"""Recognise personal data in text: a pattern, then a checksum or rule that the number must satisfy.

Sources: ITU-T E.164, the North American Numbering Plan, and those of `shipworthy.checks._numbers`. Every pattern is
bounded and looks at a text once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shipworthy.checks._numbers import EMAIL, RESERVED, TEST_CARDS, card_valid, iban_valid, ssn_valid

_INTERNATIONAL = re.compile(r"(?<![\w+])\+[1-9](?:[ .()/-]{0,2}\d){7,14}(?!\d)", re.ASCII)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}(?![\w-])(?!\.\d)", re.ASCII
)
_BARE_PHONE = re.compile(r"(?<![\w.+-])\d(?:[ ./()-]{0,2}\d){8,13}(?![\w-])(?!\.\d)", re.ASCII)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}(?![a-z])", re.ASCII)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])(?!\.\d)", re.ASCII)
_SSN = re.compile(r"(?<![\w.-])(\d{3})([- ]?)(\d\d)\2(\d{4})(?![\w-])(?!\.\d)", re.ASCII)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])", re.ASCII)
_PASSPORT = re.compile(r"(?<![\w-])(?:[A-Z]{1,2}\d{6,8}|\d{9})(?![\w-])", re.ASCII)

_PHONE_WORD = re.compile(r"phone|mobile|\btel\b|\bcell\b|\bfax\b|telefon|whatsapp|phone_?number|msisdn", re.I)
_SSN_WORD = re.compile(r"\bssn\b|social.?security", re.I)
_PASSPORT_WORD = re.compile(r"passport|reisepass|passeport|pasaporte", re.I)
_VERSION_WORD = re.compile(r"(?:\bv|version|release|build|firmware|==)[\s:.=]{0,3}$", re.I)

_TEST_SSN = frozenset({"078051120", "219099999", "123456789"})


@dataclass(frozen=True)
class Match:
    """A value of a kind (email, phone, card, iban, ssn, passport, ip); `test` when it is reserved for examples."""

    kind: str
    text: str
    test: bool = False


def personal_data(text: str, column: str = "") -> tuple[list[Match], int]:
    """The personal data in a text, and how many numbers had the length of a card number (to judge chance hits).

    `column` is the column's name: it is context for numbers that look like many other things.
    """
    found: list[Match] = []
    candidates = 0
    if "@" in text:
        found += [Match("email", m[0], bool(RESERVED.search(m[1]))) for m in EMAIL.finditer(text)]
    few = sum(map(text.count, "0123456789")) < 6
    if few and text.count(":") < 2 and text.count(".") < 3 and not _IBAN.search(text):
        return found, 0
    taken: list[tuple[int, int]] = []

    def free(match: re.Match[str]) -> bool:
        return all(match.end() <= low or match.start() >= high for low, high in taken)

    for kind, match, test in _numbers(text, column):
        if kind == "digits":
            candidates += 1
        elif free(match):
            taken.append(match.span())
            found.append(Match(kind, match[0], test))
        if len(taken) > 200:  # enough to report; keeps a cell of a million numbers linear
            break
    return found, candidates


def _numbers(text: str, column: str) -> Iterator[tuple[str, re.Match[str], bool]]:
    """Candidates that satisfy their rule, the more specific kinds first; `digits` for each card-like number."""
    for match in _IBAN.finditer(text):
        if iban_valid(match[0]):
            yield "iban", match, False
    for match in _CARD.finditer(text):
        digits = _digits(match[0])
        yield "digits", match, False
        if card_valid(digits):
            yield "card", match, digits in TEST_CARDS
    for match in _SSN.finditer(text):
        if ssn_valid(match[1], match[3], match[4]) and (match[2] == "-" or _near(_SSN_WORD, text, match, column)):
            yield "ssn", match, match[1] + match[3] + match[4] in _TEST_SSN
    for match in _PASSPORT.finditer(text):
        if _near(_PASSPORT_WORD, text, match, column):
            yield "passport", match, False
    for match in _INTERNATIONAL.finditer(text):
        yield "phone", match, False
    for match in _NORTH_AMERICAN.finditer(text):
        yield "phone", match, _fictional(_digits(match[0]))
    for match in _BARE_PHONE.finditer(text):
        if _near(_PHONE_WORD, text, match, column):
            yield "phone", match, _fictional(_digits(match[0]))
    for match in _IPV4.finditer(text):
        if _public(match[0]) and not _VERSION_WORD.search(text, max(0, match.start() - 12), match.start()):
            yield "ip", match, False
    for match in _IPV6.finditer(text):
        if len(match[0]) > 6 and _public(match[0]):
            yield "ip", match, False


def _near(word: re.Pattern[str], text: str, match: re.Match[str], column: str) -> bool:
    """Whether the word is the column's name or stands just before the value."""
    return bool(word.search(column.replace("_", " ")) or word.search(text, max(0, match.start() - 30), match.start()))


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _fictional(digits: str) -> bool:
    """555-0100 to 555-0199 are kept for fiction in every North American area code."""
    return digits[-7:-2] == "55501"


def _public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False
