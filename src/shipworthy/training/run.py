"""Run a training: folds first, then once on everything, then move the outputs into place."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from shipworthy.errors import ShipworthyError, UsageError
from shipworthy.model import Metric
from shipworthy.tools.explain import explain
from shipworthy.tools.interpreter import named
from shipworthy.tools.sandbox import Sandbox, SandboxResult
from shipworthy.tools.staging import Staging, check_env, command_files, open_log
from shipworthy.tools.trees import Rejected, combined, digest_files
from shipworthy.training.progress import Progress
from shipworthy.training.spec import FoldResult, Judge, Stopping, TrainResult, TrainSpec

OnLine = Callable[[str, str], None]
_ENDED_BY_REQUEST = (0, 128 + 15)


class _Failed(Exception):
    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass
class _Record:
    """What has been measured so far; turned into a TrainResult whether or not it went well."""

    runs: list[SandboxResult] = field(default_factory=list)
    folds: list[FoldResult] = field(default_factory=list)
    metrics: tuple[Metric, ...] = ()
    stopping: Stopping | None = None
    progress: Progress | None = None
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)


def train(
    spec: TrainSpec,
    *,
    sandbox: Sandbox | None = None,
    judge: Judge | None = None,
    on_line: OnLine | None = None,
    log: Path | None = None,
    place: Path | None = None,
) -> TrainResult:
    """Run the training and say how it went; a training that fails is a result, not an exception.

    `sandbox` (default: opened as the spec says), `judge` (needed with K-fold), `on_line(stream, text)` gets every line
    of output, `log` keeps them, `place` is where private folders are made. The outputs of a failed training are thrown
    away, and what was at their places stays. Raises UsageError when the spec is wrong, EnvironmentFailure when the
    sandbox cannot be had or the disk fails.
    """
    _validate(spec, judge)
    started = time.monotonic()
    sandbox = sandbox or Sandbox.open(spec.sandbox, python=spec.python or named(spec.command))
    record, reason, remedy = _Record(), "", ""
    with (
        Staging(
            spec.root,
            code=(*spec.code, *command_files(spec.command, spec.root, but=spec.inputs.values())),
            inputs=spec.inputs,
            outputs=spec.outputs,
            copy_inputs=sandbox.report.filesystem == "open",
            exclude=spec.exclude,
            place=place,
        ) as staging,
        open_log(log) as stream,
    ):
        try:
            _Training(spec, sandbox, staging, record, judge, on_line, stream).everything()
        except (_Failed, Rejected) as failed:
            reason, remedy = failed.reason, failed.remedy
        result = _result(spec, sandbox, staging, record)
    return replace(
        result,
        ok=not reason,
        reason=reason,
        remedy=remedy,
        outputs={} if reason else record.outputs,
        seconds=time.monotonic() - started,
        log=str(log) if log else "",
    )


@dataclass(frozen=True)
class _Training:
    spec: TrainSpec
    sandbox: Sandbox
    staging: Staging
    record: _Record
    judge: Judge | None
    on_line: OnLine | None
    log: BinaryIO | None

    def everything(self) -> None:
        """All folds, the training itself, the outputs."""
        if self.spec.kfold is not None and self.judge is not None:
            self._folds(self.judge)
        progress, done = self._run({}, "progress")
        self.record.progress, self.record.stopping = progress, progress.result(ended_by_us=progress.enough)
        self._check(progress, done)
        self.record.outputs = self.staging.collect()
        if changed := self.staging.changed_inputs():
            raise _Failed(
                f'the input "{changed[0]}" changed while the training ran', "train again on data that stands still"
            )
        self.staging.publish(self.record.outputs)

    def _folds(self, judge: Judge) -> None:
        kfold = self.spec.kfold
        if kfold is None:
            return
        dataset = self.staging.inputs[kfold.dataset].source
        try:
            splits = judge.split(dataset, folds=kfold.folds, label=kfold.label, group=kfold.group, seed=self.spec.seed)
        except ShipworthyError as error:
            raise _Failed(f"the dataset cannot be split: {error}", error.remedy) from None
        for number, (train_rows, validation) in enumerate(splits, start=1):
            self.record.folds.append(self._fold(judge, dataset, number, train_rows, validation))
            self.staging.reset_outputs()
        self.record.metrics = judge.spread([fold.metrics for fold in self.record.folds])

    def _fold(
        self, judge: Judge, dataset: Path, number: int, train_rows: Sequence[int], validation: Sequence[int]
    ) -> FoldResult:
        indices = self.staging.plan / f"fold-{number}.json"
        indices.write_text(json.dumps({"train": list(train_rows), "validation": list(validation)}), encoding="ascii")
        predictions = self.staging.outputs / "predictions.csv"
        progress, done = self._run(
            {
                "SHIPWORTHY_FOLD": str(number),
                "SHIPWORTHY_FOLDS": str(self.spec.kfold.folds if self.spec.kfold else 0),
                "SHIPWORTHY_FOLD_INDICES": str(indices),
                "SHIPWORTHY_OUTPUT_PREDICTIONS": str(predictions),
            },
            f"progress-{number}",
        )
        self._check(progress, done, fold=number)
        if not os.path.lexists(predictions):
            raise _Failed(
                f"fold {number} left no predictions", "write a CSV file to SHIPWORTHY_OUTPUT_PREDICTIONS in each fold"
            )
        digest = combined(digest_files(predictions))
        try:
            metrics = judge.score(
                dataset,
                label=self.spec.kfold.label if self.spec.kfold else "",
                validation=validation,
                predictions=predictions,
            )
        except ShipworthyError as error:
            raise _Failed(f"fold {number}: {error.message}", error.remedy) from None
        stopping = progress.result(ended_by_us=progress.enough)
        return FoldResult(
            number, len(train_rows), len(validation), done.seconds, done.peak_memory_mb, metrics, digest, stopping
        )

    def _run(self, extra: Mapping[str, str], name: str) -> tuple[Progress, SandboxResult]:
        scratch = self.staging.base / "scratch" / name
        scratch.mkdir()
        path = scratch / "contract" / "progress.jsonl"
        progress = Progress(path, self.spec.early_stopping)
        seed = str(self.spec.seed)
        done = self.sandbox.run(
            self.spec.command,
            cwd=self.staging.work,
            read_only=self.staging.readable,
            writable=(self.staging.outputs,),
            scratch=scratch,
            env={
                **self.spec.env,
                **self.staging.env(),
                "SHIPWORTHY_SEED": seed,
                "PYTHONHASHSEED": str(self.spec.seed % 2**32),
                "SHIPWORTHY_PROGRESS": str(path),
                **extra,
            },
            limits=self.spec.limits,
            on_line=self.on_line,
            log=self.log,
            watch=progress.look,
            inputs=tuple(self.staging.watched.values()),
            hidden=(self.spec.root,),
        )
        progress.look()
        self.record.runs.append(done)
        return progress, done

    def _check(self, progress: Progress, done: SandboxResult, fold: int = 0) -> None:
        where = f"fold {fold}: " if fold else ""
        if progress.problem:
            raise _Failed(f"{where}{progress.problem}", 'append lines like {"step": 1, "metrics": {"val_loss": 0.3}}')
        if done.stopped == "watch":
            if done.returncode not in _ENDED_BY_REQUEST:
                raise _Failed(
                    f"{where}asked to stop early, it did not end by itself (status {done.returncode})",
                    "on SIGTERM, write the best model and exit at once",
                )
        elif failure := explain(done):
            raise _Failed(f"{where}{failure.reason}", failure.remedy)
        rule = self.spec.early_stopping
        told = progress.result(ended_by_us=False)
        if rule is not None and (told is None or told.best is None):
            raise _Failed(
                f'{where}early stopping is asked for, and no progress line holds "{rule.metric}"',
                "append JSON lines to the file in SHIPWORTHY_PROGRESS",
            )


def _validate(spec: TrainSpec, judge: Judge | None) -> None:
    if not spec.command or not all(isinstance(part, str) and "\0" not in part for part in spec.command):
        raise UsageError(
            "the command must be a list of texts", where="train", remedy='command = ["python", "train.py"]'
        )
    if not spec.outputs:
        raise UsageError("no output is declared", where="train", remedy='outputs = { model = "model/" }')
    check_env(spec.env)
    stop = spec.early_stopping
    if stop is not None and (stop.mode not in ("min", "max") or stop.patience < 1 or stop.min_delta < 0):
        raise UsageError(
            "mode is min or max, patience at least 1, min-delta not negative", where="train.early-stopping"
        )
    if (kfold := spec.kfold) is None:
        return
    if kfold.folds < 2:
        raise UsageError("at least 2 folds are needed", where="train.kfold")
    if kfold.dataset not in spec.inputs:
        raise UsageError(f'"{kfold.dataset}" is none of the inputs', where="train.kfold.dataset")
    if judge is None:
        raise UsageError("K-fold needs somebody who splits and scores", where="train.kfold")


def _result(spec: TrainSpec, sandbox: Sandbox, staging: Staging, record: _Record) -> TrainResult:
    last = record.runs[-1] if record.runs else None
    attempts = tuple(dict.fromkeys(one for run in record.runs for one in run.attempts))
    seen = {one.target for one in attempts if one.kind == "read"}
    return TrainResult(
        ok=False,
        command=spec.command,
        inputs={name: given.digest for name, given in staging.inputs.items()},
        code=dict(sorted(staging.code.items())),
        folds=tuple(record.folds),
        metrics=record.metrics,
        early_stopping=record.stopping,
        progress=tuple(record.progress.kept) if record.progress else (),
        environment={
            "python": sandbox.interpreter.version,
            "system": platform.system(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "cpus": str(os.cpu_count() or 0),
        },
        packages=sandbox.interpreter.packages,
        sandbox=last.report if last else sandbox.report,
        attempts=tuple(one for one in attempts if one.kind != "read"),
        inputs_seen=tuple(name for name, path in staging.watched.items() if str(path) in seen),
        seed=spec.seed,
        exit_status=last.returncode if last else None,
        cpu_seconds=sum(run.cpu_seconds for run in record.runs),
        peak_rss_mb=max((run.peak_memory_mb for run in record.runs), default=0.0),
    )
