"""How many honest model files are flagged: `python benchmarks/modelfile/honest.py FOLDER [--held] [--causes]`.

FOLDER holds the environments' folders that `scripts/honest_corpus.py` made. Without `--held` only the files are read
that may be looked at while tuning; with it, only the others: measure them once, after the table is frozen, and print
their causes only then. Files with the same content are read once.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path

from shipworthy.modelfile import Report, scan

# What is refused on purpose, whoever wrote it: such a file carries code, a second pickle, or a name to be looked up.
ON_PURPOSE = re.compile(
    r"cloudpickle|numba\.core|operator:(attrgetter|methodcaller)|regex\._regex:compile|spacy\.\w+:unpickle_|"
    r"skorch\.|runs text from the state|from another file beside"
)


def kind_of(report: Report) -> str:
    """`high`, `medium`, a lower severity, or the verdict."""
    worst = report.worst
    return "high" if worst in ("high", "critical") else str(worst) if worst else report.verdict.value


def main() -> None:
    """Command line."""
    held = "--held" in sys.argv
    counts: Counter[str] = Counter()
    libraries: dict[str, Counter[str]] = {}
    causes: dict[str, set[str]] = {}
    families: set[str] = set()
    seen: set[bytes] = set()
    for manifest in sorted(Path(sys.argv[1]).glob("*/manifest.jsonl")):
        for line in manifest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            path = manifest.parent / row["file"]
            digest = hashlib.sha256(path.read_bytes()).digest()
            if row["held"] != held or digest in seen:
                continue
            seen.add(digest)
            report = scan(path)
            families.add(row["family"])
            kind = kind_of(report)
            bad = [issue for issue in report.issues if issue.severity in ("high", "critical", "medium")]
            if any(ON_PURPOSE.search(issue.message) for issue in bad):
                kind += " on purpose"
            found = libraries.setdefault(re.split(r"[.-]", row["family"])[0], Counter())
            for key in ("files", kind):
                counts[key] += 1
                found[key] += 1
            for cause in (issue.message for issue in bad) if bad else report.unknowns[:1]:
                causes.setdefault(f"{kind}: {cause[:160]}", set()).add(f"{row['environment']}/{row['family']}")
    print(dict(counts), f"{len(families)} families")
    for library, found in sorted(libraries.items()):
        print(f"  {library}: {dict(found)}")
    if "--causes" in sys.argv:
        for cause, where in sorted(causes.items(), key=lambda item: -len(item[1])):
            print(len(where), cause, "|", ", ".join(sorted(where)[:3]))


if __name__ == "__main__":
    main()
