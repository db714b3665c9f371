"""Files of other people that were flagged and are honest; what hides behind the same names is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import modelfile_samples as make
from shipworthy.modelfile import Verdict, scan, scan_bytes

FOUND = ("high", "critical")
SHELL = make.name("os", "system")
STATE = make.name("accelerate.state", "PartialState")
FLOAT = (
    make.reduced("numpy", "dtype", "f8", False, True)
    + b"(K\x03" + make.text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)  # fmt: skip
CREATE = make.name("dill._dill", "_create_array")
RECONSTRUCT = make.name("numpy._core.multiarray", "_reconstruct")
EMPTY = make.name("numpy", "ndarray") + b"K\x00\x85C\x01b\x87"
VALUES = b"(K\x01K\x02\x85" + FLOAT + b"\x89C\x10" + bytes(16) + b"t"


def arguments_of_training(kind: bytes) -> bytes:
    """`training_args.bin`: where and how it ran is kept beside the arguments."""
    held = STATE + b")\x81}(" + make.text("_cpu") + b"\x88" + make.text("distributed_type") + kind + b"ub"
    arguments = (
        make.name("transformers.training_args", "TrainingArguments") + b")\x81}" + make.text("distributed_state")
    )
    return make.stream(arguments + held + b"sb")


def test_the_arguments_of_a_training_with_accelerate() -> None:
    honest = make.reduced("accelerate.utils.dataclasses", "DistributedType", "NO")
    assert scan_bytes(arguments_of_training(honest)).verdict is Verdict.CLEAN
    assert scan_bytes(arguments_of_training(SHELL + make.text("id") + b"\x85R")).worst == "critical"
    assert scan_bytes(make.stream(STATE + b")R")).worst in FOUND  # its constructor joins a group of machines
    assert scan_bytes(make.call("accelerate.launchers", "debug_launcher", "x")).worst in FOUND
    shared = honest + b"}" + make.text("_value_") + make.text("x") + b"sb"
    assert scan_bytes(make.stream(shared)).worst in FOUND


@pytest.mark.parametrize("attributes", [b"", b"N", b"}"])
def test_arrays_that_dill_wrote(attributes: bytes) -> None:
    raw = CREATE + b"(" + RECONSTRUCT + EMPTY + VALUES + attributes + b"tR"
    assert scan_bytes(make.stream(raw)).verdict is Verdict.CLEAN
    old = raw.replace(make.text("numpy._core.multiarray"), make.text("numpy.core.multiarray"))
    assert scan_bytes(make.stream(old)).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    ("function", "inner", "state", "attributes"),
    [
        (SHELL, make.text("id") + b"\x85", VALUES, b"N"),
        (make.name("builtins", "str"), b")", VALUES, b"N"),
        (RECONSTRUCT, make.name("x", "Y") + b"K\x00\x85C\x01b\x87", VALUES, b"N"),
        (RECONSTRUCT, EMPTY, VALUES.replace(FLOAT, SHELL), b"N"),
        (RECONSTRUCT, EMPTY, VALUES.replace(b"\x89C\x10" + bytes(16), b"\x89" + RECONSTRUCT), b"N"),
        (RECONSTRUCT, EMPTY, b"}", b"N"),
        (RECONSTRUCT, EMPTY, VALUES, b"}" + make.text("sum") + RECONSTRUCT + b"s"),
        (RECONSTRUCT, EMPTY, VALUES, b"K\x01K\x02"),
        (b"N", EMPTY, VALUES, b"N"),
    ],
)
def test_dills_arrays_call_nothing_else(function: bytes, inner: bytes, state: bytes, attributes: bytes) -> None:
    report = scan_bytes(make.stream(CREATE + b"(" + function + inner + state + attributes + b"tR"))
    assert report.worst in FOUND
    assert function != SHELL or report.worst == "critical"


def test_types_that_dill_looks_up() -> None:
    factory = make.name("collections", "defaultdict") + make.reduced("dill._dill", "_load_type", "list") + b"\x85R"
    assert scan_bytes(make.stream(factory)).verdict is Verdict.CLEAN
    for name in ("CodeType", "FunctionType", "FileType", "type_", "eval", "memoryview"):
        assert scan_bytes(make.call("dill._dill", "_load_type", name)).worst in FOUND
    assert scan_bytes(make.stream(make.name("dill._dill", "_load_type") + b"]\x85R")).worst in FOUND
    assert scan_bytes(make.call("dill._dill", "_import_module", "os")).worst == "critical"
    called = make.reduced("dill._dill", "_load_type", "type") + b"(" + make.text("A") + b")}tR"
    assert scan_bytes(make.stream(called)).worst in FOUND


def test_a_diffusers_network_of_two_blocks(tmp_path: Path) -> None:
    """diffusers imports what an index of a pipeline names; in the configuration of a part two texts are settings."""
    network = {"_class_name": "UNet2DModel", "_diffusers_version": "0.35", "down_block_types": ["DownBlock2D"] * 2}
    for folder in ("unet", "vae"):
        (tmp_path / folder).mkdir()
        place = tmp_path / folder / "config.json"
        place.write_text(json.dumps(network), "utf-8")
        assert scan(place).verdict is Verdict.CLEAN
    for name, value in (
        ("model_index.json", network),
        ("config.json", {**network, "_class_name": "MyPipeline"}),
        ("config.json", {**network, "_class_name": ["mine", "Net"]}),
    ):
        place = tmp_path / name
        place.write_text(json.dumps(value), "utf-8")
        assert scan(place).worst in FOUND
