# ruff: noqa: E501, E731, UP006, UP035, SIM - makers are short functions
"""Models of Keras, TensorFlow, Flax, OpenVINO, Core ML and Paddle for the sixth set, as their guides save them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
from honest_sixth_models import Kinds, at

WORDS = ["great film", "terrible plot", "wonderful cast", "boring and long"]


def nets() -> Dict[str, Callable[[], Any]]:
    """Keras models of the guides, small, compiled and trained for a step where that is quick."""
    keras = at("tensorflow.keras")
    layers = keras.layers

    def trained(model: Any, shape: Any, target: Any, loss: str) -> Any:
        model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
        model.fit(np.random.RandomState(0).rand(8, *shape).astype("float32"), target, epochs=1, verbose=0)
        return model

    def functional() -> Any:
        numbers, words = keras.Input((3,), name="numbers"), keras.Input((5,), name="words", dtype="int32")
        text = layers.GlobalAveragePooling1D()(layers.Embedding(20, 4)(words))
        both = layers.concatenate([layers.Dense(4, activation="relu")(numbers), text])
        return keras.Model(
            [numbers, words],
            {
                "price": layers.Dense(1, name="price")(both),
                "kind": layers.Dense(3, activation="softmax", name="kind")(both),
            },
        )

    def residual() -> Any:
        image = keras.Input((8, 8, 3))
        start = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
        inner = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", use_bias=False)(start))
        return keras.Model(
            image, layers.Dense(10)(layers.GlobalAveragePooling2D()(layers.ReLU()(layers.add([start, inner]))))
        )

    def transformer() -> Any:
        tokens = keras.Input((6, 8))
        seen = layers.LayerNormalization(epsilon=1e-6)(tokens + layers.MultiHeadAttention(2, 4)(tokens, tokens))
        return keras.Model(tokens, layers.Dense(2, activation="softmax")(layers.Flatten()(seen)))

    def normalized() -> Any:
        norm = layers.Normalization()
        norm.adapt(np.arange(12.0).reshape(4, 3))
        return keras.Sequential([keras.Input((3,)), norm, layers.Dense(1)])

    def texts() -> Any:
        vectors = layers.TextVectorization(max_tokens=30, output_sequence_length=4)
        vectors.adapt(WORDS)
        return keras.Sequential(
            [
                keras.Input((1,), dtype="string"),
                vectors,
                layers.Embedding(30, 4),
                layers.GlobalMaxPooling1D(),
                layers.Dense(1, activation="sigmoid"),
            ]
        )

    def colours() -> Any:
        inputs = {"city": keras.Input((1,), name="city", dtype="string"), "age": keras.Input((1,), name="age")}
        city = layers.StringLookup(vocabulary=["Rome", "Oslo"], output_mode="one_hot")(inputs["city"])
        age = layers.Discretization(bin_boundaries=[18.0, 65.0], output_mode="one_hot")(inputs["age"])
        return keras.Model(inputs, layers.Dense(1)(layers.concatenate([city, age])))

    dense = lambda: keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return {
        "iris": lambda: trained(dense(), (4,), np.arange(8) % 3, "sparse_categorical_crossentropy"),
        "regression": lambda: trained(keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu", kernel_regularizer="l2"), layers.Dense(1)]), (4,), np.arange(8.0), "mse"),
        "mnist": lambda: trained(keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10, activation="softmax")]), (28, 28, 1), np.arange(8), "sparse_categorical_crossentropy"),
        "sequence": lambda: trained(keras.Sequential([keras.Input((6, 2)), layers.LSTM(4, return_sequences=True), layers.GRU(3), layers.Dense(1)]), (6, 2), np.arange(8.0), "mae"),
        "bidirectional": lambda: keras.Sequential([keras.Input((None,)), layers.Embedding(50, 4), layers.Bidirectional(layers.LSTM(3)), layers.Dense(1, activation="sigmoid")]),
        "autoencoder": lambda: keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3, strides=2, padding="same"), layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")]),
        "augmented": lambda: keras.Sequential([keras.Input((8, 8, 3)), layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.Rescaling(1 / 255), layers.DepthwiseConv2D(3), layers.GlobalAveragePooling2D(), layers.Dense(2)]),
        "functional": functional, "residual": residual, "transformer": transformer, "normalized": normalized, "texts": texts, "columns": colours,
        "nested": lambda: keras.Sequential([dense(), layers.Dense(2)]),
        "mobilenet": lambda: keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=2),
    }  # fmt: skip


def _saved(folder: Path, model: Any) -> None:
    import tensorflow as tf

    (model.save if tf.__version__ < "2.16" else model.export)(str(folder / "saved_model"))


def _lite(folder: Path, model: Any, how: str) -> None:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if how != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if how == "half":
        converter.target_spec.supported_types = [tf.float16]
    if how == "int8":
        shape = [1, *model.inputs[0].shape[1:]]
        converter.representative_dataset = lambda: ([np.random.rand(*shape).astype("float32")] for _ in range(3))
    if how == "select":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        converter._experimental_lower_tensor_list_ops = False
    (folder / "model.tflite").write_bytes(converter.convert())


def _checkpoint(folder: Path, model: Any) -> None:
    import tensorflow as tf

    step = tf.Variable(3, dtype=tf.int64)
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(
            step=step, net=model, optimizer=getattr(model, "optimizer", None) or tf.keras.optimizers.Adam()
        ),
        str(folder / "tf_ckpts"),
        max_to_keep=3,
    )
    manager.save()
    manager.save()


def _frozen(folder: Path, model: Any) -> None:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    whole = tf.function(lambda x: model(x)).get_concrete_function(
        tf.TensorSpec([None, *model.inputs[0].shape[1:]], model.inputs[0].dtype)
    )
    tf.io.write_graph(convert_variables_to_constants_v2(whole).graph, str(folder), "frozen_graph.pb", as_text=False)


def _first(folder: Path) -> None:
    """A session's saver, as code of TensorFlow 1 writes it: .meta, .index, .data."""
    import tensorflow as tf

    one = tf.compat.v1
    with tf.Graph().as_default():
        x = one.placeholder(tf.float32, [None, 4], name="x")
        weights = one.get_variable("w", [4, 2])
        tf.nn.softmax(tf.matmul(x, weights), name="y")
        with one.Session() as session:
            session.run(one.global_variables_initializer())
            one.train.Saver().save(session, str(folder / "model.ckpt"), global_step=100)
            one.saved_model.simple_save(
                session, str(folder / "export"), {"x": x}, {"y": session.graph.get_tensor_by_name("y:0")}
            )


