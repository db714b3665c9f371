"""The table of what Keras' own files name, made by scripts/make_keras_table.py."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from shipworthy.patterns import regex

_PREFIX = regex(r"(?:tf_keras|tensorflow\.keras|keras\.api(?:\._v2|\._v1)?\.keras|keras\.api)(?=\.|$)")
# Folders of Keras whose modules hold nothing but what a model is made of. Before 2.13 they lay without `src`.
_INTERNAL = regex(
    r"keras|keras\.(?:src\.)?(?:activations|constraints|dtype_policies|engine|initializers|layers|losses|metrics"
    r"|mixed_precision|models|ops|optimizers|quantizers|random|regularizers|trainers|premade_models|feature_column"
    r"|backend\.(?:jax|numpy|tensorflow|torch|openvino|common))(?:\.\w+)*"
)
# Handled by Keras itself, besides the tables of metrics.
_METRICS = frozenset(("accuracy", "acc", "crossentropy", "ce"))


@cache
def _table() -> dict[str, dict[str, frozenset[str]]]:
    found: dict[str, dict[str, frozenset[str]]] = {"class": {}, "function": {}, "short": {}, "tf": {}}
    for line in files("shipworthy.modelfile.keras").joinpath("names.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, where, names = line.split("\t")
            found[kind][where] = frozenset(names.split(" "))
    return found


@cache
def _all(kind: str) -> frozenset[str]:
    return frozenset().union(*_table()[kind].values())


def plain(module: str) -> str:
    """The module's name with every way to spell Keras' own made one."""
    return _PREFIX.sub("keras", module, count=1)


def of_keras(module: str) -> bool:
    """Whether a module belongs to Keras."""
    return plain(module).split(".")[0] == "keras"


def known_class(module: str | None, name: str) -> bool:
    """A class of Keras that a file may name: by its exact place, or by its name alone where the old formats have no
    module, or where another version may have it in another module of the same folders.
    """
    if module is None:
        return name in _all("class")
    module = plain(module)
    if name in _table()["class"].get(module, ()):
        return True
    return name in _all("class") and _INTERNAL.fullmatch(module) is not None


def known_function(module: str | None, name: str) -> bool:
    """A function of Keras that a file may refer to."""
    if module is None or module == "builtins":
        return any(known_short(kind, name) for kind in ("activation", "loss", "metric", "initializer", "regularizer"))
    module = plain(module)
    if name in _table()["function"].get(module, ()):
        return True
    return name in _all("function") and _INTERNAL.fullmatch(module) is not None


def known_short(kind: str, name: str) -> bool:
    """A string that stands for an activation, a loss, an optimizer, ... (`kind`)."""
    if kind == "any":
        return any(name in names for names in _table()["short"].values()) or name in _all("function")
    if kind == "metric" and (name in _METRICS or known_short("loss", name)):
        return True
    if kind == "activation" and name in _table()["class"]["keras.layers"]:
        return True
    return name in _table()["short"][kind]


def known_operator(symbol: str) -> bool:
    """An operator of TensorFlow that only computes, as a TFOpLambda layer writes it: `math.add`."""
    where, _, name = symbol.rpartition(".")
    if where == "__operators__" and name.isidentifier():
        return True
    where = where or "."
    return name in _table()["tf"].get(where, ()) or name in _table()["tf"].get(where.replace("compat.v2", "."), ())
