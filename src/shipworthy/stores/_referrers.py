"""What refers to an image: through the registry's list, or a list of our own where it has none.

Distribution specification 1.1, sections "Pushing Manifests with Subject" and "Referrers Tag Schema".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shipworthy.errors import EnvironmentFailure, EvidenceError
from shipworthy.stores._asking import TRIES, wait
from shipworthy.stores._manifests import INDEX, MANIFEST_LIMIT, Descriptor, canonical, described, descriptor, strict
from shipworthy.stores._registry import Registry

MOST = 10_000
"""How many referrers of one image are looked at."""


def refer(registry: Registry, subject: Descriptor, manifests: Sequence[bytes], tag: str = "") -> tuple[Descriptor, ...]:
    """Put manifests that name `subject` (the only one under `tag`, if it is given), so that they are found by it."""
    found, unlisted = [], []
    for raw in manifests:
        one = described(raw, str(registry))
        found.append(one)
        if not registry.put_manifest(tag or one.digest, raw):
            unlisted.append(one)
    if unlisted:
        _note(registry, subject, unlisted)
    return tuple(found)


def attached(registry: Registry, subject: str, artifact_type: str = "") -> tuple[Descriptor, ...]:
    """What the registry says refers to the manifest `subject`, of one type if that is given; unverified. Raises
    EvidenceError for more than MOST, or what is no list.
    """
    pages = registry.referrers(subject)
    if pages is None:
        raw = registry.manifest(_fallback_tag(subject))
        pages = iter([raw] if raw is not None else [])
    found: dict[str, Descriptor] = {}
    for page in pages:
        for one in _listed(page, str(registry)):
            found.setdefault(one.digest, one)
        if len(found) > MOST:
            raise EvidenceError(f"the registry lists more than {MOST} referrers", where=str(registry))
    return tuple(one for one in found.values() if artifact_type in {"", one.artifact_type})


def _note(registry: Registry, subject: Descriptor, new: Iterable[Descriptor]) -> None:
    """Add to the list under the fallback tag. Registries have no transactions: whoever writes looks again, and writes
    again if its own is gone; an entry that is overwritten later than that is lost from the list, and only from the list
    (`attach` puts it back, and our own reader does not need it).
    """
    tag = _fallback_tag(subject.digest)
    wanted = {one.digest: one for one in new}
    for attempt in range(1, 2 * TRIES):
        raw = registry.manifest(tag)
        listed = {one.digest: one for one in _listed(raw, str(registry))} if raw is not None else {}
        if wanted.keys() <= listed.keys():
            return
        entries = [one.as_dict() for one in {**listed, **wanted}.values()]
        made = canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
        if len(made) > MANIFEST_LIMIT:
            raise EnvironmentFailure("the list of what refers to this image is full", where=str(registry))
        registry.put_manifest(tag, made, INDEX)
        if registry.manifest(tag) != made:
            registry.ask.pause(wait(min(attempt, 3)))
    raise EnvironmentFailure(
        "others write to the list of what refers to this image all the time", where=str(registry), remedy="try again"
    )


def _listed(raw: bytes, where: str) -> list[Descriptor]:
    value = strict(raw, where)
    listed = value.get("manifests") or []
    if not isinstance(listed, list) or "layers" in value or "config" in value:
        raise EvidenceError("the registry's list of referrers is no image index", where=where)
    return [descriptor(one, where) for one in listed]


def _fallback_tag(digest: str) -> str:
    return digest.replace(":", "-")
