"""Makes `src/shipworthy/modelfile/pickles/allowed_names.txt`: which names honest model files import.

The names are listed mechanically, by importing the real libraries in environments of their own, several versions of
each, and looking at what is there. No single name is added because a file was flagged.

    python scripts/honest_corpus.py build FOLDER          # the environments of tests/corpora/environments.toml
    FOLDER/sk19/bin/python scripts/make_allow_table.py collect > sk19.import.json
    python scripts/allow_sources.py sk19.source.json FOLDER/sk19/lib/python3.11/site-packages --package ...
    python scripts/make_allow_table.py merge *.json > allowed_names.txt
    (or all of it: python scripts/honest_corpus.py table FOLDER)

How a name may be used (see `shipworthy.modelfile.pickles.names.Kind`): `c` a class, created empty; `n` the same, but
only without its constructor (NEWOBJ), which does more than to store; `v` a class whose constructor only stores plain
values; `s` a class whose state holds source text, which is checked; `r` only referred to; `d` a function that a
`__reduce__` of its library returns, called with plain values; `p` one that creates the class it is given. `x`, only
while the table is made: refused, whatever another environment says.
"""

from __future__ import annotations

import enum
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
import sys
import types
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

# Parts of a library that load, save, compile, download, test or plot: nothing of them belongs in a model.
LEFT_OUT = re.compile(
    r"(^|\.)(_?tests?|_?testing|conftest|f2py|distutils|ctypeslib|_?datasource|_?npyio(_impl)?|io|_iotools|plotting|_plotly_utils|setup|__main__|"
    r"_?pyinstaller|typing|_build_utils|computation|_pytesttester|_distributor_init|datasets|externals|hub|fx|_dynamo|_inductor|jit|package|"
    r"onnx|export|_export|multiprocessing|distributed|cpp_extension|utils\.(bottleneck|benchmark|tensorboard|cpp_extension)|"
    r"_lib\.(uarray|_uarray|deprecation|_tmpdirs|_testutils)|excel|clipboard|html|spark|dask|federated|(?<!torchmetrics\.wrappers\.)tracker|rabit|collective|"
    r"_(fs|s3fs|gcsfs|azurefs|hdfs|flight|feather|orc|csv|json|substrait|acero|dataset\w*|parquet\w*|pyarrow_cpp_tests)|"
    r"callback|plot|widget|_experimental|_show_versions|memmapped|_memmapping_reducer|weave|compat\.pyarrow|experimental\.dask|"
    # what no file refers to: command lines, converters, copies of other libraries, generated code's templates, the
    # inside of torch's compiler, and of accelerate all but what transformers' arguments of a training hold
    r"_?cli|commands|scripts|examples|_?vendor(ed)?|convert_\w+|modular_\w+|modeling_(tf|flax)_\w+|"
    # databases, servers and journals, to which a state would connect; readers and parsers that end the process
    r"_rdb|_?journal|_grpc|_parser_internals|_libs\.parsers|"
    r"_(refs|prims|prims_common|decomp|functorch|higher_order_ops|meta_registrations|subclasses|lazy|numpy|library|logging|guards)"
    r")(\.|$)|^(nltk\.(app|downloader|inference)|flaml\.autogen|sktime\.(catalogues|forecasting\.agentic))(\.|$)"
    r"|^scipy\.misc(\.|$)|^numpy\.doc(\.|$)|^accelerate(?!\.(state|parallelism_config|utils\.dataclasses)$)"
)
# Modules whose classes are listed, and not their functions: of a model's own file only the classes are referred to.
CLASSES_ONLY = re.compile(
    r"^transformers\.models\.|^holidays\.|^accelerate\.|^torch\.(_|ao|utils\.(?!data)|profiler|masked|nested)"
)
# Methods that run on their own when an object is dropped: with a state chosen by an attacker they touch raw handles.
# These were looked at: they free a handle that the class's `__setstate__` made of bytes or text, or close an object.
# Not lightgbm's `_InnerPredictor`: its state could name any address to be freed.
FINALIZER_ACCEPTED = {
    "xgboost.core:Booster",
    "lightgbm.basic:Booster",
    "scipy.spatial._qhull:Delaunay",
    "scipy.spatial._qhull:ConvexHull",
    "scipy.spatial._qhull:Voronoi",
    "scipy.spatial._qhull:HalfspaceIntersection",
    "scipy.spatial.qhull:Delaunay",
    "scipy.spatial.qhull:ConvexHull",
    "scipy.spatial.qhull:Voronoi",
    "scipy.spatial.qhull:HalfspaceIntersection",
}
FUNCTION_LEFT_OUT = re.compile(
    r"load|save|file|open|test|info|source|apply|from|func|show|^get_|memmap|eval|exec|import|fetch|read|write|dump|call(?!able)|"
    r"vectorize|piecewise|compile|delayed|parallel|wrap|partial|deco|getattr|setattr|hook|register|patch|run|spawn|thread"
)
PATH_LIKE = re.compile(
    r"(^|_)(file|filename|fname|source|path|url|cmd|command|dir|directory|host|uri|model_file|model_str|store|func|function|callback)(name|_or_buf)?$"
)

