"""Attacks under compression, and NumPy's own files."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    FOREIGN,
    HIDDEN,
    ODD,
    PATH,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, npy, torch_zip, zipped
from shipworthy.modelfile import Code

SUFFIXES = (
    "bin pt pth ckpt dat data model joblib p pk npy npz pdparams weights txt json png safetensors onnx gguf h5 keras "
    "tflite pb mlmodel rds parquet xml yaml md csv jpg pkl.gz.bak ''"
).split()


HEADER = {"descr": "<f8", "fortran_order": False, "shape": (2,)}


def xxh32(data: bytes) -> int:
    """The checksum of LZ4's frame headers, for fewer than 16 bytes."""
    mask, total = 0xFFFFFFFF, 374761393 + len(data) & 0xFFFFFFFF
    while len(data) >= 4:
        total = total + int.from_bytes(data[:4], "little") * 3266489917 & mask
        total = ((total << 17 | total >> 15) & mask) * 668265263 & mask
        data = data[4:]
    for byte in data:
        total = total + byte * 374761393 & mask
        total = ((total << 11 | total >> 21) & mask) * 2654435761 & mask
    total = (total ^ total >> 15) * 2246822519 & mask
    total = (total ^ total >> 13) * 3266489917 & mask
    return total ^ total >> 16


def lz4(data: bytes, blocks: bytes = b"") -> bytes:
    """A frame of one block that is not compressed, or of these blocks."""
    head = b"\x60\x70"
    body = blocks or struct.pack("<I", len(data) | 1 << 31) + data
    return b"\x04\x22\x4d\x18" + head + bytes([xxh32(head) >> 8 & 255]) + body + bytes(4)


def lz4_bomb(megabytes: int) -> bytes:
    """Blocks of one literal and a match as long as the block."""
    block = b"\x1f\0\x01\0" + b"\xff" * 16_000 + b"\0" + b"\x50" + bytes(5)
    return lz4(b"", (struct.pack("<I", len(block)) + block) * (megabytes // 4))


def zstd(data: bytes) -> bytes:
    """A frame of one raw block."""
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data)) + (len(data) << 3 | 1).to_bytes(3, "little") + data


def zstd_bomb(megabytes: int) -> bytes:
    """Blocks that repeat one byte."""
    count = megabytes * 8
    blocks = [((1 << 17) << 3 | 2 | (n == count - 1)).to_bytes(3, "little") + b"\0" for n in range(count)]
    return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", count << 17) + b"".join(blocks)


def zfile(data: bytes, size: int | None = None) -> bytes:
    return b"ZF" + hex(len(data) if size is None else size).encode().ljust(19) + zlib.compress(data)


def alone(data: bytes) -> bytes:
    return lzma.compress(data, format=lzma.FORMAT_ALONE)


PACKERS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": alone,
    "zlib": zlib.compress,
    "lz4": lz4,
    "zstd": zstd,
    "ZF": zfile,
}


