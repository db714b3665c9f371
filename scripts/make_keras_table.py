"""What Keras' own files may name: classes, functions and short names, taken from the installed library.

    make_keras_table.py collect > one.json      # in an environment with a Keras (2.15, tf-keras, 3.x)
    make_keras_table.py merge a.json b.json > src/shipworthy/modelfile/keras_names.txt

Each line of the table is `kind<TAB>where<TAB>names`. Kinds: `class` (a class with from_config, by the module that a
file names), `function` (referred to, never called by the file), `short` (strings that stand for an activation, a loss),
`tf` (operators that a TFOpLambda layer of Keras 2 may call). What runs code, reads files or loads other models is left
out here and judged by rules in the reader.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
import sys
import types
import warnings
from collections import defaultdict
from typing import Any

PUBLIC = [
    "", "activations", "applications", "constraints", "dtype_policies", "initializers", "layers", "losses", "metrics",
    "mixed_precision", "models", "ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy", "optimizers",
    "optimizers.legacy", "optimizers.schedules", "optimizers.experimental", "quantizers", "random", "regularizers",
    "layers.experimental", "layers.experimental.preprocessing", "experimental",
]  # fmt: skip
INTERNAL = re.compile(
    r"(\w+)\.src\.(activations|constraints|dtype_policies|engine|initializers|layers|losses|metrics|mixed_precision"
    r"|models|ops|optimizers|quantizers|random|regularizers|trainers|feature_column|premade_models|legacy|backend\.\w+)"
    r"(\.|$)"
)
TESTS = re.compile(r"_test$|_tests$|\.tests?\b|testing|benchmark|\.saving\b|conftest")
LEFT_OUT = re.compile(
    r"Lambda$|TorchModuleWrapper|TFSMLayer|JaxLayer|FlaxLayer|TensorFlowOpLayer|ClassMethod|ModuleWrapper"
    r"|^Function$|^Operation$|^Variable$|^KerasTensor$|LookupTable|^get$|serialize|^from_config|callback"
    r"|^(?:map|scan|while_loop|cond|switch|fori_loop|vectorized_map|associative_scan|custom_gradient|vjp|rematscope"
    r"|remat|in_top_k_fn|clone_model|load_model|save_model|model_from_\w+|call_\w+|any_symbolic_\w+)$",
    re.IGNORECASE,
)
KEPT = {"TFOpLambda", "SlicingOpLambda"}  # judged by a rule of their own
FUNCTIONS = {
    "activations", "losses", "metrics", "ops", "ops.image", "ops.linalg", "ops.nn", "ops.numpy", "regularizers",
    "initializers", "constraints",
}  # fmt: skip
KINDS = {
    "activations": "activation", "constraints": "constraint", "initializers": "initializer", "losses": "loss",
    "metrics": "metric", "optimizers": "optimizer", "regularizers": "regularizer",
}  # fmt: skip
# Modules of TensorFlow whose functions only compute, and the names in them that do more.
TF_MODULES = [
    "", "math", "nn", "linalg", "signal", "image", "strings", "sparse", "ragged", "bitwise", "random", "sets",
    "__operators__", "quantization", "compat.v1", "compat.v1.math", "compat.v1.nn", "keras.backend",
    "experimental.numpy",
]  # fmt: skip
TF_LEFT_OUT = re.compile(
    r"py_func|numpy_func|^function$|print|map_fn|while|^cond$|^case$|switch_case|^scan$|fold[lr]|vectorized_map|load_"
    r"|import_|export_|custom_grad|grad_pass|recompute|init_scope|read|write|file|save|restore|session|device|config"
    r"|enable|disable|placeholder|variable|run_|register|assert|debug|make_|executing|queue|graph|summary|app$|flags"
    r"|get_|set_|add_|global|initialize|py_|script|wrap|decode|learning_phase|manual|clear|rnn|Conditional|no_op"
    r"|control_dep|barrier|hook|saver|train|trainable|name_scope|op_scope|tpu|xla|jit|tuple|group|stop|proto|delete"
    r"|batch_function|gradients$|hessians|partitioner|Differentiable|NoGradient|no_gradient|container|colocate|call|eval|serialize|map_flat|map_val|type_spec|tensor_spec|_spec|convert|is_",
    re.IGNORECASE,
)
TF_KEPT = {"convert_to_tensor", "stop_gradient", "is_nan", "is_inf", "is_finite", "clip_by_global_norm", "global_norm"}


def root() -> tuple[types.ModuleType, str]:
    """The Keras of this environment and the name it is imported by."""
    for name in ("tf_keras", "keras") if "--tf-keras" in sys.argv else ("keras",):
        return importlib.import_module(name), name
    raise SystemExit("no Keras here")


def serialisable(item: object, top: str) -> bool:
    """A class of Keras that a configuration may name."""
    return (
        inspect.isclass(item) and item.__module__.split(".")[0] == top and callable(getattr(item, "from_config", None))
    )


def keep(name: str) -> bool:
    """Public, and not one of those judged by rules."""
    return not name.startswith("_") and (name in KEPT or not LEFT_OUT.search(name))


def public(module: types.ModuleType, part: str) -> Any:
    """A part of the public interface, or None where this version lacks it."""
    for piece in part.split(".") if part else []:
        module = getattr(module, piece, None)  # type: ignore[assignment]
        if module is None:
            return None
    return module


def collect() -> dict[str, Any]:
    """Everything this environment's Keras offers."""
    keras, top = root()
    classes: dict[str, set[str]] = defaultdict(set)
    functions: dict[str, set[str]] = defaultdict(set)
    short: dict[str, set[str]] = defaultdict(set)
    for part in PUBLIC:
        space = public(keras, part)
        if space is None:
            continue
        where = f"keras.{part}" if part else "keras"
        for name in dir(space):
            item = getattr(space, name, None)
            if serialisable(item, top) and keep(name):
                classes[where].add(name)
            elif part in FUNCTIONS and (inspect.isfunction(item) or inspect.isbuiltin(item)) and keep(name):
                functions[where].add(name)
    for info in pkgutil.walk_packages(keras.__path__, f"{top}.", onerror=lambda _: None):
        if TESTS.search(info.name) or not INTERNAL.match(info.name):
            continue
        try:
            module = importlib.import_module(info.name)
        except Exception:  # noqa: S112 - a backend that is not installed here
            continue
        where = "keras" + info.name[len(top) :]
        for name, item in vars(module).items():
            if serialisable(item, top) and keep(name):
                classes[where].add(name)
            if inspect.isfunction(item) and item.__module__ == info.name and keep(name) and functions_of(where):
                functions[where].add(name)
    for part, kind in KINDS.items():
        short[kind] |= strings(keras, top, part)
    return {
        "version": f"{'tf-keras' if top == 'tf_keras' else 'keras'} {keras.__version__}",
        "class": {k: sorted(v) for k, v in classes.items()},
        "function": {k: sorted(v) for k, v in functions.items()},
        "short": {k: sorted(v) for k, v in short.items()},
        "tf": tensorflow(),
    }


