"""Tar archives as a stream of entries (POSIX.1-2017 pax, ustar, GNU), with hostile headers bounded.

Entries are understood as Go's `archive/tar` does, which all common container runtimes unpack with: global pax headers
change nothing, links have no data, an old entry without type and with `/` at the end of its name is a folder. Sparse
files are refused: what is not understood must not look empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from shipworthy.images.errors import DEFAULT, HostileError, ImageError, LimitError, Limits

BLOCK = 512
_STEP = 1 << 18
_KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"3": "char", b"4": "block",
          b"5": "dir", b"6": "fifo"}  # fmt: skip
_SPECIAL = {b"x": "pax", b"g": "global", b"L": "name", b"K": "link"}


class Stream(Protocol):
    """What a reader needs: exactly `size` bytes, fewer only at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


@dataclass
class Entry:
    """One entry. `name` and `link` are as they are written (undecodable bytes as surrogates); `kind` is file, hardlink,
    symlink, dir, char, block or fifo; `number` counts entries from 0; `size` is in bytes; `offset` is where the data
    begins in the stream; `xattrs` are the names and values of extended attributes."""

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    link: str
    number: int
    offset: int
    xattrs: Mapping[str, bytes] = field(default_factory=dict)
    _reader: Reader | None = field(default=None, repr=False, compare=False)

    def chunks(self) -> Iterator[bytes]:
        """The data, once, while this is the current entry."""
        if self._reader is not None:
            yield from self._reader.data(self)

    def read(self, limit: int) -> bytes:
        """All of the data. Raises LimitError when it is more than `limit` bytes."""
        if self.size > limit:
            raise LimitError(f"a file of {self.size:,} bytes is more than is read of it ({limit:,})", where=self.name)
        return b"".join(self.chunks())


class Reader:
    """Iterate over it once. Raises ImageError for what is no tar archive, LimitError for one without end."""

    def __init__(self, stream: Stream, limits: Limits = DEFAULT, where: str = "") -> None:
        self._stream, self._limits, self._where = stream, limits, where
        self._at = 0
        self._left = 0  # bytes of the current entry's data that were not read yet
        self._padding = 0
        self._current: Entry | None = None
        self.trailing = 0  # bytes that are not zero behind the end, if `drain` was called
        self.globals = 0

    def __iter__(self) -> Iterator[Entry]:
        number = 0
        while (entry := self._next(number)) is not None:
            number += 1
            if number > self._limits.entries:
                raise LimitError(f"it holds more than {self._limits.entries:,} entries", where=self._where)
            self._current = entry
            yield entry
        self._current = None

    def data(self, entry: Entry) -> Iterator[bytes]:
        """The data of the current entry."""
        if entry is not self._current:
            raise ValueError("the reader has gone on to another entry")
        while self._left:
            yield self._some()

    def passed(self) -> None:
        """The caller has gone over the data of the current entry in the stream by itself."""
        self._at += self._left
        self._left = 0

    def drain(self) -> None:
        """Read what follows the end of the archive: unpacking programs do not look at it."""
        while data := self._stream.read(_STEP):
            self._at += len(data)
            self.trailing += len(data) - data.count(0)

    def _some(self) -> bytes:
        data = self._stream.read(min(self._left, _STEP))
        if not data:
            raise self._broken("ends within a file")
        self._left -= len(data)
        self._at += len(data)
        return data

    def _skip(self) -> None:
        while self._left:
            self._some()
        if self._padding:
            padding = self._stream.read(self._padding)
            self._at += len(padding)  # an archive cut within padding has all its data
            self._padding = 0

    def _header(self) -> bytes | None:
        self._skip()
        block = self._stream.read(BLOCK)
        self._at += len(block)
        if not block or not block.strip(b"\0"):
            return None
        if len(block) < BLOCK:
            raise self._broken("ends within a header")
        _checked(block, self)
        return block

    def _next(self, number: int) -> Entry | None:
        pax: dict[str, bytes] = {}
        name = link = None
        for _ in range(16):  # headers about one entry; honest archives have up to three
            block = self._header()
            if block is None:
                return None
            special = _SPECIAL.get(block[156:157])
            if special is None:
                return self._entry(block, number, pax, name, link)
            size = _number(block[124:136], self)
            if size > self._limits.special:
                raise LimitError(f"a header of {size:,} bytes is no header", where=self._where)
            self._left, self._padding = size, -size % BLOCK
            data = b"".join(iter(lambda: self._some() if self._left else b"", b""))
            if special == "pax":
                pax.update(_records(data, self))
            elif special == "global":
                self.globals += 1
                _records(data, self)
            elif special == "name":
                name = data.rstrip(b"\0")
            else:
                link = data.rstrip(b"\0")
        raise HostileError("an entry has more headers than any honest one", where=self._where)

    def _entry(
        self, block: bytes, number: int, pax: Mapping[str, bytes], name: bytes | None, link: bytes | None
    ) -> Entry:
        flag = block[156:157]
        if flag == b"S" or any(key.startswith("GNU.sparse.") for key in pax):
            raise ImageError("holds a sparse file, which is not read here", where=self._where)
        if flag not in _KINDS:
            raise ImageError(f"holds an entry of the unknown type {ascii(flag)[2:-1]}", where=self._where)
        raw = pax.get("path") or name or _name(block)
        target = pax.get("linkpath") or link or _text(block[157:257])
        for text in (raw, target):
            if b"\0" in text or len(text) > self._limits.name:
                raise HostileError("holds a name that no system can have", where=self._where)
        kind = "dir" if flag == b"\0" and raw.endswith(b"/") else _KINDS[flag]
        size = _decimal(pax["size"], self) if "size" in pax else _number(block[124:136], self)
        size = size if kind == "file" else 0
        self._left, self._padding = size, -size % BLOCK
        return Entry(
            name=raw.decode("utf-8", "surrogateescape"),
            kind=kind,
            mode=_number(block[100:108], self) & 0o7777,
            uid=_decimal(pax["uid"], self) if "uid" in pax else _number(block[108:116], self),
            gid=_decimal(pax["gid"], self) if "gid" in pax else _number(block[116:124], self),
            size=size,
            mtime=_number(block[136:148], self, negative=True),
            link=target.decode("utf-8", "surrogateescape") if kind in ("hardlink", "symlink") else "",
            number=number,
            offset=self._at,
            xattrs={k[13:]: v for k, v in pax.items() if k.startswith("SCHILY.xattr.")},
            _reader=self,
        )

    def _broken(self, why: str) -> ImageError:
        return ImageError(f"the archive {why}", where=self._where)


