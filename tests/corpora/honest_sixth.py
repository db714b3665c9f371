"""The sixth held-out set: models, saved as their libraries' guides say, in every format that can be written here.

    PYTHON tests/corpora/honest_sixth.py FOLDER ENVIRONMENT GROUP...

Chosen on 2026-11-23, before any of the files was scanned. Each kind gets a folder of its own, FOLDER/ENVIRONMENT/KIND,
with all that its library writes; manifest.jsonl has a line for each file. Environments are those of environments.toml,
and six more (`OTHERS`): one library of graphs, or all that exports. A kind whose library is absent is passed over.

Left out, because the documentation refuses it on purpose: functions by value (cloudpickle: MLflow's Python functions,
Stable-Baselines3), pickles of spaCy, skorch and pygam, of libraries that are in no table (Ultralytics), TensorRT's
engines, R packages (.rdb).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

# Which groups of kinds are written where: three or more versions of each of the main libraries.
TABLES = ["sk024", "fifth1", "sixth1", "sk12", "sixth2", "fifth2", "sixth3", "fifth3", "sk19", "pandas3"]
NETS = ["fifthtorch2", "fifthtorch", "sixthhub", "torchnew", "exports"]
HUB = ["fifthtorch2", "sixthhub", "fifthtorch", "torchnew", "exports"]
GRAPHS = ["keras2", "keras30", "keras3", "sixth1", "sixth2", "sixth3", "exports", "sixthpaddle", "paddle3"]
PLAN = {"tables": [*TABLES, "exports"], "nets": NETS, "hub": HUB, "graphs": GRAPHS}
OTHERS = {
    "keras2": ["tensorflow-cpu==2.15.1"],
    "keras30": ["tensorflow-cpu==2.16.1", "keras==3.0.5"],
    "keras3": ["tensorflow-cpu==2.21.0", "keras==3.15.1"],
    "paddle3": ["paddlepaddle==3.3.1", "torch-model-archiver==0.12.0"],
    "exports": (
        "torch==2.13.0 transformers==5.23.0 peft==0.21.2 sentence-transformers==6.2.0 pytorch-lightning==2.6.6 "
        "fastai==2.8.12 coremltools==9.0 executorch==1.5.1 openvino==2026.4.1 onnx==1.23.2 onnxscript==0.7.2 "
        "flax==0.12.8 orbax-checkpoint==0.12.8 gguf==0.19.0 mlflow-skinny==3.17.2 skops==0.16.0 scikit-learn==1.9.1 "
        "xgboost==3.2.0 lightgbm==4.7.0 catboost==1.2.10 pyarrow==26.0.1 diffusers==0.42.1 accelerate==1.15.0 "
        "torch-model-archiver==0.12.0 lightning-utilities matplotlib"
    ).split(),
    "r": ["r-base==4.2.2"],
}


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(__file__).parent))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    environment, groups = sys.argv[2], sys.argv[3:]
    root = Path(sys.argv[1]).absolute() / environment
    root.mkdir(parents=True, exist_ok=True)
    failed = []
    with (root / "manifest.jsonl").open("a", encoding="utf-8") as manifest:
        for group in groups:
            kinds = importlib.import_module(f"honest_sixth_{group}").kinds()
            before, written = time.monotonic(), 0
            for name, make in kinds.items():
                folder = root / name
                if folder.exists():
                    continue
                folder.mkdir()
                try:
                    make(folder)
                except ModuleNotFoundError as error:
                    failed.append(f"{name}: absent: {error}")
                except BaseException as error:
                    place = traceback.extract_tb(error.__traceback__)[-1]
                    failed.append(f"{name}: {error!r} {place.filename}:{place.lineno}"[:600])
                files = sorted(path for path in folder.rglob("*") if path.is_file())
                if not files or (failed and failed[-1].startswith(name + ":")):
                    for path in files:
                        path.unlink()
                    continue
                written += 1
                for path in files:
                    row = {
                        "file": str(path.relative_to(root)),
                        "family": name,
                        "environment": environment,
                        "held": True,
                    }
                    manifest.write(json.dumps(row) + "\n")
            print(environment, group, written, f"of {len(kinds)},", round(time.monotonic() - before), "s", flush=True)
    with (root / "failed.txt").open("a", encoding="utf-8") as log:
        log.write("\n".join(failed) + "\n")


if __name__ == "__main__":
    main()
