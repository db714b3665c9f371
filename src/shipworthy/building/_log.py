"""The log of a build: to a file as it happens, its last lines kept for messages."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from shipworthy.errors import EnvironmentFailure

_BYTES, _LINES, _LINE = 64 << 20, 20, 400


class Log:
    """Use it as a context. At most 64 MiB are written; what comes after is left out, which the file says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail: deque[str] = deque(maxlen=_LINES)
        self._size, self._part = 0, b""
        self._stream: BinaryIO | None = None

    def __enter__(self) -> Log:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)
        except OSError as error:
            raise EnvironmentFailure(f"the log cannot be written: {error.strerror}", where=str(self.path)) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    def step(self, number: int, total: int, text: str) -> None:
        """An instruction begins. Its text is that of the Dockerfile, without the values of variables."""
        self.write(f"STEP {number}/{total}: {text}\n".encode())

    def write(self, data: bytes) -> None:
        """Output of a program."""
        if self._size < _BYTES and self._stream is not None:
            self._stream.write(data[: _BYTES - self._size])
            self._size += len(data)
            if self._size >= _BYTES:
                self._stream.write(b"\n(the log is full: the rest is left out)\n")
        *lines, self._part = (self._part + data).split(b"\n")
        self._part = self._part[-4 * _LINE :]
        for line in lines[-_LINES:]:
            text = line.decode("utf-8", "replace").rstrip()
            self._tail.append("".join(one if one.isprintable() else "?" for one in text[:_LINE]))

    def last(self) -> tuple[str, ...]:
        """The last lines, without control characters."""
        return tuple(self._tail)
