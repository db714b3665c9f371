# ruff: noqa: E501, UP006, UP035 - makers are short functions
"""Nets of torch and Keras, folders of a hub and GGUF for the seventh set."""

from __future__ import annotations

import importlib
import random
from typing import Any, Callable, Dict, List, Tuple

import honest_sixth_models as models
import numpy as np
from honest_seventh import REVIEWS

at = models.at


def other_nets() -> models.Kinds:
    """The sixth set's ways to save, with other nets and other checkpoints."""
    import collections

    import torch
    from torch import nn

    nets = importlib.import_module("honest_sixth_nets")

    class Block(nn.Module):
        """Two convolutions and the way around them."""

        def __init__(self, n: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(n, n, 3, padding=1, groups=n), nn.GroupNorm(2, n), nn.SiLU(), nn.Conv2d(n, n, 1)
            )
            self.scale = nn.Parameter(torch.full((1,), 0.1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.scale * self.body(x)  # fmt: skip

    made: Dict[str, Callable[[], Tuple[Any, Any]]] = {
        "mlp": lambda: (nn.Sequential(nn.Linear(7, 32), nn.LayerNorm(32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 1), nn.Sigmoid()).double(), torch.rand(3, 7).double()),
        "norms": lambda: (nn.Sequential(nn.Conv1d(2, 6, 5, stride=2), nn.BatchNorm1d(6), nn.LeakyReLU(0.2), nn.AdaptiveMaxPool1d(3), nn.Flatten(), nn.Linear(18, 5)), torch.rand(2, 2, 31)),
        "blocks": lambda: (nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), Block(6), Block(6), nn.AvgPool2d(3), nn.Flatten(1), nn.Linear(6 * 2 * 2, 4)), torch.rand(1, 3, 15, 15)),
        "encoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 3, 20, activation="gelu", norm_first=True), 2), torch.rand(5, 1, 12)),
        "series": lambda: (nn.GRU(4, 6, bidirectional=True), torch.rand(7, 2, 4)),
        "words": lambda: (nn.Sequential(nn.Embedding(99, 6, padding_idx=0), nn.Flatten(), nn.Linear(24, 4), nn.Softmax(-1)), torch.randint(0, 99, (2, 4))),
        "generator": lambda: (nn.Sequential(nn.ConvTranspose2d(5, 4, 4, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3), nn.Tanh()), torch.rand(1, 5, 1, 1)),
    }  # fmt: skip

    def checkpoint(net: Any, x: Any, half: bool = False) -> Dict[str, Any]:
        optimizer = (torch.optim.RMSprop if half else torch.optim.SGD)(net.parameters(), lr=0.1, momentum=0.9)
        plan = (
            torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
            if half
            else torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
        )
        out = net(x)
        (out[0] if isinstance(out, tuple) else out).pow(2).mean().backward()
        optimizer.step()
        found: Dict[str, Any] = {
            "state_dict": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            "lr_scheduler": plan.state_dict(),
            "step": torch.tensor(120),
            "best": (3, 0.25),
            "classes": ["cat", "dog"],
        }
        if half:
            found.update(
                swa=torch.optim.swa_utils.AveragedModel(net).state_dict(),
                meters=collections.defaultdict(list, loss=[0.5, 0.4]),
                seen=collections.Counter(cat=3, dog=2),
                bf16={k: v.to(torch.bfloat16) for k, v in net.state_dict().items() if v.is_floating_point()},
                seeds=[np.random.RandomState(3).get_state(), random.Random(3).getstate(), torch.get_rng_state()],
                device=torch.device("cpu"),
                dtype=torch.float16,
                size=x.shape,
            )
        return found  # fmt: skip

    nets.nets, nets.checkpoint = lambda: made, checkpoint
    return dict(nets.saved())


def other_hub() -> models.Kinds:
    """The sixth set's folders with other texts, sizes and architectures, in bfloat16, and GGUF with other contents."""
    hub = importlib.import_module("honest_sixth_hub")
    hub.TEXTS = [*REVIEWS, "def f(x):\n\treturn x ** 2", "\u00a0\u200b¿Qué?\r\n"]
    small = {
        "vocab_size": 130,
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "intermediate_size": 40,
    }
    for name, (config, kind, more, helper, template) in hub.MODELS.items():
        changed = {key: small.get(key, value) for key, value in more.items()}
        if "num_labels" in changed and "id2label" not in changed:
            changed.update(
                id2label={0: "ja", 1: "nein"}, label2id={"ja": 0, "nein": 1}, problem_type="multi_label_classification"
            )
            changed.pop("num_labels")
        if name not in ("gemma", "wav2vec2"):
            hub.MODELS[name] = (config, kind, changed, helper, "tools" if template == "chatml" else template)
    hub.MODELS.update({
        "albert": ("AlbertConfig", "AlbertForMaskedLM", {**small, "embedding_size": 8}, "unigram", ""),
        "xlm": ("XLMRobertaConfig", "XLMRobertaForTokenClassification", {**small, "num_labels": 7}, "unigram", ""),
        "neox": ("GPTNeoXConfig", "GPTNeoXForCausalLM", small, "bpe", "chatml"),
        "falcon": ("FalconConfig", "FalconForCausalLM", small, "bpe", "inst"),
        "stablelm": ("StableLmConfig", "StableLmForCausalLM", small, "bpe", "headers"),
        "convnext": ("ConvNextConfig", "ConvNextForImageClassification", {"hidden_sizes": [4, 8], "depths": [1, 1], "num_stages": 2}, "ConvNextImageProcessor", ""),
        "swin": ("SwinConfig", "SwinForImageClassification", {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4}, "ViTImageProcessor", ""),
        "segformer": ("SegformerConfig", "SegformerForSemanticSegmentation", {"hidden_sizes": [4, 8, 8, 8], "depths": [1, 1, 1, 1], "decoder_hidden_size": 8}, "SegformerImageProcessor", ""),
    })  # fmt: skip
    made = dict(hub.kinds())
    for name in hub.MODELS:
        made[f"hub.{name}.bf16"] = lambda folder, name=name: (
            hub.model(name).bfloat16().save_pretrained(str(folder)),
            hub.beside(folder, name),
        )
    return made  # fmt: skip


