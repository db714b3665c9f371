"""Secrets in the cells of datasets."""

from __future__ import annotations

import gzip
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import secrets_material as make
from secrets_material import compiled_rules  # noqa: F401
from shipworthy.checks.secrets import _cells, datasets
from shipworthy.model import Kind

CHECK = datasets.run.check


def test_findings_are_gathered_by_column_and_name_their_rows(tmp_path: Path) -> None:
    token, other, word = make.hugging_face(1), make.slack(2), make.password()
    table = f'id,note,extra\r\n1,"two\r\nlines with {token}",x\r\n2,x,y\r\n3,{token},{other}\r\n'
    contents = {
        "a.csv": table,
        "a.tsv": table.replace(",", "\t"),
        "a.csv.gz": gzip.compress(table.encode()),
        "b.jsonl": f'{{"a": {{"b": ["x", "{token}"]}}}}\n\n{{"password": "{word}"}}\nno json {other}\n',
        "logins.csv": f"user;password;token_type\nann;{word};bearer12345678901\nbob;;x\ncid;changeme1;x\n",
        "clean.csv": "a,b\n1,2\n",
    }
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, contents, Kind.DATASET), tmp_path)
    assert not skipped
    seen = {(f.artifact.uri, f.rule.id, f.location.field, f.location.row) for f in findings}
    for name in ("a.csv", "a.tsv", "a.csv.gz"):
        assert {(name, "secret-token", "note", 1), (name, "secret-token", "extra", 3)} <= seen
    assert ("b.jsonl", "secret-token", "a.b[]", 1) in seen
    assert ("b.jsonl", "secret-password", "password", 3) in seen
    assert ("b.jsonl", "secret-token", None, 4) in seen
    assert ("logins.csv", "secret-password", "password", 1) in seen
    assert len(findings) == 10
    assert "in 2 rows (1, 3)" in next(f.message for f in findings if f.location.field == "note")
    assert not any(make.shows(f, secret) for f in findings for secret in (token, other, word))


def test_a_table_without_header_shows_none_of_its_cells(tmp_path: Path) -> None:
    token, word = make.hugging_face(1), make.password()
    contents = {
        "a.csv": f"1,{token},{word}\n2,{make.hugging_face(2)},x\n",
        "b.jsonl": f'{{"{token}": {{"x": "{make.slack()}"}}}}\n',
    }
    findings, _ = make.run(CHECK, make.lay_out(tmp_path, contents, Kind.DATASET), tmp_path)
    assert {f.artifact.uri for f in findings} == {"a.csv", "b.jsonl"}
    assert not any(make.shows(f, secret) for f in findings for secret in (token, word))


def test_what_was_not_searched_is_named(tmp_path: Path) -> None:
    late = "a\n" + "x\n" * 1000 + make.slack() + "\n"
    contents: dict[str, str | bytes] = {
        "a.parquet": b"PAR1",
        "long.csv": late,
        "bad.csv.gz": b"no gzip",
        "cut.csv.gz": gzip.compress(late.encode())[:-20],
        "bomb.csv.gz": gzip.compress(b"0" * 3_000_000),
    }
    artifacts = make.lay_out(tmp_path, contents, Kind.DATASET)
    findings, skipped = make.run(CHECK, artifacts, tmp_path, **{"max-bytes": 1000})
    assert findings == []
    assert {skip.artifact.uri for skip in skipped if skip.artifact} == set(contents)
    assert "parquet" in next(s.reason for s in skipped if s.artifact and s.artifact.uri == "a.parquet")


@given(st.binary(max_size=300), st.sampled_from([".csv", ".tsv", ".jsonl"]))
def test_any_bytes_give_rows_whose_lines_go_up(data: bytes, suffix: str) -> None:
    last = 0
    for row in _cells.rows(data, suffix):
        assert last < row.first <= row.last
        last = row.last
    list(_cells.named(data, ".csv"))


def test_the_known_bad_sample_is_seen(tmp_path: Path) -> None:
    assert CHECK.canary
    assert CHECK.canary.rule in make.fire(CHECK, tmp_path)
