"""What stages call: write the evidence of a run, keep model and evidence as one release, verify a release.

The evidence folder holds `ingest-<n>.sigstore.json` (one for each dataset), `train`, `evaluate`, `scan` and
`gate.sigstore.json`, `model.sig`, `model.manifest.json` (for a model that is a folder), the scan report, and after
storing `release.sigstore.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.evidence import envelope, oms
from shipworthy.evidence import statement as statements
from shipworthy.evidence.chain import verify_chain
from shipworthy.evidence.deployed import PART, PROTECT_NAME
from shipworthy.evidence.digest import MANIFEST_LIMIT, Manifest, sha256_bytes
from shipworthy.evidence.failures import Problem, RefusedError
from shipworthy.evidence.files import (
    BUNDLE_SUFFIX,
    FILES_LIMIT,
    MANIFEST_SUFFIX,
    MODEL_SIGNATURE_NAME,
    TOTAL_LIMIT,
    EvidenceSet,
    is_bundle,
    read_bounded,
)
from shipworthy.evidence.links import ChainResult, Link, Status
from shipworthy.evidence.opened import attested, open_all
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.resolve import Resolver, places
from shipworthy.evidence.statement import Resource
from shipworthy.evidence.writer import Signers, Writer, kind_of
from shipworthy.model import GateDecision, Metric

RELEASE_NAME = f"release{BUNDLE_SUFFIX}"
MANIFEST_NAME = f"model{MANIFEST_SUFFIX}"


@dataclass(frozen=True)
class Scan:
    """What was scanned: the report's bytes, one JSON object for each check, findings by severity, and what was
    scanned besides the model.
    """

    report: bytes
    checks: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    others: tuple[Resource, ...] = ()
    report_name: str = "scan-report.json"


@dataclass(frozen=True)
class Facts:
    """What a run knows of a model. `model_name` is its path in the workspace, and `model_digest` what was scanned and
    evaluated: the model must still be that. `training` holds every parameter from outside (command, seed, sandbox
    level, ...), or is None when the model was not trained here; `inputs` are what training read besides the datasets
    (kinds code, requirements, model). `evaluated_on` are predictions and labels (kinds of these names). Times have a
    zone.
    """

    model: Path
    model_name: str
    settings_digest: str
    decision: GateDecision
    scan: Scan
    finished: datetime
    model_digest: str = ""
    datasets: tuple[Resource, ...] = ()
    inputs: tuple[Resource, ...] = ()
    training: Mapping[str, Any] | None = None
    started: datetime | None = None
    metrics: tuple[Metric, ...] = ()
    evaluated_on: tuple[Resource, ...] = ()
    byproducts: tuple[Resource, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""


@dataclass(frozen=True)
class Written:
    """The evidence of one model: its name and digest, its manifest, and the digest of each file in `folder`."""

    model: Resource
    manifest: Manifest
    folder: Path
    files: Mapping[str, str]
    is_folder: bool

    def resources(self) -> tuple[Resource, ...]:
        """The files as a release lists them."""
        return tuple(Resource(name, digest, kind_of(name)) for name, digest in sorted(self.files.items()))


class ReleaseStore(Protocol):
    """What a release needs of a store."""

    def put_file(self, path: Path, expected: str = "") -> str:
        """Keep a file that has this digest."""
        ...

    def put_tree(self, root: Path, manifest: Manifest) -> str:
        """Keep a folder's files and its manifest."""
        ...

    def locate(self, digest: str) -> Path | None:
        """Where bytes lie, unchecked."""
        ...


