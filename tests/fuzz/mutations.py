"""Files damaged, bytewise and by their structure: lengths that fit again around contents that do not.

Everything comes from one `random.Random`, so a seed is a file.
"""

from __future__ import annotations

import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable

from fuzz.seeds import PACK, inside
from shipworthy.modelfile.hdf5.low import lookup3

SIZE = 1 << 20
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 63) - 1)
EXTREMES_64 = (*EXTREMES, 1 << 32, 1 << 63, (1 << 64) - 1, (1 << 64) - 8)
TEXTS = ("", "../../etc/x", "/", "\0", "{{ x }}", "é\ud800", "a" * 300, "__import__('os')", "NaN", "-1", "1e999", "<a>")

Source = random.Random
Move = Callable[[Source, bytearray, bytes], None]


def _at(source: Source, out: bytearray) -> int:
    """A place: headers and footers more often than the middle."""
    size = len(out)
    kind = source.random()
    if kind < 0.3:
        return source.randrange(min(size, 128) + 1)
    if kind < 0.45:
        return size - source.randrange(min(size, 128) + 1)
    return source.randrange(size + 1)


def _flip(source: Source, out: bytearray, _: bytes) -> None:
    at = min(_at(source, out), len(out) - 1)
    out[at] ^= 1 << source.randrange(8)


def _byte(source: Source, out: bytearray, _: bytes) -> None:
    at = min(_at(source, out), len(out) - 1)
    out[at] = source.choice((0, 0xFF, 0x7F, 0x80, source.randrange(256)))


def _cut(source: Source, out: bytearray, _: bytes) -> None:
    del out[_at(source, out) :]


def _take(source: Source, out: bytearray, _: bytes) -> None:
    at = _at(source, out)
    del out[at : at + source.choice((1, 2, 4, 8, 64, 1000))]


def _put(source: Source, out: bytearray, _: bytes) -> None:
    at = _at(source, out)
    out[at:at] = source.choice((source.randbytes(source.choice((1, 4, 8, 40))), bytes(16), b"\xff" * 8))


def _number(source: Source, out: bytearray, _: bytes) -> None:
    """A length, a count or an offset at its extremes, or near the size of the file."""
    width = source.choice((1, 2, 4, 4, 8, 8))
    near = len(out) + source.randrange(-9, 9)
    value = source.choice((*EXTREMES_64, near, near)) & ((1 << 8 * width) - 1)
    at = _at(source, out) & (-width if source.random() < 0.7 else -1)
    out[at : at + width] = value.to_bytes(width, source.choice(("little", "little", "big")))


def _varint(source: Source, out: bytearray, _: bytes) -> None:
    at = _at(source, out)
    out[at : at + 1] = b"\xff" * source.choice((1, 4, 8, 9, 20)) + bytes([source.choice((0, 1, 0x7F))])


def _repeat(source: Source, out: bytearray, _: bytes) -> None:
    low, size = _at(source, out), source.choice((1, 2, 8, 30, 200))
    out[low:low] = out[low : low + size] * source.choice((1, 2, 10, 100, 2000))


