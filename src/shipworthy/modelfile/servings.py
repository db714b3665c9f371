"""Archives that carry the code that serves or defines the model: TorchServe's `.mar`, torch packages, any other.

Source: model_archiver/model_packaging_utils.py of torch-model-archiver 0.12; torch/package/package_importer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from shipworthy.modelfile.paths import escapes
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.strictjson import strict
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

if TYPE_CHECKING:
    from shipworthy.modelfile.zipdirectory import Entry

MANIFEST = "MAR-INF/MANIFEST.json"
_CODE = regex(r"(?i).*\.(?:py|pyc|pyw|pth|sh|bat|ps1|js|r|jl|lua)")
_PACKAGE = regex(r"(?:[^/]*/)?\.data/extern_modules")
_BUILT_IN = frozenset(("image_classifier", "image_segmenter", "object_detector", "text_classifier"))


def is_code(name: str) -> bool:
    """Whether a member's name makes a loader or a shell take it for code. Its content is looked at in any case."""
    return _CODE.fullmatch(name) is not None and not name.lower().endswith(".pth")


def is_archive(entries: Sequence[Entry]) -> bool:
    """A TorchServe archive."""
    return any(entry.name == MANIFEST for entry in entries)


def is_package(entries: Sequence[Entry]) -> bool:
    """A torch package: its pickles import the Python files beside them."""
    return any(_PACKAGE.fullmatch(entry.name) for entry in entries)


def report_code(scope: Scope, name: str, offset: int | None, severity: str = "medium") -> None:
    """One member that is source code."""
    text = f"the archive holds the code {ascii(name)[:120]}: whoever loads or serves the model runs it; review it first"
    scope.issue(Code.REMOTE_CODE, severity, text, offset, ascii(name)[1:-1][:120])


def read(scope: Scope, entries: Sequence[Entry], open_entry: Callable[[Scope, Entry], View | None]) -> None:
    """Judge a TorchServe archive: its manifest, and code for what it is; queue the rest."""
    from shipworthy.modelfile.zips import queue

    for entry in reversed(entries):
        if entry.name == MANIFEST and entry.size <= scope.limits.json:
            content = open_entry(scope, entry)
            if content is not None:
                inner = scope.nested(entry.name, content)
                inner.note_member("", "json", len(content))
                _manifest(inner, content, {item.name for item in entries})
        else:
            if is_code(entry.name):
                report_code(scope, entry.name, entry.offset, "high")
            queue(scope, entry)


def _manifest(scope: Scope, content: View, members: set[str]) -> None:
    try:
        value = strict(content.all())
    except ValueError as error:
        scope.issue(Code.CONTAINER_TAMPERED, "high", f"the manifest is not JSON ({ascii(str(error))[1:80]})", 0)
        return
    model: Any = value.get("model") if isinstance(value, dict) else None
    if not isinstance(model, dict):
        scope.issue(Code.BROKEN_STREAM, "medium", "the manifest describes no model", 0)
        return
    handler = str(model.get("handler", ""))
    file = handler.partition(":")[0]
    shown = ascii(handler)[:120]
    if file and file not in members and file + ".py" not in members and file not in _BUILT_IN:
        text = f"the handler is {shown}, which is not in the archive: the server imports that module"
        scope.issue(Code.UNKNOWN_NAME, "high", text, None, handler[:120])
    for key in ("serializedFile", "modelFile", "handler", "requirementsFile", "configFile", "extraFiles"):
        if isinstance(model.get(key), str) and escapes(model[key]):
            text = f"the manifest's {key} is {ascii(model[key])[:120]}, outside of the archive"
            scope.issue(Code.PATH_TRAVERSAL, "high", text)
    if model.get("requirementsFile"):
        text = (
            f"the server installs what {ascii(model['requirementsFile'])[:80]} lists: packages run code when installed"
        )
        scope.issue(Code.EXTERNAL_DATA, "medium", text)
