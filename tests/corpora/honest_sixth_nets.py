# ruff: noqa: E501, E731, UP006, UP035, SIM - makers are short functions
"""Models of torch for the sixth set: states, checkpoints, scripts, exports, Lightning, ONNX, ExecuTorch, OpenVINO, Core ML."""

from __future__ import annotations

import argparse
import importlib
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
from honest_sixth_models import Kinds, at


def nets() -> Dict[str, Callable[[], Any]]:
    """A net and an input of it: what torch's tutorials build."""
    import torch
    from torch import nn

    torch.manual_seed(0)

    class Gated(nn.Module):
        """A block whose forward branches and loops."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(2):
                x = x + torch.tanh(self.first(x)) * torch.sigmoid(x)
            return self.second(x)

    conv = lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.25),
        nn.Flatten(),
        nn.Linear(4 * 13 * 13, 10),
        nn.LogSoftmax(1),
    )
    return {
        "mlp": lambda: (nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3)), torch.rand(2, 4)),
        "mnist": lambda: (conv(), torch.rand(1, 1, 28, 28)),
        "norms": lambda: (nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)), torch.rand(1, 3, 16, 16)),
        "gated": lambda: (Gated(), torch.rand(2, 4)),
        "encoder": lambda: (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.rand(1, 5, 8)),
        "upscale": lambda: (nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.Conv2d(4, 4, 3, padding=1), nn.PixelShuffle(2)), torch.rand(1, 1, 8, 8)),
        "words": lambda: (nn.Sequential(nn.Embedding(50, 8), nn.Flatten(), nn.Linear(40, 2)), torch.randint(0, 50, (1, 5))),
        "series": lambda: (nn.LSTM(3, 8, 2, batch_first=True), torch.rand(1, 6, 3)),
    }  # fmt: skip


def checkpoint(net: Any, x: Any, half: bool = False) -> Dict[str, Any]:
    """What a training loop saves after an epoch."""
    import torch

    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    out = net(x)
    loss = (out[0] if isinstance(out, tuple) else out).float().pow(2).mean()
    loss.backward()
    optimizer.step()
    plan.step()
    made = {
        "epoch": 5,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "scheduler": plan.state_dict(),
        "loss": loss,
        "history": {"train": [0.9, 0.5], "val": [1.0, 0.6]},
        "best_acc": np.float64(0.91),
    }
    if half:
        made.update(
            {
                "args": argparse.Namespace(lr=1e-3, data="data/", arch="mlp", resume=None),
                "rng": torch.get_rng_state(),
                "ema": {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()},
            }
        )
    return made


def saved() -> Kinds:
    """States and checkpoints by torch.save and safetensors; whole nets of torch's own parts."""
    import torch

    made: Kinds = {}
    both = importlib.import_module(
        "torch.ao.quantization" if hasattr(torch, "ao") else "torch.quantization"
    ).quantize_dynamic
    for name, make in nets().items():
        ways: Dict[str, Callable[[Path], Any]] = {
            "state": lambda folder, make=make: torch.save(make()[0].state_dict(), folder / "model.pth"),
            "legacy": lambda folder, make=make: torch.save(
                make()[0].state_dict(), folder / "weights.pt", _use_new_zipfile_serialization=False
            ),
            "checkpoint": lambda folder, make=make: torch.save(checkpoint(*make()), folder / "checkpoint.pth.tar"),
            "checkpoint-args": lambda folder, make=make: torch.save(
                checkpoint(*make(), half=True), folder / "last.ckpt"
            ),
            "script": lambda folder, make=make: torch.jit.script(make()[0].eval()).save(str(folder / "scripted.pt")),
            "trace": lambda folder, make=make: torch.jit.trace(make()[0].eval(), make()[1]).save(
                str(folder / "traced.pt")
            ),
            "frozen": lambda folder, make=make: torch.jit.freeze(torch.jit.script(make()[0].eval())).save(
                str(folder / "frozen.pt")
            ),
            "safetensors": lambda folder, make=make: at("safetensors.torch.save_file")(
                make()[0].state_dict(), str(folder / "model.safetensors"), metadata={"format": "pt"}
            ),
            "export": lambda folder, make=make: torch.export.save(
                torch.export.export(make()[0].eval(), (make()[1],)), str(folder / "model.pt2")
            ),
            "onnx": lambda folder, make=make: _onnx(folder, *make()),
            "onnx-dynamo": lambda folder, make=make: torch.onnx.export(
                make()[0].eval(), (make()[1],), str(folder / "model.onnx"), dynamo=True, verbose=False
            ),
            "executorch": lambda folder, make=make: _executorch(folder, *make()),
            "openvino": lambda folder, make=make: at("openvino.save_model")(
                at("openvino.convert_model")(make()[0].eval(), example_input=make()[1]), str(folder / "model.xml")
            ),
            "coreml": lambda folder, make=make: _coreml(folder, *make(), "mlprogram"),
            "coreml-network": lambda folder, make=make: _coreml(folder, *make(), "neuralnetwork"),
            "lightning": lambda folder, make=make: _lightning(folder, *make()),
            "mar": lambda folder, make=make: _archive(folder, *make(), "image_classifier"),
            "mar-handler": lambda folder, make=make: _archive(folder, *make(), ""),
            "sagemaker": lambda folder, make=make: _sagemaker(folder, make()[0]),
        }
        if name in ("mlp", "encoder", "series", "norms"):
            ways["whole"] = lambda folder, make=make: torch.save(make()[0], folder / "model.pt")
            ways["quantized"] = lambda folder, make=make: torch.save(
                both(make()[0], {torch.nn.Linear, torch.nn.LSTM}).state_dict(), folder / "int8.pt"
            )
            ways["mobile"] = lambda folder, make=make: at("torch.utils.mobile_optimizer.optimize_for_mobile")(
                torch.jit.script(make()[0].eval())
            ).save(str(folder / "mobile.pt"))
        for way, write in ways.items():
            made[f"torch.{name}.{way}"] = write
    return made


