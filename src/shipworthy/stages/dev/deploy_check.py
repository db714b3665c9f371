"""Stage 10: take the image out of the store, as a cluster would, admit it, run it, and look at it from outside."""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.artifacts import Inventory
from shipworthy.compliance import assess, frameworks, summary
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Stage
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.release import verify_release
from shipworthy.evidence.statement import Resource
from shipworthy.model import Kind, Run, StageResult
from shipworthy.stages.attested import scan_of_results
from shipworthy.stages.dev.deployment import check_holds, sign_check
from shipworthy.stages.dev.fetched import fetch_image
from shipworthy.stages.dev.image_test import FROM_OUTSIDE
from shipworthy.stages.dev.model import model_place
from shipworthy.stages.dev.service import described, running
from shipworthy.stages.results import Checked, counted, run_checks
from shipworthy.stages.revocations import policy_for
from shipworthy.stages.stored import store_at
from shipworthy.stages.trust import believed


def run(job: Job) -> StageResult:
    """Verify the chain of what is stored, run that, and check how it is deployed."""
    admitted = admit(job)
    digest, links = admitted.image.digest, admitted.links
    layout = fetch_image(job, digest)
    checks = [check for check in select(job.settings) if STAGE.checks(check)]
    with running(job.settings, job.folder, layout, digest, "deploy") as service:
        deployed = described(job, service, "deploy")
        checked = run_checks(job, checks, Inventory((deployed,)))
        ports = sorted({port.port for port in service.listening()})
        isolation = service.isolation
    found = sum(len(result.findings) for result in checked.results)
    shown = _controls(job, checked)
    facts = {"isolation": isolation, "ports": ports, "links": links}
    scan = scan_of_results({"deploy-check": job.passed(checks=checked.results)})
    signed = sign_check(job, admitted.image, scan, facts)
    return job.passed(
        f"admitted, {links} links verified; open inside: {', '.join(map(str, ports)) or 'nothing'}; "
        f"{counted(len(checks), 'check')}, {counted(found, 'finding')}"
        f"{'; evidence for controls of ' if shown else ''}{', '.join(shown)}",
        artifacts=(deployed,),
        checks=checked.results,
        inputs={"image": digest},
        outputs={"results": checked.digest, **signed},
        details={
            "waiver-notes": checked.notes,
            **facts,
            "controls": shown,
        },
    )


def _controls(job: Job, checked: Checked) -> list[str]:
    """For how many controls of each of the settings' frameworks the run gives evidence, up to here.

    The report has each control: which are evidenced, which not, and which need a person. Raises UsageError for a
    framework that is not known.
    """
    known = {framework.id for framework in frameworks()}
    for name in job.settings.deploy.frameworks:
        if name not in known:
            raise UsageError(
                f"there is no framework `{name}`",
                where="[deploy] frameworks",
                remedy=f"known: {', '.join(sorted(known))}",
            )
    so_far = (*job.done.values(), job.passed(checks=checked.results))
    run = Run(job.run_id, "dev", job.project, job.trigger, job.settings.digest, job.started, stages=so_far)
    results = assess(run)
    told = []
    for name in job.settings.deploy.frameworks:
        of_it = [result for result in results if result.framework.id == name]
        counts = summary(of_it)
        told.append(f"{of_it[0].framework.name} ({counts.shown} of {counts.total})")
    return told


@dataclass(frozen=True)
class Admitted:
    """An image whose chain holds, and how many links were verified."""

    image: Resource
    links: int


def admit(job: Job) -> Admitted:
    """Verify the stored image back to the datasets. Raises EvidenceError for the first broken link, or when the stored
    image is not the one that this run built."""
    store = store_at(job.detail("store", "stores")[0], job.settings.store, job.root)
    ref = store.get_ref(job.detail("store", "name"), job.detail("store", "version"))
    policy = policy_for(job.settings, believed(job.settings, job.root))
    result = verify_release(store, ref.raw, policy, version=ref.version, folders=(job.root,), paths=model_place(job))
    if result.first_broken is not None:
        first = result.first_broken
        raise EvidenceError(
            f"not admitted: {first.step} {first.name}: {first.reason}", where=ref.name, remedy=first.remedy
        )
    if result.target != job.done["build"].outputs["image"]:
        raise EvidenceError("not admitted: the stored image is another one", where=ref.name, remedy="run it again")
    return Admitted(Resource(ref.name, result.target, "image"), len(result.links))


STAGE = Stage(
    "deploy-check",
    "Deploy check",
    "Admits the stored image by its chain, runs it as it will be run, and looks from outside: ports, TLS, hardening.",
    run,
    checks=lambda check: check.kinds == {Kind.SERVICE} and check.name in FROM_OUTSIDE,
    holds=check_holds,
)
