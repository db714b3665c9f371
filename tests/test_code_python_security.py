"""ruff is wrapped so that its silence is never taken for clean."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from shipworthy.check import Context
from shipworthy.checks.code import python_security
from shipworthy.checks.code.python_security import scan
from shipworthy.model import Artifact, Finding, Kind, Skipped
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing

BAD = "import subprocess\nsubprocess.call(x, shell=True)\n"


def artifact(tmp_path, name, content):
    path = tmp_path / f"file-{len(list(tmp_path.iterdir()))}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Artifact(name, Kind.CODE, "sha256:" + "0" * 64, path.stat().st_size, path=path)


def run(tmp_path, *files, tool=None):
    tools = Toolbox(paths={"ruff": str(tool)}) if tool else Toolbox()
    given = tuple(artifact(tmp_path, name, content) for name, content in files)
    return list(scan(given, Context(tmp_path, tools=tools)))


def fake(tmp_path, body):
    """A program that calls itself ruff."""
    path = tmp_path / "ruff"
    path.write_text(f"#!{sys.executable}\nimport sys, json, glob, time, os\nif '--version' in sys.argv:\n"
                    f"    print('ruff 0.16.0'); sys.exit(0)\n{body}\n")  # fmt: skip
    path.chmod(0o755)
    return path


def test_a_batch_with_strange_names_is_read_file_by_file(tmp_path):
    results = run(
        tmp_path,
        ("-rf.py", BAD),
        ("a%0Ab.py", "import hashlib\nhashlib.md5(b'password1')\n"),
        ("clean.py", "x = 1\n"),
        ("build/dist/.venv/x.py", "# ruff: noqa\n# flake8: noqa\neval(x)  # noqa: S307\n"),
        ("latin.py", "# coding: latin-1\nx = 'é'\nexec(x)\n".encode("latin-1")),
    )
    assert all(isinstance(r, Finding) for r in results), results
    assert {(f.artifact.uri, f.rule.id, f.location.line) for f in results} == {
        ("-rf.py", "python-shell-true", 2),
        ("a%0Ab.py", "python-weak-hash", 2),
        ("build/dist/.venv/x.py", "python-eval", 3),
        ("latin.py", "python-exec", 3),
    }
    assert all(f.witnesses == ("ruff",) for f in results)
    assert "password1" not in repr([f.evidence for f in results])


def test_the_projects_own_settings_are_not_read(tmp_path, monkeypatch):
    (tmp_path / "ruff.toml").write_text("exclude = ['*']\nlint.ignore = ['ALL']\n")
    monkeypatch.chdir(tmp_path)
    assert [r.rule.id for r in run(tmp_path, ("a.py", BAD))] == ["python-shell-true"]


@pytest.mark.parametrize(
    "ending", ["", "\n", " \\", "\n#", "\n\f", "\nif x:\n    y = 1", "\nx = '''\n'''", "\r\nx = 1\r\n"]
)
def test_the_sentinel_is_seen_after_any_ending(tmp_path, ending):
    assert run(tmp_path, ("a.py", "x = 1" + ending)) == []


def test_files_that_ruff_cannot_parse_are_skipped(tmp_path):
    results = run(tmp_path, ("two.py", "print 'x'\n"), ("open.py", "x = (\n"), ("bad.py", BAD), ("u.py", b"x = '\xff'"))
    skipped = {r.artifact.uri: r.reason for r in results if isinstance(r, Skipped)}
    assert set(skipped) == {"two.py", "open.py", "u.py"}
    assert "line 1" in skipped["two.py"]
    assert [f.rule.id for f in results if isinstance(f, Finding)] == ["python-shell-true"]


def test_one_file_that_kills_ruff_does_not_hide_the_others(tmp_path):
    results = run(tmp_path, ("a.py", BAD), ("bomb.py", "x = " + "-" * 200_000 + "1\n"), ("c.py", BAD), ("d.py", BAD))
    assert [r.artifact.uri for r in results if isinstance(r, Skipped)] == ["bomb.py"]
    assert sorted(f.artifact.uri for f in results if isinstance(f, Finding)) == ["a.py", "c.py", "d.py"]


def test_ruff_that_is_not_there(tmp_path):
    with pytest.raises(ToolMissing):
        run(tmp_path, ("a.py", BAD), tool=tmp_path / "nothing")


def test_ruff_of_an_unknown_version(tmp_path):
    tool = tmp_path / "old"
    tool.write_text("#!/bin/sh\necho ruff 0.1.0\n")
    tool.chmod(0o755)
    with pytest.raises(ToolMissing, match=r"0\.1\.0"):
        run(tmp_path, ("a.py", BAD), tool=tool)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('[]')", "silence"),
        ("pass", "printed nothing"),
        ('print(\'[{"code": "S602", "loc\')', "no complete JSON"),
        ("print('{}')", "no report"),
        (
            "print(json.dumps([{'filename': '/etc/passwd', 'code': 'S602', 'location': {'row': 1}}]))",
            "not about the given",
        ),
        ("print(json.dumps([{'filename': 'f000001.py', 'code': 'S602'}]))", "not about the given"),
        ("print(json.dumps([7]))", "not about the given"),
        ("sys.exit(2)", "exit status 2"),
        ("os.kill(os.getpid(), 9)", "exit status -9"),
    ],
)
def test_a_ruff_that_does_not_work_fails_the_check(tmp_path, body, reason):
    with pytest.raises(ToolFailed, match=reason):
        run(tmp_path, ("a.py", BAD), ("b.py", BAD), tool=fake(tmp_path, body))


def test_a_ruff_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr(python_security, "TIMEOUT", 0.5)
    with pytest.raises(ToolFailed, match="still running"):
        run(tmp_path, ("a.py", BAD), tool=fake(tmp_path, "time.sleep(60)"))


def test_a_ruff_that_leaves_out_a_file(tmp_path):
    """It reports the sentinel of every file but one: that one is no clean file."""
    entry = "lambda f, n: {'filename': f, 'code': 'S302', 'location': {'row': n, 'column': 1}}"
    body = (
        f"entry = {entry}\n"
        "files = sorted(glob.glob('*.py'))[:-1]\n"
        "print(json.dumps([entry(f, open(f).read().count('\\n')) for f in files]))"
    )
    results = run(tmp_path, ("a.py", BAD), ("b.py", BAD), tool=fake(tmp_path, body))
    (skipped,) = results
    assert isinstance(skipped, Skipped)
    assert (skipped.artifact.uri, "not reported as read" in skipped.reason) == ("b.py", True)


def test_none_one_and_many_findings(tmp_path):
    assert run(tmp_path, ("a.py", "x = 1")) == []
    assert len(run(tmp_path, ("a.py", BAD))) == 1
    assert len(run(tmp_path, *[(f"{i}.py", BAD * 3) for i in range(20)])) == 60


def test_every_code_of_the_table_exists_in_ruff():
    argv = [Toolbox().locate(python_security.RUFF), "rule", "--all", "--output-format", "json"]
    listed = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    known = {rule["code"] for rule in listed}
    assert set(python_security.RULES) <= known


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('subprocess.call("rm " + secret_name, shell=True)', "subprocess.call()"),
        ('import requests; requests.get("https://example.org/?key=hunter2()")', "requests.get()"),
        ('open("/tmp/hunter2", "w")', "open()"),
        ('rows = db.execute(f"select {hunter2} from t where a={x}")', "db.execute()"),
        ('exec("hunter2()")', ""),
        ('path = "/tmp/hunter2"', ""),
    ],
)
def test_the_message_names_the_call_and_no_text(tmp_path, line, what):
    found = [r for r in run(tmp_path, ("a.py", f"{line}\n")) if isinstance(r, Finding)]
    assert found
    for finding in found:
        assert "hunter2" not in finding.message
        assert finding.message.startswith(f"{finding.rule.title}: {what} (S" if what else f"{finding.rule.title} (S")
