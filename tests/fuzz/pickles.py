"""Random pickles: streams of opcodes that mostly fit together, real pickles, and both of them damaged.

Written from the opcodes' descriptions (PEP 307, PEP 3154, PEP 574; CPython `Lib/pickletools.py`); everything comes from
one `random.Random`, so a seed is a pickle.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable

MODULES = ("os", "builtins", "numpy.core.multiarray", "collections", "a.b", "x", "posix", "torch", "modul\u00e9", "")
NAMES = ("system", "eval", "OrderedDict", "_reconstruct", "dtype", "a.b.c", "n", "str", "__class__", "na\u00efve", "")
TEXTS = (*MODULES, *NAMES, "latin1", "weights", "0", "1.5", "line\nbreak", "back\\slash")


def text_line(source: random.Random) -> bytes:
    """A line as GLOBAL, INST and PERSID want it."""
    return source.choice((*MODULES, *NAMES)).encode() + b"\n"


class Maker:
    """Writes one stream, and knows roughly what lies on the loader's stack: a letter for each value, `(` for a mark."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.out = bytearray()
        self.stack: list[str] = []
        self.memo: list[int] = []

    def make(self) -> bytes:
        """A stream that ends with STOP."""
        source = self.source
        if source.random() < 0.7:
            self.out += b"\x80" + bytes([source.choice((0, 1, 2, 2, 3, 4, 4, 4, 5, 5, 6))])
        if source.random() < 0.2:
            self.out += b"\x95" + source.randrange(200).to_bytes(8, "little")
        for _ in range(source.choice((3, 8, 20, 60))):
            self.step()
        if not self.stack or self.stack[-1] == "(":
            self.literal()
        return bytes(self.out) + (b"." if source.random() < 0.97 else b"")

    def step(self) -> None:
        """One opcode (or a few that belong together)."""
        if self.source.random() < 0.02:
            self.out.append(self.source.randrange(256))
            return
        fitting = [move for move, fits in MOVES if fits(self)]
        self.source.choice(fitting)(self)

    # what there is on the stack -------------------------------------------------------------------------

    def top(self, kinds: str, below: str = "") -> bool:
        """Does the top fit, and what lies below it?"""
        stack = self.stack
        if below:
            return len(stack) > 1 and stack[-1] in kinds and stack[-2] in below
        return bool(stack) and stack[-1] in kinds

    def mark(self) -> int:
        """Where the last mark lies, or -1."""
        return max((index for index, kind in enumerate(self.stack) if kind == "("), default=-1)

    def push(self, kind: str, *data: bytes) -> None:
        """Write, and note what it puts on the stack."""
        for part in data:
            self.out += part
        self.stack.append(kind)

    # opcodes --------------------------------------------------------------------------------------------

    def literal(self) -> None:
        """Numbers, texts and bytes of all forms."""
        number = self.source.choice((0, 1, 7, 255, 256, 65535, 1 << 20))
        forms: list[tuple[str, bytes]] = [
            ("i", b"N"), ("i", b"\x88"), ("i", b"\x89"), ("i", b"K" + bytes([number & 255])),
            ("i", b"M" + (number & 65535).to_bytes(2, "little")), ("i", b"J" + number.to_bytes(4, "little")),
            ("i", b"G" + self.source.randbytes(8)), ("i", b"I%d\n" % number), ("i", b"I01\n"),
            ("i", b"L%dL\n" % number), ("i", b"F1.25\n"),
            ("i", b"\x8a\x02" + self.source.randbytes(2)), ("i", b"\x8b\x01\0\0\0" + b"\x05"),
        ]  # fmt: skip
        self.push(*self.source.choice(forms))

    def text(self) -> None:
        """A text in one of its forms."""
        value = self.source.choice(TEXTS)
        raw = value.encode()
        size = len(raw)
        escaped = value.encode("raw-unicode-escape").replace(b"\n", b"\\u000a").replace(b"\\s", b"\\u005cs")
        forms = (
            b"\x8c" + bytes([size]) + raw,
            b"\x8c" + bytes([size]) + raw,
            b"X" + size.to_bytes(4, "little") + raw,
            b"\x8d" + size.to_bytes(8, "little") + raw,
            b"V" + escaped + b"\n",
            b"U" + bytes([size]) + raw,
            b"T" + size.to_bytes(4, "little") + raw,
            b"S" + ascii(value).encode() + b"\n",
        )
        self.push("s", self.source.choice(forms))

    def data(self) -> None:
        """Bytes in one of their forms."""
        raw = self.source.choice((b"", b"abc", b"cos\nsystem\n", b"\x80\x04.", bytes(40)))
        size = len(raw)
        forms = (
            b"C" + bytes([size]) + raw,
            b"B" + size.to_bytes(4, "little") + raw,
            b"\x8e" + size.to_bytes(8, "little") + raw,
            b"\x96" + size.to_bytes(8, "little") + raw,
        )
        self.push("b", self.source.choice(forms))

    def container(self) -> None:
        """An empty container."""
        self.push(*self.source.choice((("l", b"]"), ("d", b"}"), ("t", b")"), ("e", b"\x8f"))))

    def open(self) -> None:
        """A mark."""
        self.push("(", b"(")

    def close(self) -> None:
        """What takes everything above the last mark."""
        at = self.mark()
        items = len(self.stack) - at - 1
        forms = [("t", b"t"), ("l", b"l"), ("f", b"\x91"), ("", b"1")]
        if items % 2 == 0:
            forms.append(("d", b"d"))
        below = self.stack[at - 1] if at > 0 else ""
        forms += [("+", op) for op, kinds in ((b"e", "lo"), (b"\x90", "eo")) if below in kinds and below]
        if below and below in "do" and items % 2 == 0:
            forms.append(("+", b"u"))
        if items and self.stack[at + 1] == "g":
            forms += [("o", b"o")] * 3
        forms.append(("o", b"i" + text_line(self.source) + text_line(self.source)))
        kind, op = self.source.choice(forms)
        del self.stack[at:]
        self.out += op
        if kind not in ("", "+"):
            self.stack.append(kind)

    def tuple_of(self) -> None:
        """TUPLE1 to TUPLE3."""
        most = min(3, len(self.stack) - 1 - self.mark())
        count = self.source.randint(1, most)
        del self.stack[-count:]
        self.push("t", bytes([0x84 + count]))

    def add_one(self) -> None:
        """APPEND and SETITEM."""
        if len(self.stack) > 2 and self.stack[-3] in "do" and "(" not in self.stack[-2:]:
            self.out += b"s"
            del self.stack[-2:]
        elif self.top("ilsdbtfeog", "lo"):
            self.out += b"a"
            del self.stack[-1:]

    def imported(self) -> None:
        """A global in one of its forms."""
        if self.top("s", "s") and self.source.random() < 0.7:
            del self.stack[-2:]
            self.push("g", b"\x93")
        else:
            self.push("g", b"c", text_line(self.source), text_line(self.source))

    def named(self) -> None:
        """Two texts and STACK_GLOBAL, with something in between that leaves them there."""
        for value in (self.source.choice(MODULES), self.source.choice(NAMES)):
            raw = value.encode()
            self.push("s", b"\x8c" + bytes([len(raw)]) + raw)
            self.between()
        del self.stack[-2:]
        self.push("g", b"\x93")

    def between(self) -> None:
        """Opcodes that change nothing on the stack."""
        what = self.source.randrange(6)
        if what == 0:
            self.remember()
        elif what == 1:
            self.out += b"K\x010"
        elif what == 2:
            self.out += b"20"
        elif what == 3:
            self.out += b"(1"
        elif what == 4 and self.memo:
            self.out += b"h" + bytes([self.source.choice(self.memo) & 255]) + b"0"

    def call(self) -> None:
        """REDUCE and its kin."""
        if self.top("t", "go"):
            del self.stack[-2:]
            self.push("o", self.source.choice((b"R", b"\x81")))
        else:
            self.push(
                "o", b"c", text_line(self.source), text_line(self.source), b")", b"}" if (kw := self.chance()) else b""
            )
            self.out += b"\x92" if kw else b"R"

    def chance(self) -> bool:
        """A coin."""
        return self.source.random() < 0.5

    def build(self) -> None:
        """State for an object."""
        del self.stack[-1:]
        self.out += b"b"

    def remember(self) -> None:
        """Into the memo."""
        index = self.source.choice(
            (len(self.memo), len(self.memo), self.source.randrange(8), self.source.randrange(300))
        )
        forms = [
            b"\x94",
            b"q" + bytes([index & 255]),
            b"r" + index.to_bytes(4, "little"),
            b"p%d\n" % index,
        ]
        form = self.source.choice(forms)
        self.out += form
        self.memo.append(len(self.memo) if form == b"\x94" else index & 255 if form[:1] == b"q" else index)

    def recall(self) -> None:
        """Out of the memo."""
        index = self.source.choice(self.memo) if self.memo else self.source.randrange(4)
        self.push(
            self.source.choice("sogil"),
            self.source.choice((b"h" + bytes([index & 255]), b"j" + index.to_bytes(4, "little"), b"g%d\n" % index)),
        )

    def shuffle(self) -> None:
        """POP and DUP."""
        if self.chance():
            self.push(self.stack[-1], b"2")
        else:
            self.stack.pop()
            self.out += b"0"

    def persistent(self) -> None:
        """A persistent id."""
        if self.chance():
            self.push("o", b"P", text_line(self.source))
        else:
            self.stack.pop()
            self.push("o", b"Q")

    def odd(self) -> None:
        """Rare ones."""
        self.push("o", self.source.choice((b"\x82\x01", b"\x83\x01\0", b"\x84\x01\0\0\0", b"\x97", b"\x97\x98")))

    def framing(self) -> None:
        """Opcodes about the stream itself."""
        self.out += self.source.choice(
            (b"\x80\x04", b"\x80\x02", b"\x95" + self.source.randrange(64).to_bytes(8, "little"))
        )