def compressed() -> Iterator[Unit]:
    family = "compressed"
    for key, pack in PACKERS.items():
        file = f"model.joblib.{key.lower()}"
        yield unit(family, key, pack(EVIL), CALLED, file)
        yield unit(family, f"{key} behind a harmless stream", pack(PLAIN + EVIL), CALLED, file)
        yield unit(family, f"{key} of a torch archive", pack(torch_zip(EVIL)), CALLED, file)
        yield unit(family, f"{key}, payload behind the end", pack(PLAIN) + EVIL, HIDDEN | BROKEN, file, True)
        yield unit(family, f"{key}, cut", pack(EVIL)[:-6], BROKEN | CALLED, file, True)
    for key in ("gzip", "bz2", "xz", "lz4", "zstd"):
        pack = PACKERS[key]
        yield unit(family, f"{key} twice", pack(pack(EVIL)), CALLED, f"m.{key}")
        yield unit(family, f"{key}, second member", pack(PLAIN) + pack(EVIL), HIDDEN, f"m.{key}")
    everything = EVIL
    for pack in PACKERS.values():
        everything = pack(everything)
    yield unit(family, "all in all", everything, CALLED | BOMB, "m.pkl")
    deep = EVIL
    for _ in range(40):
        deep = gzip.compress(deep)
    yield unit(family, "gzip forty times", deep, CALLED | BOMB, "m.pkl.gz")
    yield unit(
        family,
        "gzip with a path as its name",
        b"\x1f\x8b\x08\x08" + bytes(6) + b"../../x\0" + gzip.compress(EVIL)[10:],
        CALLED | PATH,
        "m.gz",
    )
    yield unit(
        family, "zstd after a skippable frame", b"\x50\x2a\x4d\x18\x04\0\0\0evil" + zstd(EVIL), CALLED | ODD, "m.zst"
    )
    yield unit(
        family,
        "skippable frame holds the payload",
        b"\x50\x2a\x4d\x18" + struct.pack("<I", len(EVIL)) + EVIL + zstd(PLAIN),
        HIDDEN,
        "m.zst",
    )
    yield unit(
        family,
        "lz4 in the legacy format",
        b"\x02\x21\x4c\x18" + struct.pack("<I", len(EVIL)) + EVIL,
        CALLED | ODD | FOREIGN,
        "m.lz4",
    )
    yield unit(family, "ZF with a wrong length", zfile(EVIL, 5), CALLED | BROKEN, "m.joblib", True)
    zeros = bytes(16 << 20)
    yield unit("bombs", "gzip", gzip.compress(zeros) * 40, BOMB, "m.pkl.gz", True)
    yield unit("bombs", "bz2", bz2.compress(zeros) * 40, BOMB, "m.pkl.bz2", True)
    yield unit("bombs", "xz", lzma.compress(zeros, preset=0) * 40, BOMB, "m.pkl.xz", True)
    yield unit("bombs", "lz4", lz4_bomb(640), BOMB, "m.lz4", True)
    yield unit("bombs", "zstd", zstd_bomb(640), BOMB, "m.zst", True)
    member = zipped(*((f"{n}.bin", zeros) for n in range(20)), method=zipfile.ZIP_DEFLATED)
    yield unit("bombs", "zip", member, BOMB, "m.zip", True)
    yield unit("bombs", "zip in zip", zipped(*((f"{n}.zip", member) for n in range(16)), method=8), BOMB, "m.pt", True)
    yield unit(
        "bombs",
        "npz",
        zipped(("a.npy", npy({**HEADER, "shape": (1 << 60,)}, zeros)), method=8),
        BOMB | ODD,
        "m.npz",
        True,
    )


def numpy() -> Iterator[Unit]:
    def array(key: str, codes: frozenset[Code], body: bytes = bytes(16), **changes: object) -> Unit:
        return unit("numpy", key, npy({**HEADER, **changes}, body), codes, "a.npy")

    yield array("objects", CALLED, EVIL, descr="|O", shape=(1,))
    yield array("structured objects", CALLED, EVIL, descr=[("a", "<f8"), ("b", "|O")], shape=(1,))
    yield array("objects in a subarray", CALLED, EVIL, descr=[("a", "|O", (2,))], shape=(1,))
    yield array("2^60 elements", BOMB, shape=(1 << 60,))
    yield array("product overflows", BOMB, shape=(1 << 33, 1 << 33))
    yield array("negative shape", BROKEN, shape=(-2,))
    yield array("payload behind the array", HIDDEN, bytes(16) + EVIL)
    yield array("unknown key", BROKEN | ODD, evil="x")
    yield array("alignment and objects", CALLED, EVIL, descr="O8", shape=())
    code = b"{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,)}\n"
    yield unit(
        "numpy",
        "header is a call",
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(code)) + code + bytes(8),
        BROKEN | CALLED,
        "a.npy",
    )
    nest = b"{'descr': " + b"(" * 5000 + b")" * 5000 + b", 'fortran_order': False, 'shape': (1,)}\n"
    yield unit(
        "numpy",
        "header nested deep",
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(nest)) + nest + bytes(8),
        BOMB,
        "a.npy",
        True,
    )
    yield unit("numpy", "header longer than the file", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{}", BROKEN, "a.npy", True)
    yield unit("numpy", "version 9", b"\x93NUMPY\x09\x00" + npy(HEADER, bytes(16))[8:], BROKEN, "a.npy", True)
    good = npy(HEADER, bytes(16))
    yield unit("numpy", "pickle in an npz", zipped(("w.npy", EVIL)), CALLED, "a.npz")
    yield unit(
        "numpy",
        "objects in an npz",
        zipped(("a.npy", good), ("b.npy", npy({**HEADER, "descr": "|O"}, EVIL))),
        CALLED,
        "a.npz",
    )
    yield unit("numpy", "npz within npz", zipped(("a.npy", good), ("b.npz", zipped(("c.npy", EVIL)))), CALLED, "a.npz")
    yield unit("numpy", "two arrays in one file", good + good, ODD, "a.npy", True)
    yield unit("numpy", "pickle instead of an array", EVIL, CALLED, "a.npy")
