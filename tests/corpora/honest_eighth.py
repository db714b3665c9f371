"""The eighth held-out set: models as the guides of their libraries save them, in kinds and versions hardly read before.

    PYTHON tests/corpora/honest_eighth.py FOLDER ENVIRONMENT SECONDS GROUP...

Chosen on 2026-11-23, before any of the files was scanned. Groups: `tables` (estimators, boosters, statistics),
`forms` (what is made of them: ONNX, ONNX Runtime's, Core ML, PMML, skops, MLflow, Arrow), `nets` (states and
checkpoints of torch), `exports` (torch.export, ExecuTorch, TorchScript, ONNX, OpenVINO, Core ML), `hub` (folders of
transformers and its neighbours, GGUF), `graphs` (Keras 3 on three backends, TensorFlow Lite, TensorFlow.js, Flax).
Each kind gets a folder, FOLDER/ENVIRONMENT/KIND; one whose writer fails is not in the set. Kinds are written in an
order that is drawn, until SECONDS have passed in each group.

Left out, because the documentation refuses it on purpose: functions and classes by value (cloudpickle, dill, MLflow's
Python functions), lambdas, numba, a project's own classes without `trust`, archives and folders with code (handlers,
custom code, `auto_map`), pickles of spaCy, skorch and pygam, R functions, libraries that are in no table; and what it
calls unknown on purpose: archives for torch's mobile interpreter, serialized StableHLO.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

# Environments, by what is installed in them; versions that sets five to seven did not use, but for `exports`.
ENVIRONMENTS = {
    "e1": "python 3.11: numpy 1.26.4, scikit-learn 1.3.2, pandas 2.0.3, joblib 1.3.1, lightgbm 4.0.0, xgboost 2.0.2, "
    "catboost 1.2.3, statsmodels 0.14.0, skops 0.9.0, skl2onnx 1.17.0, onnx 1.16.2, onnxmltools 1.12.0, onnxruntime "
    "1.17.3, mlflow-skinny 2.9.2, coremltools 7.2, nyoka 5.5.0, pyarrow 14.0.2, imbalanced-learn "
    "0.11.0, category_encoders 2.6.2, lifelines 0.27.8, feature-engine 1.6.2, gensim 4.3.3",
    "e2": "python 3.12: numpy 2.1.3, scikit-learn 1.5.1, pandas 2.2.2, joblib 1.4.2, lightgbm 4.4.0, xgboost 2.1.2, "
    "catboost 1.2.8, statsmodels 0.14.3, skops 0.11.0, skl2onnx 1.19.1, onnx 1.18.0, onnxmltools 1.14.0, onnxruntime "
    "1.22.0, mlflow-skinny 2.22.0, coremltools 8.3.0, sklearn2pmml 0.130.0, pyarrow 18.1.0, imbalanced-learn 0.12.4, "
    "category_encoders 2.7.0, xarray",
    "e3": "python 3.13: numpy 2.3.5, scikit-learn 1.8.0, pandas 3.0.3, joblib 1.5.3, lightgbm 4.6.0, xgboost 3.1.2, "
    "catboost 1.2.9, statsmodels 0.14.6, skops 0.14.0, skl2onnx 1.20.0, onnx 1.20.1, onnxmltools 1.15.0, onnxruntime "
    "1.25.1, mlflow-skinny 3.12.0, sklearn2pmml 0.133.1, pyarrow 23.0.0, keras 3.14.1 on jax 0.9.2, flax 0.12.5, "
    "orbax-checkpoint 0.11.37, gguf 0.18.0, safetensors 0.7.0",
    "etorch": "python 3.11: torch 2.13.0, transformers 4.52.4, sentence-transformers 4.1.0, peft 0.16.0, diffusers "
    "0.35.2, accelerate 1.9.0, pytorch-lightning 2.5.6, timm 1.0.20, onnx 1.19.0, onnxruntime 1.23.0, openvino "
    "2025.3.0, nncf 2.18.0, keras 3.13.2 on torch, safetensors 0.6.2, gguf 0.17.1",
    "etf": "python 3.11: tensorflow-cpu 2.18.1 with its Keras 3, tf_keras 2.18.0, tensorflowjs 4.22.0",
    "exports": "python 3.11: torch 2.13.0, executorch 1.5.1, torchao 0.18.0, coremltools 9.0, openvino 2026.4.1, "
    "onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0, transformers 5.23.0, flax 0.12.8",
}
MODULES = {
    "tables": "honest_eighth_tables",
    "forms": "honest_eighth_forms",
    "nets": "honest_eighth_nets",
    "exports": "honest_eighth_exports",
    "hub": "honest_eighth_hub",
    "graphs": "honest_eighth_graphs",
}


def at(place: str) -> Any:
    """`module.name`, imported when it is needed."""
    module, _, name = place.rpartition(".")
    return getattr(importlib.import_module(module), name)


def main() -> None:
    """Command line."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    environment, seconds, groups = sys.argv[2], float(sys.argv[3]), sys.argv[4:]
    root = Path(sys.argv[1]).absolute()
    work = root / "work" / environment
    for group in groups:
        kinds = importlib.import_module(MODULES[group]).kinds()
        names = sorted(kinds)
        random.Random(88).shuffle(names)
        start, counts = time.monotonic(), {"kinds": len(names), "written": 0, "failed": 0, "not begun": 0}
        for name in names:
            folder, done = work / name, root / environment / name
            if folder.exists() or done.exists():  # an earlier run ended in it, or wrote it
                continue
            if time.monotonic() - start > seconds:
                counts["not begun"] += 1
                continue
            folder.mkdir(parents=True)
            signal.alarm(90)  # a writer that hangs ends this process; the next one goes on behind it
            try:
                kinds[name](folder)
                signal.alarm(0)
                if not any(path.is_file() for path in folder.rglob("*")):
                    raise FileNotFoundError("wrote nothing")
                done.parent.mkdir(exist_ok=True)
                shutil.move(str(folder), str(done))
                counts["written"] += 1
            except BaseException as error:
                signal.alarm(0)
                counts["failed"] += 1
                place = traceback.extract_tb(error.__traceback__)[-1]
                with (root / f"{environment}.failed.txt").open("a", encoding="utf-8") as log:
                    log.write(f"{name}: {error!r} {place.filename}:{place.lineno}"[:400].replace("\n", " ") + "\n")
        print(json.dumps({environment: group, **counts}), flush=True)


if __name__ == "__main__":
    main()