def functions_of(where: str) -> bool:
    """Internal modules whose functions a configuration may refer to."""
    return bool(re.fullmatch(r"keras\.src\.(activations|losses|metrics|regularizers)(\.\w+)?", where))


def strings(keras: types.ModuleType, top: str, part: str) -> set[str]:
    """The strings that `get` of a part understands."""
    space = public(keras, part)
    found = {name for name in dir(space) if keep(name) and (callable(getattr(space, name)))}
    found = {n for n in found if inspect.isfunction(getattr(space, n)) or serialisable(getattr(space, n), top)}
    try:
        inner = importlib.import_module(f"{top}.src.{part}")
        found |= set(getattr(inner, "ALL_OBJECTS_DICT", {}))
        if hasattr(inner, "populate_deserializable_objects"):
            inner.populate_deserializable_objects()
            found |= set(inner.LOCAL.ALL_OBJECTS)
    except ImportError:
        pass
    if part == "optimizers":
        found |= {name.lower() for name in found}
    return {str(name) for name in found if keep(str(name))}


def tensorflow() -> dict[str, list[str]]:
    """Operators of TensorFlow by the names under which Keras 2 writes them; nothing where it is not installed."""
    try:
        import tensorflow as tf
    except ImportError:
        return {}
    found: dict[str, list[str]] = {}
    for part in TF_MODULES:
        space = public(tf, part)
        if space is None:
            continue
        names = [n for n in dir(space) if callable(getattr(space, n, None)) and not inspect.isclass(getattr(space, n))]
        names = [n for n in names if n in TF_KEPT or not (n.startswith("_") or TF_LEFT_OUT.search(n))]
        found[part or "."] = sorted(names)
    return found


def merge(paths: list[str]) -> str:
    """The table of several environments."""
    versions: list[str] = []
    table: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            part = json.load(stream)
        versions.append(part["version"])
        for kind in ("class", "function", "short", "tf"):
            for where, names in part[kind].items():
                table[kind, where] |= {name for name in names if re.fullmatch(r"\w+", name)}
    lines = ["# Made by scripts/make_keras_table.py; see there for what the kinds mean. Not edited by hand."]
    lines.append(f"# {', '.join(sorted(versions))}")
    lines += [f"{kind}\t{where}\t{' '.join(sorted(names))}" for (kind, where), names in sorted(table.items()) if names]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["collect"]:
        stdout, sys.stdout = sys.stdout, sys.stderr  # libraries print when they are imported
        json.dump(collect(), stdout)
    elif sys.argv[1:2] == ["merge"] and len(sys.argv) > 2:
        sys.stdout.write(merge(sys.argv[2:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
