"""The rules of vetted calls: each says what is wrong with a call, or nothing.

A rule sees the symbolic arguments. What it can't see (arguments that came out of a large or computed structure) it
refuses, except where any plain value would do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.values import EMPTY_DICT, HIDDEN, KEPT, Bound, Global, Made
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex
from shipworthy.records import dataclass, field

ALLOCATION = 1 << 28
_CLASS_RULES = ("data", "convert", "empty", "sized", "allocate")
# scipy/stats/_distn_infrastructure.py, `parse_arg_template`: the same text since 1.5, with the names of the shapes
_NAMES = r"(?:[A-Za-z_]\w*, )*"
_NUMBER = r"(?:loc=0, scale=1|loc=0|loc, scale|loc, 1|)"
_ARGUMENT_PARSER = regex(
    rf"\ndef _parse_args\(self, (?P<names>{_NAMES}) {_NUMBER}\):\n    return \((?P=names)\), {_NUMBER}\n"
    rf"\ndef _parse_args_rvs\(self, (?P=names) {_NUMBER}, size=None\):\n"
    rf"    return self\._argcheck_rvs\((?P=names) {_NUMBER}, size=size\)\n"
    rf"\ndef _parse_args_stats\(self, (?P=names) {_NUMBER}, moments='mv'\):\n"
    rf"    return \((?P=names)\), {_NUMBER}, moments\n"
)
_PLAIN_BASES = frozenset(
    f"{module}:{name}"
    for module in ("builtins", "__builtin__")
    for name in [
        "object",
        "dict",
        "list",
        "tuple",
        "set",
        "frozenset",
        "int",
        "float",
        "str",
        "bytes",
        "bytearray",
        "complex",
        "unicode",
        "long",
    ]
)
_INDEX_MODULES = ("pandas.core.indexes.", "pandas.core.index", "pandas.indexes.")
_OBJECT_BASES = ("numpy.ndarray", "numpy.ma", "numpy.matrix")


@dataclass
class Call:
    """One call: the callee, its arguments as a tuple of slots (None: not known), and what it leads to: a name that it
    imports (`resolves`), the literals it loads as files (`inner`), what is known of its result (`makes`).
    """

    buffer: Buffer
    callee: Global
    args: tuple[Any, ...] | None
    name: Callable[[str, str, int], Global]
    invoke: Callable[..., Any]
    resolves: Global | None = None
    inner: list[int] = field(default_factory=list)
    makes: Any = None
    result: Made | None = None

    def literal(self, index: int, limit: int = 4096) -> Any:
        """The value of a literal argument. Raises NotALiteralError."""
        if self.args is None or index >= len(self.args):
            raise NotALiteralError("missing")
        slot = self.args[index]
        if not isinstance(slot, int) or slot <= 0:
            raise NotALiteralError("not a literal")
        return decode(self.buffer, slot, limit)

    def cls(self, index: int) -> Global | None:
        """An argument that is an allowed class."""
        if self.args is None or index >= len(self.args):
            return None
        slot = self.args[index]
        if not isinstance(slot, Global):
            return None
        vetted_class = slot.standing.kind is Kind.VETTED and slot.standing.rule in _CLASS_RULES
        return slot if slot.standing.is_class or vetted_class else None


Rule = Callable[[Call], str | None]


def data(call: Call) -> str | None:
    """Plain values only: no function, and nothing that can be called once it is made."""
    for slot in _flat(call.args or ()):
        if isinstance(slot, Global) and not _is_type(slot):
            return f"it is given {slot.key}, which is no plain value"
        if isinstance(slot, Made) and isinstance(slot.detail, Bound):
            return "it is given a function"
    return None


def convert(call: Call) -> str | None:
    """Python's plain types ask an object for its content (`__iter__`, `__str__`, `__index__`...), so an object with a
    state of its own is refused: its methods would run with that state.
    """
    library = re.split("[.:]", call.callee.mapped)[0]
    for slot in call.args or ():
        maker = slot.maker if isinstance(slot, Made) else None
        if maker is None or not maker.standing.is_class or maker.standing.kind is Kind.VALUED:
            continue
        if re.split("[.:]", maker.mapped)[0] != library:  # a library's class takes the library's own objects
            return f"it asks an object of {maker.key} for its content, which runs that object's methods"
    return data(call)


def names_only(call: Call) -> str | None:
    """`itemgetter`: made from plain texts and numbers, harmless until it is called;
    a call of what is made while loading is a finding.
    """
    for index, slot in enumerate(call.args or ()):
        try:
            value = call.literal(index, 200)
        except NotALiteralError:
            return "what it looks up can't be seen" if not isinstance(slot, (Made, tuple)) else "it is given no text"
        if isinstance(value, str) and "__" in value:
            return "it looks up a name of Python's own"
    return None if call.args is not None else "what it looks up can't be seen"


def _has_methods(maker: Global) -> bool:
    """Objects whose methods may be kept: of the table's classes, and compiled regular expressions."""
    return maker.standing.is_own or maker.mapped == "re:_compile"


