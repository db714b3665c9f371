"""The findings that were there before: fingerprints in a file, for gates with `only-new`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from shipworthy.errors import UsageError
from shipworthy.files import open_plain, write_atomically
from shipworthy.model import Disposition, Finding

FILE_NAME = "shipworthy-baseline.json"
_LIMIT = 64 * 1024 * 1024


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints; none when there is no file. Raises UsageError when the file is not a baseline."""
    if not path.exists():
        return frozenset()
    try:
        with open_plain(path) as stream:
            raw = stream.read(_LIMIT + 1)
        if len(raw) > _LIMIT:
            raise UsageError("the baseline is larger than 64 MiB", where=str(path))
        data = json.loads(raw)
        known = data["fingerprints"]
        if data["schema"] != "1" or not all(isinstance(k, str) and re.fullmatch(r"[0-9a-f]{32}", k) for k in known):
            raise ValueError("unknown schema or fingerprints")
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise UsageError(
            f"not a baseline: {error}", where=str(path), remedy="make it anew: `shipworthy scan --write-baseline`"
        ) from None
    return frozenset(known)


def write_baseline(path: Path, findings: Iterable[Finding]) -> int:
    """Write the fingerprints of all that is not waived, each with its rule and place for the reader of a diff; returns
    how many."""
    rows = {f.fingerprint: f"{f.rule.id} {f.artifact.uri}" for f in findings if f.disposition is not Disposition.WAIVED}
    ordered = dict(sorted(rows.items(), key=lambda pair: (pair[1], pair[0])))
    write_atomically(path, json.dumps({"schema": "1", "fingerprints": ordered}, indent=1).encode() + b"\n")
    return len(rows)
