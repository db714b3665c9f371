"""Writes the honest files of tests/data/models/{tensorflow,coreml,onnx} with the real libraries.

    pip install tensorflow-cpu coremltools onnx skl2onnx onnxruntime
    python tests/make_graph_models.py tests/data/models

Made with tensorflow-cpu 2.21.0, coremltools 9.0, onnx 1.23.2, skl2onnx 1.20.0 and onnxruntime 1.32.0; the folder
`tensorflow/keras2` with tensorflow-cpu 2.13.1.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def tensorflow(out: Path) -> None:
    import tensorflow as tf

    vocabulary = out / "words.txt"
    vocabulary.write_text("red\ngreen\nblue\n", encoding="utf-8")

    class Words(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tf.Variable([1.0, 2.0])
            file = tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            self.table = tf.lookup.StaticHashTable(file, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, words: tf.Tensor) -> tf.Tensor:
            tf.print("words", tf.shape(words))
            return tf.cast(self.table.lookup(words), tf.float32) * self.scale[1]

    module = Words()
    tf.saved_model.save(module, str(out / "words"), signatures=module.look)
    vocabulary.unlink()

    model = tf.keras.Sequential(
        [tf.keras.layers.Input((4,)), tf.keras.layers.Dense(3, activation="relu"), tf.keras.layers.Dense(1)]
    )
    if tf.__version__ < "2.16":
        model.save(str(out / "keras2"))
    else:
        model.export(str(out / "keras3"), verbose=False)

    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], "x")
        weight = tf.compat.v1.get_variable("w", [2, 2])
        y = tf.nn.softmax(x @ weight, name="y")
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        saver.save(session, str(out / "v1" / "model"))
        frozen = tf.compat.v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), ["y"])
        (out / "frozen.pb").write_bytes(frozen.SerializeToString())
        tf.compat.v1.saved_model.simple_save(session, str(out / "simple"), {"x": x}, {"y": y})

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    (out / "dense.tflite").write_bytes(converter.convert())
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    (out / "dense-quantized.tflite").write_bytes(converter.convert())

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def loop(x: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(3):
            x = tf.cond(tf.reduce_sum(x) > 0, lambda x=x: x - 1.0, lambda x=x: x + 1.0)
        return x

    converter = tf.lite.TFLiteConverter.from_concrete_functions([loop.get_concrete_function()])
    (out / "loop.tflite").write_bytes(converter.convert())

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def hashed(words: tf.Tensor) -> tf.Tensor:
        return tf.strings.to_hash_bucket_fast(words, 7)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([hashed.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (out / "flex.tflite").write_bytes(converter.convert())


def coreml(out: Path) -> None:
    import coremltools as ct
    import numpy as np
    from coremltools.converters.mil import Builder
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder

    builder = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", datatypes.Array(2))])
    builder.add_inner_product("fc", np.ones((2, 3)), np.ones(2), 3, 2, True, "x", "h")
    builder.add_activation("r", "RELU", "h", "y")
    (out / "layers.mlmodel").write_bytes(builder.spec.SerializeToString())

    @Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 64))])
    def program(x: object) -> object:
        weight = Builder.const(val=np.ones((32, 64), dtype=np.float32))
        return Builder.softmax(x=Builder.relu(x=Builder.linear(x=x, weight=weight)), axis=-1)

    @Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 4))])
    def counted(x: object) -> object:
        def test(turn: object, x: object) -> object:
            return Builder.less(x=turn, y=np.int32(10))

        def body(turn: object, x: object) -> tuple[object, object]:
            return Builder.add(x=turn, y=np.int32(1)), Builder.mul(x=x, y=2.0)

        return Builder.while_loop(_cond=test, _body=body, loop_vars=(np.int32(0), x))[1]

    spec = ct.convert(counted, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16).get_spec()
    (out / "loop.mlmodel").write_bytes(spec.SerializeToString())
    target = ct.target.iOS15
    ct.convert(program, convert_to="mlprogram", minimum_deployment_target=target).save(str(out / "program.mlpackage"))


def onnx_files(out: Path) -> None:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import quantize_dynamic
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    data = np.random.default_rng(0).random((30, 3)).astype("f4")
    forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(data, data[:, 0] > 0.5)
    (out / "forest.onnx").write_bytes(to_onnx(forest, data[:1]).SerializeToString())

    def value(name: str, size: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])

    standard = helper.make_opsetid("", 17)
    weight = numpy_helper.from_array(np.ones((16, 16), "f4"), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("x", 16)], [value("y", 16)], [weight])
    model = helper.make_model(graph, opset_imports=[standard])
    onnx.save(model, out / "plain.onnx")
    quantize_dynamic(out / "plain.onnx", out / "quantized.onnx")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(out / "optimized.onnx")
    onnxruntime.InferenceSession(str(out / "plain.onnx"), options, providers=["CPUExecutionProvider"])
    onnx.save(model, out / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=0)

    twice = helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [standard]
    )
    graph = helper.make_graph(
        [helper.make_node("Twice", ["x"], ["y"], domain="local")], "g", [value("x", 1)], [value("y", 1)]
    )
    imports = [standard, helper.make_opsetid("local", 1)]
    onnx.save(helper.make_model(graph, opset_imports=imports, functions=[twice]), out / "function.onnx")

    values = helper.make_tensor("v", TensorProto.FLOAT, [2], [1.0, 2.0])
    sparse = helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, [2], [0, 3]), [5])
    node = helper.make_node("Constant", [], ["s"], sparse_value=sparse)
    graph = helper.make_graph([node], "g", [], [helper.make_tensor_value_info("s", TensorProto.FLOAT, [5])])
    onnx.save(helper.make_model(graph, opset_imports=[standard]), out / "sparse.onnx")


def main() -> None:
    out = Path(sys.argv[1])
    for part in (tensorflow, coreml, onnx_files):
        place = out / part.__name__.removesuffix("_files")
        place.mkdir(parents=True, exist_ok=True)
        part(place)


if __name__ == "__main__":
    main()
