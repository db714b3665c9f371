"""A configuration, walked for what loading would build and run.

Keras builds the object that each `module`/`class_name`/`config` names (keras/src/saving/serialization_lib.py; without
`module` in the formats before Keras 2.13): what is not in the table of Keras' own names is foreign code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from shipworthy.modelfile.keras import rules, weights
from shipworthy.modelfile.keras.names import known_class, known_function, known_short, of_keras
from shipworthy.modelfile.report import Code, Issue, Where
from shipworthy.modelfile.scope import Scope
from shipworthy.records import dataclass

_TWICE = "\0twice"
_PLAIN = frozenset(
    ("__tuple__", "__numpy__", "__tensor__", "__bytes__", "__ellipsis__", "__slice__", "__keras_tensor__",
     "__complex__", "TensorShape")
)  # fmt: skip
_KINDS = {
    "activation": "activation", "recurrent_activation": "activation", "loss": "loss", "metrics": "metric",
    "weighted_metrics": "metric", "optimizer": "optimizer", "fn": "any", "initializer": "initializer",
    "regularizer": "regularizer", "constraint": "constraint",
}  # fmt: skip
_SUFFIXES = {f"_{kind}": kind for kind in ("activation", "initializer", "regularizer", "constraint")}


@dataclass(frozen=True)
class _Place:
    """What is known of a value from around it: `kind` of short name expected, the nearest layer's name."""

    kind: str = ""
    layer: str = ""


def parse(scope: Scope, raw: bytes, what: str) -> Any:
    """JSON as Keras reads it (Python's json: NaN is allowed, of equal keys the last counts), or None, reported."""
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            counts = Counter(name for name, _ in items)
            twice.append(max(counts, key=counts.__getitem__))
            found[_TWICE] = [value for _, value in items]
        return found

    if len(raw) > scope.limits.json:
        scope.unknown(f"{what} is larger than {scope.limits.json >> 20} MiB")
        return None
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        shown = "nested too deep" if isinstance(error, RecursionError) else ascii(str(error))[1:-1][:99]
        scope.issue(Code.BROKEN_STREAM, "medium", f"{what} is not JSON that Keras can read ({shown})")
        return None
    if twice:
        text = f"{what} has the key {ascii(twice[0])[:60]} twice in one object: readers differ in which one they take"
        scope.issue(Code.CONTAINER_TAMPERED, "high", text)
    return value


def judge_text(scope: Scope, raw: bytes, what: str) -> None:
    """Judge a configuration that is kept in an attribute or a member."""
    judge(scope, parse(scope, raw, what))


def judge(scope: Scope, config: Any) -> None:
    """Report what loading this configuration would run; an honest one leaves nothing."""
    pending: list[tuple[Any, _Place]] = [(config, _Place())]
    seen: set[tuple[int, str]] = set()
    while pending:
        value, place = pending.pop()
        if isinstance(value, (list, dict)):
            if (id(value), place.kind) in seen:  # YAML's aliases
                continue
            seen.add((id(value), place.kind))
        if isinstance(value, list):
            pending += [(item, place) for item in value]
        elif isinstance(value, str):
            if place.kind:
                _short(scope, value, place)
        elif isinstance(value, dict):
            pending += _dictionary(scope, value, place)


def _dictionary(scope: Scope, value: dict[str, Any], place: _Place) -> list[tuple[Any, _Place]]:
    inner = value.get("config")
    kind, layer = place.kind, place.layer
    if "class_name" in value:
        kind = ""
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            layer = inner["name"]
        if isinstance(value["class_name"], str):
            _object(_Reporter(scope, layer), value)
        else:
            scope.unknown("a configuration names a class by something that is no text")
    return [(item, _Place(_kind_of(name) or (kind if name not in ("config", "module") else ""), layer))
            for name, item in value.items()]  # fmt: skip


def _kind_of(name: str) -> str:
    if name in _KINDS:
        return _KINDS[name]
    _, _, last = name.rpartition("_")
    return _SUFFIXES.get(f"_{last}", "")


def _short(scope: Scope, value: str, place: _Place) -> None:
    """A string that stands for an object, such as "relu"."""
    if known_short(place.kind, value) or _trusted(scope.trust, value, _vouched(value)) or not value:
        return
    shown = ascii(value)[1:-1][:120]
    text = (
        f"the {place.kind if place.kind != 'any' else 'function'} {shown} is not one of Keras: its code is not in the "
        f"file, and the program that loads it must bring it; its name in `trust` is {_shown(value)}"
    )
    _Reporter(scope, place.layer).issue(Code.KERAS_FOREIGN_CLASS, "medium", text, shown)


@dataclass(frozen=True)
class _Reporter:
    """The scope, and the layer that is being looked at."""

    scope: Scope
    layer: str

    def issue(self, code: Code, severity: str, text: str, callable_: str, arguments: str = "") -> None:
        layer = ascii(self.layer)[1:-1][:80]
        text = f"{text} (layer {layer})" if layer else text
        self.scope.emit(Issue(code, severity, text, Where(layer=layer), callable_, arguments))


