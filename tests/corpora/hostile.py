"""Hostile model files, generated: `units()` yields every attack with the rules that are right for it.

    PYTHONPATH=tests python -m corpora.hostile            # found, unknown, clean by family, and what was missed
    PYTHONPATH=tests python -m corpora.hostile FOLDER     # writes them, one folder each, with manifest.json

Nothing here is ever loaded; the commands inside only echo a word or name files that are not there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from corpora.hostile_compressed import compressed, numpy
from corpora.hostile_containers import archives, disguised, programs
from corpora.hostile_graphs import mobile, onnx_models, openvino, tensorflow
from corpora.hostile_keras import hdf, keras
from corpora.hostile_machine import nested, pickles
from corpora.hostile_pickles import calls
from corpora.hostile_tables import boosters, columns, polyglots, r_data, skops, xmls
from corpora.hostile_texts import folders, ggufs, safe, templates
from corpora.hostile_torch import exported, scripts, torch_archives
from corpora.units import Unit
from shipworthy.modelfile import Report, Verdict, scan

SOURCES = (
    *(calls, pickles, nested, disguised, compressed, numpy, torch_archives, scripts, exported, archives, programs),
    *(keras, hdf, tensorflow, onnx_models, mobile, openvino),
    *(templates, ggufs, safe, folders, skops, xmls, boosters, r_data, columns, polyglots),
)


def units() -> Iterator[Unit]:
    """All attacks; the ids are unique."""
    for source in SOURCES:
        yield from source()


@cache
def families() -> dict[str, tuple[Unit, ...]]:
    """The attacks by family."""
    found: dict[str, list[Unit]] = {}
    for item in units():
        found.setdefault(item.family, []).append(item)
    return {family: tuple(items) for family, items in found.items()}


def write(item: Unit, folder: Path) -> Path:
    """Write a unit; the path of its hostile file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, raw in item.files.items():
        (folder / name).write_bytes(raw)
    return folder / next(iter(item.files))


def outcome(item: Unit, report: Report) -> str:
    """`right` for a finding of an acceptable rule, `other rule` for another finding, else the verdict."""
    if report.verdict is not Verdict.FINDING:
        return str(report.verdict)
    return "right" if item.codes & {issue.code for issue in report.issues} else "other rule"


def measure() -> tuple[dict[str, Counter[str]], list[tuple[Unit, Report, str]]]:
    """Scan everything: how often each outcome was seen by family, and what was not found by the right rule."""
    totals: dict[str, Counter[str]] = {}
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        for number, item in enumerate(units()):
            report = scan(write(item, Path(folder) / str(number)))
            result = outcome(item, report)
            totals.setdefault(item.family, Counter())[result] += 1
            if result != "right":
                missed.append((item, report, result))
    return totals, missed


def main(arguments: list[str]) -> None:
    if arguments:
        rows = []
        for number, item in enumerate(units()):
            path = write(item, Path(arguments[0]) / f"{number:04d}")
            rows.append({"id": item.id, "family": item.family, "path": str(path), "structural": item.structural})
        (Path(arguments[0]) / "manifest.json").write_text(json.dumps(rows, indent=1))
        return
    totals, missed = measure()
    for family, counts in totals.items():
        print(f"{family}: {sum(counts.values())} of which {dict(counts)}")
    print("all:", dict(sum(totals.values(), Counter())))
    for item, report, result in missed:
        print(
            result, item.id, report.format, [(i.code.value, i.severity) for i in report.issues][:4], report.unknowns[:2]
        )


if __name__ == "__main__":
    main(sys.argv[1:])
