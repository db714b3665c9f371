"""What rests on a digest: every stored release whose evidence leads to it, and by which way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shipworthy.config import Settings
from shipworthy.errors import ShipworthyError
from shipworthy.evidence import envelope
from shipworthy.evidence.failures import RefusedError
from shipworthy.evidence.files import EvidenceSet
from shipworthy.evidence.opened import Opened, open_all
from shipworthy.evidence.policy import Policy
from shipworthy.evidence.release import release_evidence
from shipworthy.evidence.revocation import digests_in
from shipworthy.stages.stored import store_at
from shipworthy.stages.trust import Believed, demands
from shipworthy.stores import Store

_MAKES = frozenset({"ingest", "train", "evaluate", "build", "bom"})
"""The steps whose statements say what something was made from, or measured with."""


@dataclass(frozen=True)
class Step:
    """One step of the way from a digest to a release: what rests on it (`name`, `kind`, `digest`) by which statement's
    step.
    """

    step: str
    name: str
    kind: str
    digest: str


@dataclass(frozen=True)
class Affected:
    """A release that rests on the digest. `way` leads from the digest to what was released; `verified` is false when
    some of the evidence on it is signed by nobody who is believed.
    """

    store: str
    name: str
    version: str
    way: tuple[Step, ...]
    verified: bool = True


@dataclass(frozen=True)
class Impact:
    """All that was looked at: releases that rest on the digest, how many were looked at, and what could not be."""

    digest: str
    affected: tuple[Affected, ...]
    releases: int
    unread: tuple[str, ...] = ()


def impact_of(digest: str, settings: Settings, root: Path, who: Believed) -> Impact:
    """Look through every release of every store of the settings. Evidence that nobody believed signed counts too, and
    is marked: what might rest on something bad is better named once too often.
    """
    policy, found, unread, count = demands(settings, who), [], [], 0
    for uri in settings.store.to:
        store = store_at(uri, settings.store, root)
        for name, version in _releases(store):
            count += 1
            try:
                evidence = release_evidence(store, store.get_ref(name, version).raw)
            except ShipworthyError as error:
                unread.append(f"{name}@{version}: {error.message}")
                continue
            unread += [f"{name}@{version}: {file}: {why}" for file, why in evidence.unreadable.items()]
            if hit := _affected(digest, evidence, policy):
                found.append(Affected(uri, name, version, *hit))
    return Impact(digest, tuple(found), count, tuple(unread))


def _releases(store: Store) -> Iterator[tuple[str, str]]:
    for name in store.names():
        for version in store.versions(name):
            yield name, version


def _affected(digest: str, evidence: EvidenceSet, policy: Policy) -> tuple[tuple[Step, ...], bool] | None:
    """The shortest way from the digest to the release, and whether all on it is believed; None when there is none."""
    items = _all(evidence, policy)
    rests: dict[str, list[tuple[Opened, str]]] = {}  # a digest: the statements that name it, and what they are about
    own = [item.statement for item in open_all(evidence, policy) if item.step == "store"]  # not that of a part
    released = {subject.digest for statement in own if statement for subject in statement.subjects}
    for item in items:
        about = item.statement.subjects[0].digest if item.statement else ""
        for named in _named(item, evidence):
            rests.setdefault(named, []).append((item, about))
    if digest in released:
        return (), True
    before: dict[str, tuple[str, Opened]] = {}
    queue = deque([digest])
    while queue:
        at = queue.popleft()
        for item, about in rests.get(at, ()):
            if about and about != digest and about not in before:
                before[about] = (at, item)
                queue.append(about)
    target = next((one for one in sorted(released) if one in before), "")
    if not target:
        return None
    way: list[Step] = []
    good = True
    while target != digest:
        previous, item = before[target]
        subject = item.statement.subjects[0] if item.statement else None
        way.insert(0, Step(item.step, subject.name if subject else "", subject.kind if subject else "", target))
        good, target = good and item.good, previous
    return tuple(way), good


def _all(evidence: EvidenceSet, policy: Policy) -> list[Opened]:
    return [*open_all(evidence, policy), *(item for part in evidence.parts.values() for item in open_all(part, policy))]


def _named(item: Opened, evidence: EvidenceSet) -> set[str]:
    """What a statement rests on: every digest that it names, but those of its subjects and of files of evidence."""
    if item.statement is None or item.step not in _MAKES:
        return set()
    for files in (evidence, *evidence.parts.values()):
        raw = files.bundles.get(item.name)
        if raw is None:
            continue
        try:
            named = digests_in(envelope.read(raw).payload)
        except RefusedError:
            continue
        if any(subject.digest in named for subject in item.statement.subjects):
            return named - {subject.digest for subject in item.statement.subjects[:1]}
    return set()
