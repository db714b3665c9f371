"""A small writer of HDF5 (superblock 2, object headers 2), for files that the real library would not write."""

from __future__ import annotations

import struct

from shipworthy.modelfile.hdf5.low import lookup3

NOWHERE = b"\xff" * 8
FLOAT = bytes([0x11, 0x20, 0x1F, 0x00]) + struct.pack("<IHHBBBBI", 4, 0, 32, 23, 8, 0, 23, 127)
BYTE = bytes([0x10, 0, 0, 0]) + struct.pack("<IHH", 1, 0, 8)


def checked(raw: bytes) -> bytes:
    return raw + struct.pack("<I", lookup3(raw))


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("<BHB", kind, len(body), 0) + body


def header(*messages: bytes) -> bytes:
    body = b"".join(messages)
    return checked(b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body)


def space(*dims: int) -> bytes:
    return message(1, bytes([2, len(dims), 0, 1 if dims else 0]) + b"".join(struct.pack("<Q", n) for n in dims))


def attribute(name: str, value: bytes) -> bytes:
    kind = b"\x13\0\0\0" + struct.pack("<I", len(value))
    parts = (name.encode() + b"\0", kind, b"\x02\0\0\0")
    return message(12, b"\x03\0" + struct.pack("<HHHB", *map(len, parts), 0) + b"".join(parts) + value)


def link(name: str, kind: int, value: bytes | int) -> bytes:
    head = b"\x01\x08" + bytes([kind, len(name)]) + name.encode()
    if isinstance(value, int):
        return message(6, head + struct.pack("<Q", value))
    return message(6, head + struct.pack("<H", len(value)) + value)


def contiguous(address: int | None, size: int) -> bytes:
    return message(
        8, b"\x03\x01" + (NOWHERE if address is None else struct.pack("<Q", address)) + struct.pack("<Q", size)
    )


def chunked(*dims: int) -> bytes:
    return message(8, b"\x03\x02" + bytes([len(dims)]) + NOWHERE + b"".join(struct.pack("<I", n) for n in dims))


def filtered(number: int) -> bytes:
    return message(11, b"\x02\x01" + struct.pack("<HHHH", number, 0, 0, 0))


class Writer:
    """Pieces are put one behind the other; the root group comes last."""

    def __init__(self) -> None:
        self.body = b""

    def put(self, raw: bytes) -> int:
        at = 48 + len(self.body)
        self.body += raw
        return at

    def finish(self, *messages: bytes, end: int | None = None) -> bytes:
        root = self.put(header(*messages))
        stop = 48 + len(self.body) if end is None else end
        head = b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00" + struct.pack("<Q", 0) + NOWHERE + struct.pack("<QQ", stop, root)
        return checked(head) + self.body


def group(*messages: bytes) -> bytes:
    """A file with nothing but a root group of these messages."""
    return Writer().finish(*messages)


def weights(raw: bytes = bytes(16), *more: bytes) -> bytes:
    """A dataset of floats, and what else its header holds."""
    file = Writer()
    data = file.put(raw)
    target = file.put(header(space(len(raw) // 4), message(3, FLOAT), contiguous(data, len(raw)), *more))
    return file.finish(link("w", 0, target))


def dataset(*messages: bytes) -> bytes:
    """A dataset with this header."""
    file = Writer()
    return file.finish(link("w", 0, file.put(header(*messages))))


def external(name: str) -> bytes:
    """A dataset whose bytes lie in another file."""
    file = Writer()
    names = b"\0" * 8 + name.encode() + b"\0"
    names += b"\0" * (-len(names) % 8)
    data = file.put(names)
    heap = file.put(b"HEAP\0\0\0\0" + struct.pack("<QQQ", len(names), 1, data))
    listed = b"\x01\0\0\0" + struct.pack("<HHQQQQ", 1, 1, heap, 8, 0, 16)
    target = file.put(header(space(4), message(3, FLOAT), message(7, listed), contiguous(None, 16)))
    return file.finish(link("w", 0, target))
