"""JSON that belongs to models: a safetensors index, a Keras architecture. Other JSON is not judged here."""

from __future__ import annotations

import json
import os
from fnmatch import fnmatchcase
from typing import Any

from shipworthy.modelfile import exported, huggingface, keptvalues, keras, namedcalls, tensorstores, zarrs
from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.strictjson import DeepError, DuplicateKeyError, strict
from shipworthy.modelfile.view import View
from shipworthy.records import replace

_NAME = 256
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read(scope: Scope) -> int:
    """Judge what is known; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    if size <= scope.limits.json and view.head(3).startswith(_MARKS):  # json.loads of bytes takes all of them
        raw = view.all()
        text = raw.decode("utf-8-sig" if raw.startswith(_MARKS[0]) else "utf-16", "replace")
        view = View.of(text.encode("utf-8", "replace"))
        scope = replace(scope, view=view)
    if size <= scope.limits.json and keras.is_architecture(view):
        keras.judge_text(scope, view.all(), "the architecture")
        keptvalues.search(scope, view.all(), _last(view))
        return size
    if size > scope.limits.json:
        scope.unknown(f"the JSON is larger than {scope.limits.json >> 20} MiB")
        return size
    try:
        value = strict(view.all(), constants=b'"learner"' in view.head())
    except DeepError:
        text = "the JSON is nested deeper than any model's: readers that call themselves run out of their stack"
        scope.issue(Code.BOMB, "high", text, 0)
        return size
    except DuplicateKeyError as error:
        scope.unknown(f"it is not valid JSON ({error})")
        value = _last(view)
    except ValueError as error:
        scope.unknown(f"it is not valid JSON ({ascii(str(error))[1:100]})")
        if namedcalls.telling(view.all()):
            namedcalls.judge_text(scope, view.all().decode("utf-8", "replace"))  # libraries read more than JSON
        return size
    keptvalues.search(scope, view.all(), value)
    namedcalls.judge(scope, value)
    if isinstance(value, dict) and value.keys() == {"Model", "Config"}:
        value = value["Model"]  # so XGBoost puts it into a pickle
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        keras.judge(scope, value)
    elif isinstance(value, dict) and isinstance(value.get("weight_map"), dict):
        _index(scope, value["weight_map"])
    elif isinstance(value, dict) and isinstance(value.get("itemInfoEntries"), dict):
        _package(scope, value["itemInfoEntries"])
    elif isinstance(value, dict) and ("learner" in value or "features_info" in value):
        _booster(scope, value)
    elif isinstance(value, dict) and isinstance(value.get("base_code"), dict) and "program" in value:
        from shipworthy.modelfile.graphs import paddle

        paddle.judge_json(scope, value)
    elif isinstance(value, dict) and keras.is_metadata(value):
        pass
    elif isinstance(value, dict) and exported.is_graph(value):
        exported.judge(scope, value)
    elif isinstance(value, dict) and exported.is_weights(value):
        exported.judge_weights(scope, value)
    elif isinstance(value, dict) and isinstance(value.get("flavors"), dict) and "mlflow_version" in value:
        from shipworthy.modelfile import mlflow

        mlflow.judge(scope, value)  # JSON is YAML, too
    elif isinstance(value, dict) and value.keys() & {"irVersion", "ir_version"} and "graph" in value:
        _onnx(scope, value)
    elif isinstance(value, dict) and tensorstores.is_spec(value):
        tensorstores.judge(scope, value)
        zarrs.judge(scope, value)  # the metadata that it has made of an array
    elif isinstance(value, dict) and value.keys() >= {"nodes", "arg_nodes", "heads"}:
        _mxnet(scope, value["nodes"])
    elif isinstance(value, dict) and zarrs.is_zarr(value):
        zarrs.judge(scope, value)
    elif not _labels(value) and not huggingface.judge(scope, value):
        scope.unknown("this version does not judge JSON of this kind")
    return size


def _last(view: View) -> Any:
    """The value as most readers take it: of two equal keys the second counts."""
    try:
        return json.loads(view.all())
    except (ValueError, RecursionError):
        return None


def _index(scope: Scope, weights: dict[str, Any]) -> None:
    """`model.safetensors.index.json`: which file holds which weight."""
    targets: set[str] = set()
    absent: list[str] = []
    safe = scope.state.stem.endswith(".safetensors.index") and not scope.name
    for value in weights.values():  # Keras' index names several files for one weight
        targets.update(map(str, value if isinstance(value, list) else [value]))
    for target in sorted(targets):
        if safe and not target.endswith(".safetensors"):
            text = f"an index of safetensors leads to {ascii(target)[:120]}, which its loader takes for a pickle"
            scope.issue(Code.CONTAINER_TAMPERED, "high", text)
        if escapes(target) or "/" in target:
            scope.issue(
                Code.PATH_TRAVERSAL, "high", f"the index leads to {ascii(target)[:120]}, outside of the model's folder"
            )
        elif scope.folder is not None and not os.path.isfile(scope.folder / target):
            absent.append(target)
    if absent:
        scope.unknown(f"{len(absent)} of the {len(targets)} files of the index are not beside it: {_few(absent)}")


def _few(names: list[str]) -> str:
    return ", ".join(ascii(name)[1:-1][:120] for name in names[:3]) + ", ..." * (len(names) > 3)


def _package(scope: Scope, entries: dict[str, Any]) -> None:
    """`Manifest.json` of an .mlpackage: where the model and its weights lie below the folder Data."""
    for entry in entries.values():
        path = entry.get("path") if isinstance(entry, dict) else None
        if not isinstance(path, str):
            scope.unknown("an entry of the package's manifest has no path")
        elif escapes(path):
            scope.issue(Code.PATH_TRAVERSAL, "high", f"the package's manifest leads to {ascii(path)[:120]}")
        elif scope.folder is not None and not os.path.exists(scope.folder / "Data" / path):
            scope.missing(f"{ascii(path)[:120]} is not in the package")


def _onnx(scope: Scope, model: dict[str, Any]) -> None:
    """ONNX as JSON; here only the files are looked for that its tensors are read from."""
    pending: list[Any] = [model]
    while pending:
        item = pending.pop()
        pending += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        if isinstance(item, dict) and item.get("key") == "location" and escapes(str(item.get("value"))):
            text = f"a tensor is read from {ascii(item.get('value'))[:120]}, outside of the model's folder"
            scope.issue(Code.PATH_TRAVERSAL, "high", text)
    scope.unknown("an ONNX model as JSON, which this version does not read in full")


def _labels(value: Any) -> bool:
    """Names of classes by their numbers, as TorchServe has them beside a model (`index_to_name.json`): one for each, or
    a list of them. Whoever reads them looks names up.
    """
    if not isinstance(value, dict) or not value:
        return False
    for number, names in value.items():
        some = names if isinstance(names, list) else [names]
        if not number.isdecimal() or not all(isinstance(name, str) and len(name) <= _NAME for name in some):
            return False
    return True


def _mxnet(scope: Scope, nodes: Any) -> None:
    """A graph of MXNet (`-symbol.json`); here only the operators are looked for that call code from outside of it.
    Source: src/operator/custom/{custom,native_op,ndarray_op}.cc of MXNet 1.9: `info` is an address that is called.
    """
    for node in nodes if isinstance(nodes, list) else ():
        operator = node.get("op") if isinstance(node, dict) else None
        if operator in ("_Native", "_NDArray"):
            text = f"the operator {operator} calls functions at an address that the model names"
            scope.issue(Code.DANGEROUS_OPERATOR, "critical", text, None, f"mxnet:{operator}")
        elif operator in ("Custom", "_Custom", "_CustomFunction"):
            told = node.get("attrs") or node.get("param") or node.get("attr")  # by version
            name = f"mxnet:{shown(str(told.get('op_type')) if isinstance(told, dict) else operator, 80)}"
            if not any(fnmatchcase(name, pattern) for pattern in scope.trust):
                text = f"the operator {name[6:]} calls Python code that the program must have registered"
                scope.issue(Code.CUSTOM_OPERATOR, "high", text, None, name)
    scope.unknown("a graph of MXNet, which this version does not read in full")


def _booster(scope: Scope, value: dict[str, Any]) -> None:
    from shipworthy.modelfile.boosters import catjson, xgboost

    if xgboost.is_model(value):
        xgboost.judge(scope, value)
    elif "features_info" in value:
        catjson.judge(scope, value)
    else:
        scope.unknown("this version does not judge JSON of this kind")
