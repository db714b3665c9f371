"""Hostile graphs: TensorFlow, TensorFlow Lite, ONNX, Core ML, Paddle, OpenVINO. Never loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator

import booster_samples as others
import graph_samples as graph
from corpora.hostile_compressed import zstd
from corpora.hostile_keras import OLD_LAMBDA
from corpora.hostile_torch import HONEST
from corpora.units import (
    BOMB,
    BROKEN,
    CALLED,
    CUSTOM,
    HIDDEN,
    KERAS,
    ODD,
    OPERATOR,
    OUTSIDE,
    PATH,
    REACHES,
    Unit,
    unit,
)
from modelfile_samples import EVIL, field, node, onnx, tensor, torch_zip
from shipworthy.modelfile import Code

OPS: dict[str, tuple[tuple[bytes, ...], frozenset[Code]]] = {
    "ReadFile": ((graph.tf_text("p", "/etc/passwd"), graph.tf_node("r", "ReadFile", ("p",))), REACHES),
    "WriteFile": ((graph.tf_text("p", "/tmp/x"), graph.tf_node("w", "WriteFile", ("p", "p"))), REACHES),
    "MatchingFiles": ((graph.tf_text("p", "/etc/*"), graph.tf_node("m", "MatchingFiles", ("p",))), REACHES),
    "PyFunc": ((graph.tf_node("p", "PyFunc", token=field(2, "pyfunc_0")),), OPERATOR),
    "PyFuncStateless": ((graph.tf_node("p", "PyFuncStateless", token=field(2, "pyfunc_0")),), OPERATOR),
    "EagerPyFunc": ((graph.tf_node("p", "EagerPyFunc", token=field(2, "x")),), OPERATOR),
    "PrintV2 to a file": ((graph.tf_node("d", "PrintV2", output_stream=field(2, "file:///tmp/x")),), REACHES),
    "debug address": (
        (graph.tf_node("d", "DebugIdentityV2", debug_urls=field(1, field(2, "grpc://example.invalid:1"))),),
        REACHES,
    ),
    "debug file": ((graph.tf_node("d", "DebugIdentity", debug_urls=field(1, field(2, "file:///tmp/x"))),), REACHES),
    "SaveV2": ((graph.tf_text("p", "/root/.ssh/authorized_keys"), graph.tf_node("s", "SaveV2", ("p",))), REACHES),
    "RestoreV2": ((graph.tf_text("p", "/etc/passwd"), graph.tf_node("s", "RestoreV2", ("p",))), REACHES),
    "MergeV2Checkpoints": (
        (graph.tf_text("p", "/tmp/x"), graph.tf_node("s", "MergeV2Checkpoints", ("p", "p"))),
        REACHES,
    ),
    "TextLineDataset": ((graph.tf_text("p", "/etc/passwd"), graph.tf_node("s", "TextLineDataset", ("p",))), REACHES),
    "TFRecordDataset": ((graph.tf_text("p", "/etc/passwd"), graph.tf_node("s", "TFRecordDataset", ("p",))), REACHES),
    "SqlDataset": ((graph.tf_text("p", "/tmp/x"), graph.tf_node("s", "SqlDataset", ("p",))), REACHES),
    "CacheDataset": ((graph.tf_text("p", "/tmp/x"), graph.tf_node("s", "CacheDataset", ("p", "p"))), REACHES),
    "WriteAudioSummary": (
        (graph.tf_text("p", "/tmp/x"), graph.tf_node("s", "CreateSummaryFileWriter", ("p",))),
        REACHES,
    ),
    "SummaryDb": ((graph.tf_text("p", "/tmp/x"), graph.tf_node("s", "CreateSummaryDbWriter", ("p",))), REACHES),
    "InitializeTableFromTextFile": (
        (graph.tf_text("p", "/etc/passwd"), graph.tf_node("s", "InitializeTableFromTextFileV2", ("p", "p"))),
        REACHES,
    ),
    "RpcCall": ((graph.tf_text("p", "x:1"), graph.tf_node("s", "RpcClient", ("p",))), REACHES | CUSTOM),
    "RpcServer": ((graph.tf_text("p", "0.0.0.0:1"), graph.tf_node("s", "RpcServer", ("p",))), REACHES | CUSTOM),
    "DataServiceDataset": (
        (graph.tf_text("p", "grpc://x"), graph.tf_node("s", "DataServiceDatasetV2", ("p",))),
        REACHES,
    ),
    "custom": ((graph.tf_node("x", "EvilCorp>RunShell"),), CUSTOM),
    "custom without a package": ((graph.tf_node("x", "RunShell"),), CUSTOM),
    "path by a placeholder's default": (
        (
            graph.tf_text("p", "/tmp/x"),
            graph.tf_node("q", "PlaceholderWithDefault", ("p",)),
            graph.tf_node("w", "WriteFile", ("q", "q")),
        ),
        REACHES,
    ),
    "path joined": (
        (
            graph.tf_text("p", "/tmp"),
            graph.tf_node("j", "StringJoin", ("p", "p")),
            graph.tf_node("w", "WriteFile", ("j", "p")),
        ),
        REACHES,
    ),
    "XLA custom call": ((graph.tf_node("c", "XlaCustomCallV2", call_target_name=field(2, "system")),), OPERATOR),
}


def tensorflow() -> Iterator[Unit]:
    for key, (nodes, codes) in OPS.items():
        yield unit("SavedModel", key, graph.saved_model(*nodes), codes, "saved_model.pb")
        yield unit("GraphDef", key, graph.graph_def(nodes), codes, "frozen.pb")
        inner = graph.saved_model(graph.tf_call("c", "f"), functions=(graph.tf_function("f", (), *nodes),))
        yield unit("SavedModel", f"{key} in a function", inner, codes, "saved_model.pb")
    for path in ("../../etc/passwd", "/etc/passwd"):
        model = graph.saved_model(graph.tf_text("a", "x"), more=graph.asset("a:0", path))
        yield unit("SavedModel", f"asset {path}", model, OUTSIDE, "saved_model.pb")
    nodes = OPS["WriteFile"][0]
    yield unit("SavedModel", "under another name", graph.saved_model(*nodes), REACHES, "weights.model")
    yield unit(
        "SavedModel",
        "payload behind",
        graph.saved_model(graph.tf_node("n", "NoOp")) + EVIL,
        ODD | HIDDEN,
        "saved_model.pb",
    )
    metadata = json.dumps(OLD_LAMBDA)
    saved = field(1, field(2, 1) + field(3, "root.layer") + field(4, "_tf_keras_layer") + field(5, metadata))
    yield unit("SavedModel", "Lambda in keras_metadata", saved, KERAS, "keras_metadata.pb")
    index = (HONEST / "tensorflow").rglob("*.index")
    for path in list(index)[:1]:
        raw = path.read_bytes()
        for key, at in {"first byte": 0, "middle": len(raw) // 2, "end": len(raw) - 40}.items():
            changed = raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :]
            yield unit("checkpoint table", f"changed {key}", changed, BROKEN | ODD, "variables.index", True)
        yield unit("checkpoint table", "cut", raw[:-7], BROKEN | ODD, "variables.index", True)
        yield unit("checkpoint table", "payload in front", EVIL + raw, HIDDEN | BROKEN, "variables.index", True)
    for name in ("FlexWriteFile", "FlexReadFile", "FlexPyFunc", "FlexEagerPyFunc", "EvilCustomOp", "FlexEvil"):
        codes = CUSTOM if name.endswith(("Op", "Evil")) else REACHES | OPERATOR
        yield unit("TensorFlow Lite", name, graph.tflite(name), codes, "m.tflite")
        options = graph.flex_options(name, OPS["WriteFile"][0][1])
        yield unit(
            "TensorFlow Lite", f"{name} with a node", graph.tflite(name, options=options), codes | REACHES, "m.tflite"
        )
    for key, data in {
        "operator's index beyond": graph.tflite("x", index=99),
        "tensor's index beyond": graph.tflite(builtin=0, inputs=(99,)),
        "negative index": graph.tflite(builtin=0, inputs=(-7,)),
        "shape larger than the data": graph.tflite(builtin=0, shape=(1 << 30,)),
        "negative shape": graph.tflite(builtin=0, shape=(-4,)),
        "pickle as a buffer": graph.tflite(builtin=0, data=EVIL),
        "cut": graph.tflite(builtin=0)[:-9],
        "payload behind": graph.tflite(builtin=0) + EVIL,
        "zip behind": graph.tflite(builtin=0) + torch_zip(EVIL),
        "offset beyond": b"\xff\xff\xff\x7fTFL3" + bytes(90),
    }.items():
        yield unit("TensorFlow Lite", key, data, BROKEN | HIDDEN | BOMB | {Code.EXTERNAL_DATA}, "m.tflite", True)


def imports(*domains: str) -> bytes:
    return b"".join(field(8, field(1, domain) + field(2, 1)) for domain in domains)


def onnx_models() -> Iterator[Unit]:
    def one(key: str, data: bytes, codes: frozenset[Code], structural: bool = False) -> Unit:
        return unit("ONNX", key, data, codes, "m.onnx", structural)

    relu = node("Relu")
    for path in (
        "../../etc/passwd",
        "/etc/shadow",
        "\\\\host\\share\\x",
        "https://example.invalid/x",
        "a/../../x",
        "C:\\x",
        "file:///etc/passwd",
        "~/x",
        "w.bin\0.txt",
    ):
        yield one(f"data in {path!r}", onnx((relu,), (tensor("w", location=path),)), OUTSIDE)
    far = tensor("w", location="../../x")
    yield one("data of an attribute", onnx((node("Constant", attribute=field(1, "value") + field(5, far)),)), OUTSIDE)
    subgraph = field(1, relu) + field(2, "s") + field(5, far)
    yield one("data in a branch", onnx((node("If", attribute=field(1, "then_branch") + field(6, subgraph)),)), OUTSIDE)
    yield one("data in graphs", onnx((node("If", attribute=field(1, "x") + field(11, subgraph)),)), OUTSIDE)
    sparse = field(1, far) + field(2, tensor("i")) + field(3, 4)
    yield one(
        "data of a sparse tensor", onnx((node("Constant", attribute=field(1, "v") + field(22, sparse)),)), OUTSIDE
    )
    body = field(
        25, field(1, "f") + field(7, node("Constant", attribute=field(1, "v") + field(5, far))) + field(10, "d")
    )
    yield one("data in a function", onnx((node("f", "d"),)) + body + imports("d"), OUTSIDE)
    yield one("data of training", onnx() + field(20, field(2, field(5, far))), OUTSIDE)
    for domain, operator in (
        ("com.evil", "RunShell"),
        ("", "RunShell"),
        ("com.microsoft", "Evil"),
        ("ai.onnx.contrib", "PyOp"),
        ("ai.onnx.contrib", "StringRegexReplace"),
        ("org.pytorch.aten", "ATen"),
        ("ai.onnx.ml", "Shell"),
        ("com.microsoft", "PythonOp"),
        ("com.microsoft", "TritonOp"),
        ("torch", "x"),
    ):
        yield one(f"{domain}:{operator}", onnx((node(operator, domain),)) + imports(domain), OPERATOR)
        inner = field(25, field(1, "f") + field(7, node(operator, domain)) + field(10, "d"))
        yield one(f"{domain}:{operator} in a function", onnx((node("f", "d"),)) + inner + imports("d"), OPERATOR)
        branch = field(1, node(operator, domain)) + field(2, "s")
        yield one(
            f"{domain}:{operator} in a loop",
            onnx((node("Loop", attribute=field(1, "body") + field(6, branch)),)),
            OPERATOR,
        )
    context = field(1, "ep_cache_context") + field(4, "../../evil.so")
    yield one("EPContext", onnx((node("EPContext", "com.microsoft", context),)), OPERATOR | OUTSIDE)
    yield one("dims overflow", onnx((relu,), (tensor("w", (1 << 40, 1 << 40)),)), BROKEN | BOMB, True)
    yield one("negative dims", onnx((relu,), (tensor("w", ((1 << 64) - 1,)),)), BROKEN, True)
    yield one("too little data", onnx((relu,), (tensor("w", (1000,)),)), BROKEN, True)
    yield one(
        "unknown type", onnx((relu,), (field(1, 4) + field(2, 99) + field(8, "w") + field(9, bytes(16)),)), BROKEN, True
    )
    yield one("cut", onnx((relu,), (tensor("w"),))[:-30], BROKEN, True)
    yield one("pickle as a tensor", onnx((relu,), (tensor("w", raw=EVIL),)), HIDDEN | BROKEN)
    yield one("payload behind", onnx((relu,)) + torch_zip(EVIL), HIDDEN | BROKEN, True)
    yield one("unknown field", onnx((relu,)) + field(99, EVIL), HIDDEN | BROKEN, True)
    yield one("two graphs", onnx((relu,)) + onnx((node("RunShell", "com.evil"),)), ODD | OPERATOR, True)
    deep = field(1, relu) + field(2, "s")
    for _ in range(3000):
        deep = field(1, node("If", attribute=field(1, "then_branch") + field(6, deep))) + field(2, "s")
    yield one("branches 3,000 deep", onnx((node("If", attribute=field(1, "x") + field(6, deep)),)), BOMB, True)
    yield one(
        "function that calls itself",
        onnx((node("f", "d"),)) + field(25, field(1, "f") + field(7, node("f", "d")) + field(10, "d")) + imports("d"),
        BOMB,
        True,
    )


def mobile() -> Iterator[Unit]:
    custom = field(1, "l") + field(500, field(10, "EvilLayer"))
    link = field(1, field(1, field(1, "../other.mlmodelc")) + field(2, field(1, "/tmp")))
    inner = graph.mlmodel(field(10, "EvilModel"), 555)
    for key, data, codes in (
        ("custom model", inner, CUSTOM),
        ("custom layer", graph.mlmodel(field(1, custom), 500), CUSTOM),
        ("custom layer of a classifier", graph.mlmodel(field(1, custom), 403), CUSTOM),
        ("custom layer of a regressor", graph.mlmodel(field(1, custom), 303), CUSTOM),
        ("linked model", graph.mlmodel(link, 556), PATH),
        ("in a pipeline", graph.mlmodel(field(1, inner), 202), CUSTOM),
        ("in a pipeline in a pipeline", graph.mlmodel(field(1, graph.mlmodel(field(1, inner), 202)), 202), CUSTOM),
        ("two contents", inner + field(500, b""), ODD | CUSTOM),
        ("unknown content", graph.mlmodel(b"evil", 4000), ODD | CUSTOM),
        ("payload behind", graph.mlmodel(field(1, b""), 500) + EVIL, ODD | HIDDEN),
        ("cut", graph.mlmodel(field(1, custom), 500)[:-3], BROKEN),
    ):
        yield unit("Core ML", key, data, codes, "m.mlmodel")
    for path in ("../../x", "/etc/passwd"):
        manifest = {"itemInfoEntries": {"a": {"path": path}}, "rootModelIdentifier": "a", "fileFormatVersion": "1.0.0"}
        yield unit("Core ML", f"manifest {path}", json.dumps(manifest).encode(), OUTSIDE, "Manifest.json")
    for operator, attributes in {
        "py_func": {},
        "load": {"file_path": "/etc/passwd"},
        "load_combine": {"file_path": "../x"},
        "save": {"file_path": "/tmp/x"},
        "save_combine": {"file_path": "/tmp/x"},
        "evil_op": {},
        "run_program": {},
        "listen_and_serv": {},
        "send": {},
        "recv": {},
        "tensorrt_engine": {"engine_key": "x"},
        "lite_engine": {},
        "gen_nccl_id": {},
        "checkpoint_notify": {},
        "ascend_trigger": {},
        "read": {},
        "create_custom_reader": {},
    }.items():
        program = others.paddle_program(operator, **attributes)
        yield unit("Paddle", operator, program, OPERATOR | OUTSIDE, "m.pdmodel")
    raw = (HONEST / "paddle/pir.json").read_bytes()
    for old, new in ((b"1.matmul", b"1.py_func_"), (b"1.add", b"1.evil")):
        if old in raw:
            yield unit("Paddle", f"PIR {new.decode()}", raw.replace(old, new), OPERATOR, "m.json")
    for suffix in (".pdparams", ".pdopt"):
        yield unit("Paddle", f"pickle as {suffix}", EVIL, CALLED, f"m{suffix}")
    executable = (HONEST / "executorch/dense.pte").read_bytes()
    yield unit("ExecuTorch", "payload behind", executable + EVIL, HIDDEN, "m.pte", True)
    yield unit("ExecuTorch", "cut", executable[:-50], BROKEN | ODD, "m.pte", True)
    at = executable.find(b"aten::")
    changed = executable[:at] + b"evil::" + executable[at + 6 :]
    yield unit("ExecuTorch", "operator of another library", changed, OPERATOR, "m.pte")
    yield unit("ExecuTorch", "zstd of an operator", zstd(changed), OPERATOR, "m.pte.zst")


OPENVINO = {
    "extension": '<layer id="0" name="x" type="Evil" version="extension" library="/tmp/evil.so"/>',
    "unknown layer": '<layer id="0" name="x" type="Evil" version="opset1"/>',
    "unknown set": '<layer id="0" name="x" type="Add" version="evilset"/>',
    "weights beyond": '<layer id="0" name="x" type="Const" version="opset1"><data element_type="f32" shape="4" '
    'offset="0" size="99999999999"/></layer>',
    "negative weights": '<layer id="0" name="x" type="Const" version="opset1"><data element_type="f32" shape="4" '
    'offset="-16" size="16"/></layer>',
    "file of an attribute": '<layer id="0" name="x" type="Evil" version="custom"><data path="../../x.so"/></layer>',
    "body with a custom layer": '<layer id="0" name="l" type="TensorIterator" version="opset1"><body><layers><layer '
    'id="0" name="x" type="Evil" version="extension"/></layers></body></layer>',
}


def openvino() -> Iterator[Unit]:
    for key, text in OPENVINO.items():
        yield unit("OpenVINO", key, others.openvino(text), OPERATOR | BROKEN | OUTSIDE | BOMB, "m.xml")
    entity = '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    for key, head in {
        "entity": entity,
        "parameter entity": '<!DOCTYPE n [<!ENTITY % x SYSTEM "http://x/">%x;]>',
    }.items():
        yield unit(
            "OpenVINO",
            key,
            others.openvino('<layer id="0" name="&x;" type="Add" version="opset1"/>', head),
            OUTSIDE | BROKEN | BOMB | {Code.FOREIGN_CONTENT, Code.CODE_EXECUTION},
            "m.xml",
        )
    yield unit("OpenVINO", "payload behind", others.openvino("") + EVIL, HIDDEN | BROKEN, "m.xml", True)
