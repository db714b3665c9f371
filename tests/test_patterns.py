"""Patterns that are compiled late match what `re`'s own do."""

from __future__ import annotations

import re

import pytest

from shipworthy.patterns import regex


def test_it_is_what_re_makes_of_it() -> None:
    late, early = regex(r"(?P<word>[a-z]+)-(\d)", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)-(\d)", re.IGNORECASE)
    text = "A-1, bc-2; d3"
    for name in ("match", "search", "fullmatch"):
        assert str(getattr(late, name)(text)) == str(getattr(early, name)(text))
        assert str(getattr(late, name)(text, 5)) == str(getattr(early, name)(text, 5))
    assert late.findall(text) == early.findall(text)
    assert late.split(text) == early.split(text)
    assert late.sub(r"\2", text) == early.sub(r"\2", text)
    assert [m["word"] for m in late.finditer(text)] == ["A", "bc"]
    assert (late.pattern, late.flags, late.groups) == (early.pattern, early.flags, early.groups)


def test_a_pattern_that_is_none_is_an_error_when_it_is_used() -> None:
    broken = regex("(")
    with pytest.raises(re.error):
        broken.match("")


def test_what_no_pattern_has_is_told_without_compiling_it() -> None:
    assert getattr(regex("("), "check", None) is None


def test_bytes() -> None:
    found = regex(rb"\0(.)", re.DOTALL).search(b"a\0b")
    assert found is not None
    assert found[1] == b"b"
