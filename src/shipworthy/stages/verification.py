"""Verify what is stored or lies in a folder, with the keys that the settings trust."""

from __future__ import annotations

from pathlib import Path

from shipworthy.config import Settings
from shipworthy.errors import UsageError
from shipworthy.evidence.digest import digest_of
from shipworthy.evidence.links import ChainResult
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import verify_folder, verify_release
from shipworthy.keys import PublicKey, load_public
from shipworthy.stores import open_store


def trusted_keys(settings: Settings, root: Path, given: tuple[Path, ...] = ()) -> tuple[PublicKey, ...]:
    """The keys given, those of `[sign] trusted`, or the public half of the signing key. Raises UsageError for none."""
    paths = [*given] or [root / name for name in settings.sign.trusted]
    if not paths and settings.sign.key.startswith("file:"):
        paths = [root / (settings.sign.key.removeprefix("file:").partition("?")[0] + ".pub")]
    if not paths:
        raise UsageError(
            "no key is trusted here, so nothing can be verified",
            remedy="name one: `--key release.key.pub`, or in the settings [sign] key or [sign] trusted",
        )
    return tuple(load_public(path) for path in paths)


def verify_target(
    target: str, settings: Settings, root: Path, keys: tuple[PublicKey, ...], *, pinned: Path | None = None
) -> ChainResult:
    """Verify a stored name (`name` or `name@version`), a folder of evidence, or a model that lies somewhere.

    An empty target is the settings' stored name. `pinned` is a model whose bytes are used in place of the workspace's.
    Raises UsageError when there is no such thing.
    """
    policy, folders = Policy.trusting(*keys), (root,)
    place = Path(target) if target else None
    if place is not None and place.is_dir() and any(place.glob("*.sigstore.json")):
        return verify_folder(place, policy, folders=folders)
    if place is not None and place.exists():
        return _lying_around(place, settings, root, policy)
    name, _, version = (target or settings.store.name or settings.project or root.resolve().name).partition("@")
    for uri in settings.store.to:
        store = open_store(uri, root)
        if name in _names(store, name):
            ref = store.get_ref(name, version or "latest")
            paths = {"model": pinned} if pinned else None
            return verify_release(store, ref.raw, policy, version=ref.version, folders=folders, paths=paths)
    raise UsageError(
        f"nothing is stored as `{name}`, and there is no such file or folder",
        where=", ".join(settings.store.to),
        remedy="`shipworthy run` stores a model; or give the path of a model or of a folder of evidence",
    )


def _names(store: object, name: str) -> tuple[str, ...]:
    versions = store.versions(name)  # type: ignore[attr-defined]
    return (name,) if versions else ()


def _lying_around(place: Path, settings: Settings, root: Path, policy: Policy) -> ChainResult:
    """A model somewhere: the newest stored release whose model it is, or whose name it bears."""
    name, digest = settings.store.name or settings.project or root.resolve().name, digest_of(place)
    for uri in settings.store.to:
        store = open_store(uri, root)
        newest: ChainResult | None = None
        for version in reversed(store.versions(name)):
            ref = store.get_ref(name, version)
            result = verify_release(store, ref.raw, policy, version=ref.version, folders=(root,))
            if result.target == digest:
                return result
            if newest is None and result.target:
                paths = {result.target: place}
                newest = verify_release(store, ref.raw, policy, version=ref.version, folders=(root,), paths=paths)
        if newest is not None:
            return newest
    raise UsageError("no stored release is about this", where=str(place), remedy="name what it was stored as")
