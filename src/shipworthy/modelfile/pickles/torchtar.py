"""The tar that torch wrote before 0.1.10: members in which pickles and raw numbers take turns.

Source: torch/serialization.py, `legacy_load`: a count; for each storage a pickle, an int64 count and the elements; a
list of views; and for each tensor a pickle, the number of its dimensions in eight bytes, sizes, strides and an offset.
"""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.modelfile.pickles.machine import Machine
from shipworthy.modelfile.pickles.values import Storage
from shipworthy.modelfile.view import View
from shipworthy.patterns import regex

MEMBERS = ("storages", "tensors")
_COUNT = regex(rb"(?s)\x80\x02(?:K(.)|M(..)|J(...[\0-\x7f]))\.")
_DIMENSIONS = 64


def count(view: View, end: int) -> int | None:
    """The number that the first stream, which ends at `end`, is."""
    found = _COUNT.fullmatch(view.read(0, min(end, 16)))
    return None if found is None else int.from_bytes(next(raw for raw in found.groups() if raw is not None), "little")


def behind(view: View, at: int, member: str, machine: Machine, size: Callable[[Storage], int | None]) -> int | None:
    """Where the raw numbers behind a pickle end; None when they are not as torch writes them."""
    end = None
    if member == "tensors" and at + 8 <= len(view):
        dimensions = view.u32(at)
        end = at + 16 + 16 * dimensions if dimensions <= _DIMENSIONS and not view.u32(at + 4) else None
    elif at + 8 <= len(view):
        types = [name for module, name in machine.globals if module == "torch" and name.endswith("Storage")]
        taken = size(Storage("", types[0], view.u64(at))) if len(types) == 1 else None
        end = at + 8 + taken if taken is not None else None
    return end if end is not None and end <= len(view) else None
