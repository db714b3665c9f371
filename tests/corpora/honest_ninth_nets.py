# ruff: noqa: E501, E731 - makers are short functions
"""The ninth set's PyTorch: what its tutorials and those of Lightning save, and what nets are exported to."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from honest_ninth import Kinds, at


def nets() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Nets of the tutorials, of torch's own layers, and an input."""
    import torch
    from torch import nn

    torch.manual_seed(2026)
    seq, image = nn.Sequential, torch.rand(2, 3, 16, 16)
    recurrent = lambda kind: (
        getattr(nn, kind)(6, 8, num_layers=2, batch_first=True, bidirectional=kind == "LSTM"),
        torch.rand(2, 5, 6),
    )
    return {
        "mnist": lambda: (seq(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), torch.rand(2, 1, 8, 8)), "cnn": lambda: (seq(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.Flatten(), nn.Linear(200, 4)), image),
        "resblock": lambda: (seq(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)), image), "mlp": lambda: (seq(nn.Linear(12, 24), nn.GELU(), nn.Dropout(0.2), nn.LayerNorm(24), nn.Linear(24, 1)), torch.rand(3, 12)),
        "lstm": lambda: recurrent("LSTM"), "gru": lambda: recurrent("GRU"), "encoder": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 24, batch_first=True), 2, enable_nested_tensor=False), torch.rand(2, 5, 16)), "words": lambda: (seq(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(40, 2)), torch.randint(0, 50, (2, 5))),
        "autoencoder": lambda: (seq(nn.Linear(20, 4), nn.Tanh(), nn.Linear(4, 20), nn.Sigmoid()), torch.rand(2, 20)), "unet": lambda: (seq(nn.Conv2d(3, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Tanh()), image), "regression": lambda: (nn.Linear(5, 1), torch.rand(3, 5)), "half": lambda: (seq(nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, 2)).to(torch.bfloat16), torch.rand(2, 8).to(torch.bfloat16)),
        "audio": lambda: (seq(nn.Conv1d(1, 4, 5, stride=2), nn.BatchNorm1d(4), nn.ReLU(), nn.AdaptiveMaxPool1d(2), nn.Flatten(), nn.Linear(8, 3)), torch.rand(2, 1, 32)), "groups": lambda: (seq(nn.Conv2d(3, 6, 3, groups=3), nn.GroupNorm(2, 6), nn.Hardswish(), nn.Upsample(scale_factor=2)), image),
    }  # fmt: skip


def trained(name: str, optimizer: str = "Adam", **more: Any) -> tuple[Any, Any, Any, float]:
    """Net, input, optimizer and loss after two steps."""
    import torch

    net, x = nets()[name]()
    opt = getattr(torch.optim, optimizer)(net.parameters(), **{"lr": 1e-3, **more})
    loss = torch.zeros(())
    for _ in range(2):
        out = net(x)
        loss = ((out[0] if isinstance(out, tuple) else out).float() ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    return net, x, opt, loss.item()


def checkpoint(path: Path, name: str, optimizer: str, schedule: str, **more: Any) -> None:
    """As in the recipe 'Saving and loading a general checkpoint'."""
    import torch

    net, _, opt, loss = trained(name, optimizer, **more)
    options: dict[str, Any] = {"StepLR": {"step_size": 2}, "CosineAnnealingLR": {"T_max": 5}, "OneCycleLR": {"max_lr": 0.1, "total_steps": 9}, "ReduceLROnPlateau": {"patience": 2}, "ExponentialLR": {"gamma": 0.9}, "LinearLR": {}, "CosineAnnealingWarmRestarts": {"T_0": 3}}[schedule]  # fmt: skip
    planned = getattr(torch.optim.lr_scheduler, schedule)(opt, **options)
    state = {"epoch": 5, "model_state_dict": net.state_dict(), "optimizer_state_dict": opt.state_dict(), "loss": loss, "scheduler": planned.state_dict(), "args": {"lr": 1e-3, "arch": name, "classes": ["cat", "dog"]}, "rng": torch.get_rng_state(), "best_acc": np.float64(0.87)}  # fmt: skip
    torch.save(state, path)


def lightning(folder: Path) -> None:
    """A trainer's checkpoint."""
    import torch

    lib = importlib.import_module("lightning")

    class Net(lib.LightningModule):  # type: ignore[misc]
        def __init__(self, width: int = 6, lr: float = 0.01) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            return self.layer(batch[0]).pow(2).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), self.hparams.lr)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(12, 6)), 4)
    best = at("lightning.pytorch.callbacks.ModelCheckpoint")(dirpath=folder, filename="{epoch}-{step}")
    trainer = lib.Trainer(
        max_epochs=2,
        accelerator="cpu",
        default_root_dir=folder,
        logger=False,
        callbacks=[best],
        enable_progress_bar=False,
    )
    trainer.fit(Net(), loader)


