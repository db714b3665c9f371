"""Trees of points, by which neighbours are found: their nodes name parts of a list of indexes, which name rows.

sklearn/neighbors/_binary_tree.pxi.tp (`__setstate__`, `query`): node i has the children 2i + 1 and 2i + 2, unless it is
a leaf. scipy/spatial/_ckdtree.pyx (`_post_init_traverse`): a node says where its children are among 72 bytes each, and
loading follows them already. Both read wherever that leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shipworthy.patterns import regex
from shipworthy.records import replace

if TYPE_CHECKING:
    from shipworthy.modelfile.pickles.contents import Array, Contents

_BINARY = regex(r"sklearn\.neighbors\._?(?:kd|ball)_tree:(?:newObj|(?:KD|Ball)Tree\w*)")
_CKDTREE = regex(r"scipy\.spatial\.\w+:c?KDTree")
_NODE = "V72[split_dim=i8@0;start=i8@24;end=i8@32;less=i8@56;greater=i8@64]"
_NODE_BYTES = 72


def checked(name: str) -> bool:
    """Whether it is the name of such a tree, or of what makes one."""
    return bool(_BINARY.fullmatch(name) or _CKDTREE.fullmatch(name))


def wrong(name: str, state: Any, contents: Contents) -> str | None:
    """What is wrong with the state of such a tree."""
    if not isinstance(state, tuple) and name.endswith(":KDTree") and name.startswith("scipy"):
        return None  # before scipy 1.6 it was plain Python
    if not isinstance(state, tuple) or len(state) < 8:
        return "its state can't be seen"
    if _BINARY.fullmatch(name):
        data, places, nodes = (contents.array(dict(enumerate(state)), index) for index in range(3))
        count = contents.number(state[6])
        rows = data.shape[0] if data.shape else 0
        if count is None or len(nodes.shape) != 1 or count != nodes.shape[0]:
            return "it has not as many nodes as it says"
        return _indexes(contents, places, rows) or _binary(contents, nodes, min(rows, places.shape[0]))
    raw, data = contents.array(dict(enumerate(state)), 0), contents.array(dict(enumerate(state)), 1)
    places = contents.array(dict(enumerate(state)), 7)
    rows, columns = data.shape if len(data.shape) == 2 else (0, 0)
    if contents.number(state[2]) != rows or contents.number(state[3]) != columns or len(raw.shape) != 1:
        return "it has not as many points as it says"
    if raw.width != 1 or raw.shape[0] % _NODE_BYTES:
        return "its nodes can't be seen"
    nodes = replace(raw, kind=_NODE, width=_NODE_BYTES, shape=(raw.shape[0] // _NODE_BYTES,))
    return _indexes(contents, places, rows) or _linked(contents, nodes, rows, columns)


def _indexes(contents: Contents, places: Array, rows: int) -> str | None:
    if len(places.shape) != 1 or places.shape[0] != rows:
        return "it has not one index for each point"
    return "an index of it names no point" if contents.outside(places, rows) else None


def _binary(contents: Contents, nodes: Array, rows: int) -> str | None:
    total = nodes.shape[0]
    for low, high in contents.parts(total):
        columns = (contents.column(nodes, low, high, field) for field in ("idx_start", "idx_end", "is_leaf"))
        for at, (start, end, leaf) in enumerate(zip(*columns, strict=True), low):
            if not 0 <= start <= end <= rows:
                return "a node of it names points that are not there"
            if not leaf and 2 * at + 2 >= total:
                return "a node of it has children that are not there"
    return None


def _linked(contents: Contents, nodes: Array, rows: int, width: int) -> str | None:
    total = nodes.shape[0]
    for low, high in contents.parts(total):
        fields = ("split_dim", "start", "end", "less", "greater")
        columns = (contents.column(nodes, low, high, field) for field in fields)
        for at, (split, start, end, less, greater) in enumerate(zip(*columns, strict=True), low):
            if not 0 <= start <= end <= rows or not -1 <= split < width:
                return "a node of it names points that are not there"
            if split != -1 and not (at < less < total and at < greater < total):
                return "a node is not followed by its children: who walks the tree never ends, or leaves it"
    return None
