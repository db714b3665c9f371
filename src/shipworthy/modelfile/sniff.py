"""Which format bytes are in, by content. A name is never looked at."""

from __future__ import annotations

import re

from shipworthy.modelfile import hints
from shipworthy.modelfile.graphs import kinds
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

HEAD = 4096
SAFETENSORS_HEADER = 100_000_000  # the cap of the safetensors library itself

HDF5 = b"\x89HDF\r\n\x1a\n"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (HDF5, "hdf5"),
    (b"GGUF", "gguf"),
    (b"lmgg", "ggml"),
    (b"fmgg", "ggml"),
    (b"tjgg", "ggml"),
    (b"algg", "ggml"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x7fELF", "elf"),
    (b"\xfe\xed\xfa\xce", "mach-o"),
    (b"\xfe\xed\xfa\xcf", "mach-o"),
    (b"\xce\xfa\xed\xfe", "mach-o"),
    (b"\xcf\xfa\xed\xfe", "mach-o"),
    (b"MZqFpD=", "ape"),
    (b"jartsr=", "ape"),
    (b"#!", "script"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x02\x21\x4c\x18", "lz4"),
    (b"PAR1", "parquet"),
    (b"PARE", "parquet"),
    (b"ARROW1", "arrow"),
    (b"CBM1", "catboost"),
    (b"RDX", "r"),
    (b"ZF0x", "joblib-zfile"),
    (b"\x0c\xdb\x3a\x2a", "ocdbt"),
    (b"\x0c\xdb\x20\xde", "ocdbt"),
    (b"\x0c\xdb\x12\x34", "ocdbt"),
    (b"\x00asm", "wasm"),
    (b"ML\xefR", "stablehlo"),
    (b"\xac\xed\x00\x05", "java"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)
TABLE_MAGIC = bytes.fromhex("57fb808b247547db")  # the last bytes of an SSTable (TensorFlow's checkpoint index)
FIRST: frozenset[int] = frozenset(magic[0] for magic, _ in _MAGIC)
_BY_FIRST = {first: [pair for pair in _MAGIC if pair[0][0] == first] for first in FIRST}
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_STABLEHLO = regex(rb"ML\xefR.StableHLO", re.DOTALL)
_TEXT = bytes((*b"\t\n\r\f", *range(0x20, 0x7F), *range(0x80, 0x100)))

EXECUTABLES = {
    "elf": "a native program or library (ELF)",
    "mach-o": "a native program or library (Mach-O)",
    "pe": "a Windows program or library (PE)",
    "ape": "a program for several systems at once (APE)",
    "wasm": "a WebAssembly program",
    "script": "a script that a shell would start",
}
ARCHIVES_NOT_READ = {"7z": "a 7z archive", "rar": "a RAR archive"}
# What raw bytes (a tensor, a byte string, a comment) may turn out to be; anything else in them is just numbers.
HIDDEN = frozenset(
    {"pickle", "zip", "tar", "npy", "gzip", "bz2", "xz", "lz4", "zstd", *EXECUTABLES, *ARCHIVES_NOT_READ}
) - {"script"}


def sniff(head: bytes, size: int | None = None) -> str | None:
    """The format that the first bytes (4 KiB are plenty) show, or None when they show none.

    `size` is the whole size in bytes if known; without it, the head is taken for a prefix. The names are those of
    `shipworthy.modelfile.support.FORMATS`. A pickle without PROTO (protocols 0 and 1) is recognised when its beginning
    walks like one; `scan` looks further than this.
    """
    if not head:
        return None
    if _safetensors(head, strict=True):  # before the magics: its first bytes are a length and may look like any of them
        return "safetensors"
    for magic, name in _BY_FIRST.get(head[0], ()):
        if head.startswith(magic):
            return name
    special = _special(head) or hints.strong(head)
    if special:
        return special
    whole = size is not None and size <= len(head)
    from shipworthy.modelfile.pickles.reader import strong_start

    if strong_start(head):
        return "pickle"
    if _text(head):
        return _text_format(head) or hints.text(head) or ("pickle" if _weak_pickle(head, whole) else "text")
    if size == 1 and head == b"\x80":
        return "msgpack"  # an empty map, which is no beginning of a pickle's
    weak = hints.weak(head)
    if weak:
        return weak
    view, length = View.of(head), (1 << 62) if size is None else size
    message = kinds.kind(view, length)
    if message and kinds.top(view, 0, length)[1]:
        return message
    # a broken message may be a pickle whose first bytes look like fields
    return "pickle" if _weak_pickle(head, whole) else message


def _special(head: bytes) -> str | None:
    if head[:2] == b"MZ" and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if head[at : at + 4] == b"PE\0\0":
            return "pe"
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:  # a frame to be skipped, before one of either kind
        return "zstd"
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[4:8] == b"\2\0\0\0" and head[8:64] == bytes(56) and head[64:68] == b"\xef\xbe\xad\xde":
        return "mil-weights"
    if head[1:4] == bytes(3) and _STABLEHLO.search(head):  # jax.export: a flatbuffer without a magic
        return "stablehlo"
    if len(head) > 262 and head[257:262] == b"ustar":
        return "tar"
    if head[:2] in _ZLIB and len(head) > 6:
        return "zlib"
    if head[:3] == b"\x5d\0\0" and len(head) > 13:
        return "lzma"
    if head[:4] == b"\xca\xfe\xba\xbe" and len(head) > 8 and 0 < int.from_bytes(head[4:8], "big") < 20:
        return "mach-o"
    if _safetensors(head, strict=False):
        return "safetensors"
    return None


def _safetensors(head: bytes, *, strict: bool) -> bool:
    """A length and a JSON object; not strict: with a length that the format does not allow."""
    if len(head) < 10:
        return False
    length = int.from_bytes(head[:8], "little")
    if not strict and 8 + length <= len(head) and _braced(head[8 : 8 + length]):
        return True
    if head[8:9] != b"{" or head[9:10] not in b'" }\n\t\r':
        return False
    return length <= SAFETENSORS_HEADER if strict else not _text(head[:8])


def _braced(header: bytes) -> bool:
    """A header that the library refuses and others may not: spaces in front, or no text between its braces."""
    return header.lstrip().startswith(b"{") and header.rstrip().endswith(b"}")


def _text(head: bytes) -> bool:
    if head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return True
    return not head.startswith(b"\x80") and not head.translate(None, _TEXT)


def _text_format(head: bytes) -> str | None:
    from shipworthy.modelfile.keras.yaml import is_yaml

    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = head[: len(head) & ~1].decode("utf-16", "replace").lstrip().encode("utf-8", "replace")
    if start.startswith((b"{", b"[")) and start[:2] not in (b"{%", b"{{", b"{#"):  # those begin a template
        return "json"
    if is_yaml(start):
        return "keras-yaml"
    return None


def _weak_pickle(head: bytes, whole: bool) -> bool:
    from shipworthy.modelfile.pickles.reader import weak_prefix, weak_trial

    return weak_trial(View.of(head)) if whole else weak_prefix(View.of(head))
