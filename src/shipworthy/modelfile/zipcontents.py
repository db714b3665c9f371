"""The compressed contents of zip members (PKWARE APPNOTE 6.3.10, sections 4.4.5 and 5.8)."""

from __future__ import annotations

from shipworthy.modelfile import compressed
from shipworthy.modelfile.report import Code
from shipworthy.modelfile.scope import LimitReachedError, Scope
from shipworthy.modelfile.view import View
from shipworthy.modelfile.zipdirectory import METHODS, Entry


def unpack(scope: Scope, entry: Entry, packed: View) -> tuple[View | None, str]:
    """The content, and what is wrong (or empty). Raises LimitReachedError."""
    if entry.size > scope.limits.ratio_from and entry.size > scope.limits.ratio * max(entry.packed, 1):
        text = f"the member {entry.shown} unpacks {entry.packed} bytes to {entry.size >> 20} MiB: a bomb"
        scope.issue(Code.BOMB, "high", text, entry.offset)
        raise LimitReachedError(text)
    if entry.method == 14:
        return _lzma(scope, packed, entry.size)
    content, used, wrong = compressed.unpack(scope, packed, METHODS[entry.method], many=False)
    if content is not None and used < len(packed):
        scope.issue(
            Code.UNEXPLAINED_BYTES,
            "medium",
            f"bytes follow the compressed data of {entry.shown}",
            entry.offset,
        )
    return content, wrong


def _lzma(scope: Scope, packed: View, size: int) -> tuple[View | None, str]:
    """Zip's LZMA has a header of its own (APPNOTE 5.8.8): version, size of properties, properties; then a raw stream,
    which with the size put in is the classic .lzma format.
    """
    properties = packed.read(4, packed.u16(2))
    if len(properties) != 5 or packed.u16(2) != 5 or size > 1 << 62:
        return None, "its LZMA header is not valid"
    body = properties + size.to_bytes(8, "little") + packed.read(9, min(len(packed), 1 << 30))
    content, _, wrong = compressed.unpack(scope, View.of(body), "lzma", many=False)
    return content, wrong
