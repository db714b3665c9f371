"""Checkpoints (c2sp.org/tlog-checkpoint): what a log says of itself at one moment."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from shipworthy.errors import EvidenceError
from shipworthy.tlog import note
from shipworthy.tlog.note import Signer, Verifier


@dataclass(frozen=True)
class Checkpoint:
    """So many entries, with this root (32 bytes), in the log that is called `origin`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signer: Signer) -> bytes:
        """As a note, by the log's key under its origin."""
        return note.sign(self.text(), self.origin, signer)


def open_checkpoint(raw: bytes, log: Verifier, where: str = "the checkpoint") -> Checkpoint:
    """The checkpoint of this log. Raises EvidenceError when it is none, of another log, or not signed by its key."""
    text, _ = note.open_note(raw, (log,), where)
    found = parse(text, where)
    if found.origin != log.name:
        raise EvidenceError(f"it is of another log: {found.origin[:80]}", where=where, remedy=f"this one is {log.name}")
    return found


def parse(text: str, where: str = "checkpoint") -> Checkpoint:
    """Read a checkpoint's text. Lines after the third are allowed and mean nothing here. Raises EvidenceError."""
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    except (IndexError, binascii.Error, ValueError):
        origin, size, root = "", "", b""
    canonical = size.isascii() and size.isdigit() and len(size) < 19 and (size == "0" or not size.startswith("0"))
    if not origin or not canonical or len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        raise EvidenceError("this is no checkpoint", where=where, remedy="get it again from the log")
    return Checkpoint(origin, int(size), root)
