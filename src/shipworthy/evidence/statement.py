"""What is signed: in-toto statements v1 about digests, one kind for each step.

Sources: in-toto Attestation Framework v1 (statement, resource descriptor), SLSA provenance v1, SLSA verification
summary v1, CycloneDX for a bill of materials, Cosign's predicate for the signature of an image. Scan, evaluation,
release, deployment, protection and the guard's summaries have predicates of our own. The step that a statement speaks
for follows from its predicate type and build type, both inside the signed bytes: a scan cannot be replayed as
provenance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.names import is_digest
from shipworthy.evidence.strictjson import canonical, load
from shipworthy.model import GateDecision, Metric

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
SUMMARY = "https://slsa.dev/verification_summary/v1"
SCAN = "https://shipworthy.dev/scan/v1"
EVALUATION = "https://shipworthy.dev/evaluation/v1"
RELEASE = "https://shipworthy.dev/release/v1"
DEPLOYMENT = "https://shipworthy.dev/deployment/v1"
PROTECTION = "https://shipworthy.dev/protection/v1"
GUARD_SUMMARY = "https://shipworthy.dev/guard-summary/v1"
REVOCATION = "https://shipworthy.dev/revocation/v1"
MODEL_SIGNATURE = "https://model_signing/signature/v1.0"
IMAGE_SIGNATURE = "https://sigstore.dev/cosign/sign/v1"
BOM = "https://cyclonedx.org/bom"
BUILD_TYPE = "https://shipworthy.dev/{}/v1"
STEPS = (
    *("ingest", "train", "evaluate", "build", "bom", "scan", "gate", "sign", "store"),
    *("deploy", "protect", "guard", "revoke"),
)
_OWN_STEP = {
    SCAN: "scan",
    EVALUATION: "evaluate",
    SUMMARY: "gate",
    RELEASE: "store",
    DEPLOYMENT: "deploy",
    PROTECTION: "protect",
    GUARD_SUMMARY: "guard",
    REVOCATION: "revoke",
    MODEL_SIGNATURE: "sign",
    IMAGE_SIGNATURE: "sign",
    BOM: "bom",
}
_BUILT_STEP = {BUILD_TYPE.format(step): step for step in ("ingest", "train", "build")}


@dataclass(frozen=True)
class Resource:
    """A thing by name and digest (`sha256:` and hex); `kind` says what it is to the step: dataset, code, settings,
    model, report, predictions, labels, requirements, image, context (of a build), base (image), or the step whose
    evidence it is.
    """

    name: str
    digest: str
    kind: str = ""
    media_type: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The in-toto resource descriptor."""
        if not is_digest(self.digest):
            raise RefusedError("a resource needs a digest: sha256: and 64 hex digits", where=self.name[:80])
        algorithm, _, value = self.digest.partition(":")
        descriptor: dict[str, Any] = {"name": self.name, "digest": {algorithm: value}}
        if self.kind:
            descriptor["annotations"] = {"kind": self.kind}
        if self.media_type:
            descriptor["mediaType"] = self.media_type
        return descriptor


