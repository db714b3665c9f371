# ruff: noqa: N806 - the data matrix is called X as in the libraries; Python 3.8 runs it
"""Honest files of torch and of the libraries around it, as honest.py writes them."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from honest_families import WORDS, _all


def torch_values(out: Any) -> None:
    """State dictionaries, modules, optimizers, schedulers and checkpoints, in torch's own files and as pickles."""
    import torch
    from torch import nn

    made: dict[str, Any] = {}
    for name in sorted(dir(nn)):
        cls = getattr(nn, name)
        if not inspect.isclass(cls) or not issubclass(cls, nn.Module) or cls is nn.Module:
            continue
        count = sum(p.default is p.empty and p.kind in (0, 1) for p in inspect.signature(cls).parameters.values())
        for given in (
            [4] * count,
            [2] * count,
            [4, 4, 1][:count],
            [[4]] * count,
            [nn.Linear(2, 2)] * count,
            [nn.TransformerEncoderLayer(4, 2), 1][:count],
            [nn.TransformerDecoderLayer(4, 2), 1][:count],
        ):
            with contextlib.suppress(Exception):
                made["nn." + name] = cls(*given)
                break
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    made["net"] = net
    made["half"] = nn.Linear(2, 2).half()
    made["bfloat"] = nn.Linear(2, 2).bfloat16()
    made["list"] = nn.ModuleList([nn.Linear(1, 1), nn.Conv2d(1, 1, 1)])
    made["dict"] = nn.ModuleDict({"a": nn.Linear(1, 1)})
    made["spectral"] = nn.utils.parametrizations.spectral_norm(nn.Linear(2, 2))
    made["weightnorm"] = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    made["pruned"] = importlib.import_module("torch.nn.utils.prune").l1_unstructured(nn.Linear(3, 3), "weight", 1)
    for name, module in made.items():
        out.attempt(name, lambda name=name, module=module: torch_file(out, "torch." + name, "module", module))
        out.attempt(
            name, lambda name=name, module=module: torch_file(out, "torch." + name, "state", module.state_dict())
        )
    from torch import optim

    for name in sorted(dir(optim)):
        cls = getattr(optim, name)
        if inspect.isclass(cls) and issubclass(cls, optim.Optimizer) and cls is not optim.Optimizer:
            out.attempt(name, lambda name=name, cls=cls: _optimizer(out, name, cls))
    schedulers: dict[str, Callable[[Any], Any]] = {
        "StepLR": lambda o: optim.lr_scheduler.StepLR(o, 2),
        "Cosine": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 5),
        "Plateau": lambda o: optim.lr_scheduler.ReduceLROnPlateau(o),
        "OneCycle": lambda o: optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=5),
        "Sequential": lambda o: optim.lr_scheduler.SequentialLR(
            o, [optim.lr_scheduler.ConstantLR(o), optim.lr_scheduler.ExponentialLR(o, 0.9)], [2]
        ),
    }
    for name, make in schedulers.items():
        out.attempt(
            name,
            lambda name=name, make=make: torch_file(
                out, "torch.scheduler." + name, "object", make(optim.SGD(net.parameters(), lr=0.1))
            ),
        )
        out.attempt(
            name,
            lambda name=name, make=make: torch_file(
                out, "torch.scheduler." + name, "state", make(optim.SGD(net.parameters(), lr=0.1)).state_dict()
            ),
        )
    quantized: dict[str, Callable[[], Any]] = {
        "checkpoint": lambda: {
            "epoch": 3,
            "model": net.state_dict(),
            "optimizer": optim.Adam(net.parameters()).state_dict(),
            "rng": torch.get_rng_state(),
            "args": __import__("argparse").Namespace(lr=0.1, name="x"),
        },
        "quantized": lambda: torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(2, 2)), {nn.Linear}),
        "qtensor": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "qchannel": lambda: torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8),
        "sparse": lambda: torch.eye(3).to_sparse(),
        "csr": lambda: torch.eye(3).to_sparse_csr(),
        "nested": lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "meta": lambda: torch.ones(2, device="meta"),
        "complex": lambda: torch.ones(2, dtype=torch.complex64),
        "float8": lambda: torch.ones(2).to(torch.float8_e4m3fn),
        "shared": lambda: [net[0].weight, net[0].weight.data[:2], net[0].weight.T],
        "grad": lambda: torch.ones(2, requires_grad=True),
        "scalars": lambda: [
            torch.float32,
            torch.device("cpu"),
            torch.Size([1, 2]),
            torch.strided,
            torch.contiguous_format,
            torch.per_tensor_affine,
        ],
        "storage": lambda: torch.ones(3).untyped_storage(),
        "generator": lambda: torch.Generator().get_state(),
        "parameters": lambda: nn.ParameterList([nn.Parameter(torch.ones(2))]),
        "dataset": lambda: torch.utils.data.TensorDataset(torch.ones(3, 2), torch.zeros(3)),
        "swa": lambda: optim.swa_utils.AveragedModel(net),
        "numpy": lambda: {"a": __import__("numpy").ones(2), "b": torch.ones(2)},
        "hooked": lambda: {"loss": [0.1, 0.2], "metrics": __import__("collections").defaultdict(list, a=[1])},
    }
    for name, make in quantized.items():
        out.attempt(name, lambda name=name, make=make: torch_file(out, "torch." + name, "value", make()))
    for name in sorted(dir(torch.distributions)):
        cls = getattr(torch.distributions, name)
        if inspect.isclass(cls) and issubclass(cls, torch.distributions.Distribution):
            count = sum(p.default is p.empty and p.kind in (0, 1) for p in inspect.signature(cls).parameters.values())
            out.attempt(
                name,
                lambda name=name, cls=cls, count=count: torch_file(
                    out, "torch.distributions." + name, "object", cls(*[torch.tensor([0.5, 0.5])] * count)
                ),
            )
    out.attempt("script", lambda: _script(out, net))


