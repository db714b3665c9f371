"""Lists the names of libraries from their source text alone: nothing is imported or installed with its dependencies.

    python scripts/allow_sources.py OUT.json ROOT... [--context DIR...] [--package NAME...]

ROOT is a folder that holds packages (an unpacked wheel, a `site-packages`). What runs on its own while a pickle is
loaded or its objects die (`__setstate__`, property setters, `__hash__`, `__del__`...) is followed through the methods
and functions that it calls; a class where that reaches files, programs, the network, imports by text, other loaders or
a callable taken from the state is refused (`x`). See make_allow_table.py for the letters.
"""

from __future__ import annotations

import ast
import builtins
import gc
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from make_allow_table import CLASSES_ONLY, FINALIZER_ACCEPTED, LEFT_OUT, PATH_LIKE

# What runs while a pickle is loaded, with the file's state or items; what runs when an object is dropped. Not what runs
# when a class is written (`__init_subclass__`, `__set_name__`): a pickle makes none, every way to do so is refused.
ON_LOAD = (
    "__setstate__ __setattr__ __getattr__ __getattribute__ __hash__ __eq__ __setitem__ append extend add __new__ "
    "__array_finalize__ __del__"
).split()
BAD_CALLS = frozenset("eval exec compile __import__ open input breakpoint execfile".split())
BAD_MODULES = frozenset(
    "os posix nt subprocess shutil socket ssl ctypes cffi pickle _pickle cPickle dill cloudpickle joblib urllib "
    "requests "
    "http httpx aiohttp tempfile importlib pkgutil runpy code multiprocessing glob zipfile tarfile sqlite3 marshal "
    "smtplib ftplib webbrowser sqlalchemy redis grpc pymongo psycopg2 "
    "pexpect fsspec boto3 mmap pty shelve linecache fileinput h5py pyarrow.fs".split()
)
HARMLESS_OF_BAD = frozenset(
    "importlib.util.find_spec importlib.metadata "
    "os.path os.environ.get os.environ os.getpid os.fspath os.cpu_count os.sep os.linesep joblib.hash joblib.cpu_count "
    "joblib.effective_n_jobs multiprocessing.cpu_count os.PathLike os.urandom pickle.HIGHEST_PROTOCOL ctypes.c_void_p "
    "ctypes.sizeof multiprocessing.RLock multiprocessing.Lock pickle.PicklingError".split()
)
BAD_METHODS = frozenset(
    "system popen read_text write_text read_bytes write_bytes unlink rmdir mkdir touch urlopen urlretrieve load_module "
    "import_module fromfile tofile memmap load_library LoadLibrary from_pretrained hf_hub_download savez loadtxt "
    "savetxt read_csv read_pickle to_pickle to_csv to_hdf read_hdf genfromtxt torch_load "
    "load_state_dict_from_url".split()
)
BAD_DOTTED = frozenset(
    "codecs.open io.open gzip.open bz2.open lzma.open "
    "numpy.load numpy.save torch.load torch.save torch.hub.load pandas.eval".split()
)
PLAIN_BASES = frozenset("str int float complex tuple frozenset bytes bool".split())
# What gives a formula to patsy or formulaic, which evaluate it
FORMULAS = frozenset("dmatrix dmatrices get_matrices model_matrix".split())
KNOWN_TOPS = frozenset(
    "abc collections typing typing_extensions enum dataclasses numbers contextlib types datetime json string operator "
    "functools warnings decimal fractions uuid random argparse _collections_abc copy itertools weakref attr attrs "
    "traits six future".split()
)
REFUSED_TOPS = frozenset(
    "ctypes threading socket io _io subprocess multiprocessing http asyncio concurrent logging unittest pickle code "
    "socketserver queue ssl tempfile zipfile tarfile cmd pdb mmap selectors select sched smtplib".split()
)
DEPTH = 6
# Functions that hand other functions on, or whose work lies outside of what can be followed.
HIGHER_ORDER = re.compile(
    r"load|save|open|exec|eval|import|read|write|dump|fetch|download|compile|delayed|parallel|vectorize|piecewise|apply|"
    r"partial|hook|register|patch|spawn|thread|getattr|setattr|^main$|^run|^test_"
)
TESTS = re.compile(r"(^|\.)(_?tests?|_?testing|conftest|benchmarks?|conda|f2py)(\.|$)")


