"""Fourth blind set: the samples that real libraries wrote (`unseen4_write*.py`), and how each is loaded."""

# ruff: noqa: E501 (payloads are kept whole)
from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from corpora.unseen3_base import Sample

ARCHIVE = Path(__file__).resolve().parents[1] / "data" / "unseen4.zip"
PICKLE = "import pickle\nwith open(f, 'rb') as s:\n while s.peek(1): m = pickle.load(s)"
PREDICT = "import pickle, numpy; m = pickle.load(open(f, 'rb')); m.predict(numpy.ones((2, 2)))"
TRANSFORM = "import pickle, numpy; m = pickle.load(open(f, 'rb')); m.transform(numpy.ones((2, 2)))"
DILL = "import dill; m = dill.load(open(f, 'rb')); "
JOBLIB = "import joblib; joblib.load(f)"
NUMPY = "import numpy; m = numpy.load(f, allow_pickle=True)\nif hasattr(m, 'files'): [m[k] for k in m.files]"
TORCH = "import torch; m = torch.load(f, weights_only=False, map_location='cpu')"
FAMILIES = {"classic": PICKLE, "by-value": PICKLE, "joblib": JOBLIB, "numpy": NUMPY, "torch": TORCH}
FAMILIES |= {"store": "import pickle, base64; pickle.load(open(f, 'rb'))"}
BLOB = "import pickle, base64; pickle.loads(base64.b64decode({}))"
# id -> loader, effect, environment, entry
SPECIAL: dict[str, tuple[str, str, str, str | None]] = {
    "by-value/cloudpickle-predict": (PREDICT, "code", "main", None),
    "by-value/cloudpickle-lambda": (TRANSFORM, "code", "main", None),
    "by-value/cloudpickle-reader": (TRANSFORM, "file", "main", None),
    "by-value/cloudpickle-metaclass": ("import pickle; pickle.load(open(f, 'rb'))()", "code", "main", None),
    "by-value/cloudpickle-del": (PICKLE + "\ndel m", "code", "main", None),
    "by-value/cloudpickle-gzip": (
        "import gzip, pickle, numpy; pickle.load(gzip.open(f))[0].transform(numpy.ones((2, 2)))",
        "code",
        "main",
        None,
    ),
    "by-value/dill-predict": (DILL + "m.predict([1])", "code", "main", None),
    "by-value/dill-setstate": (DILL, "code", "main", None),
    "by-value/dill-lambda": (DILL + "m['metric'](1)", "code", "main", None),
    "by-value/dill-protocol-2": (DILL + "m()", "code", "main", None),
    "by-value/dill-module": (DILL + "m(1)", "code", "main", None),
    "by-value/joblib-wrapped": ("import joblib; joblib.load(f)()", "code", "main", None),
    "by-value/torch-cloudpickle": (TORCH + "; m['loss'](1)", "code", "main", None),
    "by-value/torch-dill-legacy": (
        "import torch, dill; torch.load(f, weights_only=False, pickle_module=dill)['loss'](1)",
        "code",
        "main",
        None,
    ),
    "joblib/gzip-three": (JOBLIB, "code", "main", None),
    "numpy/gzipped": ("import gzip, numpy; numpy.load(gzip.open(f), allow_pickle=True)", "code", "main", None),
    "numpy/dump": (PICKLE, "code", "main", None),
    "torch/gzip": ("import gzip, torch; torch.load(gzip.open(f), weights_only=False)", "code", "main", None),
    "torch/zip-in-zip": (
        "import torch, zipfile, io; z = zipfile.ZipFile(f); torch.load(io.BytesIO(z.read('release/model.pt')), weights_only=False)",
        "code",
        "main",
        None,
    ),
    "torch/demucs": ("from demucs.states import load_model; load_model(f)", "code", "odd+main", None),
    "torch/script-extra-file": (
        "import torch, pickle; e = {'info.pkl': ''}; torch.jit.load(f, _extra_files=e); pickle.loads(e['info.pkl'])",
        "code",
        "main",
        None,
    ),
    "store/diskcache": ("import diskcache; diskcache.Cache(f)['a']", "code", "odd+main", ""),
    "store/sqlitedict": ("import sqlitedict; sqlitedict.SqliteDict(f)['model']", "code", "odd+main", None),
    "store/hickle": ("import hickle; hickle.load(f)", "code", "odd+main", None),
    "store/compress-pickle": ("import compress_pickle; compress_pickle.load(f)", "code", "odd+main", None),
    "store/shelve-dumb": ("import shelve; shelve.open(f)['a']", "code", "main", "models"),
    "store/parquet-column": (
        "import pandas, pickle; pickle.loads(pandas.read_parquet(f)['b'][0])",
        "code",
        "main",
        None,
    ),
    "store/json-base64": ("import json\n" + BLOB.format("json.load(open(f))['model']"), "code", "main", None),
    "store/csv-base64": ("import pandas\n" + BLOB.format("pandas.read_csv(f)['blob'][0]"), "code", "main", None),
    "store/yaml-base64": ("import yaml\n" + BLOB.format("yaml.safe_load(open(f))['blob']"), "code", "main", None),
} | {
    f"store/pandas-{kind}": ("import pandas; pandas.read_pickle(f)", "code", "main", None)
    for kind in ("zip", "gz", "bz2", "xz", "zst", "tar")
}

