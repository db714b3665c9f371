"""Rules of functions and classes that are given plain values: they store or convert them."""

from __future__ import annotations

import math
import re
from typing import Any

from shipworthy.modelfile.pickles.called import ALLOCATION, Call, flat, is_type
from shipworthy.modelfile.pickles.contents import TREE, almost_empty
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.values import (
    BYTES_COUNTED,
    LIST,
    TEXT_COUNTED,
    TUPLE,
    Bound,
    Global,
    Made,
    Storage,
    let_go,
)
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex

HUGE = "huge"  # what is known of a range that is too long to be counted out
_COUNTED_OUT = 1 << 22
_NUMBER = 2000
_EXPONENT = 10_000
_TEXT = 1 << 16
_SIZE = 1 << 24
_REPEATED = 1 << 38  # numbers: a terabyte
_COMPILED = ("sklearn", "hdbscan", "river", "_loss", "_hnsw", "pynndescent")
_CODECS = frozenset(("latin1", "ascii", "utf8", "iso88591"))
_FRACTION = regex(r"[-+]?\d{1,4000}(?:\.\d{1,4000}|/\d{1,4000})?")
_ZONE = regex(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,3}")
_HELD = frozenset(
    ("builtins:Ellipsis", "builtins:NotImplemented", "__builtin__:Ellipsis", "__builtin__:NotImplemented")
)


def data(call: Call) -> str | None:
    """Plain values only: no function, nothing that can be called once it is made, and no object of another library's
    class: to ask it for its content would run its methods with the state that the file gave it.
    """
    buffer = call.buffer
    for slot in flat(call.args or ()):
        if slot.__class__ is int and slot > 0 and buffer[slot - 1] not in b"\x8bLI":  # as nearly all
            continue
        if isinstance(slot, Global) and not is_type(slot):
            return f"it is given {slot.key}, which is no plain value"
        if slot.__class__ is int and let_go(slot):
            return "it is given tuples within tuples, and to look at all of them could take forever"
        if isinstance(slot, int) and slot > 0 and _long_number(call.buffer, slot):
            return "it is given a number of thousands of digits, which could take forever"
        if not isinstance(slot, Made):
            continue
        if isinstance(slot.detail, Bound):
            return "it is given a function"
        if slot.detail is HUGE:
            return "it is given a huge range or number to count out"
        maker = slot.maker
        if maker is None or maker.standing.kind is Kind.VALUED or _library(maker) == _library(call.callee):
            continue
        if maker.standing.is_class or maker.standing.kind is Kind.SOURCED:
            return f"it asks an object of {maker.key} for its content, which runs that object's methods"
    return None


def _library(item: Global) -> str:
    return item.mapped.partition(":")[0].partition(".")[0]


def _long_number(buffer: Buffer, slot: int) -> bool:
    """An integer of more than 2,000 bytes."""
    op = buffer[slot - 1]
    if op == 0x8B:
        return int.from_bytes(buffer[slot : slot + 4], "little") > _NUMBER
    return op in b"LI" and buffer.find(b"\n", slot, slot + _NUMBER) < 0


def convert(call: Call) -> str | None:
    """Python's plain types."""
    return data(call)


def stored(call: Call) -> str | None:
    """A class of the table that stores its arguments: what it may look through for long is kept from it."""
    args = call.args or ()
    compiled = call.callee.mapped.startswith(_COMPILED)
    if call.callee.mapped == TREE:
        call.makes = args  # its state is compared with them
    for slot in flat(args):
        if not isinstance(slot, int) or slot <= 0:
            continue
        if call.buffer[slot - 1] in b"X\x8dV":
            try:
                decode(call.buffer, slot, _TEXT)
            except NotALiteralError:
                return "it is given a longer text than honest files do"
        elif compiled and call.buffer[slot - 1] in b"JLI\x8a":
            try:
                number = decode(call.buffer, slot, 64)
            except NotALiteralError:
                number = _SIZE + 1
            if isinstance(number, int) and number > _SIZE:
                return "it is given a huge number, which it could take for a size"
    if compiled and call.args is None:
        return "its arguments can't be seen"
    if len(args) > 1 and isinstance(args[0], int) and args[0] > 0 and call.buffer[args[0] - 1] in BYTES_COUNTED:
        codec = isinstance(args[1], int) and args[1] > 0 and call.buffer[args[1] - 1] in TEXT_COUNTED
        wrong = _codec(call) if codec else None  # so does a kind of text take it
        if wrong:
            return wrong
    return data(call)


def described(call: Call) -> str | None:
    """`pyarrow.lib._restore_array((type, length, ...))` takes what it is given for its own tuple of buffers."""
    if call.args is None or len(call.args) != 1:
        return "its argument can't be seen"
    slot = call.args[0]
    return data(call) if isinstance(slot, tuple) or slot == TUPLE else "it is not given the parts of an array"


