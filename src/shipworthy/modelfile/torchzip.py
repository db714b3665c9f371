"""Torch's zip layout: one pickle whose persistent ids name raw storages (torch/serialization.py, caffe2/serialize)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex
from shipworthy.records import replace

if TYPE_CHECKING:
    from shipworthy.modelfile import torchbombs
    from shipworthy.modelfile.zipdirectory import Entry

_SMALL = frozenset(
    ("version", "byteorder", ".data/version", ".data/serialization_id", ".format_version", ".storage_alignment")
)
_PICKLES = frozenset(("data.pkl", "constants.pkl"))
_SMALL_TEXT = regex(rb"[\w.:+-]{0,128}\n?")
_STORAGE = regex(r"(?:[^/]*/)?(?:data|constants|tensors)/(\d{1,9}|[^/]+\.storage)")


def is_torch(entries: Sequence[Entry]) -> bool:
    """A data.pkl at the top or in the archive's one folder."""
    return any(entry.name.endswith("data.pkl") and "data.pkl" in _names(entry.name) for entry in entries)


def read(scope: Scope, entries: Sequence[Entry], open_entry: Callable[[Scope, Entry], View | None]) -> None:
    """Read the pickles, compare the storages with what they ask for, look into the rest by content."""
    from shipworthy.modelfile.zips import queue

    if not any(entry.crc for entry in entries):  # written so by torch.serialization.set_crc32_options(False)
        for entry in entries:
            entry.crc = -1
    wanted: dict[str, int | None] = {}
    script = any("code/" in entry.name and _is_code(entry.name) for entry in entries)
    for entry in entries:
        if _is_pickle(entry.name):
            content = open_entry(scope, entry)
            if content is not None:
                folder = entry.name.removesuffix(".pkl") + "/"
                wanted.update({folder + key: size for key, size in _pickle(scope, entry.name, content, script).items()})
    present: set[str] = set()
    at_load: torchbombs.AtLoad | None = None
    for entry in reversed(entries):
        name = entry.name
        if _is_pickle(name):
            continue
        if _STORAGE.fullmatch(name):
            present.add(name)
            _storage(scope, entry, wanted.get(name))
        elif not entry.size and not entry.packed:
            continue
        elif name.endswith(".py") and _is_code(name):
            from shipworthy.modelfile import torchbombs, torchscript

            at_load = at_load or torchbombs.AtLoad()
            content = open_entry(scope, entry)
            if content is not None:
                inner = scope.nested(name, content)
                inner.note_member("", "torchscript", len(content))
                torchscript.read_code(inner, content, at_load)
        elif "bytecode.pkl" in _names(name):
            from shipworthy.modelfile import torchscript

            content = open_entry(scope, entry)
            if content is not None:
                torchscript.read_bytecode(scope.nested(name, content), content)
                queue(scope, entry)
        elif not _SMALL.isdisjoint(_names(name)) and entry.size <= 200 and entry.method == 0:
            content = open_entry(scope, entry)
            if content is None or not _SMALL_TEXT.fullmatch(content.all()):
                queue(scope, entry)
        else:
            queue(scope, entry)
    if at_load is not None:
        at_load.judge(scope)
    missing = sorted(key for key in wanted if key not in present)
    if missing:
        shown = ascii(missing[0])[:60]
        scope.issue(
            Code.CONTAINER_TAMPERED, "medium", f"{len(missing)} tensor storages are missing, the first is {shown}"
        )


def _names(name: str) -> tuple[str, str]:
    """A member's name in the archive, and in the archive's one folder: torch takes both."""
    return name, name.partition("/")[2]


def _is_pickle(name: str) -> bool:
    return name.endswith(".pkl") and not _PICKLES.isdisjoint(_names(name))


def _is_code(name: str) -> bool:
    return any(item.startswith("code/") for item in _names(name))


def _pickle(scope: Scope, name: str, content: View, script: bool) -> dict[str, int | None]:
    inner = scope.nested(name, content)
    if script:
        # A module written in `__main__` is `__torch__:Name`: torch's interpreter builds it from the code beside it, and
        # Python has no such module.
        inner = replace(inner, state=replace(scope.state, trust=(*scope.trust, "__torch__:*")))
    if scope.trace is not None:
        scope.trace.append(f"== {inner.name}: pickle, {len(content)} bytes")
    inner.note_member("", "pickle", len(content))
    machine = pickles.walk_stream(inner, content)
    return {storage.key: pickles.storage_bytes(storage) for storage in machine.storages}


def _storage(scope: Scope, entry: Entry, wanted: int | None) -> None:
    """Raw numbers: only what is a file of a known kind to the last byte is looked into.

    Their checksum is not compared: torch's reader is built without that check (MINIZ_DISABLE_ZIP_READER_CRC32_CHECKS),
    a forger can compute one, and to read every byte for it would cost more than the rest of the scan by far.
    """
    from shipworthy.modelfile.zips import queue

    if wanted is not None and wanted != entry.size:
        text = f"the storage {ascii(entry.name)[:100]} has {entry.size} bytes, the pickle asks for {wanted}"
        scope.issue(Code.CONTAINER_TAMPERED, "medium", text, entry.offset)
    plain = entry.method == 0 and not entry.encrypted and entry.size == entry.packed
    if plain and wanted == entry.size and isinstance(scope.view, FarView):
        scope.state.left += entry.size  # the pickle tells what it is, as the header of safetensors does
    elif plain:
        scope.child(entry.name, scope.view.sub(entry.data, entry.packed), Role.BLOB)
    else:
        queue(scope, entry, Role.BLOB)
