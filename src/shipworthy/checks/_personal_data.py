"""Personal data that has a form and, where there is one, a check digit: addresses, card, account and phone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from shipworthy.checks._numbers import EMAIL, RESERVED, TEST_CARDS, card_valid, iban_valid


@dataclass(frozen=True)
class Match:
    """What was found at [start, end) of the text; `redacted` shows its form and next to nothing of it."""

    kind: str
    start: int
    end: int
    redacted: str


# Every expression begins at something rare and is bounded, so that the time is linear in the text.
_CARD = re.compile(r"(?<![\d.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d-]|\.\d)")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}([ -])(?!00)\d\d\1(?!0000)\d{4}(?![\d-])")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
    r"|\([2-9]\d\d\) ?[2-9]\d\d[ .-]\d{4}|[2-9]\d\d([.-])[2-9]\d\d\1\d{4})(?![\w-]|\.\d)"
)

# Addresses that belong to nobody.
_NOBODY = re.compile(
    r"^(?:no-?reply|do-?not-?reply|git|hg|user|username|name|you|me|foo|bar)@|@users\.noreply\.github\.com$",
    re.IGNORECASE,
)


def find(text: str) -> Iterator[Match]:
    """E-mail addresses, card numbers (Luhn), US social security numbers, IBANs (mod 97) and phone numbers.

    Kinds: `email`, `card`, `ssn`, `iban`, `phone`. Reserved domains and published test numbers are left out; a number
    is found once, as the first kind of card, iban, ssn, phone that it fits.
    """
    taken = bytearray(len(text))
    if "@" in text:
        for found in EMAIL.finditer(text):
            if not RESERVED.search(found[1]) and not _NOBODY.search(found[0]):
                yield Match("email", *found.span(), f"{found[0][0]}…@… ({len(found[0])} characters)")
    for kind, pattern, valid in (
        ("iban", _IBAN, partial(iban_valid, whole=True)),
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
    """A card number that is not a published test number."""
    digits = re.sub(r"\D", "", number)
    return len(set(digits)) > 3 and digits not in TEST_CARDS and card_valid(digits)


def _is_phone(number: str) -> bool:
    return 9 <= sum(c.isdigit() for c in number) <= 15


def _always(_: str) -> bool:
    return True
