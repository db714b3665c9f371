"""All shards of a scan as one: the result is that of a scan which was not divided, filtered and decided on once.

The records come from elsewhere. What they say of files, checks and numbers must fit together and fit the settings here;
that a shard found nothing is its word, so they are trusted as much as the way they came by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from shipworthy import __version__
from shipworthy.artifacts import Inventory
from shipworthy.check import Check
from shipworthy.engine.checks import in_order
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import UsageError
from shipworthy.model import CheckResult, Disposition, Finding, Outcome, Run, Skipped, StageResult, Status
from shipworthy.stages.load import inventory_digest, listed
from shipworthy.stages.results import filter_results
from shipworthy.stages.shards import Shard, parse_shard, parts
from shipworthy.stages.target import scan_gate, scanned

_INVENTORY = "inventory"


@dataclass(frozen=True)
class Part:
    """A shard's record: where it was read, which shard it is, the names of checks and the commit that it was given."""

    where: str
    run: Run
    shard: Shard
    names: tuple[str, ...]
    commit: str
    results: Mapping[str, CheckResult]

    @property
    def stage(self) -> StageResult:
        """What the shard looked at."""
        return self.run.stages[0]


def merge_pipeline(runs: Mapping[str, Run]) -> Pipeline:
    """What `shipworthy merge` runs on these records, by the place where each was read. Raises UsageError when they are
    not the shards of one scan."""
    shards = sorted((_part(where, run) for where, run in runs.items()), key=lambda part: part.shard.number)
    _of_one_scan(shards)

    def run(job: Job) -> StageResult:
        return _merge(job, shards)

    return Pipeline("scan", "Scan", (Stage("scan", "Scan", "Puts the shards of a scan together.", run), scan_gate()))


def since(runs: Mapping[str, Run]) -> str:
    """The revision that limited the shards."""
    return next((run.trigger.since for run in runs.values()), "")


def _part(where: str, run: Run) -> Part:
    try:
        told = run.stages[0].details["shard"]
        shard = parse_shard(f"{told['number']}/{told['of']}")  # type: ignore[index]
        names, commit = tuple(map(str, told["checks"])), str(told["commit"])  # type: ignore[index]
    except (UsageError, KeyError, TypeError, IndexError):
        raise _refusal("not a finished shard of a scan", where, "make it: `shipworthy scan --shard`") from None
    stage = run.stages[0]
    if run.pipeline != "scan" or stage.stage != "scan" or stage.status is not Status.PASSED:
        raise _refusal("not a finished shard of a scan", where, "make it anew")
    results = {result.check: result for result in stage.checks}
    if len(results) != len(stage.checks):
        raise _refusal("it has two results of one check", where, "make it anew")
    return Part(where, run, shard, names, commit, results)


def _of_one_scan(shards: Sequence[Part]) -> None:
    """Raises UsageError when the shards differ in what must be the same, or one is missing or there twice."""
    if not shards:
        raise UsageError("there is no shard to merge")
    first = shards[0]
    same: tuple[tuple[str, Callable[[Part], object]], ...] = (
        ("made by other versions", lambda part: dict(part.run.versions)),
        ("made with other settings", lambda part: part.run.settings_digest),
        ("of a scan in another number of shards", lambda part: part.shard.of),
        ("of a scan with other checks", lambda part: part.names),
        ("limited to other changes", lambda part: part.run.trigger.since),
        ("of another commit", lambda part: part.commit),
        ("of another tree", lambda part: part.stage.outputs.get("artifacts")),
    )
    for part in shards[1:]:
        for what, value in same:
            if value(part) != value(first):
                remedy = (
                    "scan the same files, each shard with the same options; write shards outside of what is scanned"
                )
                raise _refusal(f"{what} than {first.where}", part.where, remedy)
    numbers = [part.shard.number for part in shards]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        places = ", ".join(part.where for part in shards if part.shard.number == twice[0])
        raise UsageError(f"shard {twice[0]} is there twice: {places}", remedy="give each shard once")
    missing = sorted(set(range(1, first.shard.of + 1)) - set(numbers))
    if missing:
        listed = ", ".join(map(str, missing[:10])) + (", …" if len(missing) > 10 else "")
        raise UsageError(
            f"missing: shard {listed} of {first.shard.of}", remedy="without all of them nothing is decided"
        )
    if first.run.versions.get("shipworthy") != __version__:
        made = str(first.run.versions.get("shipworthy"))[:40]
        raise _refusal(f"made by Shipworthy {made}, and this is {__version__}", first.where, "use the same version")


def _merge(job: Job, shards: Sequence[Part]) -> StageResult:
    first = shards[0]
    if first.run.settings_digest != job.settings.digest:
        raise _refusal("made with other settings than those here", first.where, "give theirs: --settings, --directory")
    inventory = _inventory(shards)
    checks = select(job.settings, first.names)
    for part in shards:
        _complete(part, checks)
    results = [replace(first.results[_INVENTORY], category="load", findings=())]
    for check in checks:
        if check.scope == "tree":
            results.append(_again(check, first.results[check.name]))
        else:
            results.append(_joined(check, shards, inventory))
    return scanned(listed(job, inventory, results[0]), filter_results(job, checks, results))