PACKAGES = (
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "torch.nn",
    "torch.optim",
    "torch.distributions",
    "torch.return_types",
    "xgboost",
    "lightgbm",
    "catboost",
    "dateutil",
    "pytz",
    "regex",
    "tokenizers",
    "pyarrow.lib",
    "shapely",
)
# Of these the compiled modules are imported; their Python modules are read as text by allow_sources.py.
COMPILED = (
    "statsmodels hdbscan gensim spacy thinc cymem preshed murmurhash srsly blis tslearn pmdarima pyod sktime umap "
    "tokenizers pyarrow shapely torch safetensors sksurv implicit skbase river hmmlearn"
).split()
COMPILED_FUNCTIONS = frozenset(("statsmodels", "river", "hmmlearn"))  # of these the functions are listed, too
CYTHON = ("cython_function_or_method", "fused_cython_function")
FUNCTION_PACKAGES = ("sklearn", "scipy", "torch.nn.functional", "torch.nn.init")
VERSIONS = "numpy scipy scikit-learn pandas torch xgboost lightgbm catboost joblib tokenizers pyarrow shapely".split()


def modules(package: str) -> Iterator[types.ModuleType]:
    """The package and what is below it, as far as it imports."""
    try:
        root = importlib.import_module(package)
    except ImportError:
        return
    yield root
    for item in pkgutil.walk_packages(getattr(root, "__path__", []), package + ".", onerror=lambda _: None):
        if LEFT_OUT.search(item.name):
            continue
        try:
            yield importlib.import_module(item.name)
        except BaseException:  # noqa: S112 - optional parts of a library fail in many ways, some by SystemExit
            continue


def top(name: str) -> str:
    """The distribution-level name of a module."""
    return (name or "").partition(".")[0]


def letter_of_class(module: str, item: type) -> str:
    """How a class may be used; `x`: not at all."""
    key = f"{module}:{item.__qualname__}"
    if hasattr(item, "__del__") and key not in FINALIZER_ACCEPTED:
        return "x"
    if hasattr(item, "_attach_argparser_methods"):
        return "s"  # scipy's distributions: their state holds the source of three functions
    if any(base.__module__ == "_ctypes" for base in item.__mro__) or runs_code_from_state(item):
        return "x"
    if issubclass(item, enum.Enum) or is_valued(item):
        return "v"
    return "c"


RUNS_CODE = re.compile(r"(?<![.\w])(exec|eval|compile|__import__|open)\s*\(|import_module\s*\(|FunctionType\s*\(")
OWN_METHOD = re.compile(r"self\.(\w+)\s*\(")


def runs_code_from_state(item: type) -> bool:
    """Whether `__setstate__`, or a method that it calls, executes text: the text would come from the file.

    scipy's distributions do that: their state holds the source of a function.
    """
    pending, seen = ["__setstate__"], set()
    while pending:
        name = pending.pop()
        function = getattr(item, name, None)
        if name in seen or not inspect.isfunction(function):
            continue
        seen.add(name)
        source = source_of(function)
        if RUNS_CODE.search(source):
            return True
        pending += OWN_METHOD.findall(source)
    return False


