"""Verify what is stored or lies in a folder, with the keys that the settings trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, ShipworthyError, UsageError
from shipworthy.evidence.deployed import reference_of
from shipworthy.evidence.digest import digest_of
from shipworthy.evidence.envelope import read
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.links import ChainResult, Link, Status
from shipworthy.evidence.oms import verify_model
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import released_at, verify_folder, verify_release
from shipworthy.evidence.statement import parse
from shipworthy.keys import PublicKey
from shipworthy.model import StageResult
from shipworthy.stages.revocations import not_listed, policy_for
from shipworthy.stages.stored import store_at
from shipworthy.stages.trust import Believed, believed
from shipworthy.stores import Ref, Store

_SIGNATURE_LIMIT = 64 * 1024 * 1024


def refuse_unstored(settings: Settings, root: Path) -> None:
    """Raises UsageError when this project has stored nothing yet: before a key is asked for, which may not be there."""
    name = stored_name(settings, root)
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        try:
            store.get_ref(name)
        except EvidenceError:
            return  # something was stored, and verifying it says what became of it
        except UsageError:
            continue
        return
    raise UsageError(
        f"nothing is stored as `{name}` yet",
        where=", ".join(settings.store.to),
        remedy="`shipworthy run ml` stores a model that passes its gates; to verify something else, give its path: "
        "a model, or a folder of evidence",
    )


def stored_release(target: str, settings: Settings, root: Path) -> tuple[Store, Ref]:
    """The release that is stored as `name` or `name@version` (empty: the project's newest), and where. Raises
    UsageError."""
    name, _, version = (target or stored_name(settings, root)).partition("@")
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        try:
            return store, store.get_ref(name, version or "latest")
        except UsageError:
            continue
    raise UsageError(
        f"nothing is stored as `{target}`",
        where=", ".join(settings.store.to),
        remedy="`shipworthy run` stores what passes its gates; name it as it was stored",
    )


def stored_name(settings: Settings, root: Path) -> str:
    """The name under which this project stores its models."""
    return settings.store.name or settings.project or root.resolve().name


def image_of(settings: Settings, root: Path) -> str:
    """The name under which this project stores its images."""
    return settings.image.name or f"{stored_name(settings, root)}-service"


def verify_target(
    target: str, settings: Settings, root: Path, who: Believed, *, pinned: Path | None = None
) -> ChainResult:
    """Verify a stored name (`name` or `name@version`), a folder of evidence, or a model that lies somewhere.

    An empty target is the settings' stored name. `pinned` is a model whose bytes are used in place of the workspace's.
    Raises UsageError when there is no such thing.
    """
    try:
        policy, folders = policy_for(settings, who), (root,)
    except RefusedError as error:
        return not_listed(error)
    place = Path(target) if target else None
    if place is not None and place.is_dir() and any(place.glob("*.sigstore.json")):
        released = _released_as(place, settings, root)
        if released:  # then the release must be in the evidence
            rule = replace(policy.steps["store"], required=True)
            policy = replace(policy, steps={**policy.steps, "store": rule})
        return verify_folder(place, policy, version=released, folders=folders)
    if place is not None and place.exists():
        beside = place.resolve().with_name(place.resolve().name + ".sig")
        made = settings.train.outputs.get("model", "") if settings.train else ""
        if beside.is_file() and place.resolve() != (root / made).resolve():
            return _own_signature(place.resolve(), beside, who.every_key)
        return _lying_around(place, settings, root, policy)
    name, _, version = (target or stored_name(settings, root)).partition("@")
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        try:
            ref = store.get_ref(name, version or "latest")
        except EvidenceError as error:
            return _broken(f"{name}@{version or 'latest'}", error)
        except UsageError:
            if store.versions(name):
                raise  # the name is known here, and the version is not
            continue
        paths = {"model": pinned} if pinned else None
        return verify_stored(store, ref, policy, folders=folders, paths=paths, newest=not version)
    raise UsageError(
        f"nothing is stored as `{name}`, and there is no such file or folder",
        where=", ".join(settings.store.to),
        remedy="`shipworthy run` stores a model; or give the path of a model or of a folder of evidence",
    )


def verify_stored(
    store: Store,
    ref: Ref,
    policy: Policy,
    *,
    folders: tuple[Path, ...] = (),
    paths: Mapping[str, Path] | None = None,
    newest: bool = False,
) -> ChainResult:
    """Verify a release under the name and version that it is stored as. `newest`: it was asked for as the latest, so
    that no later one may be there. An image must have been released under this name: a reference can be copied."""
    if newest and (later := _later(store, ref, policy)):
        return later
    try:
        deployment = _deployment(store, ref)
    except EvidenceError as error:
        return _broken(f"{reference_of(ref.name)}@{ref.version}", error)
    result = verify_release(
        store, ref.raw, policy, version=ref.version, folders=folders, paths=paths, deployment=deployment
    )
    if result.links[0].step == "image" and not deployment:
        result = replace(result, notes=(*result.notes, "no deployment of this image is recorded beside it"))
    if result.first_broken is None and result.links[0].step == "image" and result.links[0].name != ref.name:
        problem = Problem(
            Failure.INTEGRITY,
            f"the image was released as {result.links[0].name}, and lies here as {ref.name}",
            ref.name,
            result.links[0].name,
            "somebody copied the reference: store the image again under the name that is meant",
        )
        return ChainResult("", (Link("store", f"{ref.name}@{ref.version}", ref.digest, Status.BROKEN).failed(problem),))
    return result


def _deployment(store: Store, ref: Ref) -> bytes:
    """The reference of the deployment that was recorded of this release of an image; empty when none was."""
    try:
        claimed = parse(read(ref.raw).payload).subjects[0]  # only to know what to look for: it is verified after
        return store.get_ref(reference_of(ref.name), ref.version).raw if claimed.kind == "image" else b""
    except (RefusedError, UsageError):
        return b""


def still_stored(job: Job, result: StageResult, paths: Mapping[str, Path] | None = None) -> bool:
    """Whether every store still has what the stage put there, and it verifies."""
    policy = policy_for(job.settings, believed(job.settings, job.root))
    name, version = str(result.details["name"]), str(result.details["version"])
    for uri in job.settings.store.to:
        store = store_at(uri, job.settings.store, job.root)
        try:
            ref = store.get_ref(name, version)
            chain = verify_release(store, ref.raw, policy, version=version, folders=(job.root,), paths=paths)
        except ShipworthyError:  # whatever is wrong, the stage itself says what
            return False
        if chain.first_broken is not None or chain.target != result.outputs.get(f"{uri}#{name}@{version}"):
            return False
    return True


def _released_as(place: Path, settings: Settings, root: Path) -> str:
    """The version under which the run of an evidence folder was stored; empty when it was not."""
    name, version = stored_name(settings, root), place.resolve().parent.name
    stored = any(version in store_at(uri, settings.store, root).versions(name) for uri in settings.store.to)
    return version if stored else ""


def _broken(name: str, error: EvidenceError) -> ChainResult:
    """The chain that could not even be begun: the store's reference is not what it should be."""
    link = Link("store", name, "", Status.BROKEN)
    return ChainResult("", (link.failed(Problem(Failure.INTEGRITY, str(error), remedy=error.remedy)),))


def _later(store: Store, ref: Ref, policy: Policy) -> ChainResult | None:
    """The broken link when a release that was stored later than the latest one is there: the pointer is not signed, and
    whoever turns it back makes an old model look like the newest."""
    told = released_at(ref.raw, policy)
    others = (store.get_ref(ref.name, version) for version in store.versions(ref.name) if version != ref.version)
    later = max(((released_at(other.raw, policy), other.version) for other in others), default=("", ""))
    if not told or later[0] <= told:
        return None
    problem = Problem(
        Failure.INTEGRITY,
        f"the pointer to the latest version leads back: to {ref.version}, while {later[1]} was stored later",
        later[1],
        ref.version,
        f"name the version that is meant, such as {ref.name}@{ref.version}, or store the release again",
    )
    return ChainResult("", (Link("store", f"{ref.name}@latest", ref.digest, Status.BROKEN).failed(problem),))


def _own_signature(place: Path, beside: Path, keys: tuple[PublicKey, ...]) -> ChainResult:
    """What `shipworthy sign` wrote beside a file or folder: it is that, by a trusted key, under that name."""
    link = Link("sign", beside.name, "", Status.OK)
    remedy = f"bring back what was signed, or sign it again: shipworthy sign {place.name} --output {beside.name}"
    try:
        if beside.stat().st_size > _SIGNATURE_LIMIT:
            raise RefusedError("the signature is too large", where=beside.name)
        result = verify_model(place, beside.read_bytes(), keys, where=beside.name)
        if result.name != place.name:
            raise RefusedError(f"it is the signature of `{result.name}`", where=beside.name)
    except EvidenceError as error:
        problem = Problem(Failure.INTEGRITY, str(error), remedy=error.remedy or remedy)
        return ChainResult("", (link.failed(problem),))
    digest = result.manifest.digest if place.is_dir() else result.manifest.entries[0].digest
    signer = ", ".join(f"key {key.keyid[:16]}" for key in result.signers)
    link = replace(link, name=place.name, digest=digest, signer=signer)
    if not result.ok:
        changed = ", ".join(str(difference) for difference in result.differences[:5])
        link = link.failed(Problem(Failure.INTEGRITY, f"{place.name} is not what was signed: {changed}", remedy=remedy))
    return ChainResult(digest, (link,))


def _lying_around(place: Path, settings: Settings, root: Path, policy: Policy) -> ChainResult:
    """A model somewhere: the newest stored release whose model it is, or whose name it bears."""
    name, digest = stored_name(settings, root), digest_of(place)
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        newest: ChainResult | None = None
        damaged: ChainResult | None = None
        for version in reversed(store.versions(name)):
            ref = store.get_ref(name, version)
            result = verify_release(store, ref.raw, policy, version=ref.version, folders=(root,))
            if result.target == digest:
                return result
            if not result.target:
                damaged = damaged or result
            elif newest is None:
                paths = {result.target: place}
                newest = verify_release(store, ref.raw, policy, version=ref.version, folders=(root,), paths=paths)
        if newest is not None or damaged is not None:
            return newest or damaged  # type: ignore[return-value]
        try:
            store.get_ref(name)
        except EvidenceError as error:  # its references are gone, and what points at them is not
            return _broken(f"{name}@latest", error)
        except UsageError:
            continue
    raise UsageError("no stored release is about this", where=str(place), remedy="name what it was stored as")
