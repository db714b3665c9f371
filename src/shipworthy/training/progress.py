"""The progress file that a training writes and we read while it grows: JSON lines from hostile hands."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from shipworthy.training.spec import EarlyStopping, Stopping

LINE_BYTES, FILE_BYTES, LINES = 65_536, 64 << 20, 100_000
_KEPT = 1_000


class Progress:
    """Reads what was appended since the last look, and decides when enough is enough."""

    def __init__(self, path: Path, rule: EarlyStopping | None) -> None:
        self._path, self._rule = path, rule
        self._offset, self._rest = 0, b""
        self._since_best, self._lines = 0, 0
        self._best: float | None = None
        self._best_step: int | None = None
        self._last_step: int | None = None
        self._enough = False
        self.problem = ""
        self.kept: list[tuple[int, Mapping[str, float]]] = []

    def look(self) -> str:
        """A reason to end the training now: its progress is broken, or patience is used up. Else ""."""
        if not self.problem:
            try:
                self._read()
            except ValueError as error:
                self.problem = f"progress line {self._lines + 1}: {error}"
        if self.problem:
            return self.problem
        if self._enough and self._rule is not None:
            return f"{self._rule.metric} has not improved for {self._rule.patience} steps"
        return ""

    @property
    def enough(self) -> bool:
        """Patience is used up."""
        return self._enough and not self.problem

    def result(self, *, ended_by_us: bool) -> Stopping | None:
        """What the lines told; None when there was neither a rule nor a line."""
        if self._rule is None and not self._lines:
            return None
        waited = self._rule is not None and not ended_by_us and self._since_best > 0
        return Stopping(
            metric=self._rule.metric if self._rule else "",
            best=self._best,
            best_step=self._best_step,
            last_step=self._last_step,
            lines=self._lines,
            stopped_early=ended_by_us or waited,
            by="shipworthy" if ended_by_us else "script" if waited else "",
        )

    def _read(self) -> None:
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ValueError(f"the file cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)  # a folder could not even be opened as a stream
            raise ValueError("the file is no regular file")
        with open(handle, "rb") as stream:
            if self._offset > FILE_BYTES:
                raise ValueError(f"the file is larger than {FILE_BYTES >> 20} MiB")
            stream.seek(self._offset)
            data = stream.read(FILE_BYTES // 16)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._line(line)
        if len(self._rest) > LINE_BYTES:
            raise ValueError(f"longer than {LINE_BYTES} bytes")

    def _line(self, raw: bytes) -> None:
        if len(raw) > LINE_BYTES:
            raise ValueError(f"longer than {LINE_BYTES} bytes")
        if self._lines >= LINES:
            raise ValueError(f"more than {LINES} lines")
        step, metrics = parse(raw)
        self._lines += 1
        self._last_step = step
        self.kept.append((step, metrics))
        if len(self.kept) > _KEPT:
            del self.kept[1::2]  # every second: the shape of the curve stays
        if self._rule is None or self._rule.metric not in metrics:
            return
        value, sign = metrics[self._rule.metric], 1 if self._rule.mode == "min" else -1
        if self._best is None or sign * value < sign * self._best - self._rule.min_delta:
            self._best, self._best_step, self._since_best = value, step, 0
        else:
            self._since_best += 1
            self._enough = self._enough or self._since_best >= self._rule.patience


def parse(raw: bytes) -> tuple[int, dict[str, float]]:
    """Step and metrics of one line. Raises ValueError that says what is wrong with it."""
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("metrics"), dict):
        raise ValueError('no object {"step": ..., "metrics": {...}}')
    step = told.get("step")
    if not isinstance(step, int) or isinstance(step, bool) or abs(step) > 2**53:
        raise ValueError('"step" is no whole number')
    metrics: dict[str, float] = {}
    for name, value in list(told["metrics"].items())[:100]:
        shown = "".join(char for char in name if char.isprintable())[:60]
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError(f'"{shown}" is no number')
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f'"{shown}" is {number} at step {step}: the training has diverged')
        metrics[shown] = number
    return step, metrics
