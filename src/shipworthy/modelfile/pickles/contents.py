"""Numbers of an array that compiled code takes for places without looking: children of trees, columns of matrices.

scikit-learn follows `left_child` and `right_child` until there is none, and reads the column `feature` of a row
(sklearn/tree/_tree.pyx, ensemble/_hist_gradient_boosting/_predictor.pyx); scipy reads and writes where `indptr` and
`indices` say (scipy/sparse/sparsetools). Their writers number a child behind its parent. Of a pickle's arrays the first
`WHOLE` numbers are looked at one by one, and of each array behind them the first and the last.
"""

from __future__ import annotations

import math
import operator
import struct
import sys
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from shipworthy.modelfile.pickles import neighbours
from shipworthy.modelfile.pickles.literals import NotALiteralError, decode
from shipworthy.modelfile.pickles.values import BYTES_COUNTED, COUNTED, Made
from shipworthy.modelfile.view import Buffer
from shipworthy.patterns import regex
from shipworthy.records import dataclass

WHOLE = 1 << 17
_ENDS = 256
_AXES = 9
_TEXT = 64 << 20
_COLUMNS = 1 << 24  # more features than any table of numbers has
TREE = "sklearn.tree._tree:Tree"
_PREDICTOR = "sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor"
_SPARSE = regex(r"scipy\.sparse(?:\.\w+)*:(csr|csc|bsr|coo)_(?:matrix|array)")
_FIELD = regex(r"[<>=|]?([iu])(\d+)")
_STRUCT = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}
_ALMOST_EMPTY, _DENSE = 1 << 16, 1 << 40  # a matrix that is hardly more than its shape, and what that would be as one


def checked(name: str) -> bool:
    """Whether the state of objects of this class is looked at here."""
    if name.startswith("scipy.sparse"):
        return _SPARSE.fullmatch(name) is not None
    return name in (TREE, _PREDICTOR) or (name.startswith(("sklearn.nei", "scipy.spa")) and neighbours.checked(name))


class UnseenError(Exception):
    """Something that its library always writes in full can't be seen."""


@dataclass(frozen=True)
class Array:
    """Numbers of `width` bytes each: in the file from `low` on, or `raw`."""

    kind: str
    width: int
    shape: tuple[int, ...]
    low: int
    raw: Buffer | None


