"""Whose settings judge what is looked at, and which links are followed."""

import json
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import modelfile_samples as make
from shipworthy.cli import main

OWN = make.stream(make.name("mypackage.models", "Net") + b")\x81}b")
TRUSTING = '[scan]\ntrust = ["mypackage.models:*", "posix:system"]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with settings that vouch for a class, in the current folder."""
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "shipworthy.toml").write_text(TRUSTING)
    (folder / "models" / "own.pkl").write_bytes(OWN)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)
    return folder


def uris(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [row["uri"] for row in json.loads(capsys.readouterr().out)["artifacts"]]


def test_what_somebody_made_does_not_acquit_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "evil").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "evil" / "model.pkl").write_bytes(make.EVIL)
    own = TRUSTING + 'exclude = ["*.pkl"]\n[gates.scan]\nfail-on = "never"\n'
    (tmp_path / "evil" / "shipworthy.toml").write_text(own)
    (tmp_path / "elsewhere" / "shipworthy.toml").write_text(TRUSTING)
    for here in (tmp_path, tmp_path / "elsewhere"):
        monkeypatch.chdir(here)
        for target in (tmp_path / "evil", tmp_path / "evil" / "model.pkl"):
            assert main(["scan", str(target)]) == 1
            assert "evil/shipworthy.toml is not used" in capsys.readouterr().err
    assert main(["scan", "../evil/model.pkl", "--settings", "../evil/shipworthy.toml"]) == 0


def test_settings_that_are_not_used_need_not_be_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "m.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "other" / "pyproject.toml").write_text("= no TOML")
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "other/m.pkl"]) == 0


@pytest.mark.parametrize("named", [["models"], ["models/own.pkl"], ["models/own.pkl", "models"], ["."]])
def test_the_settings_of_the_current_folder_count(
    project: Path, named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", *named, "--check", "models", "--format", "json"]) == 0
    assert "models/own.pkl" in uris(capsys)


def test_the_settings_of_the_repository_count_further_down(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project / "models")
    for named in ("own.pkl", "."):
        assert main(["scan", named, "--format", "json"]) == 0
        assert uris(capsys) == ["models/own.pkl"]
    (project / ".git").rename(project.parent / "git")  # no repository: what lies above is not ours
    assert main(["scan", "own.pkl"]) == 1


@pytest.mark.parametrize("kind", ["table", "html", "markdown"])
def test_a_report_says_whose_settings_trust_what(project: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "models", "--format", kind]) == 0
    told = capsys.readouterr().out.replace("\\", "")
    assert "shipworthy.toml: trusts mypackage.models:*, posix:system" in told


@pytest.mark.parametrize("wrong", ["__main__.Net", "*", "a:b:c", ":", ""])
def test_a_wrong_trust_is_named_with_its_line(project: Path, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "shipworthy.toml").write_text(f'[scan]\ntrust = ["a:b", "{wrong}"]\n')
    assert main(["scan", "models"]) == 2
    told = capsys.readouterr().err
    assert "shipworthy.toml:2" in told
    assert f"`{wrong}` is no pattern of module:name" in told


def test_trust_counts_in_archives_too(project: Path) -> None:
    (project / "models" / "own.zip").write_bytes(make.zipped(("own.pkl", OWN)))
    assert main(["scan", "models"]) == 0
    (project / "shipworthy.toml").write_text("")
    assert main(["scan", "models/own.zip"]) == 1


def test_a_link_that_is_named_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "v2.pkl").write_bytes(make.EVIL)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("latest.pkl").symlink_to("../store/v2.pkl")
    for named in (["latest.pkl"], ["latest.pkl", "../store"]):
        assert main(["scan", *named, "--format", "json"]) == 1
        assert any(uri.endswith("latest.pkl") for uri in uris(capsys))
    assert main(["scan", "."]) == 3  # inside of a folder nobody has named it


def _cache(folder: Path, name: str, data: bytes) -> Path:
    snapshot = folder / "models--a--b" / "snapshots" / "0123456789abcdef"
    (folder / "models--a--b" / "blobs").mkdir(parents=True, exist_ok=True)
    snapshot.mkdir(parents=True, exist_ok=True)
    (folder / "models--a--b" / "blobs" / f"blob-of-{name}").write_bytes(data)
    (snapshot / name).symlink_to(f"../../blobs/blob-of-{name}")
    return snapshot


def test_a_hugging_face_cache_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = _cache(tmp_path, "model.safetensors", safetensors.numpy.save({"w": np.ones(3)}))
    _cache(tmp_path, "large.bin", pickle.dumps({"w": bytes(9 << 20)}))
    assert main(["scan", str(snapshot), "--check", "models", "--format", "json"]) == 0
    assert uris(capsys) == ["large.bin", "model.safetensors"]
    _cache(tmp_path, "pytorch_model.bin", make.EVIL)
    assert main(["scan", str(snapshot), "--check", "models"]) == 1
    (snapshot / "other.bin").symlink_to("../../../outside.bin")
    (tmp_path / "outside.bin").write_bytes(pickle.dumps([1]))
    (snapshot / "pytorch_model.bin").unlink()
    assert main(["scan", str(snapshot), "--check", "models"]) == 3


def test_an_address_that_nothing_reads_is_told_of_as_it_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "ftp://x/y"]) == 2
    told = capsys.readouterr().err
    assert "ftp://x/y: addresses of this kind are not read" in told
    assert "https://" in told
