"""The one reader of YAML says what PyYAML's safe loader says, or that it does not read a text."""

from __future__ import annotations

import contextlib
import datetime
import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shipworthy.modelfile import Code, Verdict, scan_bytes
from shipworthy.modelfile.yamls import UnreadYamlError, document


def same(ours: Any, theirs: Any) -> bool:
    """Equal in value and type; times are left as texts, and keys are texts."""
    if isinstance(theirs, datetime.date):
        return isinstance(ours, str)
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        if any(isinstance(key, datetime.date) for key in theirs):
            return len(ours) == len(theirs)
        theirs = {str(key): value for key, value in theirs.items()}
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs) or (isinstance(ours, float) and math.isnan(ours) and math.isnan(theirs))


def agree(text: str) -> None:
    """Not read, or read alike. What PyYAML refuses must not be read either."""
    try:
        found = document(text)
    except UnreadYamlError:
        return
    if not found.tags:
        assert same(found.value, yaml.safe_load(text)), text


TEXT = """\
# a comment
a: &x [1, 2.5, true, null, 'it''s', "\\u0041\\n\\x41\\
   glued", {b: c, "d":e, f}]
b: *x
c:
- 1
-   d: e
    f:
    - g
- - h
  - i
d: |
  two
    lines

  after
e: >-
  folded
  text

   and more
f: plain text
  that goes on # until here
g: {a: 1,
  b: [x y, z], # within
}
'quoted key': -1
base: &base {lr: 0.1, name: base}
h: {<<: *base, name: own}
i:
  <<: [*base, {extra: 1}]
  lr: .5
j: [0x1F, 0o7, 017, 1_000, 1e5, 1.0e+5, 12:30:15, .inf, -.inf, yes, Off, ~, '', 2020-01-01x]
k: "two
  lines

  and a third"
"""


def test_a_configuration_with_all_that_is_read() -> None:
    assert same(document(TEXT).value, yaml.safe_load(TEXT))
    assert same(document("---\n" + TEXT + "...\n# behind\n").value, yaml.safe_load(TEXT))
    assert same(document(TEXT.replace("\n", "\r\n")).value, yaml.safe_load(TEXT))
    assert document("a: !!python/tuple [1]\nb: !x {}\n").tags == (("!python/tuple", 1), ("x", 2))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2\n",
        "{a: 1, a: 2}",
        "1: a\ntrue: b\n",
        "a: [1, 2\n",
        "a: 'x\n",
        "? a\n: b\n",
        "a: b: c\n",
        "a:\n\tb: 1\n",
        "a: *x\n",
        "a: &x [*x]\n",
        "a: &x 1\nb: &x 2\n",
        "a: 1\n---\nb: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "%TAG ! tag:yaml.org,2002:python/\n---\na: !name:os.system\n",
        "a: \x07\n",
        "a: x\u2028b: 1\n",
        "a: x\rb: 1\n",
        "a: x\x85b: 1\n",
        'a: "\\q"\n',
        "a: <<\n",
        "<<: 1\n",
        "[a, : b]",
        "[&a\n" * 1000,
        "a: &b\n  &c d\n",
    ],
)
def test_what_readers_may_take_differently_is_not_read(text: str) -> None:
    with pytest.raises(UnreadYamlError):
        document(text)


