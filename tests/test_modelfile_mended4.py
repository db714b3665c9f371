"""What the fourth blind set and later attackers got past the checks, and honest files that look like it."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from modelfile_samples import EVIL
from shipworthy.model import Finding, Severity, Skipped
from test_modelfile_unseen import said

SOURCE = "import os\nos.system('id')\n"
HONEST = "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n"
HELD = base64.b64encode(EVIL * 4).decode()
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
        ({"m.json": {"py/object": "helpers.Net", "a": 1}, "helpers.py": SOURCE}, "model-config-remote-code"),
    ],
)
def test_what_got_past_is_told(tmp_path: Path, files: dict[str, Any], rule: str) -> None:
    assert rule in heard(tmp_path, files)[0]


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": f"name: clf\nblob: {base64.b64encode(pickle.dumps([1, 2, 3] * 9)).decode()}\n"},
        {"a.yaml": f"icon: {base64.b64encode(bytes.fromhex('89504e470d0a1a0a') + bytes(99)).decode()}\n"},
        {"config.py": "_base_ = ['../base.py']\nmodel = dict(type='Net', depth=50)\nlr = 0.1\n"},
        {"c.yaml": "custom_imports:\n  imports: [plugin]\n", "plugin.py": HONEST},
        {"c.json": {"_base_": "base.py", "lr": 0.1}, "base.py": "model = dict(type='Net')\n"},
        {"m.json": {"py/object": "helpers.Net", "a": 1}, "helpers.py": HONEST},
    ],
)
def test_honest_twins_are_left_alone(tmp_path: Path, files: dict[str, Any]) -> None:
    assert heard(tmp_path, files) == (set(), [])
