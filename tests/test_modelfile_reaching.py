"""Graphs that reach beyond themselves: modules that are imported, addresses in memory, graphs written as text."""

from __future__ import annotations

import json

import modelfile_samples as make
from shipworthy.modelfile import Code, Report, Verdict, scan_bytes


def loud(report: Report) -> set[Code]:
    return {issue.code for issue in report.issues if issue.severity in ("high", "critical")}


def exported(kind: str, context: object) -> Report:
    """A graph of torch.export whose inputs are laid out so."""
    layout = json.dumps([1, {"type": kind, "context": context, "children_spec": []}])
    graph = {"graph_module": {"graph": {"nodes": []}, "module_call_graph": [{"signature": {"in_spec": layout}}]}}
    model = json.dumps({**graph, "schema_version": {"major": 8}}).encode()
    return scan_bytes(make.zipped(("m/archive_format", b"pt2"), ("m/models/model.json", model)))


def factory(module: str, name: str) -> dict[str, object]:
    return {"default_factory_module": module, "default_factory_name": name, "dict_context": ["a"]}


def test_the_layout_of_an_exported_graphs_inputs_names_no_module_to_import() -> None:
    assert exported("collections.defaultdict", factory("builtins", "list")).verdict is Verdict.CLEAN
    assert exported("builtins.dict", json.dumps(["a", "b"])).verdict is Verdict.CLEAN
    assert loud(exported("collections.defaultdict", factory("antigravity", "x"))) == {Code.UNKNOWN_NAME}
    member = json.dumps([{"__enum__": True, "fqn": "evil.module:Kind", "name": "A"}])
    assert loud(exported("builtins.dict", member)) == {Code.UNKNOWN_NAME}
    nested = json.dumps({"more": json.dumps(factory("evil", "x"))})
    assert loud(exported("builtins.dict", nested)) == {Code.UNKNOWN_NAME}


def test_onnx_runtime_takes_no_tensor_from_an_address_in_memory() -> None:
    tensor = make.tensor("w", location="*/_ORT_MEM_ADDR_/*")
    assert loud(scan_bytes(make.onnx((make.node("Relu"),), (tensor,)))) == {Code.PATH_TRAVERSAL}


def test_what_loading_runs_is_followed_into_other_files_of_code() -> None:
    def archive(called: str) -> Report:
        code = "class M(Module):\n  def __setstate__(self: __torch__.M, x: Tensor) -> NoneType:\n"
        code += f"    _0 = __torch__.other.{called}(x, )\n    return None\n"
        other = "def spin(x: Tensor) -> Tensor:\n  while bool(x):\n    x = torch.neg(x)\n  return x\n"
        other += "def calm(x: Tensor) -> Tensor:\n  return torch.neg(x)\n"
        files = (("m/code/__torch__.py", code.encode()), ("m/code/__torch__/other.py", other.encode()))
        return scan_bytes(make.torch_zip(make.PLAIN, *files))

    assert archive("calm").verdict is Verdict.CLEAN
    assert archive("spin").verdict is Verdict.UNKNOWN