def _onnx(folder: Path, net: Any, x: Any) -> None:
    import torch

    more = {"dynamo": False} if torch.__version__ >= "2.5" else {}
    torch.onnx.export(
        net.eval(),
        (x,),
        str(folder / "model.onnx"),
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}},
        **more,
    )


def _executorch(folder: Path, net: Any, x: Any) -> None:
    import torch

    program = at("executorch.exir.to_edge")(torch.export.export(net.eval(), (x,))).to_executorch()
    (folder / "model.pte").write_bytes(program.buffer)


def _coreml(folder: Path, net: Any, x: Any, kind: str) -> None:
    import torch

    ct = importlib.import_module("coremltools")
    made = ct.convert(
        torch.jit.trace(net.eval(), x),
        inputs=[ct.TensorType(shape=x.shape, dtype=np.int32 if x.dtype == torch.int64 else np.float32)],
        convert_to=kind,
    )
    made.save(str(folder / ("model.mlpackage" if kind == "mlprogram" else "model.mlmodel")))


def _lightning(folder: Path, net: Any, x: Any) -> None:
    import torch

    pl = importlib.import_module("pytorch_lightning")

    class Lit(pl.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(self, lr: float = 1e-3, layers: Any = (4, 8)) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.net = net

        def training_step(self, batch: Any, _: int) -> Any:
            out = self.net(batch)
            loss = (out[0] if isinstance(out, tuple) else out).pow(2).mean()
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1)]

    stops = [
        pl.callbacks.ModelCheckpoint(dirpath=str(folder / "checkpoints"), monitor="train_loss", save_last=True),
        pl.callbacks.EarlyStopping("train_loss"),
    ]
    trainer = pl.Trainer(
        max_epochs=1,
        logger=False,
        callbacks=stops,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        default_root_dir=str(folder),
    )
    trainer.fit(Lit(), torch.utils.data.DataLoader(torch.cat([x, x]), batch_size=len(x)))
    trainer.save_checkpoint(str(folder / "weights.ckpt"), weights_only=True)


HANDLER = '''from ts.torch_handler.base_handler import BaseHandler
import torch


class FlowerHandler(BaseHandler):
    """Rows of four numbers to a class."""

    def preprocess(self, data):
        rows = [row.get("data") or row.get("body") for row in data]
        return torch.tensor(rows, dtype=torch.float32)

    def postprocess(self, output):
        return output.argmax(1).tolist()
'''


def _archive(folder: Path, net: Any, x: Any, handler: str) -> None:
    import subprocess
    import sys

    import torch

    importlib.import_module("model_archiver")
    work = folder / "work"
    work.mkdir()
    torch.jit.trace(net.eval(), x).save(str(work / "model.pt"))
    (work / "index_to_name.json").write_text('{"0": "cat", "1": "dog"}')
    if not handler:
        handler = str(work / "handler.py")
        Path(handler).write_text(HANDLER)
    command = [
        sys.executable,
        "-m",
        "model_archiver.model_packaging",
        "--model-name",
        "net",
        "--version",
        "1.0",
        "--serialized-file",
        str(work / "model.pt"),
        "--handler",
        handler,
        "--extra-files",
        str(work / "index_to_name.json"),
        "--export-path",
        str(folder),
    ]
    subprocess.run(command, check=True, capture_output=True)
    for path in work.iterdir():
        path.unlink()
    work.rmdir()