R = "import subprocess; subprocess.run(['R', '--vanilla', '-s', '-e', {!r}], cwd='/tmp/s', env={{**__import__('os').environ}})"
COX = "import pickle, pandas; pickle.load(open(f, 'rb')).predict_partial_hazard(pandas.DataFrame({'a': [0.1]}))"
SPECIAL |= {
    "r/function-in-model": (R.format("readRDS('model.rds')$predict(1)"), "code", "main", None),
    "r/active-binding": (R.format("readRDS('model.rds')$env$w"), "code", "main", None),
    "r/masks-predict": (R.format("load('model.RData'); predict(fit)"), "code", "main", None),
    "r/masks-print": (R.format("load('fit.rda'); print(fit)"), "code", "main", None),
    "r/call": (R.format("eval(readRDS('lm.rds'))"), "code", "main", None),
    "r/delayed": (R.format("as.list(readRDS('model.rds'))"), "code", "main", None),
    "r/last": (
        "import subprocess; subprocess.run(['R', '--no-save', '-s', '-e', 'q()'], cwd='/tmp/s')",
        "code",
        "main",
        None,
    ),
    "state/formulaic-formula": (
        "import pickle, pandas, formulaic; formulaic.model_matrix(pickle.load(open(f, 'rb')), pandas.DataFrame({'x': [1.0]}))",
        "code",
        "families",
        None,
    ),
    "state/lifelines-formula": (COX, "code", "families", None),
    "native/library": ("import ctypes; ctypes.CDLL(f)", "code", "main", None),
}
FAMILIES |= {"r": R, "state": PICKLE, "native": PICKLE}


@cache
def _archive() -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    with zipfile.ZipFile(ARCHIVE) as file:
        for name in file.namelist():
            family, kind, path = name.split("/", 2)
            found.setdefault(f"{family}/{kind}", {})[path] = file.read(name)
    return found


def packed(family: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a family: id, files."""
    for key, files in _archive().items():
        if key.startswith(family + "/"):
            yield key, files


def candidates() -> Iterator[Sample]:
    for family, usual in FAMILIES.items():
        for key, files in packed(family):
            loader, effect, env, entry = SPECIAL.get(key, (usual, "code", "main", None))
            yield Sample(key, files, loader, effect, env, entry)


def pack(folder: Path) -> None:
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            name = path.relative_to(folder).as_posix()
            file.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    pack(Path(sys.argv[1]))