class Contents:
    """Looks at the arrays of one pickle."""

    def __init__(self, buffer: Buffer) -> None:
        self.buffer = buffer
        self.left = WHOLE

    def wrong(self, target: Made, state: Any) -> str | None:
        """What is wrong with the state that is set on an object of such a class."""
        name = target.maker.mapped if target.maker else ""
        try:
            if neighbours.checked(name):
                return neighbours.wrong(name, state, self)
            if not isinstance(state, dict):
                return "its state can't be seen"
            if name == TREE:
                return self._tree(target, state)
            if name == _PREDICTOR:
                return self._predictor(state)
            return self._sparse(name.partition(":")[2][:3], state)
        except UnseenError as unseen:
            return f"{unseen} can't be seen"

    # what a state holds ---------------------------------------------------------------------------------

    def array(self, state: dict[Any, Any], key: Any) -> Array:
        """An array of a state. Raises when its numbers can't be seen."""
        found = self._known(state.get(key))
        if found is None:
            raise UnseenError(f"its array {key}")
        return found

    def _known(self, value: Any) -> Array | None:
        """An array that a call has made and whose numbers are known."""
        if not isinstance(value, Made) or value.maker is None or not isinstance(value.detail, tuple):
            return None
        parts, name = value.detail, value.maker.mapped
        if name.endswith("NumpyArrayWrapper"):
            kind, shape, low = parts
        elif name.endswith(":_frombuffer") and len(parts) > 2:
            low, kind, shape = parts[:3]
        elif name.endswith(":_reconstruct") and len(parts) == 5:
            shape, kind, low = parts[1], parts[2], parts[4]
        else:
            return None
        text = kind.detail if isinstance(kind, Made) else kind
        sizes = self._numbers(shape)
        if not isinstance(text, str) or sizes is None:
            return None
        width = int("".join(filter(str.isdigit, text.partition("[")[0])) or 0)
        total = width * math.prod(sizes)
        raw: bytes | None = None
        if not name.endswith("NumpyArrayWrapper"):
            low, raw = self._bytes(low)
            if low < 0 or (len(raw) if raw is not None else self._length(low)) < total:
                return None
            low = 0 if raw is not None else low + COUNTED[self.buffer[low - 1]]
        return Array(text, width, sizes, low, raw)

    def _bytes(self, slot: Any) -> tuple[int, bytes | None]:
        """A literal of bytes, or the text that protocols 0 to 2 encode."""
        if isinstance(slot, Made) and isinstance(slot.detail, int) and slot.maker and slot.maker.name == "encode":
            try:
                return 0, str(decode(self.buffer, slot.detail, _TEXT)).encode("latin-1")
            except (NotALiteralError, ValueError):
                return -1, None
        if isinstance(slot, Made) and slot.detail == () and slot.maker and slot.maker.mapped == "builtins:bytes":
            return 0, b""  # so protocols 0 to 2 spell empty bytes
        known = isinstance(slot, int) and slot > 0 and self.buffer[slot - 1] in BYTES_COUNTED
        return (slot, None) if known else (-1, None)

    def _length(self, slot: int) -> int:
        return int.from_bytes(self.buffer[slot : slot + COUNTED[self.buffer[slot - 1]]], "little")

    def _numbers(self, shape: Any) -> tuple[int, ...] | None:
        found = []
        for slot in shape if isinstance(shape, tuple) else (shape,):
            number = self.number(slot)
            if number is None or number < 0:
                return None
            found.append(number)
        return tuple(found)

    def number(self, slot: Any) -> int | None:
        """A literal integer."""
        try:
            value = decode(self.buffer, slot, 64) if isinstance(slot, int) and slot > 0 else None
        except NotALiteralError:
            return None
        return value if isinstance(value, int) else None

    # their numbers --------------------------------------------------------------------------------------

    def parts(self, rows: int) -> list[tuple[int, int]]:
        """Which rows are looked at: all, or the first and the last."""
        if rows <= max(self.left, 2 * _ENDS):
            self.left -= rows
            return [(0, rows)]
        return [(0, _ENDS), (rows - _ENDS, rows)]

    def column(self, array: Array, low: int, high: int, field: str = "") -> list[int]:
        """The integers of some rows, or of one field of a record. Raises UnseenError."""
        kind, at = array.kind, 0
        if field:
            places = dict(part.partition("=")[::2] for part in kind.partition("[")[2].rstrip("]").split(";"))
            kind, _, place = places.get(field, "").partition("@")
            at = int(place or 0)
        match = _FIELD.fullmatch(kind)
        letter = _STRUCT.get("".join(match.groups())) if match else None
        if letter is None:
            raise UnseenError(f"the type of its {field or 'indexes'}")
        start = array.low + low * array.width
        raw = array.raw if array.raw is not None else self.buffer
        data = memoryview(raw[start : start + (high - low) * array.width])
        size = struct.calcsize(letter)
        little = kind[:1] != ">" and sys.byteorder == "little"
        if little and not (array.width % size or at % size):
            return data.cast("B").cast(letter)[at // size :: array.width // size].tolist()  # type: ignore[call-overload, no-any-return]
        form = f"{'>' if kind[:1] == '>' else '<'}{at}x{letter}{array.width - at - size}x"
        return [number for (number,) in struct.iter_unpack(form, data)]

    def _tree(self, target: Made, state: dict[str, Any]) -> str | None:
        made_of = target.detail
        features = self.number(made_of[0]) if isinstance(made_of, tuple) and made_of else None
        nodes, count = self.array(state, "nodes"), self.number(state.get("node_count"))
        if features is None or count is None:
            return "how many nodes and features it has can't be seen"
        return self.lead_on(nodes, count, features)

    def lead_on(self, nodes: Array, count: int, features: int) -> str | None:
        """What is wrong with the nodes of scikit-learn's tree, as they follow each other."""
        if len(nodes.shape) != 1:
            return "its nodes can't be seen"
        if count > nodes.shape[0]:
            return "it says that it has more nodes than there are"
        for low, high in self.parts(nodes.shape[0]):
            sides = [self.column(nodes, low, high, side) for side in ("left_child", "right_child")]
            used = self.column(nodes, low, high, "feature")
            wrong = _leads_on(sides, list(map(operator.eq, sides[0], repeat(-1))), used, low, nodes.shape[0], features)
            if wrong:
                return wrong
        return None

    def _predictor(self, state: dict[str, Any]) -> str | None:
        nodes = self.array(state, "nodes")
        if len(nodes.shape) != 1:
            return "its nodes can't be seen"
        for low, high in self.parts(nodes.shape[0]):
            leaves = [bool(leaf) for leaf in self.column(nodes, low, high, "is_leaf")]
            sides = [self.column(nodes, low, high, side) for side in ("left", "right")]
            sides = [[-1 if leaf else place for leaf, place in zip(leaves, side, strict=True)] for side in sides]
            used = self.column(nodes, low, high, "feature_idx")
            wrong = _leads_on(sides, leaves, used, low, nodes.shape[0], _COLUMNS)
            if wrong:
                return wrong
        return None

    def _sparse(self, layout: str, state: dict[str, Any]) -> str | None:
        shape = self._numbers(state.get("_shape"))
        if shape is None:
            return "its shape can't be seen"
        arrays = {"data": self.array(state, "data")}
        if layout == "coo":
            places = state.get("coords") if "coords" in state else (state.get("row"), state.get("col"))
            state = {
                f"axis {number}": place for number, place in enumerate(places if isinstance(places, tuple) else ())
            }
        names = ("indptr", "indices") if layout != "coo" else [f"axis {number}" for number in range(len(shape))]
        arrays.update((name, self.array(state, name)) for name in names)
        return self.matrix(layout, shape, arrays)

    def matrix(self, layout: str, shape: Sequence[int], arrays: dict[str, Array]) -> str | None:
        """What is wrong with a sparse matrix of this layout (`csr`, `csc`, `bsr`, `coo`)."""
        data = arrays["data"]
        if not 0 < len(shape) < _AXES or not data.shape:
            return "its shape can't be seen"
        if almost_empty(shape, data.shape[0]):
            return "it is an almost empty matrix of a huge shape, which takes all memory once it is written out"
        if layout == "coo":
            for number, size in enumerate(shape):
                rows = arrays[f"axis {number}"]
                if rows.shape != data.shape[:1]:
                    return "it has not as many places as numbers"
                if self.outside(rows, size):
                    return "a place lies outside of its shape"
            return None
        starts, columns = arrays["indptr"], arrays["indices"]
        blocks = data.shape[1:3] if layout == "bsr" and len(data.shape) == 3 else (1, 1)
        rows_and_columns = (1, *shape)[-2:]
        major, minor = (rows_and_columns[axis] // max(blocks[axis], 1) for axis in (0, 1))
        if layout == "csc":
            major, minor = minor, major
        if len(starts.shape) != 1 or len(columns.shape) != 1 or starts.shape[0] != major + 1:
            return "its rows are not as many as its shape says"
        last = 0
        for low, high in self.parts(starts.shape[0]):
            found = self.column(starts, low, high)
            if not low and found[0]:
                return "its first row begins behind its first number"
            if found[0] < last or found != sorted(found):
                return "a row of it ends before it begins"
            last = found[-1]
        if last > min(columns.shape[0], data.shape[0]):
            return "its rows go on behind its numbers"
        return "an index of it lies outside of its shape" if self.outside(columns, minor) else None

    def outside(self, array: Array, size: int) -> bool:
        """Whether one of its indexes is negative, or not below `size`."""
        for low, high in self.parts(array.shape[0]) if array.shape else ():
            found = self.column(array, low, high)
            if found and (min(found) < 0 or max(found) >= size):
                return True
        return False


def almost_empty(shape: Sequence[int], held: int) -> bool:
    """Whether a matrix that holds so many numbers is hardly more than its shape, and what it stands for is huge."""
    return math.prod(shape) >= _DENSE and held * _ALMOST_EMPTY < max(shape)


def _leads_on(
    sides: list[list[int]], leaves: list[bool], features: list[int], first: int, total: int, width: int
) -> str | None:
    """What is wrong with the nodes from the first one on: each that is no leaf has two children behind it."""
    ends, places = leaves.count(True), range(first, first + len(leaves))
    for side in sides:
        if sum(map(operator.le, side, places)) != ends or list(map(operator.eq, side, repeat(-1))) != leaves:
            return "a node is not followed by its children: who walks the tree never ends, or leaves it"
        if side and max(side) >= total:
            return "a child of a node lies outside of the tree"
    if features and max(features) >= width:
        return "a node asks for a feature that no row has"
    below = list(map(operator.lt, features, repeat(0)))
    if below != leaves and any(map(operator.gt, below, leaves)):
        return "a node asks for a feature that no row has"
    return None
