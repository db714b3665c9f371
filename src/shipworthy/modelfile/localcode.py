"""Code beside a model that its configuration names: which file it is, and what that file starts.

transformers, diffusers, sentence-transformers and peft import such files when they are told to trust the model's code.
Here a file is parsed, not imported. Code that does what code of models does is a finding of medium severity, all other
is one of high severity; the checks of code look at it, too.
"""

from __future__ import annotations

import ast
import contextlib
import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from shipworthy.modelfile import mmengine, sourcecode
from shipworthy.modelfile.report import Code, Limits, Report, Tally, Verdict
from shipworthy.modelfile.scope import Scope, State
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex
from shipworthy.records import replace

_NAME = regex(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_SIZE = 2 << 20
_FILES = 200
_COMPILED = (".pyc", ".so", ".pyd", ".abi3.so")
_UNCHECKED = b"\1\0\0\0"


def run(path: Path, runs: str, trust: Sequence[str], foreign: bool = True) -> Report:
    """What a program runs of a file, such as torch.hub of a `hubconf.py`, and of what that imports beside it. Without
    `foreign`, what is only of another library is not told.
    """
    tally = Tally(Limits())
    scope = Scope(State(tally.limits, tuple(trust), tally, 0, path), View.of(b""))
    _judge(scope, [path], runs, f".:{path.stem}", quiet=True, foreign=foreign)
    return Report("python", Verdict.FINDING if tally.found else Verdict.CLEAN, tally.sorted_issues())


def judge(
    scope: Scope, module: str, what: str, asks: str, folder: str = "", quiet: bool = False, foreign: bool = True
) -> bool:
    """Report the code in `module` (dotted) beside the configuration, or in a folder beside it. False, and nothing is
    said, when no such file is there. `quiet`: nothing is said of code that starts nothing.
    """
    if scope.folder is None or not _NAME.fullmatch(module) or not (not folder or re.fullmatch(r"\w[\w.-]*", folder)):
        return False
    place = scope.folder / folder
    pending = _beside(place / "_", scope.folder, 0, module)
    if not pending:
        compiled = _compiled(place / "_", scope.folder, 0, module)
        if compiled:
            message = f"{what} {shown(compiled, 80)} beside it, which is compiled: nobody can see what it does"
            scope.issue(Code.REMOTE_CODE, "high", message, None, asks)
        return bool(compiled)
    _judge(scope, pending, what, asks, folder, quiet, foreign)
    return True


def judge_file(scope: Scope, name: str, what: str) -> None:
    """Report the code in a file of mmengine that a configuration names by its path, if it is there, and in those that
    are run for it.
    """
    path = scope.folder / name if scope.folder is not None and not scope.name else None
    with contextlib.suppress(OSError, ValueError):
        if path is not None and path.is_file():
            for file in (path, *mmengine.scripts(path)):
                beside = replace(scope, state=replace(scope.state, path=file))
                _judge(beside, [file], what, name, quiet=True, foreign=False)


def _judge(
    scope: Scope, pending: list[Path], what: str, asks: str, folder: str = "", quiet: bool = False, foreign: bool = True
) -> None:
    """Report what these files do, and those beside the configuration that they import."""
    root = scope.folder
    if root is None:
        return
    first = pending[0]
    seen: dict[Path, str] = {}
    loads: list[str] = []
    while pending and len(seen) < _FILES:
        path = pending.pop()
        if path in seen:
            continue
        seen[path], more, loaded = _look(path, root, scope, foreign)
        pending += more
        loads += (f"{shown(path.name, 60)} {text}" for text in loaded)
    name = shown(f"{folder}/{first.name}" if folder else first.name, 80)
    found = [f"{shown(path.name, 60)} {does}" for path, does in seen.items() if does]
    if pending:
        found.append(f"only the first {_FILES} files of it were looked at")
    if found:
        message = f"{what} {name} beside it, and {'; '.join(found[:4])}: do not load it before the code was reviewed"
        scope.issue(Code.REMOTE_CODE, "high", message, None, asks)
    elif not quiet:
        also = f" ({'; '.join(loads[:4])})" if loads else ""
        message = (
            f"{what} {name} beside it, which starts nothing by itself{also}: scan the folder, so that the checks of"
        )
        scope.issue(Code.REMOTE_CODE, "medium", f"{message} code look at it, and review it", None, asks)


def _look(path: Path, root: Path, scope: Scope, foreign: bool) -> tuple[str, list[Path], list[str]]:
    """What a file does, in words, the files below `root` that it imports, and the pickles that it loads."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_SIZE + 1)
        if len(raw) > _SIZE:
            return "is too large to be looked at", [], []
        source = sourcecode.read(ast.parse(raw), scope.trust)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return "can't be read as Python", [], []
    beside: list[Path] = []
    troubles = [text for rank, _, text in source.troubles if foreign or rank < sourcecode.FOREIGN]
    for dots, module in source.beside:
        found = _beside(path, root, dots, module)
        beside += found
        if not found and (compiled := _compiled(path, root, dots, module)):
            troubles.append(f"imports {shown(compiled, 60)}, which is compiled")
        elif dots and not found:
            troubles.append(f"imports {shown('.' * dots + module, 60)}, which is not there")
    if cached := _cached(path):
        troubles.append(f"is not what Python runs: that is {shown(cached, 60)}, which is never compared with it")
    return troubles[0] if troubles else "", beside, source.loads


def _cached(path: Path) -> str:
    """The compiled form that Python takes for a file without asking whether it is of that file (PEP 552)."""
    for file in (path.parent / "__pycache__").glob(f"{glob.escape(path.stem)}.*.pyc"):
        with contextlib.suppress(OSError), file.open("rb") as stream:
            if stream.read(8)[4:] == _UNCHECKED:
                return f"__pycache__/{file.name}"
    return ""


def _compiled(path: Path, root: Path, dots: int, module: str) -> str:
    """The file of a module without source that is imported from the folder."""
    place = path.parent
    for _ in range(dots - 1):
        place = place.parent
    if not module or (place != root and root not in place.parents):
        return ""
    where = place / module.replace(".", "/")
    found = [
        file for file in (where.with_name(f"{where.name}{suffix}") for suffix in _COMPILED) if os.path.isfile(file)
    ]
    found += where.parent.glob(f"{glob.escape(where.name)}.*.so")
    return found[0].name if found else ""


def _beside(path: Path, root: Path, dots: int, module: str) -> list[Path]:
    """The files of a module that is imported from the folder, or `dots` - 1 folders above it."""
    place = path.parent
    for _ in range(dots - 1):
        place = place.parent
    if place != root and root not in place.parents:
        return []
    where = place / module.replace(".", "/")
    return [file for file in (where.with_name(f"{where.name}.py"), where / "__init__.py") if os.path.isfile(file)]
