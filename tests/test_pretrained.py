"""Training that starts from a pretrained model: it is an input like the data, and the chain reaches back to it."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from shipworthy.cli import main

TRAIN = """
import csv, os, pathlib, shutil
rows = list(csv.DictReader(open(os.environ["SHIPWORTHY_INPUT_TRAIN"])))
out = pathlib.Path(os.environ["SHIPWORTHY_OUTPUT_MODEL"]); out.mkdir(exist_ok=True)
shutil.copyfile(os.environ["SHIPWORTHY_INPUT_BASE"], out / "weights.safetensors")
"""
EVALUATE = """
import csv, os
rows = list(csv.DictReader(open(os.environ["SHIPWORTHY_INPUT_HOLDOUT"])))
with open(os.environ["SHIPWORTHY_OUTPUT_PREDICTIONS"], "w") as out:
    out.write("id,prediction\\n")
    for row in rows:
        out.write(f"{row['id']},{int(float(row['x']) > 0)}\\n")
"""
SETTINGS = """
project = "tuned"
[scan]
checks = ["models", "code", "datasets"]
skip = ["dataset-backdoor", "dataset-labels"]
[train]
command = ["python", "train.py"]
inputs = { train = "data/train.csv", base = "base/base.safetensors" }
outputs = { model = "model/" }
[evaluate]
command = ["python", "evaluate.py"]
holdout = "data/holdout.csv"
positive = "1"
[gates.before-sign]
rules = ["metric('accuracy').low > 0.9"]
[sign]
key = "file:../release.key"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    for name in ("data", "base"):
        (root / name).mkdir(parents=True)
    rng = np.random.default_rng(3)
    for name in ("train", "holdout"):
        values = rng.normal(size=200)
        lines = [f"{name}-{i},{v:.6f},{int(v > 0)}" for i, v in enumerate(values)]
        (root / "data" / f"{name}.csv").write_text("id,x,label\n" + "\n".join(lines) + "\n")
    save_file({"w": rng.normal(size=(4, 4)).astype("f4")}, root / "base" / "base.safetensors")
    (root / "train.py").write_text(TRAIN)
    (root / "evaluate.py").write_text(EVALUATE)
    (root / "shipworthy.toml").write_text(SETTINGS)
    monkeypatch.chdir(root)
    assert main(["keys", "new", "../release.key", "--quiet"]) == 0
    return root


def test_the_chain_reaches_back_to_the_pretrained_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "ml", "--quiet"]) == 0, capsys.readouterr()
    capsys.readouterr()
    assert main(["verify", "--format", "json"]) == 0
    links = json.loads(capsys.readouterr().out)["links"]
    assert {"base/base.safetensors", "data/train.csv"} <= {link["name"] for link in links if link["step"] == "ingest"}
    data = bytearray((project / "base/base.safetensors").read_bytes())
    data[-1] ^= 1
    (project / "base/base.safetensors").write_bytes(data)
    assert main(["verify"]) == 4
    assert "base/base.safetensors" in capsys.readouterr().out
