"""skops archives: `schema.json` says which node builds each object; arrays lie beside it as members.

skops itself asks for types outside of its own list to be trusted, but has been led around that (CVE-2025-54412, -54413,
-54886). Here every type is judged by the same table as the names in pickles, and the kind of node says how it is used.
Source: skops/io of skops 0.16.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.pickles.names import Kind, standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.strictjson import strict
from shipworthy.modelfile.view import View
from shipworthy.records import dataclass

if TYPE_CHECKING:
    from shipworthy.modelfile.zipdirectory import Entry

# All that skops has are in the list `skops-nodes`; what each does with the names in it is said here.
# Nodes that create an object of the type that they name, empty or from parts, and set its state.
_BUILT = frozenset(
    "DictNode DefaultDictNode ListNode SetNode TupleNode ObjectNode NdArrayNode MaskedArrayNode RandomStateNode "
    "RandomGeneratorNode DTypeNode SparseMatrixNode BytesNode BytearrayNode SliceNode JsonNode "
    "_DictWithDeprecatedKeysNode CachedNode".split()
)
_NAMED = frozenset(("TypeNode", "FunctionNode"))
_CALLED = frozenset("ConstructorFromReduceNode TreeNode LossNode SGDNode QuantileForestNode".split())
_BIT_GENERATORS = frozenset(("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"))
_PLAIN = frozenset("int float str bool NoneType list dict tuple set frozenset bytes bytearray slice complex".split())
# Builders whose arguments are numbers and arrays of the archive: called by skops for fitted trees and losses;
# scikit-learn's losses name their compiled module by its last part.
_CONSTRUCTORS = ("sklearn.tree._tree:", "sklearn._loss.", "sklearn.linear_model._sgd_fast:", "datetime:", "zoneinfo:",
                 "sklearn.ensemble._gb_losses:", "_loss:Cy", "quantile_forest._quantile_forest_fast:",
                 "numpy.random.")  # fmt: skip
_LIBRARIES = frozenset("builtins numpy scipy sklearn pandas quantile_forest xgboost lightgbm catboost imblearn".split())
_CALLABLE = (Kind.VALUED, Kind.TRUSTED, Kind.REBUILD, Kind.VETTED)


@dataclass(frozen=True)
class _Left:
    """All that lies in the node of this number was looked at."""

    number: int


def is_skops(entries: Sequence[Entry]) -> bool:
    """The schema at the top, and nothing that another reader wants."""
    return any(entry.name == "schema.json" for entry in entries)


def read(scope: Scope, entries: Sequence[Entry], open_entry: Callable[[Scope, Entry], View | None]) -> None:
    """Judge the schema, queue all members."""
    from shipworthy.modelfile.zips import queue

    raw: set[str] = set()
    members = {entry.name: entry for entry in entries}
    for entry in (entry for entry in entries if entry.name == "schema.json"):
        content = open_entry(scope, entry)
        if content is None:
            continue
        inner = scope.nested(entry.name, content)
        if len(content) > scope.limits.json:
            inner.unknown(f"the schema is larger than {scope.limits.json >> 20} MiB")
            continue
        try:
            value = strict(content.all())
        except ValueError as error:
            text = f"the schema is not JSON that two readers read alike ({ascii(str(error))[1:80]})"
            inner.issue(Code.CONTAINER_TAMPERED, "high", text, 0)
            continue
        inner.note_member("", "json", len(content))
        if not isinstance(value, dict) or "__loader__" not in value:
            inner.unknown("it is a schema of another kind than skops writes")
            continue
        trees: list[dict[str, Any]] = []
        raw |= _walk(inner, value, {item.name for item in entries}, trees)
        if trees:
            from shipworthy.modelfile import skopstrees

            skopstrees.judge(inner, trees, lambda name: open_entry(scope, members[name]) if name in members else None)
    for entry in reversed(entries):
        if entry.name != "schema.json":
            queue(scope, entry, Role.BLOB if entry.name in raw else Role.FILE)


def _walk(scope: Scope, value: Any, members: set[str], trees: list[dict[str, Any]]) -> set[str]:
    """Judge every node, and collect those of trees; the members that are taken as plain bytes."""
    raw: set[str] = set()
    pending: list[Any] = [value]
    around: set[int] = set()  # nodes that what is looked at lies in
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            pending += item
        elif isinstance(item, _Left):
            around.discard(item.number)
        elif isinstance(item, dict):
            if "__loader__" in item:
                _node(scope, item, members)
                number = item.get("__id__")
                if item["__loader__"] == "CachedNode" and number in around:
                    text = "an object holds itself: who walks through it never ends"
                    scope.issue(Code.BOMB, "high", text, None, f"skops:{number}")
                elif isinstance(number, int) and number not in around:
                    around.add(number)
                    pending.append(_Left(number))
                if item["__loader__"] == "TreeNode" and item.get("__class__") == "Tree":
                    trees.append(item)
                if item["__loader__"] in ("BytesNode", "BytearrayNode"):
                    raw.add(str(item.get("file")))
            pending += item.values()
    return raw


def _node(scope: Scope, node: dict[str, Any], members: set[str]) -> None:
    loader, module, name = str(node["__loader__"]), str(node.get("__module__")), str(node.get("__class__"))
    if loader == "FunctionNode" and isinstance(node.get("content"), dict):  # as written before 0.5
        module = str(node["content"].get("module_path", module))
        name = str(node["content"].get("function", name))
    shown = ascii(f"{module}:{name}")[1:-1][:120]
    scope.names([f"{module}:{name}"])
    file = node.get("file")
    if isinstance(file, str) and escapes(file):
        text = f"the schema asks for {ascii(file)[:80]}, outside of the archive"
        scope.issue(Code.PATH_TRAVERSAL, "high", text)
    elif isinstance(file, str) and file not in members:
        text = f"the schema asks for the member {ascii(file)[:80]}, which is not there"
        scope.issue(Code.CONTAINER_TAMPERED, "medium", text)
    if loader == "MethodNode":
        _method(scope, node, module, name)
    elif loader == "OperatorFuncNode":
        _operator(scope, name)
    elif loader in _BUILT or loader in _NAMED or loader in _CALLED or loader == "PartialNode":
        _judge(scope, loader, module, name, shown)
        if loader == "ObjectNode" and standing_of(module, name, scope.trust).kind is Kind.SOURCED:
            _source(scope, node, shown)
        if loader == "RandomGeneratorNode":
            _generator(scope, node)
    else:
        text = f"the schema has a node of the kind {ascii(loader)[:60]}, which skops does not have"
        scope.issue(Code.CODE_EXECUTION, "high", text, None, shown)


def _judge(scope: Scope, loader: str, module: str, name: str, shown: str) -> None:
    standing = standing_of(module, name, scope.trust)
    if loader == "JsonNode" or (module == "builtins" and name in _PLAIN):
        return
    if standing.kind is Kind.DANGEROUS and not (loader == "PartialNode" and name == "partial"):
        text = f"a {loader} names {shown}, which {standing.reason}: loading reaches it"
        scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)
    elif not standing.allowed:
        called = loader not in _NAMED
        code = Code.UNKNOWN_CALLABLE if called else Code.UNKNOWN_NAME
        severity = "high" if called or module.partition(".")[0] not in _LIBRARIES else "medium"  # an import runs code
        text = f"a {loader} names {shown}, which is not known to be harmless; name it in `trust` if it is your own"
        scope.issue(code, severity, text, None, shown)
    elif loader in _CALLED and standing.kind not in _CALLABLE and not f"{module}:{name}".startswith(_CONSTRUCTORS):
        text = f"a {loader} calls {shown} with arguments from the file"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)


def _source(scope: Scope, node: dict[str, Any], shown: str) -> None:
    """A class that runs a text of its state, as scipy's distributions do, and evaluates a formula, as statsmodels does:
    of these, skops writes the former.
    """
    from shipworthy.modelfile.pickles import states

    state = node.get("content")
    items = state.get("content") if isinstance(state, dict) else None
    leaf = items.get("_parse_arg_template") if isinstance(items, dict) else None
    text = leaf.get("content") if isinstance(leaf, dict) and leaf.get("__loader__") == "JsonNode" else None
    try:
        source = strict(text.encode()) if isinstance(text, str) else None
    except ValueError:
        source = None
    if not (isinstance(source, str) and states.is_scipys(source)):
        message = f"loading runs text from the state of {shown}: the text is not the one that scipy writes"
        scope.issue(Code.CODE_EXECUTION, "critical", message, None, shown)


def _method(scope: Scope, node: dict[str, Any], module: str, name: str) -> None:
    content = node.get("content")
    method = str(content.get("func")) if isinstance(content, dict) else ""
    shown = ascii(f"{module}:{name}.{method}")[1:-1][:120]
    owner = content.get("obj") if isinstance(content, dict) else None
    same = isinstance(owner, dict) and (owner.get("__module__"), owner.get("__class__")) == (module, name)
    if method.startswith("_") or not same:
        text = (
            f"a MethodNode takes {shown} from an object of another kind, or a hidden one: loading reaches any attribute"
        )
        scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)
    elif standing_of(module, f"{name}.{method}", scope.trust).kind is not Kind.TRUSTED:
        scope.issue(Code.UNKNOWN_NAME, "medium", f"a MethodNode takes the method {shown} of an object", None, shown)


def _operator(scope: Scope, name: str) -> None:
    shown = ascii(f"operator:{name}")[1:-1][:120]
    if name == "itemgetter":
        return
    if name in ("attrgetter", "methodcaller"):
        text = f"an OperatorFuncNode builds {shown}, which takes attributes by their names when it is called"
        scope.issue(Code.UNKNOWN_CALLABLE, "high", text, None, shown)
        return
    text = f"an OperatorFuncNode calls {shown} with arguments from the file (CVE-2025-54413)"
    scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)


def _generator(scope: Scope, node: dict[str, Any]) -> None:
    """The bit generator is taken from numpy.random by the name in its state (GHSA of skops 0.14)."""
    import json

    pending: list[Any] = [node.get("content")]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and item[:1] == "{":
            try:
                item = json.loads(item)
            except (ValueError, RecursionError):
                scope.unknown("the state of a random generator is not JSON")
        if isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            named = item.get("bit_generator")
            named = named.get("content") if isinstance(named, dict) else named
            if isinstance(named, str) and named.strip('"') not in _BIT_GENERATORS:
                shown = ascii(named)[:80]
                text = f"the random generator asks for numpy.random:{shown}, which is no bit generator"
                scope.issue(Code.CODE_EXECUTION, "critical", text, None, shown)
            pending += item.values()