class Module:
    """The names of one source file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name = name
        self.package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self.classes: dict[str, ast.ClassDef] = {}
        self.functions: dict[str, Any] = {}
        self.assigned: dict[str, ast.expr] = {}
        self._walk(tree.body, "")

    def _walk(self, body: list[ast.stmt], prefix: str) -> None:
        for item in body:
            if isinstance(item, ast.ClassDef):
                self.classes[prefix + item.name] = item
                self._walk([part for part in item.body if isinstance(part, ast.ClassDef)], prefix + item.name + ".")
            elif isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.functions[item.name] = item
            elif isinstance(item, ast.Import):
                for alias in item.names:
                    self.imports[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(item, ast.ImportFrom):
                base = self.relative(item)
                for alias in item.names:
                    if alias.name == "*":
                        self.stars.append(base)
                    else:
                        self.imports[alias.asname or alias.name] = f"{base}:{alias.name}"
            elif isinstance(item, ast.Assign) and len(item.targets) == 1 and isinstance(item.targets[0], ast.Name):
                self.assigned[item.targets[0].id] = item.value
            elif isinstance(item, (ast.If, ast.Try, ast.With)):
                for part in ("body", "orelse", "finalbody"):
                    self._walk(getattr(item, part, []), prefix)
                for handler in getattr(item, "handlers", []):
                    self._walk(handler.body, prefix)

    def relative(self, item: ast.ImportFrom) -> str:
        """The absolute name of what an import statement reads from."""
        if not item.level:
            return item.module or ""
        parts = self.package.split(".")
        base = ".".join(parts[: len(parts) - item.level + 1])
        return f"{base}.{item.module}" if item.module else base


class Sources:
    """All modules that are known, and what can be said of their classes and functions."""

    def __init__(self) -> None:
        self.modules: dict[str, Module] = {}
        self._facts: dict[int, tuple[bool, list[tuple[str, str, Any]]]] = {}
        self._plain: dict[int, bool] = {}

    def read(self, root: Path, packages: set[str]) -> list[str]:
        """Parse the packages below a root; the modules' names."""
        names = []
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[0] not in packages if packages else parts[0].endswith((".dist-info", ".data")):
                continue
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            name = ".".join(parts)
            if (
                not parts
                or not all(part.isidentifier() for part in parts)
                or name in self.modules
                or TESTS.search(name)
            ):
                continue
            try:
                tree = ast.parse(path.read_text("utf-8-sig", "replace"))
                self.modules[name] = Module(name, path, tree)
            except (SyntaxError, ValueError, RecursionError, OSError):
                continue
            names.append(name)
        return names

    def resolve(self, module: str, dotted: str, depth: int = 0) -> str:
        """`module:qualname` of what a dotted text means in a module, following imports; `?...` if unknown."""
        head, _, rest = dotted.partition(".")
        known = self.modules.get(module)
        if known is None or depth > 12:
            return f"{module}:{dotted}"
        if dotted in known.classes or head in known.functions or (head in known.assigned and head not in known.imports):
            return f"{module}:{dotted}"
        target = known.imports.get(head)
        if target is None:
            for star in known.stars:
                if star in self.modules and star != module:
                    found = self.resolve(star, dotted, depth + 1)
                    if not found.startswith("?"):
                        return found
            if f"{module}.{head}" in self.modules and rest:
                return self.resolve(f"{module}.{head}", rest, depth + 1)
            return f"builtins:{dotted}" if hasattr(builtins, head) else f"?{module}:{dotted}"
        base, _, name = target.partition(":")
        if name:
            if base == module and name == head and rest:
                return self.resolve(f"{base}.{name}", rest, depth + 1)  # `from package import module` in its own file
            if f"{base}.{name}" in self.modules and (
                base not in self.modules or name not in vars_of(self.modules[base])
            ):
                return self.resolve(f"{base}.{name}", rest, depth + 1) if rest else f"{base}.{name}:"
            return self.resolve(base, f"{name}.{rest}" if rest else name, depth + 1)
        while rest and f"{base}.{rest.partition('.')[0]}" in self.modules:
            step, _, rest = rest.partition(".")
            base = f"{base}.{step}"
        return self.resolve(base, rest, depth + 1) if rest else f"{base}:"

    # classes --------------------------------------------------------------------------------------------

    def mro(self, key: str) -> tuple[list[tuple[Module, ast.ClassDef, str]], list[str]]:
        """The class and the known classes above it, nearest first; the bases that are not known."""
        found: list[tuple[Module, ast.ClassDef, str]] = []
        unknown: list[str] = []
        pending, seen = [key], set()
        while pending:
            current = pending.pop(0)
            if current in seen:
                continue
            seen.add(current)
            name, _, qualname = current.partition(":")
            module = self.modules.get(name)
            node = module.classes.get(qualname) if module else None
            if module is None or node is None:
                value = module.assigned.get(qualname) if module else None
                if isinstance(value, ast.Call) and text_of(value.func).rpartition(".")[2] in (
                    "namedtuple",
                    "NamedTuple",
                ):
                    unknown.append("collections:namedtuple()")
                elif isinstance(value, (ast.Name, ast.Attribute)) and module:
                    pending.append(self.resolve(name, text_of(value)))
                else:
                    unknown.append(current)
                continue
            found.append((module, node, current))
            for base in (part for item in node.bases for part in branches(item)):
                inner = base.value if isinstance(base, ast.Subscript) else base
                if isinstance(inner, ast.Call):
                    last = text_of(inner.func).rpartition(".")[2]
                    if last == "namedtuple":
                        unknown.append("collections:namedtuple()")
                    elif last in ("with_metaclass",):
                        pending += [self.resolve(name, text_of(argument)) for argument in inner.args[1:]]
                    else:
                        unknown.append("?" + last)
                else:
                    pending.append(self.resolve(name, text_of(inner)))
        return found, unknown

    def letter_of_class(self, key: str, known: dict[str, str]) -> str:
        """`c`, `n`, `s`, `v`, `x`, `?` (not known); upper case if looking up an attribute runs more than it should."""
        found, unknown = self.mro(key)
        by_call = False
        if key in FINALIZER_ACCEPTED:
            return "N"
        valued = False
        for base in unknown:
            name, _, qualname = base.lstrip("?").partition(":")
            top = name.partition(".")[0]
            if base == "collections:namedtuple()" or (name == "enum" and qualname.endswith(("Enum", "Flag"))):
                valued = True
            elif base == "builtins:object" or name == "builtins":
                valued = valued or qualname in PLAIN_BASES or qualname.endswith(("Error", "Exception", "Warning"))
                if (
                    qualname not in PLAIN_BASES | frozenset(("object", "dict", "list", "set", "bytearray", "type"))
                    and not valued
                ):
                    return "x"
            elif (name, qualname) in (("typing", "NamedTuple"), ("typing_extensions", "NamedTuple")):
                valued = True
            elif top == "collections" and qualname in ("Counter", "deque", "defaultdict"):
                by_call = True  # their `__reduce__` calls the class
            elif base.lstrip("?") in known or moved(base) in known:
                letter = known.get(base.lstrip("?")) or known[moved(base)]
                if letter == "x":
                    return "x"
                valued = valued or letter == "v"
            elif top in REFUSED_TOPS:
                return "x"
            elif top not in KNOWN_TOPS:
                return "?"  # a compiled base: the source text alone says nothing
        methods: dict[str, tuple[Module, Any]] = {}
        above: dict[str, list[tuple[Module, Any]]] = {}
        loads: list[tuple[Module, Any]] = []
        reduces: list[tuple[Module, Any]] = []
        looked_up: list[tuple[Module, Any]] = []
        for module, node, _ in found:
            for item in node.body:
                if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    continue
                first = methods.setdefault(item.name, (module, item))[1] is item
                if not first:
                    above.setdefault(item.name, []).append((module, item))
                if item.name == "__del__" and key not in FINALIZER_ACCEPTED and not trivial(item):
                    return "x"
                if first and (item.name in ON_LOAD or decorated(item, "setter")):
                    loads.append((module, item))
                elif first and decorated(item, "property", "cached_property"):
                    looked_up.append((module, item))
                if first and item.name in ("__reduce__", "__reduce_ex__"):
                    reduces.append((module, item))
        loads += [inherited for _, item in loads for name in passed_on(item) for inherited in above.get(name, ())]
        template = methods.get("_attach_argparser_methods")
        if template and template[0].name.startswith("scipy.stats."):
            ran = [*loads, *(methods[name] for name in ("__init__", "__call__") if name in methods)]
            own = [item for module, item in ran if not module.name.startswith("scipy.stats.")]
            return "x" if own else "s"  # of another library's, the class must leave to scipy what loading runs
        if "__hash__" not in methods:  # then it can't be a key, and nothing compares it while loading
            loads = [(module, item) for module, item in loads if item.name != "__eq__"]
        if any(self.runs_code(module, item, methods) for module, item in loads):
            return "x"
        if any(item.name == "__setstate__" and evaluates(item) for _, item in loads):
            return "s"
        by_call = by_call or any(calls_class(item) for _, item in reduces)
        letter = self._created(unknown, methods, by_call, valued)
        return letter.upper() if any(self.runs_code(module, item, methods) for module, item in looked_up) else letter

    def _created(self, unknown: list[str], methods: dict[str, Any], by_call: bool, valued: bool) -> str:
        built = [methods[name] for name in ("__init__", "__new__", "__post_init__") if name in methods]
        if any(self.runs_code(module, item, methods) or shares_state(item) for module, item in built):
            return "n"
        paths = any(PATH_LIKE.search(argument.arg) for _, item in built for argument in item.args.args)
        if paths:
            return "c"
        if valued and not built:
            return "v"
        if valued and any("Enum" in base for base in unknown):
            return "v"
        if by_call and not any(takes_callables(item) for _, item in built):
            return "v"
        return "c"

    # code -----------------------------------------------------------------------------------------------

    def runs_code(self, module: Module, function: Any, methods: dict[str, tuple[Module, Any]] | None) -> bool:
        """Whether the function, or what it calls, reaches something dangerous."""
        if methods is None:
            if id(function) not in self._plain:
                self._plain[id(function)] = self._reaches(module, function, None)
            return self._plain[id(function)]
        return self._reaches(module, function, methods)

    def _reaches(self, module: Module, function: Any, methods: dict[str, tuple[Module, Any]] | None) -> bool:
        pending = [(module, function, 0)]
        seen: set[int] = set()
        while pending:
            home, node, depth = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            bad, calls = self.facts(home, node)
            if bad or (depth == 0 and methods is not None and node.name == "__setstate__" and _calls_state(node)):
                return True
            if methods is not None and makes_class(node):
                return True
            for head, rest, target in calls:
                if head in ("self", "cls") and methods is not None:
                    if rest in methods:
                        if depth < DEPTH:
                            pending.append((*methods[rest], depth + 1))
                    elif node.name == "__setstate__" and "." not in rest and not SAFE_INHERITED.fullmatch(rest):
                        return True  # a callable that the state holds
                elif target and depth < DEPTH:
                    pending.append((*target, depth + 1))
        return False

    def facts(self, home: Module, node: Any) -> tuple[bool, list[tuple[str, str, Any]]]:
        """What a function calls: whether that is dangerous in itself; the calls that must be followed."""
        known = self._facts.get(id(node))
        if known is None:
            known = self._facts[id(node)] = self._read_calls(home, node)
        return known

    def _read_calls(self, home: Module, node: Any) -> tuple[bool, list[tuple[str, str, Any]]]:
        local = {argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]}
        found: list[Any] = []
        imports: list[Any] = []
        for item in node.body:  # not its decorators: they have run
            calls_and_imports(item, found, imports)
        inside = local_imports(home, imports)
        calls: list[tuple[str, str, Any]] = []
        for call in found:
            dotted = text_of(call.func)
            if not dotted:
                if isinstance(call.func, ast.Attribute) and call.func.attr in BAD_METHODS:
                    return True, []
                continue
            head, _, rest = dotted.partition(".")
            if rest.rpartition(".")[2] in BAD_METHODS:
                return True, []
            if head in ("self", "cls"):
                calls.append((head, rest, None))
                continue
            if head in local:
                continue
            if head in inside:
                base = inside[head]
                target = base + (("." if ":" in base else ":") + rest if rest else "")
                name, _, qualname = target.partition(":")
                if name in self.modules and qualname:
                    target = self.resolve(name, qualname)
            else:
                target = self.resolve(home.name, dotted)
            name, _, qualname = target.lstrip("?").partition(":")
            full = f"{name}.{qualname}".rstrip(".")
            top = name.partition(".")[0]
            if (name == "builtins" and qualname in BAD_CALLS) or full in BAD_DOTTED:
                return True, []
            if top in BAD_MODULES and not any(full == ok or full.startswith(ok + ".") for ok in HARMLESS_OF_BAD):
                return True, []
            inner = self.modules[name].functions.get(qualname) if name in self.modules else None
            if inner is not None:
                calls.append((head, rest, (self.modules[name], inner)))
        return False, calls


