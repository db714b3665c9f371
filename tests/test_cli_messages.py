"""Messages for what goes wrong every day: they say what is the matter and what to write next."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.checks.dependencies._database import DEFAULT_URL, update_database
from shipworthy.cli import main
from shipworthy.errors import EnvironmentFailure
from shipworthy.keys import new_key


def test_verify_before_anything_is_stored_asks_for_no_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shipworthy.toml").write_text('project = "mail"\n[sign]\nkey = "file:../keys/release.key"\n')
    assert main(["verify", "-C", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "nothing is stored as `mail` yet" in told
    assert "`shipworthy run ml`" in told
    assert "release.key" not in told


def test_verify_tells_what_is_unreadable_from_what_does_not_verify(tmp_path: Path) -> None:
    new_key(tmp_path / "k.key")
    evidence = tmp_path / "evidence"
    (evidence / "gate.sigstore.json").mkdir(parents=True)
    command = ["verify", str(evidence), "--key", str(tmp_path / "k.key.pub"), "-C", str(tmp_path), "-q"]
    assert main(command) == 5
    (evidence / "scan.sigstore.json").write_text("{}")
    assert main(command) == 4


def test_an_update_without_network_says_so_and_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        update_database("https://advisories.invalid/all.zip", tmp_path, timeout=5)
    assert "advisories.invalid could not be reached (its name is not known here)" in str(caught.value)
    assert "stay as they were" in caught.value.remedy
    assert "`shipworthy db import all.zip`" in caught.value.remedy
    with pytest.raises(EnvironmentFailure, match=r"localhost could not be reached \(it refuses connections"):
        update_database("http://localhost:9/all.zip", tmp_path, timeout=5)


def test_importing_what_is_not_there_says_which_file_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "import", str(tmp_path / "nope.zip")]) == 2
    told = capsys.readouterr().err
    assert "OSV format" in told
    assert DEFAULT_URL in told


@pytest.mark.parametrize(("name", "kind"), [("train.py", "code"), ("rows.csv", "dataset"), ("README.md", "text")])
def test_explain_says_that_a_file_is_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    (tmp_path / name).write_text("import os\n")
    assert main(["explain", str(tmp_path / name)]) == 2
    told = capsys.readouterr()
    assert f"this is no model file (its kind is {kind})" in told.err
    assert f"shipworthy scan {tmp_path / name}" in told.err
    assert not told.out


def test_explain_still_explains_what_a_model_loader_would_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.bin").write_bytes(b"nothing known")
    (tmp_path / "notes.txt").write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    assert main(["explain", str(tmp_path / "model.bin")]) == 0
    assert main(["explain", str(tmp_path / "notes.txt")]) == 0
    assert "os:system" in capsys.readouterr().out


def test_sign_takes_the_path_of_a_key_as_people_write_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "100% mine?.key"
    new_key(key)
    (tmp_path / "data.csv").write_text("a\n1\n")
    for given, code in ((str(key), 0), (str(tmp_path / "none.key"), 2), ("vault:key", 2)):
        command = ["sign", str(tmp_path / "data.csv"), "--key", given, "--output", str(tmp_path / "data.sig")]
        assert main(command) == code
    told = capsys.readouterr().err
    assert "there is no such key" in told
    assert "no key provider for 'vault'" in told
