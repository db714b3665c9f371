"""The one look of `shipworthy scan`: load a file or folder, run the checks over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shipworthy.check import Check
from shipworthy.engine.selection import select
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import UsageError
from shipworthy.model import CheckResult, StageResult
from shipworthy.records import replace
from shipworthy.stages.gate import gate
from shipworthy.stages.load import load
from shipworthy.stages.results import Checked, counted, filter_results, with_reports


def scan_target(target: Path, names: tuple[str, ...] = (), among: tuple[str, ...] = ()) -> Stage:
    """A stage that scans this target with the checks or categories named; by default all that the settings ask for."""

    def run(job: Job) -> StageResult:
        loaded, checks = prepare(job, target, names, among)
        own: Sequence[CheckResult] = (*loaded.checks, *job.checks.run(checks, job.inventory))
        if not names and not among and target.is_dir() and target.samefile(job.root):
            own, _ = with_reports(job, "scan", own)
        return scanned(loaded, filter_results(job, checks, own))

    return Stage("scan", "Scan", "Looks at the target with every check.", run)


def prepare(
    job: Job, target: Path, names: tuple[str, ...], among: tuple[str, ...] = ()
) -> tuple[StageResult, tuple[Check, ...]]:
    """List what there is, and choose the checks. Raises UsageError for no file, or no check."""
    loaded = load(job, target, among)
    present = {artifact.kind for artifact in job.inventory.artifacts}
    folder = target.is_dir()

    def wanted(check: Check) -> bool:
        return bool(check.kinds & present) and (folder or not _about_the_folder(check))

    checks = select(job.settings, names, wanted)
    if among or not target.is_dir():
        checks = tuple(check for check in checks if not _about_the_folder(check))
    if names and not checks:
        raise UsageError(f"no check is named {', '.join(names)}", remedy="`shipworthy doctor` lists them")
    if not job.inventory.artifacts and not job.inventory.unreadable and not job.trigger.since:
        raise UsageError(  # nothing was looked at: that is no reason to call it worthy
            "there is no file to look at", where=str(target), remedy="check the path, and `exclude` in the settings"
        )
    return loaded, checks


def scanned(loaded: StageResult, checked: Checked) -> StageResult:
    """The stage's result: what was listed, with what was found."""
    found = sum(len(result.findings) for result in checked.results)
    return replace(
        loaded,
        note=f"{loaded.note}: {counted(found, 'finding')}",
        checks=checked.results,
        outputs={**loaded.outputs, "results": checked.digest},
        details={**loaded.details, "waiver-notes": checked.notes},
    )


def _about_the_folder(check: Check) -> bool:
    """A check of the whole tree, over all files of more than one kind: of one file it has nothing to say."""
    return check.scope == "tree" and len(check.kinds) > 1 and check.accepts is None


def scan_pipeline(target: Path, checks: tuple[str, ...] = (), among: tuple[str, ...] = ()) -> Pipeline:
    """What `shipworthy scan` runs: one look at a target, or at what is named under it; one gate."""
    return Pipeline("scan", "Scan", (scan_target(target, checks, among), scan_gate()))


def scan_gate() -> Stage:
    """The one gate of a scan."""
    return replace(gate("scan", "Gate", "Decides on what was scanned.", over=("scan",)), name="gate")
