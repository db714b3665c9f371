"""Ways to a callable that the pickle machine has to follow."""

from __future__ import annotations

import base64
import struct
import zlib

from corpora.hostile_pickles import CODE, RUN, SHELL, listed
from modelfile_samples import (
    ECHO,
    EVIL,
    PLAIN,
    arguments,
    call,
    name,
    old_name,
    reduced,
    stream,
    text,
)

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
