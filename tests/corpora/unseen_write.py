"""Write the files of the held-out set that only the real libraries can write.

    ENVIRONMENT/bin/python tests/corpora/unseen_write.py main|tf|arrow13|harmless FOLDER

Then `python -m zipfile -c tests/data/unseen.zip FOLDER/*`.
"""

# ruff: noqa: E731, SIM115 (one attack a line)
from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

OUT = Path()
CANARY = "/tmp/outside/canary"


def place(name: str) -> str:
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/MARK",)


def main() -> None:
    import cloudpickle
    import dill
    import h5py
    import numpy as np
    import tables
    import torch

    f = lambda x: open("/tmp/MARK", "w")
    Path(place("written-dumps/dill-lambda/m.pkl")).write_bytes(dill.dumps(f, recurse=True))
    Path(place("written-dumps/cloudpickle-lambda/m.pkl")).write_bytes(cloudpickle.dumps(f))

    class Model:
        def __init__(self) -> None:
            self.predict = f

        def __setstate__(self, state: dict) -> None:
            open("/tmp/MARK", "w")

    Path(place("written-dumps/cloudpickle-class/m.pkl")).write_bytes(cloudpickle.dumps(Model()))
    dill.settings["byref"] = False
    Path(place("written-dumps/dill-class/m.pkl")).write_bytes(dill.dumps(Model(), recurse=True))
    torch.save({"w": torch.ones(2), "x": Evil()}, place("written-dumps/torch-save/m.pt"))
    torch.save(
        {"w": torch.ones(2), "x": Evil()},
        place("written-dumps/torch-legacy/m.pt"),
        _use_new_zipfile_serialization=False,
    )
    np.save(place("written-dumps/numpy-save/a.npy"), np.array([Evil()], dtype=object), allow_pickle=True)

    with h5py.File(place("canary/canary.h5"), "w") as h:
        h["data"] = np.frombuffer(b"CANARY-7f3a", "u1")
    with h5py.File(place("hdf5/external-link/m.h5"), "w") as h:
        h["weights"] = h5py.ExternalLink("../../../../outside/canary.h5", "/data")
    with h5py.File(place("hdf5/external-storage/m.h5"), "w") as h:
        h.create_dataset("w", (72,), "u1", external=[(CANARY + ".txt", 0, 72)])
    with h5py.File(place("hdf5/external-storage-write/m.h5"), "w") as h:
        h.create_dataset("w", (16,), "u1", external=[("/tmp/MARK", 0, 16)])
    with h5py.File(place("hdf5/virtual/m.h5"), "w") as h:
        layout = h5py.VirtualLayout((11,), "u1")
        layout[:] = h5py.VirtualSource("../../../../outside/canary.h5", "data", (11,))
        h.create_virtual_dataset("w", layout)
    with h5py.File(place("hdf5/bomb/m.h5"), "w") as h:
        h.create_dataset("w", (1 << 34,), "u1", chunks=(1 << 20,), compression="gzip", fillvalue=0)
    with h5py.File(place("hdf5/user-block/m.h5"), "w", userblock_size=512) as h:
        h["w"] = np.ones(3)
    path = Path(place("hdf5/user-block/m.h5"))
    data = pickle.dumps(Evil(), 4)
    path.write_bytes(data + path.read_bytes()[len(data) :])
    with tables.open_file(place("hdf5/pytables-attribute/m.h5"), "w") as t:
        t.root._v_attrs.model = Evil()
    with tables.open_file(place("hdf5/pytables-objects/m.h5"), "w") as t:
        t.create_vlarray(t.root, "models", tables.ObjectAtom()).append(Evil())

    class Net(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.from_file("/tmp/MARK", True, 16, dtype=torch.uint8)
            return x + y.sum()

    torch.jit.script(Net()).save(place("torchscript/from-file/m.pt"))

    class Save(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.save(x, "/tmp/MARK")
            return x

    torch.jit.script(Save()).save(place("torchscript/save/m.pt"))

    class State(torch.nn.Module):
        @torch.jit.export
        def __getstate__(self) -> tuple[int, bool]:
            return (1, self.training)

        @torch.jit.export
        def __setstate__(self, state: tuple[int, bool]) -> None:
            self.training = state[1]
            torch.save(torch.ones(1), "/tmp/MARK")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.script(State()).save(place("torchscript/setstate/m.pt"))

    class Loop(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            while True:
                x = x + 1
            return x

    torch.jit.script(Loop()).save(place("torchscript/loop/m.pt"))

    class Big(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones([1 << 20, 1 << 20]) + x

    torch.jit.script(Big()).save(place("torchscript/allocates/m.pt"))
    torch.jit.save(
        torch.jit.script(torch.nn.Linear(1, 1)),
        place("torchscript/extra-files/m.pt"),
        _extra_files={"model.pkl": pickle.dumps(Evil())},
    )
    with torch.package.PackageExporter(place("torchscript/package-source/m.pt")) as package:
        package.save_source_string("payload", "open('/tmp/MARK', 'w')\nclass Model: pass\n")
    with torch.package.PackageExporter(place("torchscript/package-pickle/m.pt")) as package:
        package.extern("**")
        package.save_pickle("model", "model.pkl", Evil())


def tf() -> None:
    import keras
    import tensorflow as tf

    spec = [tf.TensorSpec([None], tf.float32)]

    def save(name: str, body: object) -> None:
        class Module(tf.Module):
            @tf.function(input_signature=spec)
            def __call__(self, x: tf.Tensor) -> tf.Tensor:
                return body(x)

        module = Module()
        tf.saved_model.save(
            module, place(f"savedmodel/{name}/m") and str(OUT / f"savedmodel/{name}/m"), signatures=module.__call__
        )

    raw, mark = tf.raw_ops, "/tmp/MARK"

    def after(make: object) -> object:
        def body(x: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([make(x)]):
                return tf.identity(x)

        return body

    save(
        "read-file",
        lambda x: (
            x
            + tf.strings.to_number(
                tf.strings.substr(tf.strings.as_string(tf.strings.length(tf.io.read_file(CANARY + ".txt"))), 0, 1)
            )
        ),
    )
    save("write-file", after(lambda x: tf.io.write_file(mark, tf.strings.as_string(x[0]))))
    save("print-file", after(lambda x: raw.PrintV2(input=tf.strings.as_string(x[0]), output_stream="file://" + mark)))
    save("save-v2", after(lambda x: raw.SaveV2(prefix=mark, tensor_names=["x"], shape_and_slices=[""], tensors=[x])))
    save(
        "summary-writer",
        after(
            lambda x: raw.WriteScalarSummary(
                writer=_writer(raw, mark), step=tf.constant(1, tf.int64), tag="t", value=x[0]
            )
        ),
    )
    save(
        "debug-url",
        after(
            lambda x: raw.DebugIdentityV2(input=x, tfdbg_run_id="r", tensor_debug_mode=2, debug_urls=["file://" + mark])
        ),
    )
    save(
        "merge-checkpoints",
        after(
            lambda x: raw.MergeV2Checkpoints(
                checkpoint_prefixes=[CANARY], destination_prefix=mark, delete_old_dirs=True
            )
        ),
    )
    save("matching-files", lambda x: x + tf.cast(tf.size(tf.io.matching_files("/tmp/outside/*")), tf.float32))
    save(
        "text-dataset",
        lambda x: (
            x
            + tf.cast(
                tf.strings.length(
                    next(iter(tf.data.TextLineDataset(CANARY + ".txt").take(1)))
                    if tf.executing_eagerly()
                    else tf.data.TextLineDataset(CANARY + ".txt").reduce("", lambda a, b: a + b)
                ),
                tf.float32,
            )
        ),
    )
    save("loop", lambda x: tf.while_loop(lambda v: tf.constant(True), lambda v: (v + 1.0,), (x,))[0])
    save("fill", lambda x: x + tf.reduce_sum(tf.random.normal([1 << 17, 1 << 17])))
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Lambda(lambda x: (open("/tmp/MARK", "w"), x)[1])])
    model.save(place("written-keras/lambda/m.keras"))
    model.save(place("written-keras/lambda-h5/m.h5"))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(OUT / "savedmodel/write-file/m"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    try:
        Path(place("tflite/flex-write/m.tflite")).write_bytes(converter.convert())
    except Exception as error:
        print("tflite", error)


def _writer(raw: object, mark: str) -> object:
    writer = raw.SummaryWriter(shared_name="w", container="")
    raw.CreateSummaryFileWriter(writer=writer, logdir=mark, max_queue=1, flush_millis=1, filename_suffix="x")
    return writer


def arrow13() -> None:
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    class Kind(pa.PyExtensionType):
        def __init__(self) -> None:
            pa.PyExtensionType.__init__(self, pa.int8())

        def __reduce__(self) -> tuple:
            return os.system, ("touch /tmp/MARK",)

    array = pa.ExtensionArray.from_storage(Kind(), pa.array([1], pa.int8()))
    table = pa.table({"a": array})
    pq.write_table(table, place("arrow/parquet/m.parquet"))
    pq.write_table(
        pa.table({"a": pa.array([[1]]), "b": pa.StructArray.from_arrays([array], ["x"])}),
        place("arrow/parquet-nested/m.parquet"),
    )
    pa.feather.write_feather(table, place("arrow/feather/m.feather"))
    with pa.OSFile(place("arrow/stream/m.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(pa.table({"a": pa.nulls(1 << 29)}), place("arrow/rows/m.parquet"))


if __name__ == "__main__":
    OUT = Path(sys.argv[2])
    if sys.argv[1] == "harmless":
        import unseen_write_harmless

        unseen_write_harmless.write(OUT)
    else:
        {"main": main, "tf": tf, "arrow13": arrow13}[sys.argv[1]]()
