"""Load: bring in what is declared, verify what is signed, and list everything there is with its digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from shipworthy.artifacts import Inventory, changed_since, discover, fetch
from shipworthy.config import Settings
from shipworthy.engine.events import Step
from shipworthy.engine.stage import Job
from shipworthy.errors import UsageError
from shipworthy.model import Artifact, CheckResult, Kind, Outcome, Skipped, StageResult
from shipworthy.paths import display_name, inside, matches
from shipworthy.records import replace
from shipworthy.stages.results import counted

_NOUNS = {  # of kinds that are no word for one thing
    "code": "code file",
    "requirements": "requirements file",
    "iac": "IaC file",
    "text": "text file",
    "other": "other file",
}
ALWAYS_LEFT_OUT = (".shipworthy/",)


def load(job: Job, target: Path | None = None, among: tuple[str, ...] = ()) -> StageResult:
    """Fill the job's inventory from the workspace, or from one file or folder of it (or some files and folders of
    that folder).

    A target is looked at as it is: nothing is fetched, because nothing may be written there and nothing sent anywhere.
    With `--since`, a target is limited to what changed. A whole pipeline still loads everything, because training and
    signing need it: only `job.scope` is limited, and the inventory ends as partial, which a gate has to accept.
    """
    for wanted in job.settings.load.fetch if target is None else ():
        fetch(wanted, job.root, offline=job.settings.scan.offline)
    only = changed_since(job.root, job.trigger.since) if job.trigger.since else None
    count = 0

    def progress(_uri: str, _size: int) -> None:
        nonlocal count
        count += 1
        job.events(Step("files", count, 0))

    settings = job.settings
    exclude = (*settings.scan.exclude, *own_outputs(job.settings, trains=target is None))
    limit = only if target is not None else None
    inventory = discover(
        target or job.root, load=settings.load, exclude=exclude, among=among, only=limit, progress=progress
    )
    if target is None:
        _nothing_missing(job, inventory)
    else:
        inventory = replace(inventory, unreadable=(*inventory.unreadable, *_not_fetched(job)))
    job.inventory = inventory
    result = _as_check(inventory)
    if target is not None and only is not None:  # asked for, so no gap; but not to be taken for the whole
        told = f"only what changed since {job.trigger.since}: {counted(len(inventory.artifacts), 'file')}"
        result = replace(result, note="; ".join(filter(None, (told, result.note))))
    if target is None and only is not None:
        job.scope = replace(inventory, artifacts=tuple(a for a in inventory.artifacts if a.uri in only))
        told = f"only {len(job.scope.artifacts)} of {len(inventory.artifacts)} files: changed since {job.trigger.since}"
        skipped = (Skipped(None, told, code="since"), *result.skipped)
        note = "; ".join(filter(None, (told, result.note)))
        result = replace(result, outcome=Outcome.PARTIAL, skipped=skipped, note=note)
    return listed(job, inventory, result)


def listed(job: Job, inventory: Inventory, result: CheckResult) -> StageResult:
    """The stage's result: what there is, and the inventory as a check."""
    kinds = {kind.value: len(inventory.of(kind)) for kind in Kind if inventory.of(kind)}
    return job.passed(
        ", ".join(counted(count, _NOUNS.get(kind, kind)) for kind, count in kinds.items()) or "nothing to look at",
        artifacts=inventory.artifacts,
        checks=(result,),
        inputs={"settings": job.settings.digest},
        outputs={"artifacts": inventory_digest(inventory), **_named(inventory, Kind.DATASET, Kind.MODEL)},
        details={
            "kinds": kinds,
            "left-out": inventory.left_out,
            "excluded": inventory.excluded,
            "settings": job.settings.source.name if job.settings.source else "",
            "trust": job.settings.scan.trust,
        },
    )


