"""Texts that a model keeps for its users: some programs keep a pickle there, as it is, in base64 or in hexadecimal."""

from __future__ import annotations

import binascii
import contextlib
from collections.abc import Iterator
from typing import Any

from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.sniff import HEAD, HIDDEN, sniff
from shipworthy.modelfile.strictjson import leaves
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

_LEAST, _MOST = 10, 16 << 20
_URLS = bytes.maketrans(b"-_", b"+/")
_BASE64 = regex(rb"[A-Za-z0-9+/_\-\s]{16,}={0,2}\s*")
_HEX = regex(rb"[0-9a-fA-F\s]+")
_TEXT, _FILES = 20, 1000
_RUN = regex(rb"(?<![A-Za-z0-9+/_\-\\=])[A-Za-z0-9+/_\-\\=]{20,}\"")  # before the quote that ends a text
# Python's decoder passes over what is no base64. A document larger than this is searched only if it has a long run, or
# a text that begins as a pickle of protocols 2 to 5 does.
_SEARCHED = 1 << 20
_SPOILED = regex(rb"\"[^A-Za-z0-9+/_\-\"]{0,9}g[^A-Za-z0-9+/_\-\"]{0,9}A[^A-Za-z0-9+/_\-\"]{0,9}[I-X]")
_OTHER = regex(rb"[^A-Za-z0-9+/_\-]+")
_HEAD = 32
# Of any text: what may be base64, broken into lines or not
_LINES = regex(rb"(?<![\w+/=-])[\w+/-]{20,}={0,2}(?:[ \t]*\r?\n[ \t]*[\w+/-]{20,}={0,2})*")
_BEGINNING, _TRIED = 64, 2000
# Pickles of protocols 2 to 5, gzip, zip, bzip2, xz, ELF, Windows, zstd, zlib: what is asked for in texts of many runs
_SURE = regex(rb"gA[I-X]|H4sI|UEs[DF]|Qlpo|/Td6|f0VM|TV[pq]|KLUv|eA[E-H]|eF[4-7]|eJ[w-z]|eN[o-r]")
_PACKED = frozenset(("zlib", "lzma"))


def look(scope: Scope, what: str, raw: bytes) -> None:
    """Scan a value as what it may be besides a text."""
    if len(raw) < _LEAST:
        return
    label = shown(what, 80)
    scope.child(label, View.of(raw), Role.BLOB)
    if b"(" in raw:
        from shipworthy.modelfile import packedcode

        packedcode.judge_text(scope, label, raw)
    for how, inside in _decoded(raw):
        scope.child(f"{label} ({how})", View.of(inside), Role.BLOB)


def search(scope: Scope, raw: bytes, value: Any) -> None:
    """Scan what the texts of a JSON document are in base64 or hexadecimal, if that begins as files do."""
    if len(raw) > _SEARCHED and not _RUN.search(raw) and not _SPOILED.search(raw):
        return
    from shipworthy.modelfile.readers import may_hide

    found = 0
    for key, item in leaves(value):
        if not isinstance(item, str) or len(item) < _TEXT:
            continue
        text = item.rpartition("base64,")[2].encode("utf-8", "surrogatepass")
        for how, inside in _decoded(text):
            if len(inside) < _LEAST or not may_hide(View.of(inside)):
                continue
            format_ = sniff(inside[:HEAD], len(inside))
            if format_ not in HIDDEN and format_ not in _PACKED:
                continue
            found += 1
            if found > _FILES:
                scope.unknown(f"only the first {_FILES} files in its texts were read")
                return
            scope.child(f"{shown(str(key), 80)} ({how})", View.of(inside), Role.BLOB)


def held(text: str) -> list[str]:
    """The texts in a YAML, or in any other text, that begin as files do in base64."""
    found = []
    for number, run in enumerate(_LINES.finditer(text.encode("utf-8", "replace"))):
        if number > _TRIED and not _SURE.match(run[0]):
            continue
        begins = b"".join(run[0][: 2 * _BEGINNING].split())[:_BEGINNING].translate(_URLS)
        head = binascii.a2b_base64(begins[: len(begins) // 4 * 4])
        if sniff(head) in HIDDEN | _PACKED:
            found.append(run[0].decode("ascii", "replace"))
            if len(found) > _FILES:
                break
    return found


def _decoded(raw: bytes) -> Iterator[tuple[str, bytes]]:
    if len(raw) >= _MOST:
        return
    if not _BASE64.fullmatch(raw):
        yield from _spoiled(raw)
        return
    with contextlib.suppress(binascii.Error):
        yield "base64", binascii.a2b_base64(raw.translate(_URLS))
    if _HEX.fullmatch(raw):
        with contextlib.suppress(ValueError):
            yield "hexadecimal", bytes.fromhex(raw.decode())


def _spoiled(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What Python's decoder gives for a text with other characters in it, if that begins as a file does."""
    first = _OTHER.sub(b"", raw[:_HEAD].translate(_URLS))
    head = first[: len(first) // 4 * 4]
    with contextlib.suppress(binascii.Error):
        if sniff(binascii.a2b_base64(head), len(raw)) in HIDDEN | _PACKED:
            yield "base64", binascii.a2b_base64(raw.translate(_URLS))
