"""Stage 9: keep the image, its context and its evidence by digest, under a name and a version; push to registries."""

from __future__ import annotations

from datetime import UTC, datetime

from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError
from shipworthy.evidence.digest import Manifest
from shipworthy.evidence.image_release import WrittenImage, store_image
from shipworthy.evidence.release import RELEASE_NAME, verify_release
from shipworthy.evidence.statement import Resource
from shipworthy.model import StageResult
from shipworthy.stages.dev.build import image_name, layout_of
from shipworthy.stages.dev.model import model_place
from shipworthy.stages.logged import add_to_log
from shipworthy.stages.secrets import open_signing_keys, policy_of
from shipworthy.stages.stored import known, store_at
from shipworthy.stages.verification import still_stored


def run(job: Job) -> StageResult:
    """Put everything into every store, and verify what was put; a version is never written twice."""
    signers, name, version = open_signing_keys(job), image_name(job), job.run_id
    digest = job.done["build"].outputs["image"]
    written = WrittenImage(Resource(name, digest, "image"), job.folder / "evidence", dict(job.done["sign"].outputs))
    folder = job.folder / "context"
    context = (folder, _unchanged(job, Manifest.of(folder)))
    outputs, chain = {}, []
    for uri in job.settings.store.to:
        store = store_at(uri, job.settings.store, job.root)
        ref = known(store, name, version)
        if ref is None:
            raw = store_image(
                store, written, layout_of(job), signers, version=version, stored=datetime.now(UTC), context=context
            )
            ref = store.put_ref(name, version, raw)
        add_to_log(job.settings, job.root, {**written.files, RELEASE_NAME: ref.digest})
        outputs[f"{uri}#{ref.name}@{ref.version}"] = digest
        policy = policy_of(signers)
        result = verify_release(
            store, ref.raw, policy, version=ref.version, folders=(job.root,), paths=model_place(job)
        )
        chain = [link.as_dict() for link in result.links]
        if result.target not in ("", digest):
            raise EvidenceError("another image is stored under the name of this one", where=f"{uri}: {name}@{version}")
        if result.first_broken is not None:
            first = result.first_broken
            raise EvidenceError(
                f"what was stored does not verify: {first.step} {first.name}: {first.reason}",
                where=uri,
                remedy=first.remedy,
            )
    return job.passed(
        f"{name}@{version} in {', '.join(job.settings.store.to)}",
        inputs={"image": digest},
        outputs=outputs,
        details={"name": name, "version": version, "stores": list(job.settings.store.to), "chain": chain},
    )


def _unchanged(job: Job, manifest: Manifest) -> Manifest:
    """The context's manifest. Raises EvidenceError when the context is not what was built from any more."""
    if manifest.digest != job.done["build"].outputs["context"]:
        raise EvidenceError("the build context was changed after the build", remedy="run it again")
    return manifest


STAGE = Stage(
    "store",
    "Store",
    "Keeps image, context and evidence by digest, under a name and a version that are never overwritten.",
    run,
    holds=lambda job, result: still_stored(job, result, model_place(job)),
)
