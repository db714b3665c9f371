"""A transparency log of one's own: entries can be added and never changed, and whoever keeps a checkpoint can tell.

    merkle.py      the tree and its proofs (RFC 6962, section 2.1)
    note.py        signed notes (C2SP signed-note): the text of a checkpoint and its signature
    checkpoint.py  checkpoints (C2SP tlog-checkpoint): origin, size, root
    tiles.py       where hashes and entries lie (C2SP tlog-tiles): plain files that any web server can give out
    log.py         the log in a folder: add, prove, verify

It is a local log and no public one. It shows what was altered, left out or dated back after somebody else has got a
checkpoint; whoever holds its key and its disk can write another history for those who have none.
"""

from shipworthy.tlog.checkpoint import Checkpoint
from shipworthy.tlog.log import Entry, Log, Proof, TamperedError
from shipworthy.tlog.note import Verifier, verifier_of

__all__ = ["Checkpoint", "Entry", "Log", "Proof", "TamperedError", "Verifier", "verifier_of"]