def literals(call: Call) -> str | None:
    """Numbers: what is made of another object's content may take forever (`int(Decimal("1e999999999"))`)."""
    if call.args is None:
        return "its arguments can't be seen"
    for index in range(len(call.args)):
        try:
            call.literal(index)
        except NotALiteralError:
            return "it is given something else than a short text or number"
    return None


def decimal(call: Call) -> str | None:
    """A decimal number costs nothing; what makes an integer of one with a huge exponent computes the power of ten."""
    wrong = literals(call)
    value = call.literal(0) if call.args and not wrong else 0
    exponent = re.search(r"[eE][+-]?(\d+)", value) if isinstance(value, str) else None
    if exponent and int(exponent[1][:9]) > _EXPONENT:
        call.makes = HUGE
    return wrong


def fraction(call: Call) -> str | None:
    """`Fraction("1e999999999")` computes the power of ten."""
    wrong = literals(call)
    for index in range(len(call.args or ()) if not wrong else 0):
        value = call.literal(index)
        if isinstance(value, str) and not _FRACTION.fullmatch(value.strip()):
            return "its text is no plain fraction"
    return wrong


def from_buffer(call: Call) -> str | None:
    """`_frombuffer(bytes, type, shape, order)`."""
    call.makes = call.args
    return data(call)


def texts(call: Call) -> str | None:
    """`str(bytes, codec)`: a codec is a module that is imported, and some take forever."""
    if call.args is None:
        return "its arguments can't be seen"
    return literals(call) if len(call.args) < 2 else _codec(call)


def span(call: Call) -> str | None:
    """`range` itself costs nothing; what counts it out does."""
    wrong = literals(call)
    if wrong or not call.args:
        return wrong
    try:
        numbers = range(*(int(call.literal(index, 64)) for index in range(len(call.args))))
        call.makes = HUGE if len(numbers) > _COUNTED_OUT else None
    except OverflowError:
        call.makes = HUGE
    except (TypeError, ValueError):
        return None  # the loader raises
    return None


def iterator(call: Call) -> str | None:
    """`iter` of a list, a tuple or a range; a second argument, or another object, would be called."""
    slot = call.args[0] if call.args is not None and len(call.args) == 1 else None
    ranged = isinstance(slot, Made) and slot.maker is not None and slot.maker.mapped == "builtins:range"
    if ranged and isinstance(slot, Made):
        call.makes = slot.detail
        return None
    return None if isinstance(slot, tuple) or slot in (LIST, TUPLE) else "it goes through what can't be seen"


def endless(call: Call) -> str | None:
    """`itertools.cycle` of an iterator: nothing may count it out."""
    slot = call.args[0] if call.args is not None and len(call.args) == 1 else None
    call.makes = HUGE
    known = isinstance(slot, Made) and slot.maker is not None and slot.maker.mapped == "builtins:iter"
    return None if known else "it goes through what can't be seen"


def zone(call: Call) -> str | None:
    """A time zone's name: its file, and a package of that name, are looked for."""
    if not call.args:
        return None if call.args == () else "its arguments can't be seen"
    try:
        value = call.literal(0, 200)
    except NotALiteralError:
        return "the zone's name can't be seen"
    return None if isinstance(value, str) and _ZONE.fullmatch(value) else "its text is no name of a time zone"


def reference(_call: Call) -> str | None:
    """Never called."""
    return "it is no function of honest files"


def empty(call: Call) -> str | None:
    """Created without arguments."""
    return None if call.args == () else "honest files create it without arguments"


def one(call: Call) -> str | None:
    """`type(None)` is honest; `type(name, bases, namespace)` makes a class, `type(object)` gives one to be changed."""
    if call.args is None or len(call.args) != 1:
        return "with more than one argument it makes a class"
    slot = call.args[0]
    if isinstance(slot, Global) and slot.key in _HELD:
        return None
    try:
        return None if call.literal(0) is None else "it gives the class of a value"
    except NotALiteralError:
        return "it gives the class of an object, which could be changed"


def sized(call: Call) -> str | None:
    """`bytes(n)` and `bytearray(n)` allocate n bytes; `bytes(text, codec)` imports the codec."""
    if call.args is None:
        return "its arguments can't be seen"
    if len(call.args) > 1:
        return encode(call)
    call.makes = call.args[0] if call.args else ()
    try:
        size = call.literal(0)
    except NotALiteralError:
        return data(call)
    return "it allocates a huge buffer" if isinstance(size, int) and size > ALLOCATION else None


