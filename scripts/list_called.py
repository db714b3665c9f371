"""Makes two tables beside `allowed_names.txt`: the attributes that are called while a pickle is loaded, and the classes
whose objects can be called or are not a file's own.

    python scripts/list_called.py FOLDER SITE-PACKAGES...    # FOLDER/called_names.txt, FOLDER/class_traits.txt

A state may put a function of the file's choice in the place of a method, and code of an allowed class that runs on its
own while loading (`__setstate__`, `__hash__`, `__setattr__`...) would call it: `self.method()`, `self.part.method()`,
`function = self.attribute; function()`. Listed are the last names of all such calls that allow_sources.py can follow
from the allowed classes; what a module defines, and what is called on a module, is not the file's to choose.
Of the allowed classes, `call` lists those whose objects can be called (for torch's modules only the first two parts of
the package's name are written: all of its classes), and `shared` those that hand out an object that is there already,
as enumerations do; `raises` lists functions that only raise.
"""

from __future__ import annotations

import ast
import gc
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from allow_sources import (
    DEPTH,
    ON_LOAD,
    Module,
    Sources,
    calls_and_imports,
    decorated,
    local_imports,
    text_of,
)
from honest_corpus import PACKAGES, REPOSITORY

Methods = dict[str, tuple[Module, Any]]
TABLE = REPOSITORY / "src" / "shipworthy" / "modelfile" / "pickles" / "allowed_names.txt"
COMPILED = {"close"}  # scipy's meshes, when they are dropped: their source text is compiled
PROPERTIES = ("property", "cached_property")
BUILT = ("__init__", "__new__", "__post_init__")


