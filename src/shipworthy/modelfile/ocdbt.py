"""OCDBT, the store of keys and values in which Orbax keeps arrays: manifests, nodes, and files of data, in which the
chunks of arrays and nodes lie one behind the other.

A node names the files that its values lie in, which whoever opens the store reads. Source: TensorStore 0.1, "On-disk
format" of `kvstore/ocdbt`.
"""

from __future__ import annotations

from contextlib import suppress

from shipworthy.modelfile import zstd
from shipworthy.modelfile.lz4 import DamagedError
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.sniff import HEAD, HIDDEN, sniff
from shipworthy.modelfile.view import View

MANIFEST, NODE, VERSIONS = b"\x0c\xdb\x3a\x2a", b"\x0c\xdb\x20\xde", b"\x0c\xdb\x12\x34"
_LEAST = 18  # bytes: magic, length, version, compression, checksum
_BODY = 64 << 20
_KEYS = 64 << 20  # bytes of keys and paths, which are shortened by what they share
_LONGEST = 0xFFFF
_NUMBERS = frozenset(
    (None, "text", "protobuf", "msgpack", "paddle-weights", "java", "torch7", "bson")
)  # what they seem
_HIDING = HIDDEN | {"zlib"}
_DESCRIPTIONS = (b".zarray", b".zgroup", b".zattrs", b".zmetadata", b"zarr.json")


def read(scope: Scope, _format: str = "") -> int:
    """Judge nodes, and chunks that are frames of Zstandard, as far as they follow each other."""
    view, at = scope.view, 0
    try:
        while at < len(view):
            size = _node(view, at)
            if size:
                _judge(scope, at, size)
            elif view.read(at, 4) == zstd.MAGIC:
                size = zstd.extent(view, at) - at
                _chunk(scope, at)
            else:
                break
            at += size
    except DamagedError as error:
        scope.issue(Code.BROKEN_STREAM, "medium", f"the compressed data is damaged ({error})", at)
        scope.unknown("what follows damaged data was not read")
        return len(view)
    except LimitReachedError:
        return len(view)
    if at < len(view):
        scope.child(f"bytes at {at}", view.sub(at, len(view) - at), Role.TRAILER)
    return at


def is_data(scope: Scope) -> bool:
    """Whether a file that begins as Zstandard is one of a store's: a node follows, or its manifest lies above; and what
    whoever unpacks it from the start gets is no file of a known kind.
    """
    view, at = scope.view, 0
    try:
        if sniff(_start(view, 0)) not in _NUMBERS:
            return False
        while view.read(at, 4) == zstd.MAGIC:
            at = zstd.extent(view, at)
    except DamagedError:
        return False
    if at < len(view):
        return _node(view, at) > 0
    folder = scope.folder
    if folder is None or folder.name != "d":
        return False
    try:
        with (folder.parent / "manifest.ocdbt").open("rb") as stream:
            return stream.read(4) == MANIFEST
    except OSError:
        return False


def _node(view: View, at: int) -> int:
    """The size of the manifest or node at `at`; 0 when there is none that ends within the file."""
    head = view.read(at, _LEAST)
    if head[:4] not in (MANIFEST, NODE, VERSIONS) or len(head) < _LEAST:
        return 0
    size = int.from_bytes(head[4:12], "little")
    return size if _LEAST <= size <= len(view) - at else 0


def _chunk(scope: Scope, at: int) -> None:
    """A chunk is numbers, unless it begins as something that hides among them."""
    start = _start(scope.view, at)
    if _hides(start):
        content = _unpacked(scope, at, _BODY)
        scope.child(f"chunk at {at}", View.of(content), Role.BLOB)


def _hides(data: bytes) -> bool:
    return len(data) >= 10 and sniff(data[:HEAD]) in _HIDING


class _EnoughError(Exception):
    pass


def _start(view: View, at: int) -> bytes:
    data = bytearray()

    def write(block: bytes) -> None:
        data.extend(block)
        if len(data) >= HEAD:
            raise _EnoughError

    with suppress(_EnoughError):
        zstd.frame(view, at, write)
    return bytes(data[:HEAD])


def _unpacked(scope: Scope, at: int, most: int) -> bytes:
    parts = bytearray()

    def write(data: bytes) -> None:
        scope.unpack(len(data))
        parts.extend(data)
        if len(parts) > most:
            scope.unknown(f"a part of the store unpacks to more than {most >> 20} MiB; the rest was not read")
            raise LimitReachedError("a part of the store")

    zstd.frame(scope.view, at, write)
    return bytes(parts)


