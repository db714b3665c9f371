"""gzip, bz2, xz, lzma, zlib, LZ4, Zstandard and joblib's old ZF: one compressed file, whose content is scanned as a
file of its own."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Any, Protocol

from shipworthy.modelfile import lz4, ocdbt, zstd
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Role, Scope
from shipworthy.modelfile.view import Spool, View

_STEP = 1 << 16
_OUT = 1 << 20
_MEMORY = 256 << 20  # what an xz dictionary may take, in bytes
_SLOW = 64 << 20  # Zstandard is decoded in Python: more than this takes minutes
_ZFILE = 2 + len(hex(1 << 64))  # joblib before 0.10: "ZF", the content's size in hexadecimal, padded


class _Decoder(Protocol):
    eof: bool
    unused_data: bytes


class _Zlib:
    """zlib's object with the interface of the other two."""

    def __init__(self, wbits: int) -> None:
        self._inner = zlib.decompressobj(wbits)
        self._full = False  # it may have taken all input, and have more to give

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(out) == max_length
        return out

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail and not self._full

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def _decoder(format_: str) -> Any:
    if format_ == "bz2":
        return bz2.BZ2Decompressor()
    if format_ in ("xz", "lzma"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ if format_ == "xz" else lzma.FORMAT_ALONE, _MEMORY)
    if format_ == "lzma2":  # without a header, as R writes it
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, None, [{"id": lzma.FILTER_LZMA2, "preset": 6}])
    return _Zlib({"gzip": 31, "zlib": 15, "deflate": -15}[format_])


def begins(head: bytes, format_: str, count: int) -> bytes:
    """The first bytes of what is packed; fewer if it is not of this format."""
    try:
        return bytes(_decoder(format_).decompress(head, count))
    except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
        return b""


def unpack(scope: Scope, view: View, format_: str, many: bool) -> tuple[View | None, int, str]:
    """The content of the stream(s) at the start of `view`, how many bytes they take, and what is wrong (or empty).

    With `many`, further streams of the same format directly behind are read as well, as gzip, bz2 and xz do. Raises
    LimitReachedError.
    """
    spool = scope.spool()
    try:
        if format_ in ("lz4", "zstd"):
            result = _frames(scope, view, spool)
        else:
            result = _streams(scope, view, spool, format_, many)
    except LimitReachedError:
        spool.close()
        raise
    if result[0] is None:
        spool.close()
    return result


def _streams(scope: Scope, view: View, spool: Spool, format_: str, many: bool) -> tuple[View | None, int, str]:
    at = 0
    while True:
        decoder = _decoder(format_)
        at, wrong = _one(scope, view, at, decoder, spool.write)
        if wrong:
            return None, at, wrong
        if not many or not _again(view, at, format_):
            return spool.view(), at, ""


def _again(view: View, at: int, format_: str) -> bool:
    magic = {"gzip": b"\x1f\x8b", "bz2": b"BZh", "xz": b"\xfd7zXZ"}.get(format_)
    return bool(magic) and view.read(at, len(magic or b"")) == magic


def _one(scope: Scope, view: View, at: int, decoder: Any, write: Any) -> tuple[int, str]:
    data = b""
    while not decoder.eof:
        if not data and decoder.needs_input:
            data = view.read(at, _STEP)
            at += len(data)
            if not data:
                return at, "the compressed data is cut short"
        try:
            out = decoder.decompress(data, _OUT)
        except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError, MemoryError) as error:
            return at, f"the compressed data is damaged ({ascii(str(error))[1:81]})"
        data = b""
        if out:
            scope.unpack(len(out))
            write(out)
    return at - len(decoder.unused_data), ""


def _frames(scope: Scope, view: View, spool: Spool) -> tuple[View | None, int, str]:
    """LZ4 and Zstandard: frames one behind the other, and frames to be skipped."""

    def write(data: bytes) -> None:
        scope.unpack(len(data))
        spool.write(data)
        if spool.size > _SLOW and head == zstd.MAGIC:
            scope.unknown(f"it holds more than {_SLOW >> 20} MiB of Zstandard data; the rest was not read")
            raise LimitReachedError("slow decoder")

    at, decoders = 0, {lz4.MAGIC: lz4.frame, lz4.LEGACY_MAGIC: lz4.legacy, zstd.MAGIC: zstd.frame}
    while at < len(view):
        head = view.read(at, 4)
        skipped = zstd.skippable(view, at)
        if not skipped and head not in decoders:
            break
        if skipped:
            scope.child(f"skipped bytes at {at}", view.sub(at + 8, skipped - 8), Role.BLOB)
        try:
            at = at + skipped if skipped else decoders[head](view, at, write)
        except lz4.DamagedError as error:
            return None, at, f"the compressed data is damaged ({error})"
        if at > len(view):
            return None, len(view), "the compressed data is cut short"
    return spool.view(), at, ""


def read_zfile(scope: Scope) -> int:
    """Joblib before 0.10: a header with the size, then zlib (joblib `numpy_pickle_compat.read_zfile`)."""
    view = scope.view
    try:
        size = int(view.read(2, _ZFILE - 2), 16)
    except ValueError:
        scope.issue(Code.BROKEN_STREAM, "medium", "the header of joblib's ZF format names no size", 2)
        return len(view)
    start = _ZFILE + (1 if view.read(_ZFILE, 1) == b" " else 0)
    body = view.sub(start, len(view))
    try:
        content, used, wrong = unpack(scope, body, "zlib", many=False)
    except LimitReachedError:
        return len(view)
    if content is None or len(content) != size:
        problem = wrong or "the size in the header is not that of the content"
        scope.issue(Code.BROKEN_STREAM, "medium", problem, start + used)
    elif used < len(body):
        message = f"{len(body) - used} bytes follow the compressed data"
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", message, start + used)
        scope.child(f"bytes at {start + used}", body.sub(used, len(body)), Role.TRAILER)
    if content is not None:
        scope.child("content", content, scope.role)
    return len(view)


def read(scope: Scope, format_: str) -> int:
    """Unpack and hand on; returns how many bytes are explained."""
    view = scope.view
    if format_ == "gzip" and view.read(3, 1) and view.read(3, 1)[0] & 4:
        extra = int.from_bytes(view.read(10, 2), "little")
        scope.child("gzip's extra field", view.sub(12, extra), Role.BLOB)
    if format_ == "zstd" and scope.role is Role.FILE and ocdbt.is_data(scope):
        return ocdbt.read(scope)
    try:
        content, used, wrong = unpack(scope, view, format_, many=True)
    except LimitReachedError:
        return len(view)
    if content is None:
        if scope.role is Role.FILE:
            code = Code.BROKEN_STREAM
            scope.issue(code, "medium", f"{wrong}: a loader may have used what came before", used)
        return len(view)
    if used < len(view):
        rest = len(view) - used
        if scope.role is Role.BLOB:
            return len(view)
        zeros = not view.read(used, min(rest, 1 << 16)).strip(b"\0") and rest <= 1 << 16
        severity = "low" if zeros else "medium"
        scope.issue(Code.UNEXPLAINED_BYTES, severity, f"{rest} bytes follow the compressed data", used)
        scope.child(f"bytes at {used}", view.sub(used, rest), Role.TRAILER)
    scope.child(f"{format_} content", content, Role.FILE if scope.role is Role.FILE else Role.BLOB)
    return len(view)
