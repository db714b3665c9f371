"""A model of which a part is not there: what was not looked at is said, and the gate counts it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import modelfile_samples as make
from format_rows import MODELS
from shipworthy.check import registry
from shipworthy.checks.models import _beside
from shipworthy.cli import main
from shipworthy.model import Artifact, Kind
from shipworthy.modelfile import Report, scan


def missing(report: Report) -> bool:
    return bool(report.issues) and report.worst == "medium" and bool(report.unknowns)


def test_a_graph_whose_weights_are_not_beside_it(tmp_path: Path) -> None:
    source = MODELS / "onnx" / "external.onnx"
    assert not scan(source).unknowns
    model = Path(shutil.copy(source, tmp_path))
    assert missing(scan(model))
    for name in {path.name for path in source.parent.iterdir()} - {"external.onnx"}:
        whole = (source.parent / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 8])
    assert missing(scan(model))


@pytest.mark.parametrize("name", ["openvino/dense.xml"])
def test_a_description_without_its_weights(name: str, tmp_path: Path) -> None:
    assert not scan(MODELS / name).unknowns
    assert missing(scan(shutil.copy(MODELS / name, tmp_path)))


def test_an_index_whose_shards_are_not_there(tmp_path: Path) -> None:
    names = [f"model-{number}-of-4.safetensors" for number in range(1, 5)]
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict(zip("abcd", names, strict=True))}), "utf-8")
    report = scan(index)
    assert not report.issues  # an index alone is nothing odd, and not the model
    assert "4 of the 4 files" in report.unknowns[0]
    for name in names[:3]:
        (tmp_path / name).write_bytes(b"")
    assert "1 of the 4 files of the index are not beside it: model-4-of-4.safetensors" in scan(index).unknowns[0]
    (tmp_path / names[3]).write_bytes(b"")
    assert not scan(index).unknowns
    index.write_text(json.dumps({"weight_map": {"a": "x" * 5000 + ".safetensors"}}), "utf-8")
    assert "1 of the 1 files" in scan(index).unknowns[0]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    """The scan goes on: the file system's refusal is no reason to read nothing."""
    model = tmp_path / "model.onnx"
    model.write_bytes(make.onnx((make.node("Add"),), (make.tensor("w", location="x" * 3000),)))
    assert missing(scan(model))


@pytest.mark.parametrize("name", ["model-file", "model-text"])
def test_kept_results_are_not_those_of_another_folder(name: str, tmp_path: Path) -> None:
    """The same model, once with its weights and once without, has one digest."""
    depends = registry()[name].cache_beside
    assert depends is not None
    path = tmp_path / "dense.pkl"  # its content tells, not its name
    shutil.copy(MODELS / "openvino" / "dense.xml", path)
    model = Artifact("models/dense.xml", Kind.MODEL, "sha256:", 1, path=path)
    before = depends(model)
    shutil.copy(MODELS / "openvino" / "dense.bin", tmp_path / "dense.bin")
    whole = depends(model)
    (tmp_path / "dense.bin").write_bytes(b"cut")
    assert len({before, whole, depends(model)}) == 3
    (tmp_path / "dense.bin").unlink()
    assert depends(model) == before


def test_nothing_is_kept_of_what_lies_among_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_beside, "_FILES", 3)
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text("x")
    model = Artifact("m.onnx", Kind.MODEL, "sha256:", 1, path=tmp_path / "m.onnx")
    (tmp_path / "m.pkl").write_bytes(make.PLAIN)
    other = Artifact("m.pkl", Kind.MODEL, "sha256:", len(make.PLAIN), path=tmp_path / "m.pkl")
    assert _beside.state(model) != _beside.state(model)
    assert _beside.state(other) == ""


def test_a_graph_that_lost_its_weights_is_not_taken_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for suffix in ("xml", "bin"):
        shutil.copy(MODELS / "openvino" / f"dense.{suffix}", tmp_path / f"dense.{suffix}")
    for _ in range(2):
        assert main(["scan", "dense.xml"]) == 0
    (tmp_path / "dense.bin").unlink()
    assert main(["scan", "dense.xml"]) == 3
