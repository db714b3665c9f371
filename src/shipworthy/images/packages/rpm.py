"""What rpm says that it installed: its database as SQLite, as ndb, and as Berkeley DB's hash."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator

from shipworthy.images.errors import ImageError
from shipworthy.images.packages.package import Package

_HEADERS = 100_000
_STEPS = 50_000_000  # of SQLite's machine
_LARGEST = 64 << 20  # bytes of one header
_INT32, _STRING, _STRINGS, _I18N = 4, 6, 8, 9
_TAGS = {1000: "name", 1001: "version", 1002: "release", 1003: "epoch", 1011: "vendor", 1014: "licence", 1022: "arch",
         1044: "sourcerpm"}  # fmt: skip
SQLITE_MAGIC, NDB_MAGIC, BDB_MAGIC = b"SQLite format 3\0", b"RpmP", 0x00061561


def packages(data: bytes) -> Iterator[Package]:
    """The packages of a database, whatever its form. Raises ImageError for what cannot be read."""
    if data.startswith(SQLITE_MAGIC):
        headers = _sqlite(data)
    elif data.startswith(NDB_MAGIC):
        headers = _ndb(data)
    elif BDB_MAGIC in (int.from_bytes(data[12:16], "little"), int.from_bytes(data[12:16], "big")):
        headers = _bdb(data)
    else:
        raise ImageError("the database of rpm is in no known form")
    for number, blob in enumerate(headers):
        if number >= _HEADERS:
            raise ImageError(f"the database of rpm lists more than {_HEADERS:,} packages")
        found = _package(blob)
        if found is not None:
            yield found


def _package(blob: bytes) -> Package | None:
    """A header (rpm, `docs/manual/hregions.md` and `format_header.md`): an index of tags, then their data."""
    tags = _tags(blob)
    name, version = tags.get("name", ""), tags.get("version", "")
    if not name or name == "gpg-pubkey":
        return None
    release = tags.get("release", "")
    full = f"{version}-{release}" if release else version
    source, source_version = _source(tags.get("sourcerpm", ""), name, full)
    epoch = tags.get("epoch", "")
    return Package(
        "rpm",
        name,
        full,
        source=source,
        source_version=source_version,
        architecture=tags.get("arch", ""),
        epoch="" if epoch == "0" else epoch,
        licence=tags.get("licence", "")[:60],
    )


def _source(file: str, name: str, version: str) -> tuple[str, str]:
    """`bash-5.2.26-1.fc40.src.rpm` is of bash, version 5.2.26-1.fc40."""
    parts = file.removesuffix(".rpm").removesuffix(".nosrc").removesuffix(".src").rsplit("-", 2)
    return (parts[0], f"{parts[1]}-{parts[2]}") if len(parts) == 3 else (name, version)


def _tags(blob: bytes) -> dict[str, str]:
    if len(blob) < 8:
        raise ImageError("a header of rpm is cut short")
    count, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * count
    if count > 100_000 or start + size > len(blob):
        raise ImageError("a header of rpm is cut short")
    found: dict[str, str] = {}
    for at in range(8, start, 16):
        tag, kind, offset, number = struct.unpack_from(">IIII", blob, at)
        key = _TAGS.get(tag)
        if key is None or key in found or offset >= size or not number:
            continue
        if kind == _INT32 and offset + 4 <= size:
            found[key] = str(struct.unpack_from(">I", blob, start + offset)[0])
        elif kind in (_STRING, _STRINGS, _I18N):
            end = blob.find(b"\0", start + offset, start + size)
            if end >= 0:
                found[key] = blob[start + offset : min(end, start + offset + 300)].decode("utf-8", "replace")
    return found


def _sqlite(data: bytes) -> Iterator[bytes]:
    """`Packages(hnum, blob)`, opened in memory, which a table must be and no view."""
    # A database in WAL mode cannot be opened from memory; without its log, which an image has not, both are the same.
    plain = data[:18] + b"\1\1" + data[20:]
    connection = sqlite3.connect(":memory:")
    connection.text_factory = bytes
    steps = 0

    def enough() -> int:
        nonlocal steps
        steps += 1
        return steps * 10_000 > _STEPS

    try:
        connection.deserialize(plain)
        connection.set_progress_handler(enough, 10_000)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        kinds = connection.execute("SELECT type FROM sqlite_master WHERE name='Packages'").fetchall()
        if kinds != [(b"table",)]:
            raise ImageError("the database of rpm has no table of packages")
        for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
            if not isinstance(blob, bytes) or len(blob) > _LARGEST:
                raise ImageError("the database of rpm holds something else than headers")
            yield blob
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError):  # its messages quote what is damaged
        raise ImageError("the database of rpm is damaged") from None
    finally:
        connection.close()


def _ndb(data: bytes) -> Iterator[bytes]:
    """See rpm's `lib/backend/ndb/rpmpkg.c`: pages of slots, which say where a package lies."""
    pages = struct.unpack_from("<I", data, 12)[0] if len(data) >= 32 else 0
    end = pages * 4096
    if not 0 < pages <= 2048 or end > len(data):
        raise ImageError("the database of rpm is damaged")
    for at in range(32, end, 16):
        magic, index, offset, blocks = struct.unpack_from("<4sIII", data, at)
        if magic != b"Slot":
            raise ImageError("the database of rpm is damaged")
        if not index or not offset:
            continue
        start = offset * 16
        if start + 16 > len(data):
            raise ImageError("the database of rpm is damaged")
        kind, own, _, length = struct.unpack_from("<4sIII", data, start)
        if kind != b"BlbS" or own != index or length > min(_LARGEST, blocks * 16) or start + 16 + length > len(data):
            raise ImageError("the database of rpm is damaged")
        yield data[start + 16 : start + 16 + length]


