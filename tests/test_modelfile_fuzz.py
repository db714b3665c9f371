"""Readers against damaged files: a short run of the harness, and what long ones found."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.mutations import mutated
from fuzz.readers import Sample, examine
from fuzz.seeds import MODELS, Seed
from shipworthy.modelfile import View, scan_bytes, scan_view

HARNESS = Path(__file__).parent / "fuzz" / "readers.py"


def test_a_short_run_finds_nothing() -> None:
    run = subprocess.run(
        [sys.executable, HARNESS, "--count", "4000", "--first", "7000000"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert ", 0 faults" in run.stdout


@pytest.mark.parametrize("name", ["onnx/plain.onnx", "keras/keras-2.15-functional.json", "hdf5/h5py-latest.h5"])
def test_a_seed_is_a_file(name: str) -> None:
    data = (MODELS / name).read_bytes()
    made = [[mutated(random.Random(number), data, b"other", "") for number in range(60)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40


def test_the_harness_notices_what_a_reader_must_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    path = MODELS / "onnx" / "plain.onnx"
    seed = Seed("plain", "onnx", path.read_bytes(), path, True)
    item = Sample(1, seed, seed.data)
    clean = scan_bytes(seed.data)

    def broken(*_: object, **__: object) -> None:
        raise RecursionError

    def greedy(*_: object, **__: object) -> object:
        assert len(bytearray(b"x") * (300 << 20))
        return clean

    assert clean.verdict == "clean"
    assert not examine(item)
    for scanner, what in ((broken, "RecursionError"), (greedy, "MiB")):
        monkeypatch.setattr("fuzz.readers.scan_view", scanner)
        assert what in examine(item)
    monkeypatch.setattr("fuzz.readers.scan_view", lambda *_, **__: clean)
    assert "without its end" in examine(Sample(1, seed, seed.data[:-9], shortened=True))


@pytest.mark.parametrize("name", ["dense.bin", "loop.bin"])
@pytest.mark.parametrize("missing", [1, 5, 1000])
def test_openvino_weights_without_their_end_are_broken(name: str, missing: int) -> None:
    path = MODELS / "openvino" / name
    report = scan_view(View.of(path.read_bytes()[:-missing]), path=path)
    assert [issue.code for issue in report.issues] == ["broken-stream"]


# Found by the harness, each shortened to what matters.


@pytest.mark.parametrize("module", [1 << 31, ["keras"], {}, 0.5, True])
def test_a_keras_function_whose_module_is_no_text(module: object) -> None:
    function = {"module": module, "class_name": "function", "config": "system", "registered_name": "function"}
    layers = [
        {"module": "keras.layers", "class_name": "Lambda", "registered_name": None, "config": {"function": function}},
        {"module": "keras.layers", "class_name": "Dense", "registered_name": None, "config": {"activation": function}},
        {"class_name": "TypeSpec", "type_spec": module, "spec_name": module, "module": module},
    ]
    for layer in layers:
        config = {"module": "keras", "class_name": "Sequential", "registered_name": None, "config": {"layers": [layer]}}
        assert scan_bytes(json.dumps(config).encode()).verdict != "clean"


@pytest.mark.parametrize("missing", [1, 60, 100])
def test_paddle_parameters_that_lack_a_tensor_of_the_program_beside_them(missing: int) -> None:
    path = MODELS / "paddle" / "dense.pdiparams"
    data = path.read_bytes()
    assert scan_view(View.of(data), path=path).verdict == "clean"
    for size in (142, len(data) - missing):
        assert "broken-stream" in [issue.code for issue in scan_view(View.of(data[:size]), path=path).issues]


@pytest.mark.parametrize("missing", [1, 9, 40])
def test_a_legacy_torch_file_without_all_of_its_storages(missing: int) -> None:
    path = MODELS / "pickles" / "torch213-torch.nn.LinearCrossEntropyLoss-state-legacy.pt"
    report = scan_bytes(path.read_bytes()[:-missing])
    assert report.issues[0].code == "broken-stream"