def allocate(call: Call) -> str | None:
    """An array of a literal shape, and perhaps a type. A buffer or strides would be another reading of memory."""
    if call.args is None or len(call.args) > 2:
        return "honest files give it a shape and a type only"
    size = 8
    if len(call.args) == 2:
        kind = call.args[1]
        text = kind.detail if isinstance(kind, Made) else None
        if isinstance(kind, int) and kind > 0:
            try:
                text = call.literal(1)
            except NotALiteralError:
                return "its type can't be seen"
        if isinstance(text, str):
            size = max(8, int("".join(re.findall(r"\d", text.partition("[")[0]))[:12] or 0) * 4)
    return shape_of(call.buffer, call.args[0], size) if call.args else None


def tensor(call: Call) -> str | None:
    """`_rebuild_tensor(storage, offset, size, stride...)`: beyond its storage torch enlarges that, or reads what is not
    its own. Known only of storages that the file names with their length.
    """
    if call.args is None or len(call.args) < 4:
        return "its arguments can't be seen"
    storage = call.args[0].detail if isinstance(call.args[0], Made) else None
    call.makes = call.args[2]
    if math.prod(_numbers(call.buffer, call.args[2]) or (0,)) > _REPEATED:
        return "it repeats its numbers in a huge tensor, which takes all memory once it is copied"
    if not isinstance(storage, Storage) or storage.elements < 0:
        return None
    try:
        last = int(call.literal(1, 64))
    except (NotALiteralError, TypeError, ValueError):
        return "where it begins can't be seen"
    sizes, strides = _numbers(call.buffer, call.args[2]), _numbers(call.buffer, call.args[3])
    if sizes is None or strides is None or len(sizes) != len(strides):
        return "its shape can't be seen"
    if min(last, *sizes, *strides, 0) < 0:
        return "its shape is negative"
    last += sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    return "it reads beyond its storage" if 0 not in sizes and last >= storage.elements else None


def sparse_tensor(call: Call) -> str | None:
    """`_rebuild_sparse_tensor(layout, (indices, values, size, ...))`."""
    parts = call.args[1] if call.args is not None and len(call.args) == 2 else None
    if isinstance(parts, tuple) and len(parts) > 2 and isinstance(parts[2], Made):
        sizes = _numbers(call.buffer, parts[2].detail)
        held = _numbers(call.buffer, parts[1].detail) if isinstance(parts[1], Made) else None
        if sizes and held and almost_empty(sizes, held[0]):
            return "it is an almost empty tensor of a huge shape, which takes all memory once it is written out"
    return data(call)


def shape(call: Call) -> str | None:
    """`torch.Size((2, 3))`."""
    call.makes = call.args[0] if call.args and isinstance(call.args[0], tuple) else None
    return data(call)


def _numbers(buffer: Buffer, slot: Any) -> list[int] | None:
    found = []
    for part in slot if isinstance(slot, tuple) else (0,):
        try:
            number = decode(buffer, part, 64) if isinstance(part, int) and part > 0 else None
        except NotALiteralError:
            return None
        if not isinstance(number, int):
            return None
        found.append(number)
    return found


def shape_of(buffer: Buffer, shape: Any, size: int = 8) -> str | None:
    """What is wrong with a slot as the shape of a new array with elements of `size` bytes."""
    total = size
    for slot in shape if isinstance(shape, tuple) else (shape,):
        try:
            number = decode(buffer, slot, 64) if isinstance(slot, int) and slot > 0 else None
        except NotALiteralError:
            number = None
        if not isinstance(number, int):
            return "the shape of the array is not a tuple of numbers"
        total *= number
    return "it allocates a huge array" if total > ALLOCATION else None


def encode(call: Call) -> str | None:
    """`_codecs.encode(text, 'latin1')` is how protocols 0 to 2 write bytes."""
    wrong = _codec(call)
    if not wrong and call.args and isinstance(call.args[0], int) and call.args[0] > 0:
        call.makes = call.args[0]
    return wrong


def _codec(call: Call) -> str | None:
    try:
        codec = call.literal(1) if call.args is not None and len(call.args) > 1 else "utf-8"
    except NotALiteralError:
        return "its codec can't be seen"
    if str(codec).lower().replace("-", "").replace("_", "") not in _CODECS:
        return "its codec is not one that honest files use"
    return None if call.args is not None else "its arguments can't be seen"


def dtype(call: Call) -> str | None:
    """`numpy.dtype(description, align, copy)`; the description is kept: joblib's arrays need its size."""
    try:
        call.makes = str(call.literal(0))
    except NotALiteralError:
        call.makes = None
    return None


def scalar(call: Call) -> str | None:
    """`numpy.scalar(dtype, bytes)`: a text of Python's own names would be an attribute's name in disguise."""
    try:
        raw = call.literal(1)
    except NotALiteralError:
        return None
    hidden = isinstance(raw, (bytes, str)) and "__" in (
        raw.decode("latin-1") if isinstance(raw, bytes) else raw
    ).replace("\0", "")
    kind = call.args[0] if call.args else None
    return "it spells a name of Python's own" if hidden and isinstance(kind, Made) and "U" in str(kind.detail) else None
