"""Lists of names that come from the libraries: complete where code says what each name does, and used."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from shipworthy.modelfile import Code, Verdict, scan_bytes, skops
from shipworthy.modelfile.listed import listed


def test_the_table_names_several_versions_of_each_library() -> None:
    head = files("shipworthy.modelfile").joinpath("texts_names.txt").read_text("utf-8").partition("\n")[0]
    for library in ("diffusers", "jinja2", "mlflow", "skops", "torchvision", "transformers"):
        assert re.search(rf"\b{library} [\w.]+, [\w.]+", head), library


def test_of_every_node_of_skops_it_is_said_what_it_does() -> None:
    said = skops._BUILT | skops._NAMED | skops._CALLED | {"PartialNode", "MethodNode", "OperatorFuncNode"}
    assert said == listed("skops-nodes")


@pytest.mark.parametrize("library", ["diffusers", "transformers", "deepfloyd_if", "stable_diffusion", "wuerstchen"])
def test_components_that_diffusers_has_itself(library: str) -> None:
    index = {"_class_name": "P", "_diffusers_version": "0.35.1", "x": [library, "Y"]}
    assert scan_bytes(json.dumps(index).encode()).verdict is Verdict.CLEAN


@pytest.mark.parametrize("module", ["mlflow.sklearn", "mlflow.diffusers", "mlflow.pyfunc.loaders.code_model"])
def test_loaders_that_mlflow_has_itself(module: str) -> None:
    text = "flavors:\n  python_function:\n    loader_module: {}\n"
    assert scan_bytes(text.format(module).encode()).verdict is Verdict.CLEAN
    other = scan_bytes(text.format(module + ".evil").encode())
    assert {issue.code for issue in other.issues} == {Code.UNKNOWN_CALLABLE}


def test_filters_that_templates_may_use() -> None:
    for name in sorted(listed("jinja-filters") - {"attr"}):
        assert not scan_bytes(f"{{{{ x | {name} }}}}".encode()).issues, name
    assert scan_bytes(b"{{ x | evil }}").issues
