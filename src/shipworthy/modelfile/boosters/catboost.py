"""CatBoost's .cbm: a size, a flatbuffer, and the parts that the flatbuffer names behind it.

Layout: CatBoost's catboost/libs/model/model.cpp (Save, Load). Loading runs no code; lengths and links are checked.
"""

from __future__ import annotations

import struct

from shipworthy.modelfile.graphs.flatbuffer import BadFlatbufferError, Table
from shipworthy.modelfile.graphs.schemas import Walked
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_TABLES = "static_provider_v1"
_PADDING = 32
_COUNT = 1_000_000
_TEXTS = 100


def read(scope: Scope, _: str) -> int:
    """Walk the model; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    core = view.u32(4)
    if size < 12 or 8 + core > size:
        message = f"the model declares {core} bytes, the file has {max(size - 8, 0)}"
        scope.issue(Code.BROKEN_STREAM, "high", message, 4)
        return size
    inner = view.sub(8, core)
    parts = _core(scope, inner)
    at = 8 + core
    for name in parts:
        if name != _TABLES:
            scope.unknown(f"this version does not read the part {shown(name)} of the model")
            return size
        at = _values(scope, at)
        if at < 0:
            return size
    if at < size:
        message = f"{size - at} bytes follow the model"
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", message, at)
        scope.child(f"bytes at {at}", view.sub(at, size), Role.TRAILER)
    return size


def walk(scope: Scope, view: View, at: int, root: str) -> tuple[Walked, list[Table]]:
    """A flatbuffer and its tables; what is wrong with it is reported, with `at` as its offset in the file."""
    flat = Walked(view, "catboost")
    tables: list[Table] = []
    try:
        for table in flat.run(root):
            tables.append(table)
            if len(tables) > _COUNT:
                scope.unknown("it has more tables than are looked at")
                return flat, tables
    except BadFlatbufferError as error:
        message = f"the model is damaged: {error}; a reader that trusts it leaves its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message, at + error.at)
        return flat, []
    for thing in sorted(flat.unknown)[:8]:
        scope.unknown(f"{shown(thing)} is not known to this version")
    for low, high in flat.gaps(len(view)):
        if high - low > _PADDING or view.read(low, high - low).strip(b"\0"):
            message = f"{high - low} bytes of the model belong to nothing that a reader uses"
            scope.issue(Code.HIDDEN_PAYLOAD, "medium", message, at + low)
            scope.child(f"bytes at {at + low}", view.sub(low, high - low), Role.TRAILER)
    return flat, tables


def _core(scope: Scope, view: View) -> list[str]:
    flat, tables = walk(scope, view, 8, "TModelCore")
    names: list[str] = []
    for table in tables:
        if table.kind == "TModelCore":
            version = flat.text(table, "FormatVersion")
            if version != "FlabuffersModel_v1":
                scope.unknown(f"the model is of the unknown version {shown(version)}")
            names = _texts(view, table)
        elif table.kind == "TModelTrees":
            _trees(scope, view, table)
        elif table.kind == "TKeyValue":
            low, size = table.spans.get("Value", (0, 0))
            if size >= 10:
                scope.child(f"info {shown(flat.text(table, 'Key'), 60)}", view.sub(low, size), Role.BLOB)
    if tables and "ModelTrees" not in tables[0].links:
        scope.unknown("the model has no trees")
    return names


def _texts(view: View, table: Table) -> list[str]:
    """The vector of the parts' names, whose extents the walk has checked."""
    vtable = table.at - int.from_bytes(view.read(table.at, 4), "little", signed=True)
    offset = view.u16(vtable + 10) if view.u16(vtable) > 10 else 0
    if not offset:
        return []
    start = table.at + offset + view.u32(table.at + offset)
    found = []
    for n in range(min(view.u32(start), _TEXTS)):
        at = start + 4 + 4 * n
        at += view.u32(at)
        found.append(view.read(at + 4, min(view.u32(at), 200)).decode("utf-8", "replace"))
    return found


def _ints(view: View, table: Table, name: str) -> tuple[int, ...]:
    low, count = table.spans.get(name, (0, 0))
    raw = view.read(low, 4 * count)
    return struct.unpack(f"<{len(raw) // 4}i", raw[: len(raw) // 4 * 4])


def _trees(scope: Scope, view: View, table: Table) -> None:
    """Trees that ask for more splits or leaves than there are make the evaluator read beyond its arrays."""
    sizes, starts = _ints(view, table, "TreeSizes"), _ints(view, table, "TreeStartOffsets")
    splits = table.spans.get("TreeSplits", (0, 0))[1]
    leaves = table.spans.get("LeafValues", (0, 0))[1]
    dimension = table.numbers.get("ApproxDimension", 0)
    wrong = any(size < 0 or start < 0 or start + size > splits for size, start in zip(sizes, starts, strict=False))
    if table.spans.get("NonSymmetricStepNodes", (0, 0))[1]:
        wrong = wrong or table.spans["NonSymmetricStepNodes"][1] != splits or _astray(view, table, leaves)
    else:
        wrong = wrong or any(size > 30 for size in sizes) or sum(1 << size for size in sizes) * dimension != leaves
    if wrong or (starts and len(starts) != len(sizes)):
        message = "its trees ask for splits or leaves that are not there: an evaluator may leave its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message, 8 + table.at)


def _astray(view: View, table: Table, leaves: int) -> bool:
    low, count = table.spans["NonSymmetricStepNodes"]
    steps = struct.unpack(f"<{2 * count}H", view.read(low, 4 * count))
    targets = _ints(view, table, "NonSymmetricNodeIdToLeafId")
    if len(targets) != count:
        return True
    for index in range(count):
        left, right = steps[2 * index], steps[2 * index + 1]
        if index + max(left, right) >= count or (not (left and right) and not -1 <= targets[index] < leaves):
            return True
    return False


def _values(scope: Scope, at: int) -> int:
    """The tables of categories' statistics; the offset behind them, or -1."""
    view = scope.view
    count = view.u32(at)
    place = at + 4
    for _ in range(count):
        size = view.u32(place)
        if place + 4 + size > len(view) or size < 8:
            break
        walk(scope, view.sub(place + 4, size), place + 4, "TCtrValueTable")
        place += 4 + size
    else:
        if place <= len(view):
            return place
    scope.issue(Code.BROKEN_STREAM, "high", "a table of categories reaches beyond the end of the file", place)
    return -1
