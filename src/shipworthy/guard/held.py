"""A file's bytes, held: read once into memory that nobody can change, and hashed on the way.

Whatever becomes of the path, or of the file behind it, what is scanned is what is loaded. On Linux the copy is a memfd
whose seals forbid every change, to this process too (memfd_create(2), fcntl(2) F_ADD_SEALS); elsewhere it is an unnamed
temporary file. Only pages of memory are used for it: a model needs its size once more while it is being loaded.
"""

from __future__ import annotations

import hashlib
import io
import mmap
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from shipworthy.errors import EnvironmentFailure, ModelRefusedError, UsageError
from shipworthy.modelfile import View

_STEP = 1 << 20
SIZE_LIMIT = 256 << 30


class Held:
    """The held copy of one file. `digest` is `sha256:` and 64 hex digits; `name` is the path as it was given."""

    def __init__(self, path: Path, *, limit: int = SIZE_LIMIT) -> None:
        """Open and read it. Raises UsageError when there is no such regular file, ModelRefusedError when it is larger
        than `limit` bytes, EnvironmentFailure when it can't be read or held.
        """
        self.path, self.name = path, str(path)
        source = _open(path)
        try:
            with open(source, "rb", buffering=0) as stream:
                self._file, self.size, self.digest = _copy(stream, self.name, limit)
        except OSError as error:
            raise EnvironmentFailure(f"the model can't be read: {error.strerror or error}", where=self.name) from error
        self._map = _mapped(self._file, self.size)

    def __enter__(self) -> Held:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go. What was loaded from a mapping of its own keeps its pages."""
        self._file.close()

    @property
    def view(self) -> View:
        """The bytes, for the scanner."""
        return View(self._map, 0, self.size)

    def open(self) -> BinaryIO:
        """The bytes as a stream of its own position, for a framework."""
        return io.BufferedReader(_Stream(self._map, self.size), _STEP)

    @property
    def direct_path(self) -> str:
        """A path that is the sealed memory itself, as long as this is open; empty where the system has none."""
        return f"/proc/{os.getpid()}/fd/{self._file.fileno()}" if sys.platform == "linux" else ""

    @contextmanager
    def as_path(self, suffix: str) -> Iterator[str]:
        """A path of the held bytes that ends in `suffix`, for libraries that take nothing else: in a folder of its own,
        a link to the sealed memory, or a copy where the system has no such thing.
        """
        with tempfile.TemporaryDirectory(prefix="shipworthy-load-") as folder:  # mode 0700
            target = Path(folder) / f"model{suffix}"
            if self.direct_path:
                target.symlink_to(self.direct_path)
            else:
                with target.open("wb") as stream:
                    stream.write(self._map[: self.size])
            yield str(target)


class _Stream(io.RawIOBase):
    """A position over the held bytes."""

    def __init__(self, data: mmap.mmap | bytes, size: int) -> None:
        self._data, self._size, self._at = data, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._data[self._at : min(self._at + len(target), self._size)]
        target[: len(data)] = data
        self._at += len(data)
        return len(data)


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UsageError("there is no such file", where=str(path), remedy="check the path") from None
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"the model can't be opened: {error}", where=str(path)) from None
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise UsageError(
            "this is a folder; only models that are one file, or safetensors with an index, are loaded",
            where=str(path),
            remedy="for safetensors, give the *.safetensors.index.json; convert a TensorFlow SavedModel to .keras",
        )
    raise UsageError("this is no regular file", where=str(path), remedy="copy it into one first")


def _copy(source: IO[bytes], name: str, limit: int) -> tuple[IO[bytes], int, str]:
    """The sealed copy, its size and digest. What grows while it is read is read as far as it goes."""
    target = _memory()
    try:
        digest, size = hashlib.sha256(), 0
        while data := source.read(_STEP):
            size += len(data)
            if size > limit:
                raise ModelRefusedError(f"the model is larger than {limit} bytes", where=name, remedy="raise `limit`")
            digest.update(data)
            target.write(data)
        target.flush()
        return _sealed(target), size, f"sha256:{digest.hexdigest()}"
    except BaseException:
        target.close()
        raise


def _memory() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("shipworthy-model", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        return open(descriptor, "w+b", buffering=0)
    return tempfile.TemporaryFile()


def _sealed(target: IO[bytes]) -> IO[bytes]:
    if sys.platform == "linux":
        import fcntl

        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(target.fileno(), fcntl.F_ADD_SEALS, seals)
    return target


def _mapped(file: IO[bytes], size: int) -> mmap.mmap | bytes:
    if not size:
        return b""
    # private: Linux before 6.7 refuses a shared mapping of sealed memory through a descriptor that could write
    return mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
