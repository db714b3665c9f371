"""How many honest model folders are stopped, by the library and by the command.

    python benchmarks/modelfile/honest_folders.py read FOLDER ENVIRONMENT... > ROWS
    python benchmarks/modelfile/honest_folders.py tell ROWS...

FOLDER holds what tests/corpora/honest_sixth.py writes: ENVIRONMENT/KIND/files. Each file is read by the library, and
each kind's folder by the command, `shipworthy scan KIND --check models`, with the default gate. `tell` counts files
with the same content once, and prints figures by format and by group of kinds, and the causes.
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


def commanded(folder: Path) -> tuple[int, list[str]]:
    """Exit code, and what was found or not looked at."""
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stderr(io.StringIO()):
        out = Path(place, "out.json")
        options = ["--check", "models", "--no-cache", "--format", "json", "--output", str(out), "-q"]
        code = command(["scan", str(folder), *options])
        told = json.loads(out.read_text(encoding="utf-8"))
    causes = [f"{row.get('severity')} {row.get('rule')}: {str(row.get('message'))[:200]}" for row in told["findings"]]
    left = [
        f"{row['outcome']}: {row['uri']}" for row in told["artifacts"] if row["outcome"] not in ("clean", "finding")
    ]
    return code, causes + left


def read(folder: Path) -> None:
    """One line of JSON for each file, one for each folder."""
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = f"{folder.name}/{kind.name}"
        files = sorted(path for path in kind.rglob("*") if path.is_file())
        for path in files:
            report = scan(path)
            bad = [issue.message[:200] for issue in report.issues if issue.severity in ("high", "critical", "medium")]
            verdict = kind_of(report) + " on purpose" * any(ON_PURPOSE.search(message) for message in bad)
            row: dict[str, Any] = {"digest": hashlib.sha256(path.read_bytes()).hexdigest(), "format": report.format}
            row.update(where=f"{name}/{path.relative_to(kind)}", verdict=verdict, causes=bad)
            if verdict == "unknown":
                row["causes"] = [text[:200] for text in report.unknowns[:1]]
            print(json.dumps(row))
        if not files:  # a kind that this environment could not write
            continue
        code, causes = commanded(kind)
        print(json.dumps({"where": name, "code": code, "causes": causes if code else []}), flush=True)


def tell(rows: list[dict[str, Any]]) -> None:
    """The figures."""
    counts: Counter[str] = Counter()
    tables: dict[str, Counter[str]] = {}
    causes: dict[str, list[str]] = {}
    seen: set[str] = set()
    for row in rows:
        folder = "code" in row
        if not folder and (row["digest"] in seen or seen.add(row["digest"])):  # type: ignore[func-returns-value]
            continue
        label = "group " + row["where"].split("/")[1].split(".")[0] if folder else "format " + row["format"]
        keys = ("folders", f"exit {row['code']}") if folder else ("files", row["verdict"])
        for key in keys:
            counts[key] += 1
            tables.setdefault(label, Counter())[key] += 1
        for cause in row["causes"]:
            causes.setdefault(f"{label if not folder else 'command'}, {keys[1]}: {cause}", []).append(row["where"])
    print(dict(counts))
    for label, found in sorted(tables.items()):
        print(label, dict(found))
    for cause, where in sorted(causes.items(), key=lambda item: -len(item[1])):
        print(len(where), cause, "|", ", ".join(where[:3]))


def main() -> None:
    """Command line."""
    if sys.argv[1] == "read":
        for name in sys.argv[3:]:
            read(Path(sys.argv[2], name))
    else:
        lines = [line for path in sys.argv[2:] for line in Path(path).read_text(encoding="utf-8").splitlines()]
        tell([json.loads(line) for line in lines])


if __name__ == "__main__":
    main()
