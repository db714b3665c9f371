"""Makes the tables of `src/shipworthy/modelfile/graphs/`: messages, flatbuffer tables and operators of graph formats.

Each part is read out of the real library, none is written by hand. In an environment that has them:

    pip install tensorflow-cpu onnx onnxruntime coremltools sentencepiece protobuf
    python scripts/make_graph_tables.py collect > new.json      # once per environment
    python scripts/make_graph_tables.py merge new.json old.json # writes the tables; what any version knows is in them

Protobuf messages (`*_messages.txt`): `Message<TAB>number:letter:name[:Type]...`, where the letter is the wire type
(`v` varint, `q` 8 bytes, `d` 4 bytes, `b` bytes, `s` text, `m` message, `e` enum), upper case when repeated; `=Enum`
lines hold an enum's values. Operators (`*_operators.txt`): see the head of each file.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "src" / "shipworthy" / "modelfile" / "graphs"
LIBRARIES = ("tensorflow-cpu", "onnx", "onnxruntime", "coremltools", "flatbuffers", "sentencepiece")
TF_ROOTS = (
    ("tensorflow.core.protobuf.saved_model_pb2", "SavedModel"),
    ("tensorflow.core.protobuf.fingerprint_pb2", "FingerprintDef"),
    ("tensorflow.core.protobuf.tensor_bundle_pb2", "BundleHeaderProto"),
    ("tensorflow.core.protobuf.tensor_bundle_pb2", "BundleEntryProto"),
    ("tensorflow.python.training.checkpoint_state_pb2", "CheckpointState"),
)
KERAS_METADATA = (
    "tensorflow.python.keras.protobuf.saved_metadata_pb2",
    "keras.protobuf.saved_metadata_pb2",
    "tf_keras.protobuf.saved_metadata_pb2",
    "keras.src.saving.legacy.saved_model.saved_metadata_pb2",
)
LETTERS = {
    1: "q",
    2: "d",
    3: "v",
    4: "v",
    5: "v",
    6: "q",
    7: "d",
    8: "v",
    9: "s",
    11: "m",
    12: "b",
    13: "v",
    14: "e",
    15: "d",
    16: "q",
    17: "v",
    18: "v",
}  # FieldDescriptor.type; zigzag counts as varint


def messages(roots: tuple[tuple[str, str], ...]) -> dict[str, dict[str, str]]:
    """Every message that can lie inside the roots, with its fields; enums as `=Name`."""
    found: dict[str, dict[str, str]] = {}
    pending = []
    for module, name in roots:
        try:
            pending.append(getattr(importlib.import_module(module), name).DESCRIPTOR)
        except (ImportError, AttributeError) as error:
            print(f"without {name}: {error}", file=sys.stderr)
    while pending:
        message = pending.pop()
        key = short(message)
        if key in found:
            continue
        fields = found.setdefault(key, {})
        for field in message.fields:
            letter = LETTERS[field.type]
            repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == 3
            kind = letter.upper() if repeated else letter
            inside = ""
            if field.message_type is not None:
                inside = ":" + short(field.message_type)
                pending.append(field.message_type)
            elif field.enum_type is not None:
                inside = ":=" + short(field.enum_type)
                values = found.setdefault("=" + short(field.enum_type), {})
                values.update({str(value.number): value.name for value in field.enum_type.values})
            fields[str(field.number)] = f"{kind}:{field.name}{inside}"
    return found


def short(descriptor: Any) -> str:
    """The name without its package: `FunctionDef.AttrEntry`."""
    name, package = descriptor.full_name, descriptor.file.package
    return str(name[len(package) + 1 :] if package else name)


def tensorflow_operators() -> list[str]:
    """Every operator that the plain library registers."""
    session = importlib.import_module("tensorflow.python.client.pywrap_tf_session")
    op_def = importlib.import_module("tensorflow.core.framework.op_def_pb2")
    operators = op_def.OpList()
    operators.ParseFromString(session.TF_GetBuffer(session.TF_GetAllOpList()))
    return [item.name for item in operators.op]


def onnx_operators() -> dict[str, list[str]]:
    """`domain operator` -> versions of the operator set where its definition changed; `-N` where it was taken away."""
    import onnx

    found: dict[str, set[int]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        at = schema.since_version
        found.setdefault(f"{schema.domain or 'ai.onnx'} {schema.name}", set()).add(-at if schema.deprecated else at)
    return {name: [str(at) for at in sorted(versions, key=abs)] for name, versions in found.items()}


def runtime_operators() -> list[str]:
    """`domain operator` of everything that ONNX Runtime itself implements."""
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    schemas = {(item.domain, item.name) for item in state.get_all_operator_schema()}
    kernels = {(item.domain, item.op_name) for item in state.get_all_opkernel_def()}
    return sorted(f"{domain or 'ai.onnx'} {name}" for domain, name in schemas | kernels)


def coreml_operators() -> list[str]:
    """Every operation of the model intermediate language that coremltools can write."""
    importlib.import_module("coremltools.converters.mil.mil.ops.defs")
    registry = importlib.import_module("coremltools.converters.mil.mil.ops.registry").SSAOpRegistry
    return sorted(name for name, versions in registry.core_ops.items() if versions)


def tflite() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Fields of each flatbuffer table by vtable offset, and the builtin operators.

    Read from the source of the generated readers: what a method gets, at which offset.
    """
    package = importlib.util.find_spec("tensorflow")
    if package is None or package.origin is None:
        return {}, {}
    source = (Path(package.origin).parent / "lite" / "python" / "schema_py_generated.py").read_text("utf-8")
    lines = source.splitlines()
    tables: dict[str, dict[str, str]] = {}
    values: dict[str, dict[str, str]] = {}
    for item in ast.parse(source).body:
        if not isinstance(item, ast.ClassDef):
            continue
        methods = [part for part in item.body if isinstance(part, ast.FunctionDef)]
        names = {part.name for part in methods}
        if not methods:
            constants = [part for part in item.body if isinstance(part, ast.Assign)]
            values[item.name] = {
                str(ast.literal_eval(part.value)): part.targets[0].id
                for part in constants
                if isinstance(part.targets[0], ast.Name) and isinstance(part.value, ast.Constant | ast.UnaryOp)
            }
        elif "Init" in names and "GetRootAs" in names:
            tables[item.name] = dict(table_fields(lines, methods))
    pick = {
        f"={name}": values.get(name, {})
        for name in (
            "BuiltinOperator",
            "BuiltinOptions",
            "BuiltinOptions2",
            "TensorType",
            "SparseIndexVector",
            "QuantizationDetails",
        )
    }
    return {**tables, **pick}, {}


