"""Whom a verifier believes: the keys of each role, and the policy that `[trust]`, or a policy file, makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from shipworthy.config import NO_DATE, PolicyFile, Settings, StepDemand, Trust, load_policy
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.digest import sha256_bytes
from shipworthy.evidence.oms import verify_model
from shipworthy.evidence.policy import Policy, StepRule
from shipworthy.files import write_atomically
from shipworthy.keys import PublicKey, load_public, open_signer
from shipworthy.model.roles import ROLES
from shipworthy.user_folders import state_folder

Trusted = Mapping[str, tuple[PublicKey, ...]]
"""The keys of each role that are believed."""
_ROLE = "{role}"
_MEMORY_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Believed:
    """Whose keys count, and what is demanded of what they signed; paths are relative to `folder`. `policy` names the
    policy file, if it was one; `lists` is where the list of revocations lies, if elsewhere, and `known_as` what it is
    remembered by, if not by its place.
    """

    keys: Trusted
    trust: Trust
    folder: Path
    policy: str = ""
    lists: Path | None = None
    known_as: str = ""

    @property
    def every_key(self) -> tuple[PublicKey, ...]:
        """Each key once, whatever its role."""
        return tuple({key.keyid: key for keys in self.keys.values() for key in keys}.values())


def signing_uris(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The URIs of the private keys of each role; a role without one is not there."""
    given = {role: settings.sign.keys.get(role) or (settings.sign.key,) for role in ROLES}
    return {
        role: tuple(uri.replace(_ROLE, role) for uri in uris) for role, uris in given.items() if any(map(bool, uris))
    }


def believed(settings: Settings, root: Path, given: tuple[Path, ...] = ()) -> Believed:
    """Who is believed: the keys given (in every role), those of `[trust.keys]`, of `[sign] trusted` (in every role), or
    the public halves of the signing keys. Raises UsageError for none.
    """
    keys: dict[str, tuple[PublicKey, ...]]
    everywhere = [*given] or [root / name for name in settings.sign.trusted]
    if given or (everywhere and not settings.trust.keys):
        keys = dict.fromkeys(ROLES, tuple(load_public(path) for path in everywhere))
    elif settings.trust.keys:
        keys = _named(settings.trust, root)
    else:
        keys = _own(settings, root)
    if not any(keys.values()):
        raise UsageError(
            "no key is trusted here, so nothing can be verified",
            remedy="name one: `--key release.key.pub`, or in the settings [sign] key, [sign] trusted or [trust.keys]",
        )
    return Believed(keys, settings.trust, root)


def _named(trust: Trust, root: Path) -> dict[str, tuple[PublicKey, ...]]:
    return {role: tuple(load_public(root / name) for name in names) for role, names in trust.keys.items()}


def _own(settings: Settings, root: Path) -> dict[str, tuple[PublicKey, ...]]:
    """The public halves of the signing keys."""
    found: dict[str, tuple[PublicKey, ...]] = {}
    for role, uris in signing_uris(settings).items():
        found[role] = tuple(_public_half(uri, root) for uri in uris)
    return found


def _public_half(uri: str, root: Path) -> PublicKey:
    """The public key of a private one: what lies beside a file, or what its provider says."""
    scheme, _, rest = uri.partition(":")
    place = rest.partition("?")[0]
    if scheme == "file" or (scheme == "ssh" and place != "agent"):
        return load_public(root / f"{Path(place).expanduser()}.pub")
    return open_signer(uri).public_key()


def demands(settings: Settings, who: Believed) -> Policy:
    """What is demanded of the chain: the bytes of all that a run keeps must be there, and in a workspace whose settings
    name datasets and code, theirs too; elsewhere these may be attested only. `[trust]` adds to it."""
    kept = {"model", "predictions", "report", "manifest", "events"}
    if settings.source is not None and settings.train is not None:
        kept |= {f"dataset:{path}" for path in settings.train.inputs.values()}
        kept |= {f"code:{path}" for path in settings.train.code}
    if settings.source is not None and settings.evaluate is not None:
        kept.add(f"labels:{settings.evaluate.holdout}")
    policy = Policy.by_role(who.keys)
    rules = {name: _ruled(rule, name, who.trust) for name, rule in policy.steps.items()}
    return replace(policy, steps=rules, at_hand=frozenset(kept), separate=who.trust.separate, now=datetime.now(UTC))