def write_evidence(facts: Facts, signers: Signers, folder: Path) -> Written:
    """Sign what the run knows, and write it to the folder.

    Raises UsageError when the gate said no or a signer is lacking, RefusedError when the model is not what was scanned
    or is not something that can be signed, EnvironmentFailure when a file cannot be written.
    """
    if not facts.decision.passed:
        raise UsageError(
            f"the gate {facts.decision.gate} said no, so the model is not signed",
            where=facts.model_name,
            remedy="correct what the gate names, and run it again",
        )
    manifest = Manifest.of(facts.model)
    is_folder = facts.model.is_dir()
    digest = manifest.digest if is_folder else manifest.entries[0].digest
    if facts.model_digest and digest != facts.model_digest:
        raise RefusedError(
            "the model was changed after it was scanned and evaluated",
            where=facts.model_name,
            expected=facts.model_digest,
            actual=digest,
            remedy="run the pipeline again",
        )
    writer = Writer(folder, signers)
    model = Resource(facts.model_name, digest, "model")
    if is_folder:
        writer.put(MANIFEST_NAME, manifest.to_bytes())
    _write_steps(writer, facts, model)
    signature = oms.sign_manifest(
        model.name.split("/")[-1], manifest, writer.signers_of("sign"), single_file=not is_folder
    )
    writer.put(MODEL_SIGNATURE_NAME, signature)
    return Written(model, manifest, folder, dict(writer.files), is_folder)


def _write_steps(writer: Writer, facts: Facts, model: Resource) -> None:
    provenance = partial(
        statements.provenance, versions=facts.versions, invocation=facts.run_id, finished=facts.finished
    )
    datasets = tuple(replace(dataset, kind="dataset") for dataset in facts.datasets)
    for number, dataset in enumerate(datasets, 1):
        writer.sign(f"ingest-{number}", "ingest", provenance("ingest", [dataset]))
    settings = Resource("settings", facts.settings_digest, "settings")
    if facts.training is not None:
        went_in = (*datasets, *facts.inputs, settings)
        trained = provenance(
            "train",
            [model],
            dependencies=went_in,
            parameters=facts.training,
            started=facts.started,
            byproducts=facts.byproducts,
        )
        writer.sign("train", "train", trained)
    if facts.metrics or facts.evaluated_on:
        evaluated = statements.evaluation([model], facts.metrics, inputs=facts.evaluated_on, finished=facts.finished)
        writer.sign("evaluate", "evaluate", evaluated)
    writer.put(facts.scan.report_name, facts.scan.report)
    report = Resource(facts.scan.report_name, sha256_bytes(facts.scan.report), "report")
    others = [other for other in facts.scan.others if other.digest != model.digest]
    scanned = statements.scan(
        [model, *others],
        report=report,
        checks=facts.scan.checks,
        counts=facts.scan.counts,
        finished=facts.finished,
    )
    writer.sign("scan", "scan", scanned)
    seen = [Resource(name, digest) for name, digest in writer.files.items() if is_bundle(name)]
    decided = statements.gate(
        model,
        facts.decision,
        evidence=seen,
        policy_digest=facts.settings_digest,
        version=facts.versions.get("shipworthy", ""),
        decided=facts.finished,
    )
    writer.sign("gate", "gate", decided)


def store_release(
    store: ReleaseStore, written: Written, model: Path, signers: Signers, *, version: str, stored: datetime
) -> bytes:
    """Keep the model and its evidence, and sign the release: the bytes of its reference, for the store's `put_ref`.

    The reference is also written to the evidence folder. Raises EvidenceError when a file is not what was signed any
    more, and EnvironmentFailure.
    """
    if written.is_folder:
        store.put_tree(model, written.manifest)
    else:
        store.put_file(model, written.model.digest)
    for name, digest in written.files.items():
        store.put_file(written.folder / name, digest)
    released = statements.release(written.model, version=version, evidence=written.resources(), stored=stored)
    writer = Writer(written.folder, signers)
    return writer.sign("release", "store", released)


