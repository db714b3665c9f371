"""`--since`: a scan is limited to what changed; a pipeline that is limited so does not pass without being told to."""

import json
import subprocess
from pathlib import Path

import pytest

from shipworthy.cli import main


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.py").write_text("import subprocess\nsubprocess.run('ls', shell=True)\n")
    (tmp_path / "train.csv").write_text("text,label\na,1\n")
    for args in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"],
    ):
        subprocess.run(["git", *args], check=True)
    (tmp_path / "new.py").write_text("x = 1\n")
    return tmp_path


def test_a_scan_looks_only_at_what_changed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", ".", "--since", "HEAD", "--check", "code", "--format", "json"]) == 0
    assert [row["uri"] for row in json.loads(capsys.readouterr().out)["artifacts"]] == ["new.py"]


def test_a_pipeline_that_is_limited_loads_everything_and_says_so(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "shipworthy.toml").write_text('[scan]\nchecks = ["code"]\n')
    assert main(["run", "ml", "--since", "HEAD", "--format", "json"]) == 3
    run = json.loads(capsys.readouterr().out)
    assert {row["uri"] for row in run["artifacts"]} == {"new.py", "old.py", "shipworthy.toml", "train.csv"}
    inventory = next(check for stage in run["stages"] for check in stage["checks"] if check["check"] == "inventory")
    assert inventory["outcome"] == "partial"
    assert "changed since HEAD" in inventory["note"]
    assert not run["findings"]


def test_a_scan_that_is_limited_says_to_what(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", ".", "--since", "HEAD", "--check", "code"]) == 0
    assert "only what changed since HEAD: 1 file" in " ".join(capsys.readouterr().out.split())