def _flat(args: tuple[Any, ...]) -> Iterator[Any]:
    for slot in args:
        if isinstance(slot, tuple):
            yield from _flat(slot)  # no deeper than TUPLE_DEPTH
        else:
            yield slot


def _is_type(slot: Global) -> bool:
    """A class, or one of the values that are written as names, such as torch's dtypes."""
    standing = slot.standing
    if standing.is_class or standing.kind is Kind.SOURCED:
        return True
    if standing.kind is Kind.VETTED:
        return standing.rule not in ("attribute", "inner_file", "resolve", "newobj", "sidecar", "partial")
    return standing.kind is Kind.REFERENCE and slot.mapped.startswith(("torch:", "builtins:", "pandas."))


def reference(_call: Call) -> str | None:
    """Never called."""
    return "it is no function of honest files"


def empty(call: Call) -> str | None:
    """Created without arguments."""
    return None if call.args == () else "honest files create it without arguments"


def one(call: Call) -> str | None:
    """`type(None)` is honest; `type(name, bases, namespace)` makes a class."""
    return None if call.args is not None and len(call.args) == 1 else "with more than one argument it makes a class"


def sized(call: Call) -> str | None:
    """`bytes(n)` and `bytearray(n)` allocate n bytes."""
    if call.args is None or len(call.args) != 1:
        return convert(call)
    try:
        size = call.literal(0)
    except NotALiteralError:
        return convert(call)
    return "it allocates a huge buffer" if isinstance(size, int) and size > ALLOCATION else None


def allocate(call: Call) -> str | None:
    """An array of a literal shape."""
    shape = call.args[0] if call.args else None
    if not isinstance(shape, tuple):
        try:
            return "the shape of the array is a text" if isinstance(call.literal(0), str | bytes) else None
        except NotALiteralError:
            return None
    total = 1
    for slot in shape:
        try:
            total *= int(decode(call.buffer, slot, 64)) if isinstance(slot, int) and slot > 0 else 1
        except (NotALiteralError, TypeError, ValueError):
            return "the shape of the array is not a tuple of numbers"
    return "it allocates a huge array" if total > ALLOCATION else None


def factory(call: Call) -> str | None:
    """`defaultdict(factory)`: the factory is called when a key is missing, later."""
    if call.args is None:
        return "its default factory can't be seen"
    if call.args and isinstance(call.args[0], Made):
        return "its default factory is a value computed while loading"
    if call.args and isinstance(call.args[0], Global) and not _is_type(call.args[0]):
        return f"its default factory is {call.args[0].key}, which is no type"
    return None


def partial(call: Call) -> str | None:
    """`functools.partial` stores a function; which one must be visible and allowed."""
    if not call.args:
        return None if call.args == () else "the function it stores can't be seen"
    stored = call.args[0]
    if isinstance(stored, Global):
        call.makes = Bound(stored, call.args[1:])
        return None if stored.standing.allowed else "it stores a function that is not allowed"
    if isinstance(stored, Made) and isinstance(stored.detail, Bound):
        return None  # a bound method, judged where it was looked up
    return "it stores a function computed while loading"


