"""Recognise personal data in text: a pattern, then a checksum or rule that the number must satisfy.

Sources: ISO 13616 (IBAN, mod 97 after ISO 7064), ISO/IEC 7812 (Luhn, issuer ranges), SSA rules for social security
numbers (no area 000, 666 or 900-999, no group 00, no serial 0000), ITU-T E.164, the North American Numbering Plan,
RFC 2606 and RFC 6761 (names reserved for examples and tests). Every pattern is bounded and looks at a text once.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

_EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9][\w.%+-]{0,63}@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24})(?![\w-])",
    re.ASCII,
)
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

_TEST_DOMAIN = re.compile(r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|domain\.com)$", re.I)
_TEST_SSN = frozenset({"078051120", "219099999", "123456789"})
# Published by the card schemes and payment providers for tests.
_TEST_CARDS = """
4111111111111111 4242424242424242 4012888888881881 4222222222222 5555555555554444 5105105105105100 378282246310005
371449635398431 6011111111111117 6011000990139424 30569309025904 38520000023237 3530111333300000 3566002020360505
"""
# Country and length in characters, from the IBAN registry.
_IBAN_LENGTHS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27
GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27
MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23
TN24 TR26 UA29 VA22 VG24 XK20
"""


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
        found += [Match("email", m[0], bool(_TEST_DOMAIN.search(m[1]))) for m in _EMAIL.finditer(text)]
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
            yield "card", match, digits in _TEST_CARDS.split()
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


def luhn_valid(digits: str) -> bool:
    """The Luhn check (ISO/IEC 7812-1, annex B) on a text of ASCII digits."""
    total = 0
    for index, char in enumerate(reversed(digits)):
        value = int(char) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return bool(digits) and total % 10 == 0


def card_valid(digits: str) -> bool:
    """Whether digits are a payment card number: an issuer's range and length, and the Luhn check."""
    n = len(digits)
    if not 13 <= n <= 19 or len(set(digits)) < 2:
        return False
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    known = (
        (digits[0] == "4" and n in (13, 16, 19))
        or (n == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
        or (n == 15 and two in (34, 37))
        or (16 <= n <= 19 and (four == 6011 or two in (62, 65) or 644 <= three <= 649))
        or (n == 14 and (300 <= three <= 305 or two in (36, 38, 39)))
        or (n == 16 and 3528 <= four <= 3589)
    )
    return known and luhn_valid(digits)


def iban_valid(text: str) -> bool:
    """Whether a text begins with an IBAN: the country's length, and the remainder of 1 modulo 97."""
    compact = text.replace(" ", "")
    at = _IBAN_LENGTHS.find(compact[:2])
    length = int(_IBAN_LENGTHS[at + 2 : at + 4]) if at >= 0 and compact[:2].isalpha() else 0
    if not length or len(compact) < length or not (compact.isascii() and compact.isalnum()):
        return False
    number = compact[4:length] + compact[:4]
    return int("".join(str(int(char, 36)) for char in number)) % 97 == 1


def ssn_valid(area: str, group: str, serial: str) -> bool:
    """Whether the three parts can be a US social security number."""
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
