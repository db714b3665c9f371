"""A tool that is missing, broken, mute, slow or wrong never makes a check come out clean."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import secrets_material as make
from secrets_material import compiled_rules  # noqa: F401
from shipworthy.check import Check
from shipworthy.checks.notebooks import secrets as notebook_secrets
from shipworthy.checks.secrets import _engine, _kingfisher, datasets, files, history
from shipworthy.model import Artifact, Kind
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing

NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})
GIVEN = (
    (files.run.check, "a.py", "x = 1\n", Kind.CODE),
    (datasets.run.check, "a.csv", "a,b\n1,2\n", Kind.DATASET),
    (notebook_secrets.run.check, "a.ipynb", NOTEBOOK, Kind.NOTEBOOK),
    (history.run.check, "a.py", "x = 1\n", Kind.CODE),
)
NAMES = [check.name for check, *_ in GIVEN]
# A report that looks as if all had gone well, with the counts of the two files of a batch, and that saw nothing.
DEAF = """
for last; do :; done
set -- "$(ls "$2" | wc -l)" "$(cat "$2"/* | wc -c)"
printf '{"findings":[],"audit":{"summary":{"scan_failed":0,"scan_partial":0}},"metadata":'
printf '{"kingfisher_version":"2.14.0","summary":{"findings":0,"blobs_scanned":%s,"bytes_scanned":%s}}}' $1 $2
"""


def given(name: str, root: Path) -> tuple[Check, tuple[Artifact, ...]]:
    check, file, text, kind = next(row for row in GIVEN if row[0].name == name)
    artifacts = make.lay_out(root, {file: text}, kind)
    if check.name == "secrets-history":
        make.git(root, "init", "-q")
        make.git(root, "add", "-A")
        make.git(root, "commit", "-qm", "one")
    return check, artifacts


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [
        "exit 0",
        "exit 3",
        "echo '{\"findings\": ['",
        "echo '[]'",
        "echo '{}'",
        "kill -9 $$",
        DEAF,
    ],
    ids=["silent", "broken", "half", "list", "empty", "killed", "deaf"],
)
def test_a_useless_tool_is_a_failure(name: str, body: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    tools = Toolbox({"kingfisher": make.program(tmp_path, body)})
    check, artifacts = given(name, root)
    with pytest.raises(ToolFailed):
        make.run(check, artifacts, root, tools)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_tool_is_said_to_be_missing(name: str, tmp_path: Path) -> None:
    tools = Toolbox({"kingfisher": str(tmp_path / "nothing")})
    check, artifacts = given(name, tmp_path)
    with pytest.raises(ToolMissing):
        make.run(check, artifacts, tmp_path, tools)


def test_a_tool_that_hangs_is_stopped(tmp_path: Path) -> None:
    tools = Toolbox({"kingfisher": make.program(tmp_path, "sleep 60")})
    with pytest.raises(ToolFailed, match="still running"):
        list(_engine.scan([("a", _engine.Source(b"x"))], tools, timeout=0.5))


@functools.cache
def real_report() -> str:
    """What the real tool says of one file that holds nothing (and of the file with the planted token)."""
    with tempfile.TemporaryDirectory() as folder:
        real, copy = Toolbox().locate(_kingfisher.KINGFISHER), Path(folder) / "report.json"
        tools = Toolbox({"kingfisher": make.program(Path(folder), f'"{real}" "$@" | tee "{copy}"')})
        list(_engine.scan([("a", _engine.Source(b"x = 1\n", ".py"))], tools))
        return copy.read_text()


def edited(folder: Path, edit: str) -> Toolbox:
    """A stand-in that gives the real report, changed by a line of Python that sees it as `r`."""
    report = json.loads(real_report())
    exec(edit, {"r": report, "json": json})
    (folder / "report.json").write_text(json.dumps(report))
    return Toolbox({"kingfisher": make.program(folder, f'cat "{folder / "report.json"}"')})


@pytest.mark.parametrize(
    ("edit", "error", "says"),
    [
        ("r['metadata']['summary']['blobs_scanned'] -= 1", ToolFailed, "read 1 files"),
        ("r['metadata']['summary']['bytes_scanned'] -= 1", ToolFailed, "bytes"),
        ("r['metadata']['kingfisher_version'] = '3.0.0'", ToolMissing, "3.0.0"),
        ("r['metadata']['kingfisher_version'] = 'x'", ToolMissing, "version x"),
        ("r['audit']['summary']['scan_partial'] = 1", ToolFailed, "not complete"),
        ("r['findings'] *= 2", ToolFailed, "not complete"),
        ("r['findings'][0]['finding']['path'] = '/etc/passwd'", ToolFailed, "another shape"),
        ("r['findings'][0]['finding']['path'] = '/tmp/000009.py'", ToolFailed, "was not given"),
        ("del r['findings'][0]['finding']['line']", ToolFailed, "another shape"),
        ("r['findings'][0]['finding']['path'] = '000001.py'", ToolFailed, "planted"),
    ],
)
def test_a_report_that_does_not_add_up_is_a_failure(
    edit: str, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        list(_engine.scan([("a", _engine.Source(b"x = 1\n", ".py"))], edited(tmp_path, edit)))


def test_places_that_are_not_in_the_file_are_survived(tmp_path: Path) -> None:
    """A line or column beyond the end gives a finding without its text, and never an exception."""
    edit = (
        "f = json.loads(json.dumps(r['findings'][0])); f['finding'].update(path='000001.py', line=99, column_start=7)\n"
    )
    edit += "g = json.loads(json.dumps(f)); g['finding'].update(line=1, column_start=9999, column_end=10**9)\n"
    edit += "r['findings'] += [f, g]; r['metadata']['summary']['findings'] += 2"
    (scanned,) = _engine.scan([("a", _engine.Source(b"x = 1\n", ".py"))], edited(tmp_path, edit))
    assert {hit.rule.id for hit in scanned.hits} == {"secret-token"}
    assert all(hit.secret == b"" for hit in scanned.hits)


def test_the_real_report_adds_up_and_a_deaf_tool_does_not(tmp_path: Path) -> None:
    sources = [("a", _engine.Source(b"x = 1\n", ".py"))]
    assert [scanned.hits for scanned in _engine.scan(sources, edited(tmp_path, ""))] == [()]
    with pytest.raises(ToolFailed, match="planted"):
        list(_engine.scan(sources, Toolbox({"kingfisher": make.program(tmp_path, DEAF)})))


def test_rules_are_compiled_once_however_many_runs_begin_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.json").write_text(real_report())
    rules, log = tmp_path / "rules", tmp_path / "log"
    rules.mkdir()
    monkeypatch.setenv("KF_RULE_CACHE_DIR", str(rules))
    compiles = f'[ -e "{rules}/a.vscdb" ] || {{ echo cold >>"{log}"; sleep 1; touch "{rules}/a.vscdb"; }}'
    body = f'{compiles}\ncat "{tmp_path}/report.json"'
    tools = Toolbox({"kingfisher": make.program(tmp_path, body)})
    with ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(lambda: list(_engine.scan([("a", _engine.Source(b"x = 1\n", ".py"))], tools))) for _ in "abc"
        ]
        assert [run.result()[0].hits for run in runs] == [(), (), ()]
    assert log.read_text() == "cold\n"


def test_two_processes_compile_once_and_another_version_once_more(tmp_path: Path) -> None:
    """What an older version compiled is no use to a new one: its runs must not all compile at once."""
    (tmp_path / "report.json").write_text(real_report())
    home, log = tmp_path / "cache", tmp_path / "log"
    rules = home / "shipworthy" / "kingfisher"
    script = (
        "import sys; from shipworthy.checks.secrets import _engine; from shipworthy.tools import Toolbox\n"
        "source = _engine.Source(b'x = 1\\n', '.py')\n"
        "list(_engine.scan([('a', source)], Toolbox({'kingfisher': sys.argv[1]})))"
    )
    env = {name: value for name, value in os.environ.items() if name != "KF_RULE_CACHE_DIR"}
    for version in ("old", "new"):
        mine = rules / f"{version}.vscdb"
        compiles = f'[ -e "{mine}" ] || {{ echo {version} >>"{log}"; sleep 2; touch "{mine}"; }}'
        program = make.program(tmp_path, f'{compiles}\ncat "{tmp_path}/report.json"')
        argv = [sys.executable, "-c", script, program]
        both = [subprocess.Popen(argv, env={**env, "XDG_CACHE_HOME": str(home)}) for _ in range(2)]
        assert [process.wait(60) for process in both] == [0, 0]
    assert log.read_text() == "old\nnew\n"
    assert rules.stat().st_mode & 0o077 == 0


def test_two_runs_plant_two_tokens() -> None:
    with _kingfisher.stage() as one, _kingfisher.stage() as two:
        assert one.read(0) != two.read(0)
        assert one.folder.stat().st_mode & 0o077 == 0
    assert not one.folder.exists()
