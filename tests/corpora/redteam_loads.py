"""Pickles that use an allowed name as an attacker would: arguments, states, items, keys, looked-up attributes.

Only bytes are made here. `benchmarks/modelfile/prove.py` loads those that the scan accepts, in a sandbox, with the
Python of an environment that may be old: so nothing but the standard library of Python 3.8 is used, and no type is
imported from the package. What an argument names (files, addresses, modules) is marked with `swred`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

FOLDER = "/tmp/swred"
PATH = FOLDER + "/file"
SOURCE = "__import__('swred_module')"
WAYS = ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "OBJ", "INST", "COMPUTED")
HUGE = 1 << 40


def text(value: str) -> bytes:
    """A text as SHORT_BINUNICODE or BINUNICODE."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw if len(raw) < 256 else b"X" + len(raw).to_bytes(4, "little") + raw


def number(value: int) -> bytes:
    """A number as LONG1."""
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module: str, qualname: str) -> bytes:
    """An imported name."""
    return text(module) + text(qualname) + b"\x93"


def reduced(module: str, qualname: str, arguments: bytes) -> bytes:
    """A call."""
    return name(module, qualname) + b"(" + arguments + b"tR"


def dictionary(pairs: dict[str, bytes]) -> bytes:
    """A dictionary with texts as keys."""
    return b"}(" + b"".join(text(key) + value for key, value in pairs.items()) + b"u"


def stream(body: bytes) -> bytes:
    """A whole pickle."""
    return b"\x80\x04" + body + b"."


def _laughs() -> bytes:
    """A tuple of two times the one before, forty times: to look at all of it takes 2**40 steps."""
    return text("ha") + b"".join(b"\x94h" + bytes([index]) + b"\x86" for index in range(40))


def _made(module: str, qualname: str, state: bytes) -> bytes:
    return name(module, qualname) + b")\x81" + state + b"b"


# Keywords and attributes that loaders of files, addresses and functions are called.
ATTRIBUTES = (
    "path file filename fname name url uri model_file model_path _path _file _handle handle data _data params _params "
    "source code func function _func fn callback module _module modules __wrapped__ estimator steps base_estimator "
    "dtype shape size state _state keys values items index columns args kwargs"
).split()

# What an attacker would hand over and that names no function: a callable that only stores may be given it.
TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "a path": text(PATH),
    "a path and a mode": text(PATH) + text("w+"),
    "an address": text("https://swred.example.com/x"),
    "source text": text(SOURCE),
    "a module": text("swred_module"),
    "a dotted name": text("swred_module.run"),
    "a module and a name": text("swred_module") + text("run"),
    "an entry point": text("swred_module:run"),
    "a format": text("{0.__class__.__init__.__globals__} %(swred)999999999d"),
    "a format's width": text("{:>9999999999}") + number(1),
    "a regular expression": text("(a{0,99}){0,99}" * 200) + number(0),
    "an endless regular expression": text("(a+)+$") + text("a" * 64 + "b"),
    "a codec": b"B\x04\x00\x00\x00abcd" + text("swred_module"),
    "a slow codec": b"B\x00\x00\x10\x00" + b"a" * (1 << 20) + text("punycode"),
    "a huge number": number(HUGE),
    "two huge numbers": number(HUGE) + number(HUGE),
    "three huge numbers": number(HUGE) * 3,
    "a large number": number((1 << 31) - 1),
    "two large numbers": number((1 << 31) - 1) * 2,
    "a negative number": number(-HUGE),
    "a long number": b"\x8b" + (1 << 16).to_bytes(4, "little") + b"\x7f" * (1 << 16),
    "a huge exponent": text("1e999999999"),
    "a huge fraction": text("1/1e99999999"),
    "a huge type": text("V2147483647"),
    "many digits": text("9" * 200_000),
    "a shape": b"(" + number(1 << 20) * 3 + b"t",
    "a shape and a type": b"(" + number(1 << 20) * 3 + b"t" + text("f8"),
    "a number": number(3),
    "two numbers": number(3) * 2,
    "three numbers": number(3) * 3,
    "four numbers": number(3) * 4,
    "three texts": text(PATH) * 3,
    "four texts": text(PATH) * 4,
    "five texts": text(PATH) * 5,
    "six texts": text(PATH) * 6,
    "a path in bytes": b"C" + bytes([len(PATH)]) + PATH.encode(),
    "a list of paths": b"](" + text(PATH) * 2 + b"e",
    "a dictionary of paths": dictionary({key: text(PATH) for key in ATTRIBUTES}),
    "nested containers": b"](" + dictionary({"file": b"](" + text(PATH) + b"\x85e"}) + b"e",
    "a tuple of tuples": _laughs(),
    "a huge range": reduced("builtins", "range", number(HUGE)),
    "a huge decimal": reduced("decimal", "Decimal", text("1e999999999")),
    "a path object": reduced("pathlib", "PosixPath", text(PATH)),
    "a text buffer": reduced("_io", "StringIO", text(SOURCE)),
    "an array": reduced("numpy.core.multiarray", "_reconstruct", name("numpy", "ndarray") + number(0) + b"\x85C\x01b"),
    "a holder": _made("sklearn.utils._bunch", "Bunch", dictionary({key: text(PATH) for key in ATTRIBUTES})),
    "an estimator": _made("sklearn.pipeline", "Pipeline", dictionary({"steps": b"](" + text(PATH) * 2 + b"\x86e"})),
    "a frame": _made("pandas.core.frame", "DataFrame", dictionary({key: text(PATH) for key in ATTRIBUTES})),
}  # fmt: skip
# What names a function or makes one: refused, but for a partial of an allowed function.
CALLABLES: dict[str, bytes] = {
    "a shell": name("os", "system") + text("id"),
    "an unknown function": name("evil.module", "run"),
    "an allowed function": name("numpy", "mean"),
    "a function with its arguments": name("functools", "partial") + name("numpy", "mean") + b"\x85R",
    "a shell with its arguments": name("functools", "partial") + name("os", "system") + text("id") + b"\x86R",
    "a bound method": name("builtins", "getattr")
    + name("collections", "OrderedDict")
    + b")\x81"
    + text("update")
    + b"\x86R",
}
ARGUMENTS = {**TEXTS, **CALLABLES}
# A function that is only to be referred to: the sandbox puts one in its place that tells when it is called.
SPY = name("math", "hypot")