def torch_file(out: Any, family: str, variant: str, value: Any) -> None:
    import torch

    ways = {"zip": {}, "legacy": {"_use_new_zipfile_serialization": False}}
    for way, more in ways.items():
        if way == "legacy" and sum(map(ord, family + variant)) % 3:
            continue
        stream = io.BytesIO()
        torch.save(value, stream, **more)
        out.add(family, variant + "-" + way, ".pt", stream.getvalue())
    if sum(map(ord, family)) % 4 == 0:
        out.dump(family, variant, value)


def _optimizer(out: Any, name: str, cls: Any) -> None:
    import torch

    weights = [torch.nn.Parameter(torch.ones(2, 2))]
    optimizer = cls(weights)
    for closure in (None, lambda: (weights[0] ** 2).sum()):
        with contextlib.suppress(Exception):
            (weights[0] ** 2).sum().backward()
            optimizer.step() if closure is None else optimizer.step(closure)
            break
    torch_file(out, "torch.optim." + name, "object", optimizer)
    torch_file(out, "torch.optim." + name, "state", optimizer.state_dict())


def _script(out: Any, net: Any) -> None:
    import torch

    for name, item in (("script", torch.jit.script(net)), ("trace", torch.jit.trace(net.eval(), torch.ones(2, 3)))):
        stream = io.BytesIO()
        torch.jit.save(item, stream)
        out.add("torch.jit." + name, "", ".pt", stream.getvalue())


def transformers_values(out: Any) -> None:
    """Tiny models with random weights: state, whole objects, configurations, training arguments, tokenizers."""
    import tokenizers
    import transformers

    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "vocab_size": 20,
        "max_position_embeddings": 16,
    }
    for name in (
        "Bert",
        "Roberta",
        "DistilBert",
        "GPT2",
        "T5",
        "Llama",
        "Mistral",
        "Qwen2",
        "Gemma",
        "ViT",
        "Electra",
        "Albert",
        "XLMRoberta",
        "Deberta",
        "OPT",
        "Bart",
        "Mamba",
        "GPTNeoX",
        "Phi",
        "CLIPText",
    ):
        out.attempt(name, lambda name=name: _transformer(out, transformers, name, small))

    def trained() -> Any:
        item = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="[UNK]"))
        item.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        item.train_from_iterator(
            [" ".join(words) for words in WORDS], tokenizers.trainers.BpeTrainer(special_tokens=["[UNK]"])
        )
        return item

    _all(
        out,
        "tokenizers.",
        {
            "Tokenizer": trained,
            "fast": lambda: transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]"),
            "batch": lambda: dict(
                transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]")(["red tea"])
            ),
            "encoding": lambda: transformers.PreTrainedTokenizerFast(tokenizer_object=trained(), unk_token="[UNK]")(
                ["red tea"]
            ),
            "AddedToken": lambda: tokenizers.AddedToken("x"),
            "models": lambda: [
                tokenizers.models.WordLevel({"a": 0}, unk_token="a"),
                tokenizers.normalizers.Lowercase(),
                tokenizers.decoders.WordPiece(),
            ],
        },
    )
    out.attempt(
        "arguments",
        lambda: torch_file(
            out,
            "transformers.TrainingArguments",
            "object",
            transformers.TrainingArguments("out", report_to=[], use_cpu=True),
        ),
    )
    out.attempt(
        "arguments",
        lambda: torch_file(
            out,
            "transformers.Seq2SeqTrainingArguments",
            "object",
            transformers.Seq2SeqTrainingArguments("out", report_to=[], use_cpu=True),
        ),
    )


