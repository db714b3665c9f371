"""Hostile pickles whose opcodes mislead: state, lengths, frames, raw arrays, allowed names called. Never loaded."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Iterator

from corpora.hostile_pickles import RUN, SHELL, listed
from corpora.hostile_ways import IMPORTED, MAP, ORDERED, RESOLVED, SYSTEM, frame, get, put
from corpora.units import BOMB, BROKEN, CALLED, HIDDEN, NAMED, ODD, TAMPERED, Unit, unit
from modelfile_samples import (
    ECHO,
    EVIL,
    PLAIN,
    arguments,
    atom,
    call,
    joblib_array,
    name,
    reduced,
    stream,
    text,
    torch_zip,
)
from shipworthy.modelfile import Code


def state(target: bytes, *pairs: tuple[str, bytes]) -> bytes:
    return stream(target + b"}(" + b"".join(text(key) + value for key, value in pairs) + b"ub")


EMPTY = ORDERED + b")R"
ESTIMATOR = name("sklearn.linear_model._logistic", "LogisticRegression") + b")\x81"
STATES: dict[str, bytes] = {
    "__setstate__ becomes a shell": stream(EMPTY + b"}" + text("__setstate__") + SHELL + b"sb" + text(ECHO) + b"b"),
    "__reduce__": state(EMPTY, ("__reduce__", SHELL)),
    "__class__": state(EMPTY, ("__class__", name("subprocess", "Popen"))),
    "__del__": state(ESTIMATOR, ("__del__", SHELL)),
    "method of an estimator": state(ESTIMATOR, ("predict", SHELL)),
    "allowed function as a method": state(ESTIMATOR, ("predict", name("builtins", "eval"))),
    "class itself": state(ORDERED, ("__init__", SHELL)),
    "class itself, harmless value": state(
        name("sklearn.linear_model._logistic", "LogisticRegression"), ("predict", text("x"))
    ),
    "slots of a class": stream(ORDERED + b"N}" + text("__call__") + SHELL + b"s\x86b"),
    "function's code": state(name("numpy", "size"), ("__code__", b"N")),
    "function's defaults": stream(name("numpy", "mean") + b"N}" + text("__defaults__") + b")s\x86b"),
    "function's globals": stream(
        name("numpy", "size")
        + put(1)
        + name("numpy", "__builtins__")
        + put(3)
        + b"0}}"
        + text("shape")
        + get(3)
        + b"s\x86b"
        + get(1)
        + get(1)
        + text("eval")
        + b"\x86R"
        + text("1")
        + b"\x85R"
    ),
    "module's attribute": state(name("logging", "os"), ("system", SHELL)),
    "torch module": state(name("torch.nn.modules.linear", "Linear") + b")\x81", ("forward", SHELL)),
    "torch hooks": state(
        name("torch.nn.modules.linear", "Linear") + b")\x81", ("_forward_hooks", b"}J\0\0\0\0" + SHELL + b"s")
    ),
    "torch class": state(name("torch.nn.modules.linear", "Linear"), ("forward", SHELL)),
    "numpy dtype's metadata": stream(
        name("numpy", "dtype")
        + arguments("f8")
        + b"R("
        + atom(4)
        + text("<")
        + b"NNN"
        + atom(-1)
        + atom(-1)
        + atom(0)
        + b"}"
        + text("x")
        + SHELL
        + RUN
        + b"stb"
    ),
    "ndarray of objects by state": stream(
        reduced("numpy.core.multiarray", "_reconstruct", [name("numpy", "ndarray")], [arguments(0)], b"b")
        + arguments(1, [arguments(1)], [reduced("numpy", "dtype", "O")], False, [listed([SHELL + RUN])])
        + b"b"
    ),
    "random state": stream(reduced("numpy.random._pickle", "__generator_ctor", [SHELL])),
    "bit generator": stream(reduced("numpy.random._pickle", "__bit_generator_ctor", [name("subprocess", "Popen")])),
    "BUILD of a reduce": stream(reduced("functools", "partial", [name("numpy", "mean")]) + SHELL + b"b"),
}
# Lies about lengths and frames: the unpicklers of CPython differ, or memory runs out.
LIES: dict[str, tuple[bytes, frozenset[Code]]] = {
    "frame cuts a name": (b"\x80\x04" + frame(4) + b"cxxxos\nsystem\n.", BROKEN | NAMED),
    "frame goes on behind STOP": (b"\x80\x04" + frame(8) + b"N.xxxxxxcos\nsystem\n.", BROKEN | NAMED),
    "frame in a frame": (b"\x80\x04" + frame(30) + frame(2) + b"N0cos\nsystem\n." + b"N" * 40, BROKEN | NAMED),
    "frame beyond the file": (b"\x80\x04" + frame(1 << 40) + b"N.", BROKEN),
    "frame of 2^63": (b"\x80\x04" + frame(1 << 63) + b"N.", BROKEN),
    "frame cuts a string": (b"\x80\x04" + frame(3) + b"\x8c\x08abcosystem00N.", BROKEN),
    "frame cuts STACK_GLOBAL": (
        b"\x80\x04" + frame(8) + text("posix") + text("system") + b"\x93" + RUN + b".",
        BROKEN | CALLED,
    ),
    "frame cuts an integer": (b"\x80\x04" + frame(2) + b"J\0\0\0\0" + b".", BROKEN),
    "bytes of 2^50": (stream(b"B\0\0\0\x7f"), BOMB),
    "bytearray of 2^50": (b"\x80\x05\x96" + struct.pack("<Q", 1 << 50) + b"x.", BOMB),
    "memo key of 2^31": (stream(b"Nr\xff\xff\xff\x7f"), BOMB),
    "memo key of 2^60 as text": (stream(b"Np1152921504606846976\n"), BOMB),
    "LONG4 of 2^31": (stream(b"\x8b\xff\xff\xff\x7f1"), BOMB),
    "negative LONG4": (stream(b"\x8b\xff\xff\xff\xff"), BROKEN),
    "negative BINSTRING": (b"\x80\x02T\xff\xff\xff\xff.", BROKEN),
    "negative PUT": (b"\x80\x02Np-1\n.", BROKEN),
    "doubled tuples": (stream(b"N" + b"2\x86" * 200 + b"N"), BOMB | {Code.STATE_TAMPERING}),
    "name without an end": (b"\x80\x02cos\nsystemX", BROKEN | NAMED),
    "STOP alone": (b"\x80\x04.", BROKEN),
    "junk behind STOP": (PLAIN + b"\x01\x02\x03\x04" * 50, ODD),
    "text behind STOP": (PLAIN + b"#!/bin/sh\necho\n", ODD | {Code.FOREIGN_CONTENT}),
    "program behind STOP": (PLAIN + b"\x7fELF\x02\x01\x01" + bytes(200), ODD | {Code.FOREIGN_CONTENT}),
}


def raw(count: int) -> bytes:
    return bytes((n * 89 + 7) % 251 for n in range(count))


JOBLIB: dict[str, tuple[bytes, frozenset[Code]]] = {
    "behind an array": (stream(joblib_array(raw(512), 64), SHELL, RUN, b"\x86"), CALLED),
    "behind two arrays": (stream(joblib_array(raw(80), 10), joblib_array(raw(8), 1), SHELL, RUN), CALLED),
    "within a larger array": (stream(joblib_array(raw(8), 1) + raw(64), SHELL, RUN), BROKEN | CALLED),
    "array of objects": (stream(joblib_array(EVIL, 1, "O")), CALLED),
    "array of 2^50": (stream(joblib_array(raw(8), 1 << 30)), BOMB),
    "negative shape": (stream(joblib_array(raw(8), -1), SHELL, RUN), BROKEN | CALLED),
    "unknown type": (stream(joblib_array(raw(8), 1, "x9"), SHELL, RUN), BROKEN | CALLED),
    "subclass is a shell": (
        stream(joblib_array(raw(8), 1).replace(name("numpy", "ndarray"), name("posix", "system"))),
        TAMPERED,
    ),
    "subclass is memmap": (
        stream(joblib_array(raw(8), 1).replace(name("numpy", "ndarray"), name("numpy", "memmap"))),
        TAMPERED | {Code.UNKNOWN_NAME},
    ),
    "old wrapper that names a file": (
        stream(
            name("joblib.numpy_pickle", "NDArrayWrapper")
            + b")\x81}"
            + text("filename")
            + text("../../etc/passwd")
            + b"sb"
        ),
        NAMED | TAMPERED | {Code.PATH_TRAVERSAL, Code.EXTERNAL_DATA},
    ),
    "old wrapper of zlib": (
        stream(name("joblib.numpy_pickle", "ZNDArrayWrapper") + b")\x81}" + text("filename") + text("/tmp/x") + b"sb"),
        NAMED | TAMPERED | {Code.PATH_TRAVERSAL, Code.EXTERNAL_DATA},
    ),
}
# Classes and functions that honest files name, called by an attacker: constructors that open, write, load or run.
CONSTRUCTORS = {
    "numpy:ndarray": ([name("subprocess", "Popen")],),
    "numpy:recarray": ("/tmp/x",),
    "numpy:dtype": ([SHELL],),
    "numpy:load": ("/tmp/x",),
    "numpy.random:RandomState": ([SHELL],),
    "numpy.ma.core:MaskedArray": ([SHELL + RUN],),
    "numpy.core.multiarray:_reconstruct": ([name("numpy", "memmap")], [arguments("/tmp/x")], b"b"),
    "numpy.core.multiarray:scalar": ([reduced("numpy", "dtype", "O")], EVIL),
    "numpy._core.multiarray:scalar": ([reduced("numpy", "dtype", "O")], EVIL),
    "numpy.ma.core:_mareconstruct": ([name("subprocess", "Popen")], None, None, None),
    "numpy:ufunc": ("x",),
    "numpy.core:_ufunc_reconstruct": ("os", "system"),
    "numpy._core:_ufunc_reconstruct": ("os", "system"),
    "numpy.polynomial.polynomial:Polynomial": ([SHELL],),
    "scipy.interpolate._interpolate:interp1d": ([SHELL],),
    "scipy.stats._distn_infrastructure:rv_frozen": ([SHELL],),
    "scipy.sparse._csr:csr_matrix": ([SHELL],),
    "pandas.core.frame:DataFrame": ([SHELL + RUN],),
    "pandas.core.series:Series": ([SHELL],),
    "pandas._libs.internals:_unpickle_block": ([SHELL], [SHELL], 1),
    "pandas.core.indexes.base:_new_Index": ([name("subprocess", "Popen")], [b"}"]),
    "pandas._libs.arrays:__pyx_unpickle_NDArrayBacked": ([name("subprocess", "Popen")], 1, None),
    "sklearn.tree._tree:Tree": ([SHELL],),
    "sklearn.ensemble._forest:RandomForestClassifier": ([SHELL],),
    "sklearn.feature_extraction.text:TfidfVectorizer": ("filename", "utf-8", "x", None, True, [SHELL]),
    "sklearn.utils._bunch:Bunch": ([SHELL],),
    "sklearn.metrics._scorer:_PredictScorer": ([SHELL], 1, [b"}"]),
    "sklearn.base:BaseEstimator": ("x",),
    "torch.nn.modules.container:Sequential": ([SHELL],),
    "torch._utils:_rebuild_tensor_v2": ([SHELL], 0, [b")"], [b")"], False, [b"}"]),
    "torch._utils:_rebuild_parameter_with_state": (1, False, [b"}"], [b"}" + text("grad_fn") + SHELL + b"s"]),
    "torch._utils:_rebuild_wrapper_subclass": ([name("subprocess", "Popen")],),
    "torch._tensor:_rebuild_from_type_v2": ([SHELL], [name("builtins", "object")], [arguments(ECHO)], [b"}"]),
    "torch.nn.parameter:Parameter": ([SHELL],),
    "torch.optim.lr_scheduler:LambdaLR": ([SHELL],),
    "torch.utils.data.dataset:TensorDataset": ([SHELL],),
    "torch:device": ([SHELL],),
    "xgboost.sklearn:XGBClassifier": ("/tmp/x",),
    "xgboost.core:Booster": ([b"}"], [b"]"], "/tmp/model"),
    "lightgbm.sklearn:LGBMClassifier": ("/tmp/x",),
    "collections:OrderedDict": ([MAP + arguments([SHELL], [SYSTEM]) + b"R"],),
    "collections:Counter": ([MAP + arguments([SHELL], [SYSTEM]) + b"R"],),
    "collections:defaultdict": ([name("subprocess", "Popen")],),
    "builtins:bytearray": (1 << 30,),
    "builtins:list": ([MAP + arguments([SHELL], [SYSTEM]) + b"R"],),
    "builtins:range": ([SHELL],),
    "builtins:bytes": (1 << 30, [SHELL]),
    "re:_compile": ("(a+)+$", [SHELL]),
    "datetime:datetime": ([SHELL],),
    "pathlib:PosixPath": ([SHELL],),
    "operator:attrgetter": ("__class__.__subclasses__",),
    "operator:itemgetter": ([SHELL],),
    "functools:partial": ([name("builtins", "eval")], "1"),
    "_codecs:encode": ("x", [SHELL]),
    "uuid:UUID": ([SHELL],),
    "decimal:Decimal": ([SHELL],),
    "types:SimpleNamespace": ([SHELL],),
    "copyreg:_reconstructor": ([name("subprocess", "Popen")], [name("builtins", "object")], None),
}


def pickles() -> Iterator[Unit]:
    for key, data in RESOLVED.items():
        structural = any(word in key for word in ("behind", "stream", "cut"))
        yield unit("ways to a callable", key, data, CALLED | {Code.STATE_TAMPERING}, structural=structural)
    for key, data in IMPORTED.items():
        yield unit("imports", key, data, NAMED)
    for key, data in STATES.items():
        yield unit("state", key, data, TAMPERED)
    for key, (data, codes) in LIES.items():
        yield unit("lengths and frames", key, data, codes, structural=True)
    for key, (data, codes) in JOBLIB.items():
        yield unit("joblib", key, data, codes, "model.joblib")
    for gadget, values in CONSTRUCTORS.items():
        module, qualname = gadget.split(":")
        yield unit("allowed names called", gadget, call(module, qualname, *values), TAMPERED | BOMB)


def nested() -> Iterator[Unit]:
    """In byte strings of an otherwise harmless pickle."""
    for key, inner in {"pickle": EVIL, "zip": torch_zip(EVIL), "gzip": gzip.compress(EVIL)}.items():
        codes = HIDDEN | CALLED
        yield unit("nested", f"{key} in bytes", pickle.dumps({"w": inner, "n": [1, 2]}, 4), codes)
        yield unit("nested", f"{key} in a bytearray", pickle.dumps({"w": bytearray(inner)}, 5), codes)
