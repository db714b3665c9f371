"""Arrays of zarr by their descriptions: `.zarray`, `.zmetadata`, `zarr.json`, references to parts of other files.

Chunks behind the codec `pickle` are pickles, which whoever reads the array loads. Source: numcodecs 0.16 (`Pickle`);
zarr-specs, versions 2 and 3; fsspec's `ReferenceFileSystem`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

_CODEC = regex(r"(?:numcodecs[./])?pickle")
_WIDTH = regex(r".*?(\d{1,9})")
_CHUNK = 1 << 36  # bytes: one is made whole before a number of it is read
_FEW = 20


def is_zarr(value: dict[str, Any]) -> bool:
    """Whether this describes an array, a group of them, or references."""
    return (
        "zarr_format" in value
        or "zarr_consolidated_format" in value
        or {"blockSize", "dimensions"} <= value.keys()
        or is_references(value)
    )


def is_references(value: dict[str, Any]) -> bool:
    """References of fsspec: which part of which file each chunk is."""
    return isinstance(value.get("refs"), dict) and "version" in value


def judge(scope: Scope, value: dict[str, Any]) -> None:
    """Report codecs that run code, chunks that fill the memory, and places outside of the folder."""
    if is_references(value):
        _references(scope, value["refs"])
        return
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            codec = item.get("id") or item.get("name")
            if isinstance(codec, str) and _CODEC.fullmatch(codec):
                message = "its chunks are packed by the codec pickle: whoever reads the array loads pickles, which no"
                scope.issue(Code.CODE_EXECUTION, "high", f"{message} reader of chunks looks at", None, shown(codec, 40))
            chunk(scope, item)
            pending += (inner for key, inner in item.items() if key != "attributes")


def chunk(scope: Scope, item: dict[str, Any]) -> None:
    """Report an array whose chunks are larger than any memory."""
    grid = item.get("chunk_grid")
    settings = grid.get("configuration") if isinstance(grid, dict) else None
    chunks = settings.get("chunk_shape") if isinstance(settings, dict) else item.get("chunks", item.get("blockSize"))
    if isinstance(chunks, list) and chunks and all(type(size) is int and size > 0 for size in chunks):
        width = _WIDTH.fullmatch(str(item.get("dtype") or item.get("data_type") or item.get("dataType") or ""))
        size = math.prod(chunks) * max(1, (int(width[1]) if width else 8) // (1 if item.get("dtype") else 8))
        if size > _CHUNK:
            text = f"each chunk of the array has {size} bytes: reading one number of it fills the memory"
            scope.issue(Code.BOMB, "high", text)


def _references(scope: Scope, refs: dict[str, Any]) -> None:
    told: set[str] = set()
    for name, item in refs.items():
        if isinstance(item, list) and item and isinstance(item[0], str) and len(told) < _FEW:
            place = item[0].rpartition("/")[0]
            if place in told or not escapes(item[0]):
                continue
            told.add(place)
            local = item[0].startswith(("/", "file:", "~", "..", "local:")) or "/../" in item[0]
            message = f"the chunk {shown(name, 60)} is a part of {shown(item[0], 120)}, which is none of the model's"
            code = Code.PATH_TRAVERSAL if local else Code.EXTERNAL_DATA
            scope.issue(code, "high" if local else "medium", message, None, shown(item[0], 120))
        elif isinstance(item, (str, dict)) and name.rpartition("/")[2] in (".zarray", ".zmetadata", "zarr.json"):
            try:
                inner = json.loads(item) if isinstance(item, str) else item
            except (ValueError, RecursionError):
                scope.unknown(f"{shown(name, 60)} is not valid JSON")
                continue
            if isinstance(inner, dict) and not is_references(inner):
                judge(scope, inner)
