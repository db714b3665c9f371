"""Zstandard frames, decoded in bounded steps (RFC 8878). No dictionaries: no model loader uses them."""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.modelfile import fse
from shipworthy.modelfile.fse import Bits, Table
from shipworthy.modelfile.lz4 import DamagedError, repeat
from shipworthy.modelfile.view import View

MAGIC = b"\x28\xb5\x2f\xfd"
SKIPPABLE = (0x184D2A50, 0x184D2A5F)
_WINDOW = 1 << 27  # what zstd itself accepts without being told to (RFC 8878, 3.1.1.1.2: at least 8 MiB)
_BLOCK = 1 << 17
_SLACK = 1 << 20

# RFC 8878, 3.1.1.3.2.1.1: what a length code adds to and how many bits follow it.
_LITERALS = [
    *((n, 0) for n in range(16)), (16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4),
    (64, 6), *((1 << n, n) for n in range(7, 17)),
]  # fmt: skip
_MATCHES = [
    *((n, 0) for n in range(3, 35)), (35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4),
    (83, 4), (99, 5), (131, 7), *(((1 << n) + 3, n) for n in range(8, 17)),
]  # fmt: skip
# RFC 8878, 3.1.1.3.2.2: the default distributions, as counts of 1/64 and 1/32.
_DEFAULT = {
    "literals": ([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
                  -1, -1, -1, -1], 6),
    "offsets": ([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
    "matches": ([1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1], 6),
}  # fmt: skip
_MOST = {"literals": (35, 9), "offsets": (31, 8), "matches": (52, 9)}  # the last symbol, the largest table's bits


def frame(view: View, at: int, write: Callable[[bytes], None]) -> int:
    """Decode the frame at `at`, a block at a time; returns the offset behind it. Raises DamagedError."""
    at, window, summed = _header(view, at + 4)
    decoder = _Frame(window)
    while True:
        head = view.read(at, 3)
        if len(head) < 3:
            raise DamagedError("the compressed data is cut short")
        word = int.from_bytes(head, "little")
        last, kind, size = word & 1, word >> 1 & 3, word >> 3
        at += 3
        if kind == 3 or size > _BLOCK:
            raise DamagedError("a block is of a kind or size that is not defined")
        data = view.read(at, 1 if kind == 1 else size)
        if len(data) < (1 if kind == 1 else size):
            raise DamagedError("the compressed data is cut short")
        at += len(data)
        write(decoder.keep(data if kind == 0 else data * size) if kind < 2 else decoder.block(data))
        if last:
            at += 4 if summed else 0
            if at > len(view):
                raise DamagedError("the compressed data is cut short")
            return at


def extent(view: View, at: int) -> int:
    """The offset behind the frame at `at`, by the sizes of its blocks; none is decoded. Raises DamagedError."""
    at, _, summed = _header(view, at + 4)
    last = 0
    while not last:
        head = view.read(at, 3)
        word = int.from_bytes(head, "little")
        last = word & 1
        at += 3 + (1 if word >> 1 & 3 == 1 else word >> 3)
        if len(head) < 3 or at > len(view):
            raise DamagedError("the compressed data is cut short")
    at += 4 if summed else 0
    if at > len(view):
        raise DamagedError("the compressed data is cut short")
    return at


def skippable(view: View, at: int) -> int:
    """How many bytes a skippable frame at `at` takes, or 0 when none is there."""
    return 8 + view.u32(at + 4) if SKIPPABLE[0] <= view.u32(at) <= SKIPPABLE[1] else 0


def _header(view: View, at: int) -> tuple[int, int, bool]:
    described = view.read(at, 1)
    if not described:
        raise DamagedError("the compressed data is cut short")
    flags = described[0]
    at += 1
    single = flags >> 5 & 1
    if flags & 8:
        raise DamagedError("a reserved bit of the frame is set")
    window = 0
    if not single:
        byte = view.read(at, 1) or b"\0"
        at += 1
        base = 1 << (10 + (byte[0] >> 3))
        window = base + (base >> 3) * (byte[0] & 7)
    width = (0, 1, 2, 4)[flags & 3]
    if width and int.from_bytes(view.read(at, width), "little"):
        raise DamagedError("the frame needs a dictionary that is not in the file")
    at += width
    width = (single, 2, 4, 8)[flags >> 6]
    size = int.from_bytes(view.read(at, width), "little") + (256 if width == 2 else 0)
    at += width
    window = size if single else window
    if window > _WINDOW:
        raise DamagedError("the frame asks for a window of more than 128 MiB")
    return at, max(window, 1 << 10), bool(flags & 4)


class _Frame:
    """What lasts from block to block: the window, the tables, the last three offsets."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._out = bytearray()
        self._weights: list[tuple[int, int]] | None = None
        self._bits = 0
        self._tables: dict[str, Table] = {}
        self._offsets = [1, 4, 8]

    def keep(self, data: bytes) -> bytes:
        """Add plain data to the window."""
        self._out += data
        self._forget()
        return data

    def _forget(self) -> None:
        if len(self._out) > self._window + _SLACK:
            del self._out[: -self._window]

    def block(self, data: bytes) -> bytes:
        """One compressed block."""
        literals, at = self._literals(data)
        before = len(self._out)
        try:
            self._sequences(data, at, literals)
        except IndexError:
            raise DamagedError("a block ends within a sequence") from None
        made = bytes(self._out[before:])
        if len(made) > _BLOCK:
            raise DamagedError("a block holds more than 128 KiB")
        self._forget()
        return made

    def _literals(self, data: bytes) -> tuple[bytes, int]:
        """RFC 8878, 3.1.1.3.1."""
        if not data:
            raise DamagedError("a block is empty")
        kind, form = data[0] & 3, data[0] >> 2 & 3
        if kind < 2:
            width = (1, 2, 1, 3)[form]
            size = int.from_bytes(data[:width], "little") >> (3 if width == 1 else 4)
            taken = 1 if kind == 1 else size
            raw = data[width : width + taken]
            if len(raw) < taken or size > _BLOCK:
                raise DamagedError("literals reach beyond the block")
            return (raw * size if kind == 1 else raw), width + taken
        width, bits = ((3, 10), (3, 10), (4, 14), (5, 18))[form]
        word = int.from_bytes(data[:width], "little") >> 4
        size, packed = word & (1 << bits) - 1, word >> bits
        body = data[width : width + packed]
        if len(body) < packed or size > _BLOCK:
            raise DamagedError("literals reach beyond the block")
        at = 0
        if kind == 2:
            self._weights, self._bits, at = fse.huffman(body)
        if self._weights is None:
            raise DamagedError("literals are packed with a table that was never given")
        streams = fse.streams(body[at:], 4 if form else 1, size)
        out = b"".join(fse.unpack(part, self._weights, self._bits, count) for part, count in streams)
        return out, width + packed

    def _sequences(self, data: bytes, at: int, literals: bytes) -> None:
        """RFC 8878, 3.1.1.3.2 and 3.1.1.4: literals and matches, by turns."""
        count = data[at]
        at += 1
        if count > 127:
            if count < 255:
                count, at = (count - 128 << 8) + data[at], at + 1
            else:
                count, at = int.from_bytes(data[at : at + 2], "little") + 0x7F00, at + 2
        if not count:
            if at != len(data):
                raise DamagedError("bytes follow the end of a block")
            self._out += literals
            return
        modes = data[at]
        at += 1
        if modes & 3:
            raise DamagedError("a reserved bit of a block is set")
        for name, shift in (("literals", 6), ("offsets", 4), ("matches", 2)):
            at = self._table(name, modes >> shift & 3, data, at)
        self._apply(Bits(data[at:]), count, literals)

    def _table(self, name: str, mode: int, data: bytes, at: int) -> int:
        last, most = _MOST[name]
        if mode == 0:
            self._tables[name] = fse.table(*_DEFAULT[name])
        elif mode == 1:
            if data[at] > last:
                raise DamagedError("a table names a code that is not defined")
            self._tables[name] = Table(0, [data[at]], [0], [0])
            return at + 1
        elif mode == 2:
            counts, accuracy, used = fse.distribution(data[at:], last, most)
            self._tables[name] = fse.table(counts, accuracy)
            return at + used
        elif name not in self._tables:
            raise DamagedError("a block repeats a table that was never given")
        return at

    def _apply(self, bits: Bits, count: int, literals: bytes) -> None:
        out, used, before = self._out, 0, len(self._out)
        lengths, offsets, matches = (self._tables[name] for name in ("literals", "offsets", "matches"))
        one, two, three = bits.take(lengths.bits), bits.take(offsets.bits), bits.take(matches.bits)
        for left in range(count, 0, -1):
            code = offsets.symbols[two]
            raw = (1 << code) + bits.take(code)
            base, more = _MATCHES[matches.symbols[three]]
            length = base + bits.take(more)
            base, more = _LITERALS[lengths.symbols[one]]
            run = base + bits.take(more)
            back = self._offset(raw, run)
            if used + run > len(literals) or len(out) - before + run + length > _BLOCK:
                raise DamagedError("a sequence takes more than there is")
            out += literals[used : used + run]
            used += run
            start = len(out) - back
            if start < 0:
                raise DamagedError("a match reaches before the beginning")
            repeat(out, start, back, length)
            if left > 1:
                one = lengths.base[one] + bits.take(lengths.widths[one])
                three = matches.base[three] + bits.take(matches.widths[three])
                two = offsets.base[two] + bits.take(offsets.widths[two])
        if bits.left:
            raise DamagedError("bits are left over at the end of a block")
        out += literals[used:]

    def _offset(self, raw: int, run: int) -> int:
        """RFC 8878, 3.1.1.5: the codes 1 to 3 repeat one of the last three offsets."""
        known = self._offsets
        if raw > 3:
            back = raw - 3
            self._offsets = [back, known[0], known[1]]
            return back
        which = raw - (1 if run else 0)
        if which == 0:
            return known[0]
        back = known[0] - 1 if which == 3 else known[which]
        if not back:
            raise DamagedError("a match repeats an offset of zero")
        self._offsets = [back, known[0], known[1 if which > 1 else 2]]
        return back
