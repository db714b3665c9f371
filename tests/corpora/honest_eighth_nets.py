# ruff: noqa: E501 - makers are short functions
"""Nets of torch for the eighth set: states, optimizers, schedulers, checkpoints, whole nets of torch's own parts."""

from __future__ import annotations

import collections
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at
from honest_eighth_tables import Kinds


def nets() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """A net in evaluation, and an input."""
    import torch
    from torch import nn

    torch.manual_seed(88)

    class Attention(nn.Module):
        """Attention by hand, as tutorials write it."""

        def __init__(self, size: int = 8) -> None:
            super().__init__()
            self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, 4)
            self.register_buffer("mask", torch.tril(torch.ones(6, 6)))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            q, k, v = self.qkv(x).chunk(3, dim=-1)
            scores = (q @ k.transpose(-2, -1) / q.size(-1) ** 0.5).masked_fill(self.mask == 0, float("-inf"))
            return self.out(torch.softmax(scores, -1) @ v)

    class Unet(nn.Module):
        """Down, up, and the way across."""

        def __init__(self) -> None:
            super().__init__()
            self.down, self.low = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.up, self.end = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Conv2d(8, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            first = torch.relu(self.down(x))
            low = torch.relu(self.low(nn.functional.max_pool2d(first, 2)))
            return self.end(torch.cat([first, self.up(low)], 1))

    class Two(nn.Module):
        """One input, two outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.a, self.b = nn.Linear(5, 6), nn.Linear(6, 2), nn.Linear(6, 1)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            x = nn.functional.mish(self.body(x))
            return self.a(x).log_softmax(-1), torch.clamp(self.b(x), min=0.0)

    class Squeeze(nn.Module):
        """A block that weighs its channels."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 8, 3, stride=2, bias=False), nn.BatchNorm2d(8)
            self.less, self.more, self.end = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.hardswish(self.norm(self.conv(x)))
            x = x * torch.sigmoid(self.more(torch.relu(self.less(x.mean((2, 3), keepdim=True)))))
            return self.end(x.amax((2, 3)))

    line = nn.Sequential
    made = {
        "attention": lambda: (Attention(), torch.rand(2, 6, 8)),
        "unet": lambda: (Unet(), torch.rand(1, 1, 8, 8)),
        "two": lambda: (Two(), torch.rand(3, 5)),
        "squeeze": lambda: (Squeeze(), torch.rand(1, 3, 13, 13)),
        "wide": lambda: (line(nn.Linear(9, 20), nn.ELU(), nn.RMSNorm(20), nn.Linear(20, 20), nn.Softplus(), nn.Linear(20, 2)), torch.rand(4, 9)),
        "volume": lambda: (line(nn.Conv3d(1, 2, 2), nn.InstanceNorm3d(2, affine=True), nn.ReLU6(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(2, 2)), torch.rand(1, 1, 4, 5, 5)),
        "sound": lambda: (line(nn.Conv1d(1, 4, 7, dilation=2), nn.PReLU(4), nn.AvgPool1d(3), nn.Conv1d(4, 4, 3, groups=4), nn.Flatten(), nn.Linear(4 * 10, 3), nn.Hardsigmoid()), torch.rand(2, 1, 48)),
        "bag": lambda: (line(nn.EmbeddingBag(40, 6, mode="mean"), nn.Linear(6, 3), nn.LogSigmoid()), torch.randint(0, 40, (2, 5))),
        "shuffle": lambda: (line(nn.ReflectionPad2d(1), nn.Conv2d(4, 8, 3), nn.ChannelShuffle(2), nn.PixelUnshuffle(2), nn.LocalResponseNorm(2)), torch.rand(1, 4, 6, 6)),
        "gru": lambda: (nn.GRU(3, 5, 2, batch_first=True), torch.rand(2, 4, 3)),
        "decoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, activation="gelu", norm_first=True), 2, enable_nested_tensor=False), torch.rand(2, 5, 8)),
        "upsample": lambda: (line(nn.Conv2d(2, 4, 3, padding="same"), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Tanhshrink(), nn.Conv2d(4, 1, 1)), torch.rand(1, 2, 7, 7)),
        "half": lambda: (line(nn.Linear(4, 6), nn.GELU("tanh"), nn.Linear(6, 2)).to(torch.bfloat16), torch.rand(2, 4).to(torch.bfloat16)),
    }  # fmt: skip

    def ready(make: Callable[[], Any]) -> tuple[Any, Any]:
        net, x = make()
        return net.eval(), x

    return {name: lambda make=make: ready(make) for name, make in made.items()}


def first(value: Any) -> Any:
    """The first output."""
    return value[0] if isinstance(value, tuple) else value


def trained(name: str, optimizer: str, plan: str) -> dict[str, Any]:
    """What a training loop has after a step."""
    import torch

    net, x = nets()[name]()
    net.train()
    makers = {"ASGD": {"lr": 0.01}, "LBFGS": {"max_iter": 2}, "SparseAdam": {}, "Adafactor": {}, "Muon": {}}
    parameters = [p for p in net.parameters() if optimizer != "Muon" or p.ndim == 2]
    groups = (
        [{"params": parameters[:1], "lr": 0.002, "name": "erste"}, {"params": parameters[1:]}]
        if optimizer not in ("LBFGS", "Muon")
        else parameters
    )
    made = getattr(torch.optim, optimizer)(groups, **makers.get(optimizer, {"lr": 0.01}))
    lib = torch.optim.lr_scheduler
    plans = {
        "OneCycleLR": lambda: lib.OneCycleLR(made, 0.1, total_steps=20), "CyclicLR": lambda: lib.CyclicLR(made, 0.01, 0.1, mode="triangular2", cycle_momentum=False),
        "CosineAnnealingWarmRestarts": lambda: lib.CosineAnnealingWarmRestarts(made, 5), "LinearLR": lambda: lib.LinearLR(made, 0.5), "PolynomialLR": lambda: lib.PolynomialLR(made, 9),
        "SequentialLR": lambda: lib.SequentialLR(made, [lib.ConstantLR(made), lib.ExponentialLR(made, 0.9)], [2]), "ChainedScheduler": lambda: lib.ChainedScheduler([lib.ConstantLR(made), lib.StepLR(made, 3)]),
        "ReduceLROnPlateau": lambda: lib.ReduceLROnPlateau(made, "max", threshold_mode="abs"), "SWALR": lambda: torch.optim.swa_utils.SWALR(made, 0.05),
    }  # fmt: skip
    schedule = plans[plan]()

    def closure() -> Any:
        made.zero_grad()
        loss = first(net(x)).float().pow(2).mean()
        loss.backward()
        return loss

    loss = made.step(closure)
    schedule.step(*([0.3] if plan == "ReduceLROnPlateau" else []))
    return {"net": net, "optimizer": made, "schedule": schedule, "loss": loss, "x": x}


def states() -> Kinds:
    """States and checkpoints."""
    import torch

    made: Kinds = {}
    save = torch.save
    for index, name in enumerate(nets()):
        made[f"state.{name}"] = lambda folder, name=name: save(nets()[name]()[0].state_dict(), folder / "gewichte.pth")
        made[f"whole-state.{name}"] = lambda folder, name=name, index=index: save(
            {
                f"module.{k}": v.to(torch.float16 if index % 2 else torch.bfloat16)
                for k, v in nets()[name]()[0].state_dict().items()
            },
            folder / "model.pt",
            pickle_protocol=2 + index % 4,
        )
        made[f"tensors.{name}"] = lambda folder, name=name: at("safetensors.torch.save_model")(
            nets()[name]()[0], str(folder / "modèle.safetensors"), metadata={"autorin": "Zoë", "step": "12"}
        )
        if index % 2:
            made[f"legacy.{name}"] = lambda folder, name=name: save(
                nets()[name]()[0].state_dict(),
                folder / "old.pkl",
                _use_new_zipfile_serialization=False,
                pickle_protocol=4,
            )
    plans = "OneCycleLR CyclicLR CosineAnnealingWarmRestarts LinearLR PolynomialLR SequentialLR ChainedScheduler ReduceLROnPlateau SWALR".split()
    for index, optimizer in enumerate(
        "Adagrad Adadelta Adamax ASGD NAdam RAdam Rprop LBFGS Adafactor Muon RMSprop AdamW".split()
    ):
        name, plan = list(nets())[index], plans[index % len(plans)]
        made[f"checkpoint.{optimizer}-{plan}"] = lambda folder, name=name, optimizer=optimizer, plan=plan: _checkpoint(
            folder, trained(name, optimizer, plan)
        )
        made[f"optimizer.{optimizer}"] = lambda folder, name=name, optimizer=optimizer, plan=plan: save(
            trained(name, optimizer, plan)["optimizer"].state_dict(), folder / "optimizer.bin"
        )
    for plan in plans:
        made[f"schedule.{plan}"] = lambda folder, plan=plan: save(
            trained("two", "AdamW", plan)["schedule"].state_dict(), folder / "scheduler.pt"
        )
    whole = ("wide", "sound", "bag", "shuffle", "gru", "decoder", "upsample", "volume")
    for name in whole:
        made[f"whole.{name}"] = lambda folder, name=name: save(nets()[name]()[0], folder / "net.pt")
    made["values"] = lambda folder: save(values(), folder / "values.pt")
    made["dataset"] = lambda folder: save(
        torch.utils.data.TensorDataset(torch.rand(5, 2), torch.arange(5)), folder / "train.pt"
    )
    made["subset"] = lambda folder: save(
        torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.rand(5, 2)), [0, 3]), folder / "val.pt"
    )
    made["parameters"] = lambda folder: save(
        torch.nn.ParameterDict({"α": torch.rand(2), "β": torch.nn.Parameter(torch.rand(3, 2, dtype=torch.complex64))}),
        folder / "p.pt",
    )
    made["averaged"] = lambda folder: save(
        at("torch.optim.swa_utils.AveragedModel")(nets()["wide"]()[0]).state_dict(), folder / "ema.pt"
    )
    made["parametrized"] = lambda folder: save(
        at("torch.nn.utils.parametrizations.weight_norm")(torch.nn.Linear(4, 3)).state_dict(), folder / "wn.pt"
    )
    made["spectral"] = lambda folder: save(
        at("torch.nn.utils.parametrizations.spectral_norm")(torch.nn.Conv2d(2, 3, 3)).state_dict(), folder / "sn.pt"
    )
    made["pruned"] = lambda folder: _pruned(folder)
    made["quantized"] = lambda folder: save(
        at("torch.ao.quantization.quantize_dynamic")(
            nets()["wide"]()[0], {torch.nn.Linear}, dtype=torch.float16
        ).state_dict(),
        folder / "q.pt",
    )
    made["quantized-gru"] = lambda folder: save(
        at("torch.ao.quantization.quantize_dynamic")(
            nets()["gru"]()[0], {torch.nn.GRU}, dtype=torch.qint8
        ).state_dict(),
        folder / "q.pt",
    )
    made["distributed"] = lambda folder: at("torch.distributed.checkpoint.save")(
        {"model": nets()["unet"]()[0].state_dict(), "step": 7}, checkpoint_id=str(folder / "step-7"), no_dist=True
    )
    made["distributed-optimizer"] = lambda folder: _distributed(folder)
    for name in ("two", "squeeze", "attention", "gru"):
        made[f"lightning.{name}"] = lambda folder, name=name: _lightning(folder, name)
        made[f"accelerate.{name}"] = lambda folder, name=name: _accelerate(folder, name)
    for index, name in enumerate(
        (
            "mobilenetv4_conv_small_035",
            "lcnet_035",
            "ghostnet_050",
            "test_vit2",
            "test_mambaout",
            "test_nfnet",
            "test_byobnet",
            "test_resnet",
        )
    ):
        made[f"timm.{name}"] = lambda folder, name=name, index=index: _timm(folder, name, index)
    made["metrics"] = lambda folder: save(
        {
            "f1": at("torchmetrics.F1Score")(task="multiclass", num_classes=3).state_dict(),
            "auc": at("torchmetrics.AUROC")(task="binary"),
        },
        folder / "metrics.pt",
    )
    return made  # fmt: skip


