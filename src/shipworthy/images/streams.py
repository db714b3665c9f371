"""Blobs read as streams: size and digest are verified on the way, gzip and Zstandard are unpacked within limits."""

from __future__ import annotations

import hashlib
import importlib
import tempfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from shipworthy.images.errors import DEFAULT, DigestError, ImageError, LimitError, Limits

_STEP = 1 << 18
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = (0x184D2A50, 0x184D2A5F)
_ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}


def algorithm_of(digest: str) -> str:
    """The algorithm of a digest (`sha256:` and hex digits; image-spec, descriptor.md). Raises ImageError for one that
    is not well-formed or not known."""
    name, _, hexadecimal = digest.partition(":")
    if _ALGORITHMS.get(name) != len(hexadecimal) or hexadecimal.strip("0123456789abcdef"):
        raise ImageError("a digest is not of a known form", where=digest[:80])
    return name


class Verified:
    """`size` bytes of an open file, from where it stands. `finish` reads the rest and compares."""

    def __init__(self, source: BinaryIO, size: int, digest: str) -> None:
        self._source, self._left, self._digest = source, size, digest
        self._hash = hashlib.new(algorithm_of(digest)) if digest else None

    def read(self, size: int = _STEP) -> bytes:
        """The next bytes; empty at the end."""
        data = self._source.read(min(size, self._left))
        self._left -= len(data)
        if not data and self._left and size:
            raise DigestError(f"{self._left:,} bytes are missing", where=self._digest)
        if self._hash is not None:
            self._hash.update(data)
        return data

    def finish(self) -> None:
        """Raises DigestError when the bytes are not those of the digest."""
        while self.read():
            pass
        if self._hash is not None and self._hash.hexdigest() != self._digest.partition(":")[2]:
            raise DigestError(
                "the bytes are not those that the digest stands for",
                where=self._digest,
                remedy="fetch or build the image again; do not use this copy",
            )


class LayerStream:
    """The unpacked bytes of a layer. After `finish` both digests, of the blob and of what is in it, are right."""

    def __init__(self, blob: Verified, diff_id: str, limits: Limits = DEFAULT, where: str = "") -> None:
        self._blob, self._limits, self._where, self._diff_id = blob, limits, where, diff_id
        self._hash = hashlib.new(algorithm_of(diff_id)) if diff_id else hashlib.sha256()
        head = blob.read(6)
        while len(head) < 6 and (more := blob.read(6 - len(head))):
            head += more
        self.compression = _compression(head)
        unpacker = {"gzip": _gunzip, "zstd": _unzstd, "": _plain}[self.compression]
        self._chunks = unpacker(head, blob, limits, where)
        self._buffer = b""
        self._at = 0
        self.size = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fewer only at the end."""
        end = self._at + size
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        parts = [self._buffer[self._at :]]
        missing = size - len(parts[0])
        self._buffer, self._at = b"", 0
        while missing > 0 and (chunk := self._pull()):
            parts.append(chunk[:missing])
            if len(chunk) > missing:
                self._buffer, self._at = chunk, missing
            missing -= len(parts[-1])
        return b"".join(parts)

    def _pull(self) -> bytes:
        for chunk in self._chunks:
            if chunk:
                self.size += len(chunk)
                if self.size > self._limits.layer_bytes:
                    raise LimitError(f"unpacks to more than {self._limits.layer_bytes >> 20:,} MiB", where=self._where)
                self._hash.update(chunk)
                return chunk
        return b""

    def finish(self) -> str:
        """Read to the end; the digest of the unpacked bytes. Raises DigestError."""
        while self.read(_STEP):
            pass
        self._blob.finish()
        found = f"{self._hash.name}:{self._hash.hexdigest()}"
        if self._diff_id and found != self._diff_id:
            raise DigestError(
                "what is in the layer is not what the image's configuration says",
                where=self._diff_id,
                remedy="fetch or build the image again; do not use this copy",
            )
        return found


def _compression(head: bytes) -> str:
    if head.startswith(GZIP):
        return "gzip"
    if head.startswith(ZSTD) or _SKIPPABLE[0] <= int.from_bytes(head[:4], "little") <= _SKIPPABLE[1]:
        return "zstd"
    for magic, name in ((b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz")):
        if head.startswith(magic):
            raise ImageError(f"a layer is packed with {name}, which no image format has")
    return ""


def _plain(head: bytes, blob: Verified, _limits: Limits, _where: str) -> Iterator[bytes]:
    yield head
    while data := blob.read():
        yield data


def _gunzip(head: bytes, blob: Verified, _limits: Limits, where: str) -> Iterator[bytes]:
    """All members, as Go's reader does; zeros may follow."""
    data = head
    while True:
        decoder = zlib.decompressobj(31)
        full = False  # it may have taken all input, and have more to give
        while not decoder.eof:
            data = decoder.unconsumed_tail or data or (b"" if full else blob.read())
            if not data and not full:
                raise ImageError("the compressed data is cut short", where=where)
            try:
                out = decoder.decompress(data, _STEP)
            except zlib.error:
                raise ImageError("the compressed data is damaged", where=where) from None
            data, full = b"", len(out) == _STEP
            yield out
        data = decoder.unused_data
        while len(data) < 2 and (more := blob.read()):
            data += more
        if not data:
            return
        if not data.startswith(GZIP):
            raise ImageError("something else follows the compressed data", where=where)