@lru_cache(None)  # classes share what they inherit, and finding a function's text is slow
def source_of(function: types.FunctionType) -> str:
    """The text of a function; empty where there is none, as in a compiled module."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def is_valued(item: type) -> bool:
    """Classes that pickle writes as a call with plain values: scalars, dtypes, offsets, Cython losses and trees."""
    import numpy

    if issubclass(item, numpy.generic):  # void(n) allocates, str_(bytes, codec) imports
        return not issubclass(item, numpy.flexible)
    if issubclass(item, (numpy.ndarray, getattr(numpy.random, "BitGenerator", numpy.ndarray))):
        return False  # their constructors allocate, or work on a seed of any length
    if issubclass(item, pandas_stored()):
        return True
    if issubclass(item, (tuple, str, int, float, frozenset, BaseException)) and not path_like(item):
        if inspect.isfunction(getattr(item, "__setstate__", None)):
            return False
        if hasattr(item, "_fields"):
            return True
        return not inspect.isfunction(item.__init__) and not inspect.isfunction(item.__new__)
    if "__getnewargs__" in vars(item) and not inspect.isfunction(vars(item)["__getnewargs__"]):
        return not path_like(item)
    own_reduce = [
        base for base in item.__mro__ if "__reduce__" in vars(base) and top(base.__module__) == top(item.__module__)
    ]
    if not own_reduce or made_by_cython(vars(own_reduce[0])["__reduce__"]):
        return False  # pickled by `__pyx_unpickle_...`, which is listed itself; the class is never called
    return not inspect.isfunction(vars(own_reduce[0])["__reduce__"]) and not path_like(item)


def made_by_cython(method: object) -> bool:
    """Whether Cython wrote this `__reduce__` by itself: it copies the fields, or says that it can't be pickled."""
    return getattr(method, "__name__", "") == "__reduce_cython__"


@lru_cache(None)
def pandas_stored() -> tuple[type, ...]:
    """Pandas' dtypes and offsets."""
    try:
        from pandas._libs.tslibs.offsets import BaseOffset
        from pandas.api.extensions import ExtensionDtype
    except ImportError:
        return ()
    return (ExtensionDtype, BaseOffset)


def path_like(item: type) -> bool:
    """Whether the constructor has a parameter that names a file, an address, a command or a function."""
    try:
        return any(PATH_LIKE.search(name) for name in inspect.signature(item).parameters)
    except (TypeError, ValueError):
        return False


def collect() -> dict[str, dict[str, str]]:
    """Module -> name -> letter in this environment."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for package in PACKAGES:
        for module in modules(package):
            for name, item in list(vars(module).items()):
                if inspect.isclass(item):
                    add_class(found, module.__name__, item)
                elif name.startswith("__pyx_unpickle_") or name == "newObj":
                    found[module.__name__][name] = "p"
                    if getattr(item, "__module__", None) == module.__name__.rpartition(".")[2]:
                        found[item.__module__][name] = "p"
                elif isinstance_of(item, "numpy:ufunc") or is_singleton(module, name, item):
                    found[module.__name__].setdefault(name, "r")
    for package in FUNCTION_PACKAGES:
        for module in modules(package):
            add_functions(found, module)
    add_numpy_functions(found)
    add_torch_values(found)
    add_builtins(found)
    for module in compiled_modules():
        if top(module.__name__) in COMPILED_FUNCTIONS:
            add_functions(found, module)
        for name, item in list(vars(module).items()):
            if inspect.isclass(item):
                add_class(found, module.__name__, item)
            elif name.startswith("__pyx_unpickle_") or name == "newObj":  # scikit-learn's and hdbscan's distances
                found[module.__name__][name] = "p"
    add_moved(found)
    return {module: dict(sorted(names.items())) for module, names in sorted(found.items())}


def add_moved(found: dict[str, dict[str, str]]) -> None:
    """Where pandas' classes stood in older versions, by pandas' own list of them."""
    try:
        from pandas.compat.pickle_compat import _class_locations_map as moved
    except ImportError:
        return
    for (module, name), (home, new) in moved.items():
        try:
            item = getattr(importlib.import_module(home), new, None)
        except ImportError:  # a class that pandas has dropped
            continue
        letter = found.get(getattr(item, "__module__", home), {}).get(getattr(item, "__qualname__", new))
        if inspect.isclass(item) and letter:
            found[module].setdefault(name, letter)


def compiled_modules() -> Iterator[types.ModuleType]:
    """The extension modules of the libraries whose Python modules are only read as text."""
    for package in COMPILED:
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            for path in sorted(Path(root).rglob("*.so")):
                parts = (package, *path.relative_to(root).with_suffix("").parts)
                name = ".".join(parts).partition(".cpython")[0].partition(".abi3")[0]
                if LEFT_OUT.search(name):
                    continue
                try:
                    yield importlib.import_module(name)
                except BaseException:  # noqa: S112 - as above
                    continue


def add_builtins(found: dict[str, dict[str, str]]) -> None:
    """Python's own functions that only compute, the methods of its plain types, its exceptions and exact numbers."""
    import builtins
    import operator

    for name, item in vars(builtins).items():
        if inspect.isclass(item) and issubclass(item, BaseException):
            found["builtins"][name] = "v"
        elif name in PURE:
            found["builtins"][name] = "r"
    for kind in (str, bytes, int, float, complex, list, dict, tuple, set, frozenset):
        for name, item in vars(kind).items():
            if inspect.ismethoddescriptor(item) and not name.startswith("_"):
                found["builtins"][f"{kind.__name__}.{name}"] = "r"
    for name, item in vars(operator).items():
        if inspect.isbuiltin(item) and not name.startswith("_") and name != "call":
            found["_operator"][name] = found["operator"][name] = "r"
    import math

    for kind in vars(re).values():
        if inspect.isclass(kind) and issubclass(kind, enum.Enum):
            found["re"][kind.__name__] = "v"
    for name, item in vars(math).items():
        if inspect.isbuiltin(item) and not name.startswith("_"):
            found["math"][name] = "r"