def _module(folder: Path) -> None:
    """A module with signatures, as the guide of SavedModel has it; with an asset."""
    import tensorflow as tf

    (folder.parent / "asset.txt").write_text("Rome\nOslo\n")

    class Table(tf.Module):
        def __init__(self) -> None:
            self.v = tf.Variable(2.0)
            self.asset = tf.saved_model.Asset(str(folder.parent / "asset.txt"))
            rows = (tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
            self.table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(self.asset, *rows), -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def lookup(self, city: Any) -> Any:
            return {"row": self.table.lookup(city)}

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def power(self, x: Any) -> Any:
            for _ in tf.range(3):
                x = x * self.v
            return x

    made = Table()
    tf.saved_model.save(made, str(folder / "1"), signatures={"serving_default": made.lookup})


def keras_kinds() -> Kinds:
    """Every net in every form that takes it."""
    if not at("importlib.util.find_spec")("tensorflow"):
        return {}
    made: Kinds = {}
    for name, make in nets().items():
        made[f"keras.{name}.keras"] = lambda folder, make=make: make().save(str(folder / "model.keras"))
        made[f"keras.{name}.h5"] = lambda folder, make=make: make().save(str(folder / "model.h5"))
        made[f"keras.{name}.saved"] = lambda folder, make=make: _saved(folder, make())
        made[f"keras.{name}.tflite"] = lambda folder, make=make: _lite(folder, make(), "float")
    for name in ("iris", "mnist", "sequence", "functional", "normalized"):
        make = nets()[name]
        made[f"keras.{name}.json"] = lambda folder, make=make: _architecture(folder, make())
        made[f"keras.{name}.checkpoint"] = lambda folder, make=make: _checkpoint(folder, make())
        made[f"keras.{name}.weights"] = lambda folder, make=make: make().save_weights(
            str(folder / "checkpoint.weights.h5")
        )
    for name in ("iris", "mnist", "autoencoder", "residual"):
        make = nets()[name]
        made[f"keras.{name}.frozen"] = lambda folder, make=make: _frozen(folder, make())
        for how in ("dynamic", "half", "int8"):
            made[f"keras.{name}.tflite-{how}"] = lambda folder, make=make, how=how: _lite(folder, make(), how)
    made["keras.texts.tflite-select"] = lambda folder: _lite(folder, nets()["texts"](), "select")
    made["keras.sequence.tflite-select"] = lambda folder: _lite(folder, nets()["sequence"](), "select")
    made["tensorflow.session"] = _first
    made["tensorflow.module"] = _module
    return made


def _architecture(folder: Path, model: Any) -> None:
    (folder / "model.json").write_text(model.to_json())
    model.save_weights(str(folder / "model.weights.h5"))


def flax_kinds() -> Kinds:
    """Parameters and training states by msgpack and Orbax."""

    def state(kind: str) -> Any:
        import jax
        import optax
        from flax import linen as nn
        from flax.training.train_state import TrainState

        class Net(nn.Module):
            @nn.compact
            def __call__(self, x: Any) -> Any:
                if kind == "cnn":
                    x = nn.relu(nn.Conv(4, (3, 3))(x)).reshape((x.shape[0], -1))
                if kind == "norm":
                    x = nn.LayerNorm()(x)
                return nn.Dense(2)(nn.relu(nn.Dense(8)(x)))

        net, x = Net(), np.ones((1, 8, 8, 1) if kind == "cnn" else (1, 4), "float32")
        made = TrainState.create(
            apply_fn=net.apply, params=net.init(jax.random.PRNGKey(0), x)["params"], tx=optax.adamw(1e-3)
        )
        return made.apply_gradients(grads=made.params)

    made: Kinds = {}
    for kind in ("mlp", "cnn", "norm"):
        made[f"flax.{kind}.params"] = lambda folder, kind=kind: (folder / "flax_model.msgpack").write_bytes(
            at("flax.serialization.to_bytes")(state(kind).params)
        )
        made[f"flax.{kind}.state"] = lambda folder, kind=kind: (folder / "checkpoint_1").write_bytes(
            at("flax.serialization.to_bytes")(state(kind))
        )
        made[f"flax.{kind}.orbax"] = lambda folder, kind=kind: at("orbax.checkpoint.PyTreeCheckpointer")().save(
            str(folder / "checkpoint"), {"params": state(kind).params, "step": 3}
        )
        made[f"flax.{kind}.npz"] = lambda folder, kind=kind: np.savez(
            str(folder / "params.npz"),
            **{
                "/".join(k): np.asarray(v) for k, v in at("flax.traverse_util.flatten_dict")(state(kind).params).items()
            },
        )
    return made


def openvino_kinds() -> Kinds:
    """Models that were built by operators, read from ONNX, compressed."""
    made: Kinds = {}

    def built(kind: str) -> Any:
        ov = importlib.import_module("openvino")
        ops = importlib.import_module(
            "openvino.runtime.opset13"
            if kind and at("importlib.util.find_spec")("openvino.runtime")
            else "openvino.opset13"
        )
        draw = np.random.RandomState(0)
        if kind == "mlp":
            x = ops.parameter([-1, 4], np.float32, name="x")
            y = ops.softmax(
                ops.matmul(
                    ops.relu(
                        ops.add(
                            ops.matmul(x, ops.constant(draw.rand(4, 8).astype("float32")), False, False),
                            ops.constant(np.zeros(8, "float32")),
                        )
                    ),
                    ops.constant(draw.rand(8, 3).astype("float32")),
                    False,
                    False,
                ),
                axis=1,
            )
        elif kind == "cnn":
            x = ops.parameter([1, 3, 16, 16], np.float32, name="image")
            y = ops.convolution(
                x, ops.constant(draw.rand(4, 3, 3, 3).astype("float32")), [1, 1], [0, 0], [0, 0], [1, 1]
            )
            y = ops.reduce_mean(ops.clamp(y, 0.0, 6.0), ops.constant(np.array([2, 3])), False)
        else:
            x = ops.parameter([-1, -1], np.int64, name="tokens")
            y = ops.reduce_sum(
                ops.gather(ops.constant(draw.rand(50, 8).astype("float32")), x, ops.constant(0)), ops.constant(1), True
            )
        return ov.Model([ops.result(y)], [x], kind)

    save = lambda folder, model, half: at("openvino.save_model")(
        model, str(folder / "model.xml"), compress_to_fp16=half
    )
    for kind in ("mlp", "cnn", "embedding"):
        made[f"openvino.{kind}"] = lambda folder, kind=kind: save(folder, built(kind), False)
        made[f"openvino.{kind}-half"] = lambda folder, kind=kind: save(folder, built(kind), True)
    return made


def paddle_kinds() -> Kinds:
    """State dicts, training checkpoints and programs for inference."""

    def net(kind: str) -> Any:
        nn = importlib.import_module("paddle.nn")
        return {
            "mlp": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 3)),
            "lenet": lambda: at("paddle.vision.models.LeNet")(),
            "cnn": lambda: nn.Sequential(
                nn.Conv2D(3, 4, 3, padding=1),
                nn.BatchNorm2D(4),
                nn.GELU(),
                nn.AdaptiveAvgPool2D(1),
                nn.Flatten(),
                nn.Linear(4, 2),
            ),
            "encoder": lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2),
        }[kind]()

    def training(folder: Path, kind: str) -> None:
        paddle = importlib.import_module("paddle")
        made = net(kind)
        optimizer = paddle.optimizer.AdamW(paddle.optimizer.lr.StepDecay(1e-3, 10), parameters=made.parameters())
        paddle.mean(made(paddle.rand(shapes[kind]))).backward()
        optimizer.step()
        paddle.save(made.state_dict(), str(folder / "model.pdparams"))
        paddle.save(optimizer.state_dict(), str(folder / "model.pdopt"))
        paddle.save({"epoch": 3, "model": made.state_dict(), "best": 0.9}, str(folder / "checkpoint.pdparams"))

    shapes = {"mlp": [2, 4], "lenet": [2, 1, 28, 28], "cnn": [2, 3, 8, 8], "encoder": [2, 5, 8]}
    made: Kinds = {}
    for kind in shapes:
        made[f"paddle.{kind}.training"] = lambda folder, kind=kind: training(folder, kind)
        made[f"paddle.{kind}.inference"] = lambda folder, kind=kind: at("paddle.jit.save")(
            _eval(net(kind)),
            str(folder / "inference"),
            input_spec=[at("paddle.static.InputSpec")([None, *shapes[kind][1:]], "float32")],
        )
    return made


