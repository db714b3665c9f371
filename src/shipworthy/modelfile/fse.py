"""Finite state entropy and Huffman tables, as Zstandard uses them (RFC 8878, section 4)."""

from __future__ import annotations

from shipworthy.modelfile.lz4 import DamagedError
from shipworthy.records import dataclass

_HUFFMAN_BITS = 11
_WEIGHT_BITS = 6
_WEIGHTS = 255

Cell = tuple[int, int]


class Bits:
    """A bit stream that is read from its end; the highest set bit of the last byte marks where it begins. `left` is how
    many bits there still are; bits before the beginning are zeros for `peek`."""

    __slots__ = ("_data", "left")

    def __init__(self, data: bytes) -> None:
        if not data or not data[-1]:
            raise DamagedError("a bit stream has no end mark")
        self._data = data
        self.left = 8 * len(data) - 9 + data[-1].bit_length()

    def take(self, count: int) -> int:
        """The next `count` bits, at most 32. Raises DamagedError when there are fewer."""
        self.left = left = self.left - count
        if left < 0:
            raise DamagedError("a bit stream ends too early")
        at = left >> 3
        return int.from_bytes(self._data[at : at + 5], "little") >> (left & 7) & (1 << count) - 1

    def peek(self, count: int) -> int:
        """The next `count` bits, at most 32, without going on."""
        left = self.left - count
        if left < 0:
            return (int.from_bytes(self._data[:5], "little") << -left) & (1 << count) - 1 if self.left > 0 else 0
        at = left >> 3
        return int.from_bytes(self._data[at : at + 5], "little") >> (left & 7) & (1 << count) - 1


@dataclass(frozen=True)
class Table:
    """A decoding table: for each state its symbol, and the next state as a base and how many bits to add."""

    bits: int
    symbols: list[int]
    base: list[int]
    widths: list[int]


def table(counts: list[int], accuracy: int) -> Table:
    """Lay the symbols out (section 4.1.1); a count of -1 is a probability of less than one."""
    size = high = 1 << accuracy
    cells = [0] * size
    for symbol, count in enumerate(counts):
        if count < 0:
            high -= 1
            cells[high] = symbol
    step, at = (size >> 1) + (size >> 3) + 3, 0
    for symbol, count in enumerate(counts):
        for _ in range(count):
            cells[at] = symbol
            at = (at + step) & (size - 1)
            while at >= high:
                at = (at + step) & (size - 1)
    if at:
        raise DamagedError("the probabilities of a table do not add up")
    following = [abs(count) for count in counts]
    base, widths = [], []
    for symbol in cells:
        state = following[symbol]
        following[symbol] += 1
        width = accuracy - state.bit_length() + 1
        widths.append(width)
        base.append((state << width) - size)
    return Table(accuracy, cells, base, widths)


def distribution(data: bytes, last: int, most: int) -> tuple[list[int], int, int]:
    """The counts of symbols 0 to `last`, the accuracy in bits (at most `most`) and how many bytes they take (4.1.1)."""
    word = int.from_bytes(data[:512], "little")
    accuracy, at = (word & 15) + 5, 4
    if not data or accuracy > most:
        raise DamagedError("a table is larger than allowed")
    counts: list[int] = []
    left = 1 << accuracy
    while left > 0:
        bits = (left + 1).bit_length()
        value = word >> at & (1 << bits) - 1
        low, threshold = value & (1 << bits - 1) - 1, (1 << bits) - 2 - left
        if low < threshold:
            at += bits - 1
            value = low
        else:
            at += bits
            value -= threshold if value != low else 0
        counts.append(value - 1)
        left -= abs(value - 1)
        more = 3 if value == 1 else 0
        while more == 3:
            more = word >> at & 3
            at += 2
            counts += [0] * more
            if len(counts) > last + 1:
                raise DamagedError("a table names a code that is not defined")
    used = at + 7 >> 3
    if left or len(counts) > last + 1 or used > len(data):
        raise DamagedError("the probabilities of a table do not add up")
    return counts, accuracy, used


def huffman(data: bytes) -> tuple[list[Cell], int, int]:
    """A literals table: for each value of the next bits its symbol and length; the bits; the bytes taken (4.2.1)."""
    if not data:
        raise DamagedError("a Huffman table is missing")
    head = data[0]
    if head < 128:
        used = 1 + head
        weights = _packed_weights(data[1:used])
    else:
        count = head - 127
        used = 1 + (count + 1 >> 1)
        raw = data[1:used]
        weights = [nibble for byte in raw for nibble in (byte >> 4, byte & 15)][:count]
    if used > len(data) or len(weights) > _WEIGHTS:
        raise DamagedError("a Huffman table reaches beyond the block, or has more weights than there are bytes")
    total = sum(1 << weight - 1 for weight in weights if weight)
    bits = total.bit_length()
    rest = (1 << bits) - total
    if not total or bits > _HUFFMAN_BITS or rest & rest - 1:
        raise DamagedError("the weights of a Huffman table do not add up")
    weights.append(rest.bit_length())
    cells: list[Cell] = []
    for weight in range(1, bits + 1):
        for symbol, own in enumerate(weights):
            if own == weight:
                cells += [(symbol, bits + 1 - weight)] * (1 << weight - 1)
    if len(cells) != 1 << bits:
        raise DamagedError("the weights of a Huffman table do not add up")
    return cells, bits, used


def _packed_weights(data: bytes) -> list[int]:
    """Two states take turns until the bits run out (4.2.1.2)."""
    counts, accuracy, used = distribution(data, _WEIGHTS, _WEIGHT_BITS)
    states = table(counts, accuracy)
    bits = Bits(data[used:])
    one, two = bits.take(accuracy), bits.take(accuracy)
    weights: list[int] = []
    while len(weights) < _WEIGHTS:
        weights.append(states.symbols[one])
        width = states.widths[one]
        if width > bits.left:
            weights.append(states.symbols[two])
            return weights
        one, two = two, states.base[one] + bits.take(width)
    raise DamagedError("a Huffman table has more weights than there are bytes")


def streams(body: bytes, number: int, size: int) -> list[tuple[bytes, int]]:
    """The bit streams of literals, each with how many it holds (3.1.1.3.1.6)."""
    if number == 1:
        return [(body, size)]
    sizes = [int.from_bytes(body[at : at + 2], "little") for at in (0, 2, 4)]
    each, at, parts = (size + 3) // 4, 6, []
    for taken in sizes:
        parts.append((body[at : at + taken], each))
        at += taken
    if at >= len(body) or 3 * each > size:
        raise DamagedError("literals reach beyond the block")
    return [*parts, (body[at:], size - 3 * each)]


def unpack(data: bytes, cells: list[Cell], bits: int, count: int) -> bytes:
    """`count` literals of one stream."""
    stream = Bits(data)
    out = bytearray(count)
    peek = stream.peek
    for index in range(count):
        out[index], width = cells[peek(bits)]
        stream.left -= width
        if stream.left < 0:
            raise DamagedError("a bit stream ends too early")
    if stream.left:
        raise DamagedError("bits are left over at the end of literals")
    return bytes(out)