def values() -> dict[str, Any]:
    """All types of tensors, and what else checkpoints hold."""
    import torch

    kinds = "float64 float32 float16 bfloat16 complex128 int64 int32 int16 int8 uint8 bool float8_e4m3fn float8_e5m2 uint16 uint32".split()
    return {
        "types": {kind: torch.zeros(2, 3).to(getattr(torch, kind)) for kind in kinds},
        "sparse": torch.eye(4).to_sparse(), "csr": torch.eye(4).to_sparse_csr(), "view": torch.arange(12.0).reshape(3, 4).t()[1:, ::2],
        "quantized": torch.quantize_per_channel(torch.rand(3, 2), torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 1, 2]), 0, torch.qint8),
        "scalar": torch.tensor(3.5, requires_grad=True), "empty": torch.empty(0, 4), "meta": torch.empty(2, 2, device="meta"), "shared": [torch.ones(3)] * 2,
        "plain": (None, True, -(2**70), 1e300, "müde", b"\x00\xff", {1, 2}, frozenset("ab"), range(3), slice(1, 2), 2 + 3j, Ellipsis),
        "od": collections.OrderedDict(a=1), "dd": collections.defaultdict(int, a=2), "deque": collections.deque([1, 2], 5), "counter": collections.Counter("aab"),
        "numpy": {"array": np.arange(3), "scalar": np.int64(3), "dtype": np.dtype("float32"), "words": np.array(["ä"])}, "generator": torch.Generator().get_state(),
        "format": torch.channels_last, "shape": torch.Size([1, 2]), "when": at("datetime.datetime")(2024, 1, 1), "path": at("pathlib.PurePosixPath")("a/b"), "version": at("fractions.Fraction")(1, 3),
    }  # fmt: skip