def _anything(_: Maker) -> bool:
    return True


MOVES: list[tuple[Callable[[Maker], None], Callable[[Maker], bool]]] = [
    (Maker.literal, _anything),
    (Maker.text, _anything),
    (Maker.text, _anything),
    (Maker.data, _anything),
    (Maker.container, _anything),
    (Maker.open, _anything),
    (Maker.close, lambda m: m.mark() >= 0),
    (Maker.tuple_of, lambda m: len(m.stack) - 1 - m.mark() > 0),
    (Maker.add_one, lambda m: m.top("ilsdbtfeog")),
    (Maker.imported, _anything),
    (Maker.named, _anything),
    (Maker.call, _anything),
    (Maker.build, lambda m: m.top("ilsdbt", "og")),
    (Maker.remember, lambda m: m.top("ilsdbtfeog")),
    (Maker.remember, lambda m: m.top("ilsdbtfeog")),
    (Maker.recall, lambda m: bool(m.memo)),
    (Maker.recall, lambda m: bool(m.memo)),
    (Maker.shuffle, lambda m: m.top("ilsdbtfeog")),
    (Maker.persistent, lambda m: m.top("ilsdbtfeog")),
    (Maker.odd, lambda m: m.source.random() < 0.1),
    (Maker.framing, lambda m: m.source.random() < 0.2),
]


