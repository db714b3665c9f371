"""What a verifier demands: whose keys it trusts, which of them may sign which step, and what each step must rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shipworthy.evidence.envelope import PublicKey
from shipworthy.evidence.failures import Problem
from shipworthy.evidence.statement import STEPS
from shipworthy.model.roles import ROLE_OF, ROLES

INPUTS: Mapping[str, frozenset[str]] = {
    "train": frozenset({"dataset", "code"}),
    "evaluate": frozenset({"predictions", "labels"}),
    "scan": frozenset({"report"}),
    "gate": frozenset({"train", "evaluate", "scan"}),
    "build": frozenset({"context"}),
    "image/gate": frozenset({"build", "bom", "scan"}),
    "deploy": frozenset({"report"}),
    "deployment/gate": frozenset({"deploy"}),
    "protect": frozenset({"deploy", "gate", "guard", "events"}),
}
"""What a step must name by default: kinds of resources; for a gate, the steps whose evidence it saw. `image/gate`: the
gate of an image, where that differs from a model's; `deployment/gate`: of one that is deployed."""


@dataclass(frozen=True)
class Logged:
    """Where a signed file stands in a transparency log, and since when by the log's own clock (RFC 3339)."""

    index: int
    time: str


class Revoked(Protocol):
    """Why a digest must not be used any more."""

    @property
    def digest(self) -> str:
        """`sha256:` and hex."""
        ...

    def problem(self) -> Problem:
        """As that of a link."""
        ...


@dataclass(frozen=True)
class StepRule:
    """The rule for one step. `inputs` are kinds (`dataset`) or a kind with a name (`dataset:data/train.csv`);
    `signatures` how many keys of the roles must have signed; `max_age` how old it may be by the time that its signer
    gave; `settings` digests of the settings under which a gate may have decided (none: any).
    """

    roles: frozenset[str]
    inputs: frozenset[str] = frozenset()
    required: bool = True
    signatures: int = 1
    max_age: timedelta | None = None
    settings: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Policy:
    """`keys` maps a role to its keys; `steps` a step to its rule: a step without a rule may be signed by nobody.
    `image/gate` is the rule of the gate of an image. `at_hand` are the kinds (`model`), or a kind with a name
    (`dataset:data/train.csv`), whose bytes must be there to be read: an attestation alone does not do for them.
    `separate` refuses a key that signed in two roles. `now` (with a zone) is what ages are reckoned from; without it no
    rule on age can be met. `revoked` are digests with which nothing holds. `logged` is what
    stands in a transparency log, by the digest of the signed file: with one, every statement must, and its age is that.
    """

    keys: Mapping[str, tuple[PublicKey, ...]]
    steps: Mapping[str, StepRule]
    at_hand: frozenset[str] = frozenset({"model", "image", "layer"})
    separate: bool = False
    now: datetime | None = None
    revoked: Mapping[str, Revoked] = field(default_factory=dict)
    logged: Mapping[str, Logged] | None = None

    @classmethod
    def trusting(cls, *keys: PublicKey, optional: Iterable[str] = ("store",)) -> Policy:
        """One owner, any of whose keys may sign every step; the default inputs; `optional` steps may be absent."""
        return cls.by_role(dict.fromkeys(ROLES, keys), optional=optional)

    @classmethod
    def by_role(
        cls,
        keys: Mapping[str, tuple[PublicKey, ...]],
        *,
        optional: Iterable[str] = ("store",),
        role_of: Mapping[str, str] = ROLE_OF,
    ) -> Policy:
        """The keys of each role, the default inputs; `role_of` maps a step to its role."""
        absent = frozenset(optional)
        rules = {step: StepRule(frozenset({role_of[step]}), INPUTS.get(step, frozenset()) - absent) for step in STEPS}
        for name in INPUTS.keys() - rules.keys():
            rules[name] = StepRule(frozenset({role_of[name.partition("/")[2]]}), INPUTS[name] - absent)
        return cls(dict(keys), {name: replace(rule, required=name not in absent) for name, rule in rules.items()})

    def rule(self, step: str, kind: str) -> StepRule:
        """The rule for a step about a thing of this kind."""
        return self.steps.get(f"{kind}/{step}") or self.steps[step]

    def trusted(self) -> tuple[PublicKey, ...]:
        """Every key, once."""
        return tuple({key.keyid: key for keys in self.keys.values() for key in keys}.values())

    def roles_of(self, key: PublicKey) -> frozenset[str]:
        """The roles that hold the key."""
        return frozenset(role for role, keys in self.keys.items() if any(key.keyid == k.keyid for k in keys))

    def may_sign(self, step: str, signers: Iterable[PublicKey]) -> bool:
        """Whether one of the signers has a role that may sign the step."""
        rule = self.steps.get(step)
        return rule is not None and any(self.roles_of(key) & rule.roles for key in signers)

    def required(self, step: str) -> bool:
        """Whether the step must be attested."""
        return step in self.steps and self.steps[step].required
