"""An image's JSON, read so that nobody can read it otherwise.

Most programs that run images are written in Go, whose reader takes names in any case, and of two the last: beside
`layers`, `Layers` would be another image to them. Every such document is refused (image-spec 1.1 spells each name in
one way, and forbids a manifest that could be taken for an index).
"""

from __future__ import annotations

import json
from typing import Any

from shipworthy.images.errors import HostileError, ImageError

_KNOWN = {
    name.casefold(): name
    for name in (
        "annotations architecture artifactType author comment config container_config created created_by data diff_ids "
        "digest empty_layer history imageLayoutVersion layers manifests mediaType os os.features os.version platform "
        "rootfs schemaVersion size subject type urls variant ArgsEscaped Cmd Entrypoint Env ExposedPorts Healthcheck "
        "Labels OnBuild Shell StopSignal User Volumes WorkingDir"
    ).split()
}
_FREE = frozenset({"annotations", "Labels"})  # names in them are anybody's
_DOCKER = {"Config": "Config", "Layers": "Layers", "RepoTags": "RepoTags"}


def parse(data: bytes, name: str) -> Any:
    """The value. Raises ImageError for what is no JSON, HostileError for names that two readers understand
    differently."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_twins)
    except (ValueError, RecursionError):
        raise ImageError("is no JSON, or says one thing twice", where=name) from None
    known = {**_KNOWN, **{key.casefold(): key for key in _DOCKER}} if isinstance(value, list) else _KNOWN
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            _spelled(one, known, name)
            pending += [inner for key, inner in one.items() if key not in _FREE]
        elif isinstance(one, list):
            pending += one
    return value


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(pairs)) != len(pairs):
        raise ValueError("a name is there twice")
    return made


def _spelled(one: dict[str, Any], known: dict[str, str], where: str) -> None:
    seen: dict[str, str] = {}
    for key in one:
        folded = key.casefold()
        if folded in seen or known.get(folded, key) != key:
            other = seen.get(folded) or known[folded]
            raise HostileError(
                f"`{ascii(key)[1:41]}` can be taken for `{ascii(other)[1:41].rstrip(chr(39))}`: two readers would see "
                "different images",
                where=where,
                remedy="no tool writes this: do not run the image",
            )
        seen[folded] = key
    if "manifests" in one and ("layers" in one or "config" in one):
        raise HostileError("is an image and an index at once", where=where, remedy="do not run the image")