def _calls_state(node: Any) -> bool:
    """`__setstate__` calls one of its parameters, or something taken out of a container."""
    local = {argument.arg for argument in node.args.args[1:]}
    calls = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return any(isinstance(called, (ast.Subscript, ast.Call)) or text_of(called) in local for called in calls)


SAFE_INHERITED = re.compile("__.*|update|setdefault|pop|items|keys|values|get|append|extend|clear|copy|insert")


def vars_of(module: Module) -> set[str]:
    """What a module defines itself."""
    return {*module.classes, *module.functions, *module.assigned, *module.imports}


def calls_and_imports(node: ast.AST, calls: list[Any], imports: list[Any]) -> None:
    """Collect the calls and the import statements below a node, in one pass: most of the time goes here."""
    pending = [node]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind is ast.Call:
            calls.append(node)
        elif kind is ast.Import or kind is ast.ImportFrom:
            imports.append(node)
        for value in node.__dict__.values():
            if value.__class__ is list:
                pending += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, _BRANCHES):
                pending.append(value)


_BRANCHES = (ast.expr, ast.stmt, ast.arguments, ast.keyword, ast.arg)


def local_imports(module: Module, statements: list[Any]) -> dict[str, str]:
    """Names that a function imports itself."""
    found = {}
    for item in statements:
        if isinstance(item, ast.Import):
            for alias in item.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(item, ast.ImportFrom):
            for alias in item.names:
                found[alias.asname or alias.name] = f"{module.relative(item)}:{alias.name}"
    return found


