"""Rules of the functions that `operator` makes: they take an item, an attribute, or call a method, of the user's data.

A transformer keeps one; what it looks up must be public, and a method one that only computes, whoever's it is
(`scripts/list_methods.py`): with `eval` or `to_pickle` the first prediction would run the file's text or write a file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shipworthy.modelfile.pickles.called import Call
from shipworthy.modelfile.pickles.literals import NotALiteralError
from shipworthy.modelfile.pickles.names import DOES_MORE
from shipworthy.modelfile.pickles.values import Bound, Made
from shipworthy.patterns import regex

_METHODS = Path(__file__).with_name("plain_methods.txt")
_ATTRIBUTE = regex(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*){0,5}")
_TEXT = regex(r"[\w ,.;:<>=+-]{0,40}")
_MANY = regex(r"\d{3}")  # `astype("U100000000")` allocates that much
_MOST = 10_000


@cache
def _methods() -> dict[str, bool]:
    """Method -> whether it may be given arguments."""
    lines = (line.split(" ") for line in _METHODS.read_text("utf-8").splitlines()[1:])
    return {name: not without for name, *without in lines}


def items(call: Call) -> str | None:
    """`itemgetter`: made from plain texts and numbers, harmless until it is called;
    a call of what is made while loading is a finding.
    """
    for index, slot in enumerate(call.args or ()):
        try:
            value = call.literal(index, 200)
        except NotALiteralError:
            return "what it looks up can't be seen" if not isinstance(slot, (Made, tuple)) else "it is given no text"
        if isinstance(value, str) and "__" in value:
            return "it looks up a name of Python's own"
    return None if call.args is not None else "what it looks up can't be seen"


def attributes(call: Call) -> str | None:
    """`attrgetter`: the names of public attributes, none of which sounds as if it did more than to give a value."""
    if not call.args:
        return "what it looks up can't be seen"
    for index in range(len(call.args)):
        try:
            value = call.literal(index, 200)
        except NotALiteralError:
            return "what it looks up can't be seen"
        if not isinstance(value, str) or not _ATTRIBUTE.fullmatch(value):
            return "it looks up what is no public attribute"
        if any(DOES_MORE.search(part) for part in value.split(".")):
            return f"it looks up {value}, which does more than to give a value"
    call.result = Made(call.callee, Bound(call.callee, None))  # a call of it while loading is refused above
    return None


def method(call: Call) -> str | None:
    """`methodcaller`: the name of a method that only computes, with short texts and small numbers."""
    try:
        name, *given = [call.literal(index, 200) for index in range(len(call.args or ()))]
    except (NotALiteralError, ValueError):
        return "the method that it calls, or what with, can't be seen"
    takes = _methods().get(name) if isinstance(name, str) else None
    if takes is None or (given and not takes):
        return "it calls a method that is not known to compute only, on whatever data it is given"
    for value in given:
        short = _TEXT.fullmatch(value) and not _MANY.search(value) if isinstance(value, str) else True
        small = abs(value) <= _MOST if isinstance(value, (int, float)) else value is None or isinstance(value, str)
        if not short or not small:
            return "it calls a method with more than a short text or a small number"
    call.result = Made(call.callee, Bound(call.callee, None))
    return None
