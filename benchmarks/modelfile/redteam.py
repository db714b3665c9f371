"""The generated attacks on the name policy, all of them: `python benchmarks/modelfile/redteam.py [SITE-PACKAGES...]`.

1. Every allowed name with hostile arguments, states, items, keys and looked-up attributes, in every way of calling.
   What is accepted is counted, and listed with `--accepted FILE`: `prove.py` then really loads it, in a sandbox.
   `--part K/N`: only each Nth name, from the Kth on; the whole takes half an hour of one core.
2. 10,000 random callables outside of the table, from the source of the packages given (default: this Python's own).
"""

from __future__ import annotations

import sys
import sysconfig
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from corpora import redteam, redteam_loads
from shipworthy.modelfile import scan_bytes


def main() -> None:
    """Command line."""
    counts: dict[str, Counter[str]] = {}
    lines = []
    part = sys.argv[sys.argv.index("--part") + 1] if "--part" in sys.argv else "0/1"
    first, every = map(int, part.split("/"))
    for module, qualname, kind in sorted(redteam.allowed())[first::every]:
        refused, accepted = set(), set()
        count = counts.setdefault(str(kind.value), Counter())
        count["names"] += 1
        for label, raw in redteam.attacks(module, qualname, kind):
            found = scan_bytes(raw).worst in ("high", "critical")
            (refused if found else accepted).add(label)
            count[f"{_group(label)} {'found' if found else 'accepted'}"] += 1
        if accepted - refused:
            lines.append(f"{module}\t{qualname}\t{kind.value}\t{'|'.join(sorted(refused))}")
    for kind_name, count in counts.items():
        print(kind_name, dict(sorted(count.items())))
    if "--accepted" in sys.argv:
        Path(sys.argv[sys.argv.index("--accepted") + 1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if first:  # the second measurement once only
        return
    roots = [Path(item) for item in sys.argv[1:] if Path(item).is_dir()]
    roots = roots or [Path(sysconfig.get_paths()[key]) for key in ("stdlib", "purelib")]
    outside: Counter[str] = Counter()
    for index, (module, qualname) in enumerate(redteam.callables(roots, 10_000)):
        way = redteam_loads.WAYS[index % len(redteam_loads.WAYS)]
        body = redteam_loads.called(module, qualname, way, redteam_loads.ARGUMENTS["a path"])
        found = scan_bytes(redteam_loads.stream(body)).worst in ("high", "critical")
        outside["found" if found else "missed"] += 1
        if not found:
            print("missed:", way, module, qualname)
    print("random callables outside of the table:", dict(outside))


def _group(label: str) -> str:
    """What is counted together."""
    head, _, tail = label.partition(": ")
    if head not in (*redteam_loads.WAYS, "keyword", "keywords"):
        return "states and items"
    return "functions" if tail in redteam_loads.CALLABLES else "values"


if __name__ == "__main__":
    main()
