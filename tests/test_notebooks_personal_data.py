"""Personal data by form and check digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.checks._numbers import iban_valid
from shipworthy.checks._personal_data import find, is_card


def luhn(body: str) -> str:
    """The body with its check digit, computed another way: by trying."""
    return next(body + str(d) for d in range(10) if is_card(body + str(d)))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail jane.doe+x@mail.acme.io, and", ["email"]),
        ("<td>j@acme.io</td>", ["email"]),
        ("x@example.com a@b.test noreply@acme.io git@github.com:a/b.git a@b", []),
        ("4539 5787 6362 1486", ["card"]),
        ("1,4539578763621486,2", ["card"]),
        ("4539 5787 6362 1487", []),
        ("4242424242424242 4111 1111 1111 1111", []),
        ("0.4539578763621486 1.4539578763621486e5 x-4539578763621486", []),
        ("SSN 078-05-1120 078 05 1120", ["ssn", "ssn"]),
        ("000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000 123-45 6789", []),
        ("DE89370400440532013000 GB82 WEST 1234 5698 7654 32", ["iban", "iban"]),
        ("DE89370400440532013001 XX89370400440532013000", []),
        ("+1 415 555 2671, (415) 555-2671 or 415.555.2671; +49 30 901820", ["phone"] * 4),
        ("2026-11-22 10:20:30 1.5e+10 192.168.100.200 3.14159265 12345 100-200-3000", []),
    ],
)
def test_what_is_and_what_is_not(text: str, kinds: list[str]) -> None:
    assert [match.kind for match in find(text)] == kinds


@given(st.text() | st.text("0123456789 .-+()@a,DEGB", max_size=300))
def test_any_text_gives_places_in_it_that_are_shown_as_next_to_nothing(text: str) -> None:
    for match in find(text):
        whole = text[match.start : match.end]
        assert len(whole) >= 6
        assert whole not in match.redacted


@given(st.text("0123456789", min_size=14, max_size=14))
def test_one_wrong_digit_breaks_the_check(digits: str) -> None:
    try:
        number = luhn("4" + digits)
    except StopIteration:
        return  # too few different digits, or a published test number
    for position in range(1, len(number)):
        wrong = number[:position] + str((int(number[position]) + 1) % 10) + number[position + 1 :]
        assert not is_card(wrong)
    assert not iban_valid(number)
