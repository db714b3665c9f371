"""What a newcomer stumbled over: words that fit the case, advice that can be followed, exit codes of one meaning."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import modelfile_samples as make
from range_server import Served, serving
from shipworthy.cli import main
from shipworthy.config import Settings
from shipworthy.engine.runner import Order, run_pipeline
from shipworthy.engine.stage import Job, Pipeline, Stage
from shipworthy.model import Artifact, CheckResult, Confidence, Kind, Outcome, Severity, StageResult
from shipworthy.stages.witnessed import join


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as found:
        yield found


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.pkl"
    path.write_bytes(make.EVIL)
    return path


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("a" * 5000, "no rule"),
        ("nope.pkl", "there is no such file"),
        ("broken.pkl", "a link that leads nowhere"),
        (".", "a folder; one file is explained"),
        ("pipe", "neither a file nor a folder"),
        ("https://host/m.pt", "not one elsewhere"),
        ("d5fd452b" * 8, "keeps no run"),
        ("d5fd452bb18a", "no run that is kept here has this finding"),
        ("model-code-executoin", "near: model-code-execution"),
        ("hello", "lists every rule"),
    ],
)
def test_what_cannot_be_explained_is_told_for_what_it_is(
    what: str, told: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.pkl").symlink_to("nowhere")
    os.mkfifo("pipe")
    assert main(["explain", what]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert "notebook" not in said
    assert len(said) < 500


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_report_that_cannot_be_written_is_no_answer_of_a_gate(form: str, model: Path) -> None:
    command = [sys.executable, "-m", "shipworthy", "scan", str(model), "--format", form]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 5
    assert done.stderr.startswith("error: the report cannot be written: No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["table", "json"])
def test_the_answer_stands_when_the_reader_has_gone(form: str, model: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "shipworthy", "scan", str(model), "--format", form]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(("keep", "told"), [(True, "shipworthy run --resume"), (False, "start it again")])
def test_after_ctrl_c_the_advice_is_of_the_command(keep: bool, told: str, tmp_path: Path) -> None:
    def stopped(_: Job) -> StageResult:
        raise KeyboardInterrupt

    pipeline = Pipeline("scan", "Scan", (Stage("scan", "Scan", "Looks.", stopped),))
    run = run_pipeline(Order(tmp_path, Settings(), pipeline, keep=keep))
    assert run.exit_code == 130
    assert told in run.stages[0].remedy


def test_a_folder_that_is_not_there_is_not_made_for_a_report(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scan", str(model), "--format", "json", "--output", "nowhere/report.json"])
    assert ended.value.code == 2
    assert "there is no folder nowhere" in capsys.readouterr().err
    assert not Path("nowhere").exists()


def test_the_advice_to_accept_a_gap_can_be_pasted(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.bin").write_bytes(bytes(range(256)) * 8)
    assert main(["scan", "odd.bin", "-q"]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert "under `[gates.scan]`, `accept-partial = [" in told
    assert "doctor" not in told
    line = told.partition("[gates.scan]`, `")[2].partition("`")[0]
    Path("shipworthy.toml").write_text(f"[gates.scan]\n{line}\n")
    assert main(["scan", "odd.bin", "-q"]) == 0
    assert "unused" not in capsys.readouterr().out


def test_the_advice_to_vouch_for_a_name_can_be_pasted(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.write_bytes(b"cmypackage.models\nNet\n)R.")
    assert main(["scan", str(model), "--format", "json"]) == 1
    (found,) = (f for f in json.loads(capsys.readouterr().out)["findings"] if f["check"] == "model-file")
    line = found["remedy"].partition("`[scan]`, `")[2].partition("`")[0]
    Path("shipworthy.toml").write_text(f"[scan]\n{line}\n")
    assert main(["scan", str(model), "-q"]) == 0


def test_a_small_file_elsewhere_is_read_whole(served: Served, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pickled = pickle.dumps({"a": 1}, 2)
    data = make.zipped(("m/data.pkl", pickled), ("m/data/0", bytes(100_000)), ("m/version", b"3\n"))
    (served.folder / "m.pt").write_bytes(data)
    main(["scan", served.url("m.pt"), "--format", "json"])
    run = json.loads(capsys.readouterr().out)
    (artifact,) = run["artifacts"]
    assert artifact["digest"].startswith("sha256:")
    (check,) = (c for s in run["stages"] for c in s["checks"] if c["check"] == "model-file")
    assert check["outcome"] == "ran"
    assert check["note"] == f"all of its {len(data):,} bytes were read"
    assert served.sent == len(data)


def test_a_server_that_fails_is_not_a_wrong_address(
    served: Served, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served.lie = "failure"
    assert main(["scan", served.url("m.pt")]) == 5
    told = " ".join(capsys.readouterr().out.split())
    assert "the server failed (HTTP 500)" in told
    assert "try again later" in told
    assert "check the address" not in told


@pytest.mark.parametrize("read_here", [True, False])
def test_a_doubtful_witness_alone_stops_no_gate_where_our_own_look_read_the_file(read_here: bool) -> None:
    model = Artifact("m.pkl", Kind.MODEL, "sha256:" + "0" * 64, 10)
    report = {"severity": "OVERTLY_MALICIOUS", "analysis": "it is bad", "detailed_results": {}}
    examined = frozenset({"m.pkl"} if read_here else ())
    own = CheckResult("model-file", "models", "1", Outcome.RAN, examined=examined, eligible=1)
    *_, heard = join("fickling", json.dumps(report).encode(), [model], [own])
    (finding,) = heard.findings
    assert finding.confidence is Confidence.LOW
    assert (finding.severity <= Severity.MEDIUM) is read_here


def test_one_digest_that_differs_does_not_throw_the_whole_report_away() -> None:
    """ModelAudit 0.2.54 takes another digest of some `.npy` than the file's."""
    digest = "0" * 64
    models = [Artifact(name, Kind.MODEL, f"sha256:{digest}", 10) for name in ("a.pkl", "obj.npy")]
    rows = [("a.pkl", digest), ("obj.npy", "1" * 64)]
    artifacts = [{"location": {"uri": f"/m/{name}"}, "hashes": {"sha-256": found}} for name, found in rows]
    place = {"physicalLocation": {"artifactLocation": {"uri": "/m/a.pkl"}}}
    results = [{"level": "error", "message": {"text": "bad"}, "locations": [place], "ruleId": "S1"}]
    run = {"tool": {"driver": {"name": "ModelAudit"}}, "results": results, "artifacts": artifacts}
    report = {"runs": [{**run, "invocations": [{"properties": {"processCompleted": True}}]}]}
    heard = join("modelaudit", json.dumps(report).encode(), models, [])[-1]
    assert heard.outcome is Outcome.PARTIAL
    assert [finding.artifact.uri for finding in heard.findings] == ["a.pkl"]
    assert heard.examined == {"a.pkl"}
    (gap,) = heard.skipped
    assert gap.artifact is models[1]
    artifacts.pop(0)  # when all differ, it is about other files
    assert join("modelaudit", json.dumps(report).encode(), models, [])[-1].outcome is Outcome.FAILED


def test_a_gap_of_another_scanners_report_can_be_accepted(model: Path) -> None:
    Path("shipworthy.toml").write_text('[gates.scan]\naccept-partial = ["modelaudit:unread", "picklescan:absent"]\n')
    model.write_bytes(make.PLAIN)
    assert main(["scan", "model.pkl", "-q"]) == 0
