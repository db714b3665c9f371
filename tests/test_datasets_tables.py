"""Any bytes with a dataset's name are read as far as possible, and what was not read is told."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets_world import CHECKS, dataset, describe, run
from shipworthy.checks.datasets._tables import Table
from shipworthy.model import Severity

FORMATS = ("x.csv", "x.tsv", "x.jsonl", "x.json", "x.parquet", "x.csv.gz", "x.tar", "x.tar.gz", "x.zip", "x.npy")


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_canary_fires(name: str, tmp_path: Path) -> None:
    canary = CHECKS[name].canary
    assert canary is not None
    for file, data in canary.files.items():
        found, _ = run(name, dataset(tmp_path, file, data() if callable(data) else data))
        assert canary.rule in {finding.rule.id for finding in found}


_pieces = st.sampled_from(
    [b"a,b\n", b'{"a":[1,{"b":"x"}]}\n', b"PAR1", b"\xff\xfea\0,\0", b'"', b"\r", b"\n", b"=cmd|x!A0", b"a@b.co", b",",
     b"\xe2\x80\x8b", b"\xed\xa0\x80", b'"\\ud800"', b"4111 1111 1111 1111", b"\x1f\x8b\x08\0", b"1e999", b"[", b"\0"]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FORMATS), st.lists(_pieces | st.binary(max_size=12), max_size=25), st.integers(1, 40))
def test_no_bytes_raise_out_of_a_check(tmp_path: Path, name: str, pieces: list[bytes], times: int) -> None:
    artifact = dataset(tmp_path, name, b"".join(pieces) * times)
    for check in CHECKS:
        found, skipped = run(check, artifact)
        for finding in found:
            # Whatever the bytes were, a report can be written as UTF-8 and holds one line for a message.
            (finding.message + finding.evidence).encode()
            assert finding.message.isprintable()
        for skip in skipped:
            assert skip.artifact is artifact
            assert str(tmp_path) not in skip.reason


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_rows_written_by_the_csv_module_come_back(tmp_path: Path, data: st.DataObject) -> None:
    width = data.draw(st.integers(2, 4))
    cell = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
    rows = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=8))
    delimiter = data.draw(st.sampled_from([("x.csv", ","), ("x.tsv", "\t")]))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter[1])
    writer.writerow([f"name{i}" for i in range(width)])
    writer.writerows(rows)
    table = Table(dataset(tmp_path, delimiter[0], out.getvalue().encode()))
    # The delimiter of .csv is guessed: rows that another sign splits as evenly may be read the other way.
    assume(delimiter[1] == "\t" or not any(sign in out.getvalue() for sign in ";\t|"))
    assert [list(row.values) for row in table] == rows
    assert table.columns == [f"name{i}" for i in range(width)]
    assert not table.unread


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.text("abc", min_size=1, max_size=3), st.none() | st.booleans() | st.integers() | st.text())
    )
)
def test_json_lines_come_back(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    artifact = dataset(tmp_path, "x.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    read = [dict(zip(row.names, row.values, strict=True)) for row in Table(artifact)]
    assert read == [row or {"": {}} for row in rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_are_recognised(tmp_path: Path, encoding: str) -> None:
    rows = [(f"żółw number {i}", i) for i in range(40)]
    text = "text,count\n" + "".join(f"{a},{b}\n" for a, b in rows)
    artifact = dataset(tmp_path, "x.csv", text.encode(encoding))
    assert [(row.values[0], row.values[1]) for row in Table(artifact)] == [(a, str(b)) for a, b in rows]
    assert not run("dataset-structure", artifact)[0]
    assert not run("dataset-hidden-text", artifact)[0], "a byte order mark is no hidden text"


def test_bytes_that_are_no_utf8_are_told_and_still_looked_at(tmp_path: Path) -> None:
    artifact = dataset(tmp_path, "x.csv", b"name,mail\nJos\xe9,jose@firma.io\nAnn,ann@firma.io\n")
    (finding,) = run("dataset-structure", artifact)[0]
    assert finding.rule.id == "dataset-malformed"
    assert finding.location.line == 2
    assert [f.field for f in (g.location for g in run("dataset-personal-data", artifact)[0])] == ["mail"]


def test_a_quote_that_is_never_closed_costs_one_record(tmp_path: Path) -> None:
    artifact = dataset(tmp_path, "x.csv", b'name,mail\n"Ann,ann@firma.io\nBob,bob@firma.io\nCat,cat@firma.io\n')
    table = Table(artifact)
    assert [row.values[0] for row in table] == ['"Ann', "Bob", "Cat"]
    assert "unbalanced-quote" in table.problems
    assert {f.message.split(" in ")[0] for f in run("dataset-structure", artifact)[0]} == {
        "a quote that is never closed"
    }


def test_limits_are_told_as_skipped_never_as_clean(tmp_path: Path) -> None:
    data = b"name,mail\n" + b"".join(b"n%d,a\n" % i for i in range(500)) + b"last,someone@firma.io\n"
    found, skipped = run("dataset-personal-data", dataset(tmp_path, "x.csv", data), max_rows=100)
    assert not found
    assert "first 100 rows" in skipped[0].reason
    big = b"name,mail\n" + b"x" * (2 * 1024 * 1024) + b",a\n" + b"last,someone@firma.io\n"
    found, skipped = run("dataset-personal-data", dataset(tmp_path, "y.csv", big))
    assert found, "the rows after an enormous line are still read"
    assert any("longer than" in skip.reason for skip in skipped)
    found, skipped = run("dataset-personal-data", dataset(tmp_path, "z.csv", big), max_megabytes=1)
    assert any("1 MiB" in skip.reason for skip in skipped)


def test_what_is_no_table_is_skipped_by_every_check(tmp_path: Path) -> None:
    for check in CHECKS:
        found, skipped = run(check, dataset(tmp_path, "x.npy", b"\x93NUMPY"))
        assert not found
        assert skipped, check


def test_a_broken_gzip_is_told(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n" + b"some words,2\n" * 5000)
    whole = dataset(tmp_path, "x.csv.gz", packed)
    assert describe(whole).rows == 5000
    _, skipped = run("dataset-structure", dataset(tmp_path, "y.csv.gz", packed[: len(packed) // 2]))
    assert any("compression is broken" in skip.reason for skip in skipped)


def test_parquet_is_read_like_the_others(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    rows = [{"text": f"words and {i} more", "nested": {"who": "ann@firma.io"}, "label": i % 2} for i in range(300)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    artifact = dataset(tmp_path, "x.parquet", path.read_bytes())
    facts = describe(artifact)
    assert (facts.rows, facts.label_column, facts.label_counts) == (300, "label", (("0", 150), ("1", 150)))
    assert [c.name for c in facts.columns] == ["text", "nested.who", "label"]
    assert run("dataset-personal-data", artifact)[0][0].location.field == "nested.who"
    cut = dataset(tmp_path, "cut.parquet", path.read_bytes()[:-20])
    found, skipped = run("dataset-structure", cut)
    assert found[0].rule.id == "dataset-malformed"
    assert skipped


def test_without_pyarrow_parquet_is_skipped_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    found, skipped = run("dataset-structure", dataset(tmp_path, "x.parquet", b"PAR1"))
    assert not found
    assert skipped[0].reason == "needs pyarrow: pip install pyarrow"


def test_many_constant_columns_are_one_finding(tmp_path: Path) -> None:
    names = [f"pixel{number}" for number in range(40)]
    rows = "".join(f"{number},text {number * number}" + ",0" * 40 + "\n" for number in range(50))
    found, _ = run("dataset-structure", dataset(tmp_path, "x.csv", f"id,note,{','.join(names)}\n{rows}".encode()))
    (constant,) = [f for f in found if f.rule.id == "dataset-constant-column"]
    assert constant.message.startswith("40 columns, such as pixel0, pixel1")


def test_the_structure_of_a_table_is_judged_once_per_problem(tmp_path: Path) -> None:
    rows = "".join(f"{i},{20 + i % 60},yes,text number {i} {i * i}\n" for i in range(200))
    data = f"id,age,ok,note\n{rows}200,unknown,yes,x\n201,44\n5,25,yes,text number 5 25\n".encode()
    found, skipped = run("dataset-structure", dataset(tmp_path, "x.csv", data))
    assert {f.rule.id for f in found} == {
        "dataset-malformed",
        "dataset-mixed-types",
        "dataset-constant-column",
        "dataset-duplicate-rows",
    }
    mixed = next(f for f in found if f.rule.id == "dataset-mixed-types")
    assert (mixed.location.field, mixed.location.row) == ("age", 201)
    assert not skipped
    assert run("dataset-structure", dataset(tmp_path, "e.csv", b""))[0][0].rule.id == "dataset-empty"
    twice = run("dataset-structure", dataset(tmp_path, "t.csv", b"a,b,a\nx,y,z\n"))[0]
    assert [(f.rule.id, f.severity) for f in twice] == [("dataset-header", Severity.MEDIUM)]
    assert run("dataset-structure", dataset(tmp_path, "n.csv", b"1,2.5\n3,4.5\n"))[0][0].rule.id == "dataset-header"


def test_a_flood_of_near_copies_is_told_and_ordinary_text_is_not(tmp_path: Path) -> None:
    import random

    chance = random.Random(3)
    words = [f"w{i}" for i in range(400)]
    plain = [" ".join(chance.choices(words, k=20)) for _ in range(1500)]
    copies = []
    for _ in range(60):
        text = plain[0].split()
        text[chance.randrange(20)] = chance.choice(words)
        copies.append(" ".join(text))
    clean = dataset(tmp_path, "clean.csv", ("text,n\n" + "".join(f"{t},{i}\n" for i, t in enumerate(plain))).encode())
    assert not run("dataset-structure", clean)[0]
    mixed = [*plain, *copies]
    chance.shuffle(mixed)
    flooded = dataset(tmp_path, "flood.csv", ("text,n\n" + "".join(f"{t},{i}\n" for i, t in enumerate(mixed))).encode())
    (finding,) = run("dataset-structure", flooded)[0]
    assert finding.rule.id == "dataset-near-duplicates"
    assert 55 <= int(finding.message.split()[0]) <= 61


def test_facts_name_columns_types_missing_values_and_labels(tmp_path: Path) -> None:
    facts = describe(dataset(tmp_path, "x.csv", b"id,text,label\n1,good day,a\n2,,b\n3,bad day,a\n"))
    assert (facts.format, facts.encoding, facts.rows, facts.label_column) == ("csv", "utf-8", 3, "label")
    assert facts.label_counts == (("a", 2), ("b", 1))
    assert [(c.name, c.type, c.missing, c.distinct) for c in facts.columns] == [
        ("id", "number", 0, 3),
        ("text", "text", 1, 2),
        ("label", "text", 0, 2),
    ]


def test_facts_do_not_carry_the_data_itself(tmp_path: Path) -> None:
    rows = b"".join(b"person%d@firma.io,%d\n" % (i % 3, i) for i in range(12))
    facts = describe(dataset(tmp_path, "x.csv", b"label,AKIAIOSFODNN7EXAMPLEKEY,measured_at_2019_10_average\n" + rows))
    assert facts.label_counts == (("[address]", 12),)
    assert [c.name for c in facts.columns] == ["label", "[key]", "measured_at_2019_10_average"]
    scores = b"".join(b"0.%03d\n" % i for i in range(101))
    regression = describe(dataset(tmp_path, "y.csv", b"target\n" + scores))
    assert (regression.label_column, regression.label_counts) == ("target", ())
    wide = ",".join(f"c{i}" for i in range(500)).encode()
    assert (lambda found: (found.width, len(found.columns)))(describe(dataset(tmp_path, "z.csv", wide))) == (500, 200)