def text_of(node: ast.AST) -> str:
    """`a.b.c` of an expression, or nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def branches(base: ast.expr) -> list[ast.expr]:
    """A base class, or both of those that a condition such as `A if sys.version_info > ... else B` chooses from."""
    return [*branches(base.body), *branches(base.orelse)] if isinstance(base, ast.IfExp) else [base]


def evaluates(function: Any) -> bool:
    """Patsy or formulaic is given a formula of the state, and runs it: statsmodels' data do so."""
    calls = [call.func for call in ast.walk(function) if isinstance(call, ast.Call)]
    return any((text_of(called).rpartition(".")[2] or getattr(called, "attr", "")) in FORMULAS for called in calls)


def trivial(function: Any) -> bool:
    """A method that does nothing."""
    return all(
        isinstance(item, (ast.Pass, ast.Expr)) and not any(isinstance(part, ast.Call) for part in ast.walk(item))
        for item in function.body
    )


def makes_class(function: Any) -> bool:
    """It writes a class below what it was given: what the file chose would run (a metaclass)."""
    given = {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    kinds = [item for item in ast.walk(function) if isinstance(item, ast.ClassDef)]
    bases = [base for kind in kinds for base in (*kind.bases, *(keyword.value for keyword in kind.keywords))]
    return any(isinstance(base, ast.Call) or text_of(base).partition(".")[0] in given for base in bases)


def passed_on(function: Any) -> set[str]:
    """The methods that a method calls on `super()`."""
    calls = [call.func for call in ast.walk(function) if isinstance(call, ast.Call)]
    return {called.attr for called in calls if isinstance(called, ast.Attribute) and is_super(called.value)}


def is_super(node: ast.AST) -> bool:
    """`super()`, with or without arguments."""
    return isinstance(node, ast.Call) and text_of(node.func) == "super"


def decorated(function: Any, *names: str) -> bool:
    """Whether a decorator of one of these names makes the method run when an attribute is looked up or set."""
    return any(
        text_of(item.func if isinstance(item, ast.Call) else item).rpartition(".")[2] in names
        for item in function.decorator_list
    )


def moved(base: str) -> str:
    """`package:module.Class` as `package.module:Class`: a compiled module that was imported by name."""
    name, _, qualname = base.lstrip("?").partition(":")
    module, _, rest = qualname.partition(".")
    return f"{name}.{module}:{rest}"


def calls_class(function: Any) -> bool:
    """`__reduce__` returns its own class and plain arguments."""
    for item in ast.walk(function):
        if isinstance(item, ast.Return) and isinstance(item.value, ast.Tuple) and len(item.value.elts) >= 2:
            first = item.value.elts[0]
            if text_of(first) == "self.__class__" or (isinstance(first, ast.Call) and text_of(first.func) == "type"):
                return True
    return False


def shares_state(function: Any) -> bool:
    """The constructor takes for its own a dictionary that all objects share: state set on one is set on all."""
    return any(
        text_of(target) == "self.__dict__" and text_of(item.value).startswith(("self.", "cls."))
        for item in ast.walk(function)
        if isinstance(item, ast.Assign)
        for target in item.targets
    )


def takes_callables(function: Any) -> bool:
    """The constructor calls one of its own parameters."""
    names = {argument.arg for argument in function.args.args[1:]}
    return any(isinstance(item, ast.Call) and text_of(item.func) in names for item in ast.walk(function))


def reducers(sources: Sources, module: Module) -> dict[str, str]:
    """Functions that a `__reduce__` of this module returns: the loader calls them. `d`: with data; `p`: its first
    argument is the class that it creates.
    """
    found = {}
    for node in module.classes.values():
        for item in node.body:
            if not isinstance(item, ast.FunctionDef) or item.name not in ("__reduce__", "__reduce_ex__"):
                continue
            for part in ast.walk(item):
                if not (
                    isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple) and len(part.value.elts) >= 2
                ):
                    continue
                dotted = text_of(part.value.elts[0])
                if not dotted or dotted.startswith("self"):
                    continue
                key = sources.resolve(module.name, dotted)
                name, _, qualname = key.partition(":")
                home = sources.modules.get(name)
                function = home.functions.get(qualname) if home else None
                if home is None or function is None or sources.runs_code(home, function, None):
                    continue
                names = [argument.arg for argument in function.args.args]
                called = {
                    text_of(call.func).partition(".")[0] for call in ast.walk(function) if isinstance(call, ast.Call)
                }
                used = called & set(names)
                looks_up = called & {"getattr", "setattr", "globals", "vars"}
                if not used and not looks_up:
                    found[key] = "d"
                elif used == set(names[:1]) and not looks_up:
                    found[key] = "p"
    return found


