"""Write HDF5, boosters and Flax files of the second held-out set; see unseen2_write.py."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from unseen2_write_units import CANARY, Evil


def hdf5(place: Callable[[str], str]) -> None:
    import h5py
    import numpy as np
    import pandas as pd
    import tables

    evil = pickle.dumps(Evil(), 4)
    at = lambda what: place(f"hdf5b/{what}/m.h5")
    with h5py.File(at("void-pickle"), "w") as h:
        h["model"] = np.void(evil)
    with h5py.File(at("attribute-pickle"), "w") as h:
        h.attrs["estimator"] = np.void(evil)
    with h5py.File(at("bytes-pickle"), "w") as h:
        h.create_dataset("models", data=[evil, evil], dtype=h5py.vlen_dtype(np.uint8)) if False else None
        d = h.create_dataset("models", (1,), dtype=h5py.vlen_dtype(np.uint8))
        d[0] = np.frombuffer(evil, "u1")
    with h5py.File(at("compressed-pickle"), "w") as h:
        h.create_dataset(
            "blob", data=np.frombuffer(evil + b"\0" * 4000, "u1"), chunks=(1024,), compression="gzip", shuffle=True
        )
    frame = pd.DataFrame({"a": [Evil.__new__(Evil)], "b": [1.0]}, dtype=object)
    frame.to_hdf(at("pandas-fixed"), key="model")
    with pd.HDFStore(at("pandas-attribute"), "w") as store:
        store["model"] = pd.DataFrame({"a": [1.0]})
        store.get_storer("model").attrs.metadata = Evil()
    with h5py.File(at("soft-external"), "w") as h:
        h["a"] = h5py.ExternalLink("/tmp/outside/canary.h5", "/data")
        h["w"] = h5py.SoftLink("/a")
    with h5py.File(at("deep-external"), "w") as h:
        group = h
        for i in range(40):
            group = group.create_group(f"g{i}")
        group["w"] = h5py.ExternalLink("../../../../outside/canary.h5", "data")
    with h5py.File(at("virtual-pattern"), "w") as h:
        layout = h5py.VirtualLayout((11,), "u1")
        layout[:] = h5py.VirtualSource("/tmp/outside/canary.h5", "data", (11,))
        h.create_virtual_dataset("w", layout, fillvalue=7)
    with h5py.File(at("external-two"), "w") as h:
        h.create_dataset("w", (72,), "u1", external=[("part.bin", 0, 8), (CANARY + ".txt", 8, 64)])
    Path(at("external-two")).with_name("part.bin").write_bytes(b"\0" * 8)
    with h5py.File(at("cycle"), "w") as h:
        a = h.create_group("a")
        a["again"] = h["/"]
        a["b"] = a
    with h5py.File(at("chunk-bomb"), "w") as h:
        for i in range(3):
            d = h.create_dataset(f"w{i}", (1 << 32,), "u1", chunks=(1 << 28,), compression="gzip", compression_opts=9)
            d[: 1 << 28] = 0
    with h5py.File(at("fill-2d"), "w") as h:
        h.create_dataset("w", (1 << 20, 1 << 20), "f8", chunks=(1, 1 << 20), fillvalue=1.0)
    with h5py.File(at("scale-offset"), "w") as h:
        h.create_dataset("w", (1 << 33,), "i4", chunks=(1 << 26,), scaleoffset=0)
    with tables.open_file(at("pytables-enum"), "w") as t:
        t.create_array(t.root, "x", [1, 2])
        t.root.x._v_attrs.FLAVOR_PICKLE = Evil()
        t.root._v_attrs.estimator = Evil()
    with tables.open_file(at("pytables-nested"), "w") as t:
        group = t.create_group("/", "models")
        t.create_vlarray(group, "m", tables.ObjectAtom()).append({"a": [Evil()]})
    layers = {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [
                {
                    "class_name": "Lambda",
                    "config": {
                        "name": "l",
                        "function": {
                            "class_name": "__lambda__",
                            "config": {"code": "4wEAAAAAAAAAAAAAAA==", "defaults": None, "closure": None},
                        },
                    },
                }
            ],
        },
    }
    with h5py.File(at("keras-variable-text"), "w") as h:
        h.attrs["keras_version"] = "3.0.0"
        h.attrs["backend"] = "tensorflow"
        h.attrs.create("model_config", json.dumps(layers), dtype=h5py.string_dtype())
    with h5py.File(at("keras-external-weights"), "w") as h:
        layer = h.create_group("layers/dense/vars")
        layer["0"] = h5py.ExternalLink("../../../../outside/canary.h5", "data")
    with h5py.File(at("anndata"), "w") as h:
        h.attrs["encoding-type"] = "anndata"
        h.attrs["encoding-version"] = "0.1.0"
        u = h.create_group("uns")
        u["model"] = np.void(evil)


def boosters(place: Callable[[str], str]) -> None:
    import catboost
    import lightgbm
    import numpy as np
    import xgboost

    x, y = np.random.default_rng(0).random((50, 2)), np.array([0, 1] * 25)
    at = lambda what, file: place(f"boosters2/{what}/{file}")
    model = xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, xgboost.DMatrix(x, y), 2)
    text = bytes(model.save_raw("json")).decode()
    one = json.loads(text)

    def xgb(what: str, change: Callable[[dict], object]) -> None:
        value = json.loads(text)
        change(value["learner"])
        Path(at(what, "m.json")).write_text(json.dumps(value))

    tree = lambda v: v["gradient_booster"]["model"]["trees"][0]
    xgb("xgboost-far-child", lambda v: tree(v)["left_children"].__setitem__(0, 1 << 28))
    xgb("xgboost-negative", lambda v: tree(v)["left_children"].__setitem__(0, -5))
    xgb("xgboost-far-feature", lambda v: tree(v)["split_indices"].__setitem__(0, 1 << 29))
    xgb("xgboost-features", lambda v: v["learner_model_param"].update(num_feature=str(1 << 31)))
    xgb("xgboost-classes", lambda v: v["learner_model_param"].update(num_class=str(1 << 30)))
    xgb("xgboost-nodes", lambda v: tree(v)["tree_param"].update(num_nodes=str(1 << 30)))
    xgb("xgboost-short", lambda v: tree(v).update(right_children=[1]))
    xgb("xgboost-iterations", lambda v: v["gradient_booster"]["model"].update(iteration_indptr=[0, 1 << 30]))
    xgb("xgboost-groups", lambda v: v["gradient_booster"]["model"].update(tree_info=[1 << 28, 1 << 28]))
    xgb(
        "xgboost-parallel",
        lambda v: v["gradient_booster"]["model"]["gbtree_model_param"].update(num_parallel_tree=str(1 << 31)),
    )
    ubj = bytes(model.save_raw("ubj"))
    at_l = ubj.find(b"L", 20)
    Path(at("ubjson-length", "m.ubj")).write_bytes(ubj[: at_l + 1] + struct.pack(">q", 1 << 50) + ubj[at_l + 9 :])
    Path(at("ubjson-nested", "m.ubj")).write_bytes(b"{L" + struct.pack(">q", 7) + b"learner" + b"[" * 2_000_000)
    place_of = ubj.find(b"[$")
    Path(at("ubjson-array", "m.ubj")).write_bytes(
        ubj[:place_of] + b"[$d#L" + struct.pack(">q", 1 << 44) + ubj[place_of + 13 :]
    )
    del one
    light = lightgbm.train(
        {"objective": "binary", "verbose": -1, "num_leaves": 4, "min_data_in_leaf": 2}, lightgbm.Dataset(x, y), 2
    )
    body = light.model_to_string()
    lines = body.split("\n")

    def lgb(what: str, key: str, value: str) -> None:
        done, out = False, []
        for line in lines:
            if line.startswith(key + "=") and not done:
                line, done = f"{key}={value}", True
            out.append(line)
        if not done:
            print("lightgbm: no", key)
        Path(at(what, "m.txt")).write_text("\n".join(line for line in out if not line.startswith("tree_sizes=")))

    lgb("lightgbm-far-child", "left_child", "1000000 2000000 3000000")
    lgb("lightgbm-negative", "right_child", "-1000000 -2000000 -3000000")
    lgb("lightgbm-feature", "split_feature", "1000000 1 0")
    lgb("lightgbm-features", "max_feature_idx", "2147483646")
    lgb("lightgbm-classes", "num_class", "1000000000")
    lgb("lightgbm-category", "num_cat", "2000000000")
    lgb("lightgbm-iteration", "num_tree_per_iteration", "0")
    Path(at("lightgbm-categorical", "m.txt")).write_text(
        body.replace("pandas_categorical:null", "pandas_categorical:" + "[" * 200000)
    )
    Path(at("lightgbm-machines", "m.txt")).write_text(
        body.replace(
            "parameters:\n",
            "parameters:\n[data: /tmp/outside/canary.txt]\n[output_model: /tmp/MARK]\n[input_model: /tmp/outside/canary.txt]\n[machine_list_filename: /tmp/outside/canary.txt]\n",
            1,
        )
    )
    Path(at("lightgbm-sizes", "m.txt")).write_text(
        "\n".join("tree_sizes=4 4000000000" if line.startswith("tree_sizes=") else line for line in lines)
    )
    cat = catboost.CatBoostClassifier(iterations=2, depth=2, verbose=False, allow_writing_files=False).fit(x, y)
    cat.save_model(at("catboost-length", "m.cbm"))
    data = Path(at("catboost-length", "m.cbm")).read_bytes()
    Path(at("catboost-length", "m.cbm")).write_bytes(data[:4] + struct.pack("<I", 0xFFFFFFF0) + data[8:])
    Path(at("catboost-tail", "m.cbm")).write_bytes(data + pickle.dumps(Evil()))
    Path(at("catboost-root", "m.cbm")).write_bytes(data[:8] + struct.pack("<I", 0x7FFFFFF0) + data[12:])
    cat.save_model(at("catboost-json-splits", "m.json"), format="json")
    value = json.loads(Path(at("catboost-json-splits", "m.json")).read_text())
    value["oblivious_trees"][0]["splits"] = value["oblivious_trees"][0]["splits"] * 40
    Path(at("catboost-json-splits", "m.json")).write_text(json.dumps(value))
    value = json.loads(json.dumps(value))
    value["oblivious_trees"][0]["splits"] = value["oblivious_trees"][1]["splits"]
    value["oblivious_trees"][0]["leaf_values"] = [1.0]
    Path(at("catboost-json-leaves", "m.json")).write_text(json.dumps(value))
    value["oblivious_trees"][0]["leaf_values"] = value["oblivious_trees"][1]["leaf_values"]
    value["features_info"]["float_features"][0]["flat_feature_index"] = 1 << 29
    Path(at("catboost-json-feature", "m.json")).write_text(json.dumps(value))


def flax(place: Callable[[str], str]) -> None:
    import flax.serialization as s
    import msgpack
    import numpy as np
    import orbax.checkpoint as ocp

    tree = {"params": {"Dense_0": {"kernel": np.ones((2, 3), np.float32)}}}
    good = s.msgpack_serialize(tree)
    evil = pickle.dumps(Evil())
    at = lambda what, data: Path(place(f"flax/{what}/flax_model.msgpack")).write_bytes(data)
    at("bytes-pickle", s.msgpack_serialize({**tree, "opt": evil}))
    at("extension-pickle", msgpack.packb({"params": msgpack.ExtType(42, evil)}))
    at("trailing", good + evil)
    at(
        "numpy-object",
        msgpack.packb(
            {
                b"params": {
                    b"nd": True,
                    b"type": b"O",
                    b"kind": b"O",
                    b"shape": (1,),
                    b"data": pickle.dumps(np.array([Evil()], dtype=object)),
                }
            }
        ),
    )
    at("deep", b"\x91" * 3_000_000 + b"\xc0")
    at("shape", msgpack.packb({"w": msgpack.ExtType(1, msgpack.packb(((1 << 40,), "float32", b"\0" * 16)))}))
    at(
        "chunks",
        msgpack.packb(
            {
                "__msgpack_chunked_array__": True,
                "shape": {"0": 1 << 40},
                "chunks": {"0": msgpack.ExtType(1, msgpack.packb(((1,), "float32", b"\0" * 4)))},
            }
        ),
    )
    at("map-count", b"\xdf\xff\xff\xff\xff" + good[1:])
    folder = Path(place("flax/orbax-shape/ck/x")).parent
    shutil.rmtree(folder, ignore_errors=True)
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_zarr3=False)) as c:
        c.save(str(folder), {"w": np.ones(4, np.float32)})
    for path in folder.rglob(".zarray"):
        value = json.loads(path.read_text())
        value["shape"], value["chunks"], value["fill_value"] = [1 << 36], [1 << 20], 1.0
        path.write_text(json.dumps(value))
