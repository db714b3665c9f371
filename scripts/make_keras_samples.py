"""Write honest Keras files with the real library: `make_keras_samples.py FOLDER` (KERAS_BACKEND=jax for Keras 3).

Run once per environment; the small ones are kept in tests/data/models/keras, named after the version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

V3 = keras.__version__.startswith("3")
L = keras.layers


def dense() -> Any:
    """Two dense layers with string activations and initializers."""
    return keras.Sequential(
        [
            L.Input(shape=(4,)),
            L.Dense(3, activation="relu", kernel_regularizer="l2", name="hidden"),
            L.Dropout(0.5),
            L.Dense(2, activation="softmax", name="out"),
        ]
    )


def functional() -> Any:
    """Two inputs, a skip, operators applied to tensors."""
    a = L.Input(shape=(6,), name="a")
    b = L.Input(shape=(6,), name="b")
    x = L.Concatenate()([a, b])
    x = L.Dense(
        6, activation=keras.activations.gelu if V3 else "selu", kernel_initializer=keras.initializers.HeNormal()
    )(x)
    x = L.Add()([x, a])
    if V3:
        x = keras.ops.relu(x) * 2.0 + keras.ops.mean(b, axis=-1, keepdims=True)
    else:
        import tensorflow as tf

        x = tf.nn.relu(x) * 2.0 + tf.reduce_mean(b, axis=-1, keepdims=True)
    x = L.LayerNormalization()(x)
    return keras.Model([a, b], [L.Dense(1, name="y")(x), L.Dense(1, name="z", kernel_constraint="non_neg")(x)])


def convolutional() -> Any:
    """Pictures, with augmentation."""
    return keras.Sequential(
        [
            L.Input(shape=(8, 8, 3)),
            L.Rescaling(1 / 255.0),
            L.RandomFlip("horizontal"),
            L.RandomRotation(0.1),
            L.Conv2D(4, 3, padding="same", use_bias=False, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2)),
            L.BatchNormalization(),
            L.ReLU(max_value=6.0),
            L.SeparableConv2D(4, 3),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(1, activation="sigmoid"),
        ]
    )


def recurrent() -> Any:
    """Wrappers with layers in their configuration."""
    return keras.Sequential(
        [
            L.Input(shape=(5,)),
            L.Embedding(20, 8),
            L.Bidirectional(L.LSTM(4, return_sequences=True)),
            L.TimeDistributed(L.Dense(3, activation="tanh")),
            L.GRU(4, recurrent_dropout=0.1),
            L.Dense(1),
        ]
    )


def attention() -> Any:
    """A transformer's block with a nested model."""
    inner = keras.Sequential([L.Input(shape=(4, 8)), L.Dense(16, activation="gelu"), L.Dense(8)], name="mlp")
    x = i = L.Input(shape=(4, 8))
    x = L.MultiHeadAttention(2, 4)(x, x)
    x = L.LayerNormalization()(L.Add()([x, i]))
    x = L.Add()([inner(x), x])
    return keras.Model(i, L.GlobalAveragePooling1D()(x))


def deep() -> Any:
    """Many layers: a configuration of more than 64 KiB and groups of more than one symbol table node."""
    return keras.Sequential(
        [L.Input(shape=(2,)), *[L.Dense(2, activation="elu", name=f"layer_with_a_name_{n}") for n in range(60)]]
    )


def compiled(model: Any, **more: Any) -> Any:
    """Compiled, and trained for one step where the backend can."""
    model.compile(**more)
    return model


def trained() -> Any:
    """With optimizer state."""
    model = compiled(dense(), optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.zeros((4, 4), "f4"), np.zeros(4), epochs=1, verbose=0)
    return model


def compiled_objects() -> Any:
    """Objects in the compile configuration."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9, clipnorm=1.0)
    metrics = [keras.metrics.AUC(), keras.metrics.Precision(), "mae"]
    model = compiled(convolutional(), optimizer=optimizer, loss=keras.losses.BinaryCrossentropy(), metrics=metrics)
    model.fit(np.zeros((2, 8, 8, 3), "f4"), np.array([[0.0], [1.0]]), epochs=1, verbose=0)
    return model


def multi_output() -> Any:
    """Losses and metrics by output."""
    return compiled(
        functional(),
        optimizer=keras.optimizers.RMSprop(),
        loss={"y": "mse", "z": keras.losses.Huber()},
        metrics={"y": ["mae", "mse"], "z": [keras.metrics.MeanAbsoluteError()]},
    )


def normalized() -> Any:
    """A layer with adapted state."""
    layer = L.Normalization()
    layer.adapt(np.arange(12, dtype="f4").reshape(3, 4))
    return keras.Sequential([L.Input(shape=(4,)), layer, L.Dense(1, activation=L.LeakyReLU() if V3 else "relu")])


def texts() -> Any:
    """A vocabulary in the configuration or the assets (needs TensorFlow)."""
    import tensorflow as tf

    layer = L.TextVectorization(max_tokens=50, output_sequence_length=4)
    layer.adapt(tf.constant(["the cat sat", "a dog ran away", "ünïcode words"]))
    lookup = L.StringLookup(vocabulary=["a", "b"], name="lookup")
    words = L.Input(shape=(1,), dtype="string")
    x = L.GlobalAveragePooling1D()(L.Embedding(50, 2)(layer(words)))
    y = L.CategoryEncoding(4)(lookup(words))
    return keras.Model(words, L.Dense(1)(L.Concatenate()([x, y])))


def half() -> Any:
    """Mixed precision."""
    return keras.Sequential([L.Input(shape=(4,)), L.Dense(3, dtype="mixed_float16"), L.Dense(1, dtype="float32")])


def quantized() -> Any:
    """int8 weights, with a policy in the configuration."""
    model = keras.Sequential([L.Input(shape=(4,)), L.Dense(4), L.Dense(1)])
    model.quantize("int8")
    return model


def application() -> Any:
    """A model of keras.applications, without weights from elsewhere."""
    return keras.applications.MobileNetV2((32, 32, 3), weights=None, alpha=0.35, classes=3)


MODELS: list[Callable[[], Any]] = [
    dense, functional, convolutional, recurrent, attention, deep, trained, compiled_objects, multi_output, normalized,
    texts, half, quantized, application,
]  # fmt: skip


def files(model: Any, base: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way in which Keras writes it."""
    yield "keras", lambda: model.save(f"{base}.keras")
    yield "h5", lambda: model.save(f"{base}.h5")
    yield "weights.h5", lambda: model.save_weights(f"{base}.weights.h5")
    yield "json", lambda: Path(f"{base}.json").write_text(model.to_json())
    yield "indented", lambda: Path(f"{base}.indent.json").write_text(json.dumps(json.loads(model.to_json()), indent=2))


def main(folder: Path) -> None:
    """Command line."""
    folder.mkdir(parents=True, exist_ok=True)
    for make in MODELS:
        try:
            keras.backend.clear_session()
            model = make()
        except Exception as error:
            print(f"{make.__name__}: {type(error).__name__} {str(error)[:100]}", file=sys.stderr)
            continue
        for kind, write in files(model, folder / make.__name__):
            try:
                write()
            except Exception as error:
                print(f"{make.__name__}.{kind}: {type(error).__name__} {str(error)[:100]}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