def release_evidence(store: ReleaseStore, raw: bytes, name: str = RELEASE_NAME) -> EvidenceSet:
    """The evidence that a release's reference lists, as it lies in the store; nothing of it is verified yet. What the
    store does not have is not in it. `name` is that of the reference itself.
    """
    files = {name: raw}
    unreadable: dict[str, str] = {}
    try:
        claimed = statements.parse(envelope.read(raw).payload)
        listed = claimed.resources("evidence")[:FILES_LIMIT]
    except RefusedError:
        listed = ()  # the reference itself is damaged: its verification says so
    room = TOTAL_LIMIT
    for resource in listed:
        if resource.name == name or kind_of(resource.name) == "report":
            continue
        try:
            if (path := store.locate(resource.digest)) is None:
                continue
            files[resource.name] = read_bounded(path, min(MANIFEST_LIMIT, room))
            room -= len(files[resource.name])
        except (RefusedError, EnvironmentFailure, UsageError) as error:
            unreadable[resource.name] = error.message
    found = EvidenceSet.from_files(files)
    return EvidenceSet(found.bundles, found.manifests, unreadable, found.parts)


def verify_release(
    store: ReleaseStore,
    raw: bytes,
    policy: Policy,
    *,
    version: str = "",
    model: Path | None = None,
    folders: tuple[Path, ...] = (),
    paths: Mapping[str, Path] | None = None,
    deployment: bytes = b"",
) -> ChainResult:
    """Verify a stored release from its reference's bytes: everything in the store and, besides, the model at `model`
    (a deployed copy), what lies in the folders (the workspace) and at the paths (by name or digest). With a `version`,
    the release must be that one. `deployment` are the bytes of the reference of its deployment, if there is one.
    """
    look = partial(places, *folders, store=store)
    evidence = release_evidence(store, raw)
    if deployment:
        part = release_evidence(store, deployment, PROTECT_NAME)
        evidence = replace(evidence, parts={**evidence.parts, PART: part})
    return _verify(evidence, policy, look, paths, model, version)


def verify_folder(
    folder: Path,
    policy: Policy,
    *,
    version: str = "",
    model: Path | None = None,
    folders: tuple[Path, ...] = (),
    paths: Mapping[str, Path] | None = None,
) -> ChainResult:
    """Verify the evidence in a folder, with the model at `model` (default: by its name in the folders) and the bytes
    that lie in the evidence folder, in the other folders and at the paths (by name or digest). With a `version`, the
    release in it must be that one.
    """
    evidence = EvidenceSet.from_dir(folder)

    def look(paths: Mapping[str, Path]) -> Resolver:
        own, others = places(folder, paths=paths), places(*folders, paths=paths)

        def resolver(name: str, digest: str) -> Iterator[Path]:
            yield from others(name, digest)
            if name not in evidence.parts:  # `model/` there is the evidence of the model, and not the model
                yield from own(name, digest)

        return resolver

    return _verify(evidence, policy, look, paths, model, version)


def released_at(raw: bytes, policy: Policy) -> str:
    """When a release says that it was stored (RFC 3339, UTC); empty when nobody trusted says so."""
    found = open_all(EvidenceSet({RELEASE_NAME: raw}), policy)
    return next((item.statement.time for item in found if item.good and item.statement), "")


def _verify(
    evidence: EvidenceSet,
    policy: Policy,
    look: Callable[..., Resolver],
    paths: Mapping[str, Path] | None,
    model: Path | None,
    version: str,
) -> ChainResult:
    try:
        target = attested(evidence, policy)
    except RefusedError as error:
        return _no_model(evidence, policy, error)
    given = {**(paths or {}), **({target.name: model} if model else {})}
    kind = "image" if target.kind == "image" else "model"
    return verify_chain(
        target.digest, evidence, policy, look(paths=given), name=target.name, version=version, kind=kind
    )


def _no_model(evidence: EvidenceSet, policy: Policy, error: RefusedError) -> ChainResult:
    """Nothing that can be trusted says which model it is: name each file that should have."""
    failed = [Link("model", "model", "", Status.MISSING).failed(Problem.of(error))]
    for item in open_all(evidence, policy):
        if item.problem and item.damaged:
            failed.append(Link(item.step or "evidence", item.name, item.digest, Status.BROKEN).failed(item.problem))
    # a damaged file is why: the missing model only follows from it
    return ChainResult("", tuple(failed[1:] or failed))
