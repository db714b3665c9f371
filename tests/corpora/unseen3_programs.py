"""The third blind set: TorchScript, exported programs, Arrow and Parquet."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator

from corpora.unseen3_base import COMMANDS, EXPRESSION, Sample, as_json, call, dumps, zipped
from corpora.unseen3_data import data
from corpora.unseen3_torch import archive

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]


def _programs() -> Iterator[Row]:
    load = "import torch; torch.jit.load(f)"
    for name, effect in (
        ("SaveAtLoad", "file"),
        ("MapAtLoad", "file"),
        ("ReadAtLoad", "file"),
        ("LoopAtLoad", "crash"),
        ("GrowAtLoad", "crash"),
    ):
        yield f"script-{name}", {"scripted.pt": data(f"torch/{name}.pt")}, load, effect
    run = load + "(torch.ones(1, 2))"
    for name in ("SaveInForward", "MapInSubmodule"):
        yield f"script-{name}", {"traced.pt": data(f"torch/{name}.pt")}, run, "file"
    yield (
        "script-by-torch-load",
        {"weights.pth": data("torch/SaveAtLoad.pt")},
        "import torch; torch.load(f, weights_only=False)",
        "file",
    )
    members = {}
    with zipfile.ZipFile(io.BytesIO(data("torch/exported.pt2"))) as file:
        members = {"exported/" + name.partition("/")[2]: file.read(name) for name in file.namelist()}
    model = json.loads(members["exported/models/model.json"])
    export = "import torch; torch.export.load(f)"

    def program(**changed: bytes) -> Files:
        return {"model.pt2": zipped({**members, **{"exported/" + k.replace("__", "/"): v for k, v in changed.items()}})}

    text = json.dumps(model)
    first = text.index('"expr_str": "') + 13
    evil = text[:first] + EXPRESSION + text[text.index('", "hint"', first) :]
    yield "exported-expression", program(**{"models__model.json": evil.encode()}), export, "code"
    joined = (
        text[:first]
        + "Symbol('s31', positive=True) + open('/tmp/x', 'w').write('1')"
        + text[text.index('", "hint"', first) :]
    )
    yield "exported-expression-sum", program(**{"models__model.json": joined.encode()}), export, "code"
    yield "exported-sample-inputs", program(**{"data__sample_inputs__model.pt": archive(EVIL)}), export, "code"
    config = {
        "config": {"c": {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}}
    }
    constants = {
        "data__constants__model_constants_config.json": as_json(config),
        "data__constants__opaque_obj_0": dumps(EVIL, 4),
    }
    yield "exported-opaque", program(**constants), export, "code"
    config["config"]["c"]["path_name"] = "tensor_0"
    constants = {
        "data__constants__model_constants_config.json": as_json(config),
        "data__constants__tensor_0": archive(EVIL),
    }
    yield "exported-constant", program(**constants), export, "code"
    weights = json.loads(members["exported/data/weights/model_weights_config.json"])
    weights["config"]["weight"]["use_pickle"] = True
    yield (
        "exported-weight",
        program(
            **{"data__weights__model_weights_config.json": as_json(weights), "data__weights__weight_0": archive(EVIL)}
        ),
        export,
        "code",
    )
    inside = {**{k: v for k, v in members.items() if "archive" in k or ".data" in k or "byteorder" in k}}
    inside["exported/data/aotinductor/model/net.wrapper.so"] = data("lib.so")
    meta = as_json({"AOTI_DEVICE_KEY": "cpu"})
    inside["exported/data/aotinductor/model/net.wrapper_metadata.json"] = meta
    yield (
        "compiled-package",
        {"model.pt2": zipped(inside)},
        "import torch; torch._inductor.aoti_load_package(f)",
        "code",
    )
    native = call("torch._ops:_Ops.load_library", call("torch._ops:_Ops"), "/tmp/s/ops.so")
    yield (
        "load-library",
        {"net.pt": archive(call("ctypes:CDLL", "/tmp/s/ops.so")), "ops.so": data("lib.so")},
        "import torch; torch.load(f, weights_only=False)",
        "code",
    )
    yield (
        "ops-library",
        {"net.pkl": dumps(native, 4), "ops.so": data("lib.so")},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
    )


def _arrow() -> Iterator[Row]:
    pq, ipc = "import pyarrow.parquet as p; p.read_table(f)", "import pyarrow as pa; pa.ipc.open_file(f).read_all()"
    yield "parquet", {"train.parquet": data("arrow/plain.parquet")}, pq, "code"
    yield (
        "parquet-schema-only",
        {"train.parquet": data("arrow/plain.parquet")},
        "import pyarrow.parquet as p; p.read_schema(f)",
        "code",
    )
    yield "parquet-zstd", {"part-0.pq": data("arrow/zstd.parquet")}, pq, "code"
    yield (
        "feather",
        {"table.feather": data("arrow/plain.feather")},
        "import pyarrow.feather as p; p.read_table(f)",
        "code",
    )
    yield "ipc-file", {"data.arrow": data("arrow/file.arrow")}, ipc, "code"
    yield (
        "ipc-stream",
        {"data-00000-of-00001.arrow": data("arrow/stream.arrow")},
        "import pyarrow as pa; pa.ipc.open_stream(f).read_all()",
        "code",
    )
    yield "nested", {"data.arrow": data("arrow/nested.arrow")}, ipc, "code"
    yield (
        "dataset",
        {"ds/part-0.parquet": data("arrow/plain.parquet")},
        "import pyarrow.dataset as d; d.dataset('/tmp/s/ds').to_table()",
        "code",
    )


def samples() -> Iterator[Sample]:
    """TorchScript and exported programs, and Arrow with types that are pickles."""
    for name, files, loader, effect in _programs():
        yield Sample(f"torch-program/{name}", files, loader, effect)
    for name, files, loader, effect in _arrow():
        yield Sample(f"arrow/{name}", files, loader, effect, "arrow13")