def _sagemaker(folder: Path, net: Any) -> None:
    import torch

    torch.save(net.state_dict(), folder / "model.pth")
    with tarfile.open(str(folder / "model.tar.gz"), "w:gz") as archive:
        archive.add(str(folder / "model.pth"), "model.pth")
    (folder / "model.pth").unlink()


def neighbours() -> Kinds:
    """timm, fastai, ONNX with its tensors in another file, sharded states, embeddings, tables of tensors."""
    import torch

    made: Kinds = {}
    for name in ("test_vit", "test_efficientnet", "test_resnet", "test_convnext"):
        model = lambda name=name: at("timm.create_model")(
            name if at("timm.__version__") > "1" else "mobilenetv3_small_050", num_classes=4
        )
        made[f"timm.{name}.state"] = lambda folder, model=model: torch.save(
            model().state_dict(), folder / "model_best.pth.tar"
        )
        made[f"timm.{name}.safetensors"] = lambda folder, model=model: at("safetensors.torch.save_model")(
            model(), str(folder / "model.safetensors")
        )
        made[f"timm.{name}.saver"] = lambda folder, model=model: _saver(folder, model())
        made[f"timm.{name}.hub"] = lambda folder, model=model: at("timm.models.save_for_hf")(
            model(), str(folder), safe_serialization="both"
        )
        made[f"timm.{name}.onnx"] = lambda folder, model=model: _onnx(folder, model(), torch.rand(1, 3, 160, 160))
        made[f"timm.{name}.trace"] = lambda folder, model=model: torch.jit.trace(
            model().eval(), torch.rand(1, 3, 160, 160)
        ).save(str(folder / "traced.pt"))
    made["onnx.external"] = lambda folder: _external(folder)
    made["fastai.learner"] = lambda folder: _fastai(folder)
    made["torch.embeddings"] = lambda folder: torch.save(
        {"ids": ["a", "b"], "vectors": torch.rand(2, 384)}, folder / "embeddings.pt"
    )
    made["torch.npz"] = lambda folder: np.savez(
        str(folder / "weights.npz"), **{k: v.detach().numpy() for k, v in nets()["mlp"]()[0].state_dict().items()}
    )
    made["torch.zip"] = lambda folder: _zipped(folder)
    return made


def _saver(folder: Path, model: Any) -> None:
    import torch

    saver = at("timm.utils.CheckpointSaver")(
        model,
        torch.optim.SGD(model.parameters(), 0.1, momentum=0.9),
        args=argparse.Namespace(model="test", lr=0.1, epochs=3),
        checkpoint_dir=str(folder),
        recovery_dir=str(folder),
    )
    saver.save_checkpoint(1, metric=71.2)
    saver.save_checkpoint(2, metric=72.9)


def _external(folder: Path) -> None:
    onnx = importlib.import_module("onnx")
    _onnx(folder, *nets()["mnist"]())
    model = onnx.load(str(folder / "model.onnx"))
    (folder / "model.onnx").unlink()
    onnx.save(
        model,
        str(folder / "model.onnx"),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="model.onnx.data",
        size_threshold=64,
    )


def _fastai(folder: Path) -> None:
    import torch

    data = importlib.import_module("fastai.data.core")
    sets = torch.utils.data.TensorDataset(torch.rand(8, 4), torch.rand(8, 3))
    loaders = data.DataLoaders(
        at("fastai.data.load.DataLoader")(sets, bs=4), at("fastai.data.load.DataLoader")(sets, bs=4)
    )
    learner = at("fastai.learner.Learner")(loaders, nets()["mlp"]()[0], loss_func=torch.nn.MSELoss(), path=folder)
    learner.save("stage-1")
    learner.save("weights", with_opt=False)


def _zipped(folder: Path) -> None:
    import torch

    torch.save(nets()["mlp"]()[0].state_dict(), folder / "model.pt")
    with zipfile.ZipFile(str(folder / "bundle.zip"), "w") as archive:
        archive.write(str(folder / "model.pt"), "bundle/model.pt")
        archive.writestr("bundle/config.json", '{"hidden": 16}')
    (folder / "model.pt").unlink()


def kinds() -> Kinds:
    """All of this module."""
    return {**saved(), **neighbours()}
