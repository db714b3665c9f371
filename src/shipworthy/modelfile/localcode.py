"""Code beside a model that its configuration names: which file it is, and what that file starts.

transformers, diffusers, sentence-transformers and peft import such files when they are told to trust the model's code.
Here a file is parsed, not imported, and only the strongest things are looked for; the checks of code look at the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.shown import shown

_STARTS = re.compile(
    r"os\.(?:system|popen|startfile|fork\w*|exec\w+|spawn\w+|posix_spawnp?)|posix\.\w+|pty\.spawn|subprocess\.\w+|"
    r"asyncio\.create_subprocess_\w+|commands\.\w+"
)
_RUNS = re.compile(
    r"(?:builtins\.)?(?:eval|exec|compile|__import__)|code\.\w+|runpy\.\w+|importlib\.(?:util|machinery|_bootstrap)\w*\."
    r"(?:spec_from_file_location|SourceFileLoader)"
)
_NATIVE = re.compile(r"ctypes\.(?:CDLL|cdll\.\w+|PyDLL|WinDLL|windll\.\w+)|torch\.(?:ops|classes)\.load_library|"
                     r"torch\.utils\.cpp_extension\.load\w*|cffi\.\w+")  # fmt: skip
# `loads` is how objects are copied, too; the checks of code report it.
_UNPICKLES = re.compile(r"(?:c?[pP]ickle|dill|cloudpickle|marshal|shelve|joblib)\.(?:load|open|Unpickler)")
_KINDS = ((_STARTS, "starts programs"), (_RUNS, "runs code that it puts together"), (_NATIVE, "loads native code"),
          (_UNPICKLES, "loads pickles"))  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SIZE = 2 << 20
_FILES = 20


def judge(scope: Scope, module: str, what: str, asks: str, folder: str = "") -> bool:
    """Report the code in `module` (dotted) beside the configuration, or in a folder beside it. False, and nothing is
    said, when no such file is there.
    """
    if scope.folder is None or not _NAME.fullmatch(module) or not (not folder or re.fullmatch(r"\w[\w.-]*", folder)):
        return False
    place = scope.folder / folder
    first = place / (module.replace(".", "/") + ".py")
    if not first.is_file():
        return False
    seen: dict[Path, str] = {}
    pending = [first]
    while pending and len(seen) < _FILES:
        path = pending.pop()
        if path in seen:
            continue
        seen[path], more = _look(path)
        pending += more
    name = shown(f"{folder}/{first.name}" if folder else first.name, 80)
    found = [f"{shown(path.name, 60)} {does}" for path, does in seen.items() if does]
    if found:
        message = f"{what} {name} beside it, and {'; '.join(found[:4])}: do not load it before the code was reviewed"
        scope.issue(Code.REMOTE_CODE, "high", message, None, asks)
    else:
        message = f"{what} {name} beside it, which starts nothing by itself: scan the folder, so that the checks of"
        scope.issue(Code.REMOTE_CODE, "medium", f"{message} code look at it, and review it", None, asks)
    if pending:
        scope.unknown(f"only the first {_FILES} files of its code were looked at")
    return True


def _look(path: Path) -> tuple[str, list[Path]]:
    """What a file does, in words, and the files beside it that it imports."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_SIZE + 1)
        if len(raw) > _SIZE:
            return "is too large to be looked at", []
        tree = ast.parse(raw)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return "can't be read as Python", []
    names: dict[str, str] = {}
    beside: list[Path] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                names[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            for module in [node.module] if node.module else [alias.name for alias in node.names]:
                other = path.parent / (module.replace(".", "/") + ".py")
                beside += [other] if other.is_file() else []
    for called, line in _calls(tree, names):
        for pattern, does in _KINDS:
            if pattern.fullmatch(called):
                return f"{does} ({shown(called, 60)}, line {line})", beside
    return "", beside


def _calls(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[str, int]]:
    """What is called, by its full name as far as imports tell."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        parts: list[str] = []
        target = node.func
        while isinstance(target, ast.Attribute) and len(parts) < 10:
            parts.append(target.attr)
            target = target.value
        if isinstance(target, ast.Name) and (not parts or target.id in names or target.id == "builtins"):
            yield ".".join([names.get(target.id, target.id), *reversed(parts)]), node.lineno
        elif isinstance(target, ast.Call) and isinstance(target.func, ast.Name) and target.func.id == "__import__":
            yield "__import__", node.lineno
