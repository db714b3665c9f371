"""What a setup.py says it depends on, read from its syntax tree: nothing of it is ever run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import replace

from shipworthy.checks.dependencies._manifest import Dependency, Manifest, Unread, requirement

_SIZE = 1_000_000
_MOST, _PROBLEMS = 50_000, 200
_MAKERS = frozenset({"setuptools", "distutils.core", "skbuild", "numpy.distutils.core"})
_LISTS = {"install_requires": "dependencies", "setup_requires": "build-system", "tests_require": "group tests"}
_EXTRAS = "extras_require"
_CHANGES = frozenset("append extend insert update setdefault pop remove clear".split())
_DEPTH, _STEPS = 12, 100_000


def setup_py(text: str) -> Manifest:
    """The requirements that stand literally in the call of setup(), also by way of a variable; what is computed is told
    as such. Raises Unread."""
    if len(text) > _SIZE:
        raise Unread(f"is larger than {_SIZE:,} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        return _Reader(tree).manifest()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unread("is not Python source that can be parsed") from None


class _Reader:
    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Dependency] = []
        self.problems: list[tuple[int, str]] = []
        self.computed: list[tuple[int, str]] = []
        self.names: dict[str, list[ast.expr | None]] = {}  # None: changed in a way that is not followed
        self.makers: set[str] = set()
        self.modules: set[str] = set()
        self.calls: list[ast.Call] = []
        self.steps = 0
        for node in ast.walk(tree):
            self._learn(node)
        self.calls = [call for call in self.calls if self._is_setup(call.func)]

    def manifest(self) -> Manifest:
        if (self.makers or self.modules) and not self.calls:
            self.computed.append((1, "calls setup() in a way that is not understood"))
        for call in self.calls:
            for keyword in call.keywords:
                if keyword.arg is None:
                    self._keywords(keyword.value)
                else:
                    self._keyword(keyword.arg, keyword.value)
        return Manifest(
            "project",
            tuple(self.found[:_MOST]),
            problems=tuple(self.problems[:_PROBLEMS]),
            computed=tuple(dict.fromkeys(self.computed))[:_PROBLEMS],
        )

    # --- what the names stand for ---

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.ImportFrom(module=str(module), names=names) if module in _MAKERS:
                self.makers |= {name.asname or name.name for name in names if name.name == "setup"}
                self.makers |= {"setup" for name in names if name.name == "*"}
            case ast.Import(names=names):
                self.modules |= {name.asname or name.name for name in names if name.name in _MAKERS}
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _CHANGES:
                self.names.setdefault(name, []).append(None)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assigned(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assigned(target, value)
            case ast.AugAssign(target=ast.Name(id=name)):
                self.names.setdefault(name, []).append(None)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._assigned(target, None)
            case _:
                pass
        if isinstance(node, ast.Call):
            self.calls.append(node)

    def _assigned(self, target: ast.expr, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self.names.setdefault(name, []).append(value)
            case ast.Subscript(value=ast.Name(id=name)):
                self.names.setdefault(name, []).append(None)
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                for part in parts:
                    self._assigned(part, None)
            case _:
                pass

    def _is_setup(self, function: ast.expr) -> bool:
        if isinstance(function, ast.Name):
            return function.id in self.makers
        return (
            isinstance(function, ast.Attribute)
            and function.attr == "setup"
            and ast.unparse(function.value) in self.modules
        )

    # --- what the call is given ---

    def _keywords(self, value: ast.expr) -> None:
        """`**options`: every keyword could be in it."""
        for option in self._values(value, "keywords of setup()"):
            if not isinstance(option, ast.Dict):
                self._tell(option, "keywords of setup()")
                continue
            for key, item in zip(option.keys, option.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    self._keyword(key.value, item)
                else:
                    self._tell(item, "keywords of setup()")

    def _keyword(self, name: str, value: ast.expr) -> None:
        if name in _LISTS:
            self._requirements(value, _LISTS[name], name)
        elif name == _EXTRAS:
            for table in self._values(value, name):
                if not isinstance(table, ast.Dict):
                    self._tell(table, name)
                    continue
                for key, item in zip(table.keys, table.values, strict=True):
                    extra = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else "?"
                    self._requirements(item, f"extra {extra}", name)

    def _requirements(self, value: ast.expr, group: str, name: str) -> None:
        for item in self._values(value, name):
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                for number, line in enumerate(item.value.splitlines()):
                    self._requirement(line, item.lineno + number if "\n" in item.value else item.lineno, group)
            elif isinstance(item, ast.Dict) or not (isinstance(item, ast.Constant) and item.value is None):
                self._tell(item, name)

    def _requirement(self, text: str, line: int, group: str) -> None:
        text = text.partition(" #")[0].strip()
        if not text or text.startswith("#"):
            return
        try:
            self.found.append(replace(requirement(text, group=group), line=line))
        except Unread as error:
            self.problems.append((line, str(error)))

    def _values(self, value: ast.expr, name: str, depth: int = 0) -> Iterator[ast.expr]:
        """The parts of lists, sums and variables; whatever is computed comes as it is."""
        self.steps += 1
        if self.steps > _STEPS:
            raise Unread("refers to itself more often than is followed")
        match value:
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) if depth < _DEPTH:
                for part in parts:
                    yield from self._values(part, name, depth + 1)
            case ast.Starred(value=inner) if depth < _DEPTH:
                yield from self._values(inner, name, depth + 1)
            case ast.BinOp(op=ast.Add()) as both if depth < _DEPTH and not _is_text(both):
                yield from self._values(both.left, name, depth + 1)
                yield from self._values(both.right, name, depth + 1)
            case ast.Name(id=known) if depth < _DEPTH and any(self.names.get(known, ())):
                values = self.names[known]
                for one in values:
                    if one is not None:
                        yield from self._values(one, name, depth + 1)
                if None in values or len(values) > 1:
                    self._tell(value, name)
            case _:
                yield value

    def _tell(self, value: ast.expr, name: str) -> None:
        self.computed.append((value.lineno, f"{name} is computed there, so not all of it is known"))


def _is_text(value: ast.BinOp) -> bool:
    """A sum of texts makes another text: it is computed."""
    return any(isinstance(part, (ast.Constant, ast.JoinedStr)) for part in (value.left, value.right))
