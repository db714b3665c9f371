"""Graphs in protobuf's text form: TensorFlow's .pbtxt, ONNX as .textproto, Caffe's .prototxt."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.checks.models.model_file import _RULES
from shipworthy.model import Artifact, Finding, Severity, Skipped
from shipworthy.modelfile import Code
from shipworthy.modelfile.graphs import prototext
from shipworthy.modelfile.graphs.dangers import ATTRIBUTES, DANGERS
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.pickles.names import standing_of
from shipworthy.patterns import regex

_HINT = regex(rb"\b(?:op|op_type|external_data|python_param)\b")
_NODES = frozenset(("node", "node_def"))


def may_be(raw: bytes) -> bool:
    """Whether a text has words that such graphs have."""
    return (b"{" in raw or b"<" in raw) and _HINT.search(raw) is not None


def judge(artifact: Artifact, raw: bytes, trust: Sequence[str]) -> list[Finding | Skipped]:
    """What a graph does beyond computing; nothing where the text is no graph. Its sizes and loops are not followed."""
    found: dict[str, Finding | Skipped] = {}
    kinds: set[str] = set()

    def tell(code: Code, severity: str, key: str, message: str) -> None:
        found.setdefault(key, _RULES[code].at(artifact, message, key=key[:100], severity=Severity(severity)))

    try:
        for path, fields in prototext.messages(raw.decode("utf-8", "replace")):
            last = path[-1] if path else ""
            if last in _NODES and "op" in fields:
                kinds.add("a TensorFlow graph")
                name = fields["op"][-1]
                if name in DANGERS or name in ATTRIBUTES:
                    severity, what = DANGERS[name] if name in DANGERS else ATTRIBUTES[name][2:]
                    text = f"the graph holds the operator {name}, which {what}: do not load it"
                    tell(Code.DANGEROUS_OPERATOR, severity, name, text)
            elif last in _NODES and "op_type" in fields:
                kinds.add("an ONNX model")
            elif last == "external_data" and fields.get("key") == ["location"]:
                kinds.add("an ONNX model")
                place = fields.get("value", [""])[-1]
                if escapes(place):
                    text = f"a tensor is read from {ascii(place)[:120]}, outside of the model's folder"
                    tell(Code.PATH_TRAVERSAL, "high", place, text)
            elif last == "python_param" and "module" in fields:
                kinds.add("a Caffe model")
                module, layer = fields["module"][-1], fields.get("layer", [""])[-1]
                if not standing_of(module, layer, trust).allowed:
                    text = (
                        f"Caffe imports {ascii(f'{module}:{layer}')[1:-1][:120]} and calls it when the model is loaded"
                    )
                    tell(Code.UNKNOWN_CALLABLE, "high", f"{module}:{layer}", text)
    except ValueError:
        return []
    if kinds:
        found[""] = Skipped(artifact, f"{min(kinds)} in the text form, which this version does not read in full")
    return list(found.values())
