"""What the policy says of a name: the allow table, the vetted calls, the dangerous names, the project's own."""

from __future__ import annotations

import _compat_pickle
import mmap
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path

from shipworthy.modelfile.pickles.danger import reason_for
from shipworthy.modelfile.pickles.vetted import IN_PICKLES, VETTED
from shipworthy.patterns import regex
from shipworthy.records import dataclass

_TABLE = Path(__file__).with_name("allowed_names.txt")
DOES_MORE = regex(
    r"^__|^to_|^from_|load|save|file|open|exec|eval|import|read|write|dump|fetch|run|spawn|compile|query|pipe|apply|map"
    r"|restore|seriali"
)
_OF_UFUNCS = frozenset(("reduce", "accumulate", "outer", "reduceat"))  # `numpy.add.reduce`, to be referred to

_MOVED = {
    "numpy.core": "numpy._core",
    **{f"torch.nn.{kind}": f"torch.ao.nn.{kind}" for kind in ("quantized", "quantizable", "qat", "intrinsic")},
    "optuna.samplers._search_space": "optuna.search_space",
    "timm.models.layers": "timm.layers",
    "timm.models.efficientnet_blocks": "timm.models._efficientnet_blocks",
}
_MOVED_FROM = tuple(_MOVED)


class Kind(StrEnum):
    """How a name may be used. The letters are those of the table; there a capital says that attributes of the class's
    objects may not be looked up while loading, because a property of it does more than to compute.
    """

    CLASS = "c"  # imported; created empty; its state set
    BARE = "n"  # the same, but without its constructor (NEWOBJ), which does more than to store
    SOURCED = "s"  # a class whose state holds source text, which must be what its library writes
    VALUED = "v"  # a class whose constructor only stores values: called with any plain arguments
    REFERENCE = "r"  # imported, never called
    REBUILD = "p"  # a function whose first argument is an allowed class and whose others are plain
    DATA = "d"  # a function called with plain values
    VETTED = "call"  # called under a rule of its own
    TRUSTED = "trusted"
    DANGEROUS = "dangerous"
    UNKNOWN = "unknown"
    COMPUTED = "computed"


@dataclass(frozen=True)
class Standing:
    """The policy's word: `rule` for vetted calls, `reason` for dangerous names; `looked_up`: attributes may be read."""

    kind: Kind
    rule: str = ""
    reason: str = ""
    looked_up: bool = True

    @property
    def allowed(self) -> bool:
        """It may at least be imported."""
        return self.kind not in (Kind.DANGEROUS, Kind.UNKNOWN, Kind.COMPUTED)

    @property
    def is_class(self) -> bool:
        """It is a class of the table, or trusted."""
        return self.kind in (Kind.CLASS, Kind.BARE, Kind.VALUED, Kind.TRUSTED)

    @property
    def is_own(self) -> bool:
        """A class of the table: what its attributes run was looked at when the table was made."""
        return (self.is_class or self.kind is Kind.SOURCED) and self.looked_up


COMPUTED = Standing(Kind.COMPUTED, reason="computes the name of what it imports, which no scan can follow")


@cache
def _table() -> mmap.mmap:
    with _TABLE.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


@cache
def _module(module: str) -> dict[str, str]:
    """Name -> letter for one module of the table."""
    fields = fields_of(_table(), module.encode("utf-8", "surrogatepass"))
    return {name: field[0] for field in fields for name in field[2:].split(" ")}


def fields_of(table: mmap.mmap, module: bytes) -> list[str]:
    """What follows the module's name on its line in such a table. Lines are in the order of their bytes: of a megabyte,
    a dozen pages are read."""
    low, high = 0, len(table)
    while low < high:
        middle = (low + high) // 2
        start = table.rfind(b"\n", low, middle) + 1 or low
        end = table.find(b"\n", start, high)
        if end < 0:
            end = high
        name, _, rest = table[start:end].partition(b"\t")
        if name == module:
            return rest.decode().split("\t") if rest else []
        if name < module:
            low = end + 1
        else:
            high = start
    return []


def table_names() -> Iterator[tuple[str, str]]:
    """Every module and name of the table. For tests and documentation: it reads all of it."""
    for line in _TABLE.read_text("utf-8").splitlines():
        module, *fields = line.split("\t")
        if fields and not line.startswith("#"):
            yield from ((module, name) for field in fields for name in field[2:].split(" "))


def loader_name(module: str, name: str, protocol: int) -> tuple[str, str]:
    """The name that Python 3 imports: below protocol 3 the loader renames Python 2's modules (`fix_imports`)."""
    if protocol >= 3:
        return module, name
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[(module, name)]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def canonical(module: str) -> str:
    """Where a library has a module today that it moved as a whole; older files spell the place where it was."""
    if module.startswith(_MOVED_FROM):
        for old, new in _MOVED.items():
            if (module + ".").startswith(old + "."):
                return new + module[len(old) :]
    return module


def standing_of(module: str, name: str, trust: Sequence[str] = (), pickled: bool = False) -> Standing:
    """What the policy says of `module:name`. Patterns of `trust` match `module:qualname`; a dangerous name is trusted
    only when it is spelled out. `pickled`: it stands in a pickle, whose machine judges calls by their arguments.
    """
    key = f"{module}:{name}"
    danger = reason_for(module, name)
    if trust and any(key == pattern or (not danger and fnmatchcase(key, pattern)) for pattern in trust):
        return Standing(Kind.TRUSTED)
    core = canonical(module)
    rule = VETTED.get(f"{core}:{name}") or (IN_PICKLES.get(key) if pickled else None)
    if rule:
        return Standing(Kind.VETTED, rule=rule)
    if danger:
        return Standing(Kind.DANGEROUS, reason=danger)
    letter = _module(core).get(name) or (_module(module).get(name) if core != module else None)
    if letter:
        return Standing(Kind(letter.lower()), looked_up=letter.islower())
    if name.endswith(".__new__") and "." not in name[: -len(".__new__")]:
        made = standing_of(module, name[: -len(".__new__")], trust)
        if made.kind in (Kind.CLASS, Kind.BARE, Kind.VALUED):
            return Standing(Kind.VETTED, rule="newobj")  # protocols below 4 write NEWOBJ_EX as a partial of it
    owner, _, method = name.rpartition(".")
    if method in _OF_UFUNCS and core.startswith("numpy") and standing_of(module, owner, trust).kind is Kind.REFERENCE:
        return Standing(Kind.REFERENCE)
    harmless = owner and not DOES_MORE.search(method)
    if harmless and standing_of(module, owner, trust).kind in (Kind.CLASS, Kind.VALUED):
        return Standing(Kind.REFERENCE)  # a method of an allowed class, which is kept and not called
    # TorchScript's own classes: Python has no such module, only torch's interpreter builds them
    if module.startswith("__torch__.") and name.isidentifier():
        return Standing(Kind.CLASS)
    return Standing(Kind.UNKNOWN)


@lru_cache(maxsize=4096)
def judged(module: str, name: str, renamed: bool, trust: tuple[str, ...]) -> tuple[Standing, str]:
    """What the policy says of the name that a loader imports for these texts, and that name as the tables spell it.
    `renamed`: as below protocol 3. Files have the same few names again and again.
    """
    found, found_name = loader_name(module, name, 0 if renamed else 3)
    return standing_of(found, found_name, trust, pickled=True), f"{canonical(found)}:{found_name}"
