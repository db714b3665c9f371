"""What `explain` says of files that are no pickles, and of those that repeat themselves."""

from __future__ import annotations

from pathlib import Path

from format_rows import MODELS
from modelfile_samples import name, stream, torch_zip, zipped
from shipworthy.modelfile import explain


def test_a_file_that_runs_nothing_says_so() -> None:
    for place in ("rows/model.safetensors", "llm/little.gguf", "onnx/plain.onnx", "llm/bpe.spm"):
        assert "loading it imports and calls nothing" in explain(MODELS / place), place


def test_raw_data_is_no_format_that_was_not_recognised(tmp_path: Path) -> None:
    place = tmp_path / "m.pt"
    place.write_bytes(torch_zip(stream(b"}"), ("m/data/1", bytes(96))))
    told = explain(place)
    assert "verdict clean" in told
    assert "not recognised" not in told


def test_a_call_that_is_made_for_each_layer_is_told_once(tmp_path: Path) -> None:
    place = tmp_path / "m.pkl"
    place.write_bytes(stream(b"]" + (name("collections", "OrderedDict") + b")Ra") * 50))
    told = explain(place)
    assert told.count("OrderedDict()") == 1
    assert "50 times" in told
    two = stream(b"]" + (name("collections", "OrderedDict") + b")Ra") * 9)
    place.write_bytes(zipped(("a.pkl", two), ("b.pkl", two)))
    assert explain(place).count("OrderedDict() ... 9 times") == 2


def test_the_configuration_of_keras_is_among_what_was_read() -> None:
    assert "config.json: the configuration of Keras" in explain(MODELS / "keras" / "keras-3.15.1-normalized.keras")
