"""TorchScript: the code inside a torch archive, read as text. Its interpreter knows no Python: what code can do is what
the operators that it calls can do, so each one is compared with the table of torch's own.

Source: torch/csrc/jit/serialization/python_print.cpp (the writer), torch/csrc/jit/serialization/import_source.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from shipworthy.modelfile import torchbombs
from shipworthy.modelfile.listed import listed
from shipworthy.modelfile.pickles.names import standing_of
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.view import View

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+|#[^\n]*)|(?P<chain>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<number>\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?)"
    r"|(?P<text>\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')"
    r"|(?P<mark>->|\*\*|//|==|!=|<=|>=|<<|>>|[-+*/%=<>()\[\]{}.,:;|&^~@\\])",
    re.DOTALL,
)
FILES = {
    "aten:save": "writes a file anywhere",
    "aten:from_file": "reads any file, or creates and writes one",
    "aten:load": "loads a second file",
    "image:read_file": "reads any file",
    "image:write_file": "writes a file anywhere",
    "image:decode_video": "reads any file",
}
_OUT = {"rpc": "calls other machines", "c10d": "opens network connections", "dist_rpc": "calls other machines"}
_PYTHON = frozenset(("prim:PythonOp", "prim:IgnoredPythonOp"))
_REMOTE = frozenset(("prim:rpc_async", "prim:rpc_sync", "prim:rpc_remote"))
_METHODS = frozenset(("from_file", "read_file", "write_file"))
_CLASSES = frozenset("quantized rnn sparse xnnpack metal vulkan vulkan_prepack mkldnn mkldnn_prepacked".split())
_LONGEST = 64 << 20
_SHOWN = 50


@cache
def _table() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in files("shipworthy.modelfile").joinpath("torch_operators.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            space, _, names = line.partition("\t")
            found[space] = frozenset(names.split(" "))
    return {**found, "torchvision": listed("torchvision-operators")}


def judge_operator(scope: Scope, space: str, name: str, where: int | None = None) -> None:
    """Report an operator that reaches out of the model, or that torch does not have."""
    key = f"{space}:{name}"
    shown = ascii(key)[1:-1][:120]
    reason = FILES.get(key) or _OUT.get(space) or ("calls other machines" if key in _REMOTE else "")
    if reason:
        text = f"the operator {shown} {reason}; no model needs it to predict: do not load it"
        scope.issue(Code.DANGEROUS_OPERATOR, "critical", text, where, shown)
    elif key in _PYTHON:
        scope.issue(Code.DANGEROUS_OPERATOR, "high", f"the operator {shown} calls back into Python", where, shown)
    elif name not in _table().get(space, ()) and not _trusted(scope, key):
        text = f"the operator {shown} is none of torch's own: a native library must be loaded for it"
        scope.issue(Code.CUSTOM_OPERATOR, "high", text, where, shown)


def _trusted(scope: Scope, key: str) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in scope.trust)


def read_code(scope: Scope, view: View, at_load: torchbombs.AtLoad) -> None:
    """Judge one file of code."""
    if len(view) > _LONGEST:
        scope.unknown(f"the code is longer than {_LONGEST >> 20} MiB")
        return
    try:
        text = view.all().decode("utf-8")
    except UnicodeDecodeError:
        scope.issue(Code.BROKEN_STREAM, "medium", "the code is not UTF-8", 0)
        return
    seen: set[str] = set()
    tokens = list(_tokens(text))
    for index, (kind, value, at) in enumerate(tokens):
        if kind == "bad":
            scope.issue(
                Code.BROKEN_STREAM, "medium", "the code holds what is not TorchScript: it was cut or forged", at
            )
            return
        if kind == "chain":
            after = tokens[index + 1][1] if index + 1 < len(tokens) else ""
            before = tokens[index - 1][1] if index else ""
            if value == "ops.prim.RaiseException":
                _raised(scope, tokens, index)
            if value not in seen or before == ".":
                seen.add(value)
                _chain(scope, value.split("."), before, after, at)
    at_load.add(tokens, torchbombs.judge(scope, tokens, text))


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            yield "bad", text[at : at + 20], at
            return
        if match.lastgroup != "space":
            yield match.lastgroup or "", match.group(), at
        at = match.end()


def _chain(scope: Scope, parts: list[str], before: str, after: str, at: int) -> None:
    """`torch.add`, `ops.quantized.linear`, `__torch__.a.B`, `self.weight`; or attributes behind a bracket."""
    root = "" if before == "." else parts[0]
    if root == "torch":
        if len(parts) != 2:
            _passed_on(scope, parts, at)
        else:
            _aten(scope, parts[1], at)
    elif root == "ops":
        if len(parts) != 3:
            _passed_on(scope, parts, at)
        else:
            judge_operator(scope, parts[1], parts[2], at)
    elif root == "__torch__":
        if parts[1:3] == ["torch", "classes"] and len(parts) > 4 and parts[3] not in _CLASSES:
            shown = ascii(".".join(parts[3:]))[1:-1][:120]
            text = f"the class {shown} is none of torch's own: a native library must be loaded for it"
            scope.issue(Code.CUSTOM_OPERATOR, "high", text, at, shown)
    elif after == "(" and (parts[-1] in _METHODS or (parts[-1] == "save" and (before == "." or len(parts) > 1))):
        # a method of a tensor is an operator as well; a method of the model may have the same name
        shown = ascii(parts[-1])[1:-1]
        text = f"the code calls a method {shown}, which on a tensor reads or writes files"
        scope.issue(Code.DANGEROUS_OPERATOR, "high", text, at, shown)
    elif parts == ["import"] and after.split(".")[0] != "__torch__":
        scope.issue(Code.UNKNOWN_NAME, "high", f"the code imports {ascii(after)[:80]}", at, ascii(after)[1:80])


def _aten(scope: Scope, name: str, at: int) -> None:
    """`torch.name` is an operator of the namespace aten or prim, or a constant."""
    table = _table()
    known = name in table["aten"] or name in table["prim"] or name in ("inf", "nan", "device", "Tensor")
    if not known or f"aten:{name}" in FILES:
        judge_operator(scope, "aten", name, at)


def _passed_on(scope: Scope, parts: list[str], at: int) -> None:
    shown = ascii(".".join(parts))[1:-1][:80]
    text = f"the code handles {shown} as a thing of its own, which hides the operators that it calls"
    scope.issue(Code.DANGEROUS_OPERATOR, "high", text, at, shown)


def _raised(scope: Scope, tokens: list[tuple[str, str, int]], index: int) -> None:
    """`RaiseException(message, "module.Class")`: torch imports the module that the text names to raise its class."""
    depth, argument, found = 0, 0, []
    for token in tokens[index + 1 : index + 200]:
        if token[1] in ("(", "["):
            depth += 1
        elif token[1] in (")", "]"):
            depth -= 1
            if depth == 0:
                break
        elif token[1] == "," and depth == 1:
            argument += 1
        elif argument == 1:
            found.append(token)
    if not found:
        return
    kind, value, at = found[0]
    named = value[1:-1]
    module, _, name = named.rpartition(".")
    if kind != "text" or len(found) > 1:
        text = "the class of an exception is computed: torch imports the module that it names"
        scope.issue(Code.UNKNOWN_NAME, "medium", text, at)
    elif module != "builtins" or not name.endswith(("Error", "Exception", "Iteration", "Exit", "Interrupt", "Warning")):
        standing = standing_of(module, name, scope.trust)
        if not standing.allowed:
            shown = ascii(f"{module}:{name}")[1:-1][:120]
            severity = "high" if standing.reason else "medium"
            text = f"an exception is of the class {shown}: torch imports its module when it is raised"
            scope.issue(Code.UNKNOWN_NAME, severity, text, at, shown)


def read_bytecode(scope: Scope, view: View) -> None:
    """`bytecode.pkl` of the mobile interpreter: operators are looked for by name; its pickle is read elsewhere."""
    for key in FILES:
        name = key.replace(":", "::").encode()
        at = view.find(name)
        if at >= 0:
            judge_operator(scope, key.partition(":")[0], key.partition(":")[2], at)
    scope.unknown("it holds bytecode of torch's mobile interpreter, whose instructions this version does not follow")
