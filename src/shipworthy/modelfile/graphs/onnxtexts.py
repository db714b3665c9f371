"""Texts in an ONNX model: properties that a program keeps there, and tensors of strings, looked into for pickles."""

from __future__ import annotations

from shipworthy.modelfile import keptvalues
from shipworthy.modelfile.graphs.walk import parts, text
from shipworthy.modelfile.protobuf import BYTES
from shipworthy.modelfile.scope import Scope

PROPERTIES = {"Model": 14, "Graph": 16, "Function": 14}  # message -> its field metadata_props
_LEAST = 20
_STRINGS = 1000


class OnnxTexts:
    """Told of properties and strings. Vocabularies have many: of those that begin as texts do, some are looked into."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.view = scope.view
        self.count = 0

    def property(self, low: int, high: int) -> None:
        """A StringStringEntryProto."""
        spans = {number: (begin, end) for number, wire, begin, end, _ in parts(self.view, low, high) if wire == BYTES}
        begin, end = spans.get(2, (0, 0))
        if end - begin >= _LEAST and self.count < self.scope.limits.nested:
            self.count += 1
            name = text(self.view, *spans.get(1, (0, 0)), 60)
            keptvalues.look(self.scope, f"property {name}", self.view.read(begin, end - begin))

    def string(self, low: int, high: int) -> None:
        """One of a tensor."""
        if high - low < _LEAST or self.count >= self.scope.limits.nested:
            return
        if self.count < _STRINGS or not 0x20 <= self.view.read(low, 1)[0] < 0x7F:
            self.count += 1
            keptvalues.look(self.scope, f"text at {low}", self.view.read(low, high - low))
