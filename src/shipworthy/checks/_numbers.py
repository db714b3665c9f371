"""Addresses and numbers that people are known by, and the checksum or rule that each must satisfy.

Sources: ISO 13616 (IBAN, mod 97 after ISO 7064), ISO/IEC 7812 (Luhn, issuer ranges), SSA rules for social security
numbers (no area 000, 666 or 900-999, no group 00, no serial 0000), RFC 2606, RFC 6761 and RFC 6762 (names reserved for
examples, tests and local networks).
"""

from __future__ import annotations

import re

EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9][\w.%+-]{0,63}@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24})(?![\w-])",
    re.ASCII,
)
RESERVED = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local|domain\.com)$", re.IGNORECASE
)
# Published by the card schemes and payment providers for tests.
TEST_CARDS = frozenset(
    """
4111111111111111 4242424242424242 4012888888881881 4222222222222 5555555555554444 5105105105105100 378282246310005
371449635398431 6011111111111117 6011000990139424 30569309025904 38520000023237 3530111333300000 3566002020360505
""".split()
)
# Country and length in characters, from the IBAN registry.
_IBAN_LENGTHS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27
GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27
MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23
TN24 TR26 UA29 VA22 VG24 XK20
"""


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


def iban_valid(text: str, *, whole: bool = False) -> bool:
    """Whether a text begins with (`whole`: is) an IBAN: the country's length, and the remainder of 1 modulo 97."""
    compact = text.replace(" ", "")
    at = _IBAN_LENGTHS.find(compact[:2])
    length = int(_IBAN_LENGTHS[at + 2 : at + 4]) if at >= 0 and compact[:2].isalpha() else 0
    fits = len(compact) == length if whole else len(compact) >= length
    if not (length and fits and compact.isascii() and compact.isalnum()):
        return False
    number = compact[4:length] + compact[:4]
    return int("".join(str(int(char, 36)) for char in number)) % 97 == 1


def ssn_valid(area: str, group: str, serial: str) -> bool:
    """Whether the three parts can be a US social security number."""
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