PURE = frozenset(
    "abs all any ascii bin chr divmod format hash hex id isinstance issubclass iter len max min next oct ord pow repr "
    "round sorted sum zip".split()
)


def is_singleton(module: types.ModuleType, name: str, item: object) -> bool:
    """Values that pickle writes as a name only, such as pandas' NA: their `__reduce__` returns a text."""
    if callable(item) or top(type(item).__module__) != top(module.__name__) or name.startswith("__"):
        return False
    try:
        return item.__reduce_ex__(2) == name
    except Exception:  # a value that can't be pickled is no value of a model
        return False


def add_class(found: dict[str, dict[str, str]], module: str, item: type) -> None:
    """A class under its own name, which is the one that pickles give, wherever it was seen."""
    home = item.__module__ or ""
    unnamed = home and home == module.rpartition(".")[2]  # a compiled module that does not know its package
    if (top(home) != top(module) and not unnamed) or LEFT_OUT.search(home):
        return
    letter = letter_of_class(home, item)
    if re.fullmatch(r"[\w.]+", item.__qualname__):
        found[home][item.__qualname__] = letter


def isinstance_of(item: object, key: str) -> bool:
    """Whether an object's class is `module:name`."""
    return f"{type(item).__module__}:{type(item).__qualname__}" == key


def add_functions(found: dict[str, dict[str, str]], module: types.ModuleType) -> None:
    """Functions of a module's own package: estimators refer to them as metrics, kernels, activations."""
    for name, item in list(vars(module).items()):
        plain = inspect.isfunction(item) or inspect.isbuiltin(item) or type(item).__name__ in CYTHON
        home = getattr(item, "__module__", None) or ""
        if (
            plain
            and top(home) == top(module.__name__)
            and not LEFT_OUT.search(home)
            and not FUNCTION_LEFT_OUT.search(name)
            and getattr(item, "__qualname__", name) == getattr(item, "__name__", name) == name
        ):
            found[home].setdefault(name, "r")


def add_numpy_functions(found: dict[str, dict[str, str]]) -> None:
    """Numpy's public functions, except those that touch files or call what they are given."""
    import numpy

    spaces = [numpy, numpy.linalg, numpy.fft]
    for space in spaces:
        for name in dir(space):
            item = getattr(space, name, None)
            if (
                callable(item)
                and not inspect.isclass(item)
                and not name.startswith("_")
                and not FUNCTION_LEFT_OUT.search(name)
            ):
                found[space.__name__].setdefault(name, "r")
                home = getattr(item, "__module__", None) or ""
                if top(home) == "numpy" and not LEFT_OUT.search(home):
                    found[home].setdefault(name, "r")


