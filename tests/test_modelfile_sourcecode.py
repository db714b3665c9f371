"""Code beside a model: what code of models does, and what it has no business to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipworthy.modelfile import Code, scan

ATTACKS = (Path(__file__).parent / "data" / "models" / "code_attacks.txt").read_text("utf-8").split("# === ")[1:]

HONEST = """
import math, os, copy
from dataclasses import dataclass
from typing import Optional
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizer
from transformers.utils import logging
from shutil import copyfile
from .configuration import Config
try:
    import flash_attn
except ImportError:
    flash_attn = None

logger = logging.get_logger(__name__)
ACTS = {"gelu": F.gelu, "silu": nn.SiLU}

class Model(PreTrainedModel):
    config_class = Config
    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.ModuleList([nn.Linear(config.size, config.size) for _ in range(config.depth)])
        self.act = getattr(F, config.act)
        self.__class__.__name__ = "Model"
    def forward(self, x, mask: Optional[torch.Tensor] = None):
        for layer in self.layers:
            x = self.act(layer(x)) / math.sqrt(x.shape[-1])
        self.eval()
        return x

class Tokens(PreTrainedTokenizer):
    def __init__(self, vocab_file):
        with open(vocab_file, encoding="utf-8") as stream:
            self.vocab = stream.read().split()
    def save_vocabulary(self, folder):
        path = os.path.join(folder, "vocab.txt")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("x")
        copyfile(path, path + "2")
