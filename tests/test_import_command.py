"""`shipworthy import` and `[import]`: a report becomes findings beside ours, joined where both say the same."""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imported_samples import SAMPLES
from shipworthy.artifacts import Inventory
from shipworthy.cli import main
from shipworthy.config import load_settings
from shipworthy.stages.results import with_reports

CODE = '''"""Runs what it is told."""

import subprocess


def run(text: str) -> int:
    return subprocess.call("ls " + text, shell=True)
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(CODE)
    (tmp_path / "requirements.txt").write_text("requests==2.19.0\n")
    (tmp_path / "reports").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shipworthy(*arguments: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main([*arguments, "--format", "json", "--quiet"])
    run: dict[str, Any] = json.loads(capfd.readouterr().out)
    return code, run


def result_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [check for check in run["stages"][0]["checks"] if check["check"] == name]
    return dict(found)


def bandit(line: int = 7, cwe: int = 78, path: str = "./src/a.py") -> bytes:
    report = json.loads(SAMPLES["bandit"].make(1))
    report["results"][0] |= {"line_number": line, "issue_cwe": {"id": cwe}, "line_range": [line], "filename": path}
    return json.dumps(report).encode()


def test_what_both_see_is_one_finding_with_both_names(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "bandit.json").write_bytes(bandit())
    _, run = shipworthy("import", "bandit", "bandit.json", ".", capfd=capfd)
    (finding,) = [f for f in run["findings"] if f["artifact"] == "src/a.py" and "bandit" in f["witnesses"]]
    assert finding["rule"] == "python-shell-true"
    assert set(finding["witnesses"]) >= {"ruff", "bandit"}
    assert finding["confidence"] == "high"
    assert not [f for f in run["findings"] if f["rule"].startswith("import-")]


def test_what_only_the_tool_sees_is_a_finding_of_its_own(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "bandit.json").write_bytes(bandit(cwe=22))
    code, run = shipworthy("import", "bandit", "bandit.json", ".", capfd=capfd)
    (finding,) = [f for f in run["findings"] if f["rule"] == "import-bandit-b602"]
    assert (finding["severity"], finding["witnesses"], finding["artifact"]) == ("high", ["bandit"], "src/a.py")
    assert code == 1
    again = shipworthy("import", "bandit", "bandit.json", ".", capfd=capfd)[1]
    assert [f["fingerprint"] for f in again["findings"]] == [f["fingerprint"] for f in run["findings"]]


def test_the_same_advisory_of_the_same_package_is_one_finding(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = json.loads(SAMPLES["trivy"].make(1))
    item = report["Results"][0]["Vulnerabilities"][0]
    item |= {"VulnerabilityID": "CVE-2018-18074", "PkgName": "Requests", "InstalledVersion": "2.19.0"}
    (project / "trivy.json").write_text(json.dumps(report))
    _, run = shipworthy("import", "trivy", "trivy.json", ".", capfd=capfd)
    told = [f for f in run["findings"] if "CVE-2018-18074" in f["message"]]
    assert [f["witnesses"] for f in told] == [["shipworthy", "trivy"]]


@pytest.mark.parametrize(
    ("path", "base", "outcome"),
    [
        ("src/a.py", "", "ran"),
        ("{root}/src/a.py", "", "ran"),
        ("/src/src/a.py", "/src", "ran"),
        ("/src/src/a.py", "", "failed"),
        ("src\\a.py", "", "ran"),
        ("a.py", "src", "ran"),
        ("../a.py", "src", "failed"),
        ("../../etc/passwd", "", "failed"),
        ("other/b.py", "", "failed"),
    ],
)
def test_paths_mean_files_of_the_workspace_only(
    path: str, base: str, outcome: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "bandit.json").write_bytes(bandit(path=path.format(root=project), cwe=22))
    extra = ["--base", base] if base else []
    _, run = shipworthy("import", "bandit", "bandit.json", ".", *extra, capfd=capfd)
    assert result_of(run, "import:bandit")["outcome"] == outcome
    found = [f["artifact"] for f in run["findings"] if f["rule"] == "import-bandit-b602"]
    assert found == (["src/a.py"] if outcome == "ran" else [])


def test_a_broken_report_fails_the_gate(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "src" / "a.py").write_text('"""Nothing."""\n')
    (project / "bandit.json").write_bytes(bandit()[:200])
    code, run = shipworthy("import", "bandit", "bandit.json", ".", capfd=capfd)
    result = result_of(run, "import:bandit")
    assert (code, result["outcome"]) == (3, "failed")
    assert "cut short" in result["note"]
    assert "bandit -r" in result["remedy"]


def test_an_unknown_tool_is_told_the_near_one(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "x.json").write_text("{}")
    assert main(["import", "trivi", "x.json"]) == 2
    assert "did you mean `trivy`?" in capfd.readouterr().err


def settings(project: Path, text: str) -> str:
    (project / "shipworthy.toml").write_text(text)
    return str(project / "shipworthy.toml")


def test_settings_name_the_reports_that_a_scan_takes_in(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "reports" / "bandit.json").write_bytes(bandit(cwe=22))
    (project / "reports" / "zap.json").write_bytes(SAMPLES["zap"].make(1))
    place = settings(
        project,
        '[import]\nreports = [{ tool = "bandit", path = "reports/bandit.json" }, '
        '{ tool = "zap", path = "reports/zap.json" }, { tool = "kics", path = "reports/none.json" }]\n'
        '[gates.scan]\nfail-on = "never"\nrequire = ["import:bandit", "import:kics"]\n',
    )
    code, run = shipworthy("scan", ".", "--settings", place, capfd=capfd)
    assert [f["witnesses"] for f in run["findings"] if f["rule"] == "import-bandit-b602"] == [["bandit"]]
    assert "import:zap" not in json.dumps(run), "what attacks a service is taken in by the test stage"
    assert result_of(run, "import:kics")["outcome"] == "failed"
    assert code == 3


def test_what_attacks_a_service_is_taken_in_by_the_test_stage(project: Path) -> None:
    (project / "reports" / "zap.json").write_bytes(SAMPLES["zap"].make(2))
    (project / "reports" / "bandit.json").write_bytes(bandit())
    place = settings(
        project,
        '[import]\nreports = [{ tool = "bandit", path = "reports/bandit.json" }, '
        '{ tool = "zap", path = "reports/zap.json" }]',
    )
    job: Any = SimpleNamespace(
        root=project, settings=load_settings(Path(place)), inventory=Inventory(()), today=datetime.now(UTC).date()
    )
    (result,), inputs = with_reports(job, "test", [])
    assert (result.check, result.outcome) == ("import:zap", "ran")
    assert {f.artifact.uri for f in result.findings} == {"http://127.0.0.1/p0", "http://127.0.0.1/p1"}
    assert {f.artifact.kind for f in result.findings} == {"service"}
    assert "abc" not in repr(result), "the query of an address may hold a token"
    digest = hashlib.sha256((project / "reports" / "zap.json").read_bytes()).hexdigest()
    assert inputs == {"import:zap:reports/zap.json": f"sha256:{digest}"}


def test_a_rule_of_a_report_can_be_waived_and_is_explained(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "bandit.json").write_bytes(bandit(cwe=22))
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    waiver = ["--path", "src/**", "--reason", "looked at", "--owner", "me@example.com", "--until", until]
    assert main(["waive", "import-bandit-b602", *waiver]) == 0
    capfd.readouterr()
    _, run = shipworthy("import", "bandit", "bandit.json", ".", "--settings", "shipworthy.toml", capfd=capfd)
    (finding,) = [f for f in run["findings"] if f["rule"] == "import-bandit-b602"]
    assert finding["disposition"] == "waived"
    assert main(["explain", "import-bandit-b602"]) == 2
    assert "a rule of a report that was taken in" in " ".join(capfd.readouterr().err.split())


def test_a_gate_can_require_a_report(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    place = settings(project, '[gates.scan]\nfail-on = "never"\nrequire = ["import:semgrep"]\n')
    code, run = shipworthy("scan", ".", "--settings", place, capfd=capfd)
    assert code == 3
    assert "`import:semgrep` is required and no such check was run" in json.dumps(run)


def test_an_old_report_is_a_gap_that_can_be_accepted(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = project / "reports" / "hadolint.json"
    report.write_bytes(SAMPLES["hadolint"].make(1))
    (project / "Dockerfile").write_text("FROM scratch\n")
    day = time.time() - 5 * 86_400
    os.utime(report, (day, day))
    text = (
        '[import]\nreports = [{ tool = "hadolint", path = "reports/hadolint.json", max-age-days = %d }]\n'
        '[gates.scan]\nfail-on = "never"\nrequire = ["import:hadolint"]\n'
    )
    assert shipworthy("scan", ".", "--settings", settings(project, text % 30), capfd=capfd)[0] == 0
    code, run = shipworthy("scan", ".", "--settings", settings(project, text % 2), capfd=capfd)
    assert code == 3
    assert result_of(run, "import:hadolint")["outcome"] == "partial"
    accepted = text % 2 + 'accept-partial = ["import:hadolint:old-data"]\n'
    assert shipworthy("scan", ".", "--settings", settings(project, accepted), capfd=capfd)[0] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[import]\nreports = [{ tool = "trivy" }]', "a report needs `tool` and `path`"),
        ('[import]\nreports = [{ tool = "trivy", path = "a", stage = "x" }]', "must be one of"),
        ('[import]\nreports = [{ tool = "trivy", path = "../a" }]', "must stay inside the workspace"),
        ('[import]\nreports = [{ tool = "trivvy", path = "a" }]', "reports of `trivvy` are not read"),
        ('[gates.scan]\naccept-partial = ["import:trivvy:absent"]', "there is no check `import:trivvy`"),
        ('[gates.scan]\naccept-partial = ["import:trivy:abssent"]', "there is no reason `abssent`"),
    ],
)
def test_settings_that_are_wrong_are_told(
    text: str, told: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", ".", "--settings", settings(project, text), "--quiet"]) == 2
    assert told in " ".join(capfd.readouterr().err.split())


def test_no_secret_of_a_report_comes_out(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "g.json").write_bytes(SAMPLES["gitleaks"].make(1))
    for form in ("json", "sarif", "markdown"):
        main(["import", "gitleaks", "g.json", "src", "--format", form, "--quiet"])
        told = capfd.readouterr().out
        assert "import-gitleaks-aws-access-token" in told
        assert "AKIAIOSFODNN7EXAMPL0" not in told


THROUGH = (
    "sarif",
    "grype",
    "trufflehog",
    "checkov",
    "hadolint",
    "brakeman",
    "zap",
    "nessus",
    "nmap",
    "prowler",
    "openvex",
)


@pytest.mark.parametrize("tool", THROUGH)
def test_every_kind_of_tool_through_the_command(tool: str, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in (
        "main.tf",
        "Dockerfile",
        "package-lock.json",
        "app/a.rb",
        "static/jquery.js",
        "lib/log4j-api-2.12.4.jar",
    ):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("")
    (project / "report").write_bytes(SAMPLES[tool].make(2))
    _, run = shipworthy("import", tool, "report", "src" if tool == "gitleaks" else ".", capfd=capfd)
    result = result_of(run, f"import:{tool}")
    assert result["outcome"] == "ran", result["note"]
    assert [f for f in run["findings"] if any(w.startswith((tool, "CodeQL")) for w in f["witnesses"])]
