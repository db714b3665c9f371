"""Where the bytes are that evidence speaks of: a resolver yields every place where they should lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.names import check_path

Resolver = Callable[[str, str], Iterable[Path]]
"""Called with a name (empty: by digest alone) and a digest; yields paths, whose bytes the verifier hashes itself."""


class Blobs(Protocol):
    """What a resolver needs of a store."""

    def locate(self, digest: str) -> Path | None:
        """Where the bytes lie, unchecked; None when they are not here."""
        ...


def nowhere(name: str, digest: str) -> tuple[Path, ...]:  # noqa: ARG001 - a Resolver's signature
    """A resolver for when only the attestations are to be verified."""
    return ()


def places(
    *folders: Path, paths: Mapping[str, Path] | None = None, store: Blobs | None = None
) -> Callable[[str, str], Iterator[Path]]:
    """A resolver: names as relative paths in the folders (the workspace, the evidence), names or digests that `paths`
    gives a place to, digests in a store. A name that leads out of a folder is not looked up.
    """
    given = dict(paths or {})

    def resolver(name: str, digest: str) -> Iterator[Path]:
        for key in (name, digest):
            if key in given:
                yield given[key]
        if name and name not in given and digest not in given:
            yield from _in_folders(folders, name)
        if store is not None and (path := store.locate(digest)) is not None:
            yield path

    return resolver


def _in_folders(folders: tuple[Path, ...], name: str) -> Iterator[Path]:
    try:
        check_path(name)
    except RefusedError:
        return  # such a name stands for no file
    for folder in folders:
        path = folder / name
        if path.exists() or path.is_symlink():
            yield path