def called(module: str, qualname: str, way: str, arguments: bytes) -> bytes:
    """A call in one of the ways that a loader knows; `COMPUTED`: the arguments are what another call returns."""
    target = name(module, qualname)
    if way == "REDUCE":
        return target + b"(" + arguments + b"tR"
    if way == "NEWOBJ":
        return target + b"(" + arguments + b"t\x81"
    if way == "NEWOBJ_EX":
        return target + b"(" + arguments + b"t}\x92"
    if way == "OBJ":
        return b"(" + target + arguments + b"o"
    if way == "INST":
        return b"(" + arguments + b"i" + f"{module}\n{qualname}\n".encode()
    return target + name("builtins", "tuple") + b"(](" + arguments + b"etRR"


def calls(module: str, qualname: str, labels: Sequence[str], ways: Sequence[str] = WAYS) -> Iterator[tuple[str, bytes]]:
    """Every argument in every way, as whole pickles."""
    for label in labels:
        for way in ways:
            yield f"{way}: {label}", stream(called(module, qualname, way, ARGUMENTS[label]))


def keywords(module: str, qualname: str, parameters: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The same values by keyword: one at a time, and all of them."""
    target = name(module, qualname)
    values = {"texts": text(PATH), "source": text(SOURCE), "numbers": number(HUGE)}
    for label, value in values.items():
        yield f"keywords: {label}", stream(target + b")" + dictionary(dict.fromkeys(parameters, value)) + b"\x92")
        for key in parameters:
            yield f"keyword: {label}", stream(target + b")" + dictionary({key: value}) + b"\x92")


def states(module: str, qualname: str, attributes: Sequence[str], few: bool = False) -> Iterator[tuple[str, bytes]]:
    """An object of the class, created empty in both ways, with states, items and keys that an attacker would choose."""
    target = name(module, qualname)
    yield "created: NEWOBJ", stream(target + b")\x81")
    yield "created: REDUCE", stream(target + b")R")
    new = target + b")\x81"
    values = {"texts": text(PATH), "source": text(SOURCE), "numbers": number(HUGE), "functions": SPY,
              "lists": b"](" + text(PATH) * 2 + b"e",
              "files": reduced("_io", "BytesIO", b"C\x04\x80\x04N.")}  # fmt: skip
    for label, value in list(values.items())[: 1 if few else None]:
        state = dictionary(dict.fromkeys(attributes, value))
        yield f"state: {label}", stream(new + state + b"b")
        yield f"slots: {label}", stream(new + b"N" + state + b"\x86b")
        yield f"key: {label}", stream(b"}" + new + state + b"bNs" + new + state + b"bNs")
        yield f"state: one of {label}", stream(new + value + b"b")
        yield f"items: {label}", stream(new + text("path") + value + b"s")
        yield f"appended: {label}", stream(new + value + b"a(" + value * 2 + b"e")
        yield f"added: {label}", stream(new + b"(" + value + b"\x90")
    for label in ("texts", "numbers"):
        for count in (2, 3, 5, 6, 9):
            yield f"state: {count} {label}", stream(new + b"(" + values[label] * count + b"tb")
    for key in attributes:  # alone, too: what stands first may raise
        yield "slot", stream(new + b"N" + dictionary({key: text(PATH)}) + b"\x86b")


def attributes_of(module: str, qualname: str, attributes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Attributes of an object whose state is an attacker's, looked up while loading."""
    new = name(module, qualname) + b")\x81"
    for value in (text(PATH), SPY):
        state = dictionary(dict.fromkeys(attributes, value))
        for key in attributes:
            yield "looked up", stream(name("builtins", "getattr") + new + state + b"b" + text(key) + b"\x86R")
