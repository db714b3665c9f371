"""Keras: a .keras archive's config.json, or an architecture in JSON, walked for what loading would build and run.

Keras builds the object that each `module`/`class_name`/`config` names (keras/src/saving/serialization_lib.py), so a
class outside of Keras' own modules is foreign code, and a Lambda holds marshalled bytecode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope

_PACKAGES = (
    r"(?:keras|keras\.src|tf_keras|tf_keras\.src|tensorflow\.keras|tensorflow\.python\.keras"
    r"|keras_hub|keras_nlp|keras_cv)"
)
_PARTS = [
    "activations",
    "applications",
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "quantizers",
    "random",
    "regularizers",
    "distribution",
]
_MODULE = re.compile(
    rf"{_PACKAGES}(?:\.(?:src\.)?(?:{'|'.join(_PARTS)})(?:\.\w+)*)?|keras\.src\.ops(?:\.\w+)*|keras\.ops"
    r"|keras\.src\.backend\.\w+\.(?:optimizers|layer|trainer|random)(?:\.\w+)*"
)
_CLASS = re.compile(r"[A-Z]\w*(?:>[A-Z]\w*)?")
_PLAIN = frozenset(
    [
        "__tuple__",
        "__numpy__",
        "__tensor__",
        "__bytes__",
        "__ellipsis__",
        "__slice__",
        "__typespec__",
        "__keras_tensor__",
        "__complex__",
    ]
)
_LOOKUPS = frozenset(["StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup", "Hashing"])
_CODE_CLASSES = frozenset(("TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"))
_FUNCTION = re.compile(r"[a-z_]\w*")


def judge(scope: Scope, config: Any) -> None:
    """Report what loading this configuration would run; an honest one leaves nothing."""
    pending: list[Any] = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                _object(scope, value)
            pending += value.values()


def judge_text(scope: Scope, raw: bytes, what: str) -> None:
    """Judge JSON that Keras keeps in an attribute or a member."""
    import json

    judge(scope, json.loads(raw))


def _object(scope: Scope, value: dict[str, Any]) -> None:
    name, module = value["class_name"], value.get("module")
    inner = value.get("config")
    shown = f"{ascii(module)[1:-1]}:{ascii(name)[1:-1]}"[:160] if isinstance(module, str) else ascii(name)[1:161]
    if name in ("Lambda", "__lambda__"):
        _lambda(scope, shown, inner)
    elif name in _CODE_CLASSES:
        scope.issue(
            Code.CODE_EXECUTION, "critical", f"the layer {shown} loads another model or a pickled module", None, shown
        )
    elif name in _PLAIN:
        return
    elif name == "function":
        _function(scope, value, shown)
    elif isinstance(module, str) and not _MODULE.fullmatch(module):
        _foreign(scope, module, name, shown)
    elif not _CLASS.fullmatch(name):
        text = f"the configuration calls {shown}, which is no Keras class"
        scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)
    elif value.get("registered_name") and module is None and not _trusted(scope.trust, str(value["registered_name"])):
        custom = ascii(value["registered_name"])[1:121]
        text = f"the configuration needs the custom class {custom}, whose code is not in the file"
        scope.issue(Code.KERAS_FOREIGN_CLASS, "medium", text, None, shown)
    if name in _LOOKUPS and isinstance(inner, dict):
        _vocabulary(scope, shown, inner)


def _lambda(scope: Scope, shown: str, inner: Any) -> None:
    function = inner.get("function") if isinstance(inner, dict) else None
    named = isinstance(function, dict) and function.get("class_name") == "function"
    if named:
        text, severity = "a Lambda layer calls a function by name", "high"
    else:
        text, severity = "a Lambda layer holds Python bytecode, which runs when the model is used", "critical"
    scope.issue(Code.KERAS_LAMBDA, severity, text, None, shown)


def _function(scope: Scope, value: dict[str, Any], shown: str) -> None:
    module, target = value.get("module"), value.get("config")
    if (
        isinstance(module, str)
        and module != "builtins"
        and _MODULE.fullmatch(module)
        and isinstance(target, str)
        and _FUNCTION.fullmatch(target)
    ):
        return
    key = f"{ascii(module)[1:-1]}:{ascii(target)[1:-1]}"[:160] if isinstance(module, str) else shown
    if _trusted(scope.trust, key):
        return
    text = f"the configuration uses the function {key}, which is not one of Keras"
    scope.issue(Code.KERAS_FOREIGN_CLASS, "high", text, None, key)


def _foreign(scope: Scope, module: str, name: str, shown: str) -> None:
    from shipworthy.modelfile.pickles.danger import reason_for

    key = f"{module}:{name}"
    danger = reason_for(module, name) or ("reaches Keras' own tools" if re.match(_PACKAGES, module) else "")
    if _trusted(scope.trust, key) and not danger:
        return
    if danger:
        scope.issue(Code.CODE_EXECUTION, "critical", f"the configuration calls {shown}, which {danger}", None, shown)
    else:
        text = f"the configuration builds {shown}, a class from outside of Keras"
        scope.issue(Code.KERAS_FOREIGN_CLASS, "high", text, None, shown)


def _trusted(trust: Sequence[str], key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in trust)


def _vocabulary(scope: Scope, shown: str, inner: dict[str, Any]) -> None:
    for key in ("vocabulary", "idf_weights"):
        path = inner.get(key)
        if isinstance(path, str) and path:
            severity = "high" if escapes(path) else "medium"
            text = f"the layer {shown} reads its {key} from {ascii(path)[:120]} when the model is loaded"
            scope.issue(Code.EXTERNAL_DATA, severity, text, None, shown)
