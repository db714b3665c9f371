"""Chat templates and the JSON of Hugging Face libraries: what they would run, and honest ones that must be clean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes, templates
from shipworthy.modelfile.huggingface import nested_repetition

DATA = Path(__file__).parent / "data" / "models" / "llm"

# Written for this test, with what templates of published models use.
HONEST = [
    (
        "{{ bos_token }}{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\"
        "n' + message['content'] | trim }}{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generatio"
        "n_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
    (
        "{%- if messages[0].role == 'system' -%}{%- set loop_messages = messages[1:] -%}{%- e"
        "lse -%}{%- set loop_messages = messages -%}{%- endif -%}{% for m in loop_messages %}"
        "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles mu"
        "st alternate') }}{% endif %}{% endfor %}"
    ),
    (
        "{%- macro arguments(call, indent=0) -%}{%- for name, value in call.arguments.items()"
        " -%}{{ name ~ '=' ~ (value | tojson(indent=4)) }}{%- if not loop.last %}, {% endif -"
        "%}{%- endfor -%}{%- endmacro -%}{{ arguments(tools[0]) }}"
    ),
    (
        "{% set ns = namespace(found=false, text='') %}{% for m in messages %}{% if '</think>"
        "' in m.content %}{% set ns.found = true %}{% set ns.text = m.content.split('</think>"
        "')[-1].lstrip('\\n') %}{% endif %}{% endfor %}{{ ns.text }}"
    ),
    (
        "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | joi"
        "n('\\n') }}{{ strftime_now('%d %b %Y') }}"
    ),
    (
        "{# a comment with {{ x.__class__ }} #}{% generation %}{{ m.content }}{% endgeneratio"
        "n %}{% raw %}{{ a }}{% endraw %}"
    ),
    ("{% for i in range(10) %}{% if i > 3 %}{% break %}{% endif %}{% endfor %}{{ {'a': {'b': [1, 2]}}['a'] }}"),
    (
        "{{ tool.name | replace('_', ' ') ~ '__media__' }}{{ dict(a=1, **kwargs) }}{{ '%s: %s"
        "' | format(a, b) }}{{ 1000000 }}"
    ),
    (
        "{% filter indent(2) %}{{ x[::-1][0] }}{% endfilter %}{% call(x) f() %}{{ x }}{% endc"
        "all %}{% do messages.append(1) %}"
    ),
    (
        "{% set x %}a block{% endset %}{{ x if x is defined and x is not none else '' }}{% wi"
        "th y = 2 %}{{ y }}{% endwith %}"
    ),
]
HOSTILE = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self.__init__.__globals__.__builtins__.__import__('os').popen('id') }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ x['__class__'] }}",
    "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ x['\\u005f_class_\\137'] }}",
    "{{ x['__cla' ~ 'ss__'] }}",
    "{{ x|attr('\\x5f_class__') }}",
    "{{ x|attr(y) }}",
    "{{ x | map('attr', y) | list }}",
    "{{ x | map(attribute='__class__') | list }}",
    "{{ x | selectattr('__class__.__base__') | list }}",
    "{{ x | groupby(attribute=name) }}",
    "{{ '{0.__class__.__init__}'.format(x) }}",
    "{{ x[('%c%c' | format(95, 95))] }}",
    "{{ x[['_', '_', 'class'] | join] }}",
    "{{ f.gi_frame.f_globals }}",
    "{{ x.mro() }}",
    "{{ lipsum(n=3) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'other' as o %}{{ o }}",
    "{% from 'other' import f %}{{ f }}",
    "{% extends 'base' %}{{ x }}",
    "{% exec x %}",
    "{% if x %}{{ ''.__class__",
]
BOMBS = [
    "{% for i in range(1000000000) %}a{% endfor %}",
    "{% for i in range(0, 99999999, 1) %}a{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}a{% endfor %}{% endfor %}",
    "{{ 'a' * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'a'.center(0xfffffffff) }}",
]
BROKEN = ["{% for x in y %}{{ x }}", "{{ x }", "{% endif %}{{ x }}", "{{ x ( }}", "{# {{ x }}", "{% raw %}{{ x }}"]


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


def in_json(value: Any) -> Report:
    return scan_bytes(json.dumps(value).encode())


@pytest.mark.parametrize("template", HONEST)
def test_honest_templates_are_clean(template: str) -> None:
    assert scan_bytes(template.encode()).verdict is Verdict.CLEAN
    assert in_json({"tokenizer_class": "X", "chat_template": template}).verdict is Verdict.CLEAN


@pytest.mark.parametrize("template", HOSTILE)
def test_ways_out_of_the_sandbox_are_found(template: str) -> None:
    assert Code.TEMPLATE_ESCAPE in codes(scan_bytes(template.encode()))
    named = {"tokenizer_class": "X", "chat_template": [{"name": "default", "template": template}]}
    assert Code.TEMPLATE_ESCAPE in codes(in_json(named))


@pytest.mark.parametrize("template", BOMBS)
def test_loops_and_texts_without_end_are_found(template: str) -> None:
    assert Code.BOMB in codes(scan_bytes(template.encode()))


@pytest.mark.parametrize("template", BROKEN)
def test_cut_templates_are_found(template: str) -> None:
    assert Code.BROKEN_STREAM in codes(scan_bytes(template.encode()))


def test_deep_templates_end() -> None:
    assert scan_bytes(b"{{ " + b"(" * 100_000 + b")" * 100_000 + b" }}").verdict is Verdict.FINDING
    assert scan_bytes(b"{% if x %}" * 50_000).verdict is Verdict.FINDING
    assert scan_bytes(b"{% for i in range(9) %}" * 50_000).verdict is Verdict.FINDING


CONFIGURATIONS: list[Any] = [
    {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "id2label": {"0": "eval"}, "_name_or_path": "/x"},
    {"bos_token_id": 1, "do_sample": True, "temperature": 0.6},
    {},
    {"eos_token": "</s>", "additional_special_tokens": ["<a>"]},
    {"exec": 0, "eval": 1},
    {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30", "safety_checker": [None, None],
     "unet": ["diffusers", "UNet2DConditionModel"]},
    {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf", "auto_mapping": None},
    [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}],
    {"in_features": 4, "activation_function": "torch.nn.modules.activation.Tanh"},
    {"model_type": "gpt2", "activation_function": "gelu_new"},
]  # fmt: skip
RISKY: list[tuple[Any, Code, str]] = [
    ({"auto_map": {"AutoModel": "a/b--m.C"}}, Code.REMOTE_CODE, "high"),
    ({"auto_map": {"AutoModel": ["modeling_x.Model", None]}}, Code.REMOTE_CODE, "medium"),
    ({"model_type": "x", "custom_pipelines": {"p": {"impl": "pipe.Pipe"}}}, Code.REMOTE_CODE, "medium"),
    ({"max_seq_length": 1, "model_args": {"trust_remote_code": True}}, Code.REMOTE_CODE, "high"),
    ({"_class_name": ["mine", "P"], "_diffusers_version": "1", "a": ["os", "system"]}, Code.UNKNOWN_CALLABLE, "high"),
    ([{"idx": 0, "name": "0", "path": "", "type": "os.system"}], Code.UNKNOWN_CALLABLE, "high"),
    (
        [{"idx": 0, "name": "0", "path": "../x", "type": "sentence_transformers.models.Pooling"}],
        Code.PATH_TRAVERSAL,
        "high",
    ),
    ({"activation_function": "os.abort", "in_features": 1}, Code.CODE_EXECUTION, "critical"),
    ({"activation_function": "mine.Act"}, Code.UNKNOWN_CALLABLE, "high"),
    ({"peft_type": "LORA", "base_model_name_or_path": "https://x.invalid/m"}, Code.EXTERNAL_DATA, "medium"),
    ({"peft_type": "LORA", "auto_mapping": {"parent_library": "mine"}}, Code.UNKNOWN_NAME, "high"),
    ({"peft_type": "LORA", "megatron_config": {"a": 1}, "megatron_core": "os"}, Code.UNKNOWN_NAME, "high"),
]


@pytest.mark.parametrize("value", CONFIGURATIONS)
def test_honest_configurations_are_clean(value: Any) -> None:
    assert in_json(value).verdict is Verdict.CLEAN


@pytest.mark.parametrize(("value", "code", "severity"), RISKY)
def test_configurations_that_bring_code_are_found(value: Any, code: Code, severity: str) -> None:
    assert (code, severity) in {(issue.code, issue.severity) for issue in in_json(value).issues}


def test_other_json_stays_unknown() -> None:
    assert in_json({"name": "x", "version": 2}).verdict is Verdict.UNKNOWN
    assert in_json([1, 2]).verdict is Verdict.UNKNOWN


def test_tokenizers_are_clean_and_patterns_that_never_end_are_found() -> None:
    assert scan(DATA / "tokenizer.json").verdict is Verdict.CLEAN
    value = json.loads((DATA / "tokenizer.json").read_text("utf-8"))
    value["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a+)+$"
    assert codes(in_json(value)) == {Code.BOMB}
    value["pre_tokenizer"] = {"type": "Mine"}
    assert in_json(value).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("pattern", "slow"),
    [
        ("(a+)+", True),
        ("(?:a|b*)*c", True),
        (r"([a-z]+\s?){2,}", True),
        (r"((a{1,}))*", True),
        (r"(?:\r?\n)+", False),
        (r"[(+)]+[*]*", False),
        (r"\(a+\)+", False),
        (r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))", False),
        (r"(?:a+)?b+?(c*+)", False),
        ("", False),
    ],
)
def test_repetitions_of_repetitions(pattern: str, slow: bool) -> None:
    assert nested_repetition(pattern) is slow


PIECES = [*"{}%#()[]'\"\\|._- xa1*~=", "{{", "}}", "{%", "%}", "for", "range", "__"]
KEYS = [
    *("auto_map", "chat_template", "model", "type", "path", "peft_type", "_class_name", "Regex", "target"),
    *("added_tokens", "pre_tokenizer", "auto_mapping", "graph_module", "inputs"),
]
VALUES = st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_template_ends_in_a_verdict(parts: list[str]) -> None:
    data = ("{{ a }}" + "".join(parts)).encode()
    assert scan_bytes(data).explained <= len(data)
    nested_repetition("".join(parts))


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_json_ends_in_a_verdict(value: Any) -> None:
    in_json(value)


# --- code beside a model ---------------------------------------------------------------------------------------------

NET = "import torch\nfrom .layers import Layer\n\nclass Net(torch.nn.Module):\n    pass\n"


def folder(place: Path, **files: object) -> Path:
    for name, body in files.items():
        raw = body if isinstance(body, str) else json.dumps(body)
        (place / name.replace("__", ".")).write_text(raw)
    return place


@pytest.mark.parametrize(
    ("layers", "severity", "words"),
    [
        ("class Layer: pass\n", "medium", "net.py beside it, which starts nothing"),
        ("import subprocess as s\ns.run(['id'])\n", "high", "layers.py starts programs (subprocess.run, line 2)"),
        ("from os import system\ndef f():\n    system('id')\n", "high", "starts programs (os.system, line 3)"),
        ("x = eval('1')\n", "high", "runs code that it puts together (eval, line 1)"),
        ("import ctypes\nctypes.CDLL('x.so')\n", "high", "loads native code"),
        ("import pickle\npickle.load(open('x'))\n", "high", "loads pickles"),
        ("__import__('os').system('id')\n", "high", "__import__"),
        ("def f(:\n", "high", "can't be read as Python"),
        ("code = []\ncode.append(1)\n", "medium", "net.py"),
        ("x = " + "(" * 5000, "high", "can't be read as Python"),
        ("import os, re, torch\nos.path.join('a')\nre.compile('a')\ntorch.compile(1)\n", "medium", "net.py"),
    ],
)
def test_what_the_code_beside_a_model_does_decides(tmp_path: Path, layers: str, severity: str, words: str) -> None:
    configs = {
        "config.json": {"model_type": "x", "auto_map": {"AutoModel": "net.Net"}},
        "tokenizer_config.json": {"tokenizer_class": "X", "auto_map": {"AutoTokenizer": ["net.Slow", None]}},
        "processor_config.json": {"processor_class": "X", "auto_map": {"AutoProcessor": "net.Net"}},
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": "net.Net"}],
        "model_index.json": {"_class_name": "P", "_diffusers_version": "0.3", "unet": ["net", "Net"]},
    }
    folder(tmp_path, net__py=NET, layers__py=layers, **{k.replace(".", "__"): v for k, v in configs.items()})
    for name in configs:
        report = scan(tmp_path / name)
        assert [(issue.code, issue.severity) for issue in report.issues] == [(Code.REMOTE_CODE, severity)], name
        assert words in report.issues[0].message


def test_code_that_is_not_beside_the_model_is_told(tmp_path: Path) -> None:
    folder(tmp_path, config__json={"model_type": "x", "auto_map": {"AutoModel": "net.Net"}})
    (issue,) = scan(tmp_path / "config.json").issues
    assert (issue.severity, "which is not there" in issue.message) == ("high", True)


def test_a_name_of_python_itself_is_not_believed_to_be_the_file_beside(tmp_path: Path) -> None:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "os.system"}]
    folder(tmp_path, os__py="system = 1\n", modules__json=modules)
    told = {issue.code for issue in scan(tmp_path / "modules.json").issues}
    assert told == {Code.UNKNOWN_CALLABLE, Code.CODE_EXECUTION}  # of the list, and of any JSON


def test_an_index_of_safetensors_leads_to_safetensors(tmp_path: Path) -> None:
    index = {"metadata": {}, "weight_map": {"w": "pytorch_model-00001.bin"}}
    folder(tmp_path, model__safetensors__index__json=index, pytorch_model__bin__index__json=index)
    assert scan(tmp_path / "model.safetensors.index.json").worst == "high"
    assert not scan(tmp_path / "pytorch_model.bin.index.json").issues


def test_an_adapter_for_a_model_with_code_of_its_own() -> None:
    adapter = {"peft_type": "LORA", "auto_mapping": {"parent_library": "transformers_modules.x.modeling_y"}}
    (issue,) = scan_bytes(json.dumps(adapter).encode()).issues
    assert (issue.code, issue.severity) == (Code.REMOTE_CODE, "medium")


def test_a_tokenizer_whose_replacements_grow_without_end_is_a_bomb() -> None:
    def issues(*pairs: tuple[str, str]) -> list[tuple[Code, str]]:
        parts = [{"type": "Replace", "pattern": {"String": old}, "content": new} for old, new in pairs]
        normalizer = {"type": "Sequence", "normalizers": [{"type": "NFC"}, *parts]}
        model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
        value = {"added_tokens": [], "normalizer": normalizer, "pre_tokenizer": None, "model": model}
        return [(issue.code, issue.severity) for issue in scan_bytes(json.dumps(value).encode()).issues]

    assert issues(*[("a", "aa")] * 40) == [(Code.BOMB, "high")]
    assert issues(*[("a", "bb"), ("b", "aa")] * 8) == [(Code.BOMB, "high")]
    assert issues((" ", "\u2581"), ("``", '"'), *((chr(code), f" {code} ") for code in range(8528, 8590))) == []


def test_a_text_that_is_joined_with_itself_again_and_again_is_a_bomb() -> None:
    def codes(text: str) -> list[Code]:
        return [trouble.code for trouble in templates.troubles(text)]

    loop = "{% for m in messages %}{% set ns.x = SET %}{% endfor %}"
    for joined in ("ns.x ~ ns.x", "'a' + ns.x + 'b' + ns.x", "ns.x ~ ' ' ~ ns.x"):
        assert codes(loop.replace("SET", joined)) == [Code.BOMB]
    assert codes("{% set x = x ~ x %}" * 40)[:1] == [Code.BOMB]
    for honest in ("ns.x ~ m.content ~ '\\n'", "ns.x + 1 if ns.x else 0", "m.x ~ m.x"):
        assert codes(loop.replace("SET", honest)) == []
    assert codes("{% set x = x ~ x %}") == []


def test_ways_out_by_name_are_one_finding_where_the_first_stands() -> None:
    text = "{{ x }}\n{{ x._a.__class__.__base__.__subclasses__()[1].__init__.__globals__.__builtins__.__import__ }}"
    (issue,) = scan_bytes(text.encode()).issues
    assert issue.code is Code.TEMPLATE_ESCAPE
    assert "line 2" in issue.message
    assert "__class__, __base__, __subclasses__" in issue.message
    assert "and 2 more" in issue.message


def test_macros_and_powers_that_never_end_are_bombs() -> None:
    def found(text: str) -> bool:
        return any(trouble.code is Code.BOMB and trouble.severity == "high" for trouble in templates.troubles(text))

    body = "{% macro f(n) %}{% if n %}BODY{% endif %}{% endmacro %}{{ f(60) }}"
    chain = "".join(f"{{% macro f{n}() %}}{{{{ f{n + 1}() }}}}{{{{ f{n + 1}() }}}}{{% endmacro %}}" for n in range(40))
    for hostile in (
        body.replace("BODY", "{{ f(n - 1) }}{{ f(n - 1) }}"),
        body.replace("BODY", "{% set m = n - 1 %}{{ f(m) }}{{ f(m) }}"),
        body.replace("BODY", "{% for i in range(2) %}{{ f(n - 1) }}{% endfor %}"),
        "{% macro g(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}" + body.replace("BODY", "{{ g(n - 1) }}"),
        chain + "{% macro f40() %}a{% endmacro %}{{ f0() }}",
        "{% macro w() %}{{ caller() }}{{ caller() }}{% endmacro %}" + "{% call w() %}" * 40 + "{% endcall %}" * 40,
        "{% for x in [1] recursive %}{% if loop.depth < 60 %}{{ loop([1]) }}{{ loop([1]) }}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{{ f() }}{% endfor %}"
        "{% macro f() %}{% for i in range(9999) %}a{% endfor %}{% endmacro %}",
        "{% for i in range(99999) %}{{ 'x'|center(999999) }}{% endfor %}",
        "{{ 'a' * 1000 * 1000 * 1000 }}",
        "{{ (10 ** (10 ** 9)) * 0 }}",
        "{% set ns = namespace(s='aa') %}{% for i in range(40) %}{% set ns.s = ns.s|replace('a', 'aa') %}{% endfor %}",
        "{% for i in range(64) %}{% set ns.s = ns.s * 2 %}{% endfor %}",
        "".join(f"{{% set x{n + 1} = x{n} ~ x{n} %}}" for n in range(40)),
    ):
        assert found(hostile), hostile
    for honest in (
        "{% macro f(spec) %}{% if spec.items %}{{ f(spec.items) }}{{ f(spec.any) }}{% endif %}{% endmacro %}{{ f(x) }}",
        "{% macro f(v, n) %}{% for k in v %}{{ f(v[k], n + 1) }}{{ f(k.x, n + 1) }}{% endfor %}{% endmacro %}"
        "{{ f(x, 0) }}",
        "{% for x in items recursive %}{{ loop(x.children) }}{{ loop(x.others) }}{% endfor %}",
        "{% for m in messages %}{% set t = m.x | replace('a', 'aa') %}{{ 60 * 60 * 24 * 1000 }}{% endfor %}",
    ):
        assert not found(honest), honest


def test_a_template_of_more_words_than_any_honest_one_is_not_read_and_stops() -> None:
    for tag in ("{{ " + "a " * 300_000 + "}}", "{{ a.b }}" * 100_000):
        report = scan_bytes(f"{{% if x %}}{tag}{{% endif %}}".encode())
        assert report.worst == "high"
        assert "longer than any honest template" in report.issues[0].message
