"""Rules of the two functions that dill puts into files of plain data and arrays.

What it writes for functions, classes, modules and cells runs code or reaches into the interpreter, and has no rule.
"""

from __future__ import annotations

from shipworthy.modelfile.pickles import plain, shadows, states
from shipworthy.modelfile.pickles.called import Call
from shipworthy.modelfile.pickles.literals import NotALiteralError
from shipworthy.modelfile.pickles.values import EMPTY_DICT, Global, Made
from shipworthy.records import replace

_TYPES = frozenset(
    "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple type".split()
)
_RECONSTRUCT = "numpy._core.multiarray:_reconstruct"
_CORE = ("numpy.core.", "numpy._core.")


def array(call: Call) -> str | None:
    """`_create_array(f, args, state, attributes)` calls `f(*args)`, then its `__setstate__(state)`: numpy's own
    function, and what an array's `__reduce__` gives, or nothing.
    """
    if call.args is None or len(call.args) not in (3, 4):
        return "its arguments can't be seen"
    function, inner, state = call.args[:3]
    made = call.invoke(function, inner if isinstance(inner, tuple) else None)
    if not isinstance(function, Global) or function.mapped.replace(*_CORE) != _RECONSTRUCT:
        return "it calls a function that is not numpy's own"
    if len(call.args) == 4 and call.args[3] != EMPTY_DICT and not _is_none(call, 3):
        return "it sets attributes of the array, which can't be seen"
    if not isinstance(state, tuple) or len(state) != 5:
        return "the state of the array can't be seen"
    kind = state[2]
    if not isinstance(kind, Made) or kind.maker is None or not kind.maker.mapped.startswith("numpy"):
        return "the state of the array names no type of numpy"
    if isinstance(made, Made):
        made.sealed = True
        made.detail = state  # what the array holds, for who looks at its numbers
        call.result = made
    held = replace(call, args=state)
    return states.unfinished(state) or shadows.hidden_functions(state) or plain.data(held)


def _is_none(call: Call, index: int) -> bool:
    try:
        return call.literal(index) is None
    except NotALiteralError:
        return False


def builtin(call: Call) -> str | None:
    """`_load_type(name)` looks a type up in dill's table, which also has those of functions, code and files."""
    try:
        name = call.literal(0, 40)
    except NotALiteralError:
        return "the type that it looks up can't be seen"
    if name not in _TYPES:
        return "it looks up a type of the interpreter's own, with which code is made"
    call.resolves = call.name("builtins", name, 4)
    return None
