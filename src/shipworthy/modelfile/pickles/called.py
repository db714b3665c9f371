"""A call as a rule sees it: symbolic arguments, and what the call leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.names import Kind
from shipworthy.modelfile.pickles.values import Global, Made
from shipworthy.modelfile.view import Buffer
from shipworthy.records import dataclass, field

ALLOCATION = 1 << 28
_CLASS_RULES = (
    "data",
    "convert",
    "stored",
    "holder",
    "literals",
    "decimal",
    "fraction",
    "texts",
    "empty",
    "sized",
    "shape",
    "allocate",
)
_FUNCTION_RULES = frozenset(
    "attribute inner_file resolve newobj sidecar partial dill_array dill_type attributes method iterator".split()
)
MAKERS = ("attributes", "method")  # rules of functions that make a function of the names they are given


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


def flat(args: tuple[Any, ...]) -> Iterator[Any]:
    """The arguments, and those in tuples among them."""
    for slot in args:
        if isinstance(slot, tuple):
            yield from flat(slot)  # no deeper than TUPLE_DEPTH
        else:
            yield slot


def is_type(slot: Global) -> bool:
    """A class, or one of the values that are written as names, such as torch's dtypes."""
    standing = slot.standing
    if standing.is_class or standing.kind is Kind.SOURCED:
        return True
    if standing.kind is Kind.VETTED:
        return standing.rule not in _FUNCTION_RULES
    return standing.kind is Kind.REFERENCE and slot.mapped.startswith(("torch:", "builtins:", "pandas."))
