"""The pickles of one name that `benchmarks/modelfile/prove.py` loads: those that the scan accepted, with the attributes
and parameters that the class really has. Runs inside of the sandbox, with the Python of an environment that may be old.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from corpora import redteam_loads as loads

VALUES = ("source", "numbers", "functions", "lists", "files")
LOAD_METHODS = (
    "__setstate__ __setattr__ __getattr__ __getattribute__ __hash__ __eq__ __setitem__ append extend add __new__ "
    "__init__ __del__ __array_finalize__ __reduce__"
).split()


def cases(module: str, qualname: str, kind: str, refused: set[str], item: Any) -> Iterator[tuple[str, bytes]]:
    """The pickles of a name that the scan accepts."""
    found: Iterator[tuple[str, bytes]]
    # of kinds that are scanned with one value only, that value stands for the others
    refused = {*refused, *(label[:-5] + value for label in refused if label.endswith("texts") for value in VALUES)}
    if kind in ("v", "d", "p", "call"):
        # for a loader OBJ and INST are REDUCE, and NEWOBJ_EX without keywords is NEWOBJ: a few show that
        for found in (
            loads.calls(module, qualname, list(loads.ARGUMENTS), ("REDUCE", "NEWOBJ", "COMPUTED")),
            loads.calls(module, qualname, ("a path", "a huge number"), ("NEWOBJ_EX", "OBJ", "INST")),
            loads.keywords(module, qualname, parameters(item)),
        ):
            yield from (case for case in found if case[0] not in refused)
    if isinstance(item, type):
        own = attributes(item)
        yield from (case for case in loads.states(module, qualname, own) if case[0] not in refused)
        if "looked up" not in refused:
            yield from loads.attributes_of(module, qualname, looked_up(item) or own[:1])


def parameters(item: Any) -> list[str]:
    """The names of a callable's parameters."""
    try:
        return [key for key in inspect.signature(item).parameters if key.isidentifier()][:12]
    except BaseException:
        return ["x", "filename", "path"]


def attributes(item: type) -> list[str]:
    """The names that a class's methods use that run while loading; for compiled classes their members' names."""
    found: dict[str, None] = {}
    for method in LOAD_METHODS:
        code = getattr(getattr(item, method, None), "__code__", None)
        if code is not None:
            found.update(dict.fromkeys(key for key in (*code.co_names, *code.co_consts) if isinstance(key, str)))
    if not found:
        found.update(dict.fromkeys(key for key in dir(item) if not key.startswith("__")))
    own = [key for key in found if key.isidentifier() and not (key.startswith("__") and key.endswith("__"))][:30]
    return list(dict.fromkeys([*own, *loads.ATTRIBUTES]))


def looked_up(item: type) -> list[str]:
    """Attributes whose look-up runs something."""
    found = []
    for key in dir(item):
        value = inspect.getattr_static(item, key, None)
        plain = (
            inspect.isfunction(value)
            or isinstance(value, (staticmethod, classmethod))
            or inspect.ismethoddescriptor(value)
        )
        if not key.startswith("__") and hasattr(type(value), "__get__") and not plain:
            found.append(key)
    return found[:60]
