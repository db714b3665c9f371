"""A second held-out set of attacks, written without looking at the scanner: what the first one hardly had."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from corpora.unseen import canaries
from corpora.unseen_units import Attack, Harmless, unique, written

__all__ = ["attacks", "canaries", "harmless"]

PARTS = [
    "unseen2_gadgets",
    "unseen2_states",
    "unseen2_containers",
    "unseen2_archives",
    "unseen2_texts",
    "unseen2_folders",
    "unseen2_graphs",
    "unseen2_keras",
    "unseen2_r",
    "unseen2_skops",
    "unseen2_written",
]

# Loaded, and nothing happened (or the writer folded the attack away): left out until they are mended.
INERT = frozenset(
    """
    archives2/npy-header-deep archives2/npy-subarray archives2/npy-version-3 boosters2/catboost-json-feature
    boosters2/catboost-json-leaves boosters2/catboost-length boosters2/catboost-root boosters2/lightgbm-category
    boosters2/lightgbm-far-child boosters2/lightgbm-feature boosters2/lightgbm-features boosters2/lightgbm-negative
    boosters2/xgboost-iterations boosters2/xgboost-nodes boosters2/xgboost-parallel boosters2/xgboost-short
    flax/bytes-pickle gguf2/call-block gguf2/include keras2/activation-lambda
    keras2/initializer-lambda keras2/json-twice keras2/old-function keras2/old-json
    keras2/regularizer-lambda keras2/source-path keras2/text-standardize keras2/text-vectorization
    mlflow2/python-model-outside mlflow2/sklearn-pickle onnx2/expand onnx2/eye
    onnx2/loop onnx2/one-hot onnx2/pad onnx2/random
    onnx2/range onnx2/resize onnx2/self-function onnx2/shadow
    onnx2/tile paddle/save paddle/save-old-name pt2/inductor-library
    pt2/inductor-slip pt2/operator-call pt2/target-load pt2/target-system
    r/deep-lists r/promise-list savedmodel2/self-call savedmodel2/write-at-load
    skops2/replaced-method skops2/transformer skops2/tree-size skops2/type-beside
    skops2/vectorizer state-places/xgboost-offset state-sizes/int-text tflite2/huge-tensor
    torch2/checkpoint-callback torchscript2/custom-operator torchscript2/doubling torchscript2/image-write
    xml2/doctype-address xml2/parameter-entity xml2/quadratic
    """.split()
)


def attacks() -> Iterator[Attack]:
    found = [item for part in PARTS for item in importlib.import_module(f"corpora.{part}").attacks()]
    yield from (attack for attack in unique(found) if attack.id not in INERT)


def harmless() -> Iterator[Harmless]:
    """Folders and files that real libraries wrote (unseen2_write_harmless.py)."""
    found: dict[str, dict[str, bytes]] = {}
    for path, data in written("harmless2").items():
        folder, _, name = path.partition("/")
        found.setdefault(folder, {})[name] = data
    for folder, files in found.items():
        yield Harmless(f"harmless2/{folder}", folder.partition("-")[0], files, folder.replace("-", " "))
