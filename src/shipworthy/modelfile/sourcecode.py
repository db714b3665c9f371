"""What Python code beside a model reaches for: a file is parsed, never imported.

Code of a model defines classes with torch and its kin. What it uses is looked up through its imports; a name of another
library, a file that it writes outside of saving the model, and every way around names is told.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence

from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.sourcecalls import harmless, is_true
from shipworthy.modelfile.sourcenames import (
    BUILTINS,
    BY_TEXT,
    FETCHES,
    INNER,
    KINDS,
    LIBRARIES,
    LISTERS,
    MAKES,
    METHODS,
    PARTLY,
    PRIVATE,
    REACHING,
    SAVERS,
    SAVING,
    SECRET,
    STANDARD,
    TRACED,
    WRITERS,
)
from shipworthy.records import dataclass, field

_ALIASES, _MOST = 8, 40
_LONG, FOREIGN = 200, 3  # the last: the rank of what is only of another library
_MODULES = sys.stdlib_module_names | LIBRARIES


@dataclass
class Source:
    """What one file reaches for: `troubles` as (rank, line, text), the most telling first; `beside` are the files that
    it may import from its folder, as (dots, module); `loads` are the pickles that it loads by their path.
    """

    troubles: list[tuple[int, int, str]] = field(default_factory=list)
    beside: list[tuple[int, str]] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """The outermost function that a node is in, and the parameters of all functions that it is in."""

    function: str = ""
    parameters: frozenset[str] = frozenset()

    @property
    def saving(self) -> bool:
        return SAVING.fullmatch(self.function) is not None


def read(tree: ast.AST, trust: Sequence[str] = ()) -> Source:
    """What the code of this tree reaches for."""
    return _Reading(trust).run(tree)


class _Reading:
    def __init__(self, trust: Sequence[str]) -> None:
        self.trust = trust
        self.names: dict[str, set[str]] = {}
        self.bound: set[str] = set()
        self.source = Source()
        self.called: set[int] = set()
        self.settled: set[int] = set()  # nodes that are harmless where they stand
        self.judged: set[str] = set()
        self.fetches = False
        self.roots: set[str] = set()  # the first names of all that is imported
        self.given: list[tuple[str, ast.AST]] = []
        self.loads: list[tuple[int, str]] = []

    def run(self, tree: ast.AST) -> Source:
        given = self.given
        for node in ast.walk(tree):
            self.bind(node)
            if isinstance(node, ast.Assign):
                given += ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
            elif isinstance(node, (ast.NamedExpr, ast.AnnAssign)) and isinstance(node.target, ast.Name) and node.value:
                given.append((node.target.id, node.value))
            elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
                given.append((node.optional_vars.id, node.context_expr))
        self.roots = {name.partition(".")[0] for known in self.names.values() for name in known}
        for _ in range(_ALIASES):  # names of names
            if not sum(self.alias(name, value) for name, value in given):
                break
        pending: list[tuple[ast.AST, _Place]] = [(tree, _Place())]
        while pending:
            node, place = pending.pop()
            pending += ((child, place) for child in self.visit(node, place))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                names = [argument.arg for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
                inner = _Place(place.function or node.name, place.parameters.union(names))
                pending += ((child, inner) for child in node.body)
        for line, name in self.loads:
            if self.fetches:
                self.told("loads pickles", name, line)
            else:
                self.source.loads.append(f"loads pickles ({name}, line {line})")
        self.source.troubles.sort()
        return self.source

    def alias(self, name: str, value: ast.AST) -> bool:
        """A name that is given to something imported; whether that was news."""
        found = {full for full in self.full(value) if full.partition(".")[0] in self.roots}
        known = self.names.get(name, set())
        news = not found <= known and len(known) < _MOST
        if news:
            self.names.setdefault(name, set()).update(found)
        return news

    def bind(self, node: ast.AST) -> None:
        """Names that the file gives to things."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                self.names.setdefault(alias.asname or root, set()).add(alias.name if alias.asname else root)
                self.source.beside.append((0, alias.name))
                aliased = alias.asname and alias.asname != alias.name and root in PARTLY
                # another file may use what this one only imports
                if aliased or root in REACHING or root in sys.stdlib_module_names - STANDARD - PARTLY.keys():
                    self.judge(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            self.bind_from(node)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)
        elif isinstance(node, ast.arg):
            self.bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.bound.add(node.name)

    def bind_from(self, node: ast.ImportFrom) -> None:
        modules = [node.module] if node.module else [alias.name for alias in node.names]
        self.source.beside += ((node.level, module) for module in modules)
        for alias in node.names:
            if node.level == 0:
                self.names.setdefault(alias.asname or alias.name, set()).add(f"{node.module}.{alias.name}")
                self.judge(f"{node.module}.{alias.name}", node.lineno, importing=True)
            elif alias.name in _MODULES - STANDARD:  # another file's import
                self.names.setdefault(alias.asname or alias.name, set()).add(alias.name)
            else:
                self.bound.add(alias.asname or alias.name)

    def visit(self, node: ast.AST, place: _Place) -> Iterator[ast.AST]:
        """Judge a node; the nodes in it that are to be visited in the same function."""
        if isinstance(node, ast.Call):
            self.call(node, place)
        elif isinstance(node, ast.Subscript):
            self.subscript(node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "trust_remote_code" and is_true(value):
                    self.told("runs code of another model", "trust_remote_code", node.lineno)
        elif isinstance(node, ast.Match):
            self.around("match ", node.subject)
        elif isinstance(node, ast.MatchClass):
            self.inner(node.kwd_attrs, node.lineno)
        elif isinstance(node, (ast.AnnAssign, ast.arg)):
            if _calls(node.annotation):
                self.told("runs code that it puts together", "an annotation", node.lineno)
        elif isinstance(node, ast.Compare):
            tables = (["os.environ"], ["sys.modules"])
            self.settled.update(id(item) for item in node.comparators if self.full(item) in tables)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and PRIVATE.fullmatch(node.value[:_LONG]):
            self.told("names files that are none of the model's", node.value, node.lineno)
        if id(node) in self.settled:
            pass
        elif isinstance(node, ast.Attribute):
            yield from self.attribute(node)
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and not (node.id in place.parameters and node.id not in self.names):
                self.refer(node, [], node.lineno, id(node) in self.called)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from (*node.decorator_list, node.args, *([node.returns] if node.returns else []))
        else:
            yield from ast.iter_child_nodes(node)

    def attribute(self, node: ast.Attribute) -> Iterator[ast.AST]:
        parts: list[str] = []
        target: ast.AST = node
        while isinstance(target, ast.Attribute):
            parts.append(target.attr)
            target = target.value
        parts.reverse()
        if isinstance(target, ast.Name):
            self.refer(target, parts, node.lineno, id(node) in self.called)
        else:
            supers = isinstance(target, ast.Call) and isinstance(target.func, ast.Name) and target.func.id == "super"
            for name in self.full(target):
                if name.partition(".")[0] in self.roots:
                    self.judge(".".join([name, *parts]), node.lineno)
            self.inner([part for part in parts if not (supers and part == "__getattribute__")], node.lineno)
            yield target

    def refer(self, root: ast.Name, parts: list[str], line: int, called: bool) -> None:
        """A name, or attributes of one."""
        known = self.names.get(root.id)
        if known is None and root.id not in self.bound and root.id in _MODULES and parts:
            known = {root.id}  # it may have come by a star
        for name in known or ():
            self.judge(".".join([name, *parts]), line)
        if known is None:
            self.inner(parts, line)
            free = root.id in BUILTINS
            if free and not parts and not (called and root.id == "open"):
                self.told("runs code that it puts together" if root.id != "open" else "passes on how to write files",
                          root.id, line, 0)  # fmt: skip
            elif free and parts:
                self.told("reaches around its imports", ".".join([root.id, *parts]), line)

    def inner(self, parts: Sequence[str], line: int) -> None:
        for part in parts:
            if INNER.fullmatch(part):
                self.told("reaches around its imports", part, line)

    def judge(self, dotted: str, line: int, importing: bool = False) -> None:
        """What is imported from somewhere else, by its full name as far as imports tell."""
        if dotted in self.judged:
            return
        if not importing:
            self.judged.add(dotted)
        for pattern, does in KINDS:
            if pattern.fullmatch(dotted):
                self.told(does, dotted, line, 2 if importing else 0)
                return
        root, _, rest = dotted.partition(".")
        module, _, name = dotted.rpartition(".")
        self.inner(rest.split(".") if root in STANDARD or root in LIBRARIES else (), line)
        if name in ("__class__", "__name__", "__doc__", "__version__") and module:
            module, _, name = module.rpartition(".")
        if root in STANDARD or TRACED.fullmatch(dotted):
            return
        standing = standing_of(module, name, self.trust) if module and root not in PARTLY else None
        if standing and standing.kind is Kind.DANGEROUS:
            self.told(f"uses what {standing.reason}", dotted, line)
        elif root in PARTLY:
            if not PARTLY[root].fullmatch(dotted) and not (importing and dotted == "importlib.util"):
                self.told("uses more than a model needs", dotted, line)
        elif root not in LIBRARIES and not importing and not (standing and standing.kind is Kind.TRUSTED):
            self.told("uses what is of no library that models are made with", dotted, line, FOREIGN)

    def call(self, node: ast.Call, place: _Place) -> None:
        self.called.add(id(node.func))
        names = self.full(node.func)
        self.fetches |= any(map(FETCHES.fullmatch, names))
        for name in names:
            if not place.saving and ((WRITERS.fullmatch(name) and _writes(node, 1)) or SAVERS.fullmatch(name)):
                self.told("writes files", name, node.lineno)
            if name == "getattr" and len(node.args) > 1:
                self.getattr(node)
            if name in BY_TEXT:
                self.by_text(name, node)
        if "isinstance" in names and "isinstance" not in self.bound and len(node.args) == 2:
            kinds = ast.walk(node.args[1])
            self.settled.update(id(kind) for kind in kinds if self.full(kind) == ["types.FunctionType"])
        if names and all(harmless(self, name, node, place.saving) for name in names):
            self.settled.add(id(node.func))
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if not place.saving and (method in METHODS or (method == "open" and not names and _writes(node, 0))):
                self.told("writes files", method, node.lineno)
            if any(k.arg == "trust_remote_code" and is_true(k.value) for k in node.keywords):
                self.told("runs code of another model", method, node.lineno)

    def subscript(self, node: ast.Subscript) -> None:
        """An item of a table that others fill."""
        key = node.slice
        text = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        for name in self.full(node.value):
            own = (isinstance(key, ast.Name) and key.id == "__name__") or text.partition(".")[0] in LIBRARIES
            if name == "os.environ" or (name == "sys.modules" and own and isinstance(node.ctx, ast.Load)):
                self.settled.add(id(node.value))
            if name == "os.environ" and SECRET.fullmatch(text):
                self.told("reads secrets", text, node.lineno)

    def by_text(self, name: str, node: ast.Call) -> None:
        """A function whose first argument says by a text what it gets."""
        first = node.args[0] if node.args else None
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        if name.startswith("os.") and text and SECRET.fullmatch(text):
            self.told("reads secrets", text, node.lineno)
        elif name.startswith("operator."):
            self.inner((text or "").split("."), node.lineno)
            if first is not None and (isinstance(first, ast.BinOp) or _made(first)):
                self.told("reaches around its imports", name, node.lineno)
        elif name in LISTERS and first is not None:
            self.around(f"{name}(", first)

    def around(self, how: str, base: ast.AST) -> None:
        """Something imported whose names are not spelled as attributes."""
        for root in self.full(base):
            if root.partition(".")[0] in self.roots:
                self.told("reaches around its imports", f"{how}{root}", base.lineno)  # type: ignore[attr-defined]

    def getattr(self, node: ast.Call) -> None:
        """An attribute that is named by a text."""
        base, name = node.args[0], node.args[1]
        roots = [root for root in self.full(base) if root.partition(".")[0] in self.roots]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.inner([name.value], node.lineno)
            for root in roots:
                self.judge(f"{root}.{name.value}", node.lineno)
        elif roots and (isinstance(name, ast.BinOp) or _made(name)):
            self.told("reaches around its imports", f"getattr({roots[0]}", node.lineno)

    def full(self, node: ast.AST) -> list[str]:
        """The full names of what this is, as far as imports tell."""
        parts: list[str] = []
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
                continue
            if not (isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)) and node.args):
                return []
            last = node.args[-1] if len(node.args) < 3 else node.args[1]
            text = last.value if isinstance(last, ast.Constant) and isinstance(last.value, str) else ""
            maker = self.full(node.func)
            if maker == ["importlib.import_module"] and len(node.args) == 1 and text:
                return [".".join([text, *reversed(parts)])]
            if maker != ["getattr"] or len(node.args) < 2 or not text:
                return []
            parts += reversed(text.split("."))
            node = node.args[0]
        return [".".join([name, *reversed(parts)]) for name in self.names.get(node.id, {node.id})]

    def told(self, does: str, what: str, line: int, rank: int = 1) -> None:
        self.source.troubles.append((rank, line, f"{does} ({shown(what, 60)}, line {line})"))


def _calls(annotation: ast.AST | None) -> bool:
    """Whether an annotation is a text that calls something: who asks for its meaning runs it."""
    if not (isinstance(annotation, ast.Constant) and isinstance(annotation.value, str) and "(" in annotation.value):
        return False
    try:
        return any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(annotation.value, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _made(node: ast.AST) -> bool:
    """Whether a text comes of a method that puts texts together."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MAKES


def _writes(node: ast.Call, at: int) -> bool:
    """Whether a call of `open`, whose mode is its argument number `at`, may write."""
    mode: ast.AST | None = node.args[at] if len(node.args) > at else None
    for keyword in node.keywords:
        mode = keyword.value if keyword.arg in ("mode", None) else mode
    if mode is None:
        return False
    return not isinstance(mode, ast.Constant) or any(char in "wax+" for char in str(mode.value))
