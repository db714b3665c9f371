"""Evaluate a model: it gets rows without labels, we keep the labels, and measure what it predicts."""

from __future__ import annotations

import csv
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.evaluation.metrics import Task, measure, task_of
from shipworthy.evaluation.predictions import Predictions, read_predictions
from shipworthy.evaluation.tables import Table, Unusable, read_table
from shipworthy.model import Metric
from shipworthy.paths import inside
from shipworthy.tools.explain import explain
from shipworthy.tools.interpreter import named
from shipworthy.tools.sandbox import Attempt, Limits, Sandbox, SandboxReport, SandboxResult
from shipworthy.tools.staging import Staging, check_env, command_files, open_log
from shipworthy.tools.trees import Rejected, digest_files

OnLine = Callable[[str, str], None]
_CLAIM_BYTES = 1 << 20


@dataclass(frozen=True)
class EvaluateSpec:
    """The evaluation contract.

    `holdout` is a CSV file with the columns `id` and `label`; `model` the file or folder to be evaluated; `metrics` are
    those that must come out of it. Paths are relative to `root`. The command reads SHIPWORTHY_INPUT_MODEL and
    SHIPWORTHY_INPUT_HOLDOUT (the rows shuffled, without the label), and writes SHIPWORTHY_OUTPUT_PREDICTIONS: a CSV
    file with the id column, `prediction` and, if it can, `score` (of the positive class) or `score_<class>` columns. It
    may write SHIPWORTHY_OUTPUT_METRICS, a JSON object of numbers: a claim, which is compared with what we measure.
    """

    command: tuple[str, ...]
    root: Path
    holdout: str
    model: str = ""
    code: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    id: str = "id"
    label: str = "label"
    positive: str = ""
    task: Task = "auto"
    metrics: tuple[str, ...] = ()
    sandbox: str = "no-network"
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


@dataclass(frozen=True)
class Claim:
    """A metric as the command tells it, beside ours. It agrees when it lies in our interval."""

    name: str
    claimed: float
    measured: float
    low: float
    high: float
    agrees: bool


@dataclass(frozen=True)
class EvaluateResult:
    """The record of an evaluation. `reason` and `remedy` say why it failed; then there are no metrics."""

    ok: bool
    reason: str = ""
    remedy: str = ""
    command: tuple[str, ...] = ()
    task: str = ""
    rows: int = 0
    metrics: tuple[Metric, ...] = ()
    claims: tuple[Claim, ...] = ()
    unmeasured_claims: tuple[str, ...] = ()
    holdout: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    predictions: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    sandbox: SandboxReport | None = None
    attempts: tuple[Attempt, ...] = ()
    seed: int = 0
    exit_status: int | None = None
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    log: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return json.loads(json.dumps(asdict(self), default=dict))  # type: ignore[no-any-return]


class _Failed(Exception):
    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def evaluate(
    spec: EvaluateSpec,
    *,
    sandbox: Sandbox | None = None,
    on_line: OnLine | None = None,
    log: Path | None = None,
    place: Path | None = None,
    keep: Path | None = None,
) -> EvaluateResult:
    """Run the evaluation and say how it went; one that fails is a result, not an exception.

    Arguments as for `training.train`; `keep` is where the predictions are copied to when they are usable. Raises
    UsageError when the spec or the holdout is wrong, EnvironmentFailure when the sandbox cannot be had.
    """
    started = time.monotonic()
    table, holdout = _holdout(spec)
    sandbox = sandbox or Sandbox.open(spec.sandbox, python=spec.python or named(spec.command))
    inputs = {**({"model": spec.model} if spec.model else {}), **spec.inputs}
    with (
        Staging(
            spec.root,
            code=(*spec.code, *command_files(spec.command, spec.root, but=(spec.holdout, *inputs.values()))),
            inputs=inputs,
            outputs={"predictions": "predictions.csv", "metrics": "metrics.json"},
            optional=("metrics",),
            copy_inputs=sandbox.report.filesystem == "open",
            exclude=(spec.holdout,),
            place=place,
        ) as staging,
        open_log(log) as stream,
    ):
        hidden = staging.plan / "holdout.csv"
        _without_labels(table, spec, hidden)
        done = _run(spec, sandbox, staging, hidden, on_line, stream)
        result = EvaluateResult(
            ok=False,
            command=spec.command,
            task=_task(spec, table),
            rows=len(table.rows),
            holdout=holdout,
            inputs={name: given.digest for name, given in staging.inputs.items()},
            code=dict(sorted(staging.code.items())),
            environment={"python": sandbox.interpreter.version},
            packages=sandbox.interpreter.packages,
            sandbox=done.report,
            attempts=tuple(one for one in done.attempts if one.kind != "read"),
            seed=spec.seed,
            exit_status=done.returncode,
            peak_rss_mb=done.peak_memory_mb,
            log=str(log) if log else "",
        )
        try:
            result = _judged(spec, table, staging, done, result)
            if keep is not None:
                keep.parent.mkdir(parents=True, exist_ok=True)
                keep.write_bytes((staging.outputs / "predictions.csv").read_bytes())
        except (_Failed, Rejected) as failed:
            result = replace(result, reason=failed.reason, remedy=failed.remedy)
        except ShipworthyError as error:
            result = replace(result, reason=str(error), remedy=error.remedy)
    return replace(result, seconds=time.monotonic() - started)


