"""safetensors, strictly: everything that the format's own library refuses, and a little more.

Format: https://github.com/huggingface/safetensors#format, validation in safetensors/src/tensor.rs.
"""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile import keptvalues
from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.sniff import SAFETENSORS_HEADER
from shipworthy.modelfile.strictjson import DuplicateKeyError, strict

# bits per element
DTYPES: dict[str, int] = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_WRONG = 20
_KEPT = 16  # shorter values hold no pickle


class _WrongError(ValueError):
    pass


def read(scope: Scope) -> int:
    """Check the header and the layout; returns how many bytes are explained."""
    view = scope.view
    length = view.u64(0)
    if view.read(8, 1) != b"{":
        scope.issue(Code.BROKEN_STREAM, "high", "the header does not begin with a brace: some readers refuse it", 8)
    if length > min(SAFETENSORS_HEADER, scope.limits.header) or 8 + length > len(view):
        text = f"the header declares {length} bytes; the file has {len(view)}, the format allows {SAFETENSORS_HEADER}"
        scope.issue(Code.BROKEN_STREAM, "high", text, 0)
        return len(view)
    try:
        header = strict(view.read(8, length))
    except DuplicateKeyError:
        scope.issue(
            Code.CONTAINER_TAMPERED, "high", "the header has a key twice: readers differ in which tensor they take", 8
        )
        return len(view)
    except ValueError as error:
        scope.issue(Code.BROKEN_STREAM, "high", f"the header is not JSON ({ascii(str(error))[1:80]})", 8)
        return len(view)
    if not isinstance(header, dict):
        scope.issue(Code.BROKEN_STREAM, "high", "the header is not a JSON object", 8)
        return len(view)
    _metadata(scope, header.pop("__metadata__", {}))
    spans = _spans(scope, header)
    if spans is not None:
        _layout(scope, spans, 8 + length)
        if not isinstance(view, FarView):
            _content(scope, spans, 8 + length)
    return len(view)


def _metadata(scope: Scope, metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        scope.issue(Code.BROKEN_STREAM, "medium", "the metadata is not a map of texts", 8)
        return
    for key, value in metadata.items():
        if len(value) >= _KEPT:
            keptvalues.look(scope, f"metadata {key[:60]}", value.encode("utf-8", "surrogatepass"))


def _spans(scope: Scope, header: dict[str, Any]) -> list[tuple[int, int, str]] | None:
    spans: list[tuple[int, int, str]] = []
    wrong = 0
    for name, entry in header.items():
        try:
            spans.append((*_span(entry), name))
        except _WrongError as error:
            wrong += 1
            if wrong <= _WRONG:
                scope.issue(Code.BROKEN_STREAM, "high", f"the tensor {ascii(name)[:100]} {error}", 8)
    return None if wrong else spans


def _span(entry: Any) -> tuple[int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _WrongError("is not described by dtype, shape and data_offsets alone")
    bits = DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if bits is None:
        raise _WrongError(f"has the unknown type {ascii(entry['dtype'])[:40]}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise _WrongError("has a shape or offsets that are not sizes")
    total = bits
    for size in shape:
        total *= size
        if total >> 66:
            raise _WrongError("has a shape whose product overflows")
    low, high = offsets
    if low > high or (high - low) * 8 != total:
        raise _WrongError(f"declares {high - low} bytes, its shape and type need {total / 8:g}")
    return low, high


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 64 for n in value)


def _layout(scope: Scope, spans: list[tuple[int, int, str]], base: int) -> None:
    """Tensors follow each other without hole or overlap, up to the last byte."""
    at = 0
    size = len(scope.view) - base
    for low, high, name in sorted(spans):
        shown = ascii(name)[:100]
        if low < at:
            scope.issue(Code.CONTAINER_TAMPERED, "high", f"the tensor {shown} overlaps the one before it", base + low)
        elif low > at:
            _unexplained(scope, base + at, low - at, f"{low - at} bytes before the tensor {shown} belong to no tensor")
        at = max(at, high)
    if at > size:
        scope.issue(Code.BROKEN_STREAM, "high", f"the tensors need {at} bytes, only {size} are there", base)
    elif at < size:
        _unexplained(scope, base + at, size - at, f"{size - at} bytes follow the last tensor")


def _content(scope: Scope, spans: list[tuple[int, int, str]], base: int) -> None:
    """Programs that keep bytes as a tensor of their own may unpickle them: a whole file in a tensor is looked into."""
    from shipworthy.modelfile.readers import may_hide

    for low, high, name in spans[: scope.limits.nested]:
        view = scope.view.sub(base + low, high - low)  # none of it is there when the file was cut
        if len(view) >= _KEPT and may_hide(view):
            scope.child(f"tensor {ascii(name)[1:-1][:60]}", view, Role.BLOB)


def _unexplained(scope: Scope, at: int, size: int, text: str) -> None:
    scope.issue(Code.HIDDEN_PAYLOAD if scope.role is Role.FILE else Code.UNEXPLAINED_BYTES, "high", text, at)
    scope.child(f"bytes at {at}", scope.view.sub(at, size), Role.TRAILER)
