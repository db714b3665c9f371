"""The rules of vetted calls: each says what is wrong with a call, or nothing.

A rule sees the symbolic arguments. What it can't see (arguments that came out of a large or computed structure) it
refuses, except where any plain value would do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.values import Global, Made
from shipworthy.modelfile.view import Buffer

ALLOCATION = 1 << 28
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
    invoke: Callable[[Any, tuple[Any, ...] | None], Any]
    resolves: Global | None = None
    inner: list[int] = field(default_factory=list)
    makes: Any = None

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
        vetted_class = slot.standing.kind is Kind.VETTED and slot.standing.rule in (
            "data",
            "empty",
            "sized",
            "allocate",
        )
        return slot if slot.standing.is_class or vetted_class else None


Rule = Callable[[Call], str | None]


def data(_call: Call) -> str | None:
    """Plain values only: an allowed function may still be handed over to be stored, never a made callable."""
    return None


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
        return None
    try:
        size = call.literal(0)
    except NotALiteralError:
        return None
    return "it allocates a huge buffer" if isinstance(size, int) and size > ALLOCATION else None


def allocate(call: Call) -> str | None:
    """An array of a literal shape."""
    shape = call.args[0] if call.args else None
    if not isinstance(shape, tuple):
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
    return None


def partial(call: Call) -> str | None:
    """`functools.partial` stores a function; which one must be visible and allowed."""
    if not call.args:
        return None if call.args == () else "the function it stores can't be seen"
    stored = call.args[0]
    if isinstance(stored, Global):
        return None if stored.standing.allowed else "it stores a function that is not allowed"
    return "it stores a function computed while loading"


def reconstructor(call: Call) -> str | None:
    """`copyreg._reconstructor(cls, base, state)` calls `base.__new__(cls, state)`."""
    if call.args is None or len(call.args) != 3:
        return "its arguments can't be seen"
    base = call.args[1]
    if not isinstance(base, Global) or base.key not in _PLAIN_BASES:
        return "its base is not a plain type"
    if call.cls(0):
        return None
    if isinstance(call.args[0], Global):
        call.args[0].called += 1
        return None if not call.args[0].standing.allowed else "what it creates is not an allowed class"
    return "what it creates is computed while loading"


def newobj(call: Call) -> str | None:
    """`copyreg.__newobj__(cls, *args)` is the opcode NEWOBJ as a function."""
    if not call.args:
        return "its arguments can't be seen"
    call.makes = call.invoke(call.args[0], call.args[1:])
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
    if not isinstance(owner, Global) or not isinstance(attr, str):
        return "it looks a name up on a value that is computed while loading"
    call.resolves = call.name(owner.module, f"{owner.name}.{attr}", 0)
    return None


def sidecar(_call: Call) -> str | None:
    """Old joblib: the array lies in another file, loaded with pickles allowed."""
    return "it loads an array from another file beside this one"


RULES: dict[str, Rule] = {
    "data": data,
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
