"""Payloads in bytes where none should be: at whatever offset they begin, behind padding or junk."""

from __future__ import annotations

import re

from shipworthy.modelfile.far import FarView
from shipworthy.modelfile.pickles import reader as pickles
from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.sniff import EXECUTABLES, HEAD, HIDDEN, sniff
from shipworthy.patterns import regex
from shipworthy.records import replace

# Each with enough of what follows the magic that numbers hardly ever look like it. That is not consumed: another file
# may begin in it.
_BEGINS = regex(
    rb"\x7fELF(?=[\x01\x02][\x01\x02]\x01)|MZ(?=.{58}..\0\0)|[\xce\xcf]\xfa\xed\xfe(?=.\0\0[\0\x01])|"
    rb"\xfe\xed\xfa[\xce\xcf](?=[\0\x01]\0\0)|\0asm(?=[\x01-\x0d]\0[\0\x01]\0)|#!(?= ?/(?:[\w.-]{1,40}/){1,6}\w)|"
    rb"PK\x03\x04(?=[\x0a-\x3f]\0)|\x1f\x8b\x08(?=[\0-\x1f].{4}[\0\x02\x04])|BZh(?=[1-9]1AY&SY)|\xfd7zXZ\0|"
    rb"7z\xbc\xaf\x27\x1c|Rar!\x1a\x07|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18",
    re.DOTALL,
)
_WINDOW = 16 << 20
_CANDIDATES = 4096
_LOOKED_INTO = 64
_PROGRAM = 1 << 16  # within which a program of Windows says that it is one
_MORE = "bytes that belong to nothing hold more places than were looked at where a file may begin"


def search(scope: Scope, format_: str) -> None:
    """Look for programs, archives and pickles in the first and the last 16 MiB of what was taken for `format_`."""
    if format_ in EXECUTABLES:
        return  # which was told
    if isinstance(scope.view, FarView):
        scope = replace(scope, view=scope.view.near())
    size = len(scope.view)
    found = _in(scope, 1, min(size, _WINDOW))
    if size > _WINDOW:
        found += _in(scope, max(size - _WINDOW, _WINDOW), size)
    if size > 2 * _WINDOW:
        scope.unknown(
            f"of {size} bytes that belong to nothing only the first and last {_WINDOW >> 20} MiB were searched"
        )
    if not found:
        pickles.search(scope, "a pickle is hidden in bytes that belong to nothing", _MORE)


def _in(scope: Scope, low: int, high: int) -> int:
    view, found, looked = scope.view, 0, 0
    places = (match.start() for match in _BEGINS.finditer(view.buffer, view.start + low, view.start + high))
    for number, place in enumerate(places):
        if number >= _CANDIDATES or looked >= _LOOKED_INTO:
            scope.unknown(_MORE)
            break
        at = place - view.start
        format_ = sniff(view.read(at, _PROGRAM if view.buffer[place] == 0x4D else HEAD)) or ""
        if format_ not in HIDDEN and format_ != "script":
            continue
        scope.child(f"bytes at {at}", view.sub(at, len(view)), Role.TRAILER, format_)
        found += format_ in EXECUTABLES
        looked += 1
        if found:
            break
    return found