def collect(sources: Sources, names: list[str], known: dict[str, str]) -> dict[str, dict[str, str]]:
    """Module -> name -> letter."""
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        module = sources.modules[name]
        for key, letter in reducers(sources, module).items():
            home, _, label = key.partition(":")
            if home in names:
                table[home][label] = letter
        if LEFT_OUT.search(name):
            continue
        for qualname in module.classes:
            table[name][qualname] = sources.letter_of_class(f"{name}:{qualname}", known)
        for label, value in module.assigned.items():
            if isinstance(value, ast.Call) and text_of(value.func).rpartition(".")[2] in ("namedtuple", "NamedTuple"):
                table[name][label] = "v"
            key = sources.resolve(name, text_of(value)) if isinstance(value, (ast.Name, ast.Attribute)) else ""
            home, _, qualname = key.partition(":")
            if home in names and qualname in sources.modules[home].classes:  # an older name, which old files have
                table[name].setdefault(label, sources.letter_of_class(key, known))
        for label, function in module.functions.items():
            if HIGHER_ORDER.search(label) or label.startswith("__") or CLASSES_ONLY.search(name):
                continue
            if not sources.runs_code(module, function, None):
                table[name].setdefault(label, "r")
    return table


def main() -> None:
    """Command line."""
    out, *rest = sys.argv[1:]
    lists: dict[str, list[str]] = {"roots": [], "--context": [], "--package": [], "--known": []}
    current = "roots"
    for item in rest:
        if item in lists:
            current = item
        else:
            lists[current].append(item)
    gc.disable()  # trees of a million nodes and no cycles: collecting would take longer than reading
    sources = Sources()
    names = [name for root in lists["roots"] for name in sources.read(Path(root), set(lists["--package"]))]
    for root in lists["--context"]:
        sources.read(Path(root), set())
    known: dict[str, str] = {}
    for path in lists["--known"]:
        with open(path, encoding="utf-8") as stream:
            for module, items in json.load(stream)["names"].items():
                known.update({f"{module}:{name}": letter for name, letter in items.items()})
    versions = {}
    for root in lists["roots"]:
        for path in Path(root).glob("*.dist-info"):
            label, _, number = path.name[: -len(".dist-info")].rpartition("-")
            top = (
                {line.strip() for line in (path / "top_level.txt").read_text().splitlines()}
                if (path / "top_level.txt").exists()
                else {label}
            )
            if not lists["--package"] or top & set(lists["--package"]) or label in lists["--package"]:
                versions[re.sub(r"[-_.]+", "-", label).lower()] = number
    with open(out, "w", encoding="utf-8") as stream:
        json.dump({"versions": versions, "names": collect(sources, names, known)}, stream)


if __name__ == "__main__":
    main()
