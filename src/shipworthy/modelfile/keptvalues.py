"""Texts that a model keeps for its users: some programs keep a pickle there, as it is or in base64."""

from __future__ import annotations

import binascii

from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.shown import shown
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

_LEAST, _MOST = 10, 16 << 20
_URLS = bytes.maketrans(b"-_", b"+/")
_BASE64 = regex(rb"[A-Za-z0-9+/_\-\s]{16,}={0,2}\s*")


def look(scope: Scope, what: str, raw: bytes) -> None:
    """Scan a value as what it may be besides a text."""
    if len(raw) < _LEAST:
        return
    label = shown(what, 80)
    scope.child(label, View.of(raw), Role.BLOB)
    if len(raw) < _MOST and _BASE64.fullmatch(raw):
        try:
            inside = binascii.a2b_base64(raw.translate(_URLS))
        except binascii.Error:
            return
        scope.child(f"{label} (base64)", View.of(inside), Role.BLOB)
