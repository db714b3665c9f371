"""What is inside of a thing whose chain is walked: an image's layers, and the parts that have a chain of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shipworthy.errors import ShipworthyError
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import EvidenceSet, is_bundle, read_bounded
from shipworthy.evidence.links import Link, Status
from shipworthy.evidence.names import is_digest
from shipworthy.evidence.statement import Resource
from shipworthy.evidence.strictjson import load

if TYPE_CHECKING:
    from shipworthy.evidence.chain import _Walk

IMAGE_MANIFEST_LIMIT = 4 * 1024 * 1024
LAYERS_LIMIT = 1000


def blobs_of(manifest: bytes, where: str = "the image's manifest") -> tuple[tuple[str, int], ...]:
    """The configuration and the layers that an image's manifest lists: digest and size in bytes of each (OCI image
    specification 1.1, image manifest). Raises RefusedError for anything else than a manifest of one image.
    """
    value = load(manifest, where, limit=IMAGE_MANIFEST_LIMIT)
    listed = value.get("layers") if isinstance(value, dict) else None
    if not isinstance(listed, list) or len(listed) > LAYERS_LIMIT:
        raise RefusedError("this is no manifest of one image", where=where)
    return tuple(_descriptor(item, where) for item in (value.get("config"), *listed))


def _descriptor(item: Any, where: str) -> tuple[str, int]:
    digest = item.get("digest") if isinstance(item, dict) else None
    size = item.get("size") if isinstance(item, dict) else None
    if not isinstance(digest, str) or not is_digest(digest) or not isinstance(size, int) or size < 0:
        raise RefusedError("the manifest lists something without a digest and a size", where=where)
    return digest, size


def layers(walk: _Walk, root: int) -> None:
    """Link every layer of the image, and its configuration, by their bytes."""
    if not walk.links[root].holds or walk.links[root].status is Status.ATTESTED_ONLY:
        return
    try:
        blobs = blobs_of(_manifest(walk))
    except ShipworthyError as error:
        problem = Problem.of(error) if isinstance(error, RefusedError) else Problem(Failure.INTEGRITY, error.message)
        walk.add(Link("layer", "manifest", walk.target, Status.BROKEN, parent=root).failed(problem))
        return
    for number, (digest, _) in enumerate(dict.fromkeys(blobs)):
        name = f"layer {number}" if number else "configuration"
        walk.add(walk.with_bytes(Link("layer", name, digest, Status.OK, parent=root), "layer"))


def _manifest(walk: _Walk) -> bytes:
    for path in walk.resolver("", walk.target):
        raw = read_bounded(path, IMAGE_MANIFEST_LIMIT)
        if sha256_bytes(raw) == walk.target:
            return raw
    raise RefusedError("the image's manifest is not there", Failure.MISSING)


def walk_part(walk: _Walk, resource: Resource, parent: int) -> bool:
    """Walk the chain of an input that has evidence of its own, below the link that rests on it; whether it has any."""
    for part, evidence in sorted(walk.evidence.parts.items()):
        inner = type(walk)(resource.digest, evidence, walk.policy, walk.resolver, "model")
        if not any(item.is_about(resource.digest) for item in inner.opened):
            continue
        inner.start(resource.name, "")
        offset = len(walk.links)
        for link in inner.links:
            walk.add(replace(link, parent=parent if link.parent is None else link.parent + offset))
        walk.notes += [f"{part}: {note}" for note in inner.notes]
        walk.comparer.read |= inner.comparer.read
        return True
    return False


def file_of_part(evidence: EvidenceSet, file: str, digest: str) -> Problem | None:
    """Why a file of a part, listed by its digest, is not that file; None when it is. Reports are looked for by the
    part's own chain."""
    raw = evidence.all_files().get(file)
    if raw is None:
        gone = is_bundle(file.rpartition("/")[2])
        remedy = "restore the file"
        return (
            Problem(Failure.MISSING, f"{file} is gone from the evidence", digest, "nothing", remedy) if gone else None
        )
    actual = sha256_bytes(raw)
    if actual == digest:
        return None
    remedy = "restore the file from where it was made"
    return Problem(Failure.INTEGRITY, f"{file} was replaced", digest, actual, remedy)