def _checkpoint(folder: Path, found: dict[str, Any]) -> None:
    import random

    import torch

    torch.save(
        {
            "model": found["net"].state_dict(),
            "optim": found["optimizer"].state_dict(),
            "sched": found["schedule"].state_dict(),
            "scaler": torch.amp.GradScaler("cpu", enabled=False).state_dict(),
            "loss": found["loss"].item(),
            "iter": np.int32(40),
            "rng": {"py": random.Random(88).getstate(), "np": np.random.RandomState(8).get_state(), "torch": torch.get_rng_state()},
            "cfg": {"name": "größe", "lr": [1e-3, 1e-4], "amp": None, "dtype": torch.float32},
            "names": {0: "Katze", 1: "Hund"},
        },
        folder / "epoch=3-val_loss=0.21.ckpt",
    )  # fmt: skip


def _pruned(folder: Path) -> None:
    import torch

    net = torch.nn.Linear(5, 4)
    at("torch.nn.utils.prune.l1_unstructured")(net, "weight", 0.4)
    torch.save({"state": net.state_dict(), "mask": net.weight_mask.bool()}, folder / "pruned.pt")


def _distributed(folder: Path) -> None:
    found = trained("wide", "AdamW", "LinearLR")
    state = at("torch.distributed.checkpoint.state_dict.get_state_dict")(found["net"], found["optimizer"])
    at("torch.distributed.checkpoint.save")(
        {"model": state[0], "optim": state[1]}, checkpoint_id=str(folder / "step_40"), no_dist=True
    )
    at("torch.distributed.checkpoint.format_utils.dcp_to_torch_save")(str(folder / "step_40"), str(folder / "merged.pt"))  # fmt: skip