def _transformer(out: Any, transformers: Any, name: str, small: dict[str, int]) -> None:
    config_class = getattr(transformers, name + "Config")
    known = inspect.signature(config_class).parameters
    config = config_class(
        **{k: v for k, v in small.items() if k in known},
        **({"n_embd": 8, "n_layer": 1, "n_head": 2} if name == "GPT2" else {}),
    )
    model = getattr(transformers, name + "Model")(config)
    torch_file(
        out,
        "transformers." + name,
        "state",
        {k: v[:2] if v.ndim else v for k, v in list(model.state_dict().items())[:6]},
    )
    if sum(p.numel() for p in model.parameters()) < 300_000:
        torch_file(out, "transformers." + name, "model", model)
    out.dump("transformers." + name, "config", config)


def skorch_values(out: Any) -> None:
    """Nets in sklearn's clothes."""
    import skorch
    from honest import tables
    from torch import nn

    X, y = tables()["labels"]
    X, real = X.astype("float32"), tables()["real"][1].astype("float32").reshape(-1, 1)

    _all(
        out,
        "skorch.",
        {
            "classifier": lambda: skorch.NeuralNetClassifier(
                nn.Sequential(nn.Linear(5, 2), nn.Softmax(-1)), max_epochs=1, verbose=0
            ).fit(X, y),
            "regressor": lambda: skorch.NeuralNetRegressor(nn.Linear(5, 1), max_epochs=1, verbose=0).fit(X, real),
            "binary": lambda: skorch.NeuralNetBinaryClassifier(nn.Linear(5, 1), max_epochs=1, verbose=0).fit(X, y),
        },
        3,
    )


def metrics_values(out: Any) -> None:
    """torchmetrics."""
    import torchmetrics

    for name in sorted(dir(torchmetrics)):
        cls = getattr(torchmetrics, name)
        if inspect.isclass(cls) and issubclass(cls, torchmetrics.Metric):

            def make(cls: Any = cls) -> Any:
                for given in ({}, {"task": "binary"}, {"task": "multiclass", "num_classes": 3}, {"num_outputs": 1}):
                    with contextlib.suppress(Exception):
                        return cls(**given)
                raise ValueError

            out.attempt(name, lambda name=name, make=make: torch_file(out, "torchmetrics." + name, "object", make()))


def timm_values(out: Any) -> None:
    """Small vision models, as whole objects."""
    import timm

    for name in ("resnet10t", "mobilenetv3_small_050", "vit_tiny_patch16_224", "efficientnet_b0", "convnext_atto"):
        out.attempt(name, lambda name=name: _timm(out, timm, name))


def _timm(out: Any, timm: Any, name: str) -> None:
    model = timm.create_model(name, pretrained=False)
    for parameter in model.parameters():
        parameter.data = parameter.data.flatten()[:1].clone()
    for buffer in model.buffers():
        buffer.data = buffer.data.flatten()[:1].clone()
    torch_file(out, "timm." + name, "model", model)


def lightning_values(out: Any) -> None:
    """A trainer's checkpoint."""
    import pytorch_lightning as pl
    import torch

    class Net(pl.LightningModule):
        def __init__(self, width: int = 2) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch: Any, _index: int) -> Any:
            return self.layer(batch[0]).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters())

    with tempfile.TemporaryDirectory() as folder:
        trainer = pl.Trainer(
            max_epochs=1, logger=False, default_root_dir=folder, enable_progress_bar=False, accelerator="cpu"
        )
        trainer.fit(Net(), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 2))))
        for path in Path(folder).rglob("*.ckpt"):
            out.add("lightning.checkpoint", "", ".ckpt", path.read_bytes())


FAMILIES: list[tuple[str, str, Callable[[Any], None]]] = [
    ("torch", "torch", torch_values),
    ("transformers", "transformers", transformers_values),
    ("skorch", "skorch", skorch_values),
    ("torchmetrics", "torchmetrics", metrics_values),
    ("timm", "timm", timm_values),
    ("pytorch_lightning", "lightning", lightning_values),
]
