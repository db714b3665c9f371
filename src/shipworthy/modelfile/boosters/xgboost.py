"""XGBoost's JSON and UBJSON models: shape of the trees, so that prediction stays inside of its arrays; attributes.

Layout: XGBoost's doc/model.schema and src/tree/tree_model.cc. Loading runs no code, but links between nodes are used
without being checked.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any

from shipworthy.modelfile import keptvalues
from shipworthy.modelfile.boosters.ubjson import UbjsonError, decode
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown

_LEARNER = frozenset(("attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param",
                      "objective", "metrics"))  # fmt: skip
_BOOSTERS = frozenset(("gbtree", "dart", "gblinear"))
_PER_NODE = ("left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left",
             "split_type", "loss_changes", "sum_hessian")  # fmt: skip
_NO_PARENT = 2147483647
_WRONG = 20
_FEATURES, _GROUPS = 1 << 28, 1 << 24  # beyond: 1 GB a thread; hashed features are 2^24 as a rule


@cache
def objectives() -> frozenset[str]:
    """What XGBoost itself can train for."""
    text = files("shipworthy.modelfile.boosters").joinpath("objectives.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def is_model(value: Any) -> bool:
    """Whether a decoded JSON is a model of XGBoost."""
    return isinstance(value, dict) and isinstance(value.get("learner"), dict) and "gradient_booster" in value["learner"]


def read(scope: Scope, _: str) -> int:
    """A .ubj; returns how many bytes are explained."""
    view = scope.view
    size = len(view)
    if scope.role is not Role.FILE:
        return size
    try:
        value, end = decode(view, scope.limits.objects)
    except UbjsonError as error:
        code = Code.BOMB if "deeper" in str(error) else Code.BROKEN_STREAM
        if "more values than" in str(error):
            scope.unknown(str(error))
        else:
            message = f"the UBJSON is damaged: {error}; a reader that trusts it leaves its memory"
            scope.issue(code, "high", message, error.at)
        return size
    if end < size:
        scope.issue(Code.UNEXPLAINED_BYTES, "medium", f"{size - end} bytes follow the model", end)
        scope.child(f"bytes at {end}", view.sub(end, size), Role.TRAILER)
    if isinstance(value, dict) and value.keys() == {"Model", "Config"}:
        value = value["Model"]  # so it lies in a pickle
    if is_model(value):
        judge(scope, value)
    else:
        scope.unknown("this version does not judge UBJSON of this kind")
    return size


def judge(scope: Scope, model: dict[str, Any]) -> None:
    """Report what is wrong with a decoded model."""
    learner = model["learner"]
    _extra(scope, model, frozenset(("learner", "version")), "the model")
    _extra(scope, learner, _LEARNER, "the learner")
    attributes(scope, learner.get("attributes", {}))
    objective = learner.get("objective")
    name(scope, "objective", objective.get("name") if isinstance(objective, dict) else None, objectives())
    booster = learner["gradient_booster"]
    kind = booster.get("name") if isinstance(booster, dict) else None
    name(scope, "booster", kind, _BOOSTERS)
    if not isinstance(booster, dict):
        return
    if kind == "dart" and isinstance(booster.get("gbtree"), dict):
        booster = booster["gbtree"]
    inside = booster.get("model")
    parameters = learner.get("learner_model_param")
    features = _number(parameters, "num_feature")
    groups = max(_number(parameters, "num_class") or 0, _number(parameters, "num_target") or 0, 1)
    too_large(scope, features or 0, groups)
    if not isinstance(inside, dict):
        scope.issue(Code.BROKEN_STREAM, "medium", "the model has no trees and no weights")
    elif kind != "gblinear":
        _trees(scope, inside, features)
        belongs(scope, _numbers(inside.get("tree_info", [])), groups)


def name(scope: Scope, what: str, given: Any, known: frozenset[str]) -> None:
    """A part that must come with XGBoost itself."""
    if not isinstance(given, str) or given in known:
        if not isinstance(given, str):
            scope.issue(Code.BROKEN_STREAM, "medium", f"the model names no {what}")
        return
    if not any(fnmatchcase(f"xgboost:{given}", pattern) for pattern in scope.trust):
        message = f"the {what} {shown(given)} does not come with XGBoost: it needs native code of its own"
        scope.issue(Code.CUSTOM_OPERATOR, "high", message, None, f"xgboost:{shown(given)}")


def too_large(scope: Scope, features: int, groups: int) -> None:
    """For every row that is predicted memory is made for each feature (4 bytes a thread) and for each class."""
    for many, most, what in ((features, _FEATURES, "features"), (groups, _GROUPS, "classes or targets")):
        if many > most:
            message = f"the model declares {many} {what}: predicting a single row fills the memory"
            scope.issue(Code.BOMB, "high", message)


def belongs(scope: Scope, groups: Sequence[Any] | None, count: int) -> None:
    """Of each tree, the class or target that it adds to."""
    if groups is None or any(not 0 <= group < count for group in groups):
        message = "a tree adds to a class that the model does not have: prediction writes beyond its memory"
        scope.issue(Code.BROKEN_STREAM, "high", message)


def attributes(scope: Scope, values: Any) -> None:
    """Texts that a program stores with its model; some programs store pickles there."""
    if not isinstance(values, dict):
        scope.issue(Code.BROKEN_STREAM, "medium", "the attributes are no map of texts")
        return
    for key, value in values.items():
        if isinstance(value, str):
            keptvalues.look(scope, f"attribute {shown(str(key), 60)}", value.encode("utf-8", "surrogatepass"))


def _extra(scope: Scope, value: dict[str, Any], known: frozenset[str], what: str) -> None:
    strange = sorted(shown(key, 40) for key in value.keys() - known)
    if strange:
        scope.unknown(f"{what} holds what is not known to this version: {', '.join(strange[:8])}")


def _number(value: Any, key: str) -> int | None:
    text = value.get(key) if isinstance(value, dict) else None
    return int(text) if isinstance(text, str) and re.fullmatch(r"\d{1,10}", text) else None


def _numbers(value: Any) -> Sequence[Any] | None:
    if isinstance(value, array):
        return value
    return value if isinstance(value, list) and all(type(item) in (int, float, bool) for item in value) else None


def _trees(scope: Scope, model: dict[str, Any], features: int | None) -> None:
    trees = model.get("trees")
    count = _number(model.get("gbtree_model_param"), "num_trees")
    if not isinstance(trees, list) or count != len(trees):
        scope.issue(Code.BROKEN_STREAM, "high", "the number of trees is not what the model declares")
        return
    wrong = 0
    for index, tree in enumerate(trees):
        problem = _tree(tree, features) if isinstance(tree, dict) else "is no object"
        if problem:
            wrong += 1
            message = f"tree {index} {problem}: prediction may leave its memory or never end"
            if wrong <= _WRONG:
                scope.issue(Code.BROKEN_STREAM, "high", message)


def _tree(tree: dict[str, Any], features: int | None) -> str:
    """What is wrong with the links between its nodes."""
    nodes = _number(tree.get("tree_param"), "num_nodes")
    own = _number(tree.get("tree_param"), "num_feature")
    if not nodes:
        return "has no nodes"
    lists = {key: _numbers(tree.get(key)) for key in _PER_NODE if key in tree}
    for key, values in lists.items():
        if values is None or len(values) != nodes:
            return f"has {nodes} nodes, but not as many numbers in {key}"
    if "left_children" not in lists or "right_children" not in lists or "split_indices" not in lists:
        return "lacks the links between its nodes"
    left, right, splits = lists["left_children"], lists["right_children"], lists["split_indices"]
    assert left is not None and right is not None and splits is not None  # noqa: S101, PT018 - checked above
    children = [*(n for n in left if n != -1), *(n for n in right if n != -1)]
    if any(not 0 < child < nodes for child in children) or len(set(children)) != len(children):
        return "links to nodes that are not there, or to one twice"
    if any((one == -1) != (other == -1) for one, other in zip(left, right, strict=True)):
        return "has a node with one child"
    most = max(features or 0, own or 0)
    inner = (split for split, child in zip(splits, left, strict=True) if child != -1)
    if (features or own) and any(not 0 <= split < most for split in inner):
        return "asks for features that the model does not have"
    if any(not (0 <= n < nodes or n == _NO_PARENT or n == -1) for n in lists.get("parents") or ()):
        return "has parents that are not there"
    return _categories(tree, nodes)


def _categories(tree: dict[str, Any], nodes: int) -> str:
    names = ("categories", "categories_nodes", "categories_segments", "categories_sizes")
    values = [_numbers(tree.get(key, [])) for key in names]
    if any(item is None for item in values):
        return "has categories that are no numbers"
    given, where, segments, sizes = [item or [] for item in values]
    if not len(where) == len(segments) == len(sizes) or any(not 0 <= n < nodes for n in where):
        return "has categories of nodes that are not there"
    if any(low < 0 or size < 0 or low + size > len(given) for low, size in zip(segments, sizes, strict=True)):
        return "has categories beyond their list"
    return "has negative categories" if any(item < 0 for item in given) else ""
