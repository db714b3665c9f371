"""Hostile texts and folders: templates, GGUF, safetensors, Hugging Face, MLflow. Never loaded."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from corpora.hostile_torch import REMOTE_SOURCE
from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    HIDDEN,
    NAMED,
    ODD,
    OUTSIDE,
    PATH,
    REMOTE,
    TEMPLATE,
    YAML,
    Unit,
    unit,
)
from modelfile_samples import EVIL, call, safetensors, torch_zip
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
