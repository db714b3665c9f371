"""Secrets in the sources and outputs of notebooks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import secrets_material as make
from secrets_material import compiled_rules  # noqa: F401
from shipworthy.checks.notebooks import secrets
from shipworthy.model import Kind
from test_notebooks_structure import code, notebook, shown

CHECK = secrets.run.check


def test_each_part_of_a_cell_is_looked_at(tmp_path: Path) -> None:
    tokens = [make.hugging_face(seed) for seed in range(9)]
    aws = make.chars(3, 40)
    cells = [
        code(["import x\n", f'aws_secret_access_key = "{aws}"\n', f'login("{tokens[0]}")']),
        code(outputs=[{"output_type": "stream", "name": "stdout", "text": ["one\n", f"token={tokens[1]}\n"]}]),
        code(outputs=[shown("text/html", f"<td>{tokens[2]}</td>")]),
        code(outputs=[{"output_type": "error", "traceback": ["Error", f"\x1b[1;32m{tokens[3]}\x1b[0m"]}]),
        code(outputs=[shown("application/json", {"a": [{"b": tokens[4]}]})]),
        code(outputs=[shown("image/png", tokens[5])]),
        code(metadata={"note": tokens[6]}),
        {"cell_type": "markdown", "metadata": {}, "source": f"({tokens[7]})"},
    ]  # fmt: skip
    data = notebook(*cells, metadata={"kernel": tokens[8]})
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, {"a.ipynb": data}, Kind.NOTEBOOK), tmp_path)
    assert not skipped
    places = {(f.location.cell, f.location.line, f.location.field) for f in findings}
    assert places == {
        (1, 2, None), (1, 3, None), (2, None, "OUTPUT"), (3, None, "OUTPUT"), (4, None, "OUTPUT"), (5, None, "OUTPUT"),
        (6, None, "OUTPUT"), (7, None, "METADATA"), (8, 1, None), (None, None, "METADATA"),
    }  # fmt: skip
    assert not any(make.shows(f, secret) for f in findings for secret in (*tokens, aws))
    assert "in an output of cell 2" in next(f.message for f in findings if f.location.cell == 2)


JUNK = st.text(max_size=30) | st.integers() | st.lists(st.text(max_size=10), max_size=3)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    st.lists(
        st.tuples(
            st.lists(JUNK, max_size=3),
            st.sampled_from(
                ["text/plain", "text/html", "application/json", "image/svg+xml", "x/y", "text", "traceback"]
            ),
            st.sampled_from(["{}", "{}\n", "key: {}", "<b>{}</b>", "'{}'", "a\n{}\nb", "({})", "\x1b[31m{}\x1b[0m"]),
            st.lists(JUNK, max_size=3),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_a_token_anywhere_in_the_outputs_is_found(tmp_path_factory: pytest.TempPathFactory, drawn: list[Any]) -> None:
    root = tmp_path_factory.getbasetemp() / "planted"
    files, tokens = {}, {}
    for number, (before, mime, form, after) in enumerate(drawn):
        token = make.hugging_face(number)
        output = shown(mime, [*before, form.format(token), *after])
        cells = [code(outputs=[shown("text/plain", before)]), code(outputs=[shown("x/z", after), output])]
        files[f"{number}.ipynb"], tokens[f"{number}.ipynb"] = notebook(*cells), token
    findings, skipped = make.run(CHECK, make.lay_out(root, files, Kind.NOTEBOOK), root)
    assert not skipped
    for name, token in tokens.items():
        own = [f for f in findings if f.artifact.uri == name]
        assert (2, "OUTPUT") in {(f.location.cell, f.location.field) for f in own}
        assert not any(make.shows(f, token) for f in findings)


def test_broken_notebooks_do_not_keep_others_from_being_read(tmp_path: Path) -> None:
    good = notebook(code(f'T = "{make.slack()}"'))
    surrogate = json.dumps({"nbformat": 4, "cells": [code(f'a = "\ud800"\nT = "{make.slack()}"')]}).encode()
    files: dict[str, str | bytes] = {
        "half.ipynb": good[:-9],
        "good.ipynb": good,
        "empty.ipynb": b"",
        "odd.ipynb": surrogate,
    }
    findings, skipped = make.run(CHECK, make.lay_out(tmp_path, files, Kind.NOTEBOOK), tmp_path)
    assert {f.artifact.uri for f in findings} == {"good.ipynb", "odd.ipynb"}
    assert {s.artifact.uri for s in skipped if s.artifact} == {"half.ipynb", "empty.ipynb"}


def test_the_known_bad_sample_is_seen(tmp_path: Path) -> None:
    assert CHECK.canary
    assert CHECK.canary.rule in make.fire(CHECK, tmp_path)
