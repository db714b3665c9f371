"""Fetch the wheels of a requirements file into a build's context, so that RUN needs no network."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.tools.command import ToolFailed, run


@dataclass(frozen=True)
class Wheels:
    """Wheels that were fetched: `folder`, and the SHA-256 of each by its file name."""

    folder: Path
    digests: Mapping[str, str] = field(default_factory=dict)


def fetch(
    requirements: Path,
    folder: Path,
    *,
    python: str = "",
    platforms: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    seconds: float = 600.0,
) -> Wheels:
    """Download the wheels for every line of `requirements`, which must pin hashes, into `folder` (new or empty).

    `python` is the version they are for, such as "3.11" (default: this one); `platforms` their platform tags (default:
    this machine's). Nothing is built or run: wheels only. `env` is added to pip's environment, for an index. Raises
    UsageError when hashes are missing or do not fit or there is no wheel, EnvironmentFailure when the index cannot be
    reached.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError("the folder is not empty", where=str(folder), remedy="name a new one")
    folder.mkdir(parents=True, exist_ok=True)
    line = [sys.executable, "-P", "-m", "pip", "download", "--require-hashes", "--only-binary=:all:", "--no-deps"]
    line += ["--disable-pip-version-check", "--no-input", "--no-cache-dir", "--progress-bar", "off", "-q"]
    line += ["--dest", str(folder), "-r", str(requirements.resolve())]
    if python:
        line += ["--python-version", python, "--implementation", "cp"]
    for one in platforms:
        line += ["--platform", one]
    try:
        done = run(line, timeout=seconds, name="pip", env=_index(env))
    except ToolFailed as failure:
        raise EnvironmentFailure(f"pip: {failure.reason}", remedy="check the connection to the package index") from None
    if done.returncode != 0:
        raise _refusal(done.stderr, requirements)
    found = sorted(folder.glob("*.whl"))
    return Wheels(folder, {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in found})


def _index(env: Mapping[str, str] | None) -> dict[str, str]:
    """The settings of pip of this user: which index to use, and its certificates."""
    import os

    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    if "PIP_CONFIG_FILE" not in kept:
        home = Path(os.environ.get("HOME", "/"))
        for place in (home / ".config/pip/pip.conf", home / ".pip/pip.conf"):
            if place.is_file():
                kept["PIP_CONFIG_FILE"] = str(place)
    return {**kept, **(env or {})}


def _refusal(said: str, requirements: Path) -> Exception:
    lines = [line for line in said.splitlines() if line.startswith(("ERROR", "    "))] or said.splitlines()
    text = " ".join(" ".join(lines[-6:]).split())[:600]
    if "--require-hashes" in said or "DO NOT MATCH" in said:
        return UsageError(f"hashes are missing or do not fit: {text}", where=str(requirements), remedy="pin all hashes")
    # "none" is what pip says too when it could not ask
    if "No matching distribution" in said and "from versions: none" not in said:
        return UsageError(f"there is no wheel: {text}", where=str(requirements), remedy="choose versions with wheels")
    return EnvironmentFailure(f"the wheels cannot be fetched: {text}", where=str(requirements), remedy="see the index")
