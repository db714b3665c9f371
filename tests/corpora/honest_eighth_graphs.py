# ruff: noqa: E501, E731 - makers are short functions
"""Keras 3 on TensorFlow, torch and jax, TensorFlow Lite, TensorFlow.js, and Flax for the eighth set."""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at
from honest_eighth_tables import TITLES, Kinds

SEED = 8


def backend() -> str:
    """What is there, and Keras told so."""
    find = importlib.import_module("importlib.util").find_spec
    found = next((name for name in ("tensorflow", "torch", "jax") if find(name) and find("keras")), "")
    os.environ.setdefault("KERAS_BACKEND", found or "tensorflow")
    return found


def nets() -> dict[str, Callable[[], Any]]:
    """Keras models, most of them trained for a step."""
    keras = importlib.import_module("keras")
    layers, draw = keras.layers, np.random.default_rng(SEED)

    def trained(stack: list[Any], shape: Any, target: Any, loss: Any, optimizer: Any, metrics: Any = ("mae",)) -> Any:
        model = keras.Sequential([keras.Input(shape, name="eingabe"), *stack], name="modell_8")
        model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
        model.fit(draw.random((len(target), *shape), "float32"), target, epochs=1, verbose=0)
        return model

    def functional() -> Any:
        a, b = keras.Input((5,), name="zahlen"), keras.Input((7,), name="wörter", dtype="int32")
        x = layers.GlobalMaxPooling1D()(layers.Embedding(30, 5, mask_zero=False)(b))
        x = layers.Concatenate(axis=-1)([layers.Dense(5, activation="gelu")(a), x])
        y = layers.Average()([layers.Dense(3)(x), layers.Dense(3, activation="tanh")(x)])
        return keras.Model(
            {"zahlen": a, "wörter": b},
            {"eins": y, "zwei": layers.Dense(1, activation="sigmoid")(layers.Subtract()([y, y]))},
        )

    def attention() -> Any:
        x = keras.Input((6, 8))
        y = layers.LayerNormalization()(x + layers.GroupQueryAttention(4, 2, 1)(x, x))
        return keras.Model(
            x,
            layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Add()([y, layers.Dense(8, activation="silu")(y)]))),
        )

    def operations() -> Any:
        x = keras.Input((4, 4, 3))
        y = keras.ops.transpose(keras.ops.clip(x * 2.0 - 1.0, -1.0, 1.0), (0, 3, 1, 2))
        return keras.Model(x, layers.Dense(2)(keras.ops.mean(keras.ops.reshape(y, (-1, 3, 16)), axis=1)))

    def shared() -> Any:
        a, b = keras.Input((4,)), keras.Input((4,))
        tower = keras.Sequential(
            [keras.Input((4,)), layers.Dense(3, activation="relu"), layers.UnitNormalization()], name="turm"
        )
        return keras.Model([a, b], layers.Dot(axes=1)([tower(a), tower(b)]))

    def preprocessed() -> Any:
        inputs = {"stadt": keras.Input((1,), name="stadt", dtype="string"), "alter": keras.Input((1,), name="alter")}
        city = layers.StringLookup(vocabulary=["Köln", "Łódź"], num_oov_indices=2, output_mode="multi_hot")(
            inputs["stadt"]
        )
        age = layers.CategoryEncoding(num_tokens=4, output_mode="one_hot")(
            layers.Discretization([10.0, 20.0, 30.0])(inputs["alter"])
        )
        return keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([city, age])))

    def texts() -> Any:
        words = layers.TextVectorization(max_tokens=30, output_mode="tf_idf", split="character")
        words.adapt(TITLES)
        return keras.Sequential([keras.Input((1,), dtype="string"), words, layers.Dense(2)])

    def normalized() -> Any:
        norm = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0], invert=False)
        return keras.Sequential(
            [keras.Input((3,)), norm, layers.Dense(2, kernel_constraint="max_norm", bias_initializer="ones")]
        )

    plan = lambda: keras.optimizers.schedules.CosineDecay(0.01, 50, warmup_target=0.02, warmup_steps=5)
    return {
        "dense": lambda: trained([layers.Dense(6, activation="mish", activity_regularizer="l1"), layers.SpatialDropout1D(0.1) if False else layers.GaussianDropout(0.1), layers.Dense(3, activation="softmax")], (5,), np.arange(9) % 3, keras.losses.SparseCategoricalCrossentropy(ignore_class=-1), keras.optimizers.Lion(plan()), (keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2"),)),
        "image": lambda: trained([layers.Conv2D(4, 3, padding="same", kernel_regularizer=keras.regularizers.L2(0.01)), layers.GroupNormalization(2), layers.Activation("relu6"), layers.DepthwiseConv2D(3, strides=2), layers.GlobalAveragePooling2D(keepdims=True), layers.Flatten(), layers.Dense(1, activation="sigmoid")], (9, 9, 2), np.arange(8) % 2, keras.losses.BinaryFocalCrossentropy(gamma=1.5), keras.optimizers.Adagrad(0.1), (keras.metrics.AUC(), keras.metrics.Precision(0.4))),
        "series": lambda: trained([layers.Bidirectional(layers.GRU(3, return_sequences=True, reset_after=True)), layers.LSTM(3, recurrent_dropout=0.1), layers.Dense(2)], (5, 3), np.random.default_rng(1).random((8, 2)), keras.losses.LogCosh(), keras.optimizers.Adafactor(0.01)),
        "stacked": lambda: trained([layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), layers.Dense(1)], (4, 2), np.arange(8.0), "mape", keras.optimizers.Adam(clipnorm=1.0, use_ema=True, amsgrad=True)),
        "regression": lambda: trained([layers.Dense(4, activation="hard_silu", kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out"), dtype="bfloat16" if False else None), layers.Dense(2, use_bias=False)], (6,), np.random.default_rng(2).random((8, 2)), ["mse"], keras.optimizers.Ftrl(0.1)),
        "mixed": lambda: keras.Sequential([keras.Input((4,)), layers.Dense(4, dtype="mixed_bfloat16"), layers.Dense(1, dtype="float32")]),
        "one-dimension": lambda: keras.Sequential([keras.Input((12, 2)), layers.SeparableConv1D(3, 3, dilation_rate=2), layers.MaxPooling1D(2), layers.Conv1DTranspose(2, 3), layers.Cropping1D((1, 2)), layers.SpatialDropout1D(0.2), layers.Flatten(), layers.Dense(1)]),
        "volume": lambda: keras.Sequential([keras.Input((4, 4, 4, 1)), layers.Conv3D(2, 2), layers.AveragePooling3D(2), layers.ZeroPadding3D(1), layers.Flatten(), layers.Dense(1)]),
        "images": lambda: keras.Sequential([keras.Input((12, 12, 3)), layers.Rescaling(1 / 127.5, offset=-1), layers.RandomContrast(0.2), layers.RandomZoom(0.1), layers.CenterCrop(8, 8), layers.Resizing(6, 6), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)]),
        "activations": lambda: keras.Sequential([keras.Input((5,)), layers.LeakyReLU(0.1), layers.ELU(0.5), layers.PReLU(), layers.Softmax(), layers.ActivityRegularization(0.1), layers.Dense(1, activation="hard_sigmoid")]),
        "einsum": lambda: keras.Sequential([keras.Input((3, 4)), layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d"), layers.Permute((2, 1)), layers.Reshape((15,)), layers.RepeatVector(2), layers.SimpleRNN(2)]),
        "spectral": lambda: keras.Sequential([keras.Input((6, 6, 2)), layers.SpectralNormalization(layers.Conv2D(3, 2)), layers.BatchNormalization(momentum=0.9, center=False), layers.GlobalMaxPooling2D(), layers.Dense(1)]),
        "lora": lambda: _adapted(keras.Sequential([keras.Input((4,)), layers.Dense(6, name="angepasst"), layers.Dense(1)])),
        "int8": lambda: _quantized(keras.Sequential([keras.Input((4,)), layers.Dense(6), layers.Dense(1)])),
        "mobile": lambda: keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None, classes=3),
        "functional": functional, "attention": attention, "operations": operations, "shared": shared, "preprocessed": preprocessed, "texts": texts, "normalized": normalized,
    }  # fmt: skip


def _adapted(model: Any) -> Any:
    model.layers[0].enable_lora(2)
    return model


def _quantized(model: Any) -> Any:
    model.quantize("int8")
    return model


def _lite(folder: Path, model: Any, how: str) -> None:
    import tensorflow as tf

    converter, size = tf.lite.TFLiteConverter.from_keras_model(model), [1, *model.inputs[0].shape[1:]]
    if how in ("dynamic", "half", "int8", "full", "int16"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how == "half":
        converter.target_spec.supported_types = [tf.float16]
    if how in ("int8", "full", "int16"):
        converter.representative_dataset = lambda: (
            [np.random.default_rng(i).random(size, "float32")] for i in range(3)
        )
    if how == "full":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    if how == "int16":
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
    if how == "select":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    (folder / f"modell_{how}.tflite").write_bytes(converter.convert())  # fmt: skip


def _signatures(folder: Path) -> None:
    import tensorflow as tf

    class Counter(tf.Module):
        def __init__(self) -> None:
            self.total = tf.Variable(1.0, name="summe")

        @tf.function(input_signature=[tf.TensorSpec([None, 3])])
        def add(self, x: Any) -> Any:
            return {"out": tf.nn.top_k(x * self.total, 2).values}

        @tf.function(input_signature=[tf.TensorSpec([3, 3])])
        def solve(self, x: Any) -> Any:
            return {"det": tf.cond(tf.reduce_sum(x) > 0, lambda: tf.reduce_max(x), lambda: tf.reduce_min(x))}

    made = Counter()
    tf.saved_model.save(
        made,
        str(folder / "2"),
        signatures={"add": made.add, "solve": made.solve},
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )
    (folder / "zwei.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder / "2"), signature_keys=["add", "solve"]).convert())  # fmt: skip


def _web(folder: Path, how: str) -> None:
    """By the converter of TensorFlow.js; two libraries that it imports for other inputs are not there."""
    for name in ("tensorflow_decision_forests", "jax", "jax.experimental", "jax.experimental.jax2tf"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["jax.experimental"].jax2tf = sys.modules["jax.experimental.jax2tf"]  # type: ignore[attr-defined]
    np.object, np.bool = object, bool  # type: ignore[attr-defined]
    keras, lib = importlib.import_module("tf_keras"), importlib.import_module("tensorflowjs")
    layers = keras.layers
    stack = {
        "dense": [keras.Input((4,)), layers.Dense(6, activation="relu"), layers.Dense(2)],
        "image": [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten(), layers.Dense(2)],
        "series": [keras.Input((5, 2)), layers.LSTM(3), layers.Dense(1)],
    }  # fmt: skip
    name, _, way = how.partition("-")
    model = keras.Sequential(stack[name])
    quantized = {"half": {"float16": "*"}, "u8": {"uint8": "*"}}.get(way)
    if way == "graph":
        model.save(str(folder / "saved"), save_format="tf")
        lib.converters.convert_tf_saved_model(str(folder / "saved"), str(folder / "web"))
        __import__("shutil").rmtree(folder / "saved")
    else:
        lib.converters.save_keras_model(model, str(folder / "web"), quantization_dtype_map=quantized)


def keras_kinds() -> Kinds:
    """Each net in two forms or three; on TensorFlow also as TensorFlow Lite and SavedModel."""
    found, made = backend(), {}
    if not found:
        return {}
    ways: dict[str, Callable[[Path, Any], Any]] = {
        "keras": lambda folder, model: model.save(folder / "modell.keras"),
        "h5": lambda folder, model: model.save(folder / "modell.h5"),
        "weights": lambda folder, model: model.save_weights(folder / "modell.weights.h5"),
        "sharded": lambda folder, model: model.save_weights(folder / "modell.weights.json", max_shard_size=0.0005),
        "json": lambda folder, model: (folder / "modell.json").write_text(model.to_json(indent=1), encoding="utf-8"),
        "onnx": lambda folder, model: model.export(str(folder / "modell.onnx"), format="onnx", verbose=False),
        "openvino": lambda folder, model: model.export(str(folder / "modell.xml"), format="openvino", verbose=False),
    }  # fmt: skip
    if found == "tensorflow":
        ways["saved"] = lambda folder, model: model.export(str(folder / "saved"), verbose=False)
        ways["checkpoint"] = lambda folder, model: at("tensorflow.train.Checkpoint")(model=model).write(
            str(folder / "ckpt")
        )
    lite = ("float", "dynamic", "half", "int8", "full", "int16")
    for index, (name, make) in enumerate(nets().items()):
        for way in ("keras", *[w for i, w in enumerate(ways) if i and (i + index) % 3 == 0]):
            made[f"keras.{name}.{way}"] = lambda folder, make=make, way=way: ways[way](folder, make())
        if found == "tensorflow":
            made[f"tflite.{name}"] = lambda folder, make=make, name=name: _lite(
                folder, make(), "select" if name in ("texts", "preprocessed") else "float"
            )
            for how in (lite[index % 6], lite[(index + 3) % 6]):
                made[f"tflite.{name}.{how}"] = lambda folder, make=make, how=how: _lite(folder, make(), how)
    if found == "tensorflow":
        made["tensorflow.signatures"] = _signatures
        for how in ("dense-plain", "dense-u8", "image-half", "image-graph", "series-plain", "series-graph"):
            made[f"tfjs.{how}"] = lambda folder, how=how: _web(folder, how)
    return made  # fmt: skip


def flax_kinds() -> Kinds:
    """States by msgpack, Orbax and safetensors, of linen and nnx."""
    if not importlib.import_module("importlib.util").find_spec("flax"):
        return {}

    def linen(kind: str) -> Any:
        import jax
        import optax
        from flax import linen as nn
        from flax.training.train_state import TrainState

        class Net(nn.Module):
            @nn.compact
            def __call__(self, x: Any) -> Any:
                if kind == "attention":
                    x = nn.MultiHeadDotProductAttention(2)(x, x)
                if kind == "image":
                    x = nn.avg_pool(nn.swish(nn.Conv(3, (3, 3), use_bias=False)(x)), (2, 2))
                return nn.Dense(2, param_dtype=jax.numpy.bfloat16)(nn.GroupNorm(1)(x))

        x = np.ones({"attention": (1, 5, 4), "image": (1, 8, 8, 2), "dense": (3, 6)}[kind], "float32")
        net = Net()
        steps = {
            "attention": optax.lamb(0.1),
            "image": optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1, 0.9)),
            "dense": optax.adafactor(0.1),
        }
        return TrainState.create(
            apply_fn=net.apply, params=net.init(jax.random.PRNGKey(8), x)["params"], tx=steps[kind]
        )

    def manager(folder: Path, kind: str) -> None:
        ocp = importlib.import_module("orbax.checkpoint")
        with ocp.CheckpointManager(folder / "läufe", options=ocp.CheckpointManagerOptions(max_to_keep=2)) as keeper:
            for step in (10, 20):
                keeper.save(
                    step,
                    args=ocp.args.Composite(
                        state=ocp.args.StandardSave({"params": linen(kind).params}),
                        meta=ocp.args.JsonSave({"größe": 3}),
                    ),
                )

    def nnx(folder: Path) -> None:
        nnx, ocp = importlib.import_module("flax.nnx"), importlib.import_module("orbax.checkpoint")
        net = nnx.Sequential(
            nnx.Linear(3, 4, rngs=nnx.Rngs(0)), nnx.BatchNorm(4, rngs=nnx.Rngs(0)), nnx.Dropout(0.1, rngs=nnx.Rngs(1))
        )
        with ocp.StandardCheckpointer() as keeper:
            keeper.save(
                folder / "nnx",
                nnx.to_pure_dict(nnx.state(net, nnx.Param, nnx.BatchStat))
                if hasattr(nnx, "to_pure_dict")
                else nnx.state(net, nnx.Param),
            )

    made: Kinds = {"flax.nnx": nnx}
    flat = lambda kind: {
        ".".join(k): np.asarray(v, "float32")
        for k, v in at("flax.traverse_util.flatten_dict")(linen(kind).params).items()
    }
    for kind in ("attention", "image", "dense"):
        made[f"flax.{kind}.msgpack"] = lambda folder, kind=kind: (folder / "zustand.msgpack").write_bytes(
            at("flax.serialization.to_bytes")(linen(kind))
        )
        made[f"flax.{kind}.manager"] = lambda folder, kind=kind: manager(folder, kind)
        made[f"flax.{kind}.safetensors"] = lambda folder, kind=kind: at("safetensors.flax.save_file")(
            {k: __import__("jax").numpy.asarray(v) for k, v in flat(kind).items()}, str(folder / "p.safetensors")
        )
        made[f"flax.{kind}.npz"] = lambda folder, kind=kind: np.savez_compressed(folder / "p.npz", **flat(kind))
    return made  # fmt: skip


def kinds() -> Kinds:
    """All of this module."""
    return {**keras_kinds(), **flax_kinds()}
