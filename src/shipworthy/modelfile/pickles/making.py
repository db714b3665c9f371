"""Rules of functions that make an object of what they are given, look a name up, or call another function."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.pickles import plain
from shipworthy.modelfile.pickles.arrays import item_size
from shipworthy.modelfile.pickles.called import ALLOCATION, MAKERS, Call, flat, is_type
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import DOES_MORE, Kind
from shipworthy.modelfile.pickles.plain import shape_of
from shipworthy.modelfile.pickles.shadows import kept_class
from shipworthy.modelfile.pickles.values import HIDDEN, OPAQUE, Bound, Global, Made
from shipworthy.modelfile.view import Buffer

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
_RANGE = 1 << 38
_SHOWN = 1 << 14  # bytes of a metric's name, with all the metrics within it
# Functions without arguments that make a new dictionary: torch's scalers have one for each optimizer
_FRESH = frozenset(f"torch.{place}.grad_scaler:_refresh_per_optimizer_state" for place in ("amp", "cuda.amp"))
_INDEX_MODULES = ("pandas.core.indexes.", "pandas.core.index", "pandas.indexes.")


def _has_methods(maker: Global) -> bool:
    """Objects whose methods may be kept: of the table's classes, and compiled regular expressions."""
    return maker.standing.is_own or maker.mapped == "re:_compile"


def factory(call: Call) -> str | None:
    """`defaultdict(factory)`: the factory is called when a key is missing, later."""
    if call.args is None:
        return "its default factory can't be seen"
    if call.args and isinstance(call.args[0], Made):
        held = call.args[0].detail
        if not isinstance(held, Bound) or held.arguments is None or not call.args[0].sealed:
            return "its default factory is a value computed while loading"
        call.invoke(held.function, held.arguments)  # a partial: a missing key makes this call, so it is judged as one
        return None
    if call.args and kept_class(call.args[0]):
        return f"its default factory is {call.args[0].key}, whose constructor does more than to store values"
    if call.args and isinstance(call.args[0], Global) and not (is_type(call.args[0]) or call.args[0].mapped in _FRESH):
        return f"its default factory is {call.args[0].key}, which is no type"
    return None


def partial(call: Call) -> str | None:
    """`functools.partial` stores a function; which one must be visible and allowed."""
    if not call.args:
        return None if call.args == () else "the function it stores can't be seen"
    stored = call.args[0]
    if isinstance(stored, Global):
        call.makes = Bound(stored, call.args[1:])
        if stored.standing.rule in MAKERS:
            return f"it stores {stored.key}, whose arguments can't all be seen"
        if kept_class(stored):
            return f"it stores {stored.key}, whose constructor does more than to store values"
        return None if stored.standing.allowed else "it stores a function that is not allowed"
    if isinstance(stored, Made) and isinstance(stored.detail, Bound):
        return None  # a bound method, judged where it was looked up
    return "it stores a function computed while loading"


def reconstructor(call: Call) -> str | None:
    """`copyreg._reconstructor(cls, base, state)` calls `base.__new__(cls, state)`."""
    if call.args is None or len(call.args) != 3:
        return "its arguments can't be seen"
    base = call.args[1]
    if not isinstance(base, Global) or base.key not in _PLAIN_BASES:
        return "its base is not a plain type"
    wrong = _initial(call, base.name)
    if wrong:
        return wrong
    made = call.args[0]
    if not isinstance(made, Global):
        return "what it creates is computed while loading"
    if made.standing.kind is Kind.SOURCED:
        call.result = call.invoke(made, (), True)
    elif call.cls(0) or (made.standing.rule == "frame" and base.name == "object"):
        call.result = Made(made)
    else:
        made.called += 1
        return None if not made.standing.allowed else "what it creates is not an allowed class"
    return None


def _initial(call: Call, base: str) -> str | None:
    """The third argument of `_reconstructor`, which the plain type is made of."""
    state = call.args[2] if call.args else None
    if isinstance(state, Made) and base != "object":
        return plain.data(call)
    if not isinstance(state, int) or state <= 0:
        return None
    try:
        value = call.literal(2, 1 << 30)
    except NotALiteralError:
        return None
    huge = base in ("bytes", "bytearray") and isinstance(value, int) and value > ALLOCATION
    return "it allocates a huge buffer" if huge else None


def holder(call: Call) -> str | None:
    """A named tuple that keeps a function of its own library, and calls none."""
    library = call.callee.mapped.partition(".")[0] + "."
    rest = [slot for slot in flat(call.args or ()) if not (_referred(slot) and slot.mapped.startswith(library))]
    return plain.data(Call(call.buffer, call.callee, tuple(rest), call.name, call.invoke))


def _referred(slot: object) -> bool:
    return isinstance(slot, Global) and slot.standing.kind is Kind.REFERENCE