def _swell(source: Source, out: bytearray, _: bytes) -> None:
    """A piece so often that the file has a few hundred kilobytes: what is not linear takes long."""
    if source.random() < 0.9:
        return
    low, size = _at(source, out), source.choice((1, 2, 3, 8, 30, 200, 1000))
    piece = bytes(out[low : low + size]) or b"("
    out[low:low] = piece * ((SIZE // source.choice((2, 4, 16))) // len(piece))


def _splice(source: Source, out: bytearray, other: bytes) -> None:
    low, at = source.randrange(len(other) + 1), _at(source, out)
    high = low + source.choice((4, 16, 64, 400, len(other)))
    if source.random() < 0.5:
        out[at:] = other[low:high]
    else:
        out[at:at] = other[low:high]


def _move(source: Source, out: bytearray, _: bytes) -> None:
    low, high = sorted((_at(source, out), _at(source, out)))
    piece = out[low : min(high, low + 500)]
    del out[low : low + len(piece)]
    at = source.randrange(len(out) + 1)
    out[at:at] = piece


def _digits(source: Source, out: bytearray, _: bytes) -> None:
    """A number in a text."""
    places = [at for at in range(min(len(out), 20_000)) if 48 <= out[at] <= 57]
    if places:
        at = source.choice(places)
        out[at : at + 1] = source.choice((b"-1", b"1e999", b"9" * 30, b"9" * 5000, b"0x1", b"NaN", b"1.5", b""))


_ANYWHERE = (_flip, _byte, _byte, _cut, _take, _put, _repeat, _swell, _splice, _move, _digits)
BYTES: tuple[Move, ...] = (*_ANYWHERE, _number, _number, _number, _varint)


def bytewise(source: Source, data: bytes, other: bytes) -> bytes:
    """One to a few changes, without regard to the format."""
    out = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        if not out:
            break
        source.choice(BYTES)(source, out, other)
    return bytes(out[:SIZE])


# by structure -------------------------------------------------------------------------------------------


def _varint_of(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at
    raise ValueError


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def fields(data: bytes) -> list[tuple[int, int, int]]:
    """The fields of a protobuf message: where each begins, where its content begins and where it ends."""
    found, at = [], 0
    while at < len(data):
        begin = at
        key, at = _varint_of(data, at)
        if key & 7 == 0:
            _, stop = _varint_of(data, at)
        elif key & 7 == 2:
            size, at = _varint_of(data, at)
            stop = at + size
        elif key & 7 in (1, 5):
            stop = at + (8 if key & 7 == 1 else 4)
        else:
            raise ValueError
        if stop > len(data) or not key >> 3:
            raise ValueError
        found.append((begin, at, stop))
        at = stop
    return found


def protobuf(source: Source, data: bytes, other: bytes, depth: int = 0) -> bytes:
    """One field somewhere in a message changed, with lengths around it that fit. Raises ValueError for other bytes."""
    found = fields(data)
    if not found:
        return _as_varint(source.randrange(1, 30) << 3 | 2) + b"\x02\x08\x01"
    begin, at, stop = source.choice(found)
    key, _ = _varint_of(data, begin)
    content = data[at:stop]
    if key & 7 == 2 and content and depth < 30 and source.random() < 0.75:
        try:
            new = protobuf(source, content, other, depth + 1)
        except ValueError:
            new = bytewise(source, content, other)[: SIZE // 2]
        return data[:begin] + _as_varint(key) + _as_varint(len(new)) + new + data[stop:]
    what = source.randrange(7)
    if what == 0:
        return data[:begin] + data[stop:]
    if what == 1:
        return data[:stop] + data[begin:stop] * source.choice((1, 3, 200)) + data[stop:]
    if what == 2:
        key = source.choice((key & 7 | source.randrange(1, 30) << 3, key & ~7 | source.randrange(8), key))
        return data[:begin] + _as_varint(key) + data[at:]
    if what == 3 and key & 7 == 2:  # a message in itself, again and again
        for _ in range(source.choice((2, 50, 3000))):
            content = _as_varint(key) + _as_varint(len(content)) + content
        return data[:begin] + content + data[stop:]
    if what == 4 and key & 7 == 0:
        return data[:at] + _as_varint(source.choice(EXTREMES_64)) + data[stop:]
    if what == 5:
        first, _, last = source.choice(found)
        return data[:begin] + data[first:last] + data[stop:]
    new = source.choice(
        (b"", content[: len(content) // 2], content * 2, source.choice(TEXTS).encode("utf-8", "ignore"))
    )
    if key & 7 != 2:
        return data[:begin] + data[stop:]
    return data[:begin] + _as_varint(key) + _as_varint(len(new)) + new + data[stop:]


def _odd_value(source: Source, value: object) -> object:
    deep: object = value
    what = source.randrange(9)
    if what == 0:
        for _ in range(source.choice((3, 90, 900))):
            deep = [deep] if source.random() < 0.5 else {"config": deep}
        return deep
    plain = (None, True, -1, 0.5, [], {}, [value], {"a": value}, *EXTREMES_64, 10**40, -(1 << 63), *TEXTS)
    if what == 1 and isinstance(value, list):
        return value * source.choice((0, 2, 300))
    if what == 2 and isinstance(value, dict):
        return {str(source.choice(TEXTS)) if source.random() < 0.3 else key: item for key, item in value.items()}
    return source.choice(plain)


def json_text(source: Source, data: bytes) -> bytes:
    """One value somewhere in a JSON text changed. Raises ValueError for other texts."""
    root = json.loads(data)
    holder: dict[object, object] | list[object] = {"": root}
    node = holder
    key: object = ""
    while isinstance(child := node[key], dict | list) and child and source.random() < 0.9:  # type: ignore[index]
        node = child
        key = source.choice(list(node)) if isinstance(node, dict) else source.randrange(len(node))
    node[key] = _odd_value(source, child)  # type: ignore[index]
    try:
        return json.dumps(holder[""]).encode()  # type: ignore[call-overload, index]
    except RecursionError:
        raise ValueError("too deep to write") from None


def _safetensors(source: Source, data: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    head = json_text(source, data[8 : 8 + size])
    return struct.pack("<Q", len(head)) + head + data[8 + size :]


def _repacked(source: Source, data: bytes, other: bytes) -> bytes:
    members = list(inside(data, "zip"))
    if not members:
        raise ValueError("not to be opened")
    chosen = source.randrange(len(members))
    members[chosen] = members[chosen][0], mutated(source, members[chosen][1], other, "")
    if source.random() < 0.2:
        members.append((source.choice(members)[0], other))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", source.choice((0, 0, 8))) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name
        for name, raw in members:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), raw)
    return buffer.getvalue()


def _tar(source: Source, data: bytes) -> bytes:
    """A field of a header, with a checksum that fits."""
    out = bytearray(data)
    at = source.randrange(max(1, len(out) // 512)) * 512
    low = source.choice((0, 0, 100, 124, 124, 124, 136, 156, 157, 257, 345))
    raw = source.choice((b"\xff" * 12, b"\x80" + b"\x7f" * 11, b"77777777777\0", b"-1\0", b"00000001000\0", b"L", b"x"))
    raw = source.choice((raw, source.choice((b"K", b"g", b"S", b"1", b"2", b"5", b"7", b"\0")), source.randbytes(6)))
    out[at + low : at + low + len(raw)] = raw
    block = out[at : at + 512]
    block[148:156] = b" " * 8
    out[at + 148 : at + 156] = b"%06o\0 " % sum(block)
    return bytes(out)


_HDF5_SIZES = {b"\x89HDF": 44, b"FRHP": 142, b"BTHD": 34, b"OHDR": 0}


def _hdf5(source: Source, data: bytes, other: bytes) -> bytes:
    """A change within a structure of HDF5, whose checksum fits again if it had one."""
    places = [(at, magic) for magic in _HDF5_SIZES for at in _all(data, magic)]
    if not places:
        raise ValueError("no structures")
    at, magic = source.choice(places)
    size = _HDF5_SIZES[magic]
    if not size:  # an object's header tells its own
        flags = data[at + 5]
        low, width = at + 6 + 16 * (flags >> 5 & 1) + 4 * (flags >> 4 & 1), 1 << (flags & 3)
        size = low + width + min(int.from_bytes(data[low : low + width], "little"), 4000) - at
    piece = data[at : at + size]
    fits = lookup3(piece) == int.from_bytes(data[at + size : at + size + 4], "little")
    inner = (piece[:4] + bytewise(source, piece[4:], other) + bytes(size))[:size]
    behind = lookup3(inner).to_bytes(4, "little") + data[at + size + 4 :] if fits else data[at + size :]
    return data[:at] + inner + behind


def _all(data: bytes, needle: bytes) -> list[int]:
    found, at = [], data.find(needle)
    while at >= 0:
        found.append(at)
        at = data.find(needle, at + 1)
    return found


def mutated(source: Source, data: bytes, other: bytes, format_: str) -> bytes:
    """`data` changed: by its structure half of the time, if it has one that is known here. `other` is for splicing."""
    if source.random() < 0.5:
        return bytewise(source, data, other)
    try:
        if format_ in PACK and source.random() < 0.9:
            content = next((content for _, content in inside(data, format_)), b"")
            return PACK[format_](mutated(source, content, other, ""))[:SIZE]
        if format_ == "zip":
            return _repacked(source, data, other)[:SIZE]
        if format_ == "tar":
            return _tar(source, data)
        if format_ == "hdf5" or data[:4] == b"\x89HDF":
            return _hdf5(source, data, other)
        if format_ == "safetensors":
            return _safetensors(source, data)
        if data[:1] in b"{[":
            return json_text(source, data)[:SIZE]
        return protobuf(source, data, other)[:SIZE]
    except (ValueError, IndexError, RecursionError):
        return bytewise(source, data, other)
