"""Each row of the table of formats has honest files by the real writer and hostile ones, which end as they should."""

from __future__ import annotations

import re

import pytest

from format_rows import HOSTILE, MODELS, ROWS, honest, hostile
from shipworthy.modelfile import FORMATS, View, scan, scan_view

NAMES = [(name, file) for name, row in ROWS.items() for file in row.honest]
ATTACKS = [(name, unit) for name, row in ROWS.items() for unit in row.hostile]


def test_each_row_has_files_or_says_why_not() -> None:
    assert list(ROWS) == list(FORMATS)
    for name, row in ROWS.items():
        assert bool(row.honest) != bool(row.without), name
        assert bool(row.honest) == bool(re.search(r"\d", row.writer)), name
        assert row.hostile or name == "text", name
        assert (row.ends == "clean") == FORMATS[name].clean or not row.honest, name
    assert set(HOSTILE) <= {unit for _, unit in ATTACKS}


@pytest.mark.parametrize(("name", "file"), NAMES)
def test_the_honest_file_of_a_row_ends_as_its_format_can(name: str, file: str) -> None:
    report = scan(honest(file))
    assert (report.format, report.verdict) == (name, ROWS[name].ends), (report.issues, report.unknowns)


@pytest.mark.parametrize(("name", "unit"), ATTACKS)
def test_the_hostile_file_of_a_row_is_found(name: str, unit: str) -> None:
    data, path = hostile(unit)
    report = scan_view(View.of(data), path=path)
    assert report.format == name
    assert report.verdict == "finding", report.unknowns


@pytest.mark.parametrize("name", ["encrypted", "encrypted-columns"])
def test_encrypted_parquet_is_said_to_be_unread(name: str) -> None:
    report = scan(MODELS / "rows" / f"{name}.parquet")
    assert (report.format, report.verdict, report.issues) == ("parquet", "unknown", ())
    assert "encrypted" in report.unknowns[0]


def test_the_samples_are_small() -> None:
    sizes = [path.stat().st_size for path in (MODELS / "rows").iterdir()]
    assert max(sizes) < 50_000
    assert sum(sizes) < 400_000
