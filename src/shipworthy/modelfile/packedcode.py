"""Python code inside of archives: servers import it, and Python itself what eggs, wheels and environments hold.

Each file is parsed and judged by what it reaches for, as code beside a model is (sourcecode.py). What it takes from
other libraries, its own among them, is not told: that the archive holds code is.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Sequence

from shipworthy.modelfile import sourcecode
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown
from shipworthy.patterns import regex

_SIZE, _TEXT = 2 << 20, 64 << 10
_TELLING = regex(rb"import|exec|eval|open|system|compile|subprocess|__")
AT_IMPORT = "(at import)"
_RUNS = frozenset(("exec", "eval", "builtins.exec", "builtins.eval"))
_UNPACKS = regex(r"b(?:16|32|64|85)decode|fromhex|unhexlify|decompress|marshal\.loads|urlopen|requests\.get|a2b_")
_FETCHED = regex(rb"(?:curl|wget)\b[^\n\"']{0,300}\|\s*(?:ba|z|da)?sh\b|/dev/tcp/|base64 -d|\bnc -\w*e")
_IMPORTS = regex(rb"__import__\(([^)]*)")
_LITERAL = regex(rb"'(\w+)'|\"(\w+)\"")
_CUT = "..."  # of a name that is too long to be shown
_STARTED = regex(r"(?m)^import[ \t].*")  # what Python runs of a path file at each start (site.addpackage)


def judge(scope: Scope) -> None:
    """Report what a file of Python code in an archive does, if it does what code of models does not."""
    name = scope.name.rpartition("!")[2]
    if len(scope.view) > _SIZE:
        scope.unknown(f"it is code of more than {_SIZE >> 20} MiB")
        return
    raw = scope.view.all()
    path = name.lower().endswith(".pth")
    if path:
        raw = "\n".join(_STARTED.findall(raw.decode("utf-8-sig", "replace"))).encode("utf-8", "replace")
    found = troubles(raw, scope.trust)
    if found is None:
        if not name.endswith(_CUT):
            scope.unknown("it can't be read as Python")
        return
    told = [text for rank, _, text in found if rank < sourcecode.FOREIGN]
    if path and all("(__import__," in text for text in told) and _only_own(raw):
        return  # as setuptools' own: a module that lies beside it
    if told:
        when = AT_IMPORT if path or acts_at_import(raw, name.rpartition("/")[2] == "setup.py") else ""
        whoever = "Python, at each start, if it is unpacked where packages are" if path else "whoever imports it"
        message = f"the code {shown(name, 80)} {'; it '.join(told[:3])}: {whoever} runs it"
        scope.issue(Code.REMOTE_CODE, "high", message, 0, name[:120], when)


def _only_own(raw: bytes) -> bool:
    """Whether all that is imported by a call is named by a text, and is none of Python's own modules."""
    found = [_LITERAL.fullmatch(name) for name in _IMPORTS.findall(raw)]
    return all(name and (name[1] or name[2]).decode() not in sys.stdlib_module_names for name in found)


def acts_at_import(raw: bytes, builds: bool = False) -> bool:
    """Whether importing this code, by itself, starts programs or runs code that it unpacks or fetches: what packages
    of every kind do in their functions is not told. `builds`: it is run to build a package, which starts programs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(raw)
            if not builds:
                tree.body = _outside(tree.body)
            called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        told = [text for rank, _, text in sourcecode.read(tree).troubles if rank == 0]
        starts = any(
            text.startswith("starts programs (") and text[17:].partition(",")[0].rpartition(".")[2] == name
            for text in told
            for name in (call.rpartition(".")[2] for call in called)
        )
    made = called & _RUNS and any(_UNPACKS.search(call) for call in called)
    return bool(made) or (starts and (not builds or _FETCHED.search(raw) is not None))


def _outside(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements that are run when a file is imported: those of no function."""
    found: list[ast.stmt] = []
    pending: list[ast.AST] = [*reversed(body)]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            pending += reversed(node.orelse)
        elif isinstance(node, (ast.ClassDef, ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ExceptHandler)):
            test = getattr(node, "test", None) or getattr(node, "iter", None)
            found += [ast.Expr(test, lineno=1, col_offset=0)] if test is not None else []
            found += [ast.Expr(item.context_expr, lineno=1, col_offset=0) for item in getattr(node, "items", ())]
            found += [ast.Expr(item, lineno=1, col_offset=0) for item in getattr(node, "decorator_list", ())]
            parts = ("body", "handlers", "orelse", "finalbody")
            pending += [inner for part in reversed(parts) for inner in reversed(getattr(node, part, []))]
        elif isinstance(node, ast.stmt):
            found.append(node)
    return found


def judge_text(scope: Scope, what: str, raw: bytes) -> None:
    """Report a text that is kept with a model, if it is Python code that starts programs, runs code or writes files:
    whoever kept it there means it to be run.
    """
    if len(raw) > _TEXT or b"(" not in raw or not _TELLING.search(raw):
        return
    found = troubles(raw.strip(), scope.trust) or []
    acts = [text for rank, _, text in found if rank == 0 or text.startswith("writes files")]
    if not acts or all("(__import__," in text for _, _, text in found):  # to import alone does nothing
        return
    message = f"{shown(what, 80)} is Python code, which {acts[0]}: no model needs it, do not run it"
    scope.issue(Code.HIDDEN_PAYLOAD, "high", message, None, shown(what, 80))


def troubles(raw: bytes, trust: Sequence[str]) -> list[tuple[int, int, str]] | None:
    """What code reaches for; None if it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in its texts
        try:
            return sourcecode.read(ast.parse(raw), trust).troubles
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
