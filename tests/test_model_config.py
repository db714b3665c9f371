"""Configuration beside a model that would run code, and honest configuration that looks like it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from shipworthy.artifacts import discover
from shipworthy.check import Context, load_check
from shipworthy.model import Finding, Skipped

ESCAPE = "{{ ''.__class__.__mro__[1].__subclasses__() }}"


def found(folder: Path, name: str, text: str) -> list[str]:
    check = load_check("shipworthy.checks.models.model_config", "model-config")
    (folder / name).write_text(text)
    out = []
    for artifact in discover(folder).artifacts:
        if not check.looks_at(artifact):
            continue
        for item in check.call(artifact, Context(folder)):
            out.append(item.rule.id if isinstance(item, Finding) else "skipped" if isinstance(item, Skipped) else "?")
    return out


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("model.yaml", "a: !!python/object/apply:os.system [echo]\n", "model-config-yaml-object"),
        ("MLmodel", "a: !<tag:yaml.org,2002:python/object/new:x.Y> {}\n", "model-config-yaml-object"),
        ("m.yml", "a: !!pyth%6Fn/module:this\n", "model-config-yaml-object"),
        (
            "m.yml",
            "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [x]\n",
            "model-config-yaml-object",
        ),
        ("chat_template.jinja", ESCAPE, "model-config-template-escape"),
        ("tokenizer_config.json", json.dumps({"chat_template": ESCAPE}), "model-config-template-escape"),
        (
            "tokenizer_config.json",
            json.dumps({"chat_template": [{"template": "{{ ''.\\u005f_class__ }}"}]}).replace("\\\\", "\\"),
            "model-config-template-escape",
        ),
        ("config.json", json.dumps({"auto_map": {"AutoModel": "a/b--m.C"}}), "model-config-remote-code"),
        ("config.json", json.dumps({"auto_map": {"AutoModel": "modeling.Model"}}), "model-config-remote-code"),
        ("modules.json", json.dumps([{"idx": 0, "name": "0", "path": "", "type": "evil.M"}]), "model-unknown-callable"),
        (
            "model_index.json",
            json.dumps({"_class_name": "P", "_diffusers_version": "1", "unet": ["evil", "U"]}),
            "model-unknown-callable",
        ),
        (
            "adapter_config.json",
            json.dumps({"peft_type": "LORA", "auto_mapping": {"parent_library": "evil"}}),
            "model-unknown-name",
        ),
        ("MLmodel", "flavors:\n  python_function:\n    loader_module: evil\n", "model-unknown-callable"),
        ("train.yaml", "model:\n  _target_: os.system\n  command: id\n", "model-code-execution"),
        ("train.yaml", '"\\x5ftarget_": os.system\ncommand: id\n', "model-code-execution"),
        ("train.yaml", "m:\n  _target_: ${oc.env:X}\n", "model-unknown-callable"),
        ("train.yaml", "k: &k _target_\nm:\n  *k : os.system\n", "skipped"),
        (
            "m.yaml",
            "a: &a [1, 1, 1]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnop")),
            "model-decompression-bomb",
        ),
        ("m.yaml", "".join(f"{number * (2**61 - 1)}: 1\n" for number in range(8, 300)), "model-decompression-bomb"),
        ("m.yaml", "".join(f"- -0x{number * (2**61 - 1):x}\n" for number in range(8, 300)), "model-decompression-bomb"),
        (
            "config.json",
            json.dumps({"model_type": "bert", "attn_implementation": "sdpa|evil/kernel"}),
            "model-config-remote-code",
        ),
        ("hubconf.py", "def model():\n    open('/tmp/x', 'w')\n", "model-config-remote-code"),
        ("tokenizer_config.json", "{", "skipped"),
    ],
)
def test_what_would_run_code_is_found(tmp_path: Path, name: str, text: str, rule: str) -> None:
    assert set(found(tmp_path, name, text)) == {rule}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mkdocs.yml", "x:\n  emoji: !!python/name:material.extensions.emoji.twemoji\n"),
        ("a.yaml", "install: python/object is a folder # see !!python/object/apply\nb: !ref python\n"),
        ("tokenizer_config.json", json.dumps({"chat_template": "{% for m in messages %}{{ m['role'] }}{% endfor %}"})),
        ("config.json", "[" * 100_000),
        ("m.yaml", "".join(f"{number**7 + 2**70}: 1\n" for number in range(300))),
        ("config.json", json.dumps({"model_type": "bert", "attn_implementation": "flash_attention_2"})),
        ("config.json", json.dumps({"model_type": "bert", "attn_implementation": "kernels-community/flash-attn2"})),
        ("hubconf.py", "import torch\n\n\ndef model():\n    return torch.nn.Linear(1, 2)\n"),
        ("train.yaml", "model:\n  _target_: mine.models.Net\n  size: 3\n"),
        ("config.json", json.dumps({"port": 80, "type": "evil.Module", "loader": "x"})),
        ("modules.json", json.dumps([{"name": "web", "path": "../web"}])),
        ("MLmodel", "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n"),
    ],
)
def test_honest_configuration_is_left_alone(tmp_path: Path, name: str, text: str) -> None:
    assert found(tmp_path, name, text) == []


@pytest.mark.parametrize("name", ["model.safetensors.index.json", "pytorch_model.bin.index.json"])
def test_an_index_of_weights_is_a_model_in_a_folder_too(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps({"weight_map": {"a": "../../secret"}}))
    assert [artifact.kind.value for artifact in discover(tmp_path).artifacts] == ["model"]


@pytest.mark.parametrize("text", ["{% extends 'base.html' %}", "{% include 'x' %}{{ a|mine }}{{ form._fields }}"])
def test_templates_of_web_pages_are_left_alone_and_chat_templates_are_not(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, "page.html.jinja", text) == []
    (tmp_path / "page.html.jinja").unlink()
    assert set(found(tmp_path, "chat_template.jinja", text)) == {"model-config-template-escape"}


def test_the_code_beside_a_list_decides_and_is_part_of_what_a_kept_result_depends_on(tmp_path: Path) -> None:
    check = load_check("shipworthy.checks.models.model_config", "model-config")
    (tmp_path / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "mine.Module"}]))
    seen = set()
    for source in ("class Module: pass\n", "import os\nos.system('id')\n"):
        (tmp_path / "mine.py").write_text(source)
        (artifact,) = [item for item in discover(tmp_path).artifacts if check.looks_at(item)]
        (item,) = check.call(artifact, Context(tmp_path))
        assert isinstance(item, Finding)
        assert item.rule.id == "model-config-remote-code"
        assert check.cache_on is not None
        seen.add((item.severity.value, check.cache_on(Context(tmp_path))))
    assert {severity for severity, _ in seen} == {"medium", "high"}
    assert len({state for _, state in seen}) == 2
