"""A `.keras` archive: config.json, metadata.json, weights in HDF5 (or .npz), and the layers' own files under assets/.

keras/src/saving/saving_lib.py
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shipworthy.modelfile.keras.judge import judge, parse
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Scope
from shipworthy.modelfile.view import View

if TYPE_CHECKING:
    from shipworthy.modelfile.zipdirectory import Entry

_ASSET = 256 << 20
_CONFIG = "config.json"


def read(scope: Scope, entries: Sequence[Entry]) -> None:
    """Judge the configuration, read assets that are plain text, queue the rest by content."""
    from shipworthy.modelfile.zips import open_entry, queue

    for entry in reversed(entries):
        if entry.name == _CONFIG:
            content = open_entry(scope, entry)
            if content is not None:
                _config(scope.nested(entry.name, content), content)
        elif entry.name.startswith("assets/") and entry.size <= _ASSET:
            content = open_entry(scope, entry)
            if content is not None and not _vocabulary(scope, entry.name, content):
                queue(scope, entry)
        else:
            queue(scope, entry)


def _config(scope: Scope, content: View) -> None:
    scope.note_member("", "json", len(content))
    if scope.trace is not None:
        scope.trace.append(f"== {scope.name}: the configuration of Keras, {len(content)} bytes")
    value = parse(scope, content.all() if len(content) <= scope.limits.json + 1 else b"", "the configuration")
    if isinstance(value, dict) and "class_name" in value:
        judge(scope, value)
    else:
        scope.issue(Code.CONTAINER_TAMPERED, "medium", "config.json describes no Keras object: Keras refuses it")


def _vocabulary(scope: Scope, name: str, content: View) -> bool:
    """Whether an asset is plain text, such as a vocabulary: nothing that any loader would run."""
    from shipworthy.modelfile.keras import is_architecture
    from shipworthy.modelfile.sniff import HEAD, sniff

    if len(content) and sniff(content.head(HEAD), len(content)) not in ("text", "json"):
        return False  # a vocabulary that starts with "[UNK]" looks like JSON
    try:
        text = content.all().decode("utf-8")
    except UnicodeDecodeError:
        return False
    if "\0" in text or is_architecture(content):
        return False
    scope.note_member(name, "text", len(content))
    return True
