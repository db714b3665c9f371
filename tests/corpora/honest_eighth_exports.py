# ruff: noqa: E501 - makers are short functions
"""The eighth set's nets of torch as programs: torch.export, ExecuTorch, TorchScript, ONNX, OpenVINO, Core ML."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from honest_eighth import at
from honest_eighth_forms import runtime
from honest_eighth_nets import nets
from honest_eighth_tables import Kinds


def _dynamic(x: Any) -> Any:
    import torch

    return ({0: torch.export.Dim("stapel", min=1, max=64)},)


def _export(folder: Path, name: str, how: str) -> None:
    import torch

    net, x = nets()[name]()
    if how == "dynamic":
        x = torch.cat([x, x, x])
    program = torch.export.export(
        net, (x,), dynamic_shapes=_dynamic(x) if how == "dynamic" else None, strict=how == "strict"
    )
    if how == "decomposed":
        program = program.run_decompositions()
    if how == "training":
        program = torch.export.export(net.train(), (x,))
    more: dict[str, Any] = (
        {"extra_files": {"labels.txt": "müde\nwach", "config.json": '{"threshold": 0.5}'}} if how == "extra" else {}
    )
    torch.export.save(program, folder / "modèle.pt2", **more)  # fmt: skip


def _executorch(folder: Path, name: str, how: str) -> None:
    import torch

    net, x = nets()[name]()
    if how == "quantized":
        kind = importlib.import_module("executorch.backends.xnnpack.quantizer.xnnpack_quantizer")
        quantizer = kind.XNNPACKQuantizer().set_global(kind.get_symmetric_quantization_config(is_per_channel=True))
        prepared = at("torchao.quantization.pt2e.quantize_pt2e.prepare_pt2e")(
            torch.export.export(net, (x,)).module(), quantizer
        )
        prepared(x)
        net = at("torchao.quantization.pt2e.quantize_pt2e.convert_pt2e")(prepared)
    program = torch.export.export(net, (x,))
    if how == "plain":
        edge = at("executorch.exir.to_edge")(program)
    else:
        parts = (
            [at("executorch.backends.xnnpack.partition.xnnpack_partitioner.XnnpackPartitioner")()]
            if how != "edge"
            else []
        )
        edge = at("executorch.exir.to_edge_transform_and_lower")(program, partitioner=parts)
    config = at("executorch.exir.ExecutorchBackendConfig")(extract_delegate_segments=how != "inline")
    made = edge.to_executorch(config)
    if how == "etrecord":
        made.write_to_file((folder / "modèle.pte").open("wb"))
    (folder / f"{name}.pte").write_bytes(made.buffer)  # fmt: skip


def _methods(folder: Path, how: str) -> None:
    """Two methods in a program, and constant ones beside them."""
    import torch

    net, x = nets()["wide"]()
    more, y = nets()["two"]()
    programs = {"vorwärts": torch.export.export(net, (x,)), "encode": torch.export.export(more, (y,))}
    made = at("executorch.exir.to_edge")(
        programs, constant_methods={"get_max_len": 128, "labels": 3} if how == "constants" else None
    )
    (folder / "methods.pte").write_bytes(made.to_executorch().buffer)  # fmt: skip


def _script(folder: Path, name: str, how: str) -> None:
    import torch

    net, x = nets()[name]()
    made = torch.jit.trace(net, x) if how in ("trace", "traced-frozen") else torch.jit.script(net)
    if how in ("frozen", "traced-frozen"):
        made = torch.jit.freeze(made)
    if how == "inference":
        made = torch.jit.optimize_for_inference(made)
    more = {"_extra_files": {"labels.json": '["müde", "wach"]', "größe": b"\x01\x02"}} if how == "extra" else {}
    torch.jit.save(made, str(folder / "skript.pt"), **more)


def _onnx(folder: Path, name: str, opset: int, dynamo: bool, how: str = "") -> Path:
    import torch

    net, x = nets()[name]()
    path = folder / "netz.onnx"
    if dynamo:
        more: dict[str, Any] = {"dynamic_shapes": _dynamic(x)} if how == "dynamic" else {}
        x = torch.cat([x, x]) if how == "dynamic" else x
        torch.onnx.export(
            net,
            (x,),
            str(path),
            dynamo=True,
            opset_version=opset,
            external_data=how == "external",
            verbose=False,
            optimize=how != "raw",
            input_names=["eingabe"],
            **more,
        )
    else:
        torch.onnx.export(
            net,
            (x,),
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=["eingabe"],
            do_constant_folding=how != "raw",
            keep_initializers_as_inputs=how == "raw",
            export_params=True,
            dynamic_axes={"eingabe": {0: "stapel"}} if how == "dynamic" else None,
        )
    return path  # fmt: skip


def _openvino(folder: Path, name: str, how: str) -> None:
    ov, (net, x) = importlib.import_module("openvino"), nets()[name]()
    if how == "onnx":
        path = _onnx(folder, name, 17, False)
        model = ov.convert_model(str(path))
        path.unlink()
    elif how == "static":
        model = ov.convert_model(net, example_input=x, input=[("x", list(x.shape))] if False else [list(x.shape)])
    else:
        model = ov.convert_model(net, example_input=x)
    if how.startswith("int"):
        lib = importlib.import_module("nncf")
        mode = {"int8": "INT8_ASYM", "int8-sym": "INT8_SYM", "int4": "INT4_SYM"}[how]
        more = {"group_size": 4, "all_layers": True} if how == "int4" else {}
        model = lib.compress_weights(model, mode=getattr(lib.CompressWeightsMode, mode), **more)
    if how == "quantized":
        lib = importlib.import_module("nncf")
        model = lib.quantize(model, lib.Dataset([x.numpy()] * 3), subset_size=3)
    if how == "info":
        model.set_rt_info("Zoë", ["model_info", "autorin"])
        model.set_rt_info("müde wach", ["model_info", "labels"])
    if how == "serialized":
        ov.serialize(model, str(folder / "netz.xml"), str(folder / "netz.bin"))
    else:
        ov.save_model(model, str(folder / "netz.xml"), compress_to_fp16=how not in ("float", "static"))


def _coreml(folder: Path, name: str, how: str) -> None:
    import torch

    ct, (net, x) = importlib.import_module("coremltools"), nets()[name]()
    kind = ct.TensorType(name="eingabe", shape=x.shape, dtype=np.int32 if x.dtype == torch.int64 else np.float32)
    more: dict[str, Any] = {"inputs": [kind], "convert_to": "mlprogram"}
    if how.startswith("ios"):
        more["minimum_deployment_target"] = getattr(ct.target, how.replace("ios", "iOS"))
    if how in ("ios13", "ios14", "network", "network-half"):
        more["convert_to"] = "neuralnetwork"
    if how == "single":
        more["compute_precision"] = ct.precision.FLOAT32
    if how == "flexible":
        more["inputs"] = [ct.TensorType(name="eingabe", shape=(ct.RangeDim(1, 8, default=x.shape[0]), *x.shape[1:]))]
    source = torch.export.export(net, (x,)).run_decompositions({}) if how == "export" else torch.jit.trace(net, x)
    if how == "export":
        more.pop("inputs")
    made = ct.convert(source, **more)
    made.author, made.short_description, made.version = "Zoë", "größe", "1.2"
    made.user_defined_metadata["équipe"] = "données"
    lib = ct.optimize.coreml if how in ("palette", "linear", "pruned") else None
    if how == "palette":
        made = lib.palettize_weights(made, lib.OptimizationConfig(lib.OpPalettizerConfig(nbits=4, weight_threshold=16)))
    if how == "linear":
        made = lib.linear_quantize_weights(
            made, lib.OptimizationConfig(lib.OpLinearQuantizerConfig(weight_threshold=16))
        )
    if how == "pruned":
        made = lib.prune_weights(
            made, lib.OptimizationConfig(lib.OpMagnitudePrunerConfig(target_sparsity=0.5, weight_threshold=16))
        )
    if how == "network-half":
        made = ct.models.neural_network.quantization_utils.quantize_weights(made, 16)
    made.save(str(folder / ("Netz.mlmodel" if more["convert_to"] == "neuralnetwork" else "Netz.mlpackage")))  # fmt: skip


HOWS: dict[str, tuple[Any, list[str]]] = {
    "export": (_export, ["plain", "dynamic", "decomposed", "strict", "extra", "training"]),
    "executorch": (_executorch, ["plain", "xnnpack", "edge", "inline", "quantized"]),
    "script": (_script, ["script", "trace", "frozen", "extra", "inference", "traced-frozen"]),
    "openvino": (_openvino, ["half", "onnx", "float", "int8", "static", "info", "int8-sym", "serialized", "quantized", "int4"]),
    "coreml": (_coreml, ["ios15", "ios16", "network", "ios18", "single", "ios13", "export", "palette", "ios17", "linear", "flexible", "network-half", "pruned", "ios14"]),
}  # fmt: skip


def kinds() -> Kinds:
    """Each net in each form in two or three of its ways, which go round."""
    made: Kinds = {}
    for index, name in enumerate(nets()):
        for form, (make, hows) in HOWS.items():
            for step in range({"script": 2, "openvino": 4}.get(form, 3)):
                how = hows[(index * 2 + step) % len(hows)]
                made[f"{form}.{name}.{how}"] = lambda folder, make=make, name=name, how=how: make(folder, name, how)
        for step, dynamo in enumerate((True, True, False)):
            opset = (18, 19, 20, 21, 22, 23)[(index + step) % 6] if dynamo else (11, 13, 14, 16, 17, 18)[index % 6]
            how = ("", "external", "dynamic", "raw")[(index + 2 * step) % 4]
            made[f"onnx.{name}.{opset}-{'dynamo' if dynamo else 'script'}-{how}"] = (
                lambda folder, name=name, opset=opset, dynamo=dynamo, how=how: _onnx(folder, name, opset, dynamo, how)
            )
        for how in (
            ("qdq", "half", "all"),
            ("ort", "int4", "external"),
            ("dynamic", "extended", "checked"),
            ("qoperator", "ort", "text"),
        )[index % 4]:
            made[f"onnx.{name}.{how}"] = lambda folder, name=name, how=how: runtime(
                folder, _onnx(folder, name, 17, False), how
            )
    made["executorch.methods"] = lambda folder: _methods(folder, "")
    made["executorch.constants"] = lambda folder: _methods(folder, "constants")
    return made  # fmt: skip
