"""CatBoost's JSON model: its parts by name; texts inside that are files of their own."""

from __future__ import annotations

from typing import Any

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View

_PARTS = frozenset(("ctr_data", "features_info", "model_info", "oblivious_trees", "trees", "scale_and_bias"))


def judge(scope: Scope, model: dict[str, Any]) -> None:
    """Report what is wrong with a decoded model."""
    strange = sorted(shown(key, 40) for key in model.keys() - _PARTS)
    if strange:
        scope.unknown(f"the model holds what is not known to this version: {', '.join(strange[:8])}")
    trees = model.get("oblivious_trees", model.get("trees"))
    if not isinstance(trees, list) or not trees:
        scope.unknown("the model has no trees")
        return
    for index, tree in enumerate(trees):
        if isinstance(tree, dict) and "leaf_values" in tree and _wrong(tree, model):
            message = f"tree {index} has not as many leaves as its splits need: an evaluator may leave its memory"
            scope.issue(Code.BROKEN_STREAM, "high", message)
    info = model.get("model_info")
    for key, value in info.items() if isinstance(info, dict) else ():
        if isinstance(value, str) and len(value) >= 10:
            scope.child(f"info {shown(key, 60)}", View.of(value.encode("utf-8", "surrogatepass")), Role.BLOB)


def _wrong(tree: dict[str, Any], model: dict[str, Any]) -> bool:
    splits, leaves = tree.get("splits") or [], tree.get("leaf_values")
    if not isinstance(splits, list) or not isinstance(leaves, list) or len(splits) > 30:
        return True
    scale = model.get("scale_and_bias")
    biases = scale[1] if isinstance(scale, list) and len(scale) > 1 and isinstance(scale[1], list) else [0]
    return len(leaves) != (1 << len(splits)) * max(len(biases), 1)
