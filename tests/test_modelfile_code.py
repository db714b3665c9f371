"""Formats that bring code or name it: TorchScript, exported graphs, skops, MLflow, NeMo, TorchServe, any archive."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan, scan_bytes
from shipworthy.modelfile.exported import harmless

DATA = Path(__file__).parent / "data" / "models" / "llm"
HONEST = sorted(path.name for path in DATA.iterdir() if path.suffix not in (".py",))


def codes(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues}


@pytest.mark.parametrize("name", HONEST)
def test_files_of_the_real_writers_are_clean(name: str) -> None:
    report = scan(DATA / name)
    assert (report.verdict, report.issues, report.unknowns) == (Verdict.CLEAN, (), ())


@pytest.mark.parametrize("name", ["traced.pt", "sized.pt2", "generator.skops", "builtin.mar", "tokenizer.json"])
def test_files_that_were_cut_are_never_clean(name: str) -> None:
    data = (DATA / name).read_bytes()
    for size in range(0, len(data) - 1, max(1, len(data) // 60)):
        assert scan_bytes(data[:size]).verdict is not Verdict.CLEAN


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["traced.pt", "linear.pt2", "MLmodel", "generator.skops"]),
    st.integers(0, 1 << 20),
    st.binary(max_size=3),
)
def test_changed_files_end_in_a_verdict(name: str, at: int, new: bytes) -> None:
    data = (DATA / name).read_bytes()
    at %= len(data)
    scan_bytes(data[:at] + new + data[at + len(new) :])


def script(*lines: str) -> Report:
    body = "".join(f"    {line}\n" for line in lines)
    head = "class M(Module):\n  __parameters__ = []\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n"
    code = f"{head}{body}    return x\n"
    return scan_bytes(make.torch_zip(make.PLAIN, ("m/code/__torch__.py", code.encode())))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('y = torch.from_file("/etc/passwd", False, 100)', Code.DANGEROUS_OPERATOR),
        ('y = ops.aten.from_file("/etc/passwd", False, 100)', Code.DANGEROUS_OPERATOR),
        ('ops.aten.save(x, "/tmp/x")', Code.DANGEROUS_OPERATOR),
        ('torch.save(x, "/tmp/x")', Code.DANGEROUS_OPERATOR),
        ('(x).save("/tmp/x")', Code.DANGEROUS_OPERATOR),
        ('x.save("/tmp/x")', Code.DANGEROUS_OPERATOR),
        ('ops.image.write_file("/tmp/x", x)', Code.DANGEROUS_OPERATOR),
        ("ops.prim.rpc_sync(x)", Code.DANGEROUS_OPERATOR),
        ("ops.prim.PythonOp(x)", Code.DANGEROUS_OPERATOR),
        ("o = ops.aten", Code.DANGEROUS_OPERATOR),
        ("t = torch", Code.DANGEROUS_OPERATOR),
        ("y = ops.evil.run(x)", Code.CUSTOM_OPERATOR),
        ("y = torch.evil(x)", Code.CUSTOM_OPERATOR),
        ("y = __torch__.torch.classes.evil.Thing(x)", Code.CUSTOM_OPERATOR),
        ("import os", Code.UNKNOWN_NAME),
        ('ops.prim.RaiseException("no", "os.abort")', Code.UNKNOWN_NAME),
        ('ops.prim.RaiseException("no", x)', Code.UNKNOWN_NAME),
        ("y = `x`", Code.BROKEN_STREAM),
        ('y = "no end', Code.BROKEN_STREAM),
    ],
)
def test_torchscript_that_reaches_out_is_found(line: str, code: Code) -> None:
    assert codes(script(line)) == {code}


def test_honest_torchscript_is_clean() -> None:
    report = script(
        '_0 = "a text with torch.save(x) and \\"quotes\\" in it"',
        "if torch.__isnot__(x, None):",
        '  ops.prim.RaiseException(_0, "builtins.ValueError")',
        "else:",
        "  pass",
        "y = (self.conv).forward(torch.conv2d(x, self.weight, None, [1, 1], [0, 0], [1, 1], 1), )",
        "z : Optional[int] = annotate(Optional[int], None)",
        "q = ops.quantized.linear(x, self._packed, 0.10000000000000001, 1e-05, -1.)",
        'print(torch.format("{}", q), inf, torch.device("cpu"))',
        "c = CONSTANTS.c0",
        "n = ops.torchvision.nms(x, x, 0.5)",
        "import __torch__.other",
    )
    assert report.verdict is Verdict.CLEAN


def test_bytecode_for_mobile_devices_is_not_called_clean() -> None:
    honest = make.torch_zip(make.PLAIN, ("m/bytecode.pkl", make.PLAIN))
    assert scan_bytes(honest).verdict is Verdict.UNKNOWN
    hostile = make.torch_zip(make.PLAIN, ("m/bytecode.pkl", make.stream(make.text("aten::from_file"))))
    assert Code.DANGEROUS_OPERATOR in codes(scan_bytes(hostile))


def exported(**more: Any) -> Report:
    node = {"target": more.pop("target", "torch.ops.aten.add.Tensor"), "inputs": [], "outputs": []}
    graph = {"graph_module": {"graph": {"nodes": [node], "sym": more.pop("sym", None)}}, "schema_version": {"major": 8}}
    model = json.dumps({**graph, **more}).encode()
    return scan_bytes(
        make.zipped(("m/archive_format", b"pt2"), ("m/models/model.json", model), ("m/byteorder", b"little"))
    )


def test_exported_graphs() -> None:
    assert exported().verdict is Verdict.CLEAN
    assert exported(target="_operator.add").verdict is Verdict.CLEAN
    assert codes(exported(target="torch.hub.load")) == {Code.UNKNOWN_CALLABLE, Code.CODE_EXECUTION}
    assert codes(exported(target="_operator.methodcaller")) == {Code.UNKNOWN_CALLABLE}
    assert codes(exported(target="#evil:run")) == {Code.UNKNOWN_CALLABLE}
    assert codes(exported(target="torch.ops.aten.from_file.default")) == {Code.DANGEROUS_OPERATOR}
    assert codes(exported(target="torch.ops.evil.run.default")) == {Code.CUSTOM_OPERATOR}
    assert exported(sym={"expr_str": "2*s0 + FloorDiv(s1, 4)"}).verdict is Verdict.CLEAN
    assert codes(exported(sym={"expr_str": "__import__('os').system('id')"})) == {Code.CODE_EXECUTION}
    assert exported(guards_code=["L['x'].size()[0] >= 2"]).verdict is Verdict.CLEAN
    assert codes(exported(guards_code=["print(1)"])) == {Code.CODE_EXECUTION}
    library = make.zipped(("m/archive_format", b"pt2"), ("m/data/aotinductor/model/a.so", b"\x7fELF" + bytes(60)))
    assert codes(scan_bytes(library)) == {Code.FOREIGN_CONTENT}
    weights = json.dumps({"config": {"w": {"path_name": "../../x"}}}).encode()
    away = make.zipped(("m/archive_format", b"pt2"), ("m/data/weights/model_weights_config.json", weights))
    assert codes(scan_bytes(away)) == {Code.PATH_TRAVERSAL}


@pytest.mark.parametrize(
    ("expression", "good"),
    [
        ("Add(Mul(Integer(2), Symbol('s0', positive=True)), Integer(-1))", True),
        ("Max(1, s0) >= 2", True),
        ("eval('1')", False),
        ("s0.__class__", False),
        ("s0.func", False),
        ("(lambda: 1)()", False),
        ("Symbol('a b()')", False),
        ("[x for x in ()]", False),
    ],
)
def test_symbolic_expressions(expression: str, good: bool) -> None:
    assert harmless(expression) is good


def node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__loader__": loader, "__module__": module, "__class__": name, **more}


def skops(schema: dict[str, Any], *members: tuple[str, bytes]) -> Report:
    return scan_bytes(make.zipped(("schema.json", json.dumps({**schema, "protocol": 2}).encode()), *members))


OBJECT = node("ObjectNode", "sklearn.linear_model._logistic", "LogisticRegression", content=None)
SKOPS = {
    "function": (node("FunctionNode", "os", "system"), Code.CODE_EXECUTION),
    "old function": (
        node("FunctionNode", "builtins", "function", content={"module_path": "os", "function": "system"}),
        Code.CODE_EXECUTION,
    ),
    "operator": (node("OperatorFuncNode", "operator", "call", attrs=[]), Code.CODE_EXECUTION),
    "attrgetter": (node("OperatorFuncNode", "operator", "attrgetter", attrs=[]), Code.UNKNOWN_CALLABLE),
    "method": (
        node("MethodNode", "builtins", "function", content={"func": "__getattribute__", "obj": OBJECT}),
        Code.CODE_EXECUTION,
    ),
    "method of its own class": (
        node("MethodNode", OBJECT["__module__"], "LogisticRegression", content={"func": "fit", "obj": OBJECT}),
        Code.UNKNOWN_NAME,
    ),
    "foreign class": (node("ObjectNode", "mine", "Model", content=None), Code.UNKNOWN_CALLABLE),
    "foreign type": (node("TypeNode", "mine", "Model"), Code.UNKNOWN_NAME),
    "constructor": (
        node("ConstructorFromReduceNode", "sklearn.linear_model._logistic", "LogisticRegression", content=[]),
        Code.UNKNOWN_CALLABLE,
    ),
    "unknown node": (node("JoblibNode", "sklearn", "X", content="x.pkl"), Code.CODE_EXECUTION),
    "random generator": (
        node(
            "RandomGeneratorNode",
            "numpy.random._generator",
            "Generator",
            content={"bit_generator": {"bit_generator": "x"}},
        ),
        Code.CODE_EXECUTION,
    ),
    "hidden in a list": (
        node("ListNode", "builtins", "list", content=[node("TypeNode", "os", "system")]),
        Code.CODE_EXECUTION,
    ),
    "missing member": (node("BytesNode", "builtins", "bytes", file="x.bin"), Code.CONTAINER_TAMPERED),
}


@pytest.mark.parametrize("case", SKOPS)
def test_skops_nodes_that_run_or_reach_code_are_found(case: str) -> None:
    schema, code = SKOPS[case]
    assert codes(skops(schema)) == {code}


def test_skops_losses_are_those_of_scikit_learn() -> None:
    """As skops writes a histogram classifier of three classes of scikit-learn 1.5 and 1.8."""
    loss = {"__reduce__": {"args": node("TupleNode", "builtins", "tuple", content=[])}, "content": None}
    assert skops(node("LossNode", "_loss", "CyHalfMultinomialLoss", **loss)).verdict is Verdict.CLEAN
    for name in ("CyEvilLoss", "system"):
        assert codes(skops(node("LossNode", "_loss", name, **loss))) == {Code.UNKNOWN_CALLABLE}
    assert codes(skops(node("ObjectNode", "_loss", "evil", content=None))) == {Code.UNKNOWN_CALLABLE}


def test_skops_members_are_read_by_content() -> None:
    assert skops(OBJECT).verdict is Verdict.CLEAN
    assert skops(OBJECT, ("x.npy", make.EVIL)).worst == "critical"
    assert scan_bytes(make.zipped(("schema.json", b'{"__loader__": 1, "__loader__": 2}'))).worst == "high"


MLMODEL = "artifact_path: m\nflavors:\n  python_function:\n    loader_module: {}\n    env:\n      conda: conda.yaml\n{}"


def mlmodel(loader: str, more: str = "") -> Report:
    return scan_bytes(MLMODEL.format(loader, more).encode())


def test_mlflow_models() -> None:
    assert mlmodel("mlflow.sklearn", "    model_path: model.pkl\n    code: null\n").verdict is Verdict.CLEAN
    assert codes(mlmodel("evil_loader")) == {Code.UNKNOWN_CALLABLE}
    assert codes(mlmodel("mlflow.projects")) == {Code.UNKNOWN_CALLABLE}
    assert codes(mlmodel("mlflow.sklearn", "    code: code\n")) == {Code.REMOTE_CODE}
    assert codes(mlmodel("mlflow.pyfunc.model", "    model_code_path: model.py\n")) == {Code.REMOTE_CODE}
    assert codes(mlmodel("mlflow.sklearn", "    data: ../../etc\n")) == {Code.PATH_TRAVERSAL}
    tagged = mlmodel("mlflow.sklearn", "  x: !!python/object/apply:os.system [echo]\n")
    assert Code.YAML_OBJECT in codes(tagged)


NEMO = """\
target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  window: hann
optim: {name: adamw, betas: [0.9, 0.98], _target_: torch.optim.AdamW}
text: "a folded
  line"
