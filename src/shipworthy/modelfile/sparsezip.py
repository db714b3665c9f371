"""Sparse matrices that `scipy.sparse.save_npz` wrote, by themselves or in an archive of skops: where their numbers lie.

`load_npz` does not compare the indexes with the shape, and compiled code writes where they say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.modelfile import npy
from shipworthy.modelfile.pickles.arrays import item_size
from shipworthy.modelfile.pickles.contents import Array, Contents, UnseenError
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.view import View

if TYPE_CHECKING:
    from shipworthy.modelfile.zipdirectory import Entry

_HEADER = 1 << 16
_TELLING = frozenset(("format.npy", "shape.npy", "data.npy"))
_PARTS = {
    "data.npy": "data",
    "indptr.npy": "indptr",
    "indices.npy": "indices",
    "row.npy": "axis 0",
    "col.npy": "axis 1",
}
_LAYOUTS = {"csr": ("indptr", "indices"), "csc": ("indptr", "indices"), "bsr": ("indptr", "indices"),
            "coo": ("axis 0", "axis 1")}  # fmt: skip


def is_matrix(entries: Sequence[Entry]) -> bool:
    """Whether its members are those of a sparse matrix."""
    return {entry.name for entry in entries} >= _TELLING


def read(scope: Scope, entries: Sequence[Entry], open_entry: Callable[[Scope, Entry], View | None]) -> None:
    """Scan all members, and judge how they fit together."""
    from shipworthy.modelfile.zips import queue

    arrays: dict[str, Array] = {}
    for entry in reversed(entries):
        if entry.name not in _PARTS and entry.name not in _TELLING:
            queue(scope, entry)
            continue
        content = open_entry(scope, entry)
        if content is not None:
            scope.child(entry.name, content)
            found = array(content)
            if found is not None:
                arrays[_PARTS.get(entry.name, entry.name)] = found
    wrong = _wrong(arrays)
    if wrong:
        text = f"compiled code believes the places in this sparse matrix, and leaves its memory: {wrong}"
        scope.issue(Code.BOMB, "high", text, None, "scipy.sparse:load_npz")


def array(view: View) -> Array | None:
    """What a .npy's header says, and where its numbers begin. A damaged one is reported by the reader of arrays."""
    major = view.read(6, 1)
    size, start = (view.u16(8), 10) if major == b"\1" else (view.u32(8), 12)
    if size > _HEADER:
        return None
    try:
        header: Any = npy.parse(view.read(start, size).decode("latin-1"))
        kind, shape = _kind(header["descr"]), tuple(int(number) for number in header["shape"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    width = item_size(kind)
    return Array(kind, width, shape, view.start + start + size, view.buffer) if width else None


def _kind(described: Any) -> str:
    """The text of a type; of a record with the places of its fields."""
    if not isinstance(described, list):
        return str(described)
    at, fields = 0, []
    if not all(name.isidentifier() or not name for name, *_ in described):
        return str(described)
    for name, kind, *more in described:
        fields.append(f"{name}={kind}@{at}")
        at += 0 if more else item_size(str(kind)) or 0
    return f"V{at}[{';'.join(fields)}]"


def _wrong(arrays: dict[str, Array]) -> str | None:
    if not arrays.keys() >= {"format.npy", "shape.npy", "data"}:
        return None
    contents = Contents(b"")
    named = arrays["format.npy"]
    raw = named.raw[named.low : named.low + min(named.width, 64)] if named.raw is not None else b""
    layout = raw.replace(b"\0", b"").decode("latin-1").strip()
    if layout not in _LAYOUTS or not arrays.keys() >= set(_LAYOUTS[layout]):
        return None
    sizes = arrays["shape.npy"]
    try:
        shape = contents.column(sizes, 0, min(sizes.shape[0], 8)) if len(sizes.shape) == 1 else []
        if layout == "coo" and len(shape) != len(_LAYOUTS[layout]):
            return None
        return contents.matrix(layout, shape, arrays)
    except UnseenError as unseen:
        return f"{unseen} can't be seen"
