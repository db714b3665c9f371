"""Formulas in a state. The `__setstate__` of statsmodels' data has patsy or formulaic evaluate the text, as Python; a
specification of formulaic, as lifelines keeps one, holds terms that it evaluates when the model is used.

Both take any expression for a term, so only what formulas are made of is let through: names, numbers, operators, and
calls of the transformations that the two libraries and numpy offer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shipworthy.modelfile.pickles import shadows
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.values import HIDDEN, OPAQUE, TERM, Chunk, Made
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex

_LENGTH = 1 << 14
_RESTORED = ("restore_design_info", "restore_model_spec")
_TABLES = frozenset(("pandas.core.frame:DataFrame", "pandas.core.series:Series", "pandas:DataFrame", "pandas:Series"))
_CALLS = frozenset(
    "C I Q bs cr cc cs te center standardize scale poly Treatment Sum Poly Helmert Diff "
    "log log2 log10 exp sqrt abs".split()
)
_NUMPY = frozenset(
    "log log1p log2 log10 exp expm1 sqrt cbrt abs absolute square power sign sin cos tan tanh sinh cosh arctan floor "
    "ceil round maximum minimum clip where isnan".split()
)
_WORDS = frozenset("lambda for if else in is not and or await yield import".split())
# One token: a name that is called, another name, a text as an argument, a quoted name, a small power, a number, an
# operator. What a call or a value returns is never called.
_TOKEN = regex(
    r"(?:np|numpy)\.(?P<function>\w+)(?=\()|(?P<call>[^\W\d]\w*)(?=\()|(?P<name>[^\W\d]\w*)(?![\w.('\"])|\s"
    r"|(?<=[(,=])(?:'[^'\\\n]{0,99}'|\"[^\"\\\n]{0,99}\")(?=[,)])|`[^`\n]{1,99}`(?!\()"
    r"|\*\*-?[0-5](?:\.\d{1,3})?(?![\w.(])(?!\*\*)|\d{1,9}(?:\.\d{0,17})?(?![\w.(])|\)(?!\()|\*(?!\*)|[-+/:^~|(,=<>!&]"
)
_SPACE = regex(r" ?([^\w\s]) ?")
_LARGE = regex(r"[=,]\d{4}")


_PURE = frozenset("abs min max round len sum float int bool str".split())


def wrong_terms(buffer: Buffer, items: list[Any], read: Callable[[Any], str]) -> bool:
    """Whether among keys and values is a text that may be a term of a formula, and calls more than those do."""
    for key, value in zip(items[::2], items[1::2], strict=False):
        computed = isinstance(key, Made) and shadows.is_text(key)
        if not computed and read(key) != TERM.decode():
            continue
        if value.__class__ is int and value > 0:
            wrong = _is_wrong(buffer, value)
        else:
            wrong = value == OPAQUE or (isinstance(value, Made) and shadows.is_text(value))
        if wrong:
            return True
    return any(item.__class__ is Chunk and buffer.find(TERM, item.start, item.end) >= 0 for item in items)


def _is_wrong(buffer: Buffer, slot: int) -> bool:
    """Whether a literal, taken for a factor of formulaic, would call more than the functions of formulas. A column's
    name may be any text: what is no expression of Python, or calls nothing, is one. The names of an expression are
    columns, transformations, or Python's own functions; what a column holds can't be called.
    """
    try:
        text = decode(buffer, slot, _LENGTH)
    except NotALiteralError:
        return True
    if not isinstance(text, str) or "(" not in text:
        return False
    return not harmless(text) and ("`" in text or _calls(text))


def _calls(text: str) -> bool:
    import ast

    try:
        nodes = list(ast.walk(ast.parse(text.strip(), mode="eval")))
    except (RecursionError, MemoryError):
        return True
    except (SyntaxError, ValueError):
        return False
    hidden = any(isinstance(node, ast.Attribute) and node.attr.startswith("_") for node in nodes)
    return hidden or any(isinstance(node, ast.Call) and _does_more(node.func) for node in nodes)


def _does_more(called: Any) -> bool:
    import ast
    import builtins

    if isinstance(called, ast.Name):
        return called.id not in _PURE and hasattr(builtins, called.id)
    owner = called.value if isinstance(called, ast.Attribute) else None
    return not (isinstance(owner, ast.Name) and owner.id in ("np", "numpy") and called.attr in _NUMPY)


def in_state(buffer: Buffer, state: Any) -> str | None:
    """What is wrong with the state of an object that restores its formula."""
    if not isinstance(state, dict) or HIDDEN in state:
        return "the state can't be seen"
    if not any(key in state for key in _RESTORED):
        return None
    slot = state.get("formula")
    try:
        text = decode(buffer, slot, _LENGTH) if isinstance(slot, int) and slot > 0 else None
    except NotALiteralError:
        text = None
    if not isinstance(text, str):
        return "the formula can't be seen"
    if not harmless(text):
        return "the formula calls more than the transformations that formulas are made of"
    tables = ["frame"] if "frame" in state else ["orig_endog", "orig_exog"]
    return None if all(_is_table(state.get(key)) for key in tables) else "the formula's names may stand for functions"


def _is_table(value: Any) -> bool:
    """A frame of pandas: what its columns hold is a series, which can't be called. A dictionary could hold `C`."""
    return isinstance(value, Made) and value.maker is not None and value.maker.mapped in _TABLES


def harmless(text: str) -> bool:
    """Whether a formula computes only."""
    text = _SPACE.sub(r"\1", " ".join(text.split()))
    if len(text) > _LENGTH or "__" in text or _LARGE.search(text):
        return False
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.end() == at:
            return False
        at = token.end()
        if token["call"] and token["call"] not in _CALLS:
            return False
        if token["function"] and token["function"] not in _NUMPY:
            return False
        if token["name"] in _WORDS:
            return False
    return True
