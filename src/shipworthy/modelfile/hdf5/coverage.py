"""Which bytes of an HDF5 file nothing refers to, and whether they are nothing or something."""

from __future__ import annotations

from collections.abc import Iterator

from shipworthy.modelfile.hdf5.heaps import GlobalHeaps
from shipworthy.modelfile.hdf5.low import BrokenError, File

_PIECE = 1 << 20


def overlaps(file: File) -> int | None:
    """The address of the first bytes that two structures claim, or None."""
    stop = 0
    for start, end in sorted(zip(file.starts, file.ends, strict=True)):
        if start < stop:
            return start
        stop = end
    return None


def gaps(file: File, stop: int) -> Iterator[tuple[int, int]]:
    """The regions below `stop` that nothing claims."""
    at = 0
    for start, end in sorted(zip(file.starts, file.ends, strict=True)):
        if start > at:
            yield at, min(start, stop)
        at = max(at, end)
        if at >= stop:
            return
    if at < stop:
        yield at, stop


def content(file: File, low: int, high: int) -> tuple[int, int] | None:
    """The part of a gap from its first byte that is not zero to its last, or None."""
    first = last = None
    for at in range(low, high, _PIECE):
        data = file.view.read(at, min(_PIECE, high - at))
        stripped = data.lstrip(b"\0")
        if not stripped:
            continue
        if first is None:
            first = at + len(data) - len(stripped)
        last = at + len(data.rstrip(b"\0"))
    return None if first is None or last is None else (first, last)


def unreferenced_heap(heaps: GlobalHeaps, low: int, high: int) -> int | None:
    """The end of a global heap collection at the start of a gap: datasets refer to it by their data."""
    file = heaps.file
    if file.view.read(low, 4) != b"GCOL" or low in heaps.known:
        return None
    stop = low + file.length(low + 8)
    if stop > high:
        return None
    try:
        heaps.known[low] = heaps.collection(low)
    except BrokenError:
        return None
    return stop
