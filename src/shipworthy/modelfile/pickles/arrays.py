"""joblib writes an array's raw bytes into the middle of the pickle, behind a wrapper object that describes them.

joblib reads the wrapper's state, then the bytes, then goes on with the pickle. A plain unpickler would take the same
bytes for opcodes, so they are looked at under both readings.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.values import COUNTED, FIXED, Global, Made
from shipworthy.modelfile.report import Code
from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.modelfile.pickles.stack import Stack

LAYOUT = 1024  # letters that tell of the fields of a record
_TYPE = regex(rf"[<>=|]?([?a-zA-Z])(\d*)(?:\[[^\]]{{0,{LAYOUT}}}\])?")
_NAME = regex(rb"[A-Za-z_][\w.]{0,200}")
_TEXTS = ("numpy.dtypes:StringDType", "numpy._core._internal:_convert_to_stringdtype_kwargs")
_PROBE_TOKENS = 200_000
_SIZES = {
    "?": 1,
    "b": 1,
    "B": 1,
    "h": 2,
    "H": 2,
    "i": 4,
    "I": 4,
    "l": 8,
    "L": 8,
    "q": 8,
    "Q": 8,
    "e": 2,
    "f": 4,
    "d": 8,
}


# scikit-learn brought its own joblib until 0.22
_WRAPPERS = ("joblib.numpy_pickle:NumpyArrayWrapper", "sklearn.externals.joblib.numpy_pickle:NumpyArrayWrapper")


def is_wrapper(value: Any) -> bool:
    """An empty `NumpyArrayWrapper` that waits for its state."""
    return (
        isinstance(value, Made) and value.maker is not None and value.maker.mapped in _WRAPPERS and value.detail is None
    )


@lru_cache(maxsize=1024)
def item_size(description: str) -> int | None:
    """Bytes per element of a numpy type string, 0 for object arrays, None when it is not understood."""
    match = _TYPE.fullmatch(description)
    if not match:
        return None
    letter, digits = match.groups()
    if letter == "O":
        return 0
    if not digits:
        return _SIZES.get(letter)
    size = int(digits[:18])
    return size * 4 if letter == "U" else size


def skip(machine: Stack, at: int, state: Any) -> int:
    """Where the pickle goes on behind the array that `state` describes. Raises Broken."""
    from shipworthy.modelfile.pickles.stack import BrokenError

    wrapper = machine.stack[-1]
    wrapper.detail = "read"
    machine.stack[-1] = Made(wrapper.maker, "array")
    if machine.frame_end == at:
        machine.frame_end = 0  # joblib ends the frame, then writes the array
    if not isinstance(state, dict):
        raise BrokenError("an array's description can't be read")
    kind = state.get("dtype")
    text = kind.detail if isinstance(kind, Made) and isinstance(kind.detail, str) else None
    size = item_size(text) if text is not None else None
    count = _count(machine, state.get("shape"))
    if isinstance(kind, Made) and kind.maker is not None and kind.maker.mapped in _TEXTS:
        return _object_array(machine, at)
    if size is None or count is None:
        raise BrokenError("an array's description can't be read")
    if size == 0 and text is not None and "O" in text:
        return _object_array(machine, at)
    if _padded(machine, state.get("numpy_array_alignment_bytes")):
        at += 1 + (machine.buffer[at] if at < machine.end else 0)
    end = at + size * count
    if end > machine.end:
        raise BrokenError(f"an array declares {size * count} bytes, more than there are")
    machine.stack[-1].detail = (text, state.get("shape"), at)
    probe(machine, at, end)
    return end


def _object_array(machine: Stack, at: int) -> int:
    from shipworthy.modelfile.pickles.machine import Machine
    from shipworthy.modelfile.pickles.stack import BrokenError

    inner = Machine(machine.buffer, at, machine.end, machine.policy)
    inner.plain = True  # joblib reads it with the plain unpickler
    inner.run()
    for key, item in inner.globals.items():
        item.cell = 0  # its place was in the inner machine's table of objects
        machine.globals.setdefault(key, item)
    machine.blobs.update(inner.blobs)
    machine.inner.update(inner.inner)
    machine.models.update(inner.models)
    machine.frames.update(inner.frames)
    machine.executed += inner.executed
    if inner.broken:
        raise BrokenError(inner.broken)
    return inner.position


def _count(machine: Stack, shape: Any) -> int | None:
    if not isinstance(shape, tuple):
        return None
    total = 1
    for slot in shape:
        try:
            value = decode(machine.buffer, slot, 64) if isinstance(slot, int) and slot > 0 else None
        except NotALiteralError:
            return None
        if not isinstance(value, int) or value < 0:
            return None
        total *= value
        if total >> 62:
            return None
    return total


def _padded(machine: Stack, slot: Any) -> bool:
    if not isinstance(slot, int) or slot <= 0:
        return False
    return decode(machine.buffer, slot, 64) is not None


def probe(machine: Stack, at: int, end: int) -> None:
    """Read array bytes as opcodes, as an unpickler other than joblib's would: an import among them is a finding."""
    buffer, texts = machine.buffer, 0
    for _ in range(_PROBE_TOKENS):
        if at >= end:
            return
        op = buffer[at]
        if op in (0x63, 0x69):
            first = buffer.find(b"\n", at, min(end, at + 400))
            second = buffer.find(b"\n", first + 1, min(end, first + 400)) if first > 0 else -1
            if second < 0 or not all(map(_NAME.fullmatch, (buffer[at + 1 : first], buffer[first + 1 : second]))):
                return
            found = Global(buffer[at + 1 : first].decode(), buffer[first + 1 : second].decode(), at, None, "")
            _hidden(machine, at, found.key)
            return
        if op == 0x93:
            if texts >= 2:
                _hidden(machine, at, "")
            return
        if op in (0x82, 0x83, 0x84) and texts:
            return
        step = _step(machine, at, end)
        if not step:
            return
        texts = texts + 1 if op in COUNTED or op in (0x68, 0x6A) else texts
        at += step
    machine.issue(Code.HIDDEN_PAYLOAD, "medium", "the bytes of an array read as a long run of pickle instructions")


def _hidden(machine: Stack, at: int, name: str) -> None:
    message = "the bytes of an array are pickle instructions that import a name: another loader than joblib runs them"
    machine.position = at
    machine.issue(Code.HIDDEN_PAYLOAD, "high", message, name)


def _step(machine: Stack, at: int, end: int) -> int:
    """The length of the instruction at `at`; 0 when it is none."""
    op = machine.buffer[at]
    if FIXED[op]:
        return FIXED[op]
    if op in COUNTED:
        size = int.from_bytes(machine.buffer[at + 1 : at + 1 + COUNTED[op]], "little")
        step = 1 + COUNTED[op] + size
        return step if at + step <= end else 0
    if op in b"(]})0\x85\x86\x87\x94tlduesab\x8f\x90\x91" or op in (0x52, 0x81, 0x92, 0x6F, 0x31, 0x32):
        return 1
    if op in (0x68, 0x71, 0x80):
        return 2
    if op in (0x6A, 0x72):
        return 5
    if op == 0x95:
        return 9
    return 0
