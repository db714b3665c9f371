"""Evidence files opened with a policy: each with its statement and, if it does not hold, why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shipworthy.evidence import envelope
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import BUNDLE_SUFFIX, MODEL_SIGNATURE_NAME, EvidenceSet
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.statement import STEPS, Resource, Statement, parse

_INPUTS_AT = {
    "ingest": ("buildDefinition", "resolvedDependencies"),
    "train": ("buildDefinition", "resolvedDependencies"),
    "evaluate": ("inputs",),
    "build": ("buildDefinition", "resolvedDependencies"),
    "scan": ("report",),
    "gate": ("inputAttestations",),
    "store": ("evidence",),
    "deploy": ("report",),
    "protect": ("evidence",),
}
_TARGET_ORDER = ("store", "gate", "evaluate", "train", "build")


@dataclass(frozen=True)
class Opened:
    """One file. With a `problem`, its step and statement are only what it claims: good for naming it, for nothing
    else. `inputs` are what it rests on.
    """

    name: str
    digest: str
    step: str
    statement: Statement | None = None
    signers: tuple[envelope.PublicKey, ...] = ()
    problem: Problem | None = None
    inputs: tuple[Resource, ...] = ()

    @property
    def good(self) -> bool:
        """It verifies, and its signer may say this."""
        return self.problem is None and self.statement is not None

    @property
    def damaged(self) -> bool:
        """It is not what was signed, or could not be read (rather than signed by somebody else)."""
        return self.problem is not None and self.problem.failure is not Failure.POLICY

    def is_about(self, digest: str) -> bool:
        """Whether a subject of the statement has the digest; names count for nothing."""
        return self.statement is not None and any(s.digest == digest for s in self.statement.subjects)


def open_all(evidence: EvidenceSet, policy: Policy) -> tuple[Opened, ...]:
    """Open every bundle, in the order of their names."""
    opened = [_open(name, raw, policy) for name, raw in sorted(evidence.bundles.items())]
    for name, reason in sorted(evidence.unreadable.items()):
        opened.append(Opened(name, "", step_of_name(name), problem=Problem(Failure.INFRASTRUCTURE, reason)))
    return tuple(_once(opened))


def _once(opened: list[Opened]) -> list[Opened]:
    """Without the good files that are another one's copy: the file whose name fits its step stays."""
    kept: dict[str, Opened] = {}
    for item in opened:
        other = kept.get(item.digest)
        if other is None or (item.good and step_of_name(item.name) == item.step != step_of_name(other.name)):
            kept[item.digest] = item
    return [item for item in opened if not item.good or kept[item.digest] is item]


def attested(evidence: EvidenceSet, policy: Policy) -> Resource:
    """The model or image that the evidence is about, by its release, else its gate, evaluation, training or build.

    Raises RefusedError (`missing`) when no statement that verifies says so, or when they speak of several.
    """
    opened = open_all(evidence, policy)
    for step in _TARGET_ORDER:
        subjects = {
            item.statement.subjects[0].digest: item.statement.subjects[0]
            for item in opened
            if item.good and item.step == step and item.statement is not None
        }
        if len(subjects) == 1:
            return next(iter(subjects.values()))
        if subjects:
            raise RefusedError(
                f"the evidence speaks of {len(subjects)} things",
                Failure.MISSING,
                remedy="say which one to verify",
                actual=", ".join(sorted(subjects)),
            )
    reasons = sorted({f"{item.name}: {item.problem.reason}" for item in opened if item.problem})
    raise RefusedError(
        "no statement that can be trusted says which model or image this is" + (f" ({reasons[0]})" if reasons else ""),
        Failure.MISSING,
        remedy="check that the trusted keys are those of the signer, and that the evidence is complete",
    )


def step_of_name(name: str) -> str:
    """The step that a file's name tells of; empty when none."""
    if name == MODEL_SIGNATURE_NAME:
        return "sign"
    stem = name.removesuffix(BUNDLE_SUFFIX).split("-")[0]
    stem = "store" if stem == "release" else stem
    return stem if stem in STEPS else ""


def _open(name: str, raw: bytes, policy: Policy) -> Opened:
    digest = sha256_bytes(raw)
    try:
        opened = envelope.verify(raw, policy.trusted(), where=name)
        statement = parse(opened.payload, name)
        place = _INPUTS_AT.get(statement.step)
        inputs = statement.resources(*place) if place else ()
    except RefusedError as error:
        claimed = _claimed(raw)
        step = (claimed.step if claimed else "") or step_of_name(name)
        return Opened(name, digest, step, claimed, problem=_damage(error))
    if policy.may_sign(statement.step, opened.signers):
        return Opened(name, digest, statement.step, statement, opened.signers, None, inputs)
    return Opened(name, digest, statement.step, statement, opened.signers, _wrong_role(statement, opened, policy))


def _damage(error: RefusedError) -> Problem:
    problem = Problem.of(error)
    return problem if problem.remedy else replace(problem, remedy="get the file again from where it was made")


def _claimed(raw: bytes) -> Statement | None:
    try:
        return parse(envelope.read(raw).payload)
    except RefusedError:
        return None


def _wrong_role(statement: Statement, opened: envelope.Opened, policy: Policy) -> Problem:
    step = statement.step or statement.predicate_type[:80]
    rule = policy.steps.get(statement.step)
    has = sorted({role for key in opened.signers for role in policy.roles_of(key)})
    wanted = ", ".join(sorted(rule.roles)) if rule else "nobody: the policy has no rule for it"
    return Problem(
        Failure.POLICY,
        f"the signer ({', '.join(has)}) may not sign the step {step}",
        expected=wanted,
        actual=", ".join(has),
        remedy="have it signed by a key that may, or change the policy",
    )
