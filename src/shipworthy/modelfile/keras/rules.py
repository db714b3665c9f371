"""Classes of Keras that run code, load other files or call operators by name: judged by what they are given."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from shipworthy.modelfile.keras.names import known_function, known_operator
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

_REMEDY = "replace it by a layer class of your own in signed code, or by a layer of Keras"
_SECOND = {
    "TorchModuleWrapper": "unpickles a PyTorch module from its configuration",
    "TFSMLayer": "loads a TensorFlow SavedModel from a folder when it is built",
    "JaxLayer": "calls a function that its configuration names",
    "FlaxLayer": "builds a module that its configuration names",
    "ModuleWrapper": "wraps a module of TensorFlow whose code is not in the file",
    "KerasLayer": "loads a model from TensorFlow Hub or a folder when it is built",
}
_SPECS = frozenset(
    ("TensorSpec", "RaggedTensorSpec", "SparseTensorSpec", "IndexedSlicesSpec", "TensorArraySpec", "OptionalSpec",
     "VariableSpec", "DTensorSpec", "TensorShape", "NoneTensorSpec")
)  # fmt: skip
_FILES = ("vocabulary", "idf_weights", "merges", "proto", "sentencepiece_model", "preset")
_METHODS_OF = frozenset(("RaggedTensor", "SparseTensor", "tf.RaggedTensor", "tf.SparseTensor", "sparse.SparseTensor"))
# Operators that a TensorFlowOpLayer of TensorFlow 2.0 to 2.3 holds for plain arithmetic.
_OPS = frozenset(
    ("Abs Add AddN AddV2 All Any ArgMax ArgMin BatchMatMul BatchMatMulV2 BiasAdd Cast Ceil ClipByValue Concat ConcatV2 "
     "Const Conv2D Cos Cumsum DepthToSpace Div DivNoNan Elu Equal Erf Exp ExpandDims Fill Floor FloorDiv FloorMod "
     "GatherNd GatherV2 Greater GreaterEqual Identity LeakyRelu Less LessEqual Log Log1p LogicalAnd LogicalNot "
     "LogicalOr MatMul Max MaxPool Maximum Mean Min Minimum Mul Neg NotEqual OneHot OnesLike Pack Pad PadV2 Pow Prod "
     "Range RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt Select "
     "SelectV2 Selu Shape Sigmoid Sign Sin Slice Softmax Softplus SpaceToDepth Split SplitV Sqrt Square "
     "SquaredDifference Squeeze StridedSlice Sub Sum Tanh Tile TopKV2 Transpose Unpack Where ZerosLike").split()
)  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """An issue to report; `{}` in the text is the class. `children` are bytes to scan as files."""

    code: Code
    severity: str
    text: str
    arguments: str = ""
    children: tuple[tuple[str, View], ...] = ()


def of_class(name: str, value: dict[str, Any]) -> Judgement | None:
    """The rule for a class, wherever it is said to be from; None where there is none."""
    inner = value.get("config")
    short = name.rpartition(">")[2].rpartition(".")[2]
    if short == "Lambda":
        return _lambda(inner)
    if short == "__lambda__":
        return Judgement(Code.KERAS_LAMBDA, "critical", f"a function is kept as Python bytecode, which runs; {_REMEDY}")
    if short in _SECOND:
        return _second(short, inner)
    if short == "__typespec__" or (short == "TypeSpec" and "type_spec" in value):
        return _typespec(value)
    if short in ("TFOpLambda", "SlicingOpLambda"):
        return _operator(inner)
    if short == "TensorFlowOpLayer":
        return _node(inner)
    if short in ("ClassMethod", "InstanceMethod", "InstanceProperty"):
        return _method(short, inner)
    return None


def arguments(inner: Any) -> Judgement | None:
    """What a class of Keras would open with these arguments."""
    if not isinstance(inner, dict):
        return None
    for key in _FILES:
        path = inner.get(key)
        if isinstance(path, str) and path:
            severity = "high" if escapes(path) else "medium"
            shown = ascii(path)[:120]
            text = (
                f"the layer {{}} reads its {key} from {shown} when the model is loaded, and shows it to whoever can "
                "ask the model; keep the list itself in the model"
            )
            return Judgement(Code.EXTERNAL_DATA, severity, text, shown)
    return None


def _lambda(inner: Any) -> Judgement:
    function = inner.get("function") if isinstance(inner, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "function":
        module, target = function.get("module"), function.get("config")
        shown, severity = "?", "critical"
        if isinstance(target, str) and isinstance(module, str | None):
            shown = f"{module}:{target}"
            severity = "high" if known_function(module, target) else severity
        text = f"the Lambda layer {{}} calls a function by name when the model is built and used; {_REMEDY}"
        return Judgement(Code.KERAS_LAMBDA, severity, text, ascii(shown)[1:-1][:159])
    text = f"the Lambda layer {{}} holds Python bytecode, which runs when the model is built and used; {_REMEDY}"
    return Judgement(Code.KERAS_LAMBDA, "critical", text)


def _second(name: str, inner: Any) -> Judgement:
    shown, children = "", []
    if isinstance(inner, dict):
        for key in ("module", "filepath", "handle"):
            text = inner.get(key)
            if isinstance(text, dict):
                config = text.get("config")
                text = config.get("value") if isinstance(config, dict) else None
            if isinstance(text, str):
                shown = ascii(text)[:120]
                if key == "module":
                    children = _decoded(text)
    text = f"the layer {{}} {_SECOND[name]}; {_REMEDY}"
    return Judgement(Code.CODE_EXECUTION, "critical", text, shown, tuple(children))


def _decoded(text: str) -> list[tuple[str, View]]:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return []
    return [("pickled module", View.of(raw))] if raw else []


def _typespec(value: dict[str, Any]) -> Judgement | None:
    spec, module = value.get("spec_name"), value.get("module")
    if spec is None and isinstance(value.get("type_spec"), str):  # keras_metadata.pb: a name in TensorFlow's registry
        spec = value["type_spec"].removeprefix("tf.")
    honest = module is None or (isinstance(module, str) and module.startswith("tensorflow.python."))
    if isinstance(spec, str) and spec in _SPECS and honest:
        return None
    shown = f"{module!a}:{spec!a}"[:120]
    text = f"{{}} takes {shown}, which is not one of TensorFlow, and calls its constructor"
    return Judgement(Code.CODE_EXECUTION, "critical", text, shown)


def _operator(inner: Any) -> Judgement | None:
    symbol = inner.get("function") if isinstance(inner, dict) else None
    if not isinstance(symbol, str):
        return None if isinstance(inner, dict) and "function" not in inner else _not_plain("{}", ascii(symbol)[:80])
    if known_operator(symbol):
        return None
    return _not_plain("{}", ascii(symbol)[1:-1][:80])


def _not_plain(layer: str, shown: str) -> Judgement:
    text = (
        f"the layer {layer} calls the TensorFlow operator {shown}, which is not known to be plain arithmetic: it may "
        "read, write or run"
    )
    return Judgement(Code.CUSTOM_OPERATOR, "high", text, shown)


def _node(inner: Any) -> Judgement | None:
    node = inner.get("node_def") if isinstance(inner, dict) else None
    if isinstance(node, str):
        try:
            node = json.loads(node)
        except (ValueError, RecursionError):
            node = None
    operator = node.get("op") if isinstance(node, dict) else None
    if operator in _OPS:
        return None
    return _not_plain("{}", ascii(operator)[:80])


def _method(kind: str, inner: Any) -> Judgement | None:
    if not isinstance(inner, dict):
        return None
    if kind == "ClassMethod" and inner.get("cls_symbol", inner.get("class_symbol")) not in _METHODS_OF:
        return _not_plain("{}", ascii(inner.get("cls_symbol", inner.get("class_symbol")))[:80])
    attribute = inner.get("method_name", inner.get("attr_name"))
    if isinstance(attribute, str) and attribute.isidentifier() and not attribute.startswith("__"):
        return None
    return _not_plain("{}", ascii(attribute)[:80])
