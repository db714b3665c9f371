"""What there is to look at."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import UsageError
from shipworthy.records import dataclass, field


class Kind(StrEnum):
    """What an artifact is; decided once, by `shipworthy.artifacts`. A check says which kinds it reads."""

    CODE = "code"
    NOTEBOOK = "notebook"
    DATASET = "dataset"
    MODEL = "model"
    REQUIREMENTS = "requirements"
    DOCKERFILE = "dockerfile"
    IAC = "iac"
    WORKFLOW = "workflow"
    PROMPT = "prompt"
    IMAGE = "image"
    SERVICE = "service"
    HOST = "host"
    TEXT = "text"
    OTHER = "other"


@dataclass(frozen=True)
class Artifact:
    """One thing with a digest.

    `uri` is the path relative to the workspace with `/` between parts (printable: undecodable bytes and control
    characters are percent-encoded), or an absolute URI for what came from elsewhere. `digest` is `sha256:` and 64 hex
    digits; `size` is in bytes. `path` is where the bytes lie on this machine: it is not part of the identity and is
    never written to a report.
    """

    uri: str
    kind: Kind
    digest: str
    size: int
    media_type: str = "application/octet-stream"
    path: Path | None = field(default=None, compare=False, repr=False)

    def open(self) -> BinaryIO:
        """The bytes, for reading. Raises UsageError when they are not on this machine, OSError when unreadable."""
        if self.path is None:
            raise UsageError("the bytes of this artifact are not on this machine", where=self.uri)
        return self.path.open("rb")

    def read_bytes(self, limit: int | None = None) -> bytes:
        """All bytes, or the first `limit` of them."""
        with self.open() as stream:
            return stream.read() if limit is None else stream.read(limit)

    def read_text(self, limit: int | None = None) -> str:
        """The bytes as UTF-8, undecodable ones replaced: for looking, never for running."""
        return self.read_bytes(limit).decode("utf-8", errors="replace")