def _bdb(data: bytes) -> Iterator[bytes]:
    """Berkeley DB's hash (`dbinc/db_page.h`): pages with pairs of keys and values; long values have pages of their
    own, one after another."""
    order = "<" if int.from_bytes(data[12:16], "little") == BDB_MAGIC else ">"
    if len(data) < 512:
        raise ImageError("the database of rpm is damaged")
    size, last = struct.unpack_from(f"{order}I", data, 20)[0], struct.unpack_from(f"{order}I", data, 32)[0]
    if size not in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536) or data[25] != 8:
        raise ImageError("the database of rpm is damaged")
    budget = [len(data) // size + 1]  # pages of long values, each used once
    for number in range(1, min(last, len(data) // size - 1) + 1):
        page = data[number * size : (number + 1) * size]
        entries, kind = struct.unpack_from(f"{order}H", page, 20)[0], page[25]
        if kind not in (2, 13):  # not of the hash, or empty
            continue
        if 26 + 2 * entries > size:
            raise ImageError("the database of rpm is damaged")
        offsets = struct.unpack_from(f"{order}{entries}H", page, 26)
        for offset in offsets[1::2]:
            if offset + 12 <= size and page[offset] == 3:  # beside it only short values: rpm's own counter
                first, length = struct.unpack_from(f"{order}II", page, offset + 4)
                yield _long_value(data, order, size, first, length, budget)


def _long_value(data: bytes, order: str, size: int, page: int, length: int, budget: list[int]) -> bytes:
    if length > _LARGEST:
        raise ImageError("the database of rpm is damaged")
    parts: list[bytes] = []
    have = 0
    while page and have < length:
        at = page * size
        budget[0] -= 1
        if at + size > len(data) or data[at + 25] != 7 or budget[0] < 0:
            raise ImageError("the database of rpm is damaged")
        following, used = (
            struct.unpack_from(f"{order}I", data, at + 16)[0],
            struct.unpack_from(f"{order}H", data, at + 22)[0],
        )
        parts.append(data[at + 26 : at + 26 + min(used, size - 26)])
        have += len(parts[-1])
        page = following
    if have < length:
        raise ImageError("the database of rpm is damaged")
    return b"".join(parts)[:length]
