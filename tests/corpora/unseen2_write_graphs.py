"""Write Core ML, ExecuTorch, TensorFlow Lite and Paddle files of the second held-out set; see unseen2_write.py."""

# ruff: noqa: E731 (one attack a line)
from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from unseen2_write_units import CANARY, MARK, Evil


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
