"""What a policy demands of a statement that verifies: enough signers, young enough, resting on what it must."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shipworthy.evidence.failures import Failure, Problem
from shipworthy.evidence.links import Check, Link
from shipworthy.evidence.opened import Opened, step_of_name
from shipworthy.evidence.policy import Policy, StepRule
from shipworthy.model.roles import ROLE_OF

ONE_SIGNER = (
    "one key ({}) signed everything: whoever holds it can make all of this up. "
    "`shipworthy keys new --roles FOLDER` makes a key for each role"
)
_CLOCKS_DIFFER = timedelta(minutes=5)


def unmet(item: Opened, rule: StepRule, policy: Policy) -> tuple[str, Problem] | None:
    """The first demand that the statement does not meet: its name, and what is wrong; None when it meets all."""
    for name, found in (
        ("logged", _logged(item, policy)),
        ("signatures", _signatures(item, rule, policy)),
        ("age", _age(item, rule, policy)),
        ("settings", _settings(item, rule)),
        ("inputs", _inputs(item, rule)),
    ):
        if found:
            return name, found
    return None


def _logged(item: Opened, policy: Policy) -> Problem | None:
    if policy.logged is None or item.digest in policy.logged:
        return None
    reason, remedy = f"{item.name} does not stand in the transparency log", "find out who signed it, and why unseen"
    return Problem(Failure.MISSING, reason, "an entry of the log", item.digest, remedy)


def _signatures(item: Opened, rule: StepRule, policy: Policy) -> Problem | None:
    fit = [key for key in item.signers if policy.roles_of(key) & rule.roles]
    if len(fit) >= rule.signatures:
        return None
    reason = f"the step {item.step} needs {rule.signatures} signatures of different keys, and has {len(fit)}"
    remedy = "name so many keys for its role in [sign.keys], and run the pipeline again"
    return Problem(Failure.POLICY, reason, str(rule.signatures), str(len(fit)), remedy)


def _age(item: Opened, rule: StepRule, policy: Policy) -> Problem | None:
    """Why it is too old, or from the future. The time is the log's, where there is one, or what its signer says."""
    if rule.max_age is None:
        return None
    entry = policy.logged.get(item.digest) if policy.logged is not None else None
    told = entry.time if entry else item.statement.time if item.statement else ""
    most = f"{rule.max_age.days} days"
    try:
        made = datetime.fromisoformat(told)
        age = (policy.now or datetime.max.replace(tzinfo=UTC)) - made
    except (ValueError, TypeError, OverflowError):
        reason = f"the step {item.step} does not say when it was done, and may be no older than {most}"
        return Problem(Failure.POLICY, reason, most, told or "no time", f"run the step {item.step} again")
    if age < -_CLOCKS_DIFFER:
        reason = f"the step {item.step} claims a time that has not come yet"
        remedy = "set the clock of whoever signed it, or of this machine"
        return Problem(Failure.POLICY, reason, f"no later than {policy.now}", told, remedy)
    if age > rule.max_age:
        reason = f"the step {item.step} is {age.days} days old"
        return Problem(Failure.POLICY, reason, f"at most {most}", told, f"run the step {item.step} again")
    return None


def _settings(item: Opened, rule: StepRule) -> Problem | None:
    """Why the settings under which a gate decided are none of those that are allowed."""
    if not rule.settings:
        return None
    found = [one.digest for one in item.statement.resources("policy")] if item.statement else []
    if found and rule.settings.issuperset(found):
        return None
    reason = f"the step {item.step} was decided under settings that are not allowed"
    remedy = "run the pipeline again under the settings that hold now, or allow the older ones"
    return Problem(Failure.POLICY, reason, ", ".join(sorted(rule.settings)), ", ".join(found) or "none", remedy)


def _inputs(item: Opened, rule: StepRule) -> Problem | None:
    have = {r.kind or step_of_name(r.name) for r in item.inputs} | {f"{r.kind}:{r.name}" for r in item.inputs}
    lacking = ", ".join(sorted(rule.inputs - have))
    if not lacking:
        return None
    reason = f"the step {item.step} does not name what it must rest on: {lacking}"
    remedy = f"run the step {item.step} again with it, or change the policy"
    return Problem(Failure.POLICY, reason, lacking, ", ".join(sorted(have)) or "nothing", remedy)


def apart(links: Sequence[Link]) -> list[Link]:
    """The links, each of which fails that was signed by a key which signed in another role before."""
    role_of_key: dict[str, str] = {}
    kept: list[Link] = []
    for link in links:
        role = ROLE_OF.get(link.step, link.step)
        twice = next((key for key in link.keys if role_of_key.setdefault(key, role) != role), "")
        if twice and link.holds:
            reason = f"the key {twice[:16]} signed as {role_of_key[twice]} and as {role}, which the policy keeps apart"
            remedy = "name a key for each role in [sign.keys], and run the pipeline again"
            problem = Problem(Failure.POLICY, reason, f"another key than that of {role_of_key[twice]}", twice, remedy)
            link = link.failed(problem, Check("separate", False, twice))
        kept.append(link)
    return kept
