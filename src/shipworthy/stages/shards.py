"""One shard of a scan: it looks at its part of the artifacts and decides nothing; that is for all shards, merged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shipworthy.artifacts import git_state
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.errors import ExitCode, UsageError
from shipworthy.model import Artifact, Run, StageResult, Status
from shipworthy.records import dataclass, replace
from shipworthy.stages.results import results_digest
from shipworthy.stages.target import prepare

MOST = 1000
_OVERHEAD = 64 * 1024  # looking at an empty file costs as much as these many bytes


@dataclass(frozen=True)
class Shard:
    """Which of how many; `number` counts from 1."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"


def parse_shard(text: str) -> Shard:
    """The shard of `2/4`. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    shard = Shard(int(match[1]), int(match[2])) if match else Shard(0, 0)
    if not 1 <= shard.number <= shard.of <= MOST:
        raise UsageError(
            f"`{text}` is no shard", where="--shard", remedy=f"write which of how many: 1/4 to 4/4 (at most {MOST})"
        )
    return shard


def shard_of(run: Run) -> str:
    """`shard 2 of 4` for the record of a shard; empty for every other."""
    told = run.stages[0].details.get("shard") if run.stages else None
    return f"shard {told.get('number')} of {told.get('of')}"[:40] if isinstance(told, dict) else ""


def parts(artifacts: Sequence[Artifact], of: int) -> list[tuple[Artifact, ...]]:
    """The artifacts in as many parts of about the same size; the same for the same names and sizes."""
    import heapq

    shares: list[list[Artifact]] = [[] for _ in range(of)]
    loads = [(0, number) for number in range(of)]
    for artifact in sorted(artifacts, key=lambda artifact: (-artifact.size, artifact.uri)):
        load, number = heapq.heappop(loads)
        shares[number].append(artifact)
        heapq.heappush(loads, (load + artifact.size + _OVERHEAD, number))
    return [tuple(sorted(share, key=lambda artifact: artifact.uri)) for share in shares]


def shard_pipeline(target: Path, checks: tuple[str, ...], shard: Shard) -> Pipeline:
    """What `shipworthy scan --shard` runs: a look at a part, and no gate."""

    def scan(job: Job) -> StageResult:
        return _scan(job, target, checks, shard)

    def gate(job: Job) -> StageResult:
        note = f"{shard}: not a verdict"
        remedy = f"put all {shard.of} shards together: `shipworthy merge`"
        return StageResult(
            job.stage, Status.SKIPPED, job.started, note=note, remedy=remedy, exit_code=int(ExitCode.COVERAGE)
        )

    return Pipeline(
        "scan",
        "Scan",
        (
            Stage("scan", "Scan", "Looks at a part of the target with every check.", scan),
            Stage("gate", "Gate", "Decides nothing on a part.", gate),
        ),
    )


def _scan(job: Job, target: Path, names: tuple[str, ...], shard: Shard) -> StageResult:
    """Every check of artifacts over this shard's part; what is about the whole is the first shard's. Nothing is
    filtered: that is done once, over all shards."""
    loaded, checks = prepare(job, target, names)
    own = parts(job.inventory.artifacts, shard.of)[shard.number - 1]
    tree = [check for check in checks if check.scope == "tree"] if shard.number == 1 else []
    results = job.checks.run(tree, job.inventory)
    results += job.checks.run(
        [check for check in checks if check.scope != "tree"], replace(job.inventory, artifacts=own)
    )
    results = (loaded.checks if shard.number == 1 else ()) + results
    state = git_state(job.root)
    return replace(
        loaded,
        note=f"{shard}: {len(own)} of {len(job.inventory.artifacts)} files",
        artifacts=own,
        checks=results,
        outputs={"artifacts": loaded.outputs["artifacts"], "results": results_digest(results)},
        details={
            "left-out": loaded.details["left-out"],
            "excluded": loaded.details["excluded"],
            "shard": {
                "number": shard.number,
                "of": shard.of,
                "checks": list(names),
                "commit": state.commit if state else "",
            },
        },
    )