def test_bombs_are_refused_and_long_texts_are_read_once() -> None:
    doubling = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" if n else "a0: &a0 [x]" for n in range(60))
    merging = "a0: &a0 {x: 1}\n" + "\n".join(f"a{n}: &a{n} {{y: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60))
    for text in (doubling, merging, "- " * 10_000 + "x", "[" * 10_000, "{a: " * 10_000):
        with pytest.raises(UnreadYamlError):
            document(text)
    for text in (
        'a: "' + '\\"\n  ' * 20_000,
        "a: '" + " " * 500_000,
        "a: " + " b" * 200_000,
        "a:" + " " * 500_000 + "#",
        "[" + "a " * 200_000,
        "a: >\n" + "\n" * 100_000 + " x",
        '"' + "\\" * 300_000,
        "a" + ":" * 300_000,
        "- &a" + "b" * 300_000,
        "x: b\n" + "\n" * 300_000,
        "#\n" * 300_000,
    ):
        with contextlib.suppress(UnreadYamlError):  # quadratic, each of them would take minutes
            document(text)


def test_every_kind_of_file_goes_through_it() -> None:
    target = "x:\n  - {<<: &a {_target_: os.system}, command: id}\n"
    assert Code.CODE_EXECUTION in {issue.code for issue in scan_bytes(target.encode()).issues}
    loader = "flavors:\n  python_function: {<<: {loader_module: evil}, data: x}\n"
    assert {issue.code for issue in scan_bytes(loader.encode()).issues} == {Code.UNKNOWN_CALLABLE}
    layers = "class_name: Sequential\nconfig:\n  layers: [{class_name: Lambda, config: {function: [x, null, null]}}]\n"
    assert {issue.code for issue in scan_bytes(layers.encode()).issues} >= {Code.KERAS_LAMBDA}
    odd = "class_name: Sequential\nconfig:\n  1: 2\n  layers:\n  - {1: x, class_name: 5, null: [3], true: {2: 3}}\n"
    for text in (odd, "flavors:\n  1: {2: 3, loader_module: 5}\n", "_target_: 5\n1: {2: [x]}\n"):
        assert scan_bytes(text.encode()).format in ("keras-yaml", "mlflow", "hydra")
    for text in (loader, target, layers):
        tagged = scan_bytes((text + "z: !!python/tuple [1]\n").encode())
        assert tagged.verdict is not Verdict.CLEAN
        assert scan_bytes((text + "---\na: 1\n").encode()).verdict is not Verdict.CLEAN


SPLIT = (
    "a|b: |- |c|\n|\n  |\n    | |'|\"|[|]|{|}|,|:|#| #|&x |*x|| |>|>-|2|? |<<: |k: |- a: |1|0x1F|1e5|1.5|true|~|null|"
    '---|...|--- |%YAML 1.1|\t|\'\'|"\\n"|\\|"\\u0041"|-|--|!|!!s |@|`|=|\r\n|2020-01-01|1:30|012|\n- |\n  - |\nk: |'
    "\n  k: |é|\u2028|x y|[a, b]|{a: 1}|'it''s'|: |::|a:b|-1|.5|+1|_|a#b|]\n|}\n|*x\n|&x\n|\n\n"
)
MARKS = [*SPLIT.split("|"), "|", "|-\n", "|+", "|2"]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(MARKS), max_size=14).map("".join))
@example("...")
@example("--- a: b")
@example("a: [b\n  c]")
def test_any_marks_in_any_order_are_read_alike_or_not_at_all(text: str) -> None:
    agree(text)


WORDS = st.sampled_from(
    ["a", "_target_", "torch.nn.Linear", "1e5", "yes", "", "a: b", "- x", "it's", "multi\nline\n", "  lead", "trail ",
     "é", "x" * 100, "tab\there", "#c", "a #b", "&a", "*a", "!t", "%x", "012", "<<", "=", "2020-01-01", "?", "|", "[a]",
     "a,b", "end\n\n", "\n", "😀", "@x", "words " * 40]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1), st.sampled_from(["", *" \n\t'\":#[]{},|\\?%!&*-", ": ", "- ", " #", "  ", "<<: ", "\r\n"])
    ),
    max_size=3,
)


@settings(max_examples=600, deadline=None)
@given(VALUES, st.sampled_from([None, True, False]), st.sampled_from([20, 80, 1000]), st.booleans(), EDITS)
def test_what_pyyaml_writes_is_read_alike_or_not_at_all(
    value: Any, flow: bool | None, width: int, shared: bool, edits: list[tuple[float, str]]
) -> None:
    value = {"p": value, "q": [value, {"r": value}]} if shared else value
    text = yaml.safe_dump(value, default_flow_style=flow, width=width, allow_unicode=shared)
    for place, mark in edits:
        at = int(place * len(text))
        text = text[:at] + mark + text[at + (not mark) :]
    agree(text)


@given(VALUES, st.sampled_from([None, False]))
def test_what_pyyaml_writes_is_read(value: Any, flow: bool | None) -> None:
    text = yaml.safe_dump({"class_name": "x", "config": value}, default_flow_style=flow)
    if "? " not in text:  # keys over several lines
        assert same(document(text).value, yaml.safe_load(text))


def laugh(levels: int, width: int, first: str = "x") -> str:
    text = f"a0: &a0 [{', '.join([first] * width)}]\n"
    return text + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]\n" for n in range(1, levels))


@pytest.mark.parametrize(
    "text",
    [
        laugh(9, 9),
        laugh(30, 2),
        laugh(3000, 9),
        "first: 1\n---\n" + laugh(9, 9),
        laugh(9, 9) + "? a\n: b\n",
        laugh(9, 9).replace("[", "{k: [").replace("]", "]}"),
    ],
)
def test_aliases_that_grow_without_end_are_a_bomb(text: str) -> None:
    report = scan_bytes(text.encode())
    assert [(issue.code, issue.severity) for issue in report.issues] == [(Code.BOMB, "high")]


