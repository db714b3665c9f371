"""Every item of an R serialization, with a stack of its own: which code it holds, and where that would run.

Item codes: R's src/main/serialize.c. Nothing is evaluated; names and strings near code are kept for the report.
"""

from __future__ import annotations

from shipworthy.modelfile.rdata.stream import CutShortError, Stream
from shipworthy.records import dataclass, field

# where an item stands
DATA, CODE, LAZY, PROMISE, BINDING = range(5)
# what it is there for
PLAIN, HEAD, ARGUMENT, TAG, VALUE, EXPRESSION, FRAME, FRAMED, STATE = range(9)

_SIMPLE = {254, 253, 252, 251, 250, 242, 241, 0}
_PAIRS = {2, 3, 5, 6, 17}
_NUMBERS = {10: 4, 13: 4, 14: 8, 15: 16}
_BC_LANG = {6, 2, 244, 243, 240, 239}
_ACTIVE = 1 << 15
_NAMED = {249: "namespace", 248: "package", 247: "persistent object"}
_MAPPED = frozenset(("mmap_integer", "mmap_real"))
_FIRST = {ARGUMENT: ARGUMENT, STATE: STATE, FRAME: FRAMED}  # what the first of a cell is, by what the cell is
_TAGGED = "tag"
_KEPT = 20_000
_STRINGS = 40


@dataclass
class Found:
    """What a walk saw. `calls` and `symbols`: name and place -> offset; the places are DATA, CODE, LAZY
    (an unevaluated argument in an environment, as honest functions leave them), PROMISE (anywhere else), BINDING.
    """

    calls: dict[tuple[str, int], int] = field(default_factory=dict)
    symbols: dict[tuple[str, int], int] = field(default_factory=dict)
    texts: dict[tuple[str, int], int] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    promises: list[int] = field(default_factory=list)
    lazy: int = 0
    active: list[int] = field(default_factory=list)
    functions: int = 0
    compiled: int = 0
    packages: dict[tuple[str, str], int] = field(default_factory=dict)
    deferred: dict[tuple[str, str], int] = field(default_factory=dict)
    raw: list[tuple[int, int]] = field(default_factory=list)
    longest: int = 0  # of sequences of which only the ends are kept
    pointers: int = 0
    overflow: bool = False


@dataclass
class _Promise:
    framed: bool
    unevaluated: bool = False


_Todo = tuple[str, int, int, object]


def walk(stream: Stream, found: Found) -> None:
    """Read one item and all that is inside. Raises CutShortError; what was found until then is kept."""
    _Walk(stream, found).run()


