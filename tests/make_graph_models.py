"""Writes the honest files of tests/data/models/{tensorflow,tflite,coreml,onnx} with the real libraries.

    pip install tensorflow-cpu coremltools onnx skl2onnx onnxruntime && python tests/make_graph_models.py OUT
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
                str(vocabulary), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(file, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, words: tf.Tensor) -> tf.Tensor:
            tf.print("words", tf.shape(words))
            return tf.cast(self.table.lookup(words), tf.float32) * self.scale[1]

    module = Words()
    tf.saved_model.save(module, str(out / "words"), signatures=module.look)
    vocabulary.unlink()

    model = tf.keras.Sequential([tf.keras.layers.Input((4,)), tf.keras.layers.Dense(3, activation="relu"),
                                 tf.keras.layers.Dense(1)])  # fmt: skip
    model.export(str(out / "keras3"), verbose=False) if hasattr(model, "export") else model.save(str(out / "keras2"))

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


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    tensorflow(out)


if __name__ == "__main__":
    main()
