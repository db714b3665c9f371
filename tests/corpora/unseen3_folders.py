"""The third blind set: Hugging Face and MLflow folders."""

# ruff: noqa: E501  (payloads stand on one line)

from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen3_base import CODE, COMMANDS, Sample, as_json, call, dumps

EVIL = call("os:system", COMMANDS[0])
SH = COMMANDS[0]
Files = dict[str, bytes]
Row = tuple[str, Files, str, str]
CONFIG = b"from transformers import PretrainedConfig\n\nclass NetConfig(PretrainedConfig):\n    model_type = 'net'\n"
MODEL = b"from transformers import PreTrainedModel\nfrom .configuration_net import NetConfig\n\nclass Net(PreTrainedModel):\n    config_class = NetConfig\n"
RUN = CODE[0].encode() + b"\n"


def _hugging_face() -> Iterator[Row]:
    base = {
        "model_type": "net",
        "architectures": ["Net"],
        "auto_map": {"AutoConfig": "configuration_net.NetConfig", "AutoModel": "modeling_net.Net"},
    }
    here = "'/tmp/s', trust_remote_code=True)"
    config = "from transformers import AutoConfig; AutoConfig.from_pretrained(" + here
    model = "from transformers import AutoModel; AutoModel.from_pretrained(" + here
    yield "config-code", {"config.json": as_json(base), "configuration_net.py": RUN + CONFIG}, config, "code"
    yield (
        "model-code",
        {"config.json": as_json(base), "configuration_net.py": CONFIG, "modeling_net.py": RUN + MODEL},
        model,
        "code",
    )
    init = (
        MODEL
        + b"    def __init__(self, config):\n        super().__init__(config)\n        import subprocess\n        subprocess.Popen(['sh', '-c', 'touch /tmp/x']).wait()\n"
    )
    yield (
        "model-init",
        {"config.json": as_json(base), "configuration_net.py": CONFIG, "modeling_net.py": init},
        "from transformers import AutoConfig, AutoModel; c = AutoConfig.from_pretrained('/tmp/s', trust_remote_code=True); AutoModel.from_config(c, trust_remote_code=True)",
        "code",
    )
    hidden = CODE[3].encode().replace(b"; ", b"\n") + b"\n"
    yield (
        "relative-import",
        {
            "config.json": as_json(base),
            "configuration_net.py": b"from .utils_net import *\n" + CONFIG,
            "utils_net.py": hidden,
        },
        config,
        "code",
    )
    deep = {**base, "auto_map": {"AutoConfig": "configuration_net.NetConfig"}}
    decorated = CONFIG.replace(b"class", b"@(lambda c: (__import__('os').system('touch /tmp/x'), c)[1])\nclass")
    yield "decorator", {"config.json": as_json(deep), "configuration_net.py": decorated}, config, "code"
    default = (
        CONFIG
        + b"    def __init__(self, x=__import__('os').system('touch /tmp/x'), **kwargs):\n        super().__init__(**kwargs)\n"
    )
    yield "default-argument", {"config.json": as_json(deep), "configuration_net.py": default}, config, "code"
    obscured = (
        b"getattr(__import__(''.join(map(chr, (111, 115)))), 'metsys'[::-1])(bytes.fromhex('746f756368202f746d702f78').decode())\n"
        + CONFIG
    )
    yield "obscured", {"config.json": as_json(deep), "configuration_net.py": obscured}, config, "code"
    ctypes = b"import ctypes\nctypes.CDLL('/tmp/s/libnet.so')\n"
    yield (
        "native-library",
        {"config.json": as_json(deep), "configuration_net.py": ctypes + CONFIG, "libnet.so": _library()},
        config,
        "code",
    )
    token = {"tokenizer_class": "NetTokenizer", "auto_map": {"AutoTokenizer": ["tokenization_net.NetTokenizer", None]}}
    tokenizer = (
        RUN + b"from transformers import PreTrainedTokenizer\n\nclass NetTokenizer(PreTrainedTokenizer):\n    pass\n"
    )
    yield (
        "tokenizer-code",
        {"tokenizer_config.json": as_json(token), "tokenization_net.py": tokenizer},
        "from transformers import AutoTokenizer; AutoTokenizer.from_pretrained(" + here,
        "code",
    )
    processor = {
        "feature_extractor_type": "NetExtractor",
        "auto_map": {"AutoFeatureExtractor": "feature_net.NetExtractor"},
    }
    yield (
        "feature-extractor-code",
        {
            "preprocessor_config.json": as_json(processor),
            "feature_net.py": RUN
            + b"from transformers import FeatureExtractionMixin\nclass NetExtractor(FeatureExtractionMixin):\n    pass\n",
        },
        "from transformers import AutoFeatureExtractor; AutoFeatureExtractor.from_pretrained(" + here,
        "code",
    )
    image = {"image_processor_type": "NetImages", "auto_map": {"AutoImageProcessor": "images_net.NetImages"}}
    yield (
        "image-processor-code",
        {"preprocessor_config.json": as_json(image), "images_net.py": RUN + b"class NetImages:\n    pass\n"},
        "from transformers import AutoImageProcessor; AutoImageProcessor.from_pretrained(" + here,
        "code",
    )
    generate = {
        "config.json": as_json(
            {"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 1, "vocab_size": 8, "n_positions": 8}
        ),
        "generation_config.json": b"{}",
        "custom_generate/generate.py": RUN + b"def generate(model, **kwargs):\n    return 1\n",
    }
    yield (
        "custom-generate",
        generate,
        "from transformers import AutoConfig, AutoModelForCausalLM as A; m = A.from_config(AutoConfig.from_pretrained('/tmp/s')); m.generate(custom_generate='/tmp/s', trust_remote_code=True)",
        "code",
    )
    weights = {"config.json": as_json({"model_type": "bert"}), "pytorch_model.bin": dumps(EVIL, 2)}
    yield "pickled-weights", weights, "import torch; torch.load('/tmp/s/pytorch_model.bin', weights_only=False)", "code"
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.bin", "b": "model-00002-of-00002.bin"}}
    yield (
        "second-shard",
        {
            "pytorch_model.bin.index.json": as_json(index),
            "model-00001-of-00002.bin": dumps({}, 2),
            "model-00002-of-00002.bin": dumps({"b": EVIL}, 2),
        },
        "import torch; torch.load('/tmp/s/model-00002-of-00002.bin', weights_only=False)",
        "code",
    )
    modules = [{"idx": 0, "name": "0", "path": "", "type": "net_layer.Layer"}]
    yield (
        "sentence-transformers",
        {
            "modules.json": as_json(modules),
            "config_sentence_transformers.json": b"{}",
            "net_layer.py": RUN
            + b"import torch\nclass Layer(torch.nn.Module):\n    @classmethod\n    def load(cls, *a, **k):\n        return cls()\n",
        },
        "from sentence_transformers import SentenceTransformer as S; S(" + here,
        "code",
    )
    hub = {"hubconf.py": RUN + b"dependencies = ['torch']\ndef net(pretrained=False):\n    return 1\n"}
    yield "hubconf", hub, "import torch; torch.hub.load('/tmp/s', 'net', source='local')", "code"
    dependency = {
        "hubconf.py": b"from models.net import net\n",
        "models/__init__.py": b"",
        "models/net.py": CODE[2].encode() + b"\ndef net():\n    return 1\n",
    }
    yield "hubconf-import", dependency, "import torch; torch.hub.load('/tmp/s', 'net', source='local')", "code"
    pipeline = {
        "model_index.json": as_json({"_class_name": ["pipeline", "Net"], "_diffusers_version": "0.30.0"}),
        "pipeline.py": RUN + b"from diffusers import DiffusionPipeline\nclass Net(DiffusionPipeline):\n    pass\n",
    }
    yield (
        "diffusers-pipeline",
        pipeline,
        "from diffusers import DiffusionPipeline as D; D.from_pretrained('/tmp/s', custom_pipeline='/tmp/s', trust_remote_code=True)",
        "code",
    )
    dataset = {"net.py": RUN + b"import datasets\n", "dataset_infos.json": b"{}"}
    yield "dataset-script", dataset, "import runpy; runpy.run_path('/tmp/s/net.py')", "code"
    peft = {
        "adapter_config.json": as_json(
            {
                "peft_type": "LORA",
                "base_model_name_or_path": "x",
                "auto_mapping": {"base_model_class": "Net", "parent_library": "evil_parent"},
            }
        ),
        "evil_parent.py": RUN
        + b"class Net:\n    @classmethod\n    def from_pretrained(cls, *a, **k):\n        return cls()\n",
    }
    yield (
        "peft-parent",
        peft,
        "import sys; sys.path.insert(0, '/tmp/s'); from peft import AutoPeftModel as A; A.from_pretrained('/tmp/s')",
        "code",
    )


def _library() -> bytes:
    from corpora.unseen3_data import data

    return data("lib.so")


def _mlflow() -> Iterator[Row]:
    head = "artifact_path: model\nmlflow_version: 3.1.0\nmodel_uuid: 0\nflavors:\n  python_function:\n    env: {}\n    python_version: 3.11.7\n"
    load = "import mlflow.pyfunc; mlflow.pyfunc.load_model('/tmp/s')"
    module = (
        RUN
        + b"def _load_pyfunc(path, *a):\n    class M:\n        def predict(self, *a, **k):\n            return 1\n    return M()\n"
    )
    yield (
        "loader-module",
        {
            "MLmodel": (head + "    loader_module: evil_loader\n    code: code\n    data: .\n").encode(),
            "code/evil_loader.py": module,
        },
        load,
        "code",
    )
    yield (
        "code-paths",
        {
            "MLmodel": (head + "    loader_module: pkg.flavor\n    code: code\n").encode(),
            "code/pkg/__init__.py": CODE[1].encode(),
            "code/pkg/flavor.py": module.replace(RUN, b""),
        },
        load,
        "code",
    )
    python = (
        "    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    cloudpickle_version: 3.1.2\n"
    )
    yield (
        "python-model",
        {"MLmodel": (head + python).encode(), "python_model.pkl": dumps(EVIL, 5)},
        "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; " + load,
        "code",
    )
    yield (
        "python-model-nested",
        {
            "MLmodel": (head + python.replace("python_model.pkl", "artifacts/deep/m.bin")).encode(),
            "artifacts/deep/m.bin": dumps([1, EVIL], 2),
        },
        "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; " + load,
        "code",
    )
    code = (
        RUN
        + b"from mlflow.models import set_model\nfrom mlflow.pyfunc import PythonModel\nclass M(PythonModel):\n    def predict(self, x):\n        return x\nset_model(M())\n"
    )
    yield (
        "model-code-path",
        {
            "MLmodel": (
                head + "    loader_module: mlflow.pyfunc.model\n    model_code_path: agent.py\n    streamable: false\n"
            ).encode(),
            "agent.py": code,
        },
        load,
        "code",
    )
    sklearn = "    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n    sklearn_version: 1.5.0\n    code: null\n"
    yield (
        "sklearn-flavour",
        {"MLmodel": (head + sklearn).encode(), "model.pkl": dumps(EVIL, 4)},
        "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; import mlflow.sklearn; mlflow.sklearn.load_model('/tmp/s')",
        "code",
    )
    torch = "    loader_module: mlflow.pytorch\n    data: data\n    pickle_module_name: evil_pickle\n    code: code\n  pytorch:\n    model_data: data\n    pytorch_version: 2.5.0\n    code: code\n"
    yield (
        "pickle-module",
        {
            "MLmodel": (head + torch).encode(),
            "data/pickle_module_info.txt": b"evil_pickle",
            "data/model.pth": b"x",
            "code/evil_pickle.py": RUN,
        },
        "import os; os.environ['MLFLOW_ALLOW_PICKLE_DESERIALIZATION'] = 'true'; import mlflow.pytorch; mlflow.pytorch.load_model('/tmp/s')",
        "code",
    )
    yield (
        "flow-mapping",
        {
            "MLmodel": b'flavors: {python_function: {loader_module: "evil\\x5floader", code: c, env: {}, python_version: 3.11.7}}\nmodel_uuid: 0\nmlflow_version: 3.1.0\n',
            "c/evil_loader.py": module,
        },
        load,
        "code",
    )
    project = b'name: net\nentry_points:\n  main:\n    command: "touch /tmp/x"\n'
    yield (
        "project",
        {"MLproject": project},
        "import yaml, subprocess; subprocess.run(yaml.safe_load(open('/tmp/s/MLproject'))['entry_points']['main']['command'], shell=True)",
        "code",
    )


def samples() -> Iterator[Sample]:
    for family, rows in (("hugging-face", _hugging_face()), ("mlflow", _mlflow())):
        for name, files, loader, effect in rows:
            yield Sample(
                f"{family}/{name}",
                files,
                loader,
                effect,
                "extra+main"
                if name in ("diffusers-pipeline", "image-processor-code", "sentence-transformers", "peft-parent")
                else "main",
                "",
            )