@dataclass(frozen=True)
class Statement:
    """A statement about its subjects. `predicate` is a JSON object."""

    subjects: tuple[Resource, ...]
    predicate_type: str
    predicate: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The bytes to sign. Raises RefusedError without a subject, and for what JSON cannot hold (NaN, a date)."""
        if not self.subjects:
            raise RefusedError("a statement needs a subject")
        value = {
            "_type": STATEMENT,
            "subject": [subject.as_dict() for subject in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }
        try:
            return canonical(value)
        except (TypeError, ValueError) as error:
            raise RefusedError(f"the statement cannot be written: {error}", where=self.predicate_type) from None

    @property
    def step(self) -> str:
        """The step that the statement speaks for; empty when it is none of ours."""
        if self.predicate_type == PROVENANCE:
            return _BUILT_STEP.get(str(_at(self.predicate, "buildDefinition", "buildType")), "")
        return _OWN_STEP.get(self.predicate_type, "")

    @property
    def time(self) -> str:
        """When the signer says that it was (RFC 3339); empty when it does not."""
        for path in (("runDetails", "metadata", "finishedOn"), ("timeVerified",), ("finishedOn",), ("storedOn",)):
            if isinstance(value := _at(self.predicate, *path), str):
                return value[:40]
        return ""

    def resources(self, *path: str) -> tuple[Resource, ...]:
        """The resource descriptors (a list or a single one) at that place of the predicate; none when it is absent.
        Raises RefusedError when something else is there.
        """
        value = _at(self.predicate, *path)
        if value is None:
            return ()
        return tuple(_resource(item) for item in (value if isinstance(value, list) else [value]))


def parse(raw: bytes, where: str = "the statement") -> Statement:
    """Read a statement's bytes. Raises RefusedError for everything that is not a statement about SHA-256 digests."""
    value = load(raw, where)
    if not isinstance(value, dict) or value.get("_type") != STATEMENT:
        raise RefusedError("this is no in-toto statement v1", where=where)
    kind, predicate, subjects = value.get("predicateType"), value.get("predicate"), value.get("subject")
    if not isinstance(kind, str) or not isinstance(predicate, dict) or not isinstance(subjects, list) or not subjects:
        raise RefusedError("the statement has no subject, predicate type or predicate", where=where)
    return Statement(tuple(_resource(item) for item in subjects), kind, predicate)


def provenance(
    step: str,
    subjects: Iterable[Resource],
    *,
    dependencies: Iterable[Resource] = (),
    parameters: Mapping[str, Any] | None = None,
    builder: str = "",
    versions: Mapping[str, str] | None = None,
    invocation: str = "",
    started: datetime | None = None,
    finished: datetime | None = None,
    byproducts: Iterable[Resource] = (),
) -> Statement:
    """How the subjects came to be (SLSA provenance v1): `step` is ingest, train or build; `parameters` are all that the
    outside could set; `dependencies` all that went in; times must have a zone.
    """
    metadata = {"invocationId": invocation, "startedOn": _time(started), "finishedOn": _time(finished)}
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE.format(step),
            "externalParameters": dict(parameters or {}),
            "resolvedDependencies": [dependency.as_dict() for dependency in dependencies],
        },
        "runDetails": {
            "builder": {"id": builder or "https://shipworthy.dev/cli", "version": dict(versions or {})},
            "metadata": {name: value for name, value in metadata.items() if value},
            "byproducts": [item.as_dict() for item in byproducts],
        },
    }
    return Statement(tuple(subjects), PROVENANCE, predicate)


def scan(
    subjects: Iterable[Resource],
    *,
    report: Resource,
    checks: Sequence[Mapping[str, Any]] = (),
    counts: Mapping[str, int] | None = None,
    finished: datetime | None = None,
) -> Statement:
    """What was scanned (the subjects), with what, and the report's digest. `checks` holds one JSON object for each
    check (name, version, outcome); `counts` the findings by severity.
    """
    predicate = {
        "report": report.as_dict(),
        "checks": [dict(check) for check in checks],
        "findings": dict(counts or {}),
        "finishedOn": _time(finished),
    }
    return Statement(tuple(subjects), SCAN, predicate)


def evaluation(
    subjects: Iterable[Resource],
    metrics: Sequence[Metric],
    *,
    inputs: Iterable[Resource],
    finished: datetime | None = None,
) -> Statement:
    """How well the subject did: every metric with its interval, and what it was computed from (`inputs`: resources of
    the kinds predictions, labels, dataset, code).
    """
    measured = [
        {"name": m.name, "value": m.value, "low": m.low, "high": m.high, "n": m.n, "method": m.method} for m in metrics
    ]
    predicate = {"metrics": measured, "inputs": [item.as_dict() for item in inputs], "finishedOn": _time(finished)}
    return Statement(tuple(subjects), EVALUATION, predicate)


