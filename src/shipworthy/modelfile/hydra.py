"""Configurations for Hydra's `instantiate`, as in NeMo's `.nemo` archives: each `_target_` is imported and called.

Source: hydra/_internal/instantiate/_instantiate2.py; nemo/core/classes/common.py (`Serialization.from_config_dict`).
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown as shown_
from shipworthy.patterns import regex

UNSEEN = "${...}"  # what is reported as called where it can't be told
_INTERPOLATION = regex(r"\$\{([\w.\[\]-]*)\}")
# A path from the root that this file does not have: Hydra composes the root of several files.
_ELSEWHERE = regex(r"(?:torch\.(?:nn|optim)\.(?:\w+\.)*)?\$\{[A-Za-z_]\w*(?:\.\w+)*\}")
_STEPS, _LONG = 50, 1000
_BY_PATH = frozenset(f"hydra.utils.get_{what}" for what in ("class", "method", "object", "static_method"))
_KEYS = ("_target_", "target", "cls", "class_path")
# Built from numbers and names only: parts of networks, optimizers, schedules, under any of their names.
_BUILT = regex(r"torch\.(?:nn|optim)(?:\.(?:modules|lr_scheduler|\w{3,12}))*:[A-Z]\w*")


@cache
def _table() -> str:
    return "\n" + files("shipworthy.modelfile").joinpath("nemo_names.txt").read_text("utf-8")


def _of_nemo(module: str, name: str) -> bool:
    text = _table()
    at = text.find(f"\n{module}\t")
    return at >= 0 and name in text[at + len(module) + 2 : text.find("\n", at + 1)].split(" ")


def judge(scope: Scope, value: Any) -> None:
    """Report every target that is no class of NeMo or torch."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            for key in _KEYS:
                target = item.get(key)
                if isinstance(target, str) and (key == "_target_" or target.count(".") > 1):
                    target = _interpolated(target, value, item)
                    path = item.get("path")
                    if target in _BY_PATH and isinstance(path, str):  # it imports what the path names
                        _target(scope, _interpolated(path, value, item), f"{key}'s path", False)
                    else:
                        _target(scope, target, key, len(item) > 1)
            pending += item.values()


def _interpolated(text: str, root: Any, here: dict[str, Any]) -> str:
    """The text with `${...}` replaced as OmegaConf does; what is computed or lies in another file stays as it is."""
    for _ in range(_STEPS):
        match = _INTERPOLATION.search(text)
        near = match is not None and match[1].startswith(".")
        keys = re.split(r"[.\[]", match[1].removeprefix(".").replace("]", "")) if match else []
        value = _at(here if near else root, keys)
        # a file that is put below a key of the root may name its own values by their path from there
        for at in range(1, 0 if near else min(len(keys), _STEPS)):
            value = _at(root, keys[at:]) if value is None else value
        if match is None or not isinstance(value, (str, int, float)) or len(text) > _LONG:
            break
        text = f"{text[: match.start()]}{value}{text[match.end() :]}"
    return text


def _at(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else _item(value, key)
    return value


def _item(value: Any, key: str) -> Any:
    return value[int(key)] if isinstance(value, list) and key.isdecimal() and int(key[:9]) < len(value) else None


def _target(scope: Scope, target: str, key: str, arguments: bool) -> None:
    if "${" in target and _ELSEWHERE.fullmatch(target[:_LONG]):
        text = f"{key} is named by another file ({shown_(target, 80)}), which says what the model is built with"
        scope.issue(Code.UNKNOWN_CALLABLE, "medium", f"{text}: review that file", None, UNSEEN)
        return
    if "${" in target:
        text = f"{key} is put together while the model is built ({shown_(target, 80)}): nobody can see what it calls"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, UNSEEN)
        return
    module, _, name = target.rpartition(".")
    shown = ascii(f"{module}:{name}")[1:-1][:120]
    scope.names([f"{module}:{name}"])
    if _of_nemo(module, name):
        return
    standing = standing_of(module, name, scope.trust)
    if standing.kind is Kind.DANGEROUS:
        text = f"{key} calls {shown}, which {standing.reason}: building the model runs it"
        scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)
    elif standing.kind in (Kind.TRUSTED, Kind.VALUED) or (standing.is_class and not arguments):
        return
    elif not _BUILT.fullmatch(f"{module}:{name}"):
        text = f"{key} calls {shown} with arguments of the file, which is not known to be harmless"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)
