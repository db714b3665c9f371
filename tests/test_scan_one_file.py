"""One file by itself is judged by what is in it, not by the folder that it happens to lie in."""

import json
import pickle
from pathlib import Path

import pytest

from shipworthy.cli import main


def test_an_honest_model_is_clean_wherever_it_lies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"layer": [0.1, 0.2], "name": "spam"}))
    assert main(["scan", str(path), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["artifacts"]
    assert (row["uri"], row["outcome"], row["findings"]) == ("weights.pkl", "clean", [])


def test_what_a_folder_lacks_is_said_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "weights.pkl").write_bytes(pickle.dumps({"layer": [0.1]}))
    for _ in range(2):  # the second time the cache answers
        capsys.readouterr()
        assert main(["scan", str(tmp_path), "--format", "json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert {finding["artifact"] for finding in run["findings"]} == {"."}
    assert [row["outcome"] for row in run["artifacts"] if row["uri"] == "weights.pkl"] == ["clean"]


def test_a_scan_looks_into_what_a_training_would_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A scan does not train, so what lies there is what was handed over."""
    (tmp_path / "shipworthy.toml").write_text('[train]\ncommand = ["python", "t.py"]\noutputs = { model = "model/" }\n')
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    assert main(["scan", str(tmp_path), "--settings", str(tmp_path / "shipworthy.toml"), "--format", "json"]) == 1
    rows = {row["uri"]: row["rules"] for row in json.loads(capsys.readouterr().out)["artifacts"]}
    assert rows["model/weights.pkl"] == ["model-code-execution"]


def test_several_files_and_folders_are_looked_at_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/one.pkl", "a/left.pkl", "b/deep/two.pkl", "b/three", "c/left.pkl"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps({"layer": [0.1]}))
    (tmp_path / "b" / "three").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    monkeypatch.chdir(tmp_path / "a")
    paths = ["one.pkl", "../b", str(tmp_path / "b" / "three"), "./one.pkl"]
    assert main(["scan", *paths, "--format", "json"]) == 1
    run = json.loads(capsys.readouterr().out)
    assert [row["uri"] for row in run["artifacts"]] == ["a/one.pkl", "b/deep/two.pkl", "b/three"]
    assert {finding["rule"] for finding in run["findings"]} == {"model-code-execution"}  # nothing about the folder


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one.pkl", "gone.pkl"], "gone.pkl"),
        (["one.pkl", "https://example.org/model.pkl"], "scanned by itself"),
        (["one.pkl", ".", "--shard", "5/4"], "no shard"),
        (["one.pkl", "two.pkl", "--shard", "1/2", "--format", "json"], "only a folder"),
    ],
)
def test_several_targets_that_make_no_sense_are_refused(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one.pkl", "two.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps([0.1]))
    monkeypatch.chdir(tmp_path)
    assert main(["scan", *arguments]) == 2
    assert said in capsys.readouterr().err