def spelled(buffer: Buffer, callee: Global, args: tuple[Any, ...] | None) -> bool:
    """Torchmetrics has NEWOBJ give a metric the letters of its name, one by one: its `__getnewargs__` makes a tuple of
    a text; before 1.0 it gave the text, where a metric of metrics shows these line by line. `object.__new__` ignores
    them, and a constructor of its own could do nothing with single letters, or with its own name.
    """
    if not callee.mapped.startswith("torchmetrics.") or not args:
        return False
    try:
        texts = [decode(buffer, slot, _SHOWN) if isinstance(slot, int) and slot > 0 else None for slot in args]
    except NotALiteralError:
        return False
    if len(texts) == 1 and isinstance(text := texts[0], str):
        begin = f"{callee.name}("
        return text == begin + ")" or (text.startswith(begin + "\n") and text.endswith("\n)"))
    return all(isinstance(text, str) and len(text) == 1 for text in texts)


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


def subtype(call: Call) -> str | None:
    """Functions that create an empty array of a given class: all classes among the arguments must be allowed."""
    if call.args is None:
        return "its arguments can't be seen"
    if not call.cls(0):
        return "the class it creates is not an allowed one"
    second = call.args[1] if len(call.args) > 1 else None
    if isinstance(second, Global) and not call.cls(1):
        return "the class it creates is not an allowed one"
    return _shapes(call) or _element(call)


def _element(call: Call) -> str | None:
    """What is wrong with a text among the arguments, taken for the type of an array's elements."""
    for slot in call.args or ():
        try:
            text = decode(call.buffer, slot, 64) if isinstance(slot, int) and slot > 0 else None
        except NotALiteralError:
            continue
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        if isinstance(text, str) and (item_size(text) or 0) > ALLOCATION:
            return f"each of its elements takes {item_size(text)} bytes"
    return None


def index(call: Call) -> str | None:
    """Pandas builds an index: `cls.__new__(cls, **state)`, so the class must be an index class."""
    target = call.cls(0)
    if target is None or not target.mapped.startswith((*_INDEX_MODULES, "pandas:")) or "Index" not in target.name:
        return "the class it creates is not a pandas index"
    return _range(call) if target.name == "RangeIndex" else None


def _range(call: Call) -> str | None:
    """`RangeIndex` is three numbers, and becomes an array of all between them."""
    held = call.args[1] if call.args is not None and len(call.args) > 1 else None
    if not isinstance(held, dict) or HIDDEN in held:
        return "what the index begins and ends with can't be seen"
    found = []
    for key in ("start", "stop", "step"):
        slot = held.get(key, OPAQUE)
        try:
            found.append(int(decode(call.buffer, slot, 64)) if isinstance(slot, int) and slot > 0 else 0)
        except (NotALiteralError, TypeError, ValueError):
            return "what the index begins and ends with can't be seen"
    steps = abs(found[1] - found[0]) // max(abs(found[2]), 1)
    return "it is a huge range, which takes all memory once it is an array" if steps > _RANGE else None


def bit_generator(call: Call) -> str | None:
    """Numpy's generators: a name or a bit generator, and the constructor that numpy itself passes."""
    for slot in call.args or ():
        if isinstance(slot, tuple) or (isinstance(slot, int) and slot < 0):
            return "it is given more than a name"
        if isinstance(slot, Global) and not slot.mapped.startswith("numpy.random."):
            return "it calls a function that is not numpy's own"
        if isinstance(slot, Made) and isinstance(slot.detail, Bound):
            return "it is given a function"
    return None if call.args is not None else "its arguments can't be seen"


def rebuild(call: Call) -> str | None:
    """Functions written by Cython: `f(cls, checksum, state)` calls `cls.__new__(cls)` and copies the state."""
    call.makes = call.cls(0)
    return _shapes(call) if call.makes else "the class it creates is not an allowed one"


def _shapes(call: Call) -> str | None:
    """What is wrong with a tuple of numbers among the arguments, taken for the shape of an array."""
    if call.callee.name.startswith("__pyx_unpickle"):
        return None  # a state, and no shape
    for slot in call.args or ():
        if isinstance(slot, tuple) and slot and all(isinstance(part, int) and part > 0 for part in slot):
            wrong = shape_of(call.buffer, slot)
            if wrong and "huge" in wrong:
                return wrong
    return None


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
    """`_ufunc_reconstruct(module, name)` imports a name given as text. `unpickle_function(module, name, self)` binds
    the function to its third argument, so a call of what it returns would have one more than can be seen.
    """
    try:
        module, name = call.literal(0), call.literal(1)
        bound = [call.literal(index) for index in range(2, len(call.args or ()))]
    except NotALiteralError:
        return "the name that it imports, or what it binds it to, can't be seen"
    if bound not in ([], [None]):
        return "it binds the function to a value"
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
        if not attr.isidentifier() or (attr.startswith("__") and attr.endswith("__")):
            return "it looks up a name of Python's own"
        if DOES_MORE.search(attr.lstrip("_")) and "hook" not in attr:  # torch's run when a state is loaded
            return f"it keeps the method {attr} of an object, which does more than to compute"
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
