"""Configurations that name what their loaders import and call, whatever library they are of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Severity

CHECKS = [
    load_check(f"shipworthy.checks.models.{module}", name)
    for module, name in (("model_text", "model-text"), ("model_config", "model-config"))
]
ESCAPE = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
CODE, TEMPLATE = "model-code-execution", "model-config-template-escape"


def told(folder: Path, name: str, content: Any) -> set[str]:
    """The rules of high findings in one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    found: list[Any] = []
    for artifact in discover(folder).artifacts:
        for check in CHECKS:
            if check.looks_at(artifact):
                found += check.call(artifact, Context(folder))
    return {item.rule.id for item in found if isinstance(item, Finding) and item.severity >= Severity.HIGH}


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("input_transform.json", {"__kind__": "instance", "class": "os.system", "args": ["id"]}, CODE),
        ("p.json", {"__kind__": "stateful", "class": {"__kind__": "type", "class": "subprocess.Popen"}}, CODE),
        ("m.json", {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["id"]}]}, CODE),
        ("io.json", {"objects": {"a": {"type": {"module": "os", "name": "system"}, "items": []}}}, CODE),
        ("chain.json", {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}}, CODE),
        ("metadata.json", {"train_schema": {"nodes": {"a": {"uses": "builtins.eval", "fn": "train"}}}}, CODE),
        ("model-settings.json", {"name": "m", "implementation": "os.system"}, CODE),
        ("config.json", {"types": {"query_0": "os.system"}, "structure": {"query": ["query_0"]}}, CODE),
        ("config.json", '// of mmengine\n{"model": {"type": "os.system", "command": "id"}}', CODE),
        ("config.json", '{"model": {"type": "o\\u0073.system", "command": "id"}}', CODE),
        ("config.yaml", "model:\n  class_path: os.system\n  init_args:\n    command: id\n", CODE),
        ("config.yaml", "a: 1\n---\nmodel: {class_path: os.system}\n", CODE),
        ("recipe.yaml", 'model:\n  _component_: "o\\x73.system"\n  command: id\n', CODE),
        ("catalog.yml", "m:\n  type: &t shutil.rmtree\n  path: /\n", CODE),
        ("config.toml", '[model]\nclass_path = "subprocess.Popen"\n', CODE),
        ("config.gin", "from __gin__ import dynamic_registration\nimport os\ntrain.x = @os.system()\n", CODE),
        ("config.jsonnet", '{ model: { type: "os.system" } }', CODE),
        ("config.yaml", "model:\n  class_path: torch._utils.os.system\n", CODE),
        ("m.json", {"__kind__": "instance", "class": "json.os.system", "args": ["id"]}, CODE),
        ("m.json", {"__kind__": "instance", "class": "code.interact", "args": []}, CODE),
        ("m.json", {"py/reduce": [{"py/function": "requests.get"}, {"py/tuple": ["http://a.example"]}]}, CODE),
        ("config.gin", "from __gin__ import dynamic_registration\nfrom os import system\nz = @system()\n", CODE),
        ("hyperparams.yaml", 'x: !apply:os%2Esystem ["id"]\n', CODE),
        ("hyperparams.yaml", '%TAG !e! !apply:os.\n---\nx: !e!system ["id"]\n', CODE),
        (
            "genai_config.json",
            {"model": {"decoder": {"session_options": {"custom_ops_library": "/tmp/x.so"}}}},
            "model-config-remote-code",
        ),
        ("prompt.json", {"_type": "prompt", "template": ESCAPE, "template_format": "jinja2"}, TEMPLATE),
        ("prompt.yaml", f'_type: prompt\ntemplate: "{ESCAPE}"\n', TEMPLATE),
        ("refs.json", {"version": 1, "gen": [{"key": ESCAPE, "url": "x", "dimensions": {"i": [0]}}]}, TEMPLATE),
    ],
)
def test_a_name_that_no_configuration_calls_is_told(tmp_path: Path, name: str, content: Any, rule: str) -> None:
    assert rule in told(tmp_path, name, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logging.yaml", "handlers:\n  a:\n    class: logging.StreamHandler\n    stream: ext://sys.stdout\n"),
        ("config.yaml", "model:\n  class_path: mine.Net\n  root:\n    type: os.path.join\n"),
        ("catalog.yml", "m:\n  type: pickle.PickleDataset\n  filepath: data/m.pkl\n"),
        ("event.json", {"type": "code.block", "handler": "http.request", "service": "io.grpc.X"}),
        (
            "m.json",
            {"__kind__": "instance", "class": "gluonts.transform.Chain", "args": [{"py/object": "numpy.ndarray"}]},
        ),
        ("config.yaml", "class_path: mine.os.Config\nrate: 10%\ntype: my.subprocess\n"),
        (
            "config.gin",
            "from __gin__ import dynamic_registration\nfrom os import path\nimport seqio\nx = @seqio.Task()\n",
        ),
        ("vocab.json", {"os.system": 1, "subprocess.Popen": 2}),
        ("config.yaml", "optimizer:\n  class_path: torch.optim.Adam\n  init_args:\n    lr: 0.1\n"),
        ("words.json", {"names": ["os.system"], "text": "os.system", "title": "subprocess.run"}),
        ("page.yaml", "name: ${{ matrix.os.name }}\nrun: echo {{ os.name }}\n"),
    ],
)
def test_a_projects_own_names_are_left_alone(tmp_path: Path, name: str, content: Any) -> None:
    assert told(tmp_path, name, content) == set()