def table_fields(lines: list[str], methods: list[ast.FunctionDef]) -> Any:
    """Offset and kind of each field that the methods of a table get."""
    for method in methods:
        text = "\n".join(lines[method.lineno - 1 : method.end_lineno])
        slot = re.search(r"self\._tab\.Offset\((\d+)\)", text)
        if not slot or method.name.endswith(("AsNumpy", "Length", "IsNone")):
            continue
        scalar = re.search(r"self\._tab\.Get\(flatbuffers\.number_types\.(\w+)Flags", text)
        table = re.search(r"obj = (\w+)\(\)", text)
        step = re.search(r"j\) \* (\d+)|j \* (\d+)", text)
        width = str(next((part for part in step.groups() if part), "")) if step else ""
        if "self._tab.Union" in text:
            kind = "U"
        elif "self._tab.Vector" in text and table:
            kind = f"T:{table.group(1)}"
        elif "self._tab.Vector" in text and "self._tab.String" in text:
            kind = "S"
        elif "self._tab.Vector" in text:
            kind = f"V{width}"
        elif "self._tab.String" in text:
            kind = "s"
        elif table:
            kind = f"t:{table.group(1)}"
        else:
            bits = re.search(r"\d+", scalar.group(1)) if scalar else None
            kind = str(int(bits.group()) // 8) if bits else "1"
        yield slot.group(1), f"{kind}:{method.name}" if ":" not in kind else kind.replace(":", f":{method.name}:")


def collect() -> dict[str, Any]:
    """What this environment has."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    parts: dict[str, Any] = {"versions": {}}
    for name in LIBRARIES:
        try:
            parts["versions"][name] = version(name)
        except PackageNotFoundError:
            print(f"without {name}", file=sys.stderr)
    metadata = tuple((name, "SavedMetadata") for name in KERAS_METADATA)
    known = parts["versions"]
    if "tensorflow-cpu" in known:
        parts["tensorflow_messages"] = messages(TF_ROOTS)
        parts["keras_messages"] = messages(metadata)
        parts["tensorflow_operators"] = {name: [] for name in tensorflow_operators()}
        parts["tflite_tables"] = tflite()[0]
    if "onnx" in known:
        parts["onnx_messages"] = messages((("onnx.onnx_ml_pb2", "ModelProto"),))
        parts["onnx_operators"] = onnx_operators()
    if "onnxruntime" in known:
        parts["onnxruntime_operators"] = {name: [] for name in runtime_operators()}
    if "coremltools" in known:
        parts["coreml_messages"] = messages((("coremltools.proto.Model_pb2", "Model"),))
        parts["coreml_operators"] = {name: [] for name in coreml_operators()}
    if "sentencepiece" in known:
        parts["sentencepiece_messages"] = messages((("sentencepiece.sentencepiece_model_pb2", "ModelProto"),))
    return parts


SOURCES = {
    "tensorflow_messages": "tensorflow-cpu",
    "tensorflow_operators": "tensorflow-cpu",
    "keras_messages": "tensorflow-cpu",
    "tflite_tables": "tensorflow-cpu",
    "onnx_messages": "onnx",
    "onnx_operators": "onnx",
    "onnxruntime_operators": "onnxruntime",
    "coreml_messages": "coremltools",
    "coreml_operators": "coremltools",
    "sentencepiece_messages": "sentencepiece",
}


def merge(paths: list[str]) -> None:
    """Write the tables, newest environment first: later ones only add."""
    collected = [json.loads(Path(path).read_text("utf-8")) for path in paths]
    for table, library in SOURCES.items():
        having = [part for part in collected if table in part]
        if not having:
            continue
        versions = ", ".join(sorted({part["versions"][library] for part in having}))
        lines = [
            "# Made by scripts/make_graph_tables.py; see there for its columns. Not edited by hand.",
            f"# {library} {versions}",
        ]
        rows: dict[str, Any] = {}
        for part in having:
            for name, row in part[table].items():
                if isinstance(row, dict):
                    rows[name] = {**row, **rows.get(name, {})}
                else:
                    rows.setdefault(name, row)
        if table.endswith("operators"):
            lines += operator_lines(rows)
        else:
            for name in sorted(rows):
                cells = [f"{key}:{rows[name][key]}" for key in sorted(rows[name], key=int)]
                lines.append("\t".join([name, *cells]))
        (TARGET / f"{table}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def operator_lines(rows: dict[str, list[str]]) -> list[str]:
    """One operator a line: `[domain ]name[ versions]`."""
    return [" ".join([name, *([",".join(rows[name])] if rows[name] else [])]) for name in sorted(rows)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["collect"]:
        json.dump(collect(), sys.stdout)
    elif sys.argv[1:2] == ["merge"]:
        merge(sys.argv[2:])
    else:
        sys.exit(__doc__)
