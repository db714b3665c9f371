"""Personal data that has a form and, where there is one, a check digit: addresses, card, account and phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """What was found at [start, end) of the text; `redacted` shows its form and next to nothing of it."""

    kind: str
    start: int
    end: int
    redacted: str


# Every expression begins at something rare and is bounded, so that the time is linear in the text.
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w+-](?:[\w.+-]{0,62}[\w+-])?@((?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24})(?![\w@-])", re.ASCII
)
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d-]|\.\d)")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}([ -])(?!00)\d\d\1(?!0000)\d{4}(?![\d-])")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d([.-])[2-9]\d\d\1\d{4})(?![\w-]|\.\d)"
)

# Domains that are set aside for documentation (RFC 2606, RFC 6761), and addresses that belong to nobody.
_RESERVED = re.compile(
    r"(?:.*\.)?(?:example(?:\.(?:com|net|org))?|test|invalid|localhost|local)|users\.noreply\.github\.com"
)
_NOBODY = re.compile(r"(?:no-?reply|do-?not-?reply|git|hg|user|username|name|you|me|foo|bar)@", re.IGNORECASE)
# The card numbers that payment providers print in their documentation.
_TEST_CARDS = frozenset(
    {
        "4111111111111111", "4242424242424242", "4012888888881881", "5555555555554444", "5105105105105100",
        "378282246310005", "371449635398431", "6011111111111117", "30569309025904", "3530111333300000",
    }
)  # fmt: skip
# Lengths from the IBAN registry (ISO 13616); a country that is not here is not matched.
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip


def find(text: str) -> Iterator[Match]:
    """E-mail addresses, card numbers (Luhn), US social security numbers, IBANs (mod 97) and phone numbers.

    Kinds: `email`, `card`, `ssn`, `iban`, `phone`. Reserved domains and published test numbers are left out; a number
    is found once, as the first kind of card, iban, ssn, phone that it fits.
    """
    taken = bytearray(len(text))
    if "@" in text:
        for found in _EMAIL.finditer(text):
            if not _RESERVED.fullmatch(found[1].lower()) and not _NOBODY.match(found[0]):
                yield Match("email", *found.span(), f"{found[0][0]}…@… ({len(found[0])} characters)")
    for kind, pattern, valid in (
        ("iban", _IBAN, is_iban),
        ("card", _CARD, is_card),
        ("ssn", _SSN, _always),
        ("phone", _PHONE, _is_phone),
    ):
        for found in pattern.finditer(text):
            start, end = found.span()
            if valid(found[0]) and not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                digits = sum(c.isalnum() for c in found[0])
                yield Match(kind, start, end, f"{kind} number ({digits} digits)")


def is_card(number: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1, annex B), 13 to 19 digits, and not a published test number."""
    digits = [int(c) for c in number if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) < 4 or "".join(map(str, digits)) in _TEST_CARDS:
        return False
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(number: str) -> bool:
    """The country's length, and ISO 7064 mod 97-10 over the number with its first four characters at the end."""
    plain = number.replace(" ", "")
    if len(plain) != _IBAN_LENGTHS.get(plain[:2]):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _is_phone(number: str) -> bool:
    return 9 <= sum(c.isdigit() for c in number) <= 15


def _always(_: str) -> bool:
    return True