def exports() -> dict[str, Callable[[Any, Any, Path], Any]]:
    """What a trained net is exported to, by the file's name."""
    import torch

    def coreml(net: Any, x: Any, path: Path) -> None:
        lib = importlib.import_module("coremltools")
        traced = torch.jit.trace(net, x)
        kind = "mlprogram" if path.suffix == ".mlpackage" else "neuralnetwork"
        lib.convert(traced, inputs=[lib.TensorType("input", tuple(x.shape))], convert_to=kind).save(str(path))

    def executorch(net: Any, x: Any, path: Path) -> None:
        program = at("executorch.exir.to_edge")(torch.export.export(net, (x,)))
        path.write_bytes(program.to_executorch().buffer)

    def openvino(net: Any, x: Any, path: Path) -> None:
        lib = importlib.import_module("openvino")
        lib.save_model(lib.convert_model(net, example_input=x), path)

    return {
        "model.onnx": lambda net, x, path: torch.onnx.export(net, (x,), path, dynamo=False, input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}}, opset_version=17),
        "model_dynamo.onnx": lambda net, x, path: torch.onnx.export(net, (x,), path, dynamo=True, verbose=False), "model_scripted.pt": lambda net, _, path: torch.jit.script(net).save(path), "traced_model.pt": lambda net, x, path: torch.jit.trace(net, x).save(path),
        "exported.pt2": lambda net, x, path: torch.export.save(torch.export.export(net, (x,)), path), "model.pte": executorch, "model.xml": openvino, "Model.mlpackage": coreml, "Model.mlmodel": coreml,
    }  # fmt: skip


def _export(folder: Path, name: str, file: str) -> None:
    net, x = nets()[name]()
    exports()[file](net.eval(), x, folder / file)


def _state(folder: Path, name: str, file: str) -> None:
    import torch

    net = trained(name)[0]
    if file.endswith(".safetensors"):
        at("safetensors.torch.save_file")(
            {k: v.contiguous() for k, v in net.state_dict().items()}, folder / file, metadata={"format": "pt"}
        )
    elif file.startswith("old"):
        torch.save(net.state_dict(), folder / file, _use_new_zipfile_serialization=False)
    elif file.startswith("ema"):
        torch.save(
            {"ema": torch.optim.swa_utils.AveragedModel(net).state_dict(), "step": torch.tensor(7)}, folder / file
        )
    else:
        torch.save(
            {k: v.cpu() for k, v in net.state_dict().items()} if "best" in file else net.state_dict(), folder / file
        )


FILES = "model.pth model_weights.pt best_model.pth pytorch_model.bin model.safetensors old_model.pth ema.ckpt".split()
TRAINED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("mnist", "SGD", "StepLR", {"momentum": 0.9}), ("cnn", "Adam", "CosineAnnealingLR", {"weight_decay": 1e-4}), ("resblock", "SGD", "OneCycleLR", {"nesterov": True, "momentum": 0.9}), ("lstm", "RMSprop", "ReduceLROnPlateau", {}), ("encoder", "AdamW", "LinearLR", {"betas": (0.9, 0.98)}),
    ("mlp", "Adagrad", "ExponentialLR", {}), ("words", "NAdam", "CosineAnnealingWarmRestarts", {}), ("audio", "RAdam", "StepLR", {}), ("half", "AdamW", "CosineAnnealingLR", {"foreach": True}), ("unet", "Adam", "ExponentialLR", {"amsgrad": True}),
]  # fmt: skip


def kinds() -> Kinds:
    """All of this module; programs for ExecuTorch only where it is installed."""
    found = importlib.import_module("importlib.util").find_spec
    made: Kinds = {}
    names = "mnist cnn resblock mlp lstm gru encoder words autoencoder unet regression half audio groups".split()
    if found("executorch"):
        return {f"pte.{name}": lambda folder, name=name: _export(folder, name, "model.pte") for name in names}
    files = [file for file in "model.onnx model_dynamo.onnx model_scripted.pt traced_model.pt exported.pt2 model.xml Model.mlpackage Model.mlmodel".split() if found("openvino") or file.split(".")[1] in ("pt", "pt2")]  # fmt: skip
    for index, name in enumerate(names):
        for step in (0, 2, 5):
            file = FILES[(index + step) % len(FILES)]
            made[f"state.{name}.{file}"] = lambda folder, name=name, file=file: _state(folder, name, file)
        for step in (0, 3, 5):
            file = files[(index + step) % len(files)]
            made[f"export.{name}.{file}"] = lambda folder, name=name, file=file: _export(folder, name, file)
    for name, optimizer, schedule, more in TRAINED:
        made[f"checkpoint.{name}"] = lambda f, n=name, o=optimizer, s=schedule, m=more: checkpoint(f / "checkpoint.pth.tar", n, o, s, **m)  # fmt: skip
    if found("lightning"):
        made["lightning"] = lightning
    return made
