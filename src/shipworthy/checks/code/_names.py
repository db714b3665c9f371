"""What names mean in a file: import aliases, constants and where variables come from. No scope analysis: a name that
is bound twice has no known constant value."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_CHAIN = 60
MAX_PACKAGE = 6
_LOADERS = ("importlib.import_module", "__import__", "builtins.__import__")


class _Unknown:
    """The value of an expression that is not a constant."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Call:
    """A call with its resolved name (`torch.load`; `tarfile.open().extractall` for a method of what a call returned;
    `*.generate` where the owner is unknown). `open` says that `**` brings keywords that are not known."""

    node: ast.Call
    name: str
    args: tuple[ast.expr, ...]
    keywords: Mapping[str, ast.expr]
    open: bool

    @property
    def method(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def argument(self, position: int, *names: str) -> ast.expr | None:
        """The argument at a position (-1: keyword only), or by one of its names."""
        if 0 <= position < len(self.args) and not any(isinstance(a, ast.Starred) for a in self.args[: position + 1]):
            return self.args[position]
        return next((self.keywords[name] for name in names if name in self.keywords), None)


class Names:
    """Resolves the names of one syntax tree."""

    def __init__(self, nodes: Iterable[ast.AST]) -> None:
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        self._packages: set[str] = set()
        self._assigned: dict[str, ast.expr] = {}
        self._bound: Counter[str] = Counter()
        for node in nodes:
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    self._packages.update(_packages(alias.name))
                    root = alias.name.partition(".")[0]
                    self.imports[alias.asname or root] = alias.name if alias.asname else root
            case ast.ImportFrom(module=str() as module, level=0):
                self._packages.update(_packages(module))
                for alias in node.names:
                    if alias.name == "*":
                        self.stars.append(module)
                    else:
                        self.imports[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.Assign(targets=[ast.Name(id=name)]):
                self._assigned[name] = node.value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._assigned[name] = value
            case ast.NamedExpr(target=ast.Name(id=name)):
                self._assigned[name] = node.value
            case ast.withitem(optional_vars=ast.Name(id=name)):
                self._assigned[name] = node.context_expr
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self._bound[name] += 1
            case (
                ast.arg(arg=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                self._bound[name] += 2  # never a constant
            case _:
                pass

    def has(self, *packages: str) -> bool:
        """Whether one of the packages (or a module of them) is imported. At most `MAX_PACKAGE` parts are told apart."""
        return not self._packages.isdisjoint(packages)

    def value(self, node: ast.expr | None, depth: int = 4) -> Any:
        """The constant that an expression is, through names bound once and `+`; else UNKNOWN."""
        if isinstance(node, ast.Constant):
            return node.value
        if depth and isinstance(node, ast.Name) and self._bound[node.id] == 1 and node.id in self._assigned:
            return self.value(self._assigned[node.id], depth - 1)
        if depth and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.value(node.left, depth - 1), self.value(node.right, depth - 1)
            if isinstance(left, str) and isinstance(right, str):
                return left + right
        return UNKNOWN

    def dotted(self, node: ast.expr, depth: int = 3) -> str:
        """The name of an expression, aliases resolved: see Call."""
        parts: list[str] = []
        for _ in range(MAX_CHAIN):
            if isinstance(node, ast.Attribute):
                parts.append("." + node.attr)
                node = node.value
            elif isinstance(node, ast.Call):
                if direct := self._dynamic(node, depth):
                    return direct + "".join(reversed(parts))
                parts.append("()")
                node = node.func
            elif isinstance(node, ast.Await | ast.Starred):
                node = node.value
            elif isinstance(node, ast.Name):
                return self._base(node.id, depth) + "".join(reversed(parts))
            else:
                break
        return "*" + "".join(reversed(parts))

    def _base(self, name: str, depth: int) -> str:
        if name in self.imports and not self._bound[name]:
            return self.imports[name].removeprefix("builtins.")
        if depth and name in self._assigned and self._bound[name] <= 3:
            origin = self.dotted(self._assigned[name], depth - 1)
            if origin.lstrip("*") and not origin.startswith("*"):
                return origin
        if name in self.imports:
            return self.imports[name]
        return "*" if self._bound[name] else name

    def _dynamic(self, call: ast.Call, depth: int) -> str:
        """The module or attribute that `import_module("x")`, `__import__("x")` or `getattr(x, "y")` gives; else ''."""
        if not depth or not call.args or not _may_be_dynamic(call.func):
            return ""
        function = self.dotted(call.func, depth - 1)
        if function in _LOADERS:
            module = self.value(call.args[0])
            return module if isinstance(module, str) else ""
        if function == "getattr" and len(call.args) >= 2:
            attribute = self.value(call.args[1])
            return f"{self.dotted(call.args[0], depth - 1)}.{attribute}" if isinstance(attribute, str) else ""
        return ""

    def call(self, node: ast.Call) -> Call:
        """The call with its name and keywords resolved; `functools.partial(f, ...)` counts as a call of f."""
        name, args = self.dotted(node.func), tuple(node.args)
        if name in ("functools.partial", "partial") and args:
            name, args = self.dotted(args[0]), args[1:]
        keywords: dict[str, ast.expr] = {}
        unknown = False
        for keyword in node.keywords:
            if keyword.arg is not None:
                keywords[keyword.arg] = keyword.value
                continue
            pairs = list(self._pairs(keyword.value))
            unknown = unknown or not pairs
            for key, value in pairs:
                keywords.setdefault(key, value)
        return Call(node, name, args, keywords, unknown)

    def _pairs(self, node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node, ast.Name) and self._bound[node.id] == 1 and node.id in self._assigned:
            node = self._assigned[node.id]
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            for keyword in node.keywords:
                if keyword.arg:
                    yield keyword.arg, keyword.value

    def candidates(self, name: str) -> tuple[str, ...]:
        """The name, and what it would be if it came from a `from x import *`."""
        return (name, *(f"{module}.{name}" for module in self.stars)) if "." not in name else (name,)


def _packages(module: str) -> Iterator[str]:
    """The module and the packages that it is in, outermost first."""
    parts = module.split(".", MAX_PACKAGE)
    for count in range(1, min(len(parts), MAX_PACKAGE) + 1):
        yield ".".join(parts[:count])


def _may_be_dynamic(function: ast.expr) -> bool:
    """A cheap look before names are resolved: long chains of calls must not be resolved at every link."""
    if isinstance(function, ast.Attribute):
        return function.attr in ("import_module", "__import__") and isinstance(function.value, ast.Name)
    return isinstance(function, ast.Name)