"""


def test_nemo_archives() -> None:
    honest = make.tarred(("model_config.yaml", NEMO.encode()), ("model_weights.ckpt", make.torch_zip(make.PLAIN)))
    assert scan_bytes(honest).verdict is Verdict.CLEAN
    for target, code in (("os.system", Code.CODE_EXECUTION), ("mine.Model", Code.UNKNOWN_CALLABLE)):
        config = NEMO + f"extra:\n  - _target_: {target}\n    command: echo\n"
        assert codes(scan_bytes(make.tarred(("model_config.yaml", config.encode())))) == {code}
    late = NEMO + "# filling\n" * 2000 + "z:\n  _target_: os.system\n"
    assert scan_bytes(late.encode()).worst == "critical"


def mar(handler: str, *members: tuple[str, bytes], **more: str) -> Report:
    manifest = {"model": {"modelName": "m", "handler": handler, "serializedFile": "m.pkl", **more}}
    raw = json.dumps(manifest).encode()
    return scan_bytes(make.zipped(("MAR-INF/MANIFEST.json", raw), ("m.pkl", make.PLAIN), *members))


def test_serving_archives_and_code_in_any_archive() -> None:
    assert mar("image_classifier").verdict is Verdict.CLEAN
    hostile = mar("handler.py", ("handler.py", b"import os\nos.system('echo')\n"))
    assert codes(hostile) == {Code.REMOTE_CODE}
    assert codes(mar("os:system")) == {Code.UNKNOWN_NAME}
    assert codes(mar("image_classifier", requirementsFile="requirements.txt")) == {Code.EXTERNAL_DATA}
    assert Code.PATH_TRAVERSAL in codes(mar("image_classifier", extraFiles="../../x"))
    assert codes(scan_bytes(make.tarred(("code/inference.py", b"import os\n")))) == {Code.REMOTE_CODE}
    package = scan_bytes(make.zipped(("p/.data/extern_modules", b"torch\n"), ("p/m.py", b"x = 1\n")))
    assert (codes(package), package.worst) == ({Code.REMOTE_CODE}, "high")


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="torchops.aen_()[]\"'\\ \n=:#x1", max_size=60))
def test_any_torchscript_is_read_or_refused(code: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/data.pkl", make.PLAIN)
        archive.writestr("m/code/__torch__.py", code)
    scan_bytes(buffer.getvalue())
