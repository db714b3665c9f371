"""The files of torch.distributed.checkpoint: whole archives of torch, one right behind the other (its filesystem.py).

Which bytes of them are loaded as an archive, `.metadata` beside them says.
"""

from __future__ import annotations

from pathlib import Path

from shipworthy.modelfile.scope import Role, Scope
from shipworthy.modelfile.view import View
from shipworthy.modelfile.zipdirectory import END, END64, END_SIZE, LOCAL, LOCATOR64


def parts(scope: Scope) -> list[tuple[int, int]]:
    """Where each archive begins and ends, from the last to the first. Empty unless there are several, under the suffix
    that torch gives such files, without a byte between them.
    """
    view, path = scope.view, scope.state.path
    if path is None or scope.name or scope.role is not Role.FILE or Path(path).suffix != ".distcp":
        return []
    found: list[tuple[int, int]] = []
    stop = len(view)
    while stop > 0:
        low = _begin(view, stop)
        if low < 0 or len(found) >= scope.limits.entries:
            return []
        found.append((low, stop))
        stop = low
    return found if len(found) > 1 else []


def _begin(view: View, stop: int) -> int:
    """Where an archive without a comment begins that ends here, or -1. Its 64-bit record is the one that touches its
    locator: the place that this names is counted from the archive's beginning.
    """
    at = stop - END_SIZE
    if at < 0 or view.read(at, 4) != END:
        return -1
    size, offset, directory_end = view.u32(at + 12), view.u32(at + 16), at
    if view.read(at - 20, 4) == LOCATOR64 and at >= 76:
        directory_end = at - 76
        if view.read(directory_end, 4) != END64:
            return -1
        size, offset = view.u64(directory_end + 40), view.u64(directory_end + 48)
    low = directory_end - size - offset
    return low if 0 <= low < at and view.read(low, 4) == LOCAL else -1
