"""zizmor is wrapped so that its silence is never taken for clean; what it sees too becomes a witness of our finding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from shipworthy.check import Context, NotApplicable, registry
from shipworthy.checks.workflows import zizmor
from shipworthy.checks.workflows.zizmor import scan
from shipworthy.gates import apply_filters, join_results
from shipworthy.model import Artifact, CheckResult, Confidence, Finding, Kind, Outcome, Rule, Severity, Skipped
from shipworthy.tools import Toolbox, ToolFailed, ToolMissing

BAD = "on: push\npermissions: {}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: o/r@v1\n"
installed = pytest.mark.skipif(
    shutil.which("zizmor") is None and not Path(sys.executable).with_name("zizmor").exists(),
    reason="zizmor is not installed (pip install zizmor)",
)


@pytest.mark.parametrize(("required", "code", "word"), [(False, 0, "not installed"), (True, 3, "NOT SEEN")])
def test_a_witness_that_is_not_installed_is_no_fault_unless_it_is_required(tmp_path, required, code, word):
    (tmp_path / "shipworthy.toml").write_text(f"[checks.zizmor]\nrequired = {str(required).lower()}\n")
    command = [sys.executable, "-m", "shipworthy", "doctor", "--check", "zizmor", "--format"]
    nowhere = {**os.environ, "PATH": str(tmp_path)}
    own = Path(sys.executable).with_name("zizmor").exists()  # beside this Python it is found without PATH
    if own:
        pytest.skip("zizmor is installed beside this Python")
    told = subprocess.run([*command, "table"], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False)
    assert (told.returncode, word in told.stdout) == (code, True), told.stdout + told.stderr
    done = subprocess.run([*command, "json"], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["healthy"] is not required


def artifact(tmp_path, name, content):
    path = tmp_path / f"file-{len(list(tmp_path.iterdir()))}"
    path.write_text(content)
    return Artifact(name, Kind.WORKFLOW, "sha256:" + "0" * 64, path.stat().st_size, path=path)


def run(tmp_path, *files, tool=None, options=None):
    tools = Toolbox(paths={"zizmor": str(tool)}) if tool else Toolbox()
    given = tuple(artifact(tmp_path, f".github/workflows/{name}", content) for name, content in files)
    return list(scan(given, Context(tmp_path, options or {}, tools=tools)))


def fake(tmp_path, body):
    path = tmp_path / "zizmor"
    path.write_text(f"#!{sys.executable}\nimport sys, json, time, os\nif '--version' in sys.argv:\n"
                    f"    print('zizmor 1.32.0'); sys.exit(0)\n{body}\n")  # fmt: skip
    path.chmod(0o755)
    return path


@installed
def test_a_batch_is_read_file_by_file(tmp_path):
    results = run(
        tmp_path, ("a.yml", BAD), ("b.yml", BAD.replace("o/r@v1", f"o/r@{'a' * 40}  # zizmor: ignore[unpinned-uses]")),
        ("c.yml", BAD.replace("o/r@v1", "o/r@v1 # zizmor: ignore[unpinned-uses]")),
    )  # fmt: skip
    pins = [r for r in results if isinstance(r, Finding) and r.rule.id == "zizmor-unpinned-uses"]
    assert [(f.artifact.uri[-5:], f.location.line) for f in pins] == [("a.yml", 7), ("c.yml", 7)]
    assert all(f.witnesses == ("zizmor",) for f in pins)


@installed
def test_one_file_that_it_refuses_does_not_hide_the_others(tmp_path):
    results = run(
        tmp_path, ("a.yml", BAD), ("no.yml", "on: push\njobs: {"), ("odd.yml", "on: 7\nx: y\n"), ("d.yml", BAD)
    )
    assert {r.artifact.uri[-7:] for r in results if isinstance(r, Skipped)} == {"/no.yml", "odd.yml"}
    assert {r.artifact.uri[-5:] for r in results if isinstance(r, Finding)} == {"a.yml", "d.yml"}


@installed
def test_every_audit_of_the_table_is_one_of_its(tmp_path):
    program = Toolbox().locate(zizmor.ZIZMOR)
    listed = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    assert "json-v1" in listed  # the format that is asked for


def test_without_it_there_is_nothing_to_say_unless_it_is_required(tmp_path, monkeypatch):
    monkeypatch.setattr(
        Toolbox, "locate", lambda self, tool: (_ for _ in ()).throw(ToolMissing(tool.name, "is not installed"))
    )
    with pytest.raises(NotApplicable, match="not installed"):
        run(tmp_path, ("a.yml", BAD))
    with pytest.raises(ToolMissing):
        run(tmp_path, ("a.yml", BAD), options={"required": True})
    with pytest.raises(ToolMissing):
        run(tmp_path, ("a.yml", BAD), tool=tmp_path / "nothing")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('[]')", "silence"),
        ("pass", "printed nothing"),
        ("print('[{')", "no complete JSON"),
        ("print('{}')", "no report"),
        ("print('[7]')", "not about the given"),
        ("print(json.dumps([{'ident': 'unpinned-uses', 'locations': []}]))", "not about the given"),
        ("sys.exit(1)", "exit status 1"),
        ("os.kill(os.getpid(), 9)", "exit status -9"),
    ],
)
def test_a_zizmor_that_does_not_work_fails_the_check(tmp_path, body, reason):
    with pytest.raises(ToolFailed, match=reason):
        run(tmp_path, ("a.yml", BAD), ("b.yml", BAD), tool=fake(tmp_path, body))


def test_one_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr(zizmor, "TIMEOUT", 0.5)
    with pytest.raises(ToolFailed, match="still running"):
        run(tmp_path, ("a.yml", BAD), tool=fake(tmp_path, "time.sleep(60)"))


# --- one finding, several witnesses -------------------------------------------------------------------------------


def rule(name, *taxonomy, severity=Severity.LOW):
    return Rule(name, name, severity, "why", "what", Confidence.MEDIUM, taxonomy, "help")


FILE = Artifact("a.yml", Kind.WORKFLOW, "sha256:" + "0" * 64, 9)
OURS = rule("ours", "CWE-829", "CWE-1357")
THEIRS = rule("theirs", "CWE-829", severity=Severity.HIGH)


def result(check, *findings):
    return CheckResult(check, "workflows", "1", Outcome.RAN, findings)


def seen(one, line, witness="", **more):
    return one.at(FILE, "said", line=line, witness=witness, **more)


def test_the_same_weakness_at_the_same_place_is_one_finding_with_two_witnesses():
    joined = join_results([result("tool", seen(THEIRS, 7, "zizmor")), result("own", seen(OURS, 7), seen(OURS, 9))])
    assert joined[0].findings == ()
    assert "told as those of other checks" in joined[0].note
    first, second = joined[1].findings
    assert (first.rule, first.witnesses) == (OURS, ("shipworthy", "zizmor"))
    assert (first.severity, first.confidence) == (Severity.HIGH, Confidence.HIGH)
    assert (second.witnesses, second.severity) == ((), Severity.LOW)
    assert first.fingerprint == seen(OURS, 7).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        seen(THEIRS, 8, "zizmor"),
        seen(rule("else", "CWE-78"), 7, "zizmor"),
        seen(rule("none", "CICD-SEC-3"), 7, "zizmor"),
        seen(THEIRS, 7),  # our own other check: two rules of ours are two findings
        seen(THEIRS, 7, "zizmor", commit="abc"),
        seen(THEIRS, 7, "zizmor", column=9),
        seen(THEIRS, None, "zizmor"),
    ],
)
def test_what_is_elsewhere_or_of_another_kind_stays_apart(other):
    results = [result("own", seen(OURS, 7, column=3)), result("tool", other)]
    assert join_results(results) == tuple(results)


def test_two_rules_of_one_check_stay_apart():
    results = [result("tool", seen(THEIRS, 7, "zizmor"), seen(rule("b", "CWE-829"), 7, "zizmor"))]
    assert join_results(results) == tuple(results)


def test_a_witness_of_several_lines_means_the_line_in_it():
    theirs = seen(THEIRS, 5, "zizmor").with_(location=seen(THEIRS, 5).location.__class__(line=5, end_line=8))
    _, own = join_results([result("tool", theirs), result("own", seen(OURS, 7))])
    assert own.findings[0].witnesses == ("shipworthy", "zizmor")


def test_what_is_waived_does_not_swallow_what_is_not():
    from shipworthy.config import Waiver

    waiver = Waiver(rule="ours", reason="because of this", owner="me", until=date(2030, 1, 1), path="a.yml")
    results = [result("own", seen(OURS, 7)), result("tool", seen(THEIRS, 7, "zizmor"))]
    filtered = apply_filters(results, [waiver], frozenset(), date(2026, 1, 1)).results
    assert [f.disposition.value for r in filtered for f in r.findings] == ["waived", "new"]


@installed
def test_both_checks_on_one_workflow(tmp_path):
    given = artifact(tmp_path, ".github/workflows/a.yml", BAD)
    results = []
    for name in ("github-actions", "zizmor"):
        item = registry()[name]
        found = item.call((given,) if item.scope == "batch" else given, Context(tmp_path, item.options))
        results.append(result(name, *(one for one in found if isinstance(one, Finding))))
    ours, theirs = join_results(results)
    assert [(f.rule.id, f.witnesses) for f in ours.findings] == [("actions-unpinned-action", ("shipworthy", "zizmor"))]
    assert theirs.findings == ()
