"""The project's list of revocations: where it lies, who signs it, and that nobody hands us an older one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.errors import UsageError
from shipworthy.evidence import envelope
from shipworthy.evidence.digest import digest_of
from shipworthy.evidence.failures import Failure, Problem, RefusedError
from shipworthy.evidence.files import read_bounded
from shipworthy.evidence.links import ChainResult, Link, Status
from shipworthy.evidence.names import is_digest
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.revocation import EMPTY, Revocation, RevocationList, read_list, revocation
from shipworthy.files import write_atomically
from shipworthy.stages.logged import with_log
from shipworthy.stages.secrets import open_signers
from shipworthy.stages.trust import Believed, believed, demands
from shipworthy.user_folders import state_folder

LIST_NAME = "revocations.sigstore.json"
_LIMIT = 16 * 1024 * 1024


def list_path(settings: Settings, root: Path) -> Path:
    """Where the list lies: as `[trust] revocations` says, or beside the settings."""
    return root / (settings.trust.revocations or LIST_NAME)


def policy_for(settings: Settings, who: Believed) -> Policy:
    """What is demanded of a chain, what stands in the log, if one is trusted, and what is revoked, if there is a list.

    Raises RefusedError when the list does not verify, is older than one that was seen here before, or has not been
    renewed for longer than is allowed, and (`missing`) when there was one and it is gone.
    """
    policy = with_log(demands(settings, who), who, settings)
    path = (who.lists or who.folder) / (who.trust.revocations or LIST_NAME)
    memory = _Memory(path, who.known_as)
    if not path.is_file():
        if who.trust.revocations or memory.version:
            raise RefusedError(
                "the list of revocations is gone",
                Failure.MISSING,
                where=path.name,
                expected=f"version {memory.version} or later" if memory.version else path.name,
                remedy="get the newest list from whoever keeps it: without it nobody knows what was revoked",
            )
        return policy
    found = read_list(read_bounded(path, _LIMIT), policy, path.name)
    memory.note(found)
    _fresh(found, who.trust.revocations_max_age_days, path.name)
    return replace(policy, revoked=found.revoked)


def not_listed(error: RefusedError) -> ChainResult:
    """The chain that is not walked, since the list of revocations or the log does not hold."""
    link = Link("policy", error.where or LIST_NAME, "", Status.BROKEN)
    return ChainResult("", (link.failed(Problem.of(error)),))


def revoke(
    target: str, reason: str, settings: Settings, root: Path, *, instead: str = "", name: str = ""
) -> tuple[Revocation, RevocationList, Path]:
    """Add a digest, or that of a file or folder, to the list, sign it and write it: the entry, the list, and where it
    lies. Raises UsageError when it is no digest and no path, or is revoked already.
    """
    digest, called = digest_named(target)
    policy, path = demands(settings, believed(settings, root)), list_path(settings, root)
    old = current(settings, root)
    if known := old.revoked.get(digest):
        raise UsageError(f"it is revoked already, since {known.time[:10]}: {known.reason}", where=digest)
    now = datetime.now(UTC)
    added = revocation(digest, reason, now, name=name or called, instead=digest_named(instead)[0] if instead else "")
    new = old.with_([added], now)
    _write(new, policy, settings, root)
    return added, new, path


def renew(settings: Settings, root: Path) -> tuple[RevocationList, Path]:
    """Sign the list anew under the next version, with nothing added: it is as young as today. Raises UsageError when
    there is none.
    """
    policy, path = demands(settings, believed(settings, root)), list_path(settings, root)
    old = current(settings, root)
    if not old.version:
        raise UsageError("there is no list of revocations yet", where=path.name, remedy="it is made by the first one")
    new = old.with_([], datetime.now(UTC))
    _write(new, policy, settings, root)
    return new, path


def current(settings: Settings, root: Path) -> RevocationList:
    """The list as it lies there, verified; an empty one when there is none."""
    policy, path = demands(settings, believed(settings, root)), list_path(settings, root)
    if not path.is_file():
        return EMPTY
    found = read_list(read_bounded(path, _LIMIT), policy, path.name)
    _Memory(path).note(found)
    return found


def _write(new: RevocationList, policy: Policy, settings: Settings, root: Path) -> None:
    path = list_path(settings, root)
    raw = envelope.sign(new.statement().to_bytes(), open_signers(settings, root)["revoke"])
    read_list(raw, policy, path.name)  # by a key that nobody believes here, it would stop every verification
    write_atomically(path, raw)
    _Memory(path).note(new)


def digest_named(target: str) -> tuple[str, str]:
    """The digest that is given, or that of the file or folder, and what that is called. Raises UsageError."""
    if is_digest(target):
        return target, ""
    path = Path(target)
    if not path.exists():
        raise UsageError("this is no digest (sha256: and 64 hex digits) and no file or folder", where=target[:120])
    return digest_of(path), path.name


def _fresh(found: RevocationList, days: int, where: str) -> None:
    if not days:
        return
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(found.time)
    except (ValueError, TypeError):
        age = timedelta.max
    if age > timedelta(days=days):
        raise RefusedError(
            f"the list of revocations is older than {days} days",
            Failure.POLICY,
            where=where,
            expected=f"at most {days} days",
            actual=found.time,
            remedy="get the newest list: an old one may hide what was revoked since",
        )


class _Memory:
    """The highest version of the list at a path that was seen on this machine."""

    def __init__(self, path: Path, known_as: str = "") -> None:
        self.file = state_folder() / "revocations.json"
        self.key = known_as or str(path.resolve())
        self.where = path.name
        self.known = self._read()
        value = self.known.get(self.key)
        self.version = value if type(value) is int else 0

    def _read(self) -> Mapping[str, object]:
        try:
            value = json.loads(self.file.read_bytes()) if self.file.is_file() else {}
        except (OSError, ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise UsageError(
                "the memory of revocations cannot be read", where=str(self.file), remedy="restore it, or remove it"
            )
        return value

    def note(self, found: RevocationList) -> None:
        """Raises RefusedError when an older list than one that was seen is there."""
        if found.version < self.version:
            raise RefusedError(
                "the list of revocations was turned back",
                where=self.where,
                expected=f"version {self.version} or later",
                actual=f"version {found.version}",
                remedy="get the newest list from whoever keeps it",
            )
        if found.version > self.version:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.file, json.dumps({**self.known, self.key: found.version}, sort_keys=True).encode())
            self.version = found.version
