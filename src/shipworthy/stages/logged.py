"""The project's transparency log: what is added to it, and what a verifier asks of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.errors import EvidenceError, UsageError
from shipworthy.evidence.failures import Failure, RefusedError
from shipworthy.evidence.files import is_bundle
from shipworthy.evidence.names import is_digest
from shipworthy.evidence.policy import Logged, Policy
from shipworthy.evidence.strictjson import canonical, load
from shipworthy.files import write_atomically
from shipworthy.keys import load_public
from shipworthy.stages.secrets import open_one
from shipworthy.stages.trust import Believed
from shipworthy.tlog import Log, TamperedError, Verifier, verifier_of
from shipworthy.user_folders import state_folder

ENTRY = "https://shipworthy.dev/log-entry/v1"


def project_log(settings: Settings, root: Path) -> Log | None:
    """The log of `[log]`; None when there is none."""
    if not settings.log.at:
        return None
    return Log(root / settings.log.at, name_of(settings, root))


def name_of(settings: Settings, root: Path) -> str:
    """What the log is called."""
    return settings.log.name or f"{settings.project or root.resolve().name}/log"


def add_to_log(settings: Settings, root: Path, files: Mapping[str, str], now: datetime | None = None) -> int:
    """Add signed files (digests by name) that do not stand in the log yet; how many. Nothing, when there is no log.
    Raises UsageError without a key for it, EvidenceError when the log is not what it was.
    """
    log = project_log(settings, root)
    if log is None:
        return 0
    if not settings.log.key:
        raise UsageError(
            "the log has no key",
            where="[log] key",
            remedy='make one: `shipworthy keys new ../keys/log.key`, then key = "file:../keys/log.key"',
        )
    signer = open_one(settings.log.key, settings, root)
    verifier = verifier_of(log.origin, signer.public_key())
    known = entries_of(log, verifier) if log.exists() else {}
    time = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    fresh = {digest: name for name, digest in sorted(files.items()) if is_bundle(name) and digest not in known}
    data = [
        canonical({"type": ENTRY, "digest": digest, "name": name[:200], "time": time}) for digest, name in fresh.items()
    ]
    log.add(data, signer)
    return len(data)


def entries_of(log: Log, verifier: Verifier) -> dict[str, Logged]:
    """What stands in the log, by digest: the first entry of each. Others' entries are passed over. Raises EvidenceError
    when the log is not what its checkpoint says.
    """
    found: dict[str, Logged] = {}
    for entry in log.entries(verifier):
        if said := read_entry(entry.data):
            found.setdefault(said[0], Logged(entry.index, said[1]))
    return found


def read_entry(data: bytes) -> tuple[str, str] | None:
    """The digest and the time of an entry of ours; None for another one."""
    try:
        value = load(data, "the entry")
    except RefusedError:
        return None
    if not isinstance(value, dict) or value.get("type") != ENTRY or not is_digest(value.get("digest")):
        return None
    return str(value["digest"]), str(value.get("time", ""))[:40]


def with_log(policy: Policy, who: Believed, settings: Settings) -> Policy:
    """The policy with what stands in the log, where `[trust.log]` names its key.

    The whole log is read again, and must have grown out of the last checkpoint that was seen here. Raises RefusedError:
    `integrity` when it did not, `missing` when the log is gone.
    """
    wanted = who.trust.log
    if not wanted.key:
        return policy
    folder = who.folder / (wanted.at or settings.log.at)
    verifier = verifier_of(wanted.name or name_of(settings, who.folder), load_public(who.folder / wanted.key))
    log, memory = Log(folder, verifier.name), _Memory(verifier)
    if not (wanted.at or settings.log.at) or not log.exists():
        raise RefusedError(
            "the transparency log is gone",
            Failure.MISSING,
            where=verifier.name,
            remedy="say where it is ([trust.log] at), or bring it back from a copy",
        )
    try:
        log.verify(verifier, since=[memory.seen] if memory.seen else [])
        memory.note(log.checkpoint(verifier)[0])
        return replace(policy, logged=entries_of(log, verifier))
    except TamperedError as error:
        raise RefusedError(error.message, where=verifier.name, remedy=error.remedy) from None
    except EvidenceError as error:
        raise RefusedError(f"the log does not verify: {error}", where=verifier.name, remedy=error.remedy) from None


class _Memory:
    """The last checkpoint of a log that was seen on this machine, by the log's name and key."""

    def __init__(self, verifier: Verifier) -> None:
        self.file, self.key = state_folder() / "logs.json", verifier.text()
        try:
            known = json.loads(self.file.read_bytes()) if self.file.is_file() else {}
            self.known: dict[str, str] = {str(name): str(text) for name, text in known.items()}
            self.seen = base64.b64decode(self.known.get(self.key, ""), validate=True)
        except (OSError, ValueError, AttributeError, RecursionError):
            raise UsageError(
                "the memory of logs cannot be read", where=str(self.file), remedy="restore it, or remove it"
            ) from None

    def note(self, raw: bytes) -> None:
        if raw == self.seen:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        known = {**self.known, self.key: base64.b64encode(raw).decode()}
        write_atomically(self.file, json.dumps(known, sort_keys=True).encode())


def digests_of(paths: Iterable[Path]) -> dict[str, str]:
    """The signed files at the paths (a folder: those in it), by name. Raises UsageError for a path that is not there,
    or when there is no signed file.
    """
    from shipworthy.evidence.digest import sha256_file

    found: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            raise UsageError("there is no such file or folder", where=str(path))
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in filter(lambda one: is_bundle(one.name), files):
            found[file.name if file == path else str(file.relative_to(path))] = sha256_file(file)
    if not found:
        remedy = "name evidence: RUN/evidence, or a file that ends in .sigstore.json, or model.sig"
        raise UsageError("there is no signed file", remedy=remedy)
    return found
