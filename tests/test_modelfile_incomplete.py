"""A model of which a part is not there: what was not looked at is said, and the gate counts it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import modelfile_samples as make
from format_rows import MODELS
from shipworthy.check import Context, registry
from shipworthy.checks.models import _beside
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
    depends = registry()[name].cache_on
    assert depends is not None
    shutil.copy(MODELS / "openvino" / "dense.xml", tmp_path / "dense.xml")
    before = depends(Context(tmp_path))
    shutil.copy(MODELS / "openvino" / "dense.bin", tmp_path / "dense.bin")
    whole = depends(Context(tmp_path))
    (tmp_path / "dense.bin").write_bytes(b"cut")
    assert len({before, whole, depends(Context(tmp_path))}) == 3
    (tmp_path / "dense.bin").unlink()
    assert depends(Context(tmp_path)) == before


def test_kept_results_follow_the_neighbours_in_a_large_tree_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_beside, "_FILES", 3)
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "note.txt").write_text("x")
    assert _beside.state(Context(tmp_path)) == _beside.state(Context(tmp_path))
    (tmp_path / "8" / "last.onnx").write_bytes(b"")
    assert _beside.state(Context(tmp_path)) != _beside.state(Context(tmp_path))