def real(source: random.Random) -> bytes:
    """A pickle that pickle itself wrote."""
    return pickle.dumps(_value(source, 4), protocol=source.randrange(6))


def _value(source: random.Random, depth: int) -> object:
    kind = source.randrange(10 if depth else 6)
    if kind < 6:
        plain = (
            source.randrange(-(1 << 40), 1 << 40),
            source.random(),
            source.choice(TEXTS),
            b"\x80data",
            None,
            set,
            1j,
        )
        return source.choice((*plain, random.Random, range(3), complex, bytearray(b"x")))
    items = [_value(source, depth - 1) for _ in range(source.randrange(6))]
    if kind == 6:
        return items
    if kind == 7:
        return tuple(items)
    if kind == 8:
        return {source.choice(TEXTS): item for item in items}
    return {source.choice(TEXTS): items}


def damaged(source: random.Random, data: bytes) -> bytes:
    """A few bytes changed, moved, taken away or put in."""
    out = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 5))):
        at = source.randrange(len(out) + 1)
        what = source.randrange(5)
        if what == 0 and at < len(out):
            out[at] = source.randrange(256)
        elif what == 1:
            del out[at : at + source.choice((1, 2, 8))]
        elif what == 2:
            out[at:at] = source.randbytes(source.choice((1, 2, 5)))
        elif what == 3:
            low = source.randrange(len(out) + 1)
            out[at:at] = out[low : low + source.randrange(12)]
        elif at < len(out):
            out[at] ^= 1 << source.randrange(8)
    return bytes(out)


def sample(seed: int) -> bytes:
    """The pickle of a seed: one to three streams, half of them damaged."""
    source = random.Random(seed)
    streams = [
        Maker(source).make() if source.random() < 0.75 else real(source) for _ in range(source.choice((1, 1, 1, 2, 3)))
    ]
    data = b"".join(streams)
    return damaged(source, data) if source.random() < 0.5 else data
