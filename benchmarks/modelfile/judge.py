"""What each scanner says of each file: many files by one driver process, every answer kept, no wait without end."""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environments import HERE, Tool, surroundings

GRACE = 150  # seconds beyond a file's own, for a driver that starts or is stuck itself


@dataclass(frozen=True)
class Case:
    """A file to judge. `digest` covers all that its verdict may depend on: its name, its bytes and its neighbours."""

    path: Path
    group: str
    digest: str


def case(path: Path, group: str, beside: Iterable[Path] = ()) -> Case:
    """A file with the files beside it that a scanner may look at."""
    digest = hashlib.sha256()
    for item in (path, *sorted(beside)):
        digest.update(f"{item.name}\0".encode() + hashlib.sha256(item.read_bytes()).digest())
    return Case(path, group, digest.hexdigest())


@dataclass(frozen=True)
class Answer:
    """`found`, `quiet` or `refused`, and what it cost."""

    verdict: str
    code: int
    cpu: float


class NotStartedError(Exception):
    """A scanner can't even be imported."""


class Judge:
    """Asks scanners, at most `workers` at a time, and keeps their answers below `work` by version and digest."""

    def __init__(self, work: Path, seconds: int, workers: int) -> None:
        self.work, self.seconds, self.workers = work, seconds, workers
        self.env = surroundings(work)
        self.warm = work / "warm.pkl"
        self.warm.write_bytes(b"\x80\x04]\x94(K\x01K\x02e.")
        self._drivers: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()
        self._driver = hashlib.sha256((HERE / "driver.py").read_bytes()).hexdigest()[:8]

    def ask(self, wanted: Mapping[Tool, Sequence[Case]]) -> dict[str, dict[Path, Answer]]:
        """Each scanner about its files. Raises NotStartedError."""
        with ThreadPoolExecutor(self.workers) as pool:
            pending = {tool.name: pool.submit(self._ask, tool, cases) for tool, cases in wanted.items()}
            try:
                return {name: future.result() for name, future in pending.items()}
            except BaseException:
                self._stop()
                raise

    def _stop(self) -> None:
        self._stopped.set()
        for driver in list(self._drivers):
            _end(driver)

    def _ask(self, tool: Tool, cases: Sequence[Case]) -> dict[Path, Answer]:
        kept = self.work / "answers" / f"{tool.name}-{tool.version}-{self._driver}-{self.seconds}.jsonl"
        known = _known(kept)
        todo = {item.digest: item for item in cases if item.digest not in known}
        if todo:
            print(f"{tool.name}: {len(todo)} of {len(cases)} files", file=sys.stderr, flush=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("a", encoding="utf-8") as out:
            while todo and not self._stopped.is_set():
                self._drive(tool, todo, known, out)
        return {item.path: _answer(tool, known[item.digest]) for item in cases if item.digest in known}

    def _drive(self, tool: Tool, todo: dict[str, Case], known: dict[str, Any], out: Any) -> None:
        """One driver, for as many of the files as it lives; the one that it died or hung at counts as refused."""
        queue = list(todo.values())
        scratch = self.work / "scratch" / tool.name
        command = [str(tool.python), "-I", str(HERE / "driver.py"), tool.name, str(self.seconds), str(scratch)]
        listed = self.work / f"{tool.name}.list"
        listed.write_text("".join(json.dumps(str(item.path)) + "\n" for item in queue))
        with listed.open("rb") as source, (self.work / f"{tool.name}.log").open("wb") as log:
            driver = subprocess.Popen(
                [*command, str(self.warm), *tool.arguments],
                stdin=source, stdout=subprocess.PIPE, stderr=log, env=self.env, start_new_session=True,
            )  # fmt: skip
        self._drivers.add(driver)
        ready, answered = False, 0
        try:
            for row in _rows(driver, self.seconds + GRACE):
                if not ready:
                    ready = "ready" in row
                    continue
                item = queue[answered]
                answered += 1
                self._keep(item, row, todo, known, out)
            if ready and answered < len(queue) and not self._stopped.is_set():
                self._keep(queue[answered], {"code": -2, "crashed": True, "cpu": 0.0}, todo, known, out)
        finally:
            self._drivers.discard(driver)
            _end(driver)
        if not ready and not self._stopped.is_set():
            text = (self.work / f"{tool.name}.log").read_text(errors="replace").strip()
            raise NotStartedError(tool.name, f"it does not start: {text[-300:]}")

    def _keep(self, item: Case, row: dict[str, Any], todo: dict[str, Case], known: dict[str, Any], out: Any) -> None:
        known[item.digest] = row = {"digest": item.digest, **row}
        todo.pop(item.digest, None)
        out.write(json.dumps(row) + "\n")
        out.flush()

    def alone(self, tool: Tool, cases: Sequence[Case]) -> list[str]:
        """The verdicts of the command in processes of its own, as a person runs it."""
        with ThreadPoolExecutor(self.workers) as pool:
            try:
                return list(pool.map(lambda item: self._alone(tool, item), cases))
            except BaseException:
                self._stop()
                raise

    def _alone(self, tool: Tool, item: Case) -> str:
        if self._stopped.is_set():
            return "stopped"
        scratch = self.work / "scratch" / tool.name
        scratch.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [*tool.command, str(item.path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.env, cwd=scratch, start_new_session=True,
        )  # fmt: skip
        self._drivers.add(process)
        try:
            text, _ = process.communicate(timeout=self.seconds + 30)
        except subprocess.TimeoutExpired:
            return "refused"
        finally:
            self._drivers.discard(process)
            _end(process)
        return tool.verdict(process.returncode, b"Traceback (most recent call last)" in text)


def _answer(tool: Tool, row: dict[str, Any]) -> Answer:
    return Answer(tool.verdict(row["code"], row["crashed"]), row["code"], row["cpu"])


def _known(path: Path) -> dict[str, Any]:
    """The answers kept; a line that was cut when a run was stopped is left out."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            found[row["digest"]] = row
        except (ValueError, KeyError):
            continue
    return found


def _rows(driver: subprocess.Popen[bytes], seconds: float) -> Iterable[dict[str, Any]]:
    """The lines of a driver as they come; ends when it ends, or when none came for so long."""
    assert driver.stdout is not None
    with selectors.DefaultSelector() as watch:
        watch.register(driver.stdout, selectors.EVENT_READ)
        rest = b""
        while watch.select(seconds):
            data = os.read(driver.stdout.fileno(), 1 << 16)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield json.loads(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its whole session; first gently, so that a driver takes the scan with it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(3)
        except (ProcessLookupError, subprocess.TimeoutExpired, PermissionError):
            continue
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
