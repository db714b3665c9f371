"""How many honest model files are flagged: `python benchmarks/modelfile/honest.py FOLDER [--held]`.

FOLDER holds the environments' folders that `scripts/honest_corpus.py` made. Without `--held` only the files are read
that may be looked at while tuning; with it, only the others, and of them nothing is printed but the counts.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from shipworthy.modelfile import scan


def main() -> None:
    """Command line."""
    held = "--held" in sys.argv
    counts: Counter[str] = Counter()
    causes: dict[str, Counter[str]] = {"high": Counter(), "medium": Counter(), "unknown": Counter()}
    families: set[str] = set()
    for manifest in sorted(Path(sys.argv[1]).glob("*/manifest.jsonl")):
        for line in manifest.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["held"] != held:
                continue
            report = scan(manifest.parent / row["file"])
            families.add(row["family"])
            worst = report.worst
            kind = "high" if worst in ("high", "critical") else str(worst) if worst else report.verdict.value
            counts["files"] += 1
            counts[kind] += 1
            for issue in report.issues:
                if issue.severity in ("high", "critical", "medium"):
                    key = "high" if issue.severity != "medium" else "medium"
                    causes[key][
                        f"{issue.message[:150]} {issue.arguments[:60]} [{row['environment']} {row['family']}]"
                    ] += 1
            if kind == "unknown":
                causes["unknown"][f"{report.unknowns[0][:100]} [{row['environment']} {row['family']}]"] += 1
    print(dict(counts), f"{len(families)} families")
    if not held:
        for kind, found in causes.items():
            for cause, number in sorted(found.items()):
                print(kind, number, cause)


if __name__ == "__main__":
    main()
