"""torch.export archives (`.pt2`): the graph as JSON, weights as raw bytes, and what AOTInductor compiled.

Loading resolves each node's target below `torch`, evaluates symbolic expressions with sympy, which is `eval`, runs
the guards as Python code, and imports what the layout of inputs and outputs names: each must look like what the
exporter writes. Source: torch/_export/serde/serialize.py, torch/utils/_pytree.py and
torch/export/pt2_archive/_package.py of torch 2.13.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.modelfile.zipdirectory import Entry

_MARK = regex(r"(?:[^/]*/)?archive_format")
_SMALL = regex(
    r"(?:[^/]*/)?(?:archive_format|archive_version|version|byteorder|\.data/(?:version|serialization_id)|"
    r"\.format_version|\.storage_alignment)"
)
_SMALL_TEXT = regex(rb"[\w.:+-]{0,128}\n?")
_RAW = regex(r"(?:[^/]*/)?data/(?:weights|constants)/[\w.-]+(?<!\.json)")
_COMPILED = regex(r"(?:[^/]*/)?data/aotinductor/.*")
_OPERATOR = regex(r"torch\.ops\.(\w+)\.(\w+)(?:\.\w+)?")
_PLAIN = regex(
    r"_operator\.(?:add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|and_|or_|xor|not_|lshift|rshift|"
    r"getitem|index)|math\.\w{2,12}|torch\.(?:sym_\w{2,20}|_sym_sqrt|_C\._set_grad_enabled)"
)
_HIGHER = frozenset(
    "cond while_loop scan map map_impl associative_scan wrap_with_set_grad_enabled wrap_with_autocast "
    "flex_attention auto_functionalized auto_functionalized_v2 with_effects run_const_graph call_torchbind".split()
)
_FUNCTIONS = frozenset(
    "FloorDiv ModularIndexing Mod PythonMod CleanDiv CeilDiv CeilToInt FloorToInt TruncToInt TruncToFloat RoundToInt "
    "RoundDecimal IntTrueDiv FloatTrueDiv ToFloat Max Min Abs Pow PowByNatural FloatPow LShift RShift Where Identity "
    "Eq Ne Lt Le Gt Ge And Or Not Piecewise ceiling floor sqrt Integer Float Rational Symbol "
    "Add Mul".split()
)
_EXPRESSION = regex(r"[\w\s+\-*/%().,<>=!&|~]{0,10000}")
_GUARDED = frozenset("size stride storage_offset isinstance len max min int float bool str type".split())
_QUOTED = regex(r"'\w{1,100}'")
_CALL = regex(r"([^\W\d]\w*)\s*\(")
_ATTRIBUTE = regex(r"\.\s*[^\W\d]")
_GUARD = regex(r"[\w\s+\-*/%().,<>=!&|~\[\]'\"]{0,10000}")
_NESTED = 8
_WITH_CALLS = {"and", "or", "not", "in", "is", "if", "else"}


def is_export(entries: Sequence[Entry]) -> bool:
    """The archive says that it is one."""
    return any(_MARK.fullmatch(entry.name) for entry in entries)


def read(scope: Scope, entries: Sequence[Entry], open_entry: Callable[[Scope, Entry], View | None]) -> None:
    """Queue the graphs and everything else by content; raw weights are only looked into."""
    from shipworthy.modelfile.zips import queue

    for entry in reversed(entries):
        if _COMPILED.fullmatch(entry.name):
            text = f"{ascii(entry.name)[:120]} is compiled code that loading runs; export the graph without AOTInductor"
            scope.issue(Code.FOREIGN_CONTENT, "high", text, entry.offset)
            queue(scope, entry, Role.BLOB)
        elif _SMALL.fullmatch(entry.name) and entry.size <= 200:
            content = open_entry(scope, entry)
            if content is None or not _SMALL_TEXT.fullmatch(content.all()):
                queue(scope, entry)
        elif _RAW.fullmatch(entry.name):
            queue(scope, entry, Role.BLOB)
        else:
            queue(scope, entry)


def is_graph(value: dict[str, Any]) -> bool:
    """Whether JSON is an exported program."""
    return isinstance(value.get("graph_module"), dict) and "schema_version" in value


def is_weights(value: dict[str, Any]) -> bool:
    """Whether JSON lists an archive's weights."""
    config = value.get("config")
    return (
        value.keys() == {"config"}
        and isinstance(config, dict)
        and all(isinstance(item, dict) and "path_name" in item for item in config.values())
    )


