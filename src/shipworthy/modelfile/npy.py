"""NumPy's .npy: the header, the declared size against the bytes, object arrays as the pickles that they are.

Format: numpy/lib/format.py, versions 1.0 to 3.0. A .npz is a zip whose members are these.
"""

from __future__ import annotations

import re
from typing import Any

from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.pickles.arrays import item_size
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope

_HEADER = 1 << 20
_TOKEN = re.compile(r"\s*(?:'([^'\\\n]*)'|\"([^\"\\\n]*)\"|(-?\d{1,30})L?|(True|False|None)|([(){}\[\],:]))")
_DEPTH = 16


class _NotALiteralError(ValueError):
    pass


def read(scope: Scope) -> int:
    """Check the array; returns how many bytes are explained."""
    view = scope.view
    major = view.read(6, 1)
    wide = major in (b"\2", b"\3")
    size, start = (view.u32(8), 12) if wide else (view.u16(8), 10)
    if major not in (b"\1", b"\2", b"\3") or size > _HEADER or start + size > len(view):
        scope.issue(Code.BROKEN_STREAM, "medium", "the array's header is cut short or of an unknown version", 6)
        return len(view)
    try:
        header = parse(view.read(start, size).decode("utf-8" if major == b"\3" else "latin-1"))
    except ValueError:
        scope.issue(Code.BROKEN_STREAM, "medium", "the array's header is not a plain description", start)
        return len(view)
    data = start + size
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        scope.issue(Code.BROKEN_STREAM, "medium", "the array's header does not describe one array", start)
        return len(view)
    count, item = _count(header["shape"]), _item(header["descr"])
    if count is None:
        scope.issue(Code.BROKEN_STREAM, "high", "the array's shape is not a tuple of sizes", start)
    elif item is None:
        scope.unknown(f"the array's type {ascii(header['descr'])[:80]} is not known to this version")
    elif item == 0 and has_objects(header["descr"]):
        inner = scope.nested("objects", view.sub(data, len(view)), Role.FILE)
        pickles.walk_stream(inner, inner.view)
    elif count * item > len(view) - data:
        text = f"the array declares {count} elements of {item} bytes; only {len(view) - data} bytes follow"
        scope.issue(Code.BOMB if count * item > 1 << 40 else Code.BROKEN_STREAM, "high", text, start)
    elif count * item < len(view) - data:
        at = data + count * item
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{len(view) - at} bytes follow the array", at)
        scope.child(f"bytes at {at}", view.sub(at, len(view)), Role.TRAILER)
    return len(view)


def _count(shape: Any) -> int | None:
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        return None
    total = 1
    for size in shape[:64]:
        total *= size
    return total


def has_objects(descr: Any) -> bool:
    """Whether a type description holds Python objects anywhere: then the whole array is a pickle."""
    if isinstance(descr, str):
        return descr.lstrip("<>=|").startswith("O")
    return isinstance(descr, list) and any(has_objects(f[1]) for f in descr if isinstance(f, tuple) and len(f) > 1)


def _item(descr: Any, depth: int = 0) -> int | None:
    """Bytes per element; 0 for objects; None when not understood."""
    if isinstance(descr, str):
        return item_size(descr)
    if isinstance(descr, tuple) and len(descr) == 2 and depth < _DEPTH:
        return _times(_item(descr[0], depth + 1), descr[1])
    if not isinstance(descr, list) or depth >= _DEPTH:
        return None
    if has_objects(descr):
        return 0
    total = 0
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            return None
        size = _times(_item(field[1], depth + 1), field[2] if len(field) == 3 else ())
        if size is None:
            return None
        total += size
    return total


def _times(size: int | None, shape: Any) -> int | None:
    count = _count((shape,) if type(shape) is int else shape)
    return None if size is None or count is None else size * count


def parse(text: str) -> Any:
    """A literal of dicts, lists, tuples, texts, integers, booleans: what the header may hold, and nothing else.

    Raises ValueError.
    """
    value, at = _value(text, 0, 0)
    if text[at:].strip():
        raise _NotALiteralError("something follows the literal")
    return value


def _token(text: str, at: int) -> tuple[str, Any, int]:
    match = _TOKEN.match(text, at)
    if not match:
        raise _NotALiteralError("not a literal")
    single, double, number, word, mark = match.groups()
    if mark:
        return mark, None, match.end()
    if number:
        return "value", int(number), match.end()
    if word:
        return "value", {"True": True, "False": False, "None": None}[word], match.end()
    return "value", single if single is not None else double, match.end()


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > _DEPTH:
        raise _NotALiteralError("nested too deep")
    kind, value, at = _token(text, at)
    if kind == "value":
        return value, at
    if kind not in "({[":
        raise _NotALiteralError("not a literal")
    close = {"(": ")", "{": "}", "[": "]"}[kind]
    items: list[Any] = []
    comma = True
    while True:
        mark, _, after = _token(text, at)
        if mark == close:
            at = after
            break
        if not comma:
            raise _NotALiteralError("a comma is missing")
        item, at = _value(text, at, depth + 1)
        if kind == "{":
            mark, _, at = _token(text, at)
            if mark != ":" or not isinstance(item, str):
                raise _NotALiteralError("not a dict of names")
            content, at = _value(text, at, depth + 1)
            item = (item, content)
        items.append(item)
        mark, _, after = _token(text, at)
        comma = mark == ","
        at = after if comma else at
    if kind == "{":
        return dict(items), at
    return (tuple(items) if kind == "(" else items), at