def partial_state(target: Made, state: Any) -> str | None:
    """`partial.__setstate__((function, args, keywords, namespace))` replaces what the constructor was given."""
    if not isinstance(state, tuple) or len(state) != 4:
        return "what it stores can't be seen"
    function, args, keywords = state[:3]
    if not isinstance(function, Global):
        return "it stores a function computed while loading"
    plain = isinstance(args, tuple) and keywords in (EMPTY_DICT, KEPT)
    target.detail = Bound(function, args if plain else None)
    return None if function.standing.allowed else "it stores a function that is not allowed"


def source_in_state(buffer: Buffer, state: Any) -> str | None:
    """The source text in the state of scipy's distributions, which `exec` runs, is scipy's own template."""
    if not isinstance(state, dict) or HIDDEN in state:
        return "the state can't be seen"
    slot = state.get("_parse_arg_template")
    try:
        text = decode(buffer, slot, 8192) if isinstance(slot, int) and slot > 0 else None
    except NotALiteralError:
        text = None
    if not isinstance(text, str):
        return "the text can't be seen"
    return None if _ARGUMENT_PARSER.fullmatch(text) else "the text is not the one that scipy writes"


def reconstructor(call: Call) -> str | None:
    """`copyreg._reconstructor(cls, base, state)` calls `base.__new__(cls, state)`."""
    if call.args is None or len(call.args) != 3:
        return "its arguments can't be seen"
    base = call.args[1]
    if not isinstance(base, Global) or base.key not in _PLAIN_BASES:
        return "its base is not a plain type"
    made = call.args[0]
    if not isinstance(made, Global):
        return "what it creates is computed while loading"
    if made.standing.kind is Kind.SOURCED:
        call.result = call.invoke(made, (), True)
    elif call.cls(0):
        call.result = Made(made)
    else:
        made.called += 1
        return None if not made.standing.allowed else "what it creates is not an allowed class"
    return None


def newobj(call: Call) -> str | None:
    """`copyreg.__newobj__(cls, *args)` is the opcode NEWOBJ as a function."""
    head, _, method = call.callee.name.rpartition(".")
    if method == "__new__":
        made = call.name(call.callee.module, head, 0)
        if made.standing.kind is Kind.VALUED:
            call.result = Made(made)
            return None  # its keywords may not be seen: they are stored
    if not call.args:
        return "its arguments can't be seen"
    call.makes = call.invoke(call.args[0], call.args[1:], True)
    return None


def encode(call: Call) -> str | None:
    """`_codecs.encode(text, 'latin1')` is how protocols 0 to 2 write bytes."""
    try:
        codec = call.literal(1) if call.args is not None and len(call.args) > 1 else "utf-8"
    except NotALiteralError:
        return "its codec can't be seen"
    if str(codec).lower().replace("-", "").replace("_", "") not in ("latin1", "ascii", "utf8", "iso88591"):
        return "its codec is not one that honest files use"
    if call.args and isinstance(call.args[0], int) and call.args[0] > 0:
        call.makes = call.args[0]
    return None


def dtype(call: Call) -> str | None:
    """`numpy.dtype(description, align, copy)`; the description is kept: joblib's arrays need its size."""
    try:
        call.makes = str(call.literal(0))
    except NotALiteralError:
        call.makes = None
    return None


def subtype(call: Call) -> str | None:
    """Functions that create an empty array of a given class: all classes among the arguments must be allowed."""
    if call.args is None:
        return "its arguments can't be seen"
    if not call.cls(0):
        return "the class it creates is not an allowed one"
    second = call.args[1] if len(call.args) > 1 else None
    return "the class it creates is not an allowed one" if isinstance(second, Global) and not call.cls(1) else None


def index(call: Call) -> str | None:
    """Pandas builds an index: `cls.__new__(cls, **state)`, so the class must be an index class."""
    target = call.cls(0)
    if target is None or not target.mapped.startswith((*_INDEX_MODULES, "pandas:")) or "Index" not in target.name:
        return "the class it creates is not a pandas index"
    return None


