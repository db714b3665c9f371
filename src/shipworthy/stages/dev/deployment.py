"""The signed record of stages 10 to 12: how the image was deployed, what the gate said to that, and how it is guarded.

The release is signed before, and never changes; this is kept beside it, under a reference of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy import __version__
from shipworthy.engine.stage import Job
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence import statement as statements
from shipworthy.evidence.deployed import (
    DEPLOY_NAME,
    EVENTS_NAME,
    PART,
    PROTECT_NAME,
    REPORT_NAME,
    files_of,
    reference_of,
)
from shipworthy.evidence.digest import sha256_bytes, sha256_file
from shipworthy.evidence.release import Scan, verify_release
from shipworthy.evidence.statement import Resource
from shipworthy.evidence.writer import Writer, kind_of
from shipworthy.files import write_atomically
from shipworthy.model import StageResult
from shipworthy.stages.dev.model import model_place
from shipworthy.stages.logged import add_to_log
from shipworthy.stages.revocations import policy_for
from shipworthy.stages.secrets import open_signing_keys
from shipworthy.stages.stored import known, store_at
from shipworthy.stages.trust import believed


def sign_check(job: Job, image: Resource, scan: Scan, facts: Mapping[str, Any]) -> dict[str, str]:
    """Sign what the deploy check saw: the digest of each file by its name in the evidence."""
    folder = job.folder / "evidence" / PART
    if folder.exists():  # of an earlier try
        shutil.rmtree(folder)
    write_atomically(job.folder / "evidence" / REPORT_NAME, scan.report)
    report = Resource(REPORT_NAME, sha256_bytes(scan.report), "report")
    statement = statements.deployment(
        image,
        releases=_releases(job),
        report=report,
        checks=scan.checks,
        counts=scan.counts,
        facts=facts,
        finished=datetime.now(UTC),
    )
    writer = Writer(folder, open_signing_keys(job))
    writer.sign("deploy", "deploy", statement)
    return {REPORT_NAME: report.digest, f"{PART}/{DEPLOY_NAME}": writer.files[DEPLOY_NAME]}


def _releases(job: Job) -> list[Resource]:
    """The references of this run's release: each store has one of its own."""
    name, version = job.detail("store", "name"), job.detail("store", "version")
    stores = (store_at(uri, job.settings.store, job.root) for uri in job.detail("store", "stores"))
    return [Resource(version, store.get_ref(name, version).digest, "store") for store in stores]


def check_holds(job: Job, result: StageResult) -> bool:
    """Whether the files of the deploy check are still there, byte for byte."""
    folder, files = job.folder / "evidence", files_of(result.outputs)
    return bool(files) and all((folder / n).is_file() and sha256_file(folder / n) == d for n, d in files.items())


def sign_protection(
    job: Job, image: Resource, events: Path, summary: Path, facts: Mapping[str, Any]
) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Sign the gate's decision and what the guard did, keep it all in every store, and verify what was kept: the files'
    digests, and the chain. Raises EvidenceError when what the deploy check signed was changed meanwhile.
    """
    folder = job.folder / "evidence" / PART
    if not check_holds(job, job.done["deploy-check"]):
        raise EvidenceError(
            "the evidence of the deploy check was changed", where=PART, remedy="go on with `shipworthy run --resume`"
        )
    decision = job.done["after-deploy"].decision
    if decision is None or not decision.passed:
        raise UsageError("no gate has let the deployment pass", where="after-deploy")
    checked = files_of(job.done["deploy-check"].outputs)
    writer = Writer(folder, open_signing_keys(job))
    decided = statements.gate(
        image,
        decision,
        evidence=[Resource(DEPLOY_NAME, checked[f"{PART}/{DEPLOY_NAME}"])],
        policy_digest=job.settings.digest,
        version=__version__,
        decided=datetime.now(UTC),
    )
    writer.sign("gate", "gate", decided)
    writer.put(summary.name, summary.read_bytes())
    writer.put(Path(EVENTS_NAME).name, events.read_bytes())
    about = {f"{PART}/{name}": digest for name, digest in writer.files.items()} | checked
    listed = [_listed(name, digest) for name, digest in sorted(about.items())]
    statement = statements.protection(image, evidence=listed, facts=facts, finished=datetime.now(UTC))
    raw = writer.sign("protect", "protect", statement)
    chain = _keep(job, about, raw)
    return about | {f"{PART}/{PROTECT_NAME}": writer.files[PROTECT_NAME]}, chain


def _listed(name: str, digest: str) -> Resource:
    """A signed file goes by its own name, as it does in the gate's statement; others by where they lie."""
    kind = "events" if name == EVENTS_NAME else kind_of(name)
    return Resource(name if kind in ("events", "report") else name.removeprefix(f"{PART}/"), digest, kind)


def _keep(job: Job, files: Mapping[str, str], raw: bytes) -> list[dict[str, Any]]:
    name, version = job.detail("store", "name"), job.detail("store", "version")
    add_to_log(job.settings, job.root, {**files, PROTECT_NAME: sha256_bytes(raw)})
    policy = policy_for(job.settings, believed(job.settings, job.root))
    chain: list[dict[str, Any]] = []
    for uri in job.settings.store.to:
        store = store_at(uri, job.settings.store, job.root)
        for path, digest in files.items():
            store.put_file(job.folder / "evidence" / path, digest)
        ref = known(store, reference_of(name), version) or store.put_ref(reference_of(name), version, raw)
        release = store.get_ref(name, version)
        result = verify_release(
            store,
            release.raw,
            policy,
            version=version,
            folders=(job.root,),
            paths=model_place(job),
            deployment=ref.raw,
        )
        if (first := result.first_broken) is not None:
            raise EvidenceError(
                f"the record of the deployment does not verify: {first.step} {first.name}: {first.reason}",
                where=uri,
                remedy=first.remedy,
            )
        chain = [link.as_dict() for link in result.links]
    return chain
