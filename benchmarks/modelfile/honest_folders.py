"""How many honest model folders are stopped: `python benchmarks/modelfile/honest_folders.py FOLDER`.

FOLDER holds what tests/corpora/honest_sixth.py writes: ENVIRONMENT/KIND/files. Each file is read by the library, and
each kind's folder by the command, `shipworthy scan KIND --check models`, with the default gate. Files with the same
content count once. Prints figures by format, by group of kinds, and the causes.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from honest import ON_PURPOSE, kind_of

from shipworthy.cli import main as command
from shipworthy.modelfile import scan


def commanded(folder: Path) -> tuple[int, list[dict[str, Any]], list[str]]:
    """Exit code, findings, and what was not looked at."""
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        out = Path(place, "out.json")
        options = ["--check", "models", "--no-cache", "--format", "json", "--output", str(out), "-q"]
        code = command(["scan", str(folder), *options])
        told = json.loads(out.read_text(encoding="utf-8"))
    left = [
        f"{row['uri']}: {row['outcome']}" for row in told["artifacts"] if row["outcome"] not in ("clean", "finding")
    ]
    return code, told["findings"], left


def main() -> None:
    """Command line."""
    counts: Counter[str] = Counter()
    formats: dict[str, Counter[str]] = {}
    groups: dict[str, Counter[str]] = {}
    causes: dict[str, list[str]] = {}
    seen: set[bytes] = set()
    for folder in sorted(path for path in Path(sys.argv[1]).glob("*/*") if path.is_dir()):
        name = f"{folder.parent.name}/{folder.name}"
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if digest in seen:
                continue
            seen.add(digest)
            report = scan(path)
            bad = [issue for issue in report.issues if issue.severity in ("high", "critical", "medium")]
            kind = kind_of(report) + " on purpose" * any(ON_PURPOSE.search(issue.message) for issue in bad)
            found = formats.setdefault(report.format, Counter())
            for key in ("files", kind):
                counts[key] += 1
                found[key] += 1
            why = [issue.message for issue in bad] or (report.unknowns[:1] if kind == "unknown" else ())
            for cause in why:
                causes.setdefault(f"library, {report.format}, {kind}: {cause[:200]}", []).append(f"{name}/{path.name}")
        code, findings, left = commanded(folder)
        group = groups.setdefault(folder.name.split(".")[0], Counter())
        for key in ("folders", f"exit {code}"):
            counts[key] += 1
            group[key] += 1
        if code:
            for finding in findings:
                told = f"{finding.get('severity')} {finding.get('rule')}: {str(finding.get('message'))[:200]}"
                causes.setdefault(f"command, {told}", []).append(name)
            for line in left:
                causes.setdefault(f"command, left: {line}", []).append(name)
    print(dict(counts))
    for title, table in (("format", formats), ("group", groups)):
        for label, found in sorted(table.items()):
            if set(found) - {"files", "clean", "low", "info", "folders", "exit 0"}:
                print(title, label, dict(found))
    print({label: found["files"] for label, found in sorted(formats.items())})
    for cause, where in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(len(where), cause, "|", ", ".join(where[:3]))


if __name__ == "__main__":
    main()
