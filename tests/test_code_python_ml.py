"""Unsafe loading, unpinned code and trusted model output are found; safe ways of doing the same are not."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipworthy.artifacts import discover
from shipworthy.check import Context, registry
from shipworthy.checks.code.python_ml import scan
from shipworthy.model import Artifact, Finding, Kind, Severity, Skipped

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def artifact(tmp_path, content, name="code.py", kind=Kind.CODE):
    path = tmp_path / "content"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Artifact(name, kind, "sha256:" + "0" * 64, path.stat().st_size, path=path)


def found(tmp_path, content, **kw):
    return list(scan(artifact(tmp_path, content, **kw)))


def rules(results):
    assert all(isinstance(r, Finding) for r in results), results
    return [r.rule.id for r in results]


UNSAFE = [
    ("import torch\ntorch.load('m.pt')", "torch-load-unsafe", "medium"),
    ("import torch as t\nt.load('m.pt', weights_only=False)", "torch-load-unsafe", "high"),
    ("from torch import load as read\nread('m', weights_only=0)", "torch-load-unsafe", "high"),
    ("from torch import *\nload('m', weights_only=False)", "torch-load-unsafe", "high"),
    ("import functools, torch\nf = functools.partial(torch.load, weights_only=False)", "torch-load-unsafe", "high"),
    ("import pickle\npickle.load(open('x', 'rb'))", "pickle-load", "medium"),
    ("import pickle\np = pickle\np.loads(b'')", "pickle-load", "medium"),
    ("__import__('pickle').loads(b'')", "pickle-load", "medium"),
    ("import importlib\nimportlib.import_module('pick' + 'le').loads(b'')", "pickle-load", "medium"),
    ("__import__('os').system('id')", "hidden-program-start", "high"),
    ("getattr(__import__('subprocess'), 'Popen')(['id'])", "hidden-program-start", "high"),
    ("import importlib\nimportlib.import_module('os').popen('id').read()", "hidden-program-start", "high"),
    ("import pickle\ngetattr(pickle, 'loads')(b'')", "pickle-load", "medium"),
    ("import pickle\npickle.Unpickler(f).load()", "pickle-load", "medium"),
    ("import pickle, requests\npickle.loads(requests.get('https://x.org/m').content)", "pickle-load", "high"),
    ("import joblib\nfrom flask import request\njoblib.load(request.args['m'])", "pickle-load", "high"),
    ("import joblib\njoblib.load('m.pkl')", "pickle-load", "medium"),
    ("import numpy as np\nALLOW = True\nnp.load('x', allow_pickle=ALLOW)", "pickle-load", "medium"),
    ("import pandas as pd\npd.read_pickle('x')", "pickle-load", "medium"),
    ("import yaml\nyaml.load(f)", "yaml-load-unsafe", "medium"),
    ("import yaml\nyaml.load(f, Loader=yaml.UnsafeLoader)", "yaml-load-unsafe", "high"),
    ("import keras\nkeras.models.load_model('m', safe_mode=False)", "keras-unsafe-deserialization", "high"),
    ("import keras\nkeras.config.enable_unsafe_deserialization()", "keras-unsafe-deserialization", "high"),
    ("from transformers import AutoModel\nK = {'trust_remote_code': True, 'revision': 'main'}\n"
     "AutoModel.from_pretrained('./here', **K)", "trust-remote-code", "high"),
    ("from transformers import AutoModel\nAutoModel.from_pretrained('org/m')", "unpinned-model-download", "medium"),
    ("from transformers import AutoModel\nAutoModel.from_pretrained('org/m', revision='main')",
     "unpinned-model-download", "medium"),
    ("from huggingface_hub import hf_hub_download\nhf_hub_download(repo_id='o/m', filename='x')",
     "unpinned-model-download", "medium"),
    ("import torch\ntorch.hub.load('o/r:main', 'm')", "torch-hub-unpinned", "high"),
    ("out = model.generate(q)\ncode = out.text\nexec(code)", "model-output-executed", "high"),
    ("import subprocess\nr = client.chat.completions.create(m=1)\nsubprocess.run(['sh', '-c', r.choices[0].x])",
     "model-output-executed", "high"),
    ("import os\nclass A:\n def a(s):\n  s.o = s.llm.invoke(1)\n def b(s):\n  os.system(s.o)",
     "model-output-executed", "high"),
    ("import jinja2\nx = llm.invoke(q)\njinja2.Template(x)", "model-output-rendered", "medium"),
    ("q = chain.invoke(1)\ncursor.execute(q)", "model-output-sql", "medium"),
    ("import requests\nrequests.get('https://x.org', verify=False)", "tls-verification-disabled", "high"),
    ("import ssl\nssl._create_default_https_context = ssl._create_unverified_context",
     "tls-verification-disabled", "high"),
    ("import os\nos.environ['CURL_CA_BUNDLE'] = ''", "tls-verification-disabled", "high"),
    ("import requests\nHOST = 'http://x.org/'\nrequests.get(HOST + 'm.bin')", "download-without-tls", "medium"),
    ("import tarfile\nwith tarfile.open('x') as t:\n    t.extractall('y')", "tar-extract-unfiltered", "medium"),
    ("import gradio as gr\ngr.Interface(f).launch(share=True)", "demo-shared-publicly", "medium"),
    ("from flask import Flask\napp = Flask('x')\napp.run(debug=True)", "debug-server", "high"),
    ("import uvicorn\nuvicorn.run(app, host='0.0.0.0')", "binds-all-interfaces", "low"),
    ("FAISS.load_local('x', e, allow_dangerous_deserialization=True)", "dangerous-option-allowed", "high"),
    ("from langchain_experimental.tools import PythonREPLTool\nt = PythonREPLTool()", "agent-code-tool", "high"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "rule", "severity"), UNSAFE)
def test_what_is_unsafe_is_found_once(tmp_path, code, rule, severity):
    results = found(tmp_path, code)
    assert rules(results).count(rule) == 1
    finding = next(r for r in results if r.rule.id == rule)
    assert finding.severity is Severity(severity)
    assert finding.location.line
    assert finding.remedy


SAFE = [
    "import torch\ntorch.load('m', weights_only=True)",
    "import torch\ntorch.load('m', **options)",
    "import numpy as np\nnp.load('x')\nnp.load('y', allow_pickle=False)",
    "import yaml\nfrom yaml import CSafeLoader\nyaml.load(f, Loader=CSafeLoader)\nyaml.safe_load(f)",
    "def load(x): ...\nload('x')",
    "import os, subprocess\nos.system('id')\nsubprocess.run(['id'])\n__import__('os').getcwd()",
    f"from transformers import AutoModel\nAutoModel.from_pretrained('o/m', revision='{COMMIT}')",
    "from transformers import AutoModel\nAutoModel.from_pretrained('./local')",
    "from datasets import load_dataset\nload_dataset('csv', data_files='x.csv')",
    f"import torch\ntorch.hub.load('o/r:{COMMIT}', 'm')\ntorch.hub.load('d', 'm', source='local')",
    "import json\nout = model.generate(q)\nn = int(out)\neval(str(n))\nprint(json.loads(out))",
    "import requests\nrequests.get('http://localhost:8000/x')\nrequests.post('http://x.org')",
    "import tarfile\nwith tarfile.open('x') as t:\n    t.extractall('y', filter='data')",
    "import zipfile\nzipfile.ZipFile('x').extractall('y')",
    "demo.launch(share=False)\nmodel.eval()",
    "random.seed(42)\nnp.random.seed(42)",
]


@pytest.mark.parametrize("code", SAFE)
def test_the_safe_way_is_not_reported(tmp_path, code):
    assert found(tmp_path, code) == []


def test_evidence_names_the_model_and_holds_no_secret(tmp_path):
    code = "from transformers import AutoModel\nAutoModel.from_pretrained('org/model', token='hf_QWERTYUIOPASDFGH')\n"
    code += "import requests\nrequests.get('https://user:hunter2pass@x.org/', verify=False)  # key sk-12345\n"
    results = found(tmp_path, code)
    text = repr([(f.evidence, f.message, f.key) for f in results])
    assert "org/model" in text
    for secret in ("hf_QWERTY", "hunter2", "sk-12345"):
        assert secret not in text


def test_tests_are_one_severity_lower(tmp_path):
    code = "import torch\ntorch.load('m', weights_only=False)"
    assert found(tmp_path, code, name="tests/test_load.py")[0].severity is Severity.MEDIUM
    assert found(tmp_path, code, name="src/load.py")[0].severity is Severity.HIGH


def test_a_notebook_is_read_by_cell(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "torch.load is nice"},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "!pip install torch\n", "import torch as t\n", "x = !ls"],
        },
        {"cell_type": "code", "source": "%%bash\nrm -rf / && torch.load('x')"},
        {"cell_type": "code", "source": "%%time\n\nmodel = t.load('m.pt', weights_only=False)"},
        {"cell_type": "code", "source": "this is no python"},
    ]
    book = json.dumps({"nbformat": 4, "metadata": {"kernelspec": {"language": "python"}}, "cells": cells})
    results = found(tmp_path, book, name="a.ipynb", kind=Kind.NOTEBOOK)
    (finding,) = [r for r in results if isinstance(r, Finding)]
    assert (finding.location.cell, finding.location.line) == (4, 3)
    (skipped,) = [r for r in results if isinstance(r, Skipped)]
    assert "cell 5" in skipped.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("print 'x'\n", "not Python 3"),
        ("x = " + "(" * 5000, "not Python 3"),
        ("x = " + "-" * 200_000 + "1", "nested too deeply"),
        ("x" + ".y" * 100_000, "nested too deeply"),
        ("x = 1\0", "not Python 3|may hold"),
        (b"# coding: utf-7\nx = 1\n", "encoding"),
        (b"# coding: rot13\nx = 1\n", "encoding"),
        (b"x = '\xff'\n", "encoding"),
        (b"#" * 1_000_001, "larger"),
    ],
)
def test_what_cannot_be_parsed_is_skipped_with_a_reason(tmp_path, content, reason):
    import re

    (skipped,) = found(tmp_path, content)
    assert isinstance(skipped, Skipped)
    assert re.search(reason, skipped.reason)


def test_latin_source_is_read_by_its_own_declaration(tmp_path):
    assert rules(found(tmp_path, b"# coding: latin-1\nname = '\xe9'\nimport pickle\npickle.loads(x)\n")) == [
        "pickle-load"
    ]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda t: t.encode("utf-8", "replace")))
def test_no_bytes_raise(tmp_path, data):
    found(tmp_path, data)
    found(tmp_path, data, name="a.ipynb", kind=Kind.NOTEBOOK)


_LINES = (
    "import pickle as p|from torch import load|x = p.loads(y)|x = x|y = model.generate(x)|exec(y)|def f(x):|  return x|"
    "class A: pass|load(x, **x)|x = lambda: x|for x in y: eval(x)|a.b.c = x()|(x := y)|del x|yaml.load(*x)"
)
_WORDS = st.sampled_from(_LINES.split("|"))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_WORDS, max_size=25).map("\n".join))
def test_no_program_raises(tmp_path, code):
    found(tmp_path, code)
    cells = [{"cell_type": "code", "source": part} for part in code.split("\n")]
    found(tmp_path, json.dumps({"cells": cells}), name="a.ipynb", kind=Kind.NOTEBOOK)


def test_scripts_without_a_suffix_are_read_and_other_languages_are_not_ours(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "run").write_text("#!/usr/bin/env python3\nimport pickle\npickle.load(f)\n")
    (tmp_path / "bin" / "shell").write_text("#!/bin/sh\nx\n")
    (tmp_path / "run.js").write_text("pickle.load(f)")
    check = registry()["python-ml"]
    ours = [artifact for artifact in discover(tmp_path).artifacts if check.looks_at(artifact)]
    assert [artifact.uri for artifact in ours] == ["bin/run"]
    assert [finding.rule.id for finding in check.call(ours[0], Context(tmp_path))] == ["pickle-load"]
