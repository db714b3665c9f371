"""Costs of single parts, measured inside one process. Prints one JSON object; `run.py` starts it."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shipworthy.check import registry
from shipworthy.engine.cache import Cache, Kept, artifact_key
from shipworthy.model import Artifact, Kind
from shipworthy.tools.sandbox import Sandbox

RESULTS = 10_000


def best(work: Callable[[], object], times: int = 5) -> float:
    """The shortest of some runs, in seconds of wall time: the least disturbed."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def cache(folder: Path) -> dict[str, float]:
    """Seconds to keep results (one call for each) and to read them back, with one finding in ten."""
    check = registry()["python-security"]
    kept, groups = Cache(folder), {}
    for number in range(RESULTS):
        artifact = Artifact(f"src/file{number}.py", Kind.CODE, f"sha256:{number:064x}", 10)
        found = (check.rules[0].at(artifact, line=1),) if number % 10 == 0 else ()
        groups[artifact_key("0" * 64, (artifact,))] = (check, (artifact,), Kept(found))
    started = time.perf_counter()
    for key, row in groups.items():
        kept.put({key: row})
    kept.close()
    written = time.perf_counter() - started
    again = Cache(folder)
    keys = {key: row[:2] for key, row in groups.items()}
    assert len(again.get(keys)) == RESULTS
    read = best(lambda: again.get(keys))
    again.close()
    return {"write": written, "read": read}


def sandbox(folder: Path) -> dict[str, float | str]:
    """Seconds to try the sandbox out, and to run nothing in it beside running nothing without it."""
    import subprocess

    started = time.perf_counter()
    box = Sandbox.open("no-network")  # tried out once for each process
    opened = time.perf_counter() - started
    inside = best(lambda: box.run([sys.executable, "-c", "pass"], cwd=folder))
    outside = best(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
    return {"level": str(box.protection), "open": opened, "run": inside, "bare": outside}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as room:
        print(json.dumps({"cache": cache(Path(room) / "cache"), "sandbox": sandbox(Path(room))}))
