"""YAML files that decide what loading a model runs: MLflow's MLmodel, configurations for Hydra."""

from __future__ import annotations

import re

from shipworthy.modelfile import hydra, mlflow, namedcalls
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.modelfile.yamls import UnreadYamlError, document, is_plain, python_tags, unescaped, unfolds

_FLAVORS = re.compile(rb"(?m)^(?:\xef\xbb\xbf)?[ {?]*(?:flavors|'flavors'|\"flavors\")\s*:")
_TARGET = b"_target_"
_NEMO = re.compile(rb"(?m)^(?:target|'target'|\"target\"|cls): ?['\"]?[\w.]+\.\w")
_TAGGED = re.compile(rb"!{0,2}(?:<tag:[\w.,:/]{0,60})?python/(?:object|module|name)|^%TAG", re.MULTILINE)


def kind(view: View, limit: int) -> str:
    """`mlflow`, `hydra`, `yaml` (with tags for Python objects) or nothing, for text of at most `limit` bytes."""
    if len(view) > limit:
        return ""
    text = view.all()
    if _FLAVORS.search(text):
        return "mlflow"
    if _TARGET in text or _NEMO.search(text):
        return "hydra"
    told = text.decode("utf-8", "replace")
    if "\\" in told and _TARGET.decode() in unescaped(told):
        return "hydra"
    acting = (_TAGGED.search(text) and any(python_tags(told))) or unfolds(told) or namedcalls.acts(told)
    return "yaml" if acting else ""


def read(scope: Scope, format_: str) -> int:
    """Judge tags, then what the document says; returns how many bytes are explained."""
    size = len(scope.view)
    if scope.role is not Role.FILE:
        return size
    text = scope.text("the YAML")
    if text is None:
        return size
    tags = [(tag, line) for _, tag, line in python_tags(text)]
    acting = [(tag, line) for tag, line in tags if not is_plain(tag)]
    for tag, line in acting:
        message = f"line {line}: {ascii(tag)[1:-1]} builds a Python object for every loader but yaml.safe_load"
        scope.issue(Code.YAML_OBJECT, "high", message, None, ascii(tag)[1:-1])
    if wrong := unfolds(text):
        scope.issue(Code.BOMB, "high", f"{wrong}: whoever walks or prints it runs out of time or memory")
        return size
    if format_ == "yaml" and tags and not acting:
        return size
    if namedcalls.telling(scope.view.all()):
        namedcalls.judge_text(scope, text, format_)
    try:
        found = document(text)
    except UnreadYamlError as error:
        scope.unknown(f"its YAML is of a kind that this version does not read ({ascii(str(error))[1:80]})")
        return size
    value = found.value
    for tag, line in found.tags[:1]:
        scope.unknown(
            f"line {line}: a reader that knows the tag {shown('!' + tag, 60)} takes another value than is read here"
        )
    if format_ == "mlflow" and isinstance(value, dict):
        mlflow.judge(scope, value)
    elif format_ == "hydra" and isinstance(value, (dict, list)):
        hydra.judge(scope, value)
    else:
        scope.unknown("this version does not judge YAML of this kind")
    return size
