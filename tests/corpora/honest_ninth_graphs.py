# ruff: noqa: E501 - makers are short functions
"""The ninth set's Keras and TensorFlow: whole models, weights, SavedModel, TensorFlow Lite."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_ninth import Kinds, at


def models() -> dict[str, Callable[[], Any]]:
    """Models of the guides, compiled."""
    keras = importlib.import_module("keras")
    lay, seq = keras.layers, keras.Sequential

    def functional() -> Any:
        one, two = keras.Input((6,), name="numbers"), keras.Input((4,), name="flags")
        x = lay.Concatenate()([lay.Dense(8, activation="relu")(one), lay.Dense(4)(two)])
        return keras.Model(
            [one, two], [lay.Dense(1, name="price")(x), lay.Dense(3, activation="softmax", name="kind")(x)]
        )

    def residual() -> Any:
        image = keras.Input((16, 16, 3))
        x = lay.Conv2D(8, 3, padding="same", activation="relu")(image)
        x = lay.Add()([x, lay.BatchNormalization()(lay.Conv2D(8, 3, padding="same")(x))])
        return keras.Model(image, lay.Dense(2)(lay.GlobalAveragePooling2D()(x)), name="residual")

    def attention() -> Any:
        words = keras.Input((10,), dtype="int32")
        x = lay.Embedding(40, 8)(words)
        x = lay.LayerNormalization()(x + lay.MultiHeadAttention(2, 4)(x, x))
        return keras.Model(words, lay.Dense(1, activation="sigmoid")(lay.GlobalMaxPooling1D()(x)))

    return {
        "mnist_model": lambda: seq([keras.Input((8, 8)), lay.Flatten(), lay.Dense(16, activation="relu"), lay.Dropout(0.2), lay.Dense(10)]), "cnn": lambda: seq([keras.Input((16, 16, 1)), lay.Conv2D(4, 3, activation="relu"), lay.MaxPooling2D(), lay.Flatten(), lay.Dense(3, activation="softmax")]),
        "fuel_efficiency": lambda: seq([keras.Input((5,)), lay.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)), lay.Dense(1)]), "imdb_lstm": lambda: seq([keras.Input((12,)), lay.Embedding(50, 6, mask_zero=True), lay.Bidirectional(lay.LSTM(5)), lay.Dense(1, activation="sigmoid")]),
        "gru_forecast": lambda: seq([keras.Input((7, 3)), lay.GRU(6, return_sequences=True), lay.TimeDistributed(lay.Dense(1))]), "autoencoder": lambda: seq([keras.Input((16,)), lay.Dense(3, activation="relu"), lay.Dense(16, activation="sigmoid")]), "functional": functional, "residual": residual, "transformer": attention,
        "augmented": lambda: seq([keras.Input((16, 16, 3)), lay.RandomFlip("horizontal"), lay.RandomRotation(0.1), lay.Rescaling(1 / 255), lay.SeparableConv2D(4, 3), lay.GlobalAveragePooling2D(), lay.Dense(2)]), "normalized": lambda: seq([keras.Input((4,)), lay.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 1, 2, 2]), lay.Dense(2, activation="elu")]),
        "conv1d": lambda: seq([keras.Input((20, 2)), lay.Conv1D(4, 3, padding="causal", dilation_rate=2), lay.PReLU(), lay.GlobalMaxPooling1D(), lay.Dense(1)]), "gan_generator": lambda: seq([keras.Input((8,)), lay.Dense(32), lay.LeakyReLU(), lay.Reshape((4, 4, 2)), lay.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")]), "mobilenet": lambda: keras.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, weights=None, classes=3),
    }  # fmt: skip


def trained(name: str) -> Any:
    """Compiled, and trained for one step where it has one output."""
    model = models()[name]()
    if name == "functional":
        model.compile("rmsprop", {"price": "mse", "kind": "sparse_categorical_crossentropy"})
        return model
    model.compile(
        "adam" if len(name) % 2 else importlib.import_module("keras").optimizers.SGD(0.01, momentum=0.9),
        "mse",
        metrics=["mae"],
    )
    x = np.ones((2, *(size or 1 for size in model.input_shape[1:])), "float32")
    model.fit(x, np.zeros((2, *model.output_shape[1:]), "float32"), verbose=0)
    return model


def _tflite(folder: Path, name: str, how: str) -> None:
    tf, model = importlib.import_module("tensorflow"), trained(name)
    model.export(folder / "saved") if how == "saved" else None
    lite = (
        tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
        if how == "saved"
        else tf.lite.TFLiteConverter.from_keras_model(model)
    )
    if how in ("quantized", "float16"):
        lite.optimizations = [tf.lite.Optimize.DEFAULT]
        lite.target_spec.supported_types = [tf.float16] if how == "float16" else []
    (folder / "model.tflite").write_bytes(lite.convert())


def _save(folder: Path, name: str, way: str) -> None:
    model = trained(name)
    {
        "model.keras": lambda: model.save(folder / f"{name}.keras"), "model.h5": lambda: model.save(folder / f"{name}.h5"), "weights": lambda: model.save_weights(folder / "model.weights.h5"), "export": lambda: model.export(folder / "1"), "json": lambda: (folder / "model.json").write_text(model.to_json()),
        "checkpoint": lambda: at("tensorflow.train.Checkpoint")(model=model, optimizer=model.optimizer).save(str(folder / "ckpt")), "saved": lambda: at("tensorflow.saved_model.save")(model, str(folder / "saved_model")),
    }[way]()  # fmt: skip


def _old(folder: Path, way: str) -> None:
    """Keras 2, which many have pinned."""
    keras = importlib.import_module("tf_keras")
    model = keras.Sequential(
        [keras.layers.Input((6,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2, "softmax")]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(np.ones((4, 6)), np.ones((4, 2)), verbose=0)
    model.save(str(folder / way)) if not way.startswith("w") else model.save_weights(str(folder / way))


def kinds() -> Kinds:
    """Each model in several ways, which differ between the backends."""
    made: Kinds = {}
    flow = importlib.import_module("importlib.util").find_spec("tensorflow") is not None
    ways = ["model.keras", "model.h5", "weights", "json"] + ["export", "saved", "checkpoint"] * flow
    names = "mnist_model cnn fuel_efficiency imdb_lstm gru_forecast autoencoder functional residual transformer augmented normalized conv1d gan_generator mobilenet".split()
    for index, name in enumerate(names):
        for step in (0, 1, 3, 4) if flow else (0, 2):
            way = ways[(index + step) % len(ways)]
            made[f"keras.{name}.{way}"] = lambda folder, name=name, way=way: _save(folder, name, way)
        if flow and name not in ("imdb_lstm", "gru_forecast", "functional", "augmented"):
            how = ("plain", "quantized", "float16", "saved")[index % 4]
            made[f"tflite.{name}.{how}"] = lambda folder, name=name, how=how: _tflite(folder, name, how)
    if flow:
        for way in ("model.keras", "model.h5", "saved_model", "weights.h5", "weights_only"):
            made[f"keras2.{way}"] = lambda folder, way=way: _old(folder, way)
    return made
