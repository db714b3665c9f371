"""The file beside an ONNX model that holds its tensors (ONNX External Data; TensorProto.external_data)."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from shipworthy.modelfile import onnx, weights
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View

_MODELS = 32  # beside one file
_ALIGNMENT = 1 << 16  # for which writers leave room, so that a tensor can be mapped into memory (on Windows)


def beside(scope: Scope) -> bool:
    """Whether a model in the same folder says that tensors of it lie in this file. Then bytes of no tensor are told."""
    path, folder = scope.state.path, scope.folder
    if path is None or folder is None or scope.role is not Role.FILE:
        return False
    places: list[tuple[int, int]] = []
    for model in sorted(folder.glob("*.onnx"))[:_MODELS]:
        if model.is_file() and model.stat().st_size <= scope.limits.json:
            places += _places(scope, model, Path(path).name)
    if places:
        weights.cover(scope, places, "tensor", _ALIGNMENT, "medium")  # saving once more leaves the old ones in the file
    return bool(places)


def look(scope: Scope, location: str, places: list[tuple[int, int]]) -> None:
    """Look at a file that the model in `scope` names, where its tensors lie at `places`: at what begins as a file in
    them, and at all bytes of none, neither of this model's nor of another's in the folder.
    """
    from shipworthy.modelfile import readers

    folder = scope.folder
    if folder is None:
        return
    path = folder / location
    view = _part(path, 0, path.stat().st_size)
    inner = scope.nested(location, view)
    places = [(low, min(high, len(view))) for low, high in places]
    for low, high in places[: scope.limits.nested]:
        part = view.sub(low, high - low)
        if found := readers.settle(Scope(scope.state, part, inner.name, inner.depth, Role.BLOB)):
            inner.later(f"tensor at {low}", partial(_part, path, low, high - low), Role.BLOB, found)
    alone = Scope(weights.silent(scope), view)
    weights.cover(alone, places, "tensor", _ALIGNMENT, "medium")
    if alone.state.tally.found:
        places = [*places, *_others(scope, folder, location)]
        places = [place for place in places if place[1] <= len(view)]
        weights.cover(inner, places, "tensor", _ALIGNMENT, "low")  # onnx.save leaves there what it saved before


def _part(path: Path, low: int, size: int) -> View:
    """Bytes of a file, which is open as long as they are held: a model may have thousands."""
    with path.open("rb", buffering=0) as stream:
        return View.of_file(stream).sub(low, size)


def _others(scope: Scope, folder: Path, location: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    own = scope.state.path and Path(scope.state.path).name
    for model in sorted(folder.glob("*.onnx"))[:_MODELS]:
        if model.name != own and model.is_file() and model.stat().st_size <= scope.limits.json:
            places += _places(scope, model, os.path.normpath(location))
    return places


def _places(scope: Scope, model: Path, name: str) -> list[tuple[int, int]]:
    found = onnx.placed(Scope(weights.silent(scope), View.of(model.read_bytes())))
    return [(low, high) for location, low, high in found if os.path.normpath(location) == name]


def read(scope: Scope, _: str) -> int:
    """All of it: `beside` has compared it with the tensors while the format was settled."""
    return len(scope.view)