def _eval(net: Any) -> Any:
    net.eval()
    return net


def coreml_kinds() -> Kinds:
    """Boosters as .mlmodel, an .mlpackage of operators."""

    def program(folder: Path, kind: str) -> None:
        ct, mb = importlib.import_module("coremltools"), at("coremltools.converters.mil.Builder")

        @mb.program(input_specs=[mb.TensorSpec(shape=(1, 4))])  # type: ignore[untyped-decorator]
        def net(x: Any) -> Any:
            return mb.softmax(
                x=mb.linear(x=mb.relu(x=x), weight=np.ones((3, 4), "float32"), bias=np.zeros(3, "float32")), axis=-1
            )

        made = ct.convert(net, convert_to=kind)
        made.author, made.short_description, made.license = "ml-team", "three kinds of flowers", "Apache-2.0"
        made.save(str(folder / ("net.mlpackage" if kind == "mlprogram" else "net.mlmodel")))

    def trees(folder: Path) -> None:
        from honest_sixth_models import others

        at("coremltools.converters.xgboost.convert")(others()["xgb-regressor"](), mode="regressor").save(
            str(folder / "trees.mlmodel")
        )

    return {
        "coreml.program": lambda folder: program(folder, "mlprogram"),
        "coreml.network": lambda folder: program(folder, "neuralnetwork"),
        "coreml.trees": trees,
    }


def kinds() -> Kinds:
    """All of this module."""
    return {**keras_kinds(), **flax_kinds(), **openvino_kinds(), **paddle_kinds(), **coreml_kinds()}