def _ruled(rule: StepRule, name: str, trust: Trust) -> StepRule:
    """The rule of a step with what the settings demand of it: of `image/gate`, what they say of it or of `gate`."""
    demand = trust.steps.get(name) or trust.steps.get(name.rpartition("/")[2]) or StepDemand()
    days = demand.max_age_days or trust.max_age_days
    return StepRule(
        roles=frozenset(demand.roles) or rule.roles,
        inputs=rule.inputs | frozenset(demand.inputs),
        required=False if demand.optional else rule.required or name in trust.steps,
        signatures=demand.signatures,
        max_age=timedelta(days=days) if days else None,
        settings=frozenset(demand.settings),
    )


def believed_by(path: Path, owners: tuple[Path, ...] = (), *, today: date | None = None) -> Believed:
    """Who is believed by a policy file. Paths in it are relative to it. `owners` are public keys: one of them must have
    signed the policy (`shipworthy sign POLICY --output POLICY.sig`).

    Raises UsageError when it is no policy, EvidenceError when its signature does not verify, when it has expired, and
    when a later version of it was seen on this machine: who can turn a policy back can make an old, weak one hold.
    """
    raw, policy = load_policy(path)
    if owners:
        _signed_by(path, owners)
    if policy.expires not in (NO_DATE,) and (today or datetime.now(UTC).date()) > policy.expires:
        raise EvidenceError(
            f"the policy held until {policy.expires}", where=path.name, remedy="get the one that holds now"
        )
    _remember(policy, sha256_bytes(raw), path.name)
    keys = _named(policy.trust, path.parent)
    if not any(keys.values()):
        raise UsageError("the policy trusts no key", where=path.name, remedy="name them in [trust.keys]")
    return Believed(keys, policy.trust, path.parent, f"{policy.name} {policy.version}")


def _signed_by(path: Path, owners: tuple[Path, ...]) -> None:
    beside = path.with_name(f"{path.name}.sig")
    if not beside.is_file():
        raise EvidenceError(
            "the policy is not signed",
            where=path.name,
            remedy=f"its owner signs it: shipworthy sign {path.name} --key KEY --output {beside.name}",
        )
    keys = tuple(load_public(owner) for owner in owners)
    verified = verify_model(path, beside.read_bytes(), keys, where=beside.name)
    if not verified.ok or verified.name != path.name:
        raise EvidenceError("the policy is not what was signed", where=path.name, remedy="get it again from its owner")


def _remember(policy: PolicyFile, digest: str, where: str) -> None:
    """Note the version; refuse a lower one, and another policy under the same."""
    memory = state_folder() / "policies.json"
    try:
        raw = memory.read_bytes() if memory.is_file() and memory.stat().st_size <= _MEMORY_LIMIT else b"{}"
        known = json.loads(raw)
        version, seen = known.get(policy.name, (0, ""))
    except (OSError, ValueError, TypeError, AttributeError):
        raise UsageError(
            "the memory of policies cannot be read", where=str(memory), remedy="restore it, or remove it"
        ) from None
    if policy.version < version or (policy.version == version and seen != digest):
        said = f"version {version} of it was" if policy.version < version else f"another version {version} of it was"
        raise EvidenceError(
            f"{said} used here before, and this is version {policy.version}",
            where=where,
            remedy=f"use the newest `{policy.name}`; a changed policy needs a higher version",
        )
    if policy.version > version:
        known[policy.name] = (policy.version, digest)
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(memory, json.dumps(known, sort_keys=True).encode())
