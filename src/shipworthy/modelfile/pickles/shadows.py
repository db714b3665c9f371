"""What a file puts in the place of a method: code that loading runs would call it. And objects that are not its own.

Both tables are made by `scripts/list_called.py` from the source text of the libraries.
"""

from __future__ import annotations

import mmap
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from shipworthy.modelfile.pickles.called import flat
from shipworthy.modelfile.pickles.names import Kind, canonical, fields_of
from shipworthy.modelfile.pickles.values import LIST, OPAQUE, Bound, Chunk, Global, Made
from shipworthy.patterns import regex

_CALLED = Path(__file__).with_name("called_names.txt")
_TRAITS = Path(__file__).with_name("class_traits.txt")
_STANDINS = Path(__file__).with_name("standins.txt")
_TEXTS = frozenset(("builtins:str", "numpy:str_", "numpy._core.multiarray:scalar"))
# scipy put it in the place of a method of its own; it warns, and calls that method
_WRAPPERS = frozenset(("scipy.stats._continuous_distns:_DeprecationWrapper",))
# Arrays, their types and generators of numbers keep no dictionary of functions
ARRAYS = ("numpy:dtype", "numpy:ndarray", "numpy._core.multiarray:", "numpy.dtypes:", "numpy.random", "_codecs:")
# torchmetrics reduces its counts with them, under names such as `numel`: they only compute
_COMPUTING = frozenset(f"torchmetrics.utilities.data:dim_zero_{way}" for way in ("cat", "max", "mean", "min", "sum"))
# torch's types of numbers, which are values; `torch:complex` and `torch:int_repr` are functions
_DTYPE = regex(r"torch:(?:(?:b?float|complex|q?u?int|bits)\d\w*|bool)")
# scikit-learn's distance by a function stores it, and calls it for the first neighbours that are asked for
_DISTANCE = regex(r"sklearn\.(?:metrics|neighbors)\._dist_metrics:PyFuncDistance(?:32|64)?")
# Names that no code calls but that of these modules, on an object itself
_CALLED_BY = {"metric": "pynndescent."}
_DOING_MORE = (Kind.BARE, Kind.SOURCED)
_CREATED = (Kind.CLASS, Kind.BARE, Kind.VALUED)


@cache
def called_names() -> frozenset[str]:
    """The attributes that code of allowed classes calls while they are loaded."""
    return frozenset(_CALLED.read_text("utf-8").splitlines()[1:])


def called_name(text: str) -> str:
    """The text, when it is such a name."""
    return text if text in called_names() else ""


@cache
def _standins() -> dict[str, frozenset[str]]:
    """Class -> the attributes under which a method of it would be called while loading, and do more than to compute."""
    rows = (line.split("\t") for line in _STANDINS.read_text("utf-8").splitlines()[1:])
    return {name: frozenset(places.split(" ")) for name, places in rows}


def acts(value: Any, place: str = "") -> bool:
    """Whether an object's own methods do more than to compute, where code calls a method of what lies at this place."""
    maker = value.maker if isinstance(value, Made) else None
    places = _standins().get(maker.mapped) if maker is not None else None
    return places is not None and (not place or place in places)


@cache
def _table() -> mmap.mmap:
    with _TRAITS.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


@cache
def _traits(module: str) -> dict[str, frozenset[str]]:
    found = {}
    for field in fields_of(_table(), module.encode("utf-8", "surrogatepass")):
        kind, *names = field.split(" ")
        found[kind] = frozenset(names)
    return found


def has_trait(item: Global, trait: str, whole: bool = True) -> bool:
    """`call`: objects of this class can be called; `shared`: what it makes is there already; `raises`: all it does.
    `whole`: also if all classes of its package do so.
    """
    return _has_trait(item.mapped, trait, whole)


@lru_cache(maxsize=4096)
def _has_trait(mapped: str, trait: str, whole: bool) -> bool:
    module, _, name = mapped.partition(":")
    module = canonical(module)
    package = ".".join(module.split(".")[:2])
    return name in _traits(module).get(trait, ()) or (whole and "*" in _traits(package).get(trait, ()))


def is_function(value: Any) -> bool:
    """Something that runs when it is called, and that is no plain type."""
    if isinstance(value, Global):
        if value.mapped in _COMPUTING or _DTYPE.fullmatch(value.mapped):
            return False
        return value.standing.kind not in (Kind.VALUED, Kind.CLASS) and not has_trait(value, "raises")
    return isinstance(value, Made) and isinstance(value.detail, Bound)


def kept_class(value: Any) -> Global | None:
    """A class whose constructor does more than to store, where it is kept and not created: code that uses the model
    would call it with what the file chose. It opens files, loads others, or imports.
    """
    if isinstance(value, tuple):
        return next(filter(None, map(kept_class, value)), None)  # no deeper than TUPLE_DEPTH
    return value if isinstance(value, Global) and value.standing.kind in _DOING_MORE else None


def is_text(value: Made) -> bool:
    """What a call makes that may be a text, and so an attribute's name."""
    if value.maker is None or value.maker.mapped in _TEXTS:
        return True
    return value.maker.standing.kind is Kind.VALUED and not has_trait(value.maker, "shared")


def is_called(value: Any, own: bool) -> bool:
    """The same, or an object with a `__call__`. `own`: it is set on an object itself. Torch's modules lie in
    dictionaries under names of the user's choice.
    """
    if is_function(value):
        return True
    maker = value.maker if isinstance(value, Made) else None
    if maker is None or maker.standing.kind not in _CREATED or maker.mapped in _WRAPPERS:
        return False
    return has_trait(maker, "call", own)


def is_called_by(name: str, around: list[Any]) -> bool:
    """Whether code calls what lies under this name in a dictionary. `around`: the object whose state it is, if any."""
    module = _CALLED_BY.get(name)
    if module is None:
        return True
    makers = [item.maker.mapped for item in around if isinstance(item, Made) and item.maker is not None]
    return any(maker.startswith(module) for maker in makers)


def is_array(maker: Global) -> bool:
    """What it makes is an array, or something about arrays: `_reconstruct` may make one of a subclass."""
    return maker.mapped.startswith(ARRAYS)


def is_open(value: Any) -> bool:
    """An object on the stack that may still be given its state, or values that were let go."""
    if value.__class__ is Chunk:
        return not value.end
    if not isinstance(value, Made) or value.maker is None or value.sealed:
        return False
    return not is_array(value.maker) or value.maker.name == "_reconstruct"


def hidden_functions(state: Any, rebuilt: Any = None) -> str | None:
    """A state that is no dictionary: under which names its class stores what is in it can't be seen. `rebuilt`: the
    class, if a function made the object.
    """
    if isinstance(rebuilt, Global) and _DISTANCE.fullmatch(rebuilt.mapped):
        return None
    if isinstance(state, tuple) and any(map(is_function, flat(state))):
        return "a function stands in its state without the name under which it is stored"
    if state.__class__ is int and state in (LIST, OPAQUE):
        return "its state may hold a function, which can't be seen"
    return None
