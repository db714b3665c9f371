"""Fourth blind set: honest files that look odd."""

from __future__ import annotations

from collections.abc import Iterator

from corpora.unseen3_base import Sample, as_json
from corpora.unseen4_folders import gguf
from corpora.unseen4_packed import packed

PICKLE = "import pickle\nwith open(f, 'rb') as s:\n while s.peek(1): pickle.load(s)"
READ = "open(f, 'rb').read()"
LOADERS = {
    "pkl": PICKLE,
    "pickle": PICKLE,
    "joblib": "import joblib; joblib.load(f)",
    "npy": "import numpy; numpy.load(f)",
    "npz": "import numpy; d = numpy.load(f); [d[k] for k in d]",
    "pt": "import torch; torch.load(f, weights_only=False)",
    "bin": "import torch; torch.load(f, weights_only=True)",
    "pth": "import torch; torch.load(f, weights_only=False)",
    "ckpt": "import torch; torch.load(f, weights_only=True)",
    "parquet": "import pandas; pandas.read_parquet(f)",
    "feather": "import pandas; pandas.read_feather(f)",
    "ubj": "import xgboost; xgboost.Booster(model_file=f)",
    "txt": "import lightgbm; lightgbm.Booster(model_file=f)",
    "zst": "import pandas; pandas.read_pickle(f)",
}
SPECIAL = {
    "honest/xgboost-json": LOADERS["ubj"],
    "honest/sk-isotonic": LOADERS["joblib"],
    "honest/sk-text": LOADERS["joblib"],
    "honest/npy-gzip": "import gzip, numpy; numpy.load(gzip.open(f))",
    "honest/xz-pickle": "import lzma, pickle; pickle.load(lzma.open(f))",
    "honest/torch-script": "import torch; torch.jit.load(f)",
}


def harmless() -> Iterator[Sample]:
    for key, files in packed("honest"):
        kind = next(iter(files)).rpartition(".")[2]
        yield Sample(key, files, SPECIAL.get(key, LOADERS.get(kind, READ)))
    reader = "import gguf; gguf.GGUFReader(f)"
    text = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    yield Sample("honest/gguf-template", {"tiny.gguf": gguf(text)}, reader)
    keras = {"class_name": "Sequential", "config": {"name": "s", "layers": []}, "module": "keras"}
    yield Sample("honest/keras-json", {"model.json": as_json(keras)}, READ)
    hyper = b"lr: 0.1\noptimizer: adam\ncommand: python train.py && rm -rf tmp\n"
    yield Sample("honest/hparams", {"hparams.yaml": hyper}, "import yaml; yaml.safe_load(open(f))")
    target = b"model:\n  _target_: torch.nn.Linear\n  in_features: 2\n  out_features: 2\n"
    load = "import hydra, omegaconf; omegaconf.OmegaConf.load(f)"
    yield Sample("honest/hydra-linear", {"model_config.yaml": target}, load, env="hydra")
    notes = b"model,score,command\na,0.5,os.system('x')\nb,0.6,=cmd|' /C calc'!A0\n"
    yield Sample("honest/scores-csv", {"scores.csv": notes}, "import pandas; pandas.read_csv(f)")