def judge_weights(scope: Scope, value: dict[str, Any]) -> None:
    """Which member holds which weight."""
    for item in value["config"].values():
        path = str(item["path_name"])
        if escapes(path):
            text = f"a weight lies in {ascii(path)[:120]}, outside of the archive"
            scope.issue(Code.PATH_TRAVERSAL, "high", text)


def judge(scope: Scope, value: dict[str, Any]) -> None:
    """Every node's target, every expression, every guard."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            target = item.get("target")
            if isinstance(target, str) and "inputs" in item:
                _target(scope, target)
            for key, inner in item.items():
                if key == "expr_str" and isinstance(inner, str) and not harmless(inner):
                    _evaluated(scope, "a symbolic expression is evaluated as Python code", inner)
                elif key == "guards_code" and isinstance(inner, list):
                    for guard in inner:
                        if not (isinstance(guard, str) and _harmless_guard(guard)):
                            _evaluated(scope, "a guard runs as Python code", str(guard))
                elif key in ("in_spec", "out_spec") and isinstance(inner, str):
                    _layout(scope, inner)
            pending += item.values()


def _layout(scope: Scope, text: str) -> None:
    """JSON, with more JSON in its texts: the factory of a defaultdict and members of enums are imported by name."""
    pending: list[tuple[Any, int]] = [(text, 0)]
    while pending:
        item, depth = pending.pop()
        if isinstance(item, list):
            pending += ((inner, depth) for inner in item)
        elif isinstance(item, str) and item[:1] in ("{", "[") and depth < _NESTED:
            try:
                pending.append((json.loads(item), depth + 1))
            except (ValueError, RecursionError):
                scope.unknown("the layout of its inputs or outputs is no JSON that can be read")
        elif isinstance(item, dict):
            pending += ((inner, depth) for inner in item.values())
            if "default_factory_module" in item:
                _imported(scope, str(item["default_factory_module"]), str(item.get("default_factory_name")))
            if "__enum__" in item:
                module, _, name = str(item.get("fqn")).partition(":")
                _imported(scope, module, name)


def _imported(scope: Scope, module: str, name: str) -> None:
    from shipworthy.modelfile.pickles.names import standing_of

    if not standing_of(module, name, scope.trust).allowed:
        shown = ascii(f"{module}:{name}")[1:-1][:120]
        text = f"the layout of its inputs or outputs names {shown}: torch imports it when the model is loaded"
        scope.issue(Code.UNKNOWN_NAME, "high", text, None, shown)


def harmless(expression: str) -> bool:
    """Whether an expression has only numbers, symbols, operators and the functions that torch writes."""
    expression = _QUOTED.sub("s", expression)
    return (
        _EXPRESSION.fullmatch(expression) is not None
        and "__" not in expression
        and not _ATTRIBUTE.search(expression)
        and all(name in _FUNCTIONS or name in _WITH_CALLS for name in _CALL.findall(expression))
    )


def _harmless_guard(guard: str) -> bool:
    return (
        _GUARD.fullmatch(guard) is not None
        and "__" not in guard
        and all(name in _GUARDED or name in _FUNCTIONS or name in _WITH_CALLS for name in _CALL.findall(guard))
    )


def _evaluated(scope: Scope, what: str, text: str) -> None:
    shown = ascii(text)[:120]
    scope.issue(Code.CODE_EXECUTION, "critical", f"{what} when the model is loaded or called: {shown}", None, "", shown)


def _target(scope: Scope, target: str) -> None:
    shown = ascii(target)[1:-1][:120]
    operator = _OPERATOR.fullmatch(target)
    if operator and operator[1] == "higher_order":
        if operator[2] not in _HIGHER:
            text = f"the graph calls {shown}, which is not known to be harmless"
            scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)
    elif operator:
        from shipworthy.modelfile.torchscript import judge_operator

        judge_operator(scope, operator[1], operator[2])
    elif not _PLAIN.fullmatch(target):
        text = f"the graph calls {shown}: torch takes any of its functions by that name, or code of an extension"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)
