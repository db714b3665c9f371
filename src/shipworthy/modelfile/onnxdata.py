"""The file beside an ONNX model that holds its tensors (ONNX External Data; TensorProto.external_data)."""

from __future__ import annotations

import os
from pathlib import Path

from shipworthy.modelfile import onnx
from shipworthy.modelfile.report import Code, Tally
from shipworthy.modelfile.scope import Role, Scope, State
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
    if not places:
        return False
    at, size = 0, len(scope.view)
    for low, high in sorted(places):
        _gap(scope, at, min(low, size))
        at = max(at, high)
    _gap(scope, at, size)
    if at > size:
        message = f"the tensors of the model beside it need {at} bytes, it has {size}: it was cut"
        scope.issue(Code.BROKEN_STREAM, "high", message, size)
    return True


def _places(scope: Scope, model: Path, name: str) -> list[tuple[int, int]]:
    quiet = State(scope.limits, scope.trust, Tally(scope.limits), scope.state.size)  # what is wrong with it, it tells
    found = onnx.placed(Scope(quiet, View.of(model.read_bytes())))
    return [(low, high) for location, low, high in found if os.path.normpath(location) == name]


def _gap(scope: Scope, low: int, high: int) -> None:
    if low >= high or (high - low <= _ALIGNMENT and not scope.view.read(low, high - low).strip(b"\0")):
        return
    message = f"{high - low} bytes belong to no tensor of the model beside this file"
    scope.issue(Code.HIDDEN_PAYLOAD, "medium", message, low)
    scope.child(f"bytes at {low}", scope.view.sub(low, high - low), Role.TRAILER)


def read(scope: Scope, _: str) -> int:
    """All of it: `beside` has compared it with the tensors while the format was settled."""
    return len(scope.view)