def other_graphs() -> models.Kinds:
    """The sixth set's forms of Keras with other nets, optimizers, losses and layers."""
    graphs = importlib.import_module("honest_sixth_graphs")
    if at("importlib.util.find_spec")("tensorflow"):
        graphs.nets = other_keras
    return {k: v for k, v in graphs.kinds().items() if k.startswith("keras.")}


def other_keras() -> Dict[str, Callable[[], Any]]:
    """Nets under the names that the sixth set's forms ask for."""
    keras = at("tensorflow.keras")
    layers, draw = keras.layers, np.random.RandomState(4)

    def trained(stack: List[Any], shape: Any, target: Any, loss: Any, optimizer: Any) -> Any:
        model = keras.Sequential([keras.Input(shape), *stack], name="netz_1")
        model.compile(optimizer=optimizer, loss=loss, metrics=[keras.metrics.MeanAbsoluteError(name="mae")])
        model.fit(draw.rand(len(target), *shape).astype("float32"), target, epochs=2, verbose=0, validation_split=0.25)
        return model

    def functional() -> Any:
        left, right = keras.Input((6, 1), name="left"), keras.Input((4,), name="right")
        x = layers.Flatten()(layers.Conv1D(3, 2, padding="causal", activation="swish")(left))
        x = layers.multiply([layers.Dense(4, activation="tanh")(x), layers.Dense(4)(right)])
        return keras.Model([left, right], [layers.Dense(2, name="a")(x), layers.Dense(1, name="b")(layers.ELU()(x))])

    def residual() -> Any:
        image = keras.Input((12, 12, 2))
        x = layers.SeparableConv2D(4, 3, padding="same")(image)
        x = layers.maximum([layers.PReLU(shared_axes=[1, 2])(x), layers.Conv2D(4, 1)(image)])
        return keras.Model(image, layers.Dense(5, activation="sigmoid")(layers.GlobalMaxPooling2D()(x)))

    def normalized() -> Any:
        norm = layers.Normalization(axis=-1)
        norm.adapt(draw.rand(30, 5) * 100)
        return keras.Sequential(
            [keras.Input((5,)), norm, layers.Dense(4, kernel_initializer="he_normal"), layers.Dense(1)]
        )

    def texts() -> Any:
        vectors = layers.TextVectorization(max_tokens=40, output_mode="multi_hot", ngrams=2)
        vectors.adapt(REVIEWS)
        return keras.Sequential([keras.Input((1,), dtype="string"), vectors, layers.Dense(3, activation="softmax")])

    def columns() -> Any:
        inputs = {
            "zip": keras.Input((1,), name="zip", dtype="string"),
            "kind": keras.Input((1,), name="kind", dtype="int64"),
        }
        code = layers.Hashing(num_bins=8, output_mode="one_hot")(inputs["zip"])
        kind = layers.IntegerLookup(vocabulary=[3, 5, 8], output_mode="multi_hot")(inputs["kind"])
        return keras.Model(inputs, layers.Dense(2)(layers.concatenate([code, kind])))

    return {
        "iris": lambda: trained([layers.Dense(6, activation="selu", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02)), layers.AlphaDropout(0.1), layers.Dense(2, activation="softmax")], (9,), np.eye(2)[np.arange(12) % 2], keras.losses.CategoricalCrossentropy(label_smoothing=0.1), keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9), momentum=0.9, nesterov=True)),
        "mnist": lambda: trained([layers.Conv2D(3, 5, strides=2, activation="relu"), layers.AveragePooling2D(), layers.LayerNormalization(), layers.Flatten(), layers.Dense(4)], (20, 20, 3), np.arange(12) % 4, keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.optimizers.RMSprop(1e-3)),
        "sequence": lambda: trained([layers.Masking(0.0), layers.GRU(5, return_sequences=True, dropout=0.1), layers.TimeDistributed(layers.Dense(2)), layers.LSTM(3), layers.Dense(1)], (7, 3), np.arange(12.0), keras.losses.Huber(), keras.optimizers.AdamW(1e-3)),
        "autoencoder": lambda: trained([layers.Dense(3, activation="relu", name="code"), layers.GaussianNoise(0.1), layers.Dense(10, activation="sigmoid")], (10,), draw.rand(12, 10), "binary_crossentropy", "nadam"),
        "functional": functional, "residual": residual, "normalized": normalized, "texts": texts, "columns": columns,
        "volumes": lambda: keras.Sequential([keras.Input((4, 6, 6, 1)), layers.ConvLSTM2D(2, 3), layers.Flatten(), layers.Dense(2)]),
        "shapes": lambda: keras.Sequential([keras.Input((8,)), layers.Reshape((2, 4)), layers.Permute((2, 1)), layers.RepeatVector(2) if False else layers.UpSampling1D(2), layers.ZeroPadding1D(1), layers.Cropping1D(1), layers.Flatten(), layers.LeakyReLU(), layers.Dense(1, use_bias=False)]),
        "efficient": lambda: keras.applications.MobileNetV3Small(input_shape=(32, 32, 3), weights=None, classes=3, include_preprocessing=False),
    }  # fmt: skip
