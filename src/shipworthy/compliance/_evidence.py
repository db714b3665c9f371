"""Does a run hold a piece of evidence? One term at a time; see `_controls.py` for their form.

Only stages that passed give any. A check that failed or was unavailable gives none, and what it did not see stays
missing. A partial check gives a part, if a later gate of the run accepted it. Open findings that are high or worse
make a part of what would have been the whole: the check looked, and what it looks for is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum

from shipworthy.model import CheckResult, Disposition, Outcome, Run, Severity, StageResult, Status
from shipworthy.patterns import regex
from shipworthy.records import dataclass, replace

_TERM = regex(r"(check|category|stage|fact):([a-z0-9-]+)(?:@([a-z0-9-]+))?(?:!([a-z0-9-]+))?")


class Weight(IntEnum):
    """How much of a piece of evidence is there. `IDLE`: there was nothing that it could be about."""

    NONE = 0
    IDLE = 1
    PART = 2
    WHOLE = 3


@dataclass(frozen=True)
class Held:
    """A term, how much of it the run holds, what this rests on, what is missing of it, and what speaks against it."""

    weight: Weight
    rests_on: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """A parsed piece of evidence."""

    kind: str
    name: str
    stage: str = ""
    without: str = ""

    @classmethod
    def parse(cls, text: str) -> Term:
        """The term that `text` writes. Raises ValueError for anything else."""
        match = _TERM.fullmatch(text)
        if match is None:
            raise ValueError(f"not a piece of evidence: {text!r}")
        return cls(match[1], match[2], match[3] or "", match[4] or "")


def hold(term: Term, run: Run) -> Held:
    """How much of the term the run holds."""
    if term.kind == "stage":
        return _stage(run, term.name)
    if term.kind == "fact":
        return FACTS[term.name](run)
    return _checks(run, term)


def _passed(run: Run, name: str) -> StageResult | None:
    found = [stage for stage in run.stages if stage.stage == name]
    return found[0] if found and all(stage.status is Status.PASSED for stage in found) else None


def _stage(run: Run, name: str) -> Held:
    stage = _passed(run, name)
    if stage is not None and (stage.decision is None or stage.decision.passed):
        return Held(Weight.WHOLE, (f"stage {name} passed",))
    status = next((s.status for s in run.stages if s.stage == name), None)
    words = {None: "was not reached", Status.NOT_BUILT: "is not built yet", Status.SKIPPED: "was not run"}
    return Held(Weight.NONE, (), (f"stage {name} {words.get(status, 'did not pass')}",))


def _checks(run: Run, term: Term) -> Held:
    every = [
        (index, stage, check)
        for index, stage in enumerate(run.stages)
        for check in stage.checks
        if term.name == (check.check if term.kind == "check" else check.category) and term.stage in ("", stage.stage)
    ]
    what = f"{term.kind} {term.name}" + (f" in {term.stage}" if term.stage else "")
    if not every:
        return Held(Weight.NONE, (), (f"{what}: not run",))
    held = [_with_against(_check(run, *entry, term), entry[1], entry[2]) for entry in every]
    busy = [one for one in held if one.weight is not Weight.IDLE]
    if not busy:
        return Held(Weight.IDLE, (), (f"{what}: there was nothing of its kind to look at",))
    return _together(busy)


def _together(held: Iterable[Held]) -> Held:
    """Everything whole is whole; something is a part; nothing is nothing."""
    parts = tuple(held)
    weight = Weight.NONE
    if all(one.weight is Weight.WHOLE for one in parts):
        weight = Weight.WHOLE
    elif any(one.weight in (Weight.PART, Weight.WHOLE) for one in parts):
        weight = Weight.PART
    rests_on = tuple(dict.fromkeys(text for one in parts for text in one.rests_on))
    missing, against = (tuple(dict.fromkeys(t for one in parts for t in texts(one))) for texts in (_missing, _against))
    return Held(weight, rests_on, missing, against)


def _missing(held: Held) -> tuple[str, ...]:
    return held.missing


def _against(held: Held) -> tuple[str, ...]:
    return held.against


def _with_against(held: Held, stage: StageResult, check: CheckResult) -> Held:
    """What a check found speaks against a control also where its stage did not pass, and just there."""
    open_ = [f for f in check.findings if f.severity >= Severity.HIGH and f.disposition is not Disposition.WAIVED]
    told = dict.fromkeys(f"{f.rule.id} ({f.severity}), found by {check.check} in {stage.stage}" for f in open_)
    return replace(held, against=tuple(told)) if told else held


def _check(run: Run, index: int, stage: StageResult, check: CheckResult, term: Term) -> Held:
    name = f"{check.check} in {stage.stage}"
    if stage.status is not Status.PASSED:
        return Held(Weight.NONE, (), (f"{name}: the stage did not pass",))
    if check.outcome is Outcome.NOT_APPLICABLE:
        return Held(Weight.IDLE)
    if check.outcome not in (Outcome.RAN, Outcome.PARTIAL):
        return Held(Weight.NONE, (), (f"{name}: {check.outcome.value}",))
    if term.without and any(finding.rule.id == term.without for finding in check.findings):
        return Held(Weight.NONE, (), (f"{name}: found {term.without}",))
    if check.outcome is Outcome.PARTIAL and not _accepted(run, index):
        return Held(Weight.NONE, (), (f"{name}: partial, and no gate accepted that",))
    return _looked(run, name, check)


def _looked(run: Run, name: str, check: CheckResult) -> Held:
    missing = []
    if check.outcome is Outcome.PARTIAL:
        missing.append(f"{name}: partial, accepted by a gate")
    if run.trigger.since:
        missing.append(f"{name}: only what changed since a revision was looked at")
    still_open = sum(f.severity >= Severity.HIGH and f.disposition is not Disposition.WAIVED for f in check.findings)
    if still_open:
        what = "open finding that is" if still_open == 1 else "open findings that are"
        missing.append(f"{name}: {still_open} {what} high or worse")
    word = check.outcome.value
    seen = f" over {len(check.examined)} of {check.eligible}" if check.eligible else ""
    return Held(Weight.PART if missing else Weight.WHOLE, (f"check {name} {word}{seen}",), tuple(missing))


def _accepted(run: Run, index: int) -> bool:
    """The first gate after this stage passed."""
    for stage in run.stages[index:]:
        if stage.decision is not None:
            return stage.decision.passed and stage.status is Status.PASSED
    return False


def _commit(run: Run) -> Held:
    if _passed(run, "trigger") is None or not run.trigger.commit:
        return Held(Weight.NONE, (), ("no commit was recorded",))
    held = Held(Weight.WHOLE, (f"commit {run.trigger.commit[:12]} was recorded",))
    if run.trigger.dirty:
        return replace(held, weight=Weight.PART, missing=("the working tree differed from the commit",))
    return held


def _details(run: Run, stage: str, key: str) -> object:
    found = _passed(run, stage)
    return None if found is None else found.details.get(key)


def _sandbox(attempts: tuple[str, ...], key: str, wanted: str, told: str) -> Callable[[Run], Held]:
    """What the sandbox is said to keep away, and was seen to refuse when it was tried out."""

    def fact(run: Run) -> Held:
        if _passed(run, "train") is None:
            return _stage(run, "train")
        report = _details(run, "train", "sandbox")
        if not isinstance(report, Mapping) or report.get(key) != wanted:
            return Held(Weight.NONE, (), (f"training {told}: not so in this run",))
        verified = report.get("verified")
        refused = verified if isinstance(verified, Mapping) else {}
        level = str(report.get("level", ""))[:40]
        if all(refused.get(attempt) == "refused" for attempt in attempts):
            return Held(Weight.WHOLE, (f"training {told} ({level}), as its self-test saw",))
        return Held(Weight.PART, (f"training {told} ({level})",), ("the sandbox's self-test did not try all of it",))

    return fact


def _measured(run: Run) -> Held:
    stage = _passed(run, "evaluate")
    if stage is None or not stage.metrics:
        return Held(Weight.NONE, (), ("no metric was measured on held-out data",))
    return Held(Weight.WHOLE, (f"{len(stage.metrics)} metrics computed here from predictions on held-out data",))


def _folds(run: Run) -> Held:
    folds = _details(run, "train", "folds")
    if isinstance(folds, (list, tuple)) and len(folds) > 1:
        return Held(Weight.WHOLE, (f"cross-validation over {len(folds)} folds",))
    return Held(Weight.NONE, (), ("no cross-validation was recorded",))


def _inputs(run: Run) -> Held:
    stage = _passed(run, "train")
    if stage is not None and stage.inputs and all(stage.inputs.values()) and stage.outputs:
        return Held(Weight.WHOLE, (f"digests of {len(stage.inputs)} inputs of the training and of what it wrote",))
    return Held(Weight.NONE, (), ("no digests of the training's inputs were recorded",))


def _packages(run: Run) -> Held:
    packages = _details(run, "train", "packages")
    if isinstance(packages, Mapping) and packages:
        return Held(Weight.WHOLE, (f"{len(packages)} packages of the training environment with their versions",))
    return Held(Weight.NONE, (), ("no packages of the training environment were recorded",))


def _chain(run: Run) -> Held:
    links = _details(run, "store", "chain")
    if not isinstance(links, (list, tuple)) or not links:
        return Held(Weight.NONE, (), ("no chain from a stored model to its data was verified",))
    told = [link if isinstance(link, Mapping) else {} for link in links]
    bad = [link for link in told if link.get("status") not in ("ok", "attested-only")]
    if bad:
        return Held(Weight.NONE, (), (f"{len(bad)} of {len(told)} links of the chain do not hold",))
    rests_on = (f"a chain of {len(told)} links from the stored model to its data",)
    # The settings have no bytes of their own to compare: their digest is what was signed.
    unseen = [str(x.get("name"))[:80] for x in told if x.get("status") != "ok" and x.get("step") != "settings"]
    if unseen:
        return Held(Weight.PART, rests_on, (f"signed, but the bytes were not compared: {', '.join(unseen[:5])}",))
    return Held(Weight.WHOLE, rests_on)


FACTS: Mapping[str, Callable[[Run], Held]] = {
    "commit": _commit,
    "network-blocked": _sandbox(("tcp", "udp"), "network", "blocked", "without network"),
    "files-isolated": _sandbox(("read-canary", "write-canary"), "filesystem", "isolated", "without other files"),
    "measured": _measured,
    "folds": _folds,
    "inputs-recorded": _inputs,
    "packages-recorded": _packages,
    "chain": _chain,
}
