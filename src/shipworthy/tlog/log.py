"""A log in a folder: `checkpoint`, and the tiles under `tile/`.

What is added is on the disk before the checkpoint says so, and the checkpoint is replaced in one step: a crash leaves
the log as it was before, and files that nobody asks for. One process adds at a time.
"""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError
from shipworthy.files import read_regular, write_atomically
from shipworthy.tlog import merkle
from shipworthy.tlog.checkpoint import Checkpoint, open_checkpoint
from shipworthy.tlog.note import NOTE_LIMIT, Signer, Verifier, verifier_of
from shipworthy.tlog.tiles import ENTRY_LIMIT, WIDTH, Tiles

CHECKPOINT = "checkpoint"


class TamperedError(EvidenceError):
    """The log is not what it was: it was truncated, altered, or tells different people different histories."""


@dataclass(frozen=True)
class Entry:
    """What was added, and its place (from 0)."""

    index: int
    data: bytes


@dataclass(frozen=True)
class Proof:
    """That an entry is in the log of a checkpoint: its place, the hashes up to the root, and the checkpoint as it was
    signed.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def holds(self, entry: bytes, log: Verifier) -> Checkpoint:
        """The checkpoint, verified, in whose log the entry is. Raises EvidenceError when the proof proves nothing."""
        found = open_checkpoint(self.checkpoint, log)
        leaf = merkle.leaf_hash(entry)
        if not merkle.verify_inclusion(leaf, self.index, found.size, self.path, found.root):
            raise EvidenceError(
                "the proof does not lead from the entry to the log's root", where=log.name, remedy="get it from the log"
            )
        return found

    def as_dict(self) -> dict[str, object]:
        """JSON values."""
        return {
            "index": self.index,
            "path": [base64.b64encode(one).decode() for one in self.path],
            "checkpoint": self.checkpoint.decode(),
        }


@dataclass(frozen=True)
class Log:
    """The log in `root` under a name, `origin`, such as `example.org/models`."""

    root: Path
    origin: str

    def exists(self) -> bool:
        """Whether anything was ever added."""
        return (self.root / CHECKPOINT).is_file()

    def checkpoint(self, log: Verifier) -> tuple[bytes, Checkpoint]:
        """The newest checkpoint, as it was signed and as it reads. Raises UsageError when there is none, EvidenceError
        when it does not verify.
        """
        raw = self._raw()
        if not raw:
            raise UsageError(
                "there is no log here",
                where=str(self.root),
                remedy="`shipworthy log add` makes it with its first entry",
            )
        return raw, open_checkpoint(raw, log, where=str(self.root / CHECKPOINT))

    def add(self, entries: Sequence[bytes], signer: Signer) -> Checkpoint:
        """Add the entries, each of at most 65,535 bytes, and sign the new checkpoint. Raises UsageError for one that is
        too long, EvidenceError when what is there does not verify, EnvironmentFailure when it cannot be written.
        """
        if any(len(entry) > ENTRY_LIMIT for entry in entries):
            raise UsageError(f"an entry of a log has at most {ENTRY_LIMIT} bytes", where=self.origin)
        verifier = verifier_of(self.origin, signer.public_key())
        with self._alone():
            old = self.checkpoint(verifier)[1] if self.exists() else Checkpoint(self.origin, 0, merkle.EMPTY)
            tiles = Tiles(self.root, old.size)
            if merkle.range_hash(tiles.subtree, 0, old.size) != old.root:
                raise TamperedError(
                    "the hashes are not those of its checkpoint", where=str(self.root), remedy="restore it from a copy"
                )
            if not entries:
                return old
            grown = tiles.grown([merkle.leaf_hash(entry) for entry in entries], entries)
            new = Checkpoint(self.origin, grown.size, merkle.range_hash(grown.subtree, 0, grown.size))
            write_atomically(self.root / CHECKPOINT, new.signed(signer))
        return new

    def entries(self, log: Verifier) -> Iterator[Entry]:
        """Every entry, in order. Raises EvidenceError when the files are not what the checkpoint says."""
        size = self.checkpoint(log)[1].size
        tiles = Tiles(self.root, size)
        for number in range((size + WIDTH - 1) // WIDTH):
            for at, data in enumerate(tiles.entries(number)):
                yield Entry(number * WIDTH + at, data)

    def find(self, entry: bytes, log: Verifier) -> int | None:
        """The first place of an entry; None when it was never added."""
        return next((one.index for one in self.entries(log) if one.data == entry), None)

    def prove(self, index: int, log: Verifier) -> Proof:
        """That the entry is in the log. Raises UsageError when there is none, EvidenceError when the log is damaged."""
        raw, now = self.checkpoint(log)
        if not 0 <= index < now.size:
            raise UsageError(f"there is no entry {index} in the log", where=self.origin)
        return Proof(index, tuple(merkle.inclusion_proof(Tiles(self.root, now.size).subtree, index, now.size)), raw)

    def verify(self, log: Verifier, since: Sequence[bytes] = ()) -> Checkpoint:
        """Read all of it again: every entry leads to the root, and it has grown out of each checkpoint of `since`,
        which somebody kept elsewhere. Raises TamperedError when not, EvidenceError for one that does not verify.
        """
        now = self.checkpoint(log)[1]
        tiles = Tiles(self.root, now.size)
        for entry in self.entries(log):
            if merkle.leaf_hash(entry.data) != tiles.subtree(0, entry.index):
                raise TamperedError(
                    f"the entry {entry.index} was changed", where=str(self.root), remedy="restore it from a copy"
                )
        if _root(tiles, now.size) != now.root:
            raise TamperedError("the hashes are not those of its checkpoint", where=str(self.root))
        for raw in since:
            self._grown_from(open_checkpoint(raw, log), now, tiles)
        return now

    def _grown_from(self, old: Checkpoint, now: Checkpoint, tiles: Tiles) -> None:
        remedy = "somebody has another history of this log: find out who, before anything that it says is believed"
        if old.size > now.size:
            raise TamperedError(
                f"the log was cut: it had {old.size} entries and has {now.size}", where=self.origin, remedy=remedy
            )
        if old.size and _root(tiles, old.size) != old.root:
            raise TamperedError(
                f"the first {old.size} entries are not those of the checkpoint that was kept",
                where=self.origin,
                remedy=remedy,
            )

    def _raw(self) -> bytes:
        try:
            return read_regular(self.root / CHECKPOINT, NOTE_LIMIT + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(self.root / CHECKPOINT)) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise EnvironmentFailure(f"the log cannot be written: {error.strerror}", where=str(self.root)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _root(tiles: Tiles, size: int) -> bytes:
    """The root computed from the leaves' tiles alone, so that a tile of a higher level cannot stand in for them."""
    leaves = [tiles.subtree(0, index) for index in range(size)]
    return merkle.range_hash(lambda level, number: _of(leaves, level, number), 0, size)


def _of(leaves: Sequence[bytes], level: int, number: int) -> bytes:
    row = list(leaves[number << level : (number + 1) << level])
    while len(row) > 1:
        row = [merkle.node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]