def inventory_digest(inventory: Inventory) -> str:
    """The digest of all names and digests."""
    rows = [[artifact.uri, artifact.kind.value, artifact.digest] for artifact in inventory.artifacts]
    return "sha256:" + hashlib.sha256(json.dumps(rows).encode("utf-8", "surrogatepass")).hexdigest()


def _named(inventory: Inventory, *kinds: Kind) -> dict[str, str]:
    return {artifact.uri: artifact.digest for artifact in inventory.of(*kinds)}


def own_outputs(settings: Settings, *, trains: bool = True) -> Iterable[str]:
    """What a pipeline writes is not its input: the declared outputs are looked at once they are made. A scan makes
    none, so it looks at those that are there."""
    for path in settings.train.outputs.values() if settings.train and trains else ():
        yield path.rstrip("/")
        yield path.rstrip("/") + "/**"
    for store in settings.store.to:
        if store.startswith("local:"):
            yield store.removeprefix("local:").rstrip("/") + "/**"


def _not_fetched(job: Job) -> Iterable[Skipped]:
    """What the settings bring in and is not here yet: a gap."""
    for wanted in job.settings.load.fetch:
        if not wanted.to or not os.path.lexists(inside(job.root, wanted.to, what="target of a fetch")):
            artifact = Artifact(display_name(wanted.to), Kind.OTHER, "", 0)
            yield Skipped(artifact, "declared in [[load.fetch]] and not here; `shipworthy run` fetches it")


def _nothing_missing(job: Job, inventory: Inventory) -> None:
    """Everything that the settings name must be there. Raises UsageError for the first that is not."""
    settings, uris = job.settings, [artifact.uri for artifact in inventory.artifacts]
    source = settings.source.name if settings.source else "settings"
    for key in ("datasets", "models", "notebooks", "requirements"):
        for glob in getattr(settings.load, key):
            if "://" in glob:
                raise UsageError(
                    f"`{glob}` is an address; globs name files of the workspace",
                    where=f"{source}: load.{key}",
                    remedy="bring it in with [[load.fetch]], which needs its digest",
                )
            if not any(matches(uri, (glob,)) for uri in uris):
                raise UsageError(
                    f"`{glob}` matches no file",
                    where=f"{source}: load.{key}",
                    remedy="correct the pattern, or add the file",
                )
    wanted = {f"train.inputs.{name}": path for name, path in (settings.train.inputs if settings.train else {}).items()}
    if settings.evaluate and settings.evaluate.holdout:
        wanted["evaluate.holdout"] = settings.evaluate.holdout
    for key, path in wanted.items():
        real = inside(job.root, path, what=key)
        if not real.exists():
            raise UsageError(
                f"there is no `{path}`", where=f"{source}: {key}", remedy="correct the path, or add the file"
            )
        if key == "evaluate.holdout" and not real.is_file():
            raise UsageError(f"`{path}` is a folder; a CSV file is needed", where=f"{source}: {key}")


def _as_check(inventory: Inventory) -> CheckResult:
    """The inventory as a check: files that could not be read are a gap that a gate sees."""
    unreadable = tuple(skip for skip in inventory.unreadable if skip.reason != "a link that leads nowhere")
    dangling = len(inventory.unreadable) - len(unreadable)
    notes = [f"{counted(inventory.excluded, 'file')} excluded by the settings"] if inventory.excluded else []
    notes += (
        [f"{counted(len(inventory.left_out), 'folder')} left out: {', '.join(inventory.left_out[:5])}"]
        if inventory.left_out
        else []
    )
    notes += [f"{counted(dangling, 'link')} leading nowhere"] if dangling else []
    if unreadable:
        first = unreadable[0]
        uri = first.artifact.uri if first.artifact else ""
        notes.insert(
            0, f"{uri}: {first.reason}" + (f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else "")
        )
    return CheckResult(
        check="inventory",
        category="load",
        version="1",
        outcome=Outcome.PARTIAL if unreadable else Outcome.RAN,
        skipped=unreadable,
        note="; ".join(notes),
    )
