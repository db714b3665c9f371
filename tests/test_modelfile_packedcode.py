"""Python code in archives of models is judged by what it does, as code beside a model is."""

from __future__ import annotations

import gzip
import json
import struct

import pytest

import modelfile_samples
from shipworthy.modelfile import Code, Report, scan_bytes

HONEST = b"""
import json, logging, os
import torch
from ts.torch_handler.base_handler import BaseHandler
from netpkg.layers import Net

def model_fn(folder):
    model = Net()
    model.load_state_dict(torch.load(os.path.join(folder, "model.pth"), weights_only=True))
    return model.eval()
"""
STARTS = b"import os; os.system('id')"


def zipped(name: str, code: bytes) -> bytes:
    return modelfile_samples.zipped((name, code))


def tarred(name: str, code: bytes) -> bytes:
    return gzip.compress(modelfile_samples.tarred((name, code)))


def severities(report: Report) -> set[str]:
    return {issue.severity for issue in report.issues if issue.code is Code.REMOTE_CODE}


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("netpkg/__init__.py", STARTS),
        ("code/inference.py", STARTS + b"\ndef model_fn(d):\n    return 1\n"),
        ("handler.py", b"open('/tmp/x', 'w').write('1')"),
        ("handler.py", b"[__import__('os').system('id')]"),
        ("handler.py", b"# {% if a %}{{ b }}{% endif %}\n" + STARTS),
        ("handler.PY", b"# flavors:\nflavors: int = 1\n" + STARTS),
        ("model.pth", STARTS + b"\n"),
        ("a.pth", b"./lib\nimport\tos; os.system('id')\n"),
        ("d/" * 120 + "handler.py", STARTS),
    ],
)
def test_code_that_starts_programs_is_found(pack: object, name: str, code: bytes) -> None:
    assert "high" in severities(scan_bytes(pack(name, code)))  # type: ignore[operator]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_code_that_serves_a_model_is_told_and_no_more(pack: object) -> None:
    report = scan_bytes(pack("code/inference.py", HONEST))  # type: ignore[operator]
    assert severities(report) == {"medium"}
    assert report.unknowns


@pytest.mark.parametrize(
    ("load", "severity"),
    [
        (b"joblib.load(os.path.join(folder, 'model.joblib'))", "medium"),
        (b"pickle.load(open(folder + '/model.pkl', 'rb'))", "medium"),
        (b"joblib.load('/tmp/model.joblib')", "high"),
        (b"pickle.load(open('model.pkl', 'rb'))", "high"),
        (b"pickle.loads(folder)", "high"),
        (b"joblib.load(io.BytesIO(folder))", "high"),
        (b"pickle.load(urllib.request.urlopen(folder))", "high"),
    ],
)
def test_a_server_may_load_a_file_of_the_folder_that_it_is_handed(load: bytes, severity: str) -> None:
    needs = b"import os, pickle, joblib\n" + (b"import io\n" if b"io." in load else b"")
    needs += b"import urllib.request\n" if b"urllib" in load else b""
    report = scan_bytes(zipped("code/inference.py", needs + b"def model_fn(folder):\n    return " + load + b"\n"))
    assert max(severities(report), key=["low", "medium", "high"].index) == severity


def test_a_path_file_that_only_names_folders_is_no_finding() -> None:
    assert not scan_bytes(zipped("model.pth", b"./lib\nimportant/folder\n")).issues


def safetensors(metadata: dict[str, str]) -> bytes:
    header = json.dumps({"w": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, "__metadata__": metadata}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


@pytest.mark.parametrize(
    "text",
    [
        "import os; os.system('touch /tmp/x')",
        " __import__('os').system('id')",
        "exec(bytes.fromhex('00'))",
        "open('/tmp/x', 'w').write('1')",
        "import subprocess as s\nclass Net:\n    def __init__(self):\n        s.call('\\d')\n",
    ],
)
def test_a_text_kept_with_a_model_that_is_code_is_found(text: str) -> None:
    (issue,) = scan_bytes(safetensors({"format": "pt", "init": text})).issues
    assert (issue.code, issue.severity) == (Code.HIDDEN_PAYLOAD, "high")


@pytest.mark.parametrize(
    "text",
    [
        '{"import": "evaluate(x)", "path": "/etc/hosts", "epochs": [1, 2]}',
        "Open the model with torch (import torch first), then evaluate it.",
        "__import__('os')",
        "Net(layers=[Linear(1, 2)], system='chat')",
        "import torch\nmodel = torch.nn.Linear(2, 3)\nmodel.eval()\n",
    ],
)
def test_other_texts_kept_with_a_model_are_left_alone(text: str) -> None:
    assert scan_bytes(safetensors({"format": "pt", "note": text})).verdict == "clean"


@pytest.mark.parametrize("dtype", ["U8", "I8"])
def test_a_pickle_in_a_tensor_of_bytes_is_found(dtype: str) -> None:
    evil = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R."
    header = json.dumps({"state": {"dtype": dtype, "shape": [len(evil)], "data_offsets": [0, len(evil)]}}).encode()
    report = scan_bytes(struct.pack("<Q", len(header)) + header + evil)
    assert [issue.code for issue in report.issues] == [Code.CODE_EXECUTION]