class _Walk:
    def __init__(self, stream: Stream, found: Found) -> None:
        self.stream = stream
        self.found = found
        self.references: list[str] = []
        self.todo: list[_Todo] = []
        self.named = ""  # what kind of package the next strings name
        self.tag = ""  # of the cell whose first is read next

    def run(self) -> None:
        self.todo.append(("item", DATA, PLAIN, None))
        while self.todo:
            action, place, purpose, extra = self.todo.pop()
            if action == "item":
                self.item(place, purpose, extra)
            elif action == "vector":
                assert isinstance(extra, int)  # noqa: S101 - pushed with a count
                if extra > 1:
                    self.todo.append((action, place, purpose, extra - 1))
                self.todo.append(("item", place, purpose, None))
            elif action == "bytecode":
                self.bytecode(place)
            elif action == "constants":
                self.constants(place, self.stream.integer())
            elif action == "constant":
                assert isinstance(extra, int)  # noqa: S101 - pushed with a count
                if extra > 1:
                    self.todo.append((action, place, purpose, extra - 1))
                self.constant(place)
            elif action == "tree":
                self.tree(self.stream.integer(), place, purpose)

    def item(self, place: int, purpose: int, extra: object) -> None:
        stream, at = self.stream, self.stream.at
        flags = stream.integer()
        kind = flags & 0xFF
        tag, self.tag = self.tag, ""
        if purpose == VALUE and isinstance(extra, _Promise):
            extra.unevaluated = kind == 252
        elif purpose == EXPRESSION and isinstance(extra, _Promise):
            place = self.promise(extra, at, place)
        if kind == 255:
            index = flags >> 8 or stream.integer()
            self.reference(index, place, purpose, at)
            self.tag = self.references[index - 1] if extra == _TAGGED else ""
        elif kind in _PAIRS:
            self.pair(kind, flags, place, purpose, at)
        elif kind == 1:
            name = self.name()
            self.references.append(name)
            self.symbol(name, place, purpose, at)
            self.tag = name if extra == _TAGGED else ""
        elif kind not in _SIMPLE:
            self.named = "class" if tag == "package" and purpose == PLAIN else ""
            self.other(kind, flags, place, purpose, at)

    def promise(self, promise: _Promise, at: int, place: int) -> int:
        if promise.unevaluated and promise.framed:
            self.found.lazy += 1
            return max(place, LAZY)
        if not promise.framed:
            if len(self.found.promises) < _STRINGS:
                self.found.promises.append(at)
            return PROMISE
        return max(place, CODE)

    def pair(self, kind: int, flags: int, place: int, purpose: int, at: int) -> None:
        """A cell: attributes, tag, first, rest (pushed the other way round)."""
        push = self.todo.append
        if kind == 5:
            promise = _Promise(purpose == FRAMED)
            push(("item", place, EXPRESSION, promise))
            push(("item", place, VALUE, promise))
        elif kind == 3:
            self.found.functions += 1
            inner = max(place, CODE)
            push(("item", inner, PLAIN, None))
            push(("item", inner, FRAME, None))
        elif kind == 6:
            push(("item", place, ARGUMENT, None))
            push(("item", place, HEAD, None))
        else:
            inner = place
            dots = kind == 17 and purpose in (FRAMED, FRAME)  # `...` of a function holds its arguments as promises
            if purpose == FRAME and (flags >> 12) & _ACTIVE:
                self.found.active.append(at)
                inner = BINDING
            push(("item", place, purpose if dots or purpose in (ARGUMENT, FRAME, STATE) else PLAIN, None))
            push(("item", inner, FRAMED if dots else _FIRST.get(purpose, PLAIN), None))
        if flags & 0x400:
            named = kind in (2, 17)
            push(("item", place, TAG if named and purpose == FRAME else PLAIN, _TAGGED))
        if flags & 0x200:
            push(("item", place, PLAIN, None))

    def name(self) -> str:
        stream, at = self.stream, self.stream.at
        flags = stream.integer()
        if flags & 0xFF != 9 or flags & 0x200:
            raise CutShortError(at)
        return self.string()

    def string(self) -> str:
        size = self.stream.integer()
        return "NA" if size == -1 else self.stream.text(size).decode("utf-8", "replace")

    def length(self) -> int:
        at = self.stream.at
        size = self.stream.integer()
        if size == -1:
            high, low = self.stream.integer(), self.stream.integer()
            size = (high << 32) + (low & 0xFFFFFFFF) if 0 <= high < 1 << 20 else -1
        if size < 0:
            raise CutShortError(at)
        return size

    def other(self, kind: int, flags: int, place: int, purpose: int, at: int) -> None:
        """All but cells, symbols and constants; attributes are read last."""
        stream, push = self.stream, self.todo.append
        if flags & 0x200 and kind not in (4, 238):
            push(("item", place, PLAIN, None))
        if kind in _NUMBERS:
            stream.skip(self.length(), _NUMBERS[kind])
        elif kind == 24:
            low, size = stream.raw(self.length())
            if size >= 10 and len(self.found.raw) < _KEPT:
                self.found.raw.append((low, size))
        elif kind == 16:
            self.strings(place, purpose)
        elif kind == 9:
            self.string()
        elif kind in (19, 20):
            if count := self.length():
                inside = FRAME if purpose == FRAME else STATE if purpose == STATE else PLAIN
                push(("vector", place, inside, count))
        elif kind == 4:
            stream.integer()
            self.references.append("")
            push(("item", place, PLAIN, None))
            push(("item", place, FRAME, None))
            push(("item", place, FRAME, None))
            push(("item", place, PLAIN, None))
        elif kind in (7, 8):
            self.symbol(self.string(), place, HEAD, at)
        else:
            self.rare(kind, place, at)

    def rare(self, kind: int, place: int, at: int) -> None:
        push = self.todo.append
        if kind == 22:
            self.found.pointers += 1
            self.references.append("")
            push(("item", place, PLAIN, None))
            push(("item", place, PLAIN, None))
        elif kind == 23:
            self.references.append("")
        elif kind in _NAMED:
            self.package(_NAMED[kind], at)
        elif kind == 238:
            self.deferred(place, at)
        elif kind == 21:
            self.found.compiled += 1
            self.stream.integer()
            self.bytecode(max(place, CODE))
        elif kind != 25:
            raise CutShortError(at)

    def package(self, kind: str, at: int) -> None:
        zero, count = self.stream.integer(), self.stream.integer()
        if zero != 0 or not 0 <= count <= 16:
            raise CutShortError(at)
        names = [self.name() for _ in range(count)]
        self.references.append("")
        self.found.packages.setdefault((kind, names[0] if names else ""), at)

    def deferred(self, place: int, at: int) -> None:
        """ALTREP: a list of class, package and type, then the state that the class restores, then attributes."""
        names = []
        for _ in range(3):
            flags = self.stream.integer()
            if flags & 0xFF != 2 or flags & 0x600:
                raise CutShortError(at)
            names.append(self.symbol_or_number())
        if self.stream.integer() & 0xFF != 254:
            raise CutShortError(at)
        self.found.deferred.setdefault((names[0], names[1]), at)
        if names[0] in ("compact_intseq", "compact_realseq"):
            self.found.longest = max(self.found.longest, self.stream.first_number())
        mapped = STATE if names[0] in _MAPPED else PLAIN
        self.todo.append(("item", place, PLAIN, None))
        self.todo.append(("item", place, mapped, None))

    def symbol_or_number(self) -> str:
        at = self.stream.at
        flags = self.stream.integer()
        kind = flags & 0xFF
        if kind == 1:
            self.references.append(self.name())
            return self.references[-1]
        if kind == 13:
            self.stream.skip(self.length(), 4)
            return ""
        index = flags >> 8 or (self.stream.integer() if kind == 255 else 0)
        if kind != 255 or not 1 <= index <= len(self.references):
            raise CutShortError(at)
        return self.references[index - 1]

    def strings(self, place: int, purpose: int) -> None:
        stream = self.stream
        wanted = place != DATA or purpose in (ARGUMENT, HEAD, STATE)
        for _ in range(self.length()):
            at = stream.at
            flags = stream.integer()
            if flags & 0xFF != 9 or flags & 0x200:
                raise CutShortError(at)
            size = stream.integer()
            if size < -1:
                raise CutShortError(at)
            text = stream.text(size) if size > 0 else b""
            if self.named:
                self.found.packages.setdefault((self.named, text[:200].decode("utf-8", "replace")), at)
            if wanted:
                shown = text[:200].decode("utf-8", "replace")
                self.keep(self.found.calls if purpose == HEAD else self.found.texts, shown, place, at)

    def reference(self, index: int, place: int, purpose: int, at: int) -> None:
        if not 1 <= index <= len(self.references):
            raise CutShortError(at)
        if name := self.references[index - 1]:
            self.symbol(name, place, purpose, at)

    def symbol(self, name: str, place: int, purpose: int, at: int) -> None:
        if purpose == HEAD:
            self.keep(self.found.calls, name, place, at)
        elif purpose == TAG:
            if len(self.found.bound) < _KEPT:
                self.found.bound.add(name)
        elif purpose == ARGUMENT or place != DATA:
            self.keep(self.found.symbols, name, place, at)

    def keep(self, kept: dict[tuple[str, int], int], name: str, place: int, at: int) -> None:
        if len(kept) < _KEPT:
            kept.setdefault((name, place), at)
        elif (name, place) not in kept:
            self.found.overflow = True

    def bytecode(self, place: int) -> None:
        self.todo.append(("constants", place, PLAIN, None))
        self.todo.append(("item", place, PLAIN, None))

    def constants(self, place: int, count: int) -> None:
        if count < 0:
            raise CutShortError(self.stream.at)
        if count:
            self.todo.append(("constant", place, PLAIN, count))

    def constant(self, place: int) -> None:
        kind = self.stream.integer()
        if kind == 21:
            self.bytecode(place)
        elif kind in _BC_LANG:
            self.tree(kind, place, PLAIN)
        else:
            self.todo.append(("item", place, PLAIN, None))

    def tree(self, kind: int, place: int, purpose: int) -> None:
        """A call among the constants of compiled code, spelled in its own way."""
        if kind == 243:
            self.stream.integer()
            return
        if kind == 244:
            self.stream.integer()
            kind = self.stream.integer()
        if kind not in (2, 6, 239, 240):
            self.todo.append(("item", place, purpose, None))
            return
        call = kind in (6, 240)
        self.todo.append(("tree", place, ARGUMENT, None))
        self.todo.append(("tree", place, HEAD if call else ARGUMENT, None))
        self.todo.append(("item", place, PLAIN, None))
        if kind in (239, 240):
            self.todo.append(("item", place, PLAIN, None))