"""
CONFIGURATION = "from transformers import PretrainedConfig\nclass Config(PretrainedConfig):\n    model_type = 'own'\n"


def severity(folder: Path, code: str, **more: str) -> str:
    (folder / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": {"AutoModel": "mine.Model"}}))
    (folder / "mine.py").write_text(code)
    for name, text in more.items():
        (folder / f"{name}.py").write_text(text)
    (issue,) = scan(folder / "config.json").issues
    assert issue.code is Code.REMOTE_CODE
    return issue.severity


def test_code_as_models_have_it_is_told_and_no_more(tmp_path: Path) -> None:
    assert severity(tmp_path, HONEST, configuration=CONFIGURATION) == "medium"


@pytest.mark.parametrize(
    "line",
    [
        "open('/root/.bashrc', 'a').write('x')",
        "with open(name, mode) as stream: pass",
        "import pathlib; pathlib.Path('/x').write_text('y')",
        "import torch; torch.save({}, '/x')",
        "import os; os.remove('x')",
        "import os; f = os",
        "import os; f = os.system",
        "import os as x",
        "from os import system",
        "from os import *; system('id')\nos.system('id')",
        "import socket; socket.socket()",
        "import urllib.request; urllib.request.urlopen('http://x')",
        "import requests; requests.get('http://x')",
        "from requests import post\nclass M:\n    def forward(self): post('x')",
        "import torch; torch.os.system('id')",
        "import torch; t = torch; t.os.system('id')",
        "import torch; getattr(torch, 'os')",
        "import torch; getattr(torch, 'o' + 's').x",
        "import torch; [getattr(torch, name) for name in dir(torch)][7].system('id')",
        "import torch, inspect; dict(inspect.getmembers(torch))['os'].system('id')",
        "import torch\nmatch torch:\n    case object(os=object(system=f)): f('id')",
        "import torch\nmatch [torch]:\n    case [object(os=object(popen=f))]: f('id')",
        "import torch; getattr(torch, ''.join(['o', 's'])).x",
        "import importlib; importlib.import_module('os')",
        "import sys; sys.modules['os'].system('id')",
        "().__class__.__mro__[1].__subclasses__()",
        "print.__self__.__dict__['eval']('1')",
        "(lambda: 0).__globals__['x']",
        "list(map(eval, ['1']))",
        "globals()['x']('y')",
        "__builtins__.eval('1')",
        "import builtins; builtins.exec('1')",
        "import types; types.FunctionType(c, {})()",
        "from transformers.utils import os; os.system('id')",
        "import transformers as t; t.AutoModel.from_pretrained('x/y', trust_remote_code=True)",
        "import logging.config; logging.config.dictConfig({})",
        "from .gone import x",
        "from ...up import x",
        "from .helper import os; os.system('id')",
        "import helper",
        "from .other import x\nx.run(['id'])",
        "from .other import pty; pty.spawn('sh')",
        "def f(eval): pass\nlist(map(eval, ['1']))",
        "import torch; torch.serialization.pickle.loads(b'')",
        "import numpy; numpy.ctypeslib.load_library('x', '.')",
        "import pickle; pickle.load(open('x', 'rb'))",
        "if x == eval('1'): pass",
        "import importlib; importlib.import_module('.x', 'evil')",
        "import pickle\nx = pickle.dumps(t)\nx = x.replace(b'a', b'cos\\nsystem')\nt = pickle.loads(x)",
        "import pickle\nx = pickle.dumps(t)\nx = f()\nt = pickle.loads(x)",
        "import onnxruntime; onnxruntime.SessionOptions().register_custom_ops_library('x.so')",
        "from loguru import logger; logger.add('/tmp/x')",
        "from PIL import ImageMath; ImageMath.eval('1')",
        "import torch.distributed.rpc as rpc; rpc.init_rpc('x')",
        "import dataclasses; dataclasses._create_fn('f', [], ['import os'])",
        "import typing; typing.ForwardRef('f()')._evaluate({}, {}, set())",
        "x = (",
    ],
)
def test_code_that_reaches_further_is_not_passed(tmp_path: Path, line: str) -> None:
    assert (
        severity(tmp_path, line, helper="import os\nos.system('id')\n", other="import subprocess as x, pty\n") == "high"
    )


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda text: text.splitlines()[0].replace(" ", "-"))
def test_attacks_in_many_forms_are_found(tmp_path: Path, attack: str) -> None:
    """The first were written without knowledge of what is judged (50 of 54 were found then), the second knowing it."""
    code = attack.partition("\n")[2]
    known = "from transformers import PreTrainedModel\nimport torch, math\nTinyConfig = object\n"
    assert severity(tmp_path, code, base=known) == "high"


@pytest.mark.parametrize(
    "code",
    [
        "import bs4; bs4.BeautifulSoup('x')",
        "import torch; torch._inductor.cudagraph_mark_step_begin()",
        "import torch; torch._dynamo.mark_static_address(x)",
        "import torch; torch._dynamo.config.cache_size_limit = 8",
        "from torch import _dynamo",
        "import torch; torch._dynamo.config.capture_scalar_outputs = True",
        "from loguru import logger; logger.warning('x')",
        "import types; isinstance(x, types.FunctionType)",
        "import types; isinstance(x, (str, types.FunctionType))",
        "import numpy as np; np.load('x.npy')",
        "import torch; torch.load(path, map_location='cpu', weights_only=True)",
        "from multiprocessing import Pool\nwith Pool(4) as pool: pool.map(len, [])",
        "import importlib; module = importlib.import_module('transformers')",
        "import importlib; importlib.import_module(f'.{name}', 'transformers.models')",
        "import pickle; y = pickle.loads(pickle.dumps(y))",
        "from kernels import get_kernel; get_kernel('kernels-community/causal-conv1d')",
        "import sys; jieba = sys.modules['jieba']",
        "import os; os.environ['TOKENIZERS_PARALLELISM'] = 'true'",
        "import os\nif 'X' in os.environ: os.environ.pop('X', None)",
        "class C:\n    def __getattribute__(self, key): return super().__getattribute__(key)",
        "def f(eval=False):\n    if eval: return 1",
        "import numpy as np\ndef save_voice(x): np.save('x', x)",
        "import builtins\ndef f(x: builtins.bool) -> builtins.int: ...",
        "import pickle\nx = pickle.dumps(t)\nx = x.replace(b'\"a\":false', b'\"a\": true')\nt = pickle.loads(x)",
        "import sys\nif 'jieba' not in sys.modules: pass",
        "import importlib; importlib.import_module('.tokenization', 'transformers')",
        "import torch; torch.load(path, map_location='cpu', **{'weights_only': True})",
        "import numpy as np\ndef f(config): return getattr(config, 'size', 0).lower()",
        "x: 'Literal[\"(\"]' = 1",
    ],
)
def test_what_published_models_do_is_told_and_no_more(tmp_path: Path, code: str) -> None:
    assert severity(tmp_path, code) == "medium"


def test_pickles_that_code_loads_are_named(tmp_path: Path) -> None:
    assert severity(tmp_path, "import torch; torch.load(path)") == "medium"
    assert "loads pickles (torch.load, line 1)" in scan(tmp_path / "config.json").issues[0].message
    assert severity(tmp_path, "import torch, requests; torch.load(path); requests.get('http://x')") == "high"


def test_code_that_is_named_and_not_there_is_not_passed(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "mine.Model"}}))
    assert scan(tmp_path / "config.json").worst == "high"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import torch\n")
    assert scan(tmp_path / "config.json").worst == "medium"


def test_names_that_the_project_vouches_for_pass(tmp_path: Path) -> None:
    assert severity(tmp_path, "import ours; ours.layer()") == "high"
    assert scan(tmp_path / "config.json", trust=["ours:*"]).worst == "medium"
