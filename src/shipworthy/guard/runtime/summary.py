"""A signed summary of a day's events: how many of each kind, and the digest that the chain had reached. Lines that are
cut off the end later, which the chain alone can't show, show against it. So do events that somebody wrote anew: their
chain has no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shipworthy.errors import EvidenceError
from shipworthy.evidence import envelope
from shipworthy.evidence.statement import GUARD_SUMMARY, Resource, Statement, parse
from shipworthy.guard.runtime.events import read_events

_BUNDLE = 4 << 20


def today() -> str:
    """The day (UTC), such as 2026-11-23."""
    return datetime.now(UTC).date().isoformat()


def write_summary(
    events: Path,
    day: str,
    signers: Sequence[envelope.Signer],
    folder: Path,
    *,
    written: tuple[int, str] | None = None,
    **facts: str,
) -> Path:
    """Sign the summary of a day into `guard-summary-DAY.sigstore.json`; the events are verified first. `written` is how
    far the guard itself wrote them (lines, digest of the last). The last summary in the folder must hold as well.

    Raises EvidenceError when their chain is broken or another one, EnvironmentFailure when they can't be read or it
    can't be written.
    """
    from shipworthy.files import write_atomically

    if written is not None:
        _begin_with(events, *written, "what this guard wrote")
    _still_hold(events, folder, [signer.public_key() for signer in signers])
    chain = read_events(events, day)
    predicate: Mapping[str, Any] = {
        "day": day,
        "events": dict(chain.kinds),
        "firstOn": chain.first,
        "lastOn": chain.last,
        "chain": {"lines": chain.count, "head": chain.head},
        "settings": dict(facts),
    }
    statement = Statement((Resource(events.name, f"sha256:{chain.head}", "events"),), GUARD_SUMMARY, predicate)
    path = folder / f"guard-summary-{day}.sigstore.json"
    write_atomically(path, envelope.sign(statement.to_bytes(), signers))
    return path


def verify_summary(summary: Path, events: Path, keys: Sequence[envelope.PublicKey]) -> Mapping[str, Any]:
    """What a summary says, if a trusted key signed it and the events still are the ones that it is about.

    Raises RefusedError (an EvidenceError) when the signature does not fit, EvidenceError when events are missing.
    """
    statement = _opened(summary, keys)
    lines, head = _chain(statement, summary)
    found = read_events(events, stop=lines)
    if (found.count, found.head) != (lines, head):
        raise EvidenceError(
            f"the summary was signed over {lines} events; of those the file has {found.count}, or others",
            where=str(events),
            remedy="keep both files: events were taken out",
        )
    return statement.predicate


def _opened(summary: Path, keys: Sequence[envelope.PublicKey]) -> Statement:
    from shipworthy.evidence.files import read_bounded

    raw = read_bounded(summary, _BUNDLE)
    statement = parse(envelope.verify(raw, keys, where=summary.name).payload, summary.name)
    if statement.predicate_type != GUARD_SUMMARY:
        raise EvidenceError("this is no summary of a guard", where=summary.name)
    return statement


def _chain(statement: Statement, summary: Path) -> tuple[int, str]:
    """How many lines there were, and the digest of the last."""
    told = statement.predicate.get("chain")
    lines, head = (told.get("lines"), told.get("head")) if isinstance(told, dict) else (None, None)
    if not isinstance(lines, int):
        raise EvidenceError("the summary names no chain", where=summary.name)
    return lines, str(head)


def _begin_with(events: Path, lines: int, head: str, what: str) -> None:
    found = read_events(events, stop=lines)
    if (found.count, found.head) != (lines, head):
        raise EvidenceError(
            f"the events are not {what}: of its {lines} lines there are {found.count}, or others",
            where=str(events),
            remedy="keep the file for those who look into it: somebody wrote another record",
        )


def _still_hold(events: Path, folder: Path, keys: Sequence[envelope.PublicKey]) -> None:
    """Raises EvidenceError when the last summary of these events that the keys signed does not hold any more."""
    for path in sorted(folder.glob("guard-summary-*.sigstore.json"), reverse=True):
        try:
            statement = _opened(path, keys)
        except EvidenceError:
            continue  # of another guard, or damaged: no word of ours
        if statement.subjects[0].name == events.name:
            _begin_with(events, *_chain(statement, path), f"those that {path.name} was signed over")
            return
