"""Attacks that the makers of other scanners publish with their tests, at the commits of published.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from environments import HERE
from judge import Case, case

FOLDERS = {"tensorflow"}  # formats that are folders: what lies beside a file belongs to it


def checkout(name: str, repository: str, commit: str, work: Path, given: Path | None) -> Path | None:
    """The repository at that commit: from `given`, a folder of clones named as here, or from its address."""
    place = work / "published" / name
    if not (place / ".git").exists():
        source = str(given / name) if given else repository
        shutil.rmtree(place, ignore_errors=True)
        done = subprocess.run(["git", "clone", "-q", "--no-checkout", source, str(place)], capture_output=True)
        if done.returncode:
            print(f"{name}: {repository} can't be had: {done.stderr.decode()[-200:]}", file=sys.stderr)
            return None
    found = subprocess.run(["git", "-C", str(place), "checkout", "-q", commit, "--", "tests"], capture_output=True)
    if found.returncode:
        print(f"{name}: {found.stderr.decode()[-200:]}", file=sys.stderr)
        return None
    return place


def cases(work: Path, given: Path | None) -> Iterator[tuple[str, Case]]:
    """`attacks` or `honest`, and the file. Raises SystemExit for a glob that matches nothing."""
    for name, row in tomllib.loads((HERE / "published.toml").read_text("utf-8")).items():
        place = checkout(name, row["repository"], row["commit"], work, given)
        if place is None:
            continue
        left_out = {path for glob in row.get("left_out", ()) for path in place.glob(glob)}
        seen: set[Path] = set()
        for kind in ("attacks", "honest"):
            for glob in row[kind]:
                paths = [path for path in sorted(place.glob(glob)) if path.is_file() and path.suffix != ".md"]
                if not paths:
                    sys.exit(f"{name}: {glob} matches nothing at {row['commit']}")
                for path in paths:
                    if path not in seen | left_out:
                        seen.add(path)
                        beside = path.parent.iterdir() if FOLDERS & set(path.parts) else ()
                        yield kind, case(path, name, (item for item in beside if item.is_file() and item != path))