@pytest.mark.parametrize(
    "text", [laugh(3, 9), "base: &b {a: 1}\n" + "".join(f"j{n}: {{<<: *b}}\n" for n in range(2000))]
)
def test_aliases_as_people_use_them_are_none(text: str) -> None:
    assert scan_bytes(text.encode()).issues == ()
    assert same(document(text).value, yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: os\nb: sys\nm:\n  _target_: ${a}.${b}tem\n  command: id\n", Code.CODE_EXECUTION),
        ("c: {n: [os, system]}\nm:\n  _target_: ${c.n[0]}.${c[n][1]}\n  command: id\n", Code.CODE_EXECUTION),
        ("m:\n  n: os.system\n  _target_: ${.n}\n", Code.CODE_EXECUTION),
        ("m:\n  _target_: ${oc.env:HOME}.x\n", Code.UNKNOWN_CALLABLE),
        ("m:\n  _target_: ${elsewhere}\n", Code.UNKNOWN_CALLABLE),
        ("a: ${b}\nb: ${a}\nm:\n  _target_: ${a}\n", Code.UNKNOWN_CALLABLE),
        ('"\\x5ftarget_": os.system\ncommand: id\n', Code.CODE_EXECUTION),
        ('m: {"\\u005Ftarget\\U0000005f": os.system}\n', Code.CODE_EXECUTION),
        ("x: &x\n  _target_: os.system\nm:\n  <<: *x\n  command: id\n", Code.CODE_EXECUTION),
        ("x: &x os.system\nm:\n  _target_: *x\n  command: id\n", Code.CODE_EXECUTION),
    ],
)
def test_targets_are_found_however_they_are_written(text: str, code: Code) -> None:
    assert {issue.code for issue in scan_bytes(text.encode()).issues} == {code}


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("m:\n  _target_: ${model.cls}\n  size: 3\n", "medium"),
        ("m:\n  _target_: torch.optim.${optimizer.name}\n  lr: 3\n", "medium"),
        ("m:\n  _target_: os.${model.cls}\n", "high"),
        ("m:\n  _target_: ${model.cls}.${other.name}\n", "high"),
        ("m:\n  _target_: ${..cls}\n", "high"),
        ("m:\n  _target_: ${model.${x}}\n", "high"),
        ("cls: os.system\nm:\n  _target_: ${model.cls}\n  command: id\n", "critical"),
        ("n: {cls: os.system}\nm:\n  _target_: ${model.part.n.cls}\n  command: id\n", "critical"),
    ],
)
def test_targets_that_another_file_names(text: str, severity: str) -> None:
    assert scan_bytes(text.encode()).worst == severity


def test_an_interpolated_target_of_torch_is_clean() -> None:
    assert scan_bytes(b"n: AdamW\noptim:\n  _target_: torch.optim.${n}\n  lr: 0.1\n").verdict is Verdict.CLEAN


PLAIN_TAGS = {
    "ordered": "a: !!python/object/apply:collections.OrderedDict\n- - - b\n    - 1\n",
    "path": "out: !!python/object/apply:pathlib.PosixPath [models, best]\n",
    "namespace": "!!python/object:argparse.Namespace\nlr: 0.1\nlayers: [1, 2]\n",
}


@pytest.mark.parametrize("kind", PLAIN_TAGS)
def test_tags_that_make_plain_data_are_clean(kind: str) -> None:
    assert scan_bytes(PLAIN_TAGS[kind].encode()).verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "text",
    [
        PLAIN_TAGS["ordered"] + "c: !!python/object/apply:os.system [id]\n",
        "!!python/object/apply:collections.OrderedDict\n- - - !!python/object/apply:os.system [id]\n",
        "!!python/object/new:argparse.Namespace\nstate: !!python/name:os.system\n",
        "!!python/object/apply:collections.OrderedDictionary []\n",
        "!!python/object/apply:collections.OrderedDict.fromkeys [[a]]\n",
        "!!python/object/apply:collections.OrderedDic%74or []\n",
        "%TAG !p! tag:yaml.org,2002:python/object/apply:\n---\n!p!collections.OrderedDict []\n",
        "!!python/object/apply:pathlib.Path.unlink [a]\n",
    ],
)
def test_tags_beside_them_or_beyond_them_are_found(text: str) -> None:
    report = scan_bytes(text.encode())
    assert Code.YAML_OBJECT in {issue.code for issue in report.issues}
    assert report.worst == "high"