def _object(to: _Reporter, value: dict[str, Any]) -> None:
    name, module, inner = value["class_name"], value.get("module"), value.get("config")
    if module is not None and not isinstance(module, str):
        to.scope.unknown("a configuration names a module by something that is no text")
        return
    shown = (f"{ascii(module)[1:-1]}:" if module else "") + ascii(name)[1:-1]
    shown = shown[:160]
    to.scope.names([shown])
    found = rules.of_class(name, value)
    if found is not None:
        to.issue(found.code, found.severity, found.text.replace("{}", shown), shown, found.arguments)
        for label, view in found.children:
            to.scope.child(label, view)
        return
    if (name in _PLAIN and (module is None or name.startswith("__"))) or (name == "TypeSpec" and "type_spec" in value):
        return
    if name == "function":
        _function(to, value)
    elif known_class(module, name) or (module is None and known_class(None, name.removeprefix("Custom>"))):
        _registered(to, value, shown)
        extra = rules.arguments(inner)
        if extra is not None:
            to.issue(extra.code, extra.severity, extra.text.replace("{}", shown), shown, extra.arguments)
        for asked in weights.too_many(value):
            text = f"{ascii(asked.kind)[1:-1][:80]} asks for {asked.what}: to build it fills the memory"
            _Reporter(to.scope, asked.layer).issue(Code.BOMB, "high", text, shown)
    else:
        _foreign(to, module, name, shown, value)


def _registered(to: _Reporter, value: dict[str, Any], shown: str) -> None:
    """A registered class counts before the one that module and class name say."""
    registered = value.get("registered_name")
    name = value["class_name"]
    if registered in (None, name) or not registered:
        return
    key = str(registered)
    # "Custom" is the package of what Keras 2 registers without one, its own optimizers among them.
    if key in (f"Custom>{name}", f"keras>{name}") or _trusted(to.scope.trust, key, _vouched(key)):
        return
    text = f"the configuration of {shown} asks for the registered class {ascii(key)[1:-1][:120]} in its place"
    text = f"{text}; its name in `trust` is {_shown(key)}"
    to.issue(Code.KERAS_FOREIGN_CLASS, "medium", text, shown, ascii(key)[1:-1][:120])


def _function(to: _Reporter, value: dict[str, Any]) -> None:
    from shipworthy.modelfile.pickles.danger import reason_for

    module, target = value.get("module"), value.get("config")
    if isinstance(target, dict):
        target = target.get("name") or target.get("config")
    target = target if isinstance(target, str) else value.get("registered_name")
    if not isinstance(target, str) or not isinstance(module, str | None):
        to.scope.unknown("a configuration names a function by something that is no text")
        return
    if known_function(module, target) and value.get("registered_name") in (None, "function", target):
        return
    key = f"{ascii(module)[1:-1] if module else ''}:{ascii(target)[1:-1]}"[:160]
    danger = reason_for(module or "", target)
    if _trusted(to.scope.trust, key) and not danger:
        return
    if danger:
        to.issue(Code.CODE_EXECUTION, "critical", f"the configuration takes the function {key}, which {danger}", key)
        return
    text = f"the configuration uses the function {key}, which is not one of Keras"
    to.issue(Code.KERAS_FOREIGN_CLASS, "high", text, key)


def _foreign(to: _Reporter, module: str | None, name: str, shown: str, value: dict[str, Any]) -> None:
    from shipworthy.modelfile.pickles.danger import reason_for

    registered = value.get("registered_name")
    keys = [f"{module}:{name}" if module else name, *([str(registered)] if registered else [])]
    if registered or not module:
        keys.append(_vouched(str(registered or name)))
    danger = reason_for(module or "", name)
    if module and of_keras(module) and not danger:
        danger = "is a tool of Keras and no part of a model: such tools fetch, write and load files"
    if danger:
        to.issue(Code.CODE_EXECUTION, "critical", f"the configuration calls {shown}, which {danger}", shown)
    elif _trusted(to.scope.trust, *keys):
        return
    elif module and module.split(".")[0] not in ("builtins", "__main__"):
        text = f"the configuration builds {shown}, a class from outside of Keras, whose module is imported"
        to.issue(Code.KERAS_FOREIGN_CLASS, "high", text, shown)
    else:
        text = (
            f"the configuration needs the custom class {shown}, whose code is not in the file; its name in `trust` is"
        )
        text = f"{text} {_shown(str(registered or name))}"
        to.issue(Code.KERAS_FOREIGN_CLASS, "medium", text, shown)


def _vouched(registered: str) -> str:
    """How a class that the program registers (`package>Name`) is named in `trust`, whose patterns have a colon. The
    package of what is registered without one is "Custom" (keras.saving.register_keras_serializable).
    """
    package, mark, name = registered.rpartition(">")
    return f"{package}:{name}" if mark else f"Custom:{name}"


def _shown(registered: str) -> str:
    return ascii(_vouched(registered))[1:-1][:120]


def _trusted(trust: Sequence[str], *keys: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in trust for key in keys)