def _unzstd(head: bytes, blob: Verified, limits: Limits, where: str) -> Iterator[bytes]:
    decoder = _fast_zstd()
    if decoder is None:
        yield from _slow_zstd(head, blob, limits, where)
        return
    make, errors = decoder
    data: bytes = head
    while data or (data := blob.read()):
        one = make()
        while not one.eof:
            data = data or (blob.read() if getattr(one, "needs_input", True) else b"")
            if not data and getattr(one, "needs_input", True):
                raise ImageError("the compressed data is cut short", where=where)
            try:
                yield one.decompress(data, _STEP)
            except errors:
                raise ImageError("the compressed data is damaged", where=where) from None
            data = b""
        data = one.unused_data


def _fast_zstd() -> tuple[Callable[[], Any], type[Exception]] | None:
    """Python's own decoder (3.14), or its backport, if there is one; both bound the window that frames may ask for."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        return module.ZstdDecompressor, module.ZstdError
    return None


def _slow_zstd(head: bytes, blob: Verified, limits: Limits, where: str) -> Iterator[bytes]:
    """By the decoder in Python: a second and more for a mebibyte."""
    from shipworthy.modelfile import zstd
    from shipworthy.modelfile.lz4 import DamagedError
    from shipworthy.modelfile.view import View

    with tempfile.TemporaryFile() as packed, tempfile.TemporaryFile() as unpacked:
        packed.write(head)
        while data := blob.read():
            packed.write(data)
        packed.flush()
        size = 0

        def write(part: bytes) -> None:
            nonlocal size
            size += len(part)
            if size > limits.slow_zstd:
                raise LimitError(
                    f"holds more than {limits.slow_zstd >> 20} MiB of Zstandard data",
                    where=where,
                    remedy="use Python 3.14, or `pip install backports.zstd`: their decoders are fast",
                )
            unpacked.write(part)

        view, at = View.of_file(packed), 0
        try:
            while at < len(view):
                skipped = zstd.skippable(view, at)
                if not skipped and view.read(at, 4) != ZSTD:
                    raise ImageError("something else follows the compressed data", where=where)
                at = at + skipped if skipped else zstd.frame(view, at, write)
        except DamagedError as error:
            raise ImageError(f"the compressed data is damaged ({error})", where=where) from None
        if at > len(view):
            raise ImageError("the compressed data is cut short", where=where)
        unpacked.seek(0)
        while data := unpacked.read(_STEP):
            yield data
