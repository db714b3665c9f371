"""What the fourth blind set and later attackers got past the checks, and honest files that look like it."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from modelfile_samples import EVIL, zipped
from shipworthy.artifacts import discover
from shipworthy.cli import main
from shipworthy.model import Finding, Kind, Severity, Skipped
from shipworthy.modelfile import mmengine, scan_bytes
from test_modelfile_unseen import said

SOURCE = "import os\nos.system('id')\n"
YOLO = "nc: 2\nactivation: \"__import__('os').system('id')\"\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n"
HONEST = "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n"
HELD = base64.b64encode(EVIL * 4).decode()
GRAPH = b'{"nodes": [{"op": "null", "name": "x", "inputs": []}, {"op": "%s", "name": "y", "inputs": [[0, 0, 0]]}], '
GRAPH += b'"arg_nodes": [0], "heads": [[1, 0, 0]]}'
LINES = "\n".join(f"  {HELD[at : at + 60]}" for at in range(0, len(HELD), 60))


def heard(folder: Path, files: dict[str, Any]) -> tuple[set[str], list[str]]:
    """The rules of high findings, and the gaps, of a folder with these files."""
    as_bytes = {
        name: data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
        for name, data in files.items()
    }
    told = list(said(folder, as_bytes, {}))
    rules = {item.rule.id for item in told if isinstance(item, Finding) and item.severity >= Severity.HIGH}
    return rules, [item.reason for item in told if isinstance(item, Skipped)]


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"a.yaml": f"name: clf\nblob: {HELD}\n"}, "model-code-execution"),
        ({"a.yaml": f"name: clf\nblob: !!binary |\n{LINES}\n"}, "model-code-execution"),
        ({"a.yaml": f"a: 1\n---\nblob: '{HELD}'\n"}, "model-code-execution"),
        ({"config.py": f"model = dict(type='Net')\n{SOURCE}"}, "model-config-remote-code"),
        ({"c/x.py": f"_base_ = ['./y.py']\n{SOURCE}"}, "model-config-remote-code"),
        ({"c.yaml": "custom_imports:\n  imports: [plugin]\n", "plugin.py": SOURCE}, "model-config-remote-code"),
        ({"c.json": {"_base_": ["./b/base.py"]}, "b/base.py": SOURCE}, "model-config-remote-code"),
        ({"c/c.yaml": "_base_: [../b/faster-rcnn.py]\n", "b/faster-rcnn.py": SOURCE}, "model-config-remote-code"),
        ({"faster-rcnn_r50.py": f"_base_ = ['./y.py']\n{SOURCE}"}, "model-config-remote-code"),
        ({"c.py": "custom_imports = dict(imports=['plugin'])\n", "plugin.py": SOURCE}, "model-config-remote-code"),
        ({"c/c.py": "_base_ = [\n    '../a.py',\n]\n", "a.py": SOURCE}, "model-config-remote-code"),
        ({"m.json": {"py/object": "helpers.Net", "a": 1}, "helpers.py": SOURCE}, "model-config-remote-code"),
        ({"a-symbol.json": GRAPH % b"_Native"}, "model-dangerous-operator"),
        ({"a-symbol.json": GRAPH % b"Custom"}, "model-custom-operator"),
        ({"a.zip": zipped(("yolo.yaml", YOLO.encode()))}, "model-code-execution"),
        ({"a.pt": zipped(("yolo.yaml", YOLO.encode()))}, "model-code-execution"),
        ({"train.gin": "import helpers\ntrain.x = 1\n", "helpers.py": SOURCE}, "model-config-remote-code"),
        ({"c/a.gin": "from lib import helpers\n", "lib/helpers.py": SOURCE}, "model-config-remote-code"),
        ({"config.properties": "load_models=m=https\\://a.example/m.mar\n"}, "model-external-data"),
        ({"config.properties": "load_models = a.mar,\\\n  b=\\u0068ttp://a.example/b.mar\n"}, "model-external-data"),
        ({".s2i/environment": "MODEL_NAME=Mine\nAPI_TYPE=REST\n", "Mine.py": SOURCE}, "model-config-remote-code"),
        ({"Dockerfile": "FROM a\nENV MODEL_NAME Mine\n", "Mine.py": SOURCE}, "model-config-remote-code"),
    ],
)
def test_what_got_past_is_told(tmp_path: Path, files: dict[str, Any], rule: str) -> None:
    assert rule in heard(tmp_path, files)[0]


BSON = b"\x30\0\0\0\3model\0\x20\0\0\0\2tag\0\6\0\0\0array\0\0" + bytes(9)


@pytest.mark.parametrize(
    "files",
    [
        {"weka/j48": b"\xac\xed\0\5sr\0\x1aweka.classifiers.trees.J48" + bytes(30)},
        {"net.t7": b"\4\0\0\0\1\0\0\0\3\0\0\0V 1\r\0\0\0nn.Sequential" + bytes(30)},
        {"net.data": b"\3\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0" + bytes(30)},
        {"net": b"4\n1\n3\nV 1\n13\nnn.Sequential\n3\n2\n"},
        {"mnist.bson": BSON},
        {"a-symbol.json": GRAPH % b"FullyConnected"},
        {"f.mlir": b"module @jit_f {\n  func.func public @main() {\n    stablehlo.custom_call @run() : () -> ()\n"},
    ],
)
def test_what_no_reader_reads_is_a_gap(tmp_path: Path, files: dict[str, Any]) -> None:
    rules, gaps = heard(tmp_path, files)
    assert gaps
    assert not rules


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": f"name: clf\nblob: {base64.b64encode(pickle.dumps([1, 2, 3] * 9)).decode()}\n"},
        {"a.yaml": f"icon: {base64.b64encode(bytes.fromhex('89504e470d0a1a0a') + bytes(99)).decode()}\n"},
        {"config.py": "_base_ = ['../base.py']\nmodel = dict(type='Net', depth=50)\nlr = 0.1\n"},
        {"c.yaml": "custom_imports:\n  imports: [plugin]\n", "plugin.py": HONEST},
        {
            "c.py": "_base_ = 'a.py'\ncustom_imports = dict(imports=['plugin'])\n",
            "a.py": "a = 1\n",
            "plugin.py": HONEST,
        },
        {"c.json": {"_base_": "base.py", "lr": 0.1}, "base.py": "model = dict(type='Net')\n"},
        {"m.json": {"py/object": "helpers.Net", "a": 1}, "helpers.py": HONEST},
        {"train.gin": "import helpers\ntrain.x = 1\n", "helpers.py": HONEST},
        {"config.properties": "inference_address=http://0.0.0.0:8080\nload_models=all\nmodel_store=/models\n"},
        {".s2i/environment": "MODEL_NAME=Mine\n", "Mine.py": HONEST, "other.py": SOURCE},
    ],
)
def test_honest_twins_are_left_alone(tmp_path: Path, files: dict[str, Any]) -> None:
    assert heard(tmp_path, files) == (set(), [])


def test_a_custom_operator_of_mxnet_can_be_vouched_for() -> None:
    graph = (GRAPH % b"Custom").replace(b'"name": "y"', b'"name": "y", "attrs": {"op_type": "focal"}')
    assert [issue.callable for issue in scan_bytes(graph).issues] == ["mxnet:focal"]
    assert not scan_bytes(graph, trust=("mxnet:focal",)).issues


def test_a_table_of_orc_is_a_dataset_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "part-00000").write_bytes(b"ORC" + bytes(60) + b"ORC")
    (tmp_path / "ORCHARD").write_bytes(b"ORCHARD\n")
    kinds = {artifact.uri: artifact.kind for artifact in discover(tmp_path).artifacts}
    assert kinds == {"part-00000": Kind.DATASET, "ORCHARD": Kind.TEXT}


CHAINS = [
    {"r/a.py": "_base_ = ['../o/b.py']\n", "o/b.py": "_base_ = ['./c.py']\n", "o/c.py": SOURCE},
    {"r/a.py": "_base_ = ['../o/b.py']\n", "o/b.py": "_base_ = '../p/c.yaml'\n", "p/c.yaml": "_base_:\n  - d.py\n"},
    {"r/a.yaml": "_base_: ../o/b.py\n", "o/b.py": "_base_ = 'd.json'\n", "o/d.json": '{"_base_": ["../p/d.py"]}'},
    {"r/a.py": "_base_ = '../o/b.py'\n", "o/b.py": "custom_imports = dict(imports=['p.d'])\n", "o/p/d.py": SOURCE},
]


@pytest.mark.parametrize("files", CHAINS)
def test_bases_of_bases_are_followed_out_of_the_tree(tmp_path: Path, files: dict[str, str]) -> None:
    for name, text in {"p/d.py": SOURCE, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert main(["scan", str(tmp_path / "r"), "--no-cache", "--quiet", "--format", "json"]) == 1


def test_bases_that_name_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("_base_ = ['b.py', 'a.py']\n")
    (tmp_path / "b.py").write_text("_base_ = ['./a.py', 'c.py']\n")
    (tmp_path / "c.py").write_text("lr = 1\n")
    assert [path.name for path in mmengine.bases(tmp_path / "a.py")] == ["b.py", "c.py"]


def test_a_base_outside_of_the_tree_that_changes_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "a.py").write_text("_base_ = ['../b.py']\n")
    (tmp_path / "b.py").write_text("lr = 1\n")
    command = ["scan", str(tmp_path / "r"), "--quiet"]
    assert [main(command), main(command)] == [0, 0]
    (tmp_path / "b.py").write_text(SOURCE)
    assert main(command) == 1


@pytest.mark.parametrize(
    ("body", "high"),
    [
        ("import joblib\n\ndef model_fn(d):\n    return joblib.load(os.path.join(d, 'model.joblib'))\n", False),
        ("import joblib\n\ndef model_fn(d):\n    return joblib.load('/tmp/x')\n", True),
        ("import joblib\n\njoblib.os.system('id')\n", True),
        ("from joblib.externals import cloudpickle\n\nmodel = cloudpickle.loads(b'x')\n", True),
    ],
)
def test_a_server_that_reads_its_model_with_joblib(tmp_path: Path, body: str, high: bool) -> None:
    rules, _ = heard(tmp_path, {"code/inference.py": f"import os\n{body}", "model.joblib": pickle.dumps([1])})
    assert ("model-config-remote-code" in rules) is high
