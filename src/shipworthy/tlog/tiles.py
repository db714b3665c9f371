"""Where a log keeps hashes and entries (c2sp.org/tlog-tiles): files that never change once they are full.

tile/LEVEL/NUMBER            256 hashes of subtrees of 256**LEVEL entries
tile/LEVEL/NUMBER.p/WIDTH    the same, while there are only WIDTH of them
tile/entries/NUMBER          256 entries, each after its length in two bytes
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, EvidenceError
from shipworthy.files import read_regular, write_atomically
from shipworthy.tlog.merkle import node_hash

WIDTH = 256
ENTRY_LIMIT = 0xFFFF
_HASH = 32
_HEIGHT = 8


def tile_path(root: Path, level: str, number: int, width: int = WIDTH) -> Path:
    """The file: `x001/x234/067` for the number 1,234,067."""
    digits = f"{number:03d}"
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = root / "tile" / level / "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return path if width == WIDTH else path.with_name(f"{path.name}.p") / str(width)


class Tiles:
    """The hashes of a log of `size` entries, read as they are needed."""

    def __init__(self, root: Path, size: int) -> None:
        self.root, self.size = root, size
        self._read: dict[tuple[int, int], bytes] = {}

    def subtree(self, level: int, number: int) -> bytes:
        """The hash of the subtree of 2**level entries with this number. Raises EvidenceError when its tile is damaged,
        EnvironmentFailure when it cannot be read.
        """
        tile_level, height = divmod(level, _HEIGHT)
        first = number << height
        tile = self._tile(tile_level, first // WIDTH)
        at = first % WIDTH * _HASH
        hashes = [tile[at + i * _HASH : at + (i + 1) * _HASH] for i in range(1 << height)]
        if any(len(one) != _HASH for one in hashes):
            raise EvidenceError("the log lacks hashes that its size asks for", where=str(self.root))
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    def whole(self, level: int, number: int) -> bytes:
        """The hash of a full tile, which the next level begins with."""
        half = level * _HEIGHT + _HEIGHT - 1
        return node_hash(self.subtree(half, 2 * number), self.subtree(half, 2 * number + 1))

    def _tile(self, level: int, number: int) -> bytes:
        key = (level, number)
        if key not in self._read:
            count = self.size >> level * _HEIGHT
            width = min(WIDTH, count - number * WIDTH)
            if width <= 0:
                raise EvidenceError("the log lacks hashes that its size asks for", where=str(self.root))
            self._read[key] = _file(tile_path(self.root, str(level), number, width), width * _HASH)
        return self._read[key]

    def entries(self, number: int) -> list[bytes]:
        """The entries of the bundle with this number. Raises EvidenceError, EnvironmentFailure."""
        width = min(WIDTH, self.size - number * WIDTH)
        path = tile_path(self.root, "entries", number, width)
        raw = _file(path, 0)
        found, at = [], 0
        while at + 2 <= len(raw):
            (length,) = struct.unpack_from(">H", raw, at)
            found.append(raw[at + 2 : at + 2 + length])
            at += 2 + length
        if at != len(raw) or len(found) != width:
            raise EvidenceError("a file of the log's entries is damaged", where=str(path))
        return found

    def grown(self, leaves: Sequence[bytes], entries: Sequence[bytes]) -> Tiles:
        """The tiles with so many more leaves, written to the disk. Nothing that belongs to the present size is touched:
        a file that is not full yet is written anew under its new width.
        """
        grown = Tiles(self.root, self.size + len(leaves))
        self._write_entries(entries, grown.size)
        level, fresh = 0, list(leaves)
        while fresh:
            before = self.size >> level * _HEIGHT
            start = before // WIDTH * WIDTH
            known = self._tile(level, start // WIDTH) if before > start else b""
            row = [known[i : i + _HASH] for i in range(0, len(known), _HASH)] + fresh
            for at in range(0, len(row), WIDTH):
                part = b"".join(row[at : at + WIDTH])
                _keep(tile_path(self.root, str(level), (start + at) // WIDTH, len(part) // _HASH), part)
            after = (start + len(row)) >> _HEIGHT
            level += 1
            done = self.size >> level * _HEIGHT
            fresh = [grown.whole(level - 1, number) for number in range(done, after)]
        return grown

    def _write_entries(self, entries: Sequence[bytes], size: int) -> None:
        start = self.size // WIDTH * WIDTH
        row = (self.entries(start // WIDTH) if self.size > start else []) + list(entries)
        for at in range(0, len(row), WIDTH):
            part = row[at : at + WIDTH]
            raw = b"".join(struct.pack(">H", len(one)) + one for one in part)
            _keep(tile_path(self.root, "entries", (start + at) // WIDTH, len(part)), raw)
        if start + len(row) != size:
            raise EvidenceError("a file of the log's entries is damaged", where=str(self.root))


def _file(path: Path, size: int) -> bytes:
    most = size or WIDTH * (ENTRY_LIMIT + 2)
    try:
        raw = read_regular(path, most + 1)
    except FileNotFoundError:
        raise EvidenceError("a file of the log is gone", where=str(path), remedy="restore it from a copy") from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(raw) > most or (size and len(raw) != size):
        raise EvidenceError("a file of the log is damaged", where=str(path), remedy="restore it from a copy")
    return raw


def _keep(path: Path, raw: bytes) -> None:
    write_atomically(path, raw)