def add_torch_values(found: dict[str, dict[str, str]]) -> None:
    """Torch's types, layouts and storages, which every checkpoint refers to."""
    try:
        import torch
    except ImportError:
        return
    kinds = (torch.dtype, torch.layout, torch.memory_format, torch.qscheme)
    for name, item in vars(torch).items():
        if isinstance(item, kinds):
            found["torch"][name] = "r"
        elif inspect.isclass(item) and (
            name.endswith("Storage") or name in ("Tensor", "Size", "device", "dtype", "layout")
        ):
            found["torch"][name] = "c"
    for module, names in {
        "torch.storage": ("UntypedStorage", "TypedStorage"),
        "torch._tensor": ("Tensor",),
        "torch.nn.parameter": ("Parameter", "Buffer", "UninitializedParameter"),
    }.items():
        for name in names:
            if hasattr(importlib.import_module(module), name):
                found[module][name] = "c"
    for name in ("gelu", "relu", "silu", "softplus", "log_sigmoid", "hardtanh", "elu_", "leaky_relu"):
        if hasattr(torch._C._nn, name):
            found["torch._C._nn"][name] = "r"
    for name in ("relu", "tanh", "sigmoid", "exp", "log", "sqrt", "abs", "sin", "cos"):
        found["torch"].setdefault(name, "r")


def versions() -> dict[str, str]:
    """What is installed here."""
    known = {}
    for name in VERSIONS:
        try:
            from importlib.metadata import version

            known[name] = version(name)
        except Exception:  # noqa: S112 - not installed in this environment
            continue
    return known


def stricter(one: str, other: str, order: str) -> str:
    """The use that both allow; upper case (no attribute is looked up) if either is."""
    letter = min(one.lower(), other.lower(), key=order.index)
    return letter.upper() if (one + other) != (one + other).lower() and letter in "cnv" else letter


def merge(paths: list[str], older: Collection[str] = ()) -> str:
    """The table of several environments: files of one environment share what stands before the first dot. Within one,
    importing knows more of constructors, the source text more of what runs; between them the strictest use counts.
    The environments `older` only add names that the others do not have: what their releases do on their own with a
    state is not held against the same name today.
    """
    order = "xsnpdrvc"
    parts: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    seen: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        with open(path, encoding="utf-8") as stream:
            part = json.load(stream)
        for name, number in part["versions"].items():
            seen[name].add(number)
        for module, names in part["names"].items():
            for name, letter in names.items():
                if letter == "?" or (letter not in "dp" and LEFT_OUT.search(module)):
                    continue
                parts[Path(path).name.partition(".")[0]][module][name] = stricter(
                    parts[Path(path).name.partition(".")[0]][module].get(name, letter), letter, order
                )
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for adding in (False, True):
        settled = {(module, label) for module, names in table.items() for label in names}
        for module, names in (
            item for name, part in parts.items() if (name in older) is adding for item in part.items()
        ):
            for label, letter in names.items():
                if (module, label) not in settled:
                    table[module][label] = stricter(table[module].get(label, letter), letter, order)
        if not adding:
            publish(table, order)
    for (module, name), letter in PROVEN.items():
        if module in table:
            table[module][name] = letter
    for module, names in table.items():
        names.update((name, "x") for name in names if struck(f"{module}:{name}"))
    lines = ["# Made by scripts/make_allow_table.py; see there for what the letters mean. Not edited by hand."]
    lines += [f"# {name} {', '.join(sorted(numbers))}" for name, numbers in sorted(seen.items())]
    for module, names in sorted(table.items()):
        groups: dict[str, list[str]] = defaultdict(list)
        for name, letter in sorted(names.items()):
            if letter != "x" and re.fullmatch(r"[\w.]+", name):
                groups[letter].append(name)
        if groups:
            lines.append(
                "\t".join([module, *(f"{letter} {' '.join(group)}" for letter, group in sorted(groups.items()))])
            )
    return "\n".join(lines) + "\n"