def _judged(
    spec: EvaluateSpec, table: Table, staging: Staging, done: SandboxResult, result: EvaluateResult
) -> EvaluateResult:
    if failure := explain(done):
        raise _Failed(failure.reason, failure.remedy)
    digests = staging.collect()
    if changed := staging.changed_inputs():
        raise _Failed(f'the input "{changed[0]}" changed while the evaluation ran', "evaluate what stands still")
    found: Predictions = read_predictions(staging.outputs / "predictions.csv", table.column(spec.id), id_column=spec.id)
    task: Task = "regression" if result.task == "regression" else "classification"
    metrics = measure(table.column(spec.label), found, task=task, positive=spec.positive, seed=spec.seed)
    names = {metric.name for metric in metrics}
    if missing := [name for name in spec.metrics if name not in names]:
        raise _Failed(
            f"the metric {missing[0]} cannot be measured from these predictions",
            f"measured are: {', '.join(sorted(names))}; scores allow more",
        )
    claimed = read_claims(staging.outputs / "metrics.json") if "metrics" in digests else {}
    return replace(
        result,
        ok=True,
        metrics=metrics,
        claims=compare(claimed, metrics),
        unmeasured_claims=tuple(sorted(name for name in claimed if name not in names)),
        predictions=digests["predictions"][""],
    )


def read_claims(path: Path) -> dict[str, float]:
    """The numbers of a metrics file: a JSON object, or one under "metrics"; other values are passed over.

    Raises Unusable when it is no such file, or a number in it is not finite.
    """
    where = "metrics.json"
    with path.open("rb") as stream:
        raw = stream.read(_CLAIM_BYTES + 1)
    if len(raw) > _CLAIM_BYTES:
        raise Unusable(f"is larger than {_CLAIM_BYTES >> 20} MiB", where=where)
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unusable("is no JSON", where=where, remedy='write an object such as {"accuracy": 0.93}') from None
    if isinstance(told, dict) and isinstance(told.get("metrics"), dict):
        told = told["metrics"]
    if not isinstance(told, dict):
        raise Unusable("is no JSON object", where=where, remedy='write an object such as {"accuracy": 0.93}')
    found: dict[str, float] = {}
    for name, value in list(told.items())[:1_000]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            shown = "".join(char for char in name if char.isprintable())[:60]
            if not (abs(value) < 1e300 and math.isfinite(value)):
                raise Unusable(f"{shown} is not a finite number", where=where)
            found[shown] = float(value)
    return found


def compare(claimed: Mapping[str, float], metrics: tuple[Metric, ...]) -> tuple[Claim, ...]:
    """The claims beside what was measured, for the names that both have."""
    return tuple(
        Claim(
            metric.name,
            claimed[metric.name],
            metric.value,
            metric.low,
            metric.high,
            metric.low - 1e-9 <= claimed[metric.name] <= metric.high + 1e-9,
        )
        for metric in metrics
        if metric.name in claimed
    )


def _holdout(spec: EvaluateSpec) -> tuple[Table, str]:
    """The holdout, all ids different and all labels given; and its digest."""
    if not spec.command:
        raise UsageError("the command is missing", where="evaluate", remedy='command = ["python", "evaluate.py"]')
    check_env(spec.env)
    path = inside(spec.root, spec.holdout, what="holdout")
    if not path.is_file():
        raise UsageError("the holdout is not there", where=spec.holdout, remedy="correct evaluate.holdout")
    try:
        table = read_table(path.resolve(), what=spec.holdout)
        ids, labels = table.column(spec.id), table.column(spec.label)
    except Unusable as error:
        raise UsageError(error.message, where=spec.holdout, remedy=error.remedy) from None
    if spec.id == spec.label:
        raise UsageError("id and label are the same column", where="evaluate", remedy="name both columns")
    if len(set(ids)) != len(ids) or not all(ids):
        raise UsageError(f'the column "{spec.id}" must name each row, once', where=spec.holdout)
    if not all(labels):
        raise UsageError(f'the column "{spec.label}" has empty cells', where=spec.holdout, remedy="label every row")
    return table, digest_files(path.resolve())[""]


def _task(spec: EvaluateSpec, table: Table) -> str:
    return task_of(table.column(spec.label), spec.positive) if spec.task == "auto" else spec.task


def _without_labels(table: Table, spec: EvaluateSpec, path: Path) -> None:
    """The rows in another order, since the order can tell the label, and without that column."""
    hidden = table.columns.index(spec.label)
    rows = list(table.rows)
    random.Random(spec.seed).shuffle(rows)  # noqa: S311 - an order that can be repeated, not a secret
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([*row[:hidden], *row[hidden + 1 :]] for row in (table.columns, *rows))


def _run(
    spec: EvaluateSpec,
    sandbox: Sandbox,
    staging: Staging,
    hidden: Path,
    on_line: OnLine | None,
    log: BinaryIO | None,
) -> SandboxResult:
    return sandbox.run(
        spec.command,
        cwd=staging.work,
        read_only=staging.readable,
        writable=(staging.outputs,),
        scratch=staging.base / "scratch",
        env={
            **spec.env,
            **staging.env(),
            "SHIPWORTHY_INPUT_HOLDOUT": str(hidden),
            "SHIPWORTHY_SEED": str(spec.seed),
            "PYTHONHASHSEED": str(spec.seed % 2**32),
        },
        limits=spec.limits,
        on_line=on_line,
        log=log,
        inputs=tuple(staging.watched.values()),
        hidden=(spec.root,),
    )
