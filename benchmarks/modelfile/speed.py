"""How long each scanner takes, and how much memory: the files of samples.py, one scan at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from environments import HERE, OURS, Tool, surroundings
from measure import Measured, measure

# CPU seconds of the scan alone: no start of Python, no import of the library.
LIBRARY = """
import sys, time
from pathlib import Path
from shipworthy.modelfile import scan
paths = sorted(Path(sys.argv[1]).iterdir()) if Path(sys.argv[1]).is_dir() else [Path(sys.argv[1])]
began = time.process_time()
verdicts = {str(scan(path).verdict) for path in paths}
print(time.process_time() - began)
"""
HASH = """
import hashlib, sys
with open(sys.argv[1], "rb", buffering=0) as stream:
    hashlib.file_digest(stream, "sha256")
"""
BOTH = """
import hashlib, sys, time
from shipworthy.modelfile import scan
def digest():
    with open(sys.argv[1], "rb", buffering=0) as stream:
        hashlib.file_digest(stream, "sha256")
digest()
scan(sys.argv[1])
alone, both = [], []
for _ in range(7):
    for times, look in ((alone, False), (both, True)):
        began = time.process_time()
        digest()
        if look:
            scan(sys.argv[1])
        times.append(time.process_time() - began)
print(min(both) / min(alone))
"""
REPEATS = 3


@dataclass(frozen=True)
class Timed:
    """What a scan of one file cost: the lowest of some runs. `code` None: stopped by the limit."""

    cpu: float
    tree_mb: float
    private_mb: float
    code: int | None


class Clock:
    """Measures, and with `keep` remembers across runs."""

    def __init__(
        self, work: Path, tools: Mapping[str, Tool], limit: int, keep: bool, compiled: Path | None = None
    ) -> None:
        self.work, self.tools, self.limit, self.form = work, tools, limit, compiled
        self.file = work / "times.json"
        self.kept: dict[str, Any] = json.loads(self.file.read_text()) if keep and self.file.exists() else {}

    def command(self, name: str, path: Path, repeats: int = REPEATS) -> Timed:
        """A scanner's command on a file or folder."""
        tool = self.tools[name]
        return self._timed(f"{name} {tool.version} {path.name}", [*tool.command, str(path)], repeats)

    def library(self, path: Path) -> Timed:
        """Shipworthy's library: CPU seconds of the scan alone, memory of the whole process."""
        return self._python("library", LIBRARY, path, REPEATS)

    def compiled(self, path: Path) -> Timed | None:
        """The same of its compiled form, if there is one."""
        return self._python("compiled", LIBRARY, path, REPEATS, self.form) if self.form else None

    def hashing(self, path: Path) -> Timed:
        """sha256 by hashlib, in a process of its own."""
        return self._timed(f"sha256 {path.name}", [*self._ours("-c", HASH), str(path)], REPEATS)

    def both(self, path: Path) -> float:
        """How many times sha256 alone sha256 and the library's scan take, in one process."""
        return self._python("both", BOTH, path, 1).cpu

    def _ours(self, *arguments: str) -> list[str]:
        return [str(self.tools[OURS].python), *arguments]

    def _python(self, what: str, code: str, path: Path, repeats: int, python: Path | None = None) -> Timed:
        key = f"{what} {self.tools[OURS].version} {path.name}"
        return self._timed(key, [str(python or self.tools[OURS].python), "-c", code, str(path)], repeats, True)

    def _timed(self, key: str, command: list[str], repeats: int, printed: bool = False) -> Timed:
        if key not in self.kept:
            print(f"timing {' '.join(key.split()[::2])}", file=sys.stderr, flush=True)
            runs = [self._once(command, printed)]
            while len(runs) < repeats and runs[-1].code is not None:
                runs.append(self._once(command, printed))
            self.kept[key] = asdict(min(runs, key=lambda run: (run.code is None, run.cpu)))
            self.file.write_text(json.dumps(self.kept))
        return Timed(**self.kept[key])

    def _once(self, command: list[str], printed: bool) -> Timed:
        log = self.work / "timed.log"
        scratch = self.work / "scratch" / "timed"
        shutil.rmtree(
            scratch, ignore_errors=True
        )  # a home of its own each time: ModelAudit keeps what it has seen there
        scratch.mkdir(parents=True)
        env = surroundings(scratch)
        limited = [] if printed else ["timeout", "--kill-after=5", str(self.limit)]
        done: Measured = measure([*limited, *command], cwd=scratch, env=env, log=log)
        cpu = float(log.read_text().split()[-1]) if printed and done.code == 0 else done.cpu
        return Timed(cpu, done.tree_mb, done.private_mb, None if done.code in (124, 137, -9) else done.code)


def shown(done: Timed, limit: int) -> str:
    """A cell."""
    if done.code is None:
        return f"> {limit} s"
    return f"{done.cpu:.2f} s, {done.tree_mb:.0f} MB" + (f" [{done.code}]" if done.code else "")


def samples(python: Path | None, work: Path) -> Path:
    """The folder of what is timed, written by the libraries."""
    folder = work / "samples"
    if python is not None:
        print("writing what is timed", file=sys.stderr, flush=True)
        subprocess.run([str(python), str(HERE / "samples.py"), str(folder)], check=True, env=surroundings(work))
    return folder
