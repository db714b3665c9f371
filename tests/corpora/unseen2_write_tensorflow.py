"""Write TensorFlow's SavedModels of the second held-out set; see unseen2_write.py."""

# ruff: noqa: E731 (one attack a line)
from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from unseen2_write_units import CANARY, MARK


def savedmodel(place: Callable[[str], str]) -> None:
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    raw = tf.raw_ops
    spec = [tf.TensorSpec([None], tf.float32)]

    def save(name: str, body: Callable, **more: object) -> None:
        class Module(tf.Module):
            def __init__(self) -> None:
                super().__init__()
                for key, value in more.items():
                    setattr(self, key, value() if callable(value) else value)

            @tf.function(input_signature=spec)
            def __call__(self, x: tf.Tensor) -> tf.Tensor:
                return body(x)

        module = Module()
        place(f"savedmodel2/{name}/m/x")
        tf.saved_model.save(module, os.path.dirname(place(f"savedmodel2/{name}/m/x")), signatures=module.__call__)

    def after(make: Callable) -> Callable:
        def body(x: tf.Tensor) -> tf.Tensor:
            with tf.control_dependencies([make(x)]):
                return tf.identity(x)

        return body

    number = lambda t: tf.cast(tf.reduce_sum(tf.strings.length(t)), tf.float32)

    def tried(name: str, body: Callable) -> None:
        try:
            save(name, body)
        except Exception as error:
            print("savedmodel", name, repr(error)[:300])

    tried("py-function", lambda x: tf.py_function(lambda v: v, [x], tf.float32))
    tried("numpy-function", lambda x: tf.numpy_function(lambda v: v, [x], tf.float32))
    tried(
        "immutable-const",
        lambda x: (
            x
            + tf.cast(
                tf.reduce_sum(
                    tf.cast(raw.ImmutableConst(dtype=tf.uint8, shape=[8], memory_region_name=CANARY + ".txt"), tf.int32)
                ),
                tf.float32,
            )
        ),
    )
    tried(
        "fixed-records",
        lambda x: (
            x
            + number(
                raw.ReaderReadV2(reader_handle=raw.WholeFileReaderV2(), queue_handle=_queue(tf, CANARY + ".txt")).value
            )
        ),
    )
    tried(
        "text-reader",
        lambda x: (
            x
            + number(
                raw.ReaderReadV2(reader_handle=raw.TextLineReaderV2(), queue_handle=_queue(tf, CANARY + ".txt")).value
            )
        ),
    )
    tried(
        "record-dataset",
        lambda x: (
            x
            + tf.data.FixedLengthRecordDataset(CANARY + ".txt", 4).reduce(
                0.0, lambda a, b: a + tf.cast(tf.strings.length(b), tf.float32)
            )
        ),
    )
    tried(
        "csv-dataset",
        lambda x: (
            x
            + tf.data.experimental.CsvDataset(CANARY + ".txt", [""]).reduce(
                0.0, lambda a, b: a + tf.cast(tf.strings.length(b), tf.float32)
            )
        ),
    )
    tried(
        "cache-dataset",
        lambda x: x + tf.data.Dataset.range(3).cache(MARK).reduce(0.0, lambda a, b: a + tf.cast(b, tf.float32)),
    )
    tried(
        "snapshot-dataset",
        lambda x: x + tf.data.Dataset.range(3).snapshot(MARK).reduce(0.0, lambda a, b: a + tf.cast(b, tf.float32)),
    )
    tried(
        "record-writer",
        after(
            lambda x: raw.DatasetToTFRecord(
                input_dataset=tf.data.Dataset.from_tensors(tf.strings.as_string(x[0]))._variant_tensor,
                filename=MARK,
                compression_type="",
            )
        ),
    )
    tried("save-slices", after(lambda x: raw.Save(filename=MARK, tensor_names=["a"], data=[x])))
    tried(
        "restore",
        lambda x: (
            x
            + raw.RestoreV2(
                prefix="/tmp/outside/canary", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32]
            )[0]
        ),
    )
    tried("hash-table", lambda x: x + tf.cast(_table(tf), tf.float32))
    tried(
        "sql-dataset",
        lambda x: (
            x
            + tf.data.experimental.SqlDataset("sqlite", CANARY + ".txt", "select 1", (tf.int64,)).reduce(
                0.0, lambda a, b: a + 1.0
            )
        ),
    )
    tried(
        "decode-proto",
        lambda x: (
            x
            + number(
                raw.DecodeProtoV2(
                    bytes=tf.constant(b""),
                    message_type="a.B",
                    field_names=[],
                    output_types=[],
                    sanitize=False,
                    descriptor_source=CANARY + ".txt",
                ).sizes
                if False
                else tf.constant(["a"])
            )
        ),
    )
    tried(
        "remote-call",
        lambda x: (
            x
            + raw.RemoteCall(
                target="/job:worker/replica:0/task:0",
                args=[x],
                Tout=[tf.float32],
                f=tf.function(lambda v: v, input_signature=spec).get_concrete_function(),
            )[0]
        ),
    )
    tried(
        "matching-write",
        after(lambda x: tf.map_fn(lambda v: (tf.io.write_file(MARK, tf.strings.as_string(v)), v)[1], x)),
    )
    tried(
        "nested-function",
        lambda x: tf.function(lambda v: after(lambda w: tf.io.write_file(MARK, "x"))(v), input_signature=spec)(x),
    )
    tried(
        "cond-write",
        lambda x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: after(lambda w: tf.io.write_file(MARK, "x"))(x), lambda: x),
    )
    tried("computed-path", after(lambda x: tf.io.write_file(tf.strings.join(["/tm", "p/MARK"]), "x")))
    tried("delete-checkpoint", lambda x: tf.reshape(tf.tile(x, [1 << 40]), [-1])[:1])
    tried("broadcast", lambda x: tf.reduce_sum(tf.broadcast_to(x[0], [1 << 20, 1 << 17]) * 1.5) + x)
    tried("range", lambda x: x + tf.reduce_sum(tf.random.shuffle(tf.range(0.0, 2e10, 1.0))))
    tried("one-hot", lambda x: x + tf.reduce_sum(tf.one_hot(tf.range(1 << 17), 1 << 17) * x[0]))
    tried(
        "string-double",
        lambda x: (
            x
            + number(
                tf.while_loop(
                    lambda i, s: i < 60, lambda i, s: (i + 1, tf.strings.join([s, s])), (0, tf.constant("AAAAAAAA"))
                )[1]
            )
        ),
    )
    tried(
        "nested-loops",
        lambda x: tf.while_loop(
            lambda i, v: i < 10**9,
            lambda i, v: (i + 1, tf.while_loop(lambda j, w: j < 10**9, lambda j, w: (j + 1, w + 1.0), (0, v))[1]),
            (0, x),
        )[1],
    )
    tried("recursion", lambda x: x)

    def edited(name: str, base: str, change: Callable) -> None:
        source, to = Path(place(f"savedmodel2/{base}/m/x")).parent, Path(place(f"savedmodel2/{name}/m/x")).parent
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(source, to)
        model = saved_model_pb2.SavedModel()
        model.ParseFromString((to / "saved_model.pb").read_bytes())
        change(model)
        (to / "saved_model.pb").write_bytes(model.SerializeToString())

    # A table is filled from an asset while the model is loaded.
    asset = Path(place("savedmodel2/vocabulary.txt"))
    asset.write_text("a\nb\n")

    class Table(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            init = tf.lookup.TextFileInitializer(
                str(asset), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(init, -1)

        @tf.function(input_signature=spec)
        def __call__(self, x: tf.Tensor) -> tf.Tensor:
            return x + tf.cast(self.table.size(), tf.float32)

    module = Table()
    tf.saved_model.save(module, os.path.dirname(place("savedmodel2/table/m/x")), signatures=module.__call__)
    asset.unlink()

    def asset_path(path: str) -> Callable:
        def change(model: object) -> None:
            for graph in model.meta_graphs:
                for item in graph.asset_file_def:
                    item.filename = path

        return change

    edited("asset-dots", "table", asset_path("../../../../../../outside/canary.txt"))
    edited("asset-absolute", "table", asset_path("/tmp/outside/canary.txt"))

    def at_load(model: object) -> None:
        for function in model.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                if node.op == "InitializeTableFromTextFileV2":
                    path = function.node_def.add()
                    path.name, path.op = "p", "Const"
                    path.attr["dtype"].type = 7
                    path.attr["value"].tensor.CopyFrom(tf.make_tensor_proto("/tmp/MARK"))
                    write_node = function.node_def.add()
                    write_node.name, write_node.op = "w", "WriteFile"
                    write_node.input.extend(["p:output:0", "p:output:0"])
                    function.control_ret["w"] = "w"
                    return

    edited("write-at-load", "table", at_load)

    def recursion(model: object) -> None:
        library = model.meta_graphs[0].graph_def.library
        for function in library.function:
            if function.signature.name.startswith("__inference___call__"):
                for node in function.node_def:
                    if node.op == "Identity" and node.attr["T"].type == 1:
                        node.op = "StatefulPartitionedCall"
                        node.ClearField("attr")
                        node.attr["f"].func.name = function.signature.name
                        node.attr["Tin"].list.type.append(1)
                        node.attr["Tout"].list.type.append(1)
                        return

    edited("self-call", "recursion", recursion)
    text = Path(place("savedmodel2/text-form/m/x")).parent
    shutil.rmtree(text, ignore_errors=True)
    shutil.copytree(Path(place("savedmodel2/computed-path/m/x")).parent, text)
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((text / "saved_model.pb").read_bytes())
    (text / "saved_model.pb").unlink()
    (text / "saved_model.pbtxt").write_text(str(model))
    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file(MARK, "x", name="w")
    Path(place("savedmodel2/frozen-write/m.pb")).write_bytes(graph.as_graph_def().SerializeToString())
    Path(place("savedmodel2/graph-text/m.pbtxt")).write_text(str(graph.as_graph_def()))
    with graph.as_default():
        tf.compat.v1.train.export_meta_graph(place("savedmodel2/meta-write/m.meta"), graph=graph)
    for base in ("table", "recursion", "decode-proto"):
        shutil.rmtree(Path(place(f"savedmodel2/{base}/m/x")).parents[1])


def _queue(tf: object, path: str) -> object:
    queue = tf.raw_ops.FIFOQueueV2(component_types=[tf.string])
    with tf.control_dependencies([tf.raw_ops.QueueEnqueueV2(handle=queue, components=[tf.constant(path)])]):
        return tf.identity(queue)


def _table(tf: object) -> object:
    table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="t")
    make = tf.raw_ops.InitializeTableFromTextFileV2(
        table_handle=table, filename=CANARY + ".txt", key_index=-2, value_index=-1
    )
    with tf.control_dependencies([make]):
        return tf.raw_ops.LookupTableSizeV2(table_handle=table)