class Called:
    """What the methods of known classes call."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._known: dict[int, tuple[set[str], list[str], list[str], list[tuple[Module, Any]]]] = {}

    def of_class(self, key: str, letter: str) -> set[str]:
        """The attributes that are called when an object of this class is loaded."""
        methods: Methods = {}
        for module, node, _ in self.sources.mro(key)[0]:
            for item in node.body:
                if isinstance(item, ast.FunctionDef):
                    methods.setdefault(item.name, (module, item))
        roots = [methods[name] for name in ON_LOAD if name in methods]
        roots += [methods[name] for name in BUILT if name in methods and letter in "vV"]
        roots += [item for item in methods.values() if decorated(item[1], "setter")]
        roots += [methods["__call__"]] if letter == "s" and "__call__" in methods else []
        found: set[str] = set()
        for module, item in roots:
            found |= self.reached(module, item, methods)
        return found

    def reached(self, module: Module, function: Any, methods: Methods) -> set[str]:
        """The attributes that a function calls, and those that what it calls calls."""
        found: set[str] = set()
        pending, seen = [(module, function, 0)], set()
        while pending:
            home, node, depth = pending.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            names, own, touched, followed = self._read(home, node)
            own = [*own, *(name for name in touched if name in methods and decorated(methods[name][1], *PROPERTIES))]
            found |= names
            if depth < DEPTH:
                pending += [(*methods[name], depth + 1) for name in own if name in methods]
                pending += [(*item, depth + 1) for item in followed]
        return found

    def _read(self, home: Module, node: Any) -> tuple[set[str], list[str], list[str], list[tuple[Module, Any]]]:
        """Of one function: the attributes it calls, methods of its own that it calls, what of `self` it touches, the
        functions it calls.
        """
        if id(node) in self._known:
            return self._known[id(node)]
        calls: list[Any] = []
        imports: list[Any] = []
        later = _returned(node)
        for item in node.body:
            if item not in later:
                calls_and_imports(item, calls, imports)
        inside = local_imports(home, imports)
        local = _locals(node) - set(inside)
        held = _held(node)
        names: set[str] = set()
        followed: list[tuple[Module, Any]] = []
        for call in calls:
            called = call.func
            dotted = text_of(called)
            head, _, rest = dotted.partition(".")
            if not dotted:
                inherited = isinstance(called, ast.Attribute) and _is_super(called.value)
                if isinstance(called, ast.Attribute) and not inherited and not isinstance(called.value, _TEXT):
                    names.add(called.attr)
                elif isinstance(called, ast.Call):
                    names |= _looked_up(called)
                elif isinstance(called, ast.Subscript):
                    names |= _attribute(called.value)
            elif head in local:
                names |= {rest.rpartition(".")[2]} if rest else held.get(head, set())
            else:
                target = self._target(home, dotted, inside)
                if target is not None:
                    followed.append(target)
        called_on = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
        own = [item.attr for item in called_on if _is_self(item.value) or _is_super(item.value)]
        touched = [item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute) and _is_self(item.value)]
        self._known[id(node)] = names, own, touched, followed
        return self._known[id(node)]

    def _target(self, home: Module, dotted: str, inside: dict[str, str]) -> tuple[Module, Any] | None:
        head, _, rest = dotted.partition(".")
        if head in inside:
            target = inside[head] + (("." if ":" in inside[head] else ":") + rest if rest else "")
            name, _, qualname = target.partition(":")
            if name in self.sources.modules and qualname:
                target = self.sources.resolve(name, qualname)
        else:
            target = self.sources.resolve(home.name, dotted)
        name, _, qualname = target.lstrip("?").partition(":")
        module = self.sources.modules.get(name)
        function = module.functions.get(qualname) if module else None
        return (module, function) if module and function else None


MODULE = "torch.nn.modules.module:Module"
_TEXT = (ast.Constant, ast.JoinedStr)


def _returned(node: Any) -> list[ast.stmt]:
    """Functions that a function defines at its top and only returns: they run when somebody calls them later."""
    inner = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
    returned = {text_of(item.value) for item in node.body if isinstance(item, ast.Return) and item.value}
    used = [item.id for item in ast.walk(node) if isinstance(item, ast.Name)]
    return [item for name, item in inner.items() if name in returned and used.count(name) == 1]


def _locals(node: Any) -> set[str]:
    """The names that are bound in a function, but for functions and classes that it defines."""
    arguments = node.args
    found = {item.arg for item in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    found |= {item.arg for item in (arguments.vararg, arguments.kwarg) if item}
    return found | {
        item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)
    }


def _held(node: Any) -> dict[str, set[str]]:
    """Local names, and the attributes that they are set to or go through."""
    found: dict[str, set[str]] = defaultdict(set)
    for item in ast.walk(node):
        if isinstance(item, ast.Assign):
            for target in item.targets:
                if isinstance(target, ast.Name):
                    found[target.id] |= _attribute(item.value) | _looked_up(item.value)
        elif isinstance(item, (ast.For, ast.comprehension)):
            through = item.iter.func.value if _is_method(item.iter) else item.iter
            for target in ast.walk(item.target):
                if isinstance(target, ast.Name):
                    found[target.id] |= _attribute(through)
    return found


def _attribute(node: ast.AST) -> set[str]:
    return {node.attr} if isinstance(node, ast.Attribute) else set()


def _is_method(node: ast.AST) -> Any:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def _looked_up(node: ast.AST) -> set[str]:
    """The texts of `getattr(x, "name")`."""
    if not (isinstance(node, ast.Call) and text_of(node.func) == "getattr" and len(node.args) > 1):
        return set()
    return {
        item.value for item in ast.walk(node.args[1]) if isinstance(item, ast.Constant) and isinstance(item.value, str)
    }


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_super(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and text_of(node.func) == "super"


def letters() -> dict[str, str]:
    """The table, and what is called under a rule of its own."""
    sys.path.insert(0, str(REPOSITORY / "src"))
    from shipworthy.modelfile.pickles.vetted import VETTED

    found = dict.fromkeys(VETTED, "v")
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        module, *fields = line.split("\t")
        if not line.startswith("#"):
            found.update({f"{module}:{name}": field[0] for field in fields for name in field[2:].split(" ")})
    return found


def is_shared(found: list[tuple[Module, ast.ClassDef, str]], unknown: list[str]) -> bool:
    """An enumeration, or a class whose `__new__` keeps what it makes: state set on it is state of the whole process."""
    if any(base.lstrip("?").startswith("enum:") for base in unknown):
        return True
    made = next((item for _, node, _ in found for item in node.body if getattr(item, "name", "") == "__new__"), None)
    if not isinstance(made, ast.FunctionDef):
        return False
    own = _locals(made) - {"cls"}
    return any(
        text_of(target.value).partition(".")[0] not in own
        for item in ast.walk(made)
        if isinstance(item, ast.Assign)
        for target in item.targets
        if isinstance(target, ast.Attribute)
    )


def only_raises(function: Any) -> bool:
    """What `networkx.freeze` and gensim put in the place of methods."""
    body = [item for item in function.body if not isinstance(item, ast.Expr)]
    return (
        len(body) == 1
        and isinstance(body[0], ast.Raise)
        and not any(isinstance(item, ast.Expr) and not isinstance(item.value, ast.Constant) for item in function.body)
    )


def called_in(packages: Path, known: dict[str, str], traits: dict[str, dict[str, set[str]]]) -> set[str]:
    """The attributes that are called on loading what one environment holds; adds to the traits of classes."""
    sources = Sources()
    names = sources.read(packages, set(PACKAGES))
    called = Called(sources)
    found: set[str] = set()
    for name in names:
        spelled = name.replace("numpy.core", "numpy._core", 1) if name.startswith("numpy.core") else name
        module = sources.modules[name]
        for qualname in module.classes:
            letter = known.get(f"{name}:{qualname}") or known.get(f"{spelled}:{qualname}")
            if letter and letter != "r":
                found |= called.of_class(f"{name}:{qualname}", letter)
                above, unknown = sources.mro(f"{name}:{qualname}")
                if is_shared(above, unknown):
                    traits[spelled]["shared"].add(qualname)
                if any(key == MODULE for _, _, key in above) and name != "torch.nn.modules.module":
                    traits[".".join(name.split(".")[:2])]["call"].add("*")
                elif any(getattr(item, "name", "") == "__call__" for _, node, _ in above for item in node.body):
                    traits[spelled]["call"].add(qualname)
        for qualname, function in module.functions.items():
            letter = known.get(f"{name}:{qualname}") or known.get(f"{spelled}:{qualname}")
            if letter == "r" and only_raises(function):
                traits[spelled]["raises"].add(qualname)
            if letter and letter in "dpv":
                found |= called.reached(module, function, {})
    return found


def main() -> None:
    """Command line."""
    gc.disable()
    folder, *paths = map(Path, sys.argv[1:])
    known = letters()
    found = set(COMPILED)
    traits: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path in paths:
        found |= called_in(path, known, traits)
        gc.collect()
    begin = "# Made by scripts/list_called.py; see there for what it means. Not edited by hand.\n"
    lines = []
    for module, kinds in sorted(traits.items()):
        fields = [f"{kind} {' '.join(sorted(names))}" for kind, names in sorted(kinds.items())]
        lines.append("\t".join([module, *fields]))
    (folder / "called_names.txt").write_text(begin + "\n".join(sorted(found)) + "\n", encoding="utf-8")
    (folder / "class_traits.txt").write_text(begin + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
