"""Rules of states: what BUILD gives to an object that acts on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.pickles import contents, formulas, shadows
from shipworthy.modelfile.pickles.arrays import LAYOUT, is_wrapper, item_size
from shipworthy.modelfile.pickles.called import MAKERS
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.values import (
    CLASS,
    COUNTED,
    DICT,
    EMPTY_DICT,
    HIDDEN,
    KEPT,
    OPAQUE,
    Bound,
    Global,
    Made,
)
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex

# Flags of numpy's types (numpy/core/include/numpy/ndarraytypes.h): those of objects; those that tell of pointers.
_OBJECT, _POINTERS = 63, 7
_LAYERS = 100_000
_PLACES = {"pos": 624, "buffer_pos": 4}  # of MT19937 and of Philox
_SHARED = frozenset(
    (
        "logging:getLogger",
        "builtins:type",
        "pytz:_UTC",
        "re:RegexFlag",
        "uuid:SafeUUID",
        "dateutil.tz.tz:tzutc",
        "PIL.Image:Resampling",
        "pytorch_lightning.callbacks.timer:Interval",
        "pytorch_lightning.trainer.states:RunningStage",
    )
)
_TUPLES = frozenset(("builtins:tuple", "torch:Size"))
# Their state holds a whole model as bytes or text, which compiled code reads
BOOSTERS = frozenset(("lightgbm.basic:Booster", "xgboost.core:Booster"))
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
# What `_updated_ctor_param` of scipy 0.19 to 1.5 returns, for continuous and for discrete distributions
_CONSTRUCTOR = frozenset(
    "momtype a b xtol badvalue name longname shapes extradoc seed moment_tol values inc histogram".split()
)
_SHAPES = regex(r"[A-Za-z_]\w*(?:, [A-Za-z_]\w*)*")


def partial_state(target: Made, state: Any) -> str | None:
    """`partial.__setstate__((function, args, keywords, namespace))` replaces what the constructor was given."""
    if not isinstance(state, tuple) or len(state) != 4:
        return "what it stores can't be seen"
    function, args, keywords = state[:3]
    if isinstance(function, Made) and function.maker is not None and function.maker.standing.rule == "attribute":
        target.detail = None  # a bound method, judged where it was looked up; a call of this is a finding
        return None
    if not isinstance(function, Global):
        return "it stores a function computed while loading"
    if function.standing.rule in MAKERS:
        return f"it stores {function.key}, whose arguments can't all be seen"
    if shadows.kept_class(function):
        return f"it stores {function.key}, whose constructor does more than to store values"
    plain = isinstance(args, tuple) and keywords == EMPTY_DICT  # one from the memo may have been filled
    target.detail = Bound(function, args if plain else None)
    return None if function.standing.allowed else "it stores a function that is not allowed"


def _constructor_in_state(buffer: Buffer, state: Any) -> str | None:
    """Before 1.6 a distribution's state is `(keywords, random state)`, and `__init__(**keywords)` runs its template
    with the names in `shapes`. A newer scipy keeps the pair and calls `__init__()`.
    """
    keywords, random = state
    if isinstance(random, Made):
        known = random.maker is not None and random.maker.mapped.startswith("numpy.random")
    else:
        known = _is_none(buffer, random)
    if not known or not isinstance(keywords, dict) or HIDDEN in keywords:
        return "the state can't be seen"
    if not _CONSTRUCTOR.issuperset(keywords) or len(keywords) < 8:
        return "its keywords are not those that scipy writes"
    slot = keywords.get("shapes", OPAQUE)
    try:
        shapes = decode(buffer, slot, 200) if isinstance(slot, int) and slot > 0 else ""
    except NotALiteralError:
        shapes = ""
    if shapes is not None and not (isinstance(shapes, str) and _SHAPES.fullmatch(shapes)):
        return "the names of its shapes are no names"
    return None if all(_for_constructor(buffer, held) for held in keywords.values()) else "it is given what it may run"


def _for_constructor(buffer: Buffer, held: Any) -> bool:
    """Numbers and texts that format nothing, and what numpy makes."""
    if isinstance(held, tuple):
        return all(_for_constructor(buffer, part) for part in held)
    if isinstance(held, Made):
        made_by_numpy = held.maker is not None and held.maker.mapped.startswith(
            ("numpy:", "numpy._core", "numpy.random")
        )
        return made_by_numpy and not isinstance(held.detail, Bound)
    return isinstance(held, int) and held > 0 and not _has_percent(buffer, held)


def _has_percent(buffer: Buffer, slot: int) -> bool:
    try:
        value = decode(buffer, slot, 1 << 16)
    except NotALiteralError:
        return True
    return isinstance(value, str) and "%" in value


def source_in_state(buffer: Buffer, maker: Global, state: Any) -> str | None:
    """The source text in the state of scipy's distributions, which `exec` runs, is scipy's own template; that of
    statsmodels' data is a formula.
    """
    if maker.mapped.startswith("statsmodels.base.data:"):
        return formulas.in_state(buffer, state)
    if isinstance(state, tuple) and len(state) == 2:
        return _constructor_in_state(buffer, state)
    if not isinstance(state, dict) or HIDDEN in state:
        return "the state can't be seen"
    slot = state.get("_parse_arg_template")
    try:
        text = decode(buffer, slot, 8192) if isinstance(slot, int) and slot > 0 else None
    except NotALiteralError:
        text = None
    if not isinstance(text, str):
        return "the text can't be seen"
    return None if is_scipys(text) else "the text is not the one that scipy writes"


def is_scipys(text: str) -> bool:
    """Whether this source text is the one that scipy's distributions keep, and run when they are loaded."""
    return _ARGUMENT_PARSER.fullmatch(text) is not None


