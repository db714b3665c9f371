"""What the corpus of hostile files consists of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shipworthy.modelfile import Code

# Which rules are right for an attack. Where two readings of one file are possible, both of their rules are.
CALLED = frozenset({Code.CODE_EXECUTION, Code.UNKNOWN_CALLABLE})
NAMED = CALLED | {Code.UNKNOWN_NAME}
TAMPERED = CALLED | {Code.STATE_TAMPERING}
BROKEN = frozenset({Code.BROKEN_STREAM})
ODD = frozenset({Code.CONTAINER_TAMPERED, Code.BROKEN_STREAM, Code.UNEXPLAINED_BYTES, Code.HIDDEN_PAYLOAD})
HIDDEN = frozenset({Code.HIDDEN_PAYLOAD, Code.UNEXPLAINED_BYTES, Code.CONTAINER_TAMPERED}) | CALLED
BOMB = frozenset({Code.BOMB, Code.BROKEN_STREAM})
PATH = frozenset({Code.PATH_TRAVERSAL})
OUTSIDE = frozenset({Code.PATH_TRAVERSAL, Code.EXTERNAL_DATA})
REACHES = OUTSIDE | {Code.DANGEROUS_OPERATOR}
FOREIGN = frozenset({Code.FOREIGN_CONTENT})
CUSTOM = frozenset({Code.CUSTOM_OPERATOR})
DANGEROUS = frozenset({Code.DANGEROUS_OPERATOR})
OPERATOR = CUSTOM | DANGEROUS
KERAS = frozenset({Code.KERAS_FOREIGN_CLASS, Code.KERAS_LAMBDA, Code.CODE_EXECUTION})
TEMPLATE = frozenset({Code.TEMPLATE_ESCAPE})
YAML = frozenset({Code.YAML_OBJECT})
REMOTE = frozenset({Code.REMOTE_CODE})


@dataclass(frozen=True)
class Unit:
    """One attack: the hostile file first, then what lies beside it. `codes` are the rules that are right for it;
    `structural` says that the file lies about its structure rather than naming what it runs.
    """

    id: str
    family: str
    files: dict[str, bytes]
    codes: frozenset[Code]
    structural: bool = False

    @property
    def data(self) -> bytes:
        """The hostile file."""
        return next(iter(self.files.values()))


def unit(
    family: str,
    name: str,
    data: bytes,
    codes: Iterable[Code],
    file: str = "model.pkl",
    structural: bool = False,
    **beside: bytes,
) -> Unit:
    """A unit of one file, or of several: keywords are names, with `__` for a dot."""
    files = {file: data, **{key.replace("__", "."): raw for key, raw in beside.items()}}
    return Unit(f"{family}/{name}", family, files, frozenset(codes), structural)
