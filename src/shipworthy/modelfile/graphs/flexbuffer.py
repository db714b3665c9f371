"""As much of the FlexBuffers format as TensorFlow Lite's Flex delegate uses: a vector of a name and a NodeDef.

https://flatbuffers.dev/flexbuffers; tensorflow/lite/delegates/flex/kernel.cc reads the vector's second element.
"""

from __future__ import annotations

from shipworthy.modelfile.view import View

_VECTOR, _STRING, _BLOB = 10, 5, 25


def flex_node(view: View, low: int, size: int) -> tuple[int, int] | None:
    """Where the NodeDef lies, or None when the bytes are something else."""
    if size < 3:
        return None
    end = low + size
    tail = view.read(end - 2, 2)
    kind, width = tail[0] >> 2, tail[1]
    if kind != _VECTOR or width not in (1, 2, 4, 8):
        return None
    at = end - 2 - width
    vector = at - _number(view, at, width)
    step = 1 << (tail[0] & 3)
    count = _number(view, vector - step, step)
    if vector - step < low or count < 2 or vector + count * step + count > end:
        return None
    element = view.read(vector + count * step + 1, 1)[0]
    place = vector + step
    target = place - _number(view, place, step)
    inner = 1 << (element & 3)
    if element >> 2 not in (_STRING, _BLOB) or target - inner < low:
        return None
    length = _number(view, target - inner, inner)
    return (target, target + length) if target + length <= end else None


def _number(view: View, at: int, width: int) -> int:
    return int.from_bytes(view.read(at, width), "little")