def models(buffer: Buffer, state: Any) -> Iterator[int]:
    """The literals in the state of a booster that are models."""
    for held in state.values() if isinstance(state, dict) else ():
        slot = held.detail if isinstance(held, Made) else held
        slot = slot.detail if isinstance(slot, Made) else slot  # bytes of an encoded text
        if isinstance(slot, int) and slot > 0 and buffer[slot - 1] in COUNTED and buffer[slot - 1] not in b"\x8a\x8b":
            yield slot


def generator_state(buffer: Buffer, state: Any) -> str | None:
    """`random.Random` of version 3 copies its numbers; for version 2 it counts out whatever it is given."""
    known = isinstance(state, tuple) and len(state) == 3 and _number(buffer, state[0]) == 3
    return None if known else "its state is not one that Python 3 writes"


def is_random(value: Any) -> bool:
    """One of numpy's generators."""
    return isinstance(value, Made) and value.maker is not None and value.maker.standing.rule == "bit_generator"


def random_place(buffer: Buffer, state: Any) -> str | None:
    """Where numpy's generators take their next number from, in a buffer of their own: they do not look whether it is
    there. The state is `(dictionary, seed)`, the dictionary, or before numpy 1.17 `(name, key, place, ...)`.
    """
    if isinstance(state, tuple) and len(state) > 2:
        place = _number(buffer, state[2])
        return (
            None if place is not None and 0 <= place <= _PLACES["pos"] else "its place can't be seen, or is not there"
        )
    held = state[0] if isinstance(state, tuple) and state else state
    inner = held.get("state") if isinstance(held, dict) else None
    for part in (held, inner):
        if part.__class__ is int and part in (DICT, KEPT):
            return "its state can't be seen"
        if not isinstance(part, dict):
            continue
        if HIDDEN in part:
            return "its state can't be seen"
        for key, most in _PLACES.items():
            place = _number(buffer, part[key]) if key in part else 0
            if place is None or not 0 <= place <= most:
                return f"its {key} is not in its buffer"
    return None


def many_layers(buffer: Buffer, state: Any) -> bool:
    """`RNNBase.__setstate__` of torch makes names for as many layers as the state says there are."""
    layers = _number(buffer, state.get("num_layers")) if isinstance(state, dict) else None
    return layers is not None and layers > _LAYERS


def shared(target: Made) -> str:
    """Why an object is not one of the file's own: state or items would change what the whole process uses."""
    if isinstance(target.detail, Bound) and target.maker is not None and target.maker.mapped != "functools:partial":
        return "what was looked up on another object"
    maker = target.maker
    if maker is None:
        return ""
    given = maker.standing.kind is Kind.DATA or maker.standing.rule == "zone" or shadows.has_trait(maker, "shared")
    return "an object that the whole process uses" if given or maker.mapped in _SHARED else ""


def wanted(value: Any) -> bool:
    """What stands before a dictionary that must be seen: joblib's description of an array, a class whose state is run
    or leads on, and a range of pandas.
    """
    if isinstance(value, Global):
        return value.name == "RangeIndex" and value.mapped.startswith("pandas")
    if not isinstance(value, Made) or value.maker is None:
        return False
    name = value.maker.mapped
    counted = is_random(value) or name.startswith("torch.nn.modules.rnn:") or name in BOOSTERS or contents.checked(name)
    return (value.maker.standing.kind is Kind.SOURCED and not value.sealed) or counted or is_wrapper(value)


def unfinished(slots: Any) -> str | None:
    """A numpy type is used before its own state is set, which could make of it what it was not when it was checked."""
    for slot in slots if isinstance(slots, tuple) else ():
        if isinstance(slot, Made) and not slot.sealed and slot.maker and slot.maker.mapped == "numpy:dtype":
            return "it is given a numpy type whose state is not set yet"
    return None


def slots(state: Any) -> str | None:
    """`(dictionary, slots)`: the second's items are set as attributes, so `__class__` there makes another object."""
    if not isinstance(state, tuple):
        return "its state is computed while loading" if _computed(state) else None
    if len(state) != 2:
        return None
    held = state[1]
    if isinstance(held, dict):
        if HIDDEN in held:
            return "the names of the attributes that are set on it can't be seen"
        for key in held:
            if key.startswith("__") and key.endswith("__"):
                return f"the attribute {key} is set on it, which replaces what it does"
    elif held in (DICT, KEPT, OPAQUE):
        return "the attributes that are set on it can't be seen"
    return None


