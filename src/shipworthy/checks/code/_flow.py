"""Light data flow: which variables hold a model's output, bytes from the network, or a user's input.

Flow-insensitive, one function at a time with what encloses it; attributes are tracked per file. It misses flows through
containers of other modules and calls of own functions, and says nothing of validation in between.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shipworthy.checks.code._names import Names

MODEL, REMOTE, USER = "model", "remote", "user"
_ROUNDS = 6
_MODEL_METHODS_TEXT = (
    "generate complete completion predict chat invoke ainvoke agenerate apredict acomplete generate_content "
    "generate_text text_generation chat_completion create_chat_completion create_completion batch_generate"
)
_MODEL_METHODS = frozenset(_MODEL_METHODS_TEXT.split())
_MODEL_FUNCTIONS = frozenset({"llm", "ask_llm", "call_llm", "query_llm", "generate", "complete", "litellm.completion"})
_MODEL_SUFFIXES = (
    "completions.create",
    "messages.create",
    "responses.create",
    "Completion.create",
    "transformers.pipeline()",
)
_REMOTE = (
    "requests.", "httpx.", "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.", "aiohttp.",
    "wget.download", "gdown.download", "huggingface_hub.hf_hub_download", "huggingface_hub.snapshot_download",
    "torch.hub.download_url_to_file",
    "boto3.client().get_object", "socket.socket().recv",
)  # fmt: skip
_USER = ("flask.request", "streamlit.file_uploader", "streamlit.text_input", "sys.argv", "django.http.request")
_MARKS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)  # half of all nodes, and say nothing
_CLEAN = frozenset({"int", "float", "bool", "len", "isinstance", "hash", "type", "id"})


@dataclass
class Scope:
    """A function (or the module): its own nodes and the labels of its variables."""

    nodes: list[ast.AST]
    parent: Scope | None = None
    labels: dict[str, set[str]] = field(default_factory=dict)

    @cached_property
    def assignments(self) -> Sequence[tuple[list[ast.expr], ast.expr]]:
        """Targets with the value that they are given, of all its nodes."""
        return tuple(_assignments(self.nodes))

    def find(self, name: str) -> set[str]:
        """The labels of a variable, here or in an enclosing scope."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.labels:
                return scope.labels[name]
            scope = scope.parent
        return set()


def scopes(tree: ast.Module) -> Iterator[Scope]:
    """The module's scope, then those of the functions in it, each with the nodes that no inner function holds."""
    waiting: list[tuple[list[ast.AST], Scope | None]] = [([tree], None)]
    while waiting:
        starts, parent = waiting.pop()
        scope = Scope([], parent)
        stack: list[ast.AST] = list(starts)
        while stack:
            node = stack.pop()
            scope.nodes.append(node)
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                    inner = child.body if isinstance(child.body, list) else [child.body]
                    waiting.append((list(inner), scope))
                    stack.extend((child.args, *getattr(child, "decorator_list", ())))
                elif not isinstance(child, _MARKS):
                    stack.append(child)
        yield scope


class Flow:
    """Labels of expressions."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._attributes: dict[str, set[str]] = {}

    def learn(self, scope: Scope) -> None:
        """Follow the scope's assignments until nothing new is learned, at most a few times."""
        for _ in range(_ROUNDS):
            changed = False
            for targets, value in scope.assignments:
                if labels := self.of(value, scope):
                    for target in targets:
                        changed |= self._mark(target, labels, scope)
            if not changed:
                return

    def _mark(self, target: ast.expr, labels: set[str], scope: Scope) -> bool:
        if isinstance(target, ast.Tuple | ast.List):
            return any([self._mark(item, labels, scope) for item in target.elts])  # noqa: C419 (each must be marked)
        if isinstance(target, ast.Starred):
            return self._mark(target.value, labels, scope)
        if isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Name):
            known = scope.labels.setdefault(target.id, set())
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            known = self._attributes.setdefault(f"{target.value.id}.{target.attr}", set())
        else:
            return False
        before = len(known)
        known |= labels
        return len(known) > before

    def of(self, node: ast.expr, scope: Scope) -> set[str]:
        """The labels of all that an expression is made of."""
        found: set[str] = set()
        stack: list[ast.AST] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, ast.Name):
                found |= scope.find(item.id)
            elif isinstance(item, ast.Attribute):
                if isinstance(item.value, ast.Name):
                    found |= self._attributes.get(f"{item.value.id}.{item.attr}", set())
                if self.names.dotted(item).startswith(_USER):
                    found.add(USER)
            elif isinstance(item, ast.Call):
                name = self.names.dotted(item.func)
                if name in _CLEAN:
                    continue
                found |= _source(name)
                if isinstance(item.func, ast.Name) and item.func.id in _MODEL_FUNCTIONS:
                    found.add(MODEL)
            if isinstance(item, ast.Lambda):
                continue
            stack.extend(ast.iter_child_nodes(item))
        return found


def _source(name: str) -> set[str]:
    """What a call of this name brings in."""
    found = set()
    if (
        (name.rpartition(".")[2] in _MODEL_METHODS and "." in name)
        or name in _MODEL_FUNCTIONS
        or name.endswith(_MODEL_SUFFIXES)
    ):
        found.add(MODEL)
    if name.startswith("langchain") and name.endswith((".run", ".call", "()")):
        found.add(MODEL)
    if name.startswith(_REMOTE):
        found.add(REMOTE)
    if name == "input" or name.startswith(_USER):
        found.add(USER)
    return found


def _assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[list[ast.expr], ast.expr]]:
    for node in nodes:
        match node:
            case ast.Assign():
                yield node.targets, node.value
            case ast.AnnAssign(value=ast.expr() as value):
                yield [node.target], value
            case ast.AugAssign() | ast.NamedExpr():
                yield [node.target], node.value
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                yield [node.target], node.iter
            case ast.withitem(optional_vars=ast.expr() as target):
                yield [target], node.context_expr
            case _:
                pass
