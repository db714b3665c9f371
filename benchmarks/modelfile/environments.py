"""Virtual environments at fixed versions, made once: a peer's dependencies never meet another's."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OURS = "shipworthy"
HONEST = "honest"
COMPILED = "compiled"
SECONDS = 1800
# No telemetry, no look for updates, no colours.
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "CI": "true", "NO_COLOR": "1"}


@dataclass(frozen=True)
class Tool:
    """A scanner that can be called. `version` changes whenever its answers may."""

    name: str
    python: Path
    arguments: tuple[str, ...]
    quiet: frozenset[int]
    version: str

    @property
    def command(self) -> list[str]:
        """What a person would type, without the file."""
        return [str(self.python.parent / self.name), *self.arguments]

    def verdict(self, code: int, crashed: bool) -> str:
        """`found`, `quiet`, or `refused`: an error or a crash, which stop a pipeline as well."""
        if code in self.quiet:
            return "quiet"
        return "found" if code == 1 and not crashed else "refused"


@dataclass
class Environments:
    """Those below a folder. `errors` says what could not be installed, `notes` what was left out of one."""

    folder: Path
    errors: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def tools(self) -> dict[str, Tool]:
        """Every scanner that could be installed, ours first."""
        found = {}
        for name, wanted in _wanted().items():
            if name in (HONEST, COMPILED):
                continue
            python = self.make(name, wanted)
            if python is not None:
                found[name] = Tool(
                    name,
                    python,
                    tuple(wanted["arguments"]),
                    frozenset(wanted.get("quiet", [0])),
                    source_digest() if name == OURS else wanted["install"][0].partition("==")[2],
                )
        return found

    def honest(self) -> Path | None:
        """The Python that has the libraries."""
        return self.make(HONEST, _wanted()[HONEST])

    def compiled(self) -> Path | None:
        """The Python that has Shipworthy with its reader compiled; None where there is no compiler."""
        return self.make(COMPILED, _wanted()[COMPILED])

    def make(self, name: str, wanted: dict[str, Any]) -> Path | None:
        """The environment's Python; None, with the reason kept, when it can't be had."""
        room = self.folder / name
        python, mark = room / "bin" / "python", room / "made.json"
        state = json.dumps([wanted, sys.version, source_digest() if name in (OURS, COMPILED) else ""], sort_keys=True)
        if mark.exists() and json.loads(mark.read_text())["state"] == state:
            self.notes.update(json.loads(mark.read_text())["notes"])
            return python
        print(f"installing {name}", file=sys.stderr, flush=True)
        base = _interpreter(wanted.get("below", ""))
        if base is None:
            self.errors[name] = f"needs a Python below {wanted['below']}"
            return None
        notes = {}
        shutil.rmtree(room, ignore_errors=True)
        if base == sys.executable:
            venv.create(room, with_pip=True)
        else:
            subprocess.run([base, "-m", "venv", str(room)], check=True)
        error = self._pip(room, [str(ROOT) if item == "." else item for item in wanted["install"]], name == COMPILED)
        if not error and "nodeps" in wanted:
            error = self._pip(room, ["--no-deps", *wanted["nodeps"]])
        if error:
            self.errors[name] = error
            return None
        for choice in wanted.get("either", ()):
            if not (error := self._pip(room, choice)):
                break
        if error:
            notes[name] = f"without {wanted['either'][-1][0]}: {error}"
        self.notes.update(notes)
        mark.write_text(json.dumps({"state": state, "notes": notes}))
        return python

    def _pip(self, room: Path, packages: list[str], compile_: bool = False) -> str:
        """Install; the last line of the error, or nothing."""
        env = {**os.environ, "SHIPWORTHY_COMPILE": "1" if compile_ else "0"}
        command = [str(room / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            done = subprocess.run([*command, *packages], capture_output=True, text=True, timeout=SECONDS, env=env)
        except subprocess.TimeoutExpired:
            return f"pip took more than {SECONDS} s"
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["pip failed"]
        ours = [line for line in lines if line.startswith("SHIPWORTHY_COMPILE")]  # what its build says
        return (ours or lines)[-1][:200] if done.returncode else ""


def _wanted() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "peers.toml").read_text(encoding="utf-8"))


def _interpreter(below: str) -> str | None:
    """This Python, or the newest on the path that is older than `below`."""
    if not below or sys.version_info[:2] < tuple(map(int, below.split("."))):
        return sys.executable
    names = (f"python3.{minor}" for minor in range(int(below.split(".")[1]) - 1, 10, -1))
    return next((found for name in names if (found := shutil.which(name)) and _works(found)), None)


def _works(python: str) -> bool:
    """A name on the path may be a shim for a version that is not there."""
    return subprocess.run([python, "-c", "import venv"], capture_output=True).returncode == 0


def source_digest() -> str:
    """The package's files, as an answer may depend on any of them."""
    digest = hashlib.sha256()
    for path in (*sorted((ROOT / "src").rglob("*")), ROOT / "scripts" / "compiled_wheel.py"):
        if path.is_file() and "__pycache__" not in path.parts and ".egg-info" not in str(path):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def surroundings(work: Path) -> dict[str, str]:
    """The environment variables of every scanner: a home and caches of its own, and nothing of the caller's Python."""
    home = work / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**kept, **QUIET, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "OMP_NUM_THREADS": "1"}
