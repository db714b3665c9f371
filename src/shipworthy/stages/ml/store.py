"""Stage 10: keep the signed model and its evidence, by digest, under a name and a version."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError
from shipworthy.evidence.digest import Manifest
from shipworthy.evidence.release import RELEASE_NAME, Written, store_release, verify_release
from shipworthy.evidence.statement import Resource
from shipworthy.model import StageResult
from shipworthy.stages.logged import add_to_log
from shipworthy.stages.ml.evaluate import PREDICTIONS
from shipworthy.stages.ml.train import model_path
from shipworthy.stages.secrets import open_signing_keys, policy_of
from shipworthy.stages.stored import known, store_at
from shipworthy.stages.verification import still_stored


def run(job: Job) -> StageResult:
    """Put everything into every store, and verify what was put; a version is never written twice."""
    signers, written = open_signing_keys(job), _written(job)
    name, version = job.settings.store.name or job.project, job.run_id
    model, folder = job.root / model_path(job), job.folder / "evidence"
    outputs, chain = {}, []
    for uri in job.settings.store.to:
        store = store_at(uri, job.settings.store, job.root)
        store.put_file(folder / PREDICTIONS, job.done["evaluate"].outputs[PREDICTIONS])
        ref = known(store, name, version)
        if ref is None:
            raw = store_release(store, written, model, signers, version=version, stored=datetime.now(UTC))
            ref = store.put_ref(name, version, raw)
        add_to_log(job.settings, job.root, {**written.files, RELEASE_NAME: ref.digest})
        outputs[f"{uri}#{ref.name}@{ref.version}"] = written.model.digest
        policy = policy_of(signers)
        result = verify_release(store, ref.raw, policy, version=ref.version, folders=(job.root,))
        chain = [link.as_dict() for link in result.links]
        if result.target not in ("", written.model.digest):
            raise EvidenceError("another model is stored under the name of this one", where=f"{uri}: {name}@{version}")
        if result.first_broken is not None:
            first = result.first_broken
            raise EvidenceError(
                f"what was stored does not verify: {first.step} {first.name}: {first.reason}",
                where=uri,
                remedy=first.remedy,
            )
    return job.passed(
        f"{name}@{version} in {', '.join(job.settings.store.to)}",
        inputs={"model": written.model.digest},
        outputs=outputs,
        details={"name": name, "version": version, "stores": list(job.settings.store.to), "chain": chain},
    )


def _written(job: Job) -> Written:
    """What was signed, from the signing stage's record. Raises EvidenceError when the model is not that any more."""
    name, files = model_path(job), job.done["sign"].outputs
    place = job.root / name
    manifest = Manifest.of(place)
    digest = manifest.digest if place.is_dir() else manifest.entries[0].digest
    expected = job.done["sign"].inputs["model"]
    if digest != expected:
        raise EvidenceError(
            f"the model was changed after it was signed: {digest}, signed was {expected}",
            where=name,
            remedy="run it again",
        )
    return Written(Resource(name, digest, "model"), manifest, job.folder / "evidence", dict(files), place.is_dir())


STAGE = Stage(
    "store",
    "Store",
    "Keeps the model and its evidence by digest, under a name and a version that are never overwritten.",
    run,
    holds=still_stored,
)