# What really loading the generated attacks has shown (benchmarks/modelfile/prove.py), and reading could not.
PROVEN = {
    ("dateutil.rrule", "rrule"): "x",
    ("dateutil.rrule", "rrulebase"): "x",
    ("dateutil.rrule", "rruleset"): "x",
    ("gensim.models.word2vec_corpusfile", "CythonLineSentence"): "x",
    ("numpy.ma.core", "MaskedConstant"): "c",
    **{("pygam.terms", name): "x" for name in ("MetaTermMixin", "TensorTerm", "TermList")},
    **{("pygam.pygam", name): "x" for name in ("ExpectileGAM", "GAM", "GammaGAM", "InvGaussGAM", "LinearGAM")},
    **{("pygam.pygam", name): "x" for name in ("LogisticGAM", "PoissonGAM")},
}
# Compiled classes that end the process when one that was made empty, or from a tuple, is used: found in the same way.
# They work inside of one call, or have a function of their own that makes them from a file; no model holds one so.
CRASHING = re.compile(
    r"(numpy|numpy\._?core\.multiarray):flagsobj|(pandas|pandas\..*):Arrow(Period|Interval)Type|preshed\.bloom:BloomFilter"
    r"|pyarrow\.lib:\w*Scalar|scipy\.spatial\._?qhull:_Qhull|torch\._C:Generator"
    r"|spacy\.(strings:StringStore|vectors:Vectors)"
    r"|sklearn\.cluster\._hierarchical(_fast)?:(__pyx_unpickle_)?WeightedEdge"
    r"|sklearn\.metrics\._pairwise_(distances|fast|distances_reduction(\._(?!dispatcher)\w+)?):"
    r"(__pyx_unpickle_)?\w*(Reduction|Term|ArgKmin|Neighbor|ClassMode)\w*"
    r"|sklearn\.tree\._tree:(__pyx_unpickle_)?(\w*TreeBuilder|_\w*(Pruner|PruneController|PathFinder))"
)
# What no model holds, and what who uses one would run by it: texts of a state, programs, a second pickle, imports.
RUNNING = re.compile(
    r"patsy\.eval:Eval(Factor|Environment)|numpy:(lookfor|add_newdocs?)|numpy\.lib\.(\w+:lookfor|function_base:add_newdoc\w*)"
    r"|gensim\.corpora\.sharded_corpus:ShardedCorpus|nltk\.(classify|tag)\.senna:Senna\w*|nltk\.sem\.boxer:Boxer"
    r"|nltk\.tokenize\.repp:ReppTokenizer|shap\._serializable:(Des|S)erializer|torch_geometric\.graphgym\.logger:Logger"
    r"|nltk\.(sentiment\.util:(output_markdown|parse_tweets_set|demo\w*)|classify\.weka:make_classifier|tbl\.demo:\w+)"
    r"|nltk\.parse\.dependencygraph:(malt_)?demo|scipy\._lib\.(_bunch:_make_tuple_bunch|pyprima\.common\.message:\w+)"
    r"|scipy\._lib\.array_api_compat\._internal:clone_module|scipy\.special\._precompute\.\w+:main"
    r"|sklearn\.utils\.(_set_output:check_library_installed|validation:check_memory)|dateutil\.zoneinfo\.rebuild:rebuild"
    r"|pandas\._config\.localization:get_locales|sktime\.utils\.validation\.forecasting:check_scoring"
)
# Where a library says that its public classes are (`set_module`), and what it takes them from.
PUBLISHED = {"pandas": "pandas.", "pandas.arrays": "pandas.core.arrays.", "pandas.api.typing": "pandas.core."}


def struck(name: str) -> bool:
    """Whether `module:name` is refused by its name."""
    return bool(CRASHING.fullmatch(name) or RUNNING.fullmatch(name))


def publish(table: dict[str, dict[str, str]], order: str) -> None:
    """Add the classes of such modules under their public name: pandas 3 writes `pandas:DataFrame`. A name that is not
    there can't be imported from there, so listing it does no harm; of several, the strictest use counts.
    """
    found = [
        (public, name, letter)
        for public, start in PUBLISHED.items()
        for module, names in table.items()
        if module.startswith(start) and module not in PUBLISHED
        for name, letter in names.items()
        if name[:1].isupper() and "." not in name
    ]
    for public, name, letter in found:
        table[public][name] = stricter(table[public].get(name, letter), letter, order)


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    if sys.argv[1:2] == ["collect"]:
        stdout = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # libraries print when they are imported, and some not by `sys.stdout`
        result = {"versions": versions(), "names": collect()}
        json.dump(result, stdout)
        stdout.close()
    elif sys.argv[1:2] == ["merge"] and len(sys.argv) > 2:
        sys.stdout.write(merge(sys.argv[2:]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
