"""The model that is shipped: found in the stores, verified back to its datasets, copied from there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.digest import digest_of
from shipworthy.evidence.envelope import read
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.names import is_digest
from shipworthy.evidence.release import release_evidence
from shipworthy.evidence.statement import parse
from shipworthy.files import write_atomically
from shipworthy.paths import display_name
from shipworthy.stages.revocations import policy_for
from shipworthy.stages.stored import store_at
from shipworthy.stages.trust import believed
from shipworthy.stages.verification import stored_name, verify_stored
from shipworthy.stores import Ref, Store


@dataclass(frozen=True)
class Brought:
    """A verified model: `path` is where it was trained, relative to the workspace; `links` how many links hold."""

    name: str
    version: str
    store: str
    path: str
    digest: str
    links: int
    chain: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON values, without the chain."""
        return {name: value for name, value in asdict(self).items() if name not in {"chain", "links"}}


def model_folder(job: Job) -> Path:
    """Where a run has the verified model: a folder, or a file."""
    return job.folder / "model"


def same_model(job: Job, place: Path) -> None:
    """Raises EvidenceError when what lies there is not the model that was verified when the run began."""
    expected, actual = str(job.detail("load", "model")["digest"]), digest_of(place)
    if actual != expected:
        raise EvidenceError(
            f"the model was changed after it was verified: {actual}, verified was {expected}",
            where=display_name(place.relative_to(job.folder).as_posix()),
            remedy="find out who can write to the run's folder, and run the pipeline again",
        )


def model_evidence(job: Job) -> Path:
    """Where a run has the evidence of the model."""
    return job.folder / "model-evidence"


def model_place(job: Job) -> dict[str, Path]:
    """Where the model's bytes are for a verifier, by its digest: image and model may lie in different stores."""
    known = job.detail("load", "model")
    return {str(known["digest"]): model_folder(job)} if isinstance(known, dict) else {}


def bring_model(job: Job) -> Brought | None:
    """Verify the model that the trigger names (by default the one stored last), and copy it out of the store.

    None when the project trains no model and names none. Raises EvidenceError naming the first broken link, UsageError
    when nothing is stored.
    """
    if job.settings.train is None and not job.trigger.model:
        return None
    uri, store, ref = _find(job)
    policy = policy_for(job.settings, believed(job.settings, job.root))
    result = verify_stored(store, ref, policy, folders=(job.root,), newest=not job.trigger.model)
    if result.first_broken is not None:
        first = result.first_broken
        raise EvidenceError(
            f"the model does not verify: {first.step} {first.name}: {first.reason}", where=uri, remedy=first.remedy
        )
    path = _copy(job, store, ref)
    chain = tuple(link.as_dict() for link in result.links)
    return Brought(ref.name, ref.version, uri, path, result.target, len(result.links), chain)


def _copy(job: Job, store: Store, ref: Ref) -> str:
    """Write the model and its evidence to the run's folder; the model's name in the workspace. The bytes are checked
    against the digests that were verified while they are written."""
    evidence = release_evidence(store, ref.raw)
    subject = parse(read(ref.raw).payload).subjects[0]
    place, beside = model_folder(job), model_evidence(job)
    for old in (place, beside):
        if old.is_dir():
            shutil.rmtree(old)
        elif os.path.lexists(old):
            old.unlink()
    manifest = evidence.manifest(subject.digest)
    if manifest is not None:
        store.get_tree(manifest, place)
    else:
        with store.open(subject.digest) as source, place.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    beside.mkdir(parents=True)
    for name, raw in evidence.all_files().items():
        write_atomically(beside / name, raw)
    return subject.name


def _find(job: Job) -> tuple[str, Store, Ref]:
    """The release that is meant: a stored name (with `@version`), the id of an ml run, a model's digest, or by default
    the newest of the project's."""
    wanted = job.trigger.model
    own = stored_name(job.settings, job.root)
    for uri in job.settings.store.to:
        store = store_at(uri, job.settings.store, job.root)
        for name, version in _candidates(store, own, wanted):
            try:
                return uri, store, store.get_ref(name, version)
            except UsageError:
                continue
    if not wanted:
        raise UsageError(
            f"no model is stored as `{own}` yet",
            where=", ".join(job.settings.store.to),
            remedy="`shipworthy run ml` trains, signs and stores one; `shipworthy run all` does both pipelines",
        )
    raise UsageError(
        f"no stored model is `{wanted}`",
        where=", ".join(job.settings.store.to),
        remedy="give the id of an ml run, a stored name (NAME or NAME@VERSION), or the model's digest (sha256:...)",
    )


def _candidates(store: Store, own: str, wanted: str) -> Iterator[tuple[str, str]]:
    if not wanted:
        yield own, "latest"
    elif is_digest(wanted):
        yield from (
            (own, version) for version in reversed(store.versions(own)) if _is_about(store, own, version, wanted)
        )
    else:
        name, _, version = wanted.partition("@")
        if not version and name in store.versions(own):
            yield own, name  # a run's id is the version that it stored
        yield name, version or "latest"


def _is_about(store: Store, name: str, version: str, digest: str) -> bool:
    """Whether the release claims to be of this model: only for finding it, as it is verified after."""
    try:
        return any(s.digest == digest for s in parse(read(store.get_ref(name, version).raw).payload).subjects)
    except (RefusedError, EvidenceError):
        return False
