"""The ninth held-out set: ordinary honest models, as the quick-start guides of the common libraries save them.

    PYTHON tests/corpora/honest_ninth.py FOLDER ENVIRONMENT SECONDS GROUP...

Chosen on 2026-11-23, before any of the files was written or scanned. Groups: `tables` (scikit-learn, boosters,
statsmodels, ONNX of them, MLflow, arrays and tables), `nets` (PyTorch: states, checkpoints, exports), `hub` (folders of
transformers, sentence-transformers, peft, diffusers; safetensors, GGUF), `graphs` (Keras, TensorFlow). Each kind gets a
folder, FOLDER/ENVIRONMENT/KIND; one whose writer fails is not in the set. Kinds are written in an order that is drawn,
until SECONDS have passed in each group.

Left out, because the documentation refuses it on purpose: functions and classes by value (cloudpickle, dill, MLflow's
Python functions), whole nets in pickles (a project's own classes without `trust`), lambdas, numba, archives and folders
with code (handlers, custom code, `auto_map`), pickles of spaCy, skorch and pygam, R functions, libraries that are in no
table; what it calls unknown on purpose: archives for torch's mobile interpreter, serialized StableHLO, programs of
ExecuTorch for a delegate; and torch.distributed.checkpoint, which the eighth set measured and which is not mended yet.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

Kinds = dict[str, Callable[[Path], Any]]
ENVIRONMENTS = {
    "n1": "python 3.11: numpy 1.26.3, scikit-learn 1.4.0, pandas 2.1.4, joblib 1.3.2, lightgbm 4.1.0, xgboost 1.7.5, "
    "catboost 1.2.7, statsmodels 0.14.1, skops 0.10.0, skl2onnx 1.16.0, onnx 1.15.0, mlflow-skinny 2.14.3, pyarrow "
    "15.0.2",
    "n2": "python 3.12: numpy 2.0.2, scikit-learn 1.7.0, pandas 2.3.0, joblib 1.4.0, lightgbm 4.5.0, xgboost 3.0.2, "
    "catboost 1.2.10, statsmodels 0.14.4, skops 0.12.0, skl2onnx 1.18.0, onnx 1.17.0, mlflow-skinny 3.1.4, pyarrow "
    "20.0.0",
    "nt": "python 3.11: torch 2.13.0, numpy 2.2.4, transformers 4.56.2, sentence-transformers 5.0.0, peft 0.17.1, "
    "diffusers 0.34.0, accelerate 1.10.1, lightning 2.5.2, safetensors 0.5.3, gguf 0.16.3, keras 3.8.0 on torch, onnx "
    "1.19.1, openvino 2025.2.0, coremltools 9.0",
    "nh": "python 3.11: torch 2.13.0, numpy 1.26, transformers 4.46.3, sentence-transformers 3.3.1, peft 0.13.2, "
    "diffusers 0.31.0, accelerate 1.1.1, safetensors 0.4.5",
    "nx": "python 3.11: torch 2.13.0, executorch 1.5.1, transformers 5.0.0",
    "ntf": "python 3.11: tensorflow-cpu 2.17.1, keras 3.5.0, tf_keras 2.17.0",
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
    for group in groups:
        kinds: Kinds = importlib.import_module(f"honest_ninth_{group}").kinds()
        names = sorted(kinds)
        random.Random(99).shuffle(names)
        start, counts = time.monotonic(), {"kinds": len(names), "written": 0, "failed": 0, "not begun": 0}
        for name in names:
            folder, done = root / "work" / environment / name, root / environment / name
            if folder.exists() or done.exists():  # an earlier run ended in it, or wrote it
                continue
            if time.monotonic() - start > seconds:
                counts["not begun"] += 1
                continue
            folder.mkdir(parents=True)
            signal.alarm(60)  # a writer that hangs ends this process; the next one goes on behind it
            try:
                kinds[name](folder)
                signal.alarm(0)
                if not any(path.is_file() for path in folder.rglob("*")):
                    raise FileNotFoundError("wrote nothing")
                done.parent.mkdir(exist_ok=True)
                shutil.move(str(folder), str(done))
                counts["written"] += 1
            except Exception as error:
                signal.alarm(0)
                counts["failed"] += 1
                place = traceback.extract_tb(error.__traceback__)[-1]
                with (root / f"{environment}.failed.txt").open("a", encoding="utf-8") as log:
                    log.write(f"{name}: {error!r} {place.filename}:{place.lineno}"[:400].replace("\n", " ") + "\n")
        print(json.dumps({environment: group, **counts}), flush=True)


if __name__ == "__main__":
    main()
