"""Does the signature cover the bytes that are held?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence import RefusedError, envelope
from shipworthy.evidence.oms import SINGLE_FILE, SignedModel, read_signed
from shipworthy.evidence.statement import parse
from shipworthy.guard.held import Held
from shipworthy.keys import PublicKey, load_public

_LIMIT = 64 << 20
Key = PublicKey | Path | str


def keys_of(trusted: Sequence[Key]) -> tuple[PublicKey, ...]:
    """Public keys; paths are read. Raises UsageError, EnvironmentFailure."""
    return tuple(key if isinstance(key, PublicKey) else load_public(Path(key)) for key in trusted)


def open_signature(signature: Path | str | bytes, trusted: Sequence[Key]) -> Signature:
    """Verify a model signature (OpenSSF Model Signing v1.0, `model.sig`) with trusted keys.

    Raises UsageError without a key, RefusedError when it does not verify, EnvironmentFailure when it can't be read.
    """
    keys = keys_of(trusted)
    if not keys:
        raise UsageError(
            "a signature says nothing without a key that is trusted",
            where="shipworthy.load",
            remedy='name one: trusted=["release.key.pub"]',
        )
    place = None if isinstance(signature, bytes) else Path(signature)
    where = str(place) if place is not None else "the signature"
    raw = signature if isinstance(signature, bytes) else _read(Path(signature))
    opened = envelope.verify(raw, keys, strict=False, where=where)
    allowed = frozenset({place.name}) if place is not None else frozenset()
    signed = read_signed(parse(opened.payload, where), allow_left_out=allowed, where=where)
    return Signature(signed, place.parent.resolve() if place is not None else None, where)


class Signature:
    """A verified signature, to be compared with what is held."""

    def __init__(self, signed: SignedModel, folder: Path | None, where: str) -> None:
        self._signed, self._folder, self._where = signed, folder, where
        self._digests = dict(signed.files)

    def check(self, held: Held) -> None:
        """Raises RefusedError when the held bytes are not what was signed."""
        name, expected = self._entry(held)
        if expected is None:
            raise RefusedError(
                f"the signature does not cover {name}",
                where=held.name,
                expected=f"a file that {self._where} lists",
                remedy="sign the model again with this file in it, or load one that is signed",
            )
        if expected != held.digest:
            raise RefusedError(
                f"the bytes are not the ones that were signed: {held.digest}, signed was {expected}",
                where=held.name,
                expected=expected,
                actual=held.digest,
                remedy="get the model again from where it was signed; do not load this one",
            )

    def _entry(self, held: Held) -> tuple[str, str | None]:
        if self._signed.single_file:
            return held.path.name, self._digests[SINGLE_FILE]
        path = held.path.resolve()
        if self._folder is not None and path.is_relative_to(self._folder):
            name = path.relative_to(self._folder).as_posix()
            if name in self._digests:
                return name, self._digests[name]
            # a signature that lies beside the folder that it is about
            inside = name.partition("/")[2]
            if name.partition("/")[0] == self._signed.name and inside in self._digests:
                return inside, self._digests[inside]
            return name, None
        return path.name, self._digests.get(path.name)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LIMIT + 1)
    except FileNotFoundError:
        raise UsageError(
            "there is no such signature", where=str(path), remedy="make one with `shipworthy sign`, or check the path"
        ) from None
    except OSError as error:
        raise EnvironmentFailure(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(raw) > _LIMIT:
        raise UsageError("this is no model signature: it is too large", where=str(path))
    return raw
