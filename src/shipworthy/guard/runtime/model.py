"""Is the model on disk still the one that was verified when the guard began? What is asked often is cheap: the kernel's
own time of change, which nobody but the superuser can set; only when that moved are the bytes read again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from shipworthy.errors import ShipworthyError
from shipworthy.guard.runtime.core import Guard

_Seen = tuple[tuple[str, int, int, int, int], ...]


class ModelWatch:
    """Looks at a model; `verify` gives its digest, or raises a ShipworthyError."""

    def __init__(self, guard: Guard, model: Path, digest: str, verify: Callable[[], str]) -> None:
        self._guard, self._model, self._digest, self._verify = guard, model, digest, verify
        self._seen: _Seen = ()  # the first look reads it: it may have been changed since it was verified
        self._wrong = False

    def look(self) -> None:
        """Halt the guard when the model was changed, and let it go on when the model is what it was."""
        now = _seen(self._model)
        if now == self._seen:
            return
        try:
            wrong = self._verify() != self._digest
            why = "another digest" if wrong else ""
        except (ShipworthyError, OSError) as error:
            wrong, why = True, type(error).__name__
        if wrong and not self._wrong:
            self._guard.halt("model-changed", {"model": self._digest, "error": why})
        elif self._wrong and not wrong:
            self._guard.resume("model-restored", {"model": self._digest})
        self._wrong = wrong
        self._seen = now if _seen(self._model) == now else ()  # changed while it was read: once more


def _seen(model: Path) -> _Seen:
    found = [_state(model, "")]
    for folder, folders, files in os.walk(model):
        found += [_state(Path(folder) / name, os.path.relpath(folder, model)) for name in (*folders, *files)]
    return tuple(sorted(found))


def _state(path: Path, folder: str) -> tuple[str, int, int, int, int]:
    try:
        told = path.lstat()
    except OSError as error:
        return (f"{folder}/{path.name}", error.errno or -1, 0, 0, 0)
    return (f"{folder}/{path.name}", told.st_dev, told.st_ino, told.st_size, told.st_ctime_ns)