def _judge(scope: Scope, at: int, size: int) -> None:
    """Places and values of one manifest or node."""
    view = scope.view
    version, packed = view.read(at + 12, 2)
    start, end = at + 14, at + size - 4
    if version or packed > 1:
        scope.unknown(f"a node of version {version}, compression {packed}, which this version does not read")
        return
    if packed:
        if view.read(start, 4) != zstd.MAGIC or zstd.extent(view, start) != end:
            raise DamagedError("the content of a node does not end with the node")
        body = _unpacked(scope, start, _BODY)
    elif end - start > _BODY:
        scope.unknown(f"a node is larger than {_BODY >> 20} MiB")
        return
    else:
        body = view.read(start, end - start)
    if _hides(body):
        scope.child(f"node at {at}", View.of(body), Role.BLOB)
    reader = _Body(body)
    try:
        kind = view.read(at, 4)
        if kind == MANIFEST:
            reader.settings()
        height = 0 if kind == MANIFEST else reader.byte()
        if kind == VERSIONS:
            reader.byte()  # how many children a node has, as a power of two
        _places(scope, at, reader.files())
        if kind == NODE:
            reader.values(scope, at, height)
    except (IndexError, ValueError) as error:
        scope.unknown(f"the node at {at} can't be read ({ascii(str(error))[1:-1][:80]})")


def _places(scope: Scope, at: int, files: list[bytes]) -> None:
    for raw in files:
        name = raw.decode("utf-8", "replace")
        if escapes(name):
            text = f"values of the store lie in {shown(name, 120)}, outside of its folder: whoever opens it reads there"
            scope.issue(Code.PATH_TRAVERSAL, "high", text, at, shown(name, 120))


class _Body:
    """A position in the content of a node. All of it raises IndexError where the content ends, ValueError."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._expanded = data, 0, 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self) -> int:
        value = 0
        for shift in range(0, 64, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number is too long")

    def numbers(self, count: int) -> list[int]:
        if count > len(self._data) - self._at:
            raise IndexError("a list is longer than the node")
        return [self.number() for _ in range(count)]

    def take(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError("a value is longer than the node")
        return self._data[self._at - size : self._at]

    def settings(self) -> None:
        """The beginning of a manifest: its id, kind, bounds, and how nodes are packed."""
        self.take(16)
        if self.number():
            raise ValueError("its manifest is kept in numbered files")
        self.numbers(2)
        self.byte()
        if self.number():
            self.take(4)

    def _names(self, prefixes: list[int], suffixes: list[int]) -> list[bytes]:
        names, name = list[bytes](), b""
        for prefix, suffix in zip([0, *prefixes], suffixes, strict=True):
            self._expanded += prefix + suffix
            if prefix > len(name) or prefix + suffix > _LONGEST or self._expanded > _KEYS:
                raise ValueError("a key shares more with the one before than that has, or is too long")
            name = name[:prefix] + self.take(suffix)
            names.append(name)
        return names

    def files(self) -> list[bytes]:
        """The table of files that the node's places are in."""
        count = self.number()
        if not count:
            return []
        prefixes = self.numbers(count - 1)
        suffixes = self.numbers(count)
        self.numbers(count)  # how much of each is the folder
        return self._names(prefixes, suffixes)

    def values(self, scope: Scope, at: int, height: int) -> None:
        """Values that are kept in a leaf itself: descriptions of arrays, and small chunks."""
        count = self.number()
        if height or not count:
            return
        prefixes = self.numbers(count - 1)
        keys = self._names(prefixes, self.numbers(count))
        sizes = self.numbers(count)
        kinds = self.take(count)
        apart = len(kinds) - kinds.count(0)
        self.numbers(2 * apart)  # file and offset of each that lies elsewhere
        for key, size, kind in zip(keys, sizes, kinds, strict=True):
            if not kind:
                _value(scope, at, key, self.take(size))
        if self._at != len(self._data):
            raise ValueError("bytes follow the last value")


def _value(scope: Scope, at: int, key: bytes, value: bytes) -> None:
    name = f"{key.decode('utf-8', 'replace')} at {at}"
    described = key.rpartition(b"/")[2] in _DESCRIPTIONS
    if value[:4] == zstd.MAGIC:
        view = View.of(value)
        if zstd.extent(view, 0) != len(value):
            raise ValueError("bytes follow a value's frame")
        _chunk(scope.nested(name, view), 0)
    elif described or _hides(value):
        scope.child(name, View.of(value), Role.FILE if described else Role.BLOB)
