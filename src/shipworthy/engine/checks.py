"""Run checks over an inventory: cache first, hostile bytes in worker processes, wrapped programs in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from shipworthy.artifacts import Inventory
from shipworthy.check import Check, Context
from shipworthy.config import Settings
from shipworthy.engine.cache import Cache, Kept, artifact_key, check_key
from shipworthy.engine.events import Events, Step
from shipworthy.engine.isolate import WorkerPool
from shipworthy.engine.work import Ended, Unit, UnitResult, execute, execute_within, version_of
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, CheckResult, DatasetFacts, Finding, Kind, Outcome, Skipped
from shipworthy.records import dataclass, field, replace
from shipworthy.rules import STOPPED
from shipworthy.tools import Toolbox, ToolMissing

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from shipworthy.engine.remote import Remote

Found = TypeVar("Found", Finding, Skipped)
_CHUNK = 24
_BATCH = 2000  # a wrapped program takes half a second of CPU to start


@dataclass
class _Tally:
    """What is known of one check so far."""

    check: Check
    context: Context
    eligible: tuple[Artifact, ...]
    base: str = ""
    keys: dict[tuple[Artifact, ...], bytes] = field(default_factory=dict)
    version: str = ""
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    facts: list[DatasetFacts] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    ended: set[Ended] = field(default_factory=set)
    note: str = ""
    remedy: str = ""
    seconds: float = 0.0
    cached: int = 0


def toolbox(settings: Settings, root: Path, ended: threading.Event | None = None) -> Toolbox:
    """The settings' programs, stopped when `ended` is set. Raises UsageError for one inside the workspace: what is
    scanned must not run."""
    for name, given in settings.tools.items():
        path = Path(given)
        if not path.is_absolute() or root.resolve() in path.resolve().parents:
            raise UsageError(
                f"`{name}` must be an absolute path outside of the workspace",
                where="[tools]",
                remedy="scanned files are never run",
            )
    return Toolbox(dict(settings.tools), ended)


class CheckRunner:
    """Runs checks with the services of one run. Use as a context manager: leaving it ends every worker."""

    def __init__(
        self,
        settings: Settings,
        root: Path,
        cache: Cache,
        events: Events,
        remote: Remote | None = None,
        *,
        fork: bool = False,
    ) -> None:
        self.settings, self.root, self.cache, self.events = settings, root, cache, events
        self.pool = WorkerPool(settings.scan.jobs, settings.scan.memory_mb, fork=fork)
        self._threads: ThreadPoolExecutor | None = None
        self._remote = remote
        self._ended = threading.Event()
        self._tools = toolbox(settings, root, self._ended)
        self._versions: dict[str, str | ToolMissing] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> CheckRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.pool.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def _executor(self) -> ThreadPoolExecutor:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._threads = ThreadPoolExecutor(self.pool.jobs + 1, thread_name_prefix="shipworthy")
        return self._threads

    def run(self, checks: Sequence[Check], inventory: Inventory) -> tuple[CheckResult, ...]:
        """Every check over all its artifacts."""
        tallies = [self._tally(check, inventory) for check in checks]
        ready = [tally for tally in tallies if self._ready(tally)]
        units = [unit for tally in ready for unit in self._units(tally)]
        self._run_units({tally.check.name: tally for tally in ready}, units)
        return tuple(_result(tally) for tally in tallies)

    def _tally(self, check: Check, inventory: Inventory) -> _Tally:
        options = {**check.options, **self.settings.checks.get(check.name, {})}
        here = check.needs or check.live  # what goes to a worker must be plain data
        tools = self._tools if here else Toolbox(self._tools.paths)
        scan = self.settings.scan
        context = Context(self.root, options, offline=scan.offline, tools=tools, trust=scan.trust)
        eligible = tuple(artifact for artifact in inventory.artifacts if check.looks_at(artifact))
        return _Tally(check, context, eligible)

    def _ready(self, tally: _Tally) -> bool:
        """Is there something to look at, and what it takes to look."""
        check = tally.check
        if not tally.eligible:
            tally.ended.add(Ended.NOT_APPLICABLE)
            kinds = (
                " or ".join(sorted(kind.value for kind in check.kinds)) if len(check.kinds) < len(Kind) else "such file"
            )
            tally.note = f"no {kinds} here" + (" that it reads" if check.accepts else "")
            return False
        versions: dict[str, str] = {}
        for tool in check.needs:
            version = self._version(tally, tool.name)
            if isinstance(version, ToolMissing):
                required = tally.context.options.get("required")
                if tool.optional and not (required or self._tools.is_wanted(tool)):
                    tally.ended.add(Ended.NOT_APPLICABLE)
                    tally.note = f"{version.reason}: {tool.name} is a second witness; {tool.install}"
                    return False
                tally.ended.add(Ended.UNAVAILABLE)
                tally.note, tally.remedy = str(version), version.remedy
                return False
            versions[tool.name] = version
        tally.version = version_of(check, versions)
        tally.base = check_key(check, tally.context, versions)
        return True

    def _version(self, tally: _Tally, name: str) -> str | ToolMissing:
        if name not in self._versions:
            tool = next(tool for tool in tally.check.needs if tool.name == name)
            try:
                self._versions[name] = self._tools.version(tool)
            except ToolMissing as error:
                self._versions[name] = error
        return self._versions[name]

    def _units(self, tally: _Tally) -> list[Unit]:
        """What is left to do after the cache has answered."""
        check = tally.check
        groups = [tally.eligible] if check.scope == "tree" else [(artifact,) for artifact in tally.eligible]
        tally.keys = {group: artifact_key(tally.base, group, check.cache_beside) for group in groups}
        keys = {key: (check, group) for group, key in tally.keys.items()}
        known = self.cache.get(keys) if self.settings.scan.cache and not check.live else {}
        for kept in known.values():
            tally.findings += kept.findings
            tally.facts += kept.facts
        tally.cached = sum(len(keys[key][1]) for key in known) if check.scope != "tree" else len(known)
        if known:
            tally.ended.add(Ended.DONE)
        left = [group for key, (_, group) in keys.items() if key not in known]
        if check.scope == "batch":
            rest = [artifact for group in left for artifact in group]
            size = max(1, min(_BATCH, -(-len(rest) // (self._remote.slots if self._remote else self.pool.jobs))))
            left = [tuple(rest[start : start + size]) for start in range(0, len(rest), size)]
        return [Unit(check.name, check.module, group, tally.context, check.timeout) for group in left]

    def _run_units(self, tallies: Mapping[str, _Tally], units: Sequence[Unit]) -> None:
        done, total = 0, len(units)

        def heard(unit: Unit, result: UnitResult) -> None:
            nonlocal done
            with self._lock:
                done += 1
                self._absorb(tallies[unit.check], unit, result)
                self.events(Step("checks", done, total))

        live = [u for u in units if tallies[u.check].check.live]
        units = [u for u in units if not tallies[u.check].check.live]
        away = [u for u in units if self._remote and tallies[u.check].check.scope != "tree"]
        here = [u for u in units if not self._remote or tallies[u.check].check.scope == "tree"]
        wrapped = [u for u in here if tallies[u.check].check.needs or tallies[u.check].check.scope == "tree"]
        others = [u for u in here if not (tallies[u.check].check.needs or tallies[u.check].check.scope == "tree")]
        direct = [unit for unit in wrapped if tallies[unit.check].check.needs]
        chunks = [[unit] for unit in wrapped if not tallies[unit.check].check.needs]
        size = max(_CHUNK, len(others) // (16 * self.pool.jobs))
        chunks += [others[start : start + size] for start in range(0, len(others), size)]
        self.pool.prepare((unit.module for chunk in chunks for unit in chunk), len(chunks))
        if len(chunks) == 1 and not direct and not away and not live:
            self.pool.run(chunks[0], heard)  # no thread for a file or two
            return
        futures: list[Future[None]] = [self._executor.submit(self._direct, unit, heard) for unit in direct]
        futures += [self._executor.submit(self.pool.run, chunk, heard) for chunk in chunks]
        if live:
            futures.append(self._executor.submit(self._live, live, heard))
        if self._remote:
            self._send(self._remote, {name: tally.version for name, tally in tallies.items()}, away, heard)
        _all_done(futures)

    def _send(
        self,
        remote: Remote,
        versions: Mapping[str, str],
        units: Sequence[Unit],
        heard: Callable[[Unit, UnitResult], None],
    ) -> None:
        """Have units examined elsewhere. What is about the whole tree stays here, where its history is."""
        from concurrent.futures import as_completed

        from shipworthy.engine.remote import answer, batches, submit

        sent: dict[Future[bytes], tuple[Unit, ...]] = {}
        try:
            for batch in batches(units, remote.slots):
                own = {unit.check: versions[unit.check] for unit in batch}
                sent[submit(remote, batch, own, self.settings.scan.memory_mb)] = batch
            for future in as_completed(sent):
                for unit, result in zip(sent[future], answer(future, sent[future]), strict=True):
                    heard(unit, result)
        finally:
            for future in sent:
                future.cancel()

    @staticmethod
    def _direct(unit: Unit, heard: Callable[[Unit, UnitResult], None]) -> None:
        heard(unit, execute(unit))

    def _live(self, units: Sequence[Unit], heard: Callable[[Unit, UnitResult], None]) -> None:
        """One after the other, or the answers to one check would depend on what another does to the service."""
        for unit in units:
            if self._ended.is_set():
                return
            heard(unit, execute_within(unit, self._ended))

    def _absorb(self, tally: _Tally, unit: Unit, result: UnitResult) -> None:
        """Add a unit's result to its check's tally, and to the cache what may be kept."""
        check = tally.check
        tally.seconds += result.seconds
        tally.ended.add(result.ended)
        tally.findings += result.findings
        tally.skipped += result.skipped
        tally.facts += result.facts
        if result.ended in (Ended.FAILED, Ended.STOPPED):
            tally.failures.append(result.reason)
            tally.skipped += (
                [Skipped(artifact, result.reason, code=result.ended.value) for artifact in unit.given]
                if check.scope != "tree"
                else []
            )
            if result.ended is Ended.STOPPED:
                tally.findings += [
                    STOPPED.at(artifact, f"the check {check.name} had to be stopped: {result.reason}", key=check.name)
                    for artifact in unit.given[:1]
                ]
        elif result.ended is not Ended.DONE:
            tally.note, tally.remedy = tally.note or result.reason, tally.remedy or result.remedy
        elif self.settings.scan.cache and not check.live:
            self._keep(tally, unit, result)

    def _keep(self, tally: _Tally, unit: Unit, result: UnitResult) -> None:
        if any(skip.artifact is None for skip in result.skipped) or (tally.check.scope == "tree" and result.skipped):
            return
        missed = {skip.artifact for skip in result.skipped}
        groups = [unit.given] if tally.check.scope == "tree" else [(a,) for a in unit.given if a not in missed]
        by_artifact: dict[Artifact, list[Finding]] = {}
        for finding in result.findings:
            by_artifact.setdefault(finding.artifact, []).append(finding)
        rows = {}
        for group in groups:
            own = result.findings if len(groups) == 1 else tuple(by_artifact.get(group[0], ()))
            facts = tuple(one for one in result.facts if one.artifact in group)
            rows[tally.keys[group]] = (tally.check, group, Kept(own, facts))
        self.cache.put(rows)


def _all_done(futures: Sequence[Future[None]]) -> None:
    if futures:
        from concurrent.futures import as_completed

        for future in as_completed(futures):
            future.result()


def in_order(found: Iterable[Found]) -> list[Found]:
    """By artifact, whichever worker was first; what was seen in one artifact stays in the order of its check."""
    return sorted(found, key=lambda item: item.artifact.uri if item.artifact else "")


def _result(tally: _Tally) -> CheckResult:
    check, skipped = tally.check, tuple(in_order(tally.skipped))
    tree = check.scope == "tree"
    missed = {skip.artifact.uri for skip in skipped if skip.artifact is not None}
    examined = frozenset() if tree else frozenset(a.uri for a in tally.eligible if a.uri not in missed)
    outcome = _outcome(tally, skipped, examined)
    if outcome in (Outcome.UNAVAILABLE, Outcome.NOT_APPLICABLE, Outcome.FAILED):
        examined = frozenset()
    return CheckResult(
        check=check.name,
        category=check.category,
        version=tally.version or str(check.version),
        outcome=outcome,
        findings=tuple(f.with_(check=check.name, category=check.category) for f in in_order(tally.findings)),
        examined=examined,
        eligible=0 if tree or outcome is Outcome.NOT_APPLICABLE else len(tally.eligible),
        skipped=tuple(replace(skip, check=check.name) for skip in skipped),
        note=tally.note or (tally.failures[0] if tally.failures else ""),
        remedy=tally.remedy,
        seconds=tally.seconds,
        cached=tally.cached,
        facts=tuple(sorted(tally.facts, key=lambda one: one.artifact.uri)),
    )


def _outcome(tally: _Tally, skipped: Sequence[Skipped], examined: frozenset[str]) -> Outcome:
    if Ended.UNAVAILABLE in tally.ended:
        return Outcome.UNAVAILABLE
    if tally.ended == {Ended.NOT_APPLICABLE}:
        return Outcome.NOT_APPLICABLE
    if tally.failures and Ended.DONE not in tally.ended:
        return Outcome.FAILED
    if not skipped and not tally.failures:
        return Outcome.RAN
    return Outcome.PARTIAL if examined or tally.check.scope == "tree" else Outcome.FAILED