def _checked(block: bytes, reader: Reader) -> None:
    said = _number(block[148:156], reader)
    plain = block[:148] + b" " * 8 + block[156:]
    if said not in (sum(plain), sum(plain) - 256 * sum(byte > 127 for byte in plain)):
        raise reader._broken("has a header whose checksum is wrong")


def _text(raw: bytes) -> bytes:
    return raw.partition(b"\0")[0]


def _name(block: bytes) -> bytes:
    name, prefix = _text(block[:100]), b""
    if block[257:263] == b"ustar\0":
        prefix = _text(block[345:500])
    return prefix + b"/" + name if prefix else name


def _number(raw: bytes, reader: Reader, *, negative: bool = False) -> int:
    """Octal digits, or GNU's binary form for what they cannot hold."""
    if raw[0] & 0x80:
        value = int.from_bytes(bytes([raw[0] & 0x7F]) + raw[1:], "big")
        value = value - (1 << (8 * len(raw) - 1)) if raw[0] & 0x40 else value
    else:
        digits = raw.strip(b" \0").partition(b"\0")[0].strip(b" ")
        if digits.strip(b"01234567"):
            raise reader._broken("has a header with a number that is none")
        value = int(digits or b"0", 8)
    if (value < 0 and not negative) or value >= 1 << 63:
        raise reader._broken("has a header with a number that cannot be")
    return value


def _decimal(raw: bytes, reader: Reader) -> int:
    if not raw.isdigit() or len(raw) > 18:
        raise reader._broken("has an extended header with a number that is none")
    return int(raw)


def _records(data: bytes, reader: Reader) -> dict[str, bytes]:
    """The records of a pax header: length, space, key, `=`, value, line end; the length counts all of it."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 8)
        digits = data[at:space] if space > 0 else b""
        if not digits.isdigit():
            raise reader._broken("has an extended header that is none")
        end = at + int(digits)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end > len(data) or end <= space or data[end - 1 : end] != b"\n" or not equals or not key:
            raise reader._broken("has an extended header that is none")
        found[key.decode("utf-8", "surrogateescape")] = value
        at = end
    return found
