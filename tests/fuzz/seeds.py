"""What the readers' fuzzing starts from: honest and hostile files of every format, and what lies inside them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from corpora.hostile import units
from modelfile_samples import PLAIN, npy, safetensors, tarred, zipped
from shipworthy.modelfile import View, scan_view, sniff
from shipworthy.modelfile.sniff import HEAD

MODELS = Path(__file__).resolve().parent.parent / "data" / "models"
LARGEST = 64_000
NPY = {"descr": "<f8", "fortran_order": False, "shape": (2,)}


@dataclass(frozen=True)
class Seed:
    """A file to be mutated. `path` is where an honest one lies, so that its neighbours are found."""

    name: str
    format: str
    data: bytes
    path: Path | None = None
    honest: bool = False


def inside(data: bytes, format_: str) -> Iterator[tuple[str, bytes]]:
    """The files in a container, or what a compressed file holds."""
    try:
        if format_ == "zip":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    if info.file_size <= LARGEST:
                        yield info.filename, archive.read(info)
        elif format_ == "tar":
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                for member in tar.getmembers():
                    if member.isreg() and member.size <= LARGEST and (stream := tar.extractfile(member)):
                        yield member.name, stream.read()
        elif format_ in UNPACK:
            yield "content", UNPACK[format_](data)
    except Exception:  # many of the hostile ones can't be opened; then there is nothing inside
        return


UNPACK = {
    "gzip": lambda data: zlib.decompressobj(31).decompress(data, LARGEST),
    "bz2": lambda data: bz2.BZ2Decompressor().decompress(data, LARGEST),
    "xz": lambda data: lzma.LZMADecompressor(memlimit=64 << 20).decompress(data, LARGEST),
    "lzma": lambda data: lzma.LZMADecompressor(memlimit=64 << 20).decompress(data, LARGEST),
    "zlib": lambda data: zlib.decompressobj().decompress(data, LARGEST),
}
PACK = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE, preset=0),
    "zlib": lambda data: zlib.compress(data, 1),
}


def _honest() -> Iterator[tuple[str, bytes, Path | None]]:
    for path in sorted(MODELS.rglob("*")):
        if path.is_file() and path.name != "versions.txt":
            yield str(path.relative_to(MODELS)), path.read_bytes(), path
    yield "safetensors", safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(16)), None
    yield "npy", npy(NPY, bytes(16)), None
    yield "npz", zipped(("a.npy", npy(NPY, bytes(16))), ("b.npy", npy(NPY, bytes(16)))), None
    yield "tar", tarred(("a.pkl", PLAIN), ("b.npy", npy(NPY, bytes(16)))), None


def _all() -> Iterator[Seed]:
    for name, data, path in _honest():
        report = scan_view(View.of(data), path=path)
        clean = report.verdict == "clean"
        yield Seed(name, report.format or "none", data, path, clean)
        for member, content in inside(data, report.format):
            yield Seed(f"{name}!{member}", sniff(content[:HEAD], len(content)) or "none", content)
    for item in units():
        if len(item.data) <= LARGEST:
            yield Seed(item.id, sniff(item.data[:HEAD], len(item.data)) or "none", item.data)


@cache
def seeds() -> dict[str, tuple[Seed, ...]]:
    """All of them by format, in a fixed order."""
    found: dict[str, list[Seed]] = {}
    for seed in _all():
        found.setdefault(seed.format, []).append(seed)
    return {format_: tuple(items) for format_, items in sorted(found.items())}