def another_class(state: Any, watched: bool) -> str | None:
    """A dictionary with `__class__` as the state of an object: some classes set its items as attributes. `watched`: the
    data speak of that name, so a dictionary that can't be seen is refused.
    """
    for held in state if isinstance(state, tuple) and len(state) == 2 else (state,):
        if (isinstance(held, dict) and CLASS.decode() in held) or (watched and held == KEPT):
            return "its state names another class, which replaces what it does"
    return None


def _computed(state: Any) -> bool:
    """A state that another call makes, and that could be a tuple."""
    maker = state.maker if isinstance(state, Made) else None
    return maker is not None and (maker.mapped in _TUPLES or maker.standing.kind is Kind.VALUED)


def type_state(buffer: Buffer, target: Made, state: Any) -> str | None:
    """`numpy.dtype.__setstate__` believes what it is told of sizes, places and whether the elements are objects: with
    a wrong word the bytes of an array are taken for addresses. What is known of the type is kept for joblib's arrays.
    """
    if target.maker is None or target.maker.mapped != "numpy:dtype":
        return "no file of honest makers sets one on it"
    known = isinstance(target.detail, str)
    if not isinstance(state, tuple) or len(state) < 8:
        return "the state can't be seen"
    names, fields, size, flags = state[3], state[4], _number(buffer, state[5]), _number(buffer, state[7])
    if size is None or flags is None:
        return "the state can't be seen"
    inner = [state[2]] if isinstance(state[2], tuple) else []
    plain = not inner and _is_none(buffer, state[2]) and _is_none(buffer, fields) and _is_none(buffer, names)
    letter, own = measure(target.detail) if known else ("", size)
    if own is None:
        return "its type is not known"
    if plain:
        if known and isinstance(state[1], int) and state[1] > 0 and _text(buffer, state[1]) == ">":
            target.detail = ">" + target.detail.lstrip("<>=|")
        if letter == "O":
            return None if flags == _OBJECT else "it hides that its elements are objects"
        if flags & _POINTERS:
            return "it says of plain values that they are objects"
        return None if size in (-1, own) else "its size is not that of its name"
    if size < 0 or (known and size != own):
        return "its size is not that of its name"
    objects = False
    if inner:
        part = _part(inner[0][0] if inner[0] else None)
        count = _product(buffer, inner[0][1] if len(inner[0]) > 1 else None)
        if part is None or count is None or part[1] * count != size:
            return "its parts do not fit into it"
        objects = part[0]
    else:
        if not isinstance(fields, dict) or HIDDEN in fields:
            return "its fields can't be seen"
        for field in fields.values():
            part = _part(field[0]) if isinstance(field, tuple) and len(field) in (2, 3) else None
            place = _number(buffer, field[1]) if part else None
            if part is None or place is None or place < 0 or place + part[1] > size:
                return "its fields do not fit into it"
            objects = objects or part[0]
    if objects != bool(flags & 1) or objects != bool(flags & 2):
        return "it hides that its elements are objects" if objects else "it says of plain values that they are objects"
    layout = "" if objects or inner else _layout(buffer, fields)
    target.detail = f"{'O' if objects else 'V'}{size}{layout}"
    return None


def _layout(buffer: Buffer, fields: dict[str, Any]) -> str:
    """The fields of a record as text: `[name=type@place;...]`."""
    parts = [f"{name}={field[0].detail}@{_number(buffer, field[1])}" for name, field in fields.items()]
    text = ";".join(parts)
    plain = len(text) <= LAYOUT and "[" not in text and text.count("=") - len(parts) == text.count("==")
    return f"[{text}]" if plain else ""


def measure(description: str) -> tuple[str, int | None]:
    """The letter and the size in bytes of a numpy type's text; the size is None when it is not understood."""
    if description in ("O", "|O"):
        return "O", 8
    size = item_size(description)
    letter = description.lstrip("<>=|")[:1]
    if letter == "O":
        return "O", int(re.sub(r"\D", "", description) or 8)
    return letter, size


def _part(kind: Any) -> tuple[bool, int] | None:
    """Whether a type holds objects, and its size: known of one whose own state was set."""
    if not isinstance(kind, Made) or not kind.sealed or not isinstance(kind.detail, str):
        return None
    letter, size = measure(kind.detail)
    return None if size is None else (letter == "O", size)


def _number(buffer: Buffer, slot: Any) -> int | None:
    try:
        value = decode(buffer, slot, 64) if isinstance(slot, int) and slot > 0 else None
    except NotALiteralError:
        return None
    return value if isinstance(value, int) else None


def _text(buffer: Buffer, slot: int) -> str:
    try:
        value = decode(buffer, slot, 16)
    except NotALiteralError:
        return ""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _is_none(buffer: Buffer, slot: Any) -> bool:
    return isinstance(slot, int) and slot > 0 and buffer[slot - 1] == 0x4E


def _product(buffer: Buffer, shape: Any) -> int | None:
    total = 1
    for slot in shape if isinstance(shape, tuple) else (shape,):
        number = _number(buffer, slot)
        if number is None or number < 0:
            return None
        total *= number
    return total