def bit_generator(call: Call) -> str | None:
    """Numpy's generators: a name or a bit generator, and the constructor that numpy itself passes."""
    for slot in call.args or ():
        if isinstance(slot, Global) and not slot.mapped.startswith("numpy.random."):
            return "it calls a function that is not numpy's own"
        if isinstance(slot, Made) and isinstance(slot.detail, Bound):
            return "it is given a function"
    return None if call.args is not None else "its arguments can't be seen"


def rebuild(call: Call) -> str | None:
    """Functions written by Cython: `f(cls, checksum, state)` calls `cls.__new__(cls)` and copies the state."""
    return None if call.cls(0) else "the class it creates is not an allowed one"


def rebuild_type(call: Call) -> str | None:
    """`torch._tensor._rebuild_from_type_v2(function, type, args, state)` calls `function(*args)`."""
    if call.args is None or len(call.args) < 3:
        return "its arguments can't be seen"
    if not call.cls(1):
        return "the type it creates is not an allowed class"
    inner = call.args[2]
    if isinstance(call.args[0], Global) and call.args[0].mapped.partition(".")[0] not in ("torch", "copyreg"):
        return "what it calls is no function of torch"
    call.invoke(call.args[0], inner if isinstance(inner, tuple) else None)
    return None


def inner_file(call: Call) -> str | None:
    """`torch.storage._load_from_bytes(bytes)` loads a whole torch file, pickles and all."""
    slot = call.args[0] if call.args else None
    if isinstance(slot, Made) and isinstance(slot.detail, int):
        slot = slot.detail
    if not isinstance(slot, int) or slot <= 0:
        return "the bytes that it loads can't be seen"
    call.inner.append(slot)
    return None


def resolve(call: Call) -> str | None:
    """`_ufunc_reconstruct(module, name)` imports a name given as text."""
    try:
        module, name = call.literal(0), call.literal(1)
    except NotALiteralError:
        return "the name that it imports can't be seen"
    call.resolves = call.name(str(module), str(name), 0)
    return None


def attribute(call: Call) -> str | None:
    """`getattr(Class, "name")` is how protocols below 4 write a nested name; it is judged like the name itself."""
    owner = call.args[0] if call.args is not None and len(call.args) == 2 else None
    try:
        attr = call.literal(1, 200)
    except NotALiteralError:
        return "what it looks up can't be seen"
    if isinstance(owner, Made) and isinstance(attr, str) and owner.maker and _has_methods(owner.maker):
        if not attr.isidentifier() or attr.startswith("__"):
            return "it looks up a name of Python's own"
        call.result = Made(call.callee, Bound(call.callee, None))  # a bound method; a call of it is refused below
        return None
    if call.args is None:
        return "what it looks up can't be seen"
    if isinstance(owner, Made) and isinstance(owner.detail, Bound):
        return "it is called"
    if not isinstance(owner, Global) or not isinstance(attr, str):
        return "it looks a name up on a value that is computed while loading"
    module, _, name = owner.mapped.partition(":")
    call.resolves = call.name(module, f"{name}.{attr}", 0)
    return None


def sidecar(_call: Call) -> str | None:
    """Old joblib: the array lies in another file, loaded with pickles allowed."""
    return "it loads an array from another file beside this one"


# These rules say themselves which functions may be among the arguments; all others take none.
TAKES_FUNCTIONS = frozenset(
    ("factory", "partial", "rebuild_type", "reconstructor", "newobj", "attribute", "bit_generator")
)
RULES: dict[str, Rule] = {
    "data": data,
    "convert": convert,
    "names_only": names_only,
    "reference": reference,
    "empty": empty,
    "one": one,
    "sized": sized,
    "allocate": allocate,
    "factory": factory,
    "partial": partial,
    "reconstructor": reconstructor,
    "newobj": newobj,
    "encode": encode,
    "dtype": dtype,
    "subtype": subtype,
    "index": index,
    "bit_generator": bit_generator,
    "rebuild": rebuild,
    "rebuild_type": rebuild_type,
    "inner_file": inner_file,
    "resolve": resolve,
    "attribute": attribute,
    "sidecar": sidecar,
}