def _inventory(shards: Sequence[Part]) -> Inventory:
    """What all shards have looked at, which must be the tree that each of them names, divided as it should be."""
    first = shards[0]
    artifacts = sorted((a for part in shards for a in part.stage.artifacts), key=lambda artifact: artifact.uri)
    details = first.stage.details
    left_out, excluded = details.get("left-out"), details.get("excluded")
    if not isinstance(left_out, list) or not all(isinstance(name, str) for name in left_out):
        raise _refusal("it does not tell what was left out", first.where, "make it anew")
    if not isinstance(excluded, int) or isinstance(excluded, bool):
        raise _refusal("it does not tell what was excluded", first.where, "make it anew")
    inventory = Inventory(tuple(artifacts), left_out=tuple(left_out), excluded=excluded)
    if inventory_digest(inventory) != first.stage.outputs.get("artifacts"):
        raise _refusal("the shards are not all of the tree that they name", first.where, "make them anew")
    for part, share in zip(shards, parts(artifacts, first.shard.of), strict=True):
        if part.stage.artifacts != share:
            raise _refusal("it did not look at the part that is its own", part.where, "make it anew")
    return inventory


def _complete(part: Part, checks: Sequence[Check]) -> None:
    """Raises UsageError unless the shard has a result of every check that it had to run, and of no other."""
    first = part.shard.number == 1
    wanted = {check.name for check in checks if first or check.scope != "tree"} | ({_INVENTORY} if first else set())
    if differing := sorted(wanted ^ set(part.results)):
        told = "it has no result of" if differing[0] in wanted else "it has a result of another check:"
        raise _refusal(f"{told} {differing[0][:80]}", part.where, "scan and merge with the same checks installed")


def _joined(check: Check, shards: Sequence[Part], inventory: Inventory) -> CheckResult:
    """One check over all artifacts, from its results over each part. The worst outcome counts, and an artifact that no
    shard accounts for was not looked at."""
    told = [part.results[check.name] for part in shards]
    applied = [result for result in told if result.outcome is not Outcome.NOT_APPLICABLE]
    unavailable = [result for result in told if result.outcome is Outcome.UNAVAILABLE]
    if not applied:
        return _again(check, told[0])
    version = _version(check, shards)
    eligible = [artifact for artifact in inventory.artifacts if check.looks_at(artifact)]
    skipped = [skip for result in told for skip in result.skipped]
    if not unavailable:
        known = {skip.artifact.uri for skip in skipped if skip.artifact}.union(*(r.examined for r in told))
        skipped += [Skipped(a, "no shard tells of it", check.name) for a in eligible if a.uri not in known]
    skipped = in_order(skipped)
    missed = {skip.artifact.uri for skip in skipped if skip.artifact}
    examined = frozenset(artifact.uri for artifact in eligible if artifact.uri not in missed)
    outcome = Outcome.UNAVAILABLE if unavailable else _outcome(applied, skipped, examined)
    notes = [result.note for result in unavailable or applied if result.note]
    return CheckResult(
        check=check.name,
        category=check.category,
        version=version,
        outcome=outcome,
        findings=_raw(check, [finding for result in told for finding in result.findings]),
        examined=examined if outcome in (Outcome.RAN, Outcome.PARTIAL) else frozenset(),
        eligible=len(eligible),
        skipped=tuple(skipped),
        note=next((skip.reason for skip in skipped if skip.reason in notes), notes[0] if notes else ""),
        remedy=next((result.remedy for result in unavailable or applied if result.remedy), ""),
        seconds=sum(result.seconds for result in told),
        cached=sum(result.cached for result in told),
    )


def _outcome(applied: Sequence[CheckResult], skipped: Sequence[Skipped], examined: frozenset[str]) -> Outcome:
    if not skipped and all(result.outcome is Outcome.RAN for result in applied):
        return Outcome.RAN
    return Outcome.PARTIAL if examined else Outcome.FAILED


def _version(check: Check, shards: Sequence[Part]) -> str:
    """The version of the check and its programs, which must be the same wherever it looked at something."""
    looked = [
        part for part in shards if part.results[check.name].outcome not in (Outcome.NOT_APPLICABLE, Outcome.UNAVAILABLE)
    ]
    for part in looked[1:]:
        one, other = looked[0].results[check.name].version, part.results[check.name].version
        if one != other:
            raise _refusal(
                f"its {check.name} is {other[:80]}, and that of {looked[0].where} is {one[:80]}",
                part.where,
                "install the same programs wherever a shard is scanned",
            )
    return looked[0].results[check.name].version if looked else str(check.version)


def _again(check: Check, result: CheckResult) -> CheckResult:
    return replace(result, category=check.category, findings=_raw(check, result.findings))


def _raw(check: Check, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings as the check made them: whatever a record says of waivers and baselines is decided here."""
    return tuple(
        finding.with_(check=check.name, category=check.category, occurrence=0, disposition=Disposition.NEW, waiver="")
        for finding in in_order(findings)
    )


def _refusal(what: str, where: str, remedy: str) -> UsageError:
    return UsageError(what, where=where, remedy=remedy)