def gate(
    subject: Resource,
    decision: GateDecision,
    *,
    evidence: Iterable[Resource],
    policy_digest: str,
    verifier: str = "https://shipworthy.dev/cli",
    version: str = "",
    decided: datetime | None = None,
) -> Statement:
    """A gate's decision as a SLSA verification summary v1. `evidence` are the bundles that it rests on (name, digest
    of the file, step as kind); `policy_digest` is that of the settings.
    """
    policy = Resource("settings", policy_digest).as_dict()
    predicate = {
        "verifier": {"id": verifier, "version": {"shipworthy": version}},
        "timeVerified": _time(decided),
        "resourceUri": subject.name,
        "policy": {"uri": "settings", "digest": policy["digest"]},
        "inputAttestations": [{"uri": item.name, "digest": item.as_dict()["digest"]} for item in evidence],
        "verificationResult": "PASSED" if decision.passed else "FAILED",
        "verifiedLevels": ["SHIPWORTHY_GATE_PASSED"] if decision.passed else ["FAILED"],
        "slsaVersion": "1.0",
        "https://shipworthy.dev/gate/v1": {
            "gate": decision.gate,
            "reasons": [{"code": reason.code, "message": reason.message} for reason in decision.reasons],
            "waived": list(decision.waived),
            "uncovered": list(decision.uncovered),
            "notes": list(decision.notes),
        },
    }
    return Statement((subject,), SUMMARY, predicate)


def bill(subject: Resource, bom: Mapping[str, Any]) -> Statement:
    """What is in the subject: `bom` is a CycloneDX document."""
    return Statement((subject,), BOM, bom)


def image_signature(image: Resource) -> Statement:
    """That the signer stands for this image: the statement that Cosign 3 makes of one."""
    return Statement((image,), IMAGE_SIGNATURE, {})


def release(
    model: Resource, *, version: str, evidence: Iterable[Resource], stored: datetime | None = None
) -> Statement:
    """What a store keeps under a name and a version: a model or image (the subject), every file of its evidence."""
    predicate = {
        "name": model.name,
        "version": version,
        "evidence": [item.as_dict() for item in evidence],
        "storedOn": _time(stored),
    }
    return Statement((model,), RELEASE, predicate)


def deployment(
    image: Resource,
    *,
    releases: Iterable[Resource],
    report: Resource,
    checks: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    facts: Mapping[str, Any],
    finished: datetime | None = None,
) -> Statement:
    """That the image of these releases (one in each store) was admitted, run as it will be run, and looked at from
    outside: with what, what was found, and how it ran (`facts`).
    """
    predicate = {
        "releases": [item.as_dict() for item in releases],
        "report": report.as_dict(),
        "checks": [dict(check) for check in checks],
        "findings": dict(counts),
        "deployment": dict(facts),
        "finishedOn": _time(finished),
    }
    return Statement((image,), DEPLOYMENT, predicate)


def protection(
    image: Resource, *, evidence: Iterable[Resource], facts: Mapping[str, Any], finished: datetime | None = None
) -> Statement:
    """That the image answered behind the guard: how that was set and what it did (`facts`). `evidence` lists every file
    about the deployment.
    """
    predicate = {
        "evidence": [item.as_dict() for item in evidence],
        "protection": dict(facts),
        "finishedOn": _time(finished),
    }
    return Statement((image,), PROTECTION, predicate)


def _time(moment: datetime | None) -> str:
    if moment is None:
        return ""
    if moment.tzinfo is None:
        raise ValueError("a time in evidence needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _resource(item: Any) -> Resource:
    value = _at(item, "digest", "sha256")
    digest = f"sha256:{value}"
    name = _at(item, "name") or _at(item, "uri") or ""
    if not is_digest(digest) or not isinstance(name, str):
        raise RefusedError("the statement names something without a SHA-256 digest", where=str(name)[:80])
    kind, media_type = _at(item, "annotations", "kind") or "", _at(item, "mediaType") or ""
    return Resource(name, digest, str(kind), str(media_type))
