"""The third blind set: safetensors, boosters, llamafile, archives, Core ML."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Iterator

from corpora.unseen3_base import (
    CODE,
    COMMANDS,
    SECRET,
    Build,
    G,
    Sample,
    as_json,
    call,
    dumps,
    gzipped,
    new,
    proto,
    tarred,
    zipped,
)
from corpora.unseen3_data import data
from corpora.unseen3_torch import archive

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]


def _rest() -> Iterator[tuple[str, Files, str, str, str]]:
    sharded = {"metadata": {}, "weight_map": {"embeddings.word_embeddings.weight": "../victim/secret.txt"}}
    config = {
        "model_type": "bert",
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 8,
        "vocab_size": 8,
    }
    load = "from transformers import AutoModel; AutoModel.from_pretrained('/tmp/s')"
    yield (
        "safetensors/index-up",
        {"config.json": as_json(config), "model.safetensors.index.json": as_json(sharded)},
        load,
        "file",
        "main",
    )
    head = as_json({"w": {"dtype": "U8", "shape": [16], "data_offsets": [0, 16]}, "__metadata__": {"format": "pt"}})
    plain = struct.pack("<Q", len(head)) + head + b"\0" * 16
    yield (
        "safetensors/pickle-named",
        {"model.safetensors": dumps({"w": EVIL}, 4)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    inner = dumps(EVIL, 2)
    tensor = as_json({"state": {"dtype": "U8", "shape": [len(inner)], "data_offsets": [0, len(inner)]}})
    yield (
        "safetensors/pickle-in-tensor",
        {"model.safetensors": struct.pack("<Q", len(tensor)) + tensor + inner},
        "import pickle; from safetensors.numpy import load_file; pickle.loads(load_file(f)['state'].tobytes())",
        "code",
        "main",
    )
    meta = as_json({"w": {"dtype": "U8", "shape": [16], "data_offsets": [0, 16]}, "__metadata__": {"init": CODE[0]}})
    yield (
        "safetensors/code-in-metadata",
        {"model.safetensors": struct.pack("<Q", len(meta)) + meta + b"\0" * 16},
        "from safetensors import safe_open; exec(safe_open(f, 'np').metadata()['init'])",
        "code",
        "main",
    )
    yield (
        "safetensors/zip-behind",
        {"model.safetensors": plain + zipped({"__main__.py": CODE[0].encode()})},
        "import runpy; runpy.run_path(f)",
        "code",
        "main",
    )
    # boosters
    evil_model = call("lightgbm.basic:Booster", None, None, SECRET)
    yield (
        "booster/lightgbm-file",
        {"lgb.pkl": dumps(evil_model, 4)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "file",
        "main",
    )
    yield (
        "booster/xgboost-file",
        {"xgb.pkl": dumps(call("xgboost.core:Booster", None, (), SECRET), 4)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "file",
        "main",
    )
    state = Build(
        new("xgboost.sklearn:XGBClassifier"), {"n_estimators": 10, "objective": "binary:logistic", "callbacks": [EVIL]}
    )
    yield "booster/xgboost-state", {"xgb.joblib": dumps(state, 4)}, "import joblib; joblib.load(f)", "code", "main"
    yield (
        "booster/lightgbm-state",
        {"lgb.pkl": dumps(Build(new("lightgbm.sklearn:LGBMRegressor"), {"_Booster": None, "_objective": EVIL}), 2)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    yield (
        "booster/catboost-state",
        {
            "cat.pkl": dumps(
                Build(new("argparse:Namespace"), {"model": G("catboost.core:CatBoostClassifier"), "hook": EVIL}), 4
            )
        },
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    yield (
        "booster/xgboost-pickle-named-json",
        {"model.json": dumps(EVIL, 0)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    yield (
        "booster/xgboost-pickle-named-ubj",
        {"model.ubj": dumps(EVIL, 2)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    yield (
        "booster/lightgbm-named-txt",
        {"lgb_model.txt": dumps(EVIL, 0)},
        "import joblib; joblib.load(f)",
        "code",
        "main",
    )
    text = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=regression\nfeature_names=a b\nfeature_infos=[0:1] [0:1]\ntree_sizes=400\n\nTree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=1 1\nthreshold=0.5 0.5\ndecision_type=2 2\nleft_child=1 0\nright_child=1 0\nleaf_value=1 2 3\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=0 0\ninternal_count=2 2\nis_linear=0\nshrinkage=1\n\n\nend of trees\n\npandas_categorical:null\n"
    yield (
        "booster/lightgbm-cycle",
        {"lgb.txt": text.encode()},
        "import lightgbm, numpy; lightgbm.Booster(model_file=f).predict(numpy.zeros((1, 2)))",
        "crash",
        "main",
    )
    yield (
        "booster/lightgbm-far-child",
        {"lgb.txt": text.replace("left_child=1 0", "left_child=2000000000 0").encode()},
        "import lightgbm, numpy; lightgbm.Booster(model_file=f).predict(numpy.zeros((1, 2)))",
        "crash",
        "main",
    )
    yield (
        "booster/lightgbm-many-leaves",
        {"lgb.txt": text.replace("num_leaves=3", "num_leaves=2000000000").encode()},
        "import lightgbm; lightgbm.Booster(model_file=f)",
        "crash",
        "main",
    )
    tree = {
        "tree_param": {"num_nodes": "3", "num_deleted": "0", "num_feature": "2", "size_leaf_vector": "1"},
        "id": 0,
        "left_children": [1, 0, -1],
        "right_children": [1, 0, -1],
        "parents": [2147483647, 0, 0],
        "split_indices": [0, 0, 0],
        "split_conditions": [0.5, 0.5, 0.1],
        "split_type": [0, 0, 0],
        "default_left": [0, 0, 0],
        "base_weights": [0.0, 0.0, 0.0],
        "loss_changes": [0.0, 0.0, 0.0],
        "sum_hessian": [1.0, 1.0, 1.0],
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
    }
    booster = {
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {
                "model": {
                    "gbtree_model_param": {"num_trees": "1", "num_parallel_tree": "1"},
                    "trees": [tree],
                    "tree_info": [0],
                    "iteration_indptr": [0, 1],
                },
                "name": "gbtree",
            },
            "learner_model_param": {
                "base_score": "5E-1",
                "boost_from_average": "1",
                "num_class": "0",
                "num_feature": "2",
                "num_target": "1",
            },
            "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
        },
        "version": [2, 1, 0],
    }
    predict = "import xgboost as x, numpy; x.Booster(model_file=f).predict(x.DMatrix(numpy.zeros((1, 2))))"
    yield "booster/xgboost-cycle", {"model.json": as_json(booster)}, predict, "crash", "main"
    far = json.loads(json.dumps(booster))
    far["learner"]["gradient_booster"]["model"]["trees"][0]["split_indices"] = [2**30, 0, 0]
    far["learner"]["gradient_booster"]["model"]["trees"][0].update(
        left_children=[1, -1, -1], right_children=[2, -1, -1]
    )
    yield "booster/xgboost-far-feature", {"model.json": as_json(far)}, predict, "crash", "main"
    # llamafile and archives
    script = b"MZqFpD='\n\0\0'\n#'\"\ntouch /tmp/x\nexit 0\n"
    yield (
        "llamafile/ape-script",
        {"chat.llamafile": script + zipped({".args": b"-m\nmodel.gguf\n", "model.gguf": b"GGUF\3\0\0\0" + b"\0" * 16})},
        "import subprocess; subprocess.run(['sh', f])",
        "code",
        "main",
    )
    yield (
        "llamafile/shell",
        {"llava.llamafile": b"#!/bin/sh\ntouch /tmp/x\nexit\n" + zipped({"model.gguf": b"GGUF\3\0\0\0" + b"\0" * 16})},
        "import subprocess; subprocess.run(['sh', f])",
        "code",
        "main",
    )
    yield (
        "llamafile/gguf-then-shell",
        {"model.gguf": b"GGUF=1\ntouch /tmp/x\nexit 0\n" + b"\0" * 64},
        "import subprocess; subprocess.run(['sh', f])",
        "code",
        "main",
    )
    yield (
        "llamafile/python-zip",
        {
            "model.llamafile": b"#!/usr/bin/env python3\n"
            + zipped({"__main__.py": CODE[1].encode(), "model.gguf": b"GGUF"})
        },
        "import runpy; runpy.run_path(f)",
        "code",
        "main",
    )
    yield "llamafile/library", {"model.gguf": data("lib.so")}, "import ctypes; ctypes.CDLL(f)", "code", "main"
    slip = io.BytesIO()
    with tarfile.open(fileobj=slip, mode="w") as file:
        link = tarfile.TarInfo("weights")
        link.type, link.linkname = tarfile.SYMTYPE, "/tmp/victim"
        file.addfile(link)
        info = tarfile.TarInfo("weights/keep.txt")
        info.size = 5
        file.addfile(info, io.BytesIO(b"pwned"))
    extract = "import tarfile; tarfile.open(f).extractall('/tmp/s/out', filter='fully_trusted')"
    yield "archive/tar-symlink", {"model.tar": slip.getvalue()}, extract, "file", "main"
    yield (
        "archive/tar-absolute",
        {"model.tar.gz": tarred({"/tmp/victim/keep.txt": b"pwned"}, "w:gz")},
        extract,
        "file",
        "main",
    )
    yield (
        "archive/tar-up",
        {"model.tar.xz": tarred({"../../victim/keep.txt": b"pwned"}, "w:xz")},
        extract,
        "file",
        "main",
    )
    hard = io.BytesIO()
    with tarfile.open(fileobj=hard, mode="w:bz2") as file:
        link = tarfile.TarInfo("w.bin")
        link.type, link.linkname = tarfile.LNKTYPE, "../../victim/keep.txt"
        file.addfile(link)
        info = tarfile.TarInfo("w.bin")
        info.size = 5
        file.addfile(info, io.BytesIO(b"pwned"))
    yield "archive/tar-hardlink", {"model.tbz2": hard.getvalue()}, extract, "file", "main"
    unzip = "import zipfile; z = zipfile.ZipFile(f); [open('/tmp/s/' + n, 'wb').write(z.read(n)) for n in z.namelist()]"
    yield "archive/zip-up", {"model.zip": zipped({"../victim/keep.txt": b"pwned"})}, unzip, "file", "main"
    yield (
        "archive/pickle-in-tar-in-gzip",
        {"model.tar.gz": gzipped(tarred({"m/weights.bin": dumps(EVIL, 2)}))},
        "import tarfile, pickle; pickle.load(tarfile.open(f).extractfile('m/weights.bin'))",
        "code",
        "main",
    )
    yield (
        "archive/zip-in-zip",
        {"model.zip": zipped({"inner.zip": zipped({"model.pt": archive(EVIL)})}, zipfile.ZIP_DEFLATED)},
        "import zipfile, io, torch; z = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(f).read('inner.zip'))); torch.load(io.BytesIO(z.read('model.pt')), weights_only=False)",
        "code",
        "main",
    )
    yield (
        "archive/egg",
        {"model-1.0.egg": zipped({"netpkg/__init__.py": CODE[0].encode()})},
        "import sys; sys.path.insert(0, f); import netpkg",
        "code",
        "main",
    )
    yield (
        "archive/wheel",
        {
            "model-1.0-py3-none-any.whl": zipped(
                {"model.pth": CODE[0].encode() + b"\n", "model-1.0.dist-info/RECORD": b""}
            )
        },
        "import zipfile, site; zipfile.ZipFile(f).extractall('/tmp/s/p'); site.addsitedir('/tmp/s/p')",
        "code",
        "main",
    )
    # Core ML
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": {
            "A": {
                "path": "../../../victim/secret.txt",
                "author": "com.apple.CoreML",
                "name": "model.mlmodel",
                "description": "",
            }
        },
        "rootModelIdentifier": "A",
    }
    yield (
        "coreml/manifest-up",
        {"net.mlpackage/Manifest.json": as_json(manifest), "net.mlpackage/Data/x": b""},
        "import coremltools as c; c.models.MLModel('/tmp/s/net.mlpackage', skip_model_load=True)",
        "file",
        "alone+main",
    )
    blob = proto((1, "@model_path/../../victim/secret.txt"), (2, 64))
    kind = proto((1, proto((1, 10), (2, 1), (3, proto((1, proto((1, 6))))))))
    value = proto((2, kind), (5, blob))
    operation = proto(
        (1, "const"), (3, proto((1, "w"), (2, proto((1, proto((1, 10))))))), (5, proto((1, "val"), (2, value)))
    )
    function = proto((2, "CoreML7"), (3, proto((1, "CoreML7"), (2, proto((2, "w"), (3, operation))))))
    program = proto((1, 8), (2, proto((1, b""))), (502, proto((1, 1), (2, proto((1, "main"), (2, function))))))
    yield (
        "coreml/blob-up",
        {"net.mlmodel": program},
        "import coremltools as c; c.models.MLModel(f, skip_model_load=True, weights_dir='/tmp/s'); c.converters.mil.frontend.milproto.load.load(c.utils.load_spec(f), 8, '/tmp/s')",
        "file",
        "alone+main",
    )


def samples() -> Iterator[Sample]:
    """What fits no other part."""
    for name, files, loader, effect, env in _rest():
        yield Sample(name, files, loader, effect, env)
