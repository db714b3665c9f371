"""Attacks in PyTorch's archives: weights, TorchScript and exported programs."""

from __future__ import annotations

import json
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

from corpora.units import (
    BROKEN,
    CALLED,
    FOREIGN,
    HIDDEN,
    ODD,
    OPERATOR,
    PATH,
    REACHES,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, stream, tarred, text, torch_zip, zipped
from shipworthy.modelfile import Code

HONEST = Path(__file__).parents[1] / "data" / "models"


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
