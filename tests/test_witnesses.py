"""Reports of other scanners: one finding where they mean what we mean, and never clean because a report is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.cli import main
from shipworthy.model import Artifact, Kind, Severity
from shipworthy.witnesses import TOOLS, UnreadableReport, matched, read

REPORTS = Path(__file__).parent / "data" / "reports"
FILES = {
    "modelscan": "modelscan.json",
    "picklescan": "picklescan.txt",
    "modelaudit": "modelaudit.json",
    "modelaudit-sarif": "modelaudit.sarif",
}
WITNESSES = {
    "modelscan": "modelscan 0.8.8",
    "picklescan": "picklescan",
    "modelaudit": "modelaudit",
    "modelaudit-sarif": "modelaudit 0.2.54",
}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the reports are about."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "evil.pkl").write_bytes(make.EVIL)
    (folder / "clean.pkl").write_bytes(make.PLAIN)
    (folder / "evil.pt").write_bytes(make.torch_zip(make.call("builtins", "exec", "1")))
    (folder / "own.pkl").write_bytes(make.call("mycompany.models", "Model"))
    monkeypatch.chdir(tmp_path)
    return folder


def taken_in(
    tool: str, report: Path, target: Path, capfd: pytest.CaptureFixture[str], code: int | None = None
) -> dict[str, Any]:
    status = main(["import", tool, str(report), str(target), "--format", "json", "--quiet"])
    assert code is None or status == code
    run: dict[str, Any] = json.loads(capfd.readouterr().out)
    return run


def result_of(run: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [check for check in run["stages"][0]["checks"] if check["check"] == name]
    return dict(found)


@pytest.mark.parametrize("name", FILES)
def test_where_both_mean_the_same_there_is_one_finding(
    name: str, models: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tool = name.partition("-")[0]
    run = taken_in(tool, REPORTS / FILES[name], models, capfd, 1)
    system = [f for f in run["findings"] if f["artifact"] == "evil.pkl"]
    assert len([f for f in system if "posix:system" in f["evidence"]]) == 1
    (finding,) = [f for f in system if f["rule"] == "model-code-execution"]
    assert finding["witnesses"] == ["shipworthy", WITNESSES[name]]
    assert finding["confidence"] == "high"
    (inner,) = [f for f in run["findings"] if f["artifact"] == "evil.pt" and f["rule"] == "model-code-execution"]
    assert inner["witnesses"] == ["shipworthy", WITNESSES[name]]
    own = [f for f in run["findings"] if f["artifact"] == "own.pkl"]
    assert [f["rule"] for f in own] == ["model-unknown-callable"]
    assert not [f for f in run["findings"] if f["artifact"] == "clean.pkl"]
    assert result_of(run, tool)["version"] == WITNESSES[name].partition(" ")[2]
    again = taken_in(tool, REPORTS / FILES[name], models, capfd)
    assert [f["fingerprint"] for f in again["findings"]] == [f["fingerprint"] for f in run["findings"]]


def test_fickling_names_no_file(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = taken_in("fickling", REPORTS / "fickling.json", models / "evil.pkl", capfd, 1)
    assert [f["witnesses"] for f in run["findings"]] == [["shipworthy", "fickling"]]
    run = taken_in("fickling", REPORTS / "fickling-clean.json", models / "clean.pkl", capfd, 0)
    assert result_of(run, "fickling")["outcome"] == "ran"
    run = taken_in("fickling", REPORTS / "fickling-clean.json", models, capfd)
    assert "which file it is about" in result_of(run, "fickling")["note"]


def test_what_only_the_witness_says_is_a_finding_of_its_own(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = json.loads((REPORTS / "modelscan.json").read_text())
    report["issues"][0] |= {"source": "clean.pkl", "operator": "load", "module": "somewhere"}
    place = models.parent / "report.json"
    place.write_text(json.dumps(report))
    run = taken_in("modelscan", place, models, capfd, 1)
    (finding,) = [f for f in run["findings"] if f["artifact"] == "clean.pkl"]
    assert finding["rule"] == "model-witness"
    assert finding["witnesses"] == ["modelscan 0.8.8"]
    assert (finding["severity"], finding["confidence"]) == ("critical", "medium")


def test_a_clean_report_does_not_make_our_findings_go_away(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = json.loads((REPORTS / "modelscan-clean.json").read_text())
    report["summary"]["scanned"] = {"total_scanned": 1, "scanned_files": ["evil.pkl"]}
    report["summary"]["input_path"] = "models"
    place = models.parent / "report.json"
    place.write_text(json.dumps(report))
    run = taken_in("modelscan", place, models, capfd, 1)
    assert result_of(run, "modelscan")["outcome"] == "ran"
    assert "model-code-execution" in {f["rule"] for f in run["findings"]}


@pytest.mark.parametrize(
    ("tool", "raw", "message"),
    [
        ("modelscan", b"", "it is empty"),
        ("modelscan", b" \n", "it is empty"),
        ("modelscan", b"{}", "no `summary`"),
        ("modelscan", b"[]", "not a JSON object"),
        ("modelscan", (REPORTS / "modelaudit.json").read_bytes(), "no `summary`"),
        ("modelscan", (REPORTS / "modelscan-error.json").read_bytes(), "looked at no file"),
        ("modelscan", (REPORTS / "modelscan-clean.json").read_bytes(), "files that are not here"),
        ("modelaudit", (REPORTS / "modelscan.json").read_bytes(), "no `checks`"),
        ("modelaudit", b'{"runs": [{"tool": {"driver": {"name": "Bandit"}}}]}', "not by ModelAudit"),
        ("modelaudit", b'{"runs": []}', "one run"),
        ("picklescan", (REPORTS / "modelscan.json").read_bytes(), "no whole summary"),
        ("picklescan", b"/m/evil.pkl: dangerous import 'posix system' FOUND\n", "no whole summary"),
        ("fickling", (REPORTS / "modelscan.json").read_bytes(), "no `severity`"),
        ("fickling", b'{"severity": "GREAT", "analysis": "", "detailed_results": {}}', "no verdict"),
    ],
)
def test_a_report_that_cannot_be_used_fails(
    tool: str, raw: bytes, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "honest.pkl").write_bytes(make.PLAIN)
    place = tmp_path / "report"
    place.write_bytes(raw)
    run = taken_in(tool, place, folder, capfd, 3)
    result = result_of(run, tool)
    assert result["outcome"] == "failed"
    assert message in result["note"]
    assert result["examined"] in (0, [])


def test_a_report_about_other_bytes_of_the_same_name_is_a_gap(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (models / "clean.pkl").write_bytes(make.stream(b"N"))
    for name in ("modelaudit.json", "modelaudit.sarif"):
        run = taken_in("modelaudit", REPORTS / name, models, capfd, 1)
        heard = result_of(run, "modelaudit")
        assert heard["outcome"] == "partial"
        assert "clean.pkl" not in heard["examined"]
        assert any("the report has another digest of it" in gap["reason"] for gap in heard["skipped"])


@pytest.mark.parametrize("name", [*FILES, "fickling"])
def test_no_beginning_of_a_report_is_a_report(name: str) -> None:
    tool = name.partition("-")[0]
    raw = (REPORTS / FILES.get(name, "fickling.json")).read_bytes().rstrip()
    step = max(1, len(raw) // 400)
    for size in range(0, len(raw) - 1, step):
        with pytest.raises(UnreadableReport):
            read(tool, raw[:size])
    assert read(tool, raw).claims


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


@given(tool=st.sampled_from(sorted(TOOLS)), data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_report_makes_the_reader_fall_over(tool: str, data: st.DataObject) -> None:
    """Any part of a real report replaced by anything."""
    if tool == "picklescan":
        raw = data.draw(st.binary(max_size=300)) + (REPORTS / "picklescan.txt").read_bytes()
    else:
        name = data.draw(st.sampled_from(sorted(p.name for p in REPORTS.glob(f"{tool}*") if p.suffix != ".txt")))
        value = json.loads((REPORTS / name).read_text())
        at = value
        for _ in range(data.draw(st.integers(0, 5))):
            keys = sorted(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.booleans()):
                at[key] = data.draw(JSON)
                break
            at = at[key]
        raw = json.dumps(value).encode()
    try:
        found = read(tool, raw)
    except UnreadableReport:
        return
    assert found.count or found.claims
    assert all(isinstance(claim.severity, Severity) for claim in found.claims)


def test_paths_of_other_machines() -> None:
    here = [Artifact(uri, Kind.MODEL, "", 0) for uri in ("a/m.pkl", "b/m.pkl", "c/n.pkl", "top.pkl")]
    for path, uri in {
        "/build/b/m.pkl": "b/m.pkl",
        "C:\\work\\a\\m.pkl": "a/m.pkl",
        "n.pkl": "c/n.pkl",
        "./top.pkl": "top.pkl",
        "m.pkl": None,
        "/build/x/n.pkl": None,
        "": None,
    }.items():
        found = matched(path, here)
        assert (found.uri if found else None) == uri, path