def _lightning(folder: Path, name: str) -> None:
    import torch

    pl, (net, x) = importlib.import_module("pytorch_lightning"), nets()[name]()

    class Lit(pl.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self, rate: float = 0.01, sizes: Any = (3, 4), opts: Any = None) -> None:
            super().__init__()
            self.save_hyperparameters({"rate": rate, "sizes": sizes, "opts": {"größe": None}})
            self.net = net

        def training_step(self, batch: Any, _: int) -> Any:
            loss = first(self.net(batch)).pow(2).mean()
            self.log_dict({"loss": loss, "twice": loss * 2}, on_epoch=True)
            return loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.RAdam(self.parameters(), 0.01)
            return {
                "optimizer": optimizer,
                "lr_scheduler": {"scheduler": torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer), "monitor": "loss"},
            }

    calls = [
        pl.callbacks.ModelCheckpoint(str(folder), "{epoch}-{loss:.2f}", monitor="loss", save_top_k=1),
        pl.callbacks.StochasticWeightAveraging(0.01),
    ]
    trainer = pl.Trainer(
        max_epochs=2,
        logger=False,
        callbacks=calls,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        gradient_clip_val=0.5,
    )
    trainer.fit(Lit(), torch.utils.data.DataLoader(torch.cat([x, x]), batch_size=len(x)))  # fmt: skip


def _accelerate(folder: Path, name: str) -> None:
    import torch

    lib, found = importlib.import_module("accelerate"), trained(name, "Adamax", "LinearLR")
    runner = lib.Accelerator(cpu=True)
    parts = runner.prepare(
        found["net"], found["optimizer"], found["schedule"], torch.utils.data.DataLoader(torch.rand(4, 2))
    )
    runner.save_state(str(folder / "state"), safe_serialization=name != "two")
    runner.save_model(parts[0], str(folder / "model"), max_shard_size="1KB", safe_serialization=True)  # fmt: skip


def _timm(folder: Path, name: str, index: int) -> None:
    import torch

    net = at("timm.create_model")(name, num_classes=5 + index, pretrained=False)
    if index % 2:
        at("timm.models.save_for_hf")(net, str(folder), model_config={"labels": ["a", "ä"]}, safe_serialization=True)
    else:
        ema = at("timm.utils.ModelEmaV3")(net)
        torch.save({"epoch": 2, "arch": name, "state_dict": net.state_dict(), "state_dict_ema": at("timm.utils.get_state_dict")(ema), "metric": 12.5}, folder / "checkpoint-2.pth.tar")  # fmt: skip


def kinds() -> Kinds:
    """All of this module."""
    return states()
