"""Who signs, and whom a verifier believes: the settings `[sign]` and `[trust]`, and policy files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from shipworthy.config.options import NO_DATE
from shipworthy.config.options import option as _opt
from shipworthy.records import dataclass


@dataclass(frozen=True)
class Sign:
    """Who signs: `[sign]`."""

    key: str = _opt(
        "",
        "the private key, such as `file:../keys/release.key`; made by `shipworthy keys new`. `{role}` stands for the "
        "role: `file:../keys/{role}.key` is a key for each, made by `shipworthy keys new --roles ../keys`",
    )
    keys: Mapping[str, tuple[str, ...]] = _opt(
        dict,
        "the keys of single roles (`data`, `build`, `gate`, `release`, `deploy`) instead of `key`; all of a list sign",
    )
    passphrase: str = _opt("", "where the passphrase is, such as `env:SHIPWORTHY_PASSPHRASE`")
    trusted: tuple[str, ...] = _opt(
        (),
        "public keys that `shipworthy verify` trusts in every role; default: the signing keys' own, each in its",
    )


@dataclass(frozen=True)
class StepDemand:
    """What is demanded of one step's evidence: `[trust.steps.STEP]`."""

    roles: tuple[str, ...] = _opt((), "the roles that may sign it; default: the step's own")
    signatures: int = _opt(1, "so many different keys of these roles must have signed it")
    max_age_days: int = _opt(0, "how old it may be, by the time that its signer gave; 0: as `trust.max-age-days` says")
    inputs: tuple[str, ...] = _opt(
        (), "what it must name besides: kinds (`dataset`), or a kind with a name (`dataset:data/train.csv`)"
    )
    settings: tuple[str, ...] = _opt((), "digests of the settings under which a gate may have decided; default: any")
    optional: bool = _opt(False, "it may be absent")


@dataclass(frozen=True)
class Log:
    """A transparency log of one's own: `[log]`."""

    at: str = _opt("", "the folder of the log, such as `../log`; default: none")
    name: str = _opt("", "what it is called, such as `example.org/models`; default: `PROJECT/log`")
    key: str = _opt("", "the private Ed25519 key that signs its checkpoints, such as `file:../keys/log.key`")


@dataclass(frozen=True)
class TrustLog:
    """A log in which evidence must stand: `[trust.log]`."""

    at: str = _opt("", "the folder of the log; default: that of `[log]`")
    name: str = _opt("", "what it is called; default: as `[log]` says")
    key: str = _opt("", "the log's public key; with it, every signed statement must stand in the log")


@dataclass(frozen=True)
class Trust:
    """What `shipworthy verify` demands: `[trust]`, or the whole of a file that `--policy` names."""

    keys: Mapping[str, tuple[str, ...]] = _opt(
        dict, 'the public keys of each role, in place of `sign.trusted`: `{ release = ["keys/release.pub"] }`'
    )
    steps: Mapping[str, StepDemand] = _opt(dict, "what is demanded of single steps")
    max_age_days: int = _opt(0, "how old any evidence may be; 0: any age")
    revocations: str = _opt("", "the signed list of revocations; default: `revocations.sigstore.json`, if it is there")
    revocations_max_age_days: int = _opt(
        0, "how old that list may be; 0: any age. `shipworthy revoke --renew` signs it anew"
    )
    log: TrustLog = _opt(TrustLog, "the transparency log in which evidence must stand")
    separate: bool = _opt(False, "refuse a chain in which one key signed in more than one role")


@dataclass(frozen=True)
class PolicyFile:
    """A policy in a file of its own: `shipworthy verify --policy FILE`."""

    name: str = _opt("", "what it is called: a verifier remembers the highest version of each name")
    version: int = _opt(0, "a whole number from 1 that grows: a lower one than was seen before is refused")
    expires: date = _opt(NO_DATE, "the last day on which it may be used; default: none")
    trust: Trust = _opt(Trust, "whose evidence is believed, and how much of it is demanded: as in the settings")
