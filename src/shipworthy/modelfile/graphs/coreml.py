"""Core ML: every model, layer and operation of an .mlmodel, walked along its schema (coremltools' mlmodel/format)."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase

from shipworthy.modelfile.graphs.coremlsizes import CoreMlSizes
from shipworthy.modelfile.graphs.tables import messages, operators
from shipworthy.modelfile.graphs.walk import TruncatedError, Walker, inner, parts, text
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.protobuf import BYTES, VARINT
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope

# Operations that coremltools writes itself and that its registry of the intermediate language does not list.
_ALSO = frozenset(("const", "cast"))
_BLOB = 64


class _Reader:
    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.known = operators("coreml")
        self.used: dict[str, int] = {}
        self.kinds = 0
        self.sizes = CoreMlSizes(scope)

    def enter(self, kind: str, low: int, high: int) -> bool:
        """Look at a message before what lies inside."""
        self.sizes.enter(kind, low, high)
        if kind == "Model":
            self.model(low, high)
        elif kind in ("CustomModel", "CustomLayerParams"):
            self.custom(kind, low, high)
        elif kind == "LinkedModelFile":
            self.linked(low, high)
        elif kind == "Operation":
            place = inner(self.view, low, high, 1)
            name = text(self.view, *place, 200) if place else ""
            if len(self.used) < 10_000:
                self.used.setdefault(name, low)
        elif kind == "Value.BlobFileValue":
            self.file(low, high)
        elif kind == "SerializedModel":
            self.scope.unknown("it holds a serialized model in a form that Apple does not publish")
        elif kind.endswith("NeuralNetworkLayer"):
            self.layer(low, high)
        return True

    def model(self, low: int, high: int) -> None:
        numbers = [(number, wire) for number, wire, *_ in parts(self.view, low, high)]
        kinds = [number for number, wire in numbers if wire == BYTES and number >= 200]
        self.kinds += len(kinds)
        if not kinds:
            message = "a model without a content: it may be cut short"
            self.scope.issue(Code.BROKEN_STREAM, "medium", message, low)
        elif len(set(kinds)) > 1:
            message = "a model holds two contents: readers differ in which one they take"
            self.scope.issue(Code.CONTAINER_TAMPERED, "high", message, low)

    def layer(self, low: int, high: int) -> None:
        if not any(number >= 100 and wire == BYTES for number, wire, *_ in parts(self.view, low, high)):
            self.scope.unknown("a layer of a neural network has no kind")

    def custom(self, kind: str, low: int, high: int) -> None:
        place = inner(self.view, low, high, 10)
        name = text(self.view, *place, 200) if place else ""
        shown = f"coreml:{ascii(name)[1:-1]}"[:160]
        what = "model" if kind == "CustomModel" else "layer"
        if not any(fnmatchcase(f"coreml:{name}", pattern) for pattern in self.scope.trust):
            message = f"the custom {what} {shown[7:]} is a class of the app that loads it, not in the file"
            self.scope.issue(Code.CUSTOM_OPERATOR, "high", message, low, shown)

    def linked(self, low: int, high: int) -> None:
        """File name and search path are StringParameters with a default value."""
        values = []
        for number, wire, begin, end, _ in parts(self.view, low, high):
            if wire == BYTES and number in (1, 2):
                place = inner(self.view, begin, end, 1)
                values.append(text(self.view, *place, 1000) if place else "")
        shown = ascii(", ".join(values))[:160]
        if any(escapes(value) for value in values):
            message = f"it loads another model from {shown}, outside of its folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", message, low)
        else:
            self.scope.issue(Code.EXTERNAL_DATA, "medium", f"it loads another model, {shown}", low)

    def file(self, low: int, high: int) -> None:
        """Weights in another file, named below `@model_path`."""
        name, offset = "", 0
        for number, wire, begin, end, value in parts(self.view, low, high):
            if number == 1 and wire == BYTES:
                name = text(self.view, begin, end, 1000)
            elif number == 2 and wire == VARINT:
                offset = value
        shown = ascii(name)[:160]
        inside = name.removeprefix("@model_path/")
        if escapes(inside):
            message = f"weights are read from {shown}, outside of the model's folder"
            self.scope.issue(Code.PATH_TRAVERSAL, "high", message, low)
        elif self.scope.folder is None:
            self.scope.unknown(f"weights lie in another file, {shown}, which was not at hand")
        else:
            target = self.scope.folder / inside
            if not os.path.isfile(target):  # a name may be too long to ask for
                self.scope.missing(f"weights lie in {shown}, which is not there", low)
            elif offset + 64 > target.stat().st_size:
                message = f"weights lie at {offset} of {shown}, beyond its end"
                self.scope.missing(message, low)

    def judge(self) -> None:
        self.sizes.judge()
        for name, at in self.used.items():
            if name in self.known or name in _ALSO:
                continue
            shown = f"coreml:{ascii(name)[1:-1]}"[:160]
            if not any(fnmatchcase(f"coreml:{name}", pattern) for pattern in self.scope.trust):
                message = f"the operation {shown[7:]} is none that coremltools knows"
                self.scope.issue(Code.CUSTOM_OPERATOR, "medium", message, at, shown)
                self.scope.unknown(f"what the operation {shown[7:]} does is not known to this version")


def read(scope: Scope, format_: str) -> int:  # noqa: ARG001 - every reader of a table has the same parameters
    """Walk the model; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is Role.BLOB:
        return size
    reader = _Reader(scope)
    try:
        Walker(scope, messages("coreml"), reader.enter).run("Model")
    except TruncatedError as error:
        message = "the model is cut short or no valid protobuf message"
        scope.issue(Code.BROKEN_STREAM, "medium", message, error.args[0])
    reader.judge()
    return size
