"""Which shared libraries a program needs, by its own dynamic section. Source: System V ABI, "Dynamic Linking"."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import UsageError

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3
_NEEDED, _STRTAB, _RPATH, _RUNPATH = 1, 5, 15, 29
_BYTES, _ENTRIES, _TEXT = 256 << 20, 10_000, 4096


@dataclass(frozen=True)
class Elf:
    """What a program asks for: names of libraries, where to look first, the program that loads it (libraries: "")."""

    needed: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    interpreter: str = ""


def read(path: Path) -> Elf:
    """Read a 64-bit little-endian ELF file. Raises UsageError for what is none or is broken."""
    data = path.read_bytes() if path.stat().st_size <= _BYTES else b""
    try:
        return _read(data, path)
    except (struct.error, IndexError, ValueError):
        raise UsageError("is no 64-bit ELF file, or is broken", where=str(path)) from None


def _read(data: bytes, path: Path) -> Elf:
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, start + size * number) for number in range(count)]
    interpreter, dynamic = "", b""
    for kind, _, offset, _, _, length, *_ in headers:
        if kind == _INTERPRETER:
            interpreter = data[offset : offset + min(length, _TEXT)].rstrip(b"\0").decode()
        elif kind == _DYNAMIC:
            dynamic = data[offset : offset + min(length, 16 * _ENTRIES)]
    pairs = [struct.unpack_from("<QQ", dynamic, place) for place in range(0, len(dynamic) - 15, 16)]
    table = next((value for tag, value in pairs if tag == _STRTAB), 0)
    loads = [one for one in headers if one[0] == _LOAD and one[3] <= table < one[3] + one[5]]
    strings = table - loads[0][3] + loads[0][2] if loads else 0

    def text(offset: int) -> str:
        end = data.index(b"\0", strings + offset, strings + offset + _TEXT)
        return data[strings + offset : end].decode()

    origin = str(path.resolve().parent)
    search = [text(value) for tag, value in pairs if tag in (_RPATH, _RUNPATH)]
    places = [one.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for line in search for one in line.split(":")]
    return Elf(tuple(text(value) for tag, value in pairs if tag == _NEEDED), tuple(places), interpreter)


def libraries(programs: Iterable[Path], folders: Iterable[Path]) -> dict[str, Path]:
    """All shared libraries that the programs need, and those need in turn: name to file. `folders` are where the
    system looks. Raises UsageError for one that is not found."""
    found: dict[str, Path] = {}
    standard = list(folders)
    waiting = list(programs)
    while waiting:
        one = waiting.pop()
        elf = read(one)
        for name in elf.needed:
            if name in found or name.startswith(("ld-linux", "ld-musl")):
                continue
            places = [folder / name for folder in (*map(Path, elf.search), *standard)]
            place = next((each for each in places if each.is_file()), None)
            if place is None:
                raise UsageError(f"the library {name} is not found", where=str(one), remedy="install it")
            found[name] = place
            waiting.append(place)
    return found
