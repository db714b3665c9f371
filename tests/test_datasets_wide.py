"""Wide tables of numbers: what is passed over quickly is what cannot be anything, and nothing else."""

from __future__ import annotations

from pathlib import Path

from shipworthy.check import Context, registry
from shipworthy.checks.datasets import _columns, _facts, _personal
from shipworthy.checks.datasets._columns import Sample
from shipworthy.checks.datasets._tables import LIMITS, open_table
from shipworthy.model import Artifact, Finding, Kind

WIDTH = 60


def table(folder: Path, odd: dict[tuple[int, int], str], rows: int = 40) -> Artifact:
    lines = [",".join(f"p{column}" for column in range(WIDTH))]
    for row in range(1, rows + 1):
        lines.append(",".join(odd.get((row, column), str((row * column) % 256)) for column in range(WIDTH)))
    path = folder / "pixels.csv"
    path.write_text("\n".join(lines) + "\n")
    return Artifact("pixels.csv", Kind.DATASET, "sha256:" + "0" * 64, path.stat().st_size, "text/csv", path=path)


def found(name: str, artifact: Artifact) -> list[tuple[str, int | None]]:
    check = registry()[name]
    said = check.call(artifact, Context(artifact.path.parent, dict(check.options)))  # type: ignore[union-attr]
    return [(one.rule.id, one.location.row) for one in said if isinstance(one, Finding)]


def test_one_cell_among_thousands_of_numbers_is_still_seen(tmp_path: Path) -> None:
    odd = {(7, 3): "a@b.co", (9, 4): "4532015112830366", (11, 5): "=A1", (13, 6): " =1+1", (15, 7): "x"}
    wide = table(tmp_path, odd)
    assert sorted(found("dataset-personal-data", wide)) == [
        ("dataset-personal-data", 7),
        ("dataset-sensitive-numbers", 9),
    ]
    assert sorted(found("dataset-formula", wide)) == [("dataset-formula", 11), ("dataset-formula", 13)]
    assert ("dataset-mixed-types", 15) in found("dataset-structure", wide)


def test_no_short_text_and_no_number_of_seven_digits_is_personal_data() -> None:
    for text in ("1", "255", "9999999", "1234567", "@a.b", "1:2:3", "1.2.3", "-1.50"):
        assert _personal.personal_data(text, "phone ssn passport") == ([], 0)


def test_cells_that_come_again_are_counted_like_the_first(tmp_path: Path) -> None:
    wide = table(tmp_path, {(30, 2): "", (31, 2): "na", (32, 2): "word"}, rows=300)
    rows, census = open_table(wide, LIMITS), _facts.Census()
    for row in rows:
        census.add(row)
    counts = census.columns["p2"]
    assert counts.known
    assert (counts.cells, counts.missing, counts.types["number"], counts.types["text"]) == (300, 2, 297, 1)
    assert counts.rows_of_type["text"] == [32]
    assert len(counts.values) == len({(row * 2) % 256 for row in range(1, 301) if row not in (30, 31, 32)}) + 1
    sample = Sample(1000).fill(open_table(wide, LIMITS))
    assert sample.cells[31]["p2"] == "word"
    assert sample.chars == sum(len(str(value)) for cells in sample.cells for value in cells.values())
    assert _columns.text_columns(sample, list(sample.cells[0]), "") == []
