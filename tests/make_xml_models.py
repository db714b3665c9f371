"""Writes the honest PMML and OpenVINO files under tests/data/models.

pip install nyoka openvino scikit-learn pandas; versions are noted in versions.txt beside the files.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

MODELS = Path(__file__).parent / "data" / "models"


def openvino() -> None:
    """A dense network and a loop."""
    import openvino as ov
    from openvino import opset13 as ops

    folder = MODELS / "openvino"
    folder.mkdir(parents=True, exist_ok=True)
    x = ops.parameter([1, 8], np.float32, name="x")
    weights = ops.constant(np.arange(32, dtype=np.float32).reshape(8, 4))
    out = ops.softmax(ops.relu(ops.matmul(x, weights, False, False)), 1)
    model = ov.Model([out], [x], "net")
    model.set_rt_info("value", ["a", "b"])
    ov.save_model(model, folder / "dense.xml", compress_to_fp16=False)
    inner = ops.parameter([1, 8], np.float32)
    added = ops.add(inner, ops.constant(np.ones((1, 8), np.float32)))
    body = ov.Model([ops.constant(True, dtype=bool), added], [inner], "body")
    loop = ops.loop(ops.constant(3, dtype=np.int64), ops.constant(True, dtype=bool))
    loop.set_function(body)
    loop.set_special_body_ports([-1, 0])
    loop.set_merged_input(inner, x.output(0), added.output(0))
    ov.save_model(ov.Model([loop.get_iter_value(added.output(0), -1)], [x], "looped"), folder / "loop.xml")
    (folder / "versions.txt").write_text(f"openvino {version('openvino')}\n")


def pmml() -> None:
    """A tree, a forest and a linear model."""
    import pandas as pd
    from nyoka import skl_to_pmml
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    folder = MODELS / "pmml"
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(0)
    data = pd.DataFrame(numbers.normal(size=(40, 3)), columns=["a", "b", "c"])
    data["y"] = (data["a"] > 0).astype(int)
    names = ["a", "b", "c"]
    steps = {
        "tree": DecisionTreeClassifier(max_depth=3),
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
        "linear": LinearRegression(),
    }
    for name, model in steps.items():
        pipe = Pipeline([("scale", StandardScaler()), ("model", model)]).fit(data[names], data["y"])
        skl_to_pmml(pipe, names, "y", str(folder / f"{name}.pmml"))
    (folder / "versions.txt").write_text(f"nyoka {version('nyoka')}\n")


if __name__ == "__main__":
    openvino()
    try:
        pmml()
    except ImportError as error:
        print("no PMML:", error)
