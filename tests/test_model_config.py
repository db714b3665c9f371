"""Configuration beside a model that would run code, and honest configuration that looks like it."""

from __future__ import annotations

import json
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
        ("tokenizer_config.json", "{", "skipped"),
    ],
)
def test_what_would_run_code_is_found(tmp_path: Path, name: str, text: str, rule: str) -> None:
    assert found(tmp_path, name, text) == [rule]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mkdocs.yml", "x:\n  emoji: !!python/name:material.extensions.emoji.twemoji\n"),
        ("a.yaml", "install: python/object is a folder # see !!python/object/apply\nb: !ref python\n"),
        ("config.json", json.dumps({"auto_map": {"AutoModel": "modeling.Model"}})),
        ("tokenizer_config.json", json.dumps({"chat_template": "{% for m in messages %}{{ m['role'] }}{% endfor %}"})),
        ("config.json", "[" * 100_000),
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
    assert found(tmp_path, "chat_template.jinja", text) == ["model-config-template-escape"]
