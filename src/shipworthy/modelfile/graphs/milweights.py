"""Core ML's weight.bin: a header, then for each array 64 bytes of description and its data, aligned to 64 bytes.

Source: coremltools, mlmodel/src/MILBlob/Blob/StorageFormat.hpp.
"""

from __future__ import annotations

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope

_SENTINEL = 0xDEADBEEF
_HEAD = 64
_BLOB = 1 << 12


def read(scope: Scope, format_: str) -> int:  # noqa: ARG001 - every reader of a table has the same parameters
    """Follow the arrays to the last byte; returns how many bytes are explained."""
    view = scope.view
    size, count = len(view), view.u32(0)
    at = found = 0
    at = _HEAD
    while found < count and at + _HEAD <= size and view.u32(at) == _SENTINEL:
        length, data = view.u64(at + 8), view.u64(at + 16)
        if data != at + _HEAD or data + length > size:
            scope.issue(Code.BROKEN_STREAM, "high", "an array lies elsewhere than its description says", at)
            return size
        if any(view.read(at + 32, 32)):  # coremltools 6 left what its memory held
            scope.issue(Code.UNEXPLAINED_BYTES, "low", "the reserved bytes of a description hold data", at + 32)
        if length >= _BLOB:
            scope.child(f"array at {data}", view.sub(data, length), Role.BLOB)
        found += 1
        end = data + length
        at = (end + 63) // 64 * 64
        if any(view.read(end, min(at, size) - end)):
            scope.issue(Code.UNEXPLAINED_BYTES, "medium", "the padding behind an array holds data", end)
    if found < count:
        scope.issue(Code.BROKEN_STREAM, "medium", f"it has {found} of {count} arrays: it was cut or forged", at)
    elif at < size:
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{size - at} bytes follow the last array", at)
        scope.child(f"bytes at {at}", view.sub(at, size - at), Role.TRAILER)
    return size
