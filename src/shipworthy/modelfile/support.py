"""What this version reads of each format, and what it does not (shown in `docs/model-formats.md`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Support:
    """`clean` says whether a file of this format can end as clean: only when it is read completely."""

    title: str
    reads: str
    leaves: str
    clean: bool


_NOT_READ = "everything: recognised by its first bytes, not read"
_PACKED = "the whole stream, with a limit on its size; the content is scanned as a file of its own"

FORMATS: dict[str, Support] = {
    "pickle": Support(
        "Pickle, joblib, legacy torch",
        "all protocols and opcodes, every stream, raw arrays of joblib and legacy torch, files inside byte strings",
        "what trusted or computed code does",
        True,
    ),
    "zip": Support(
        "Zip: torch, .npz, .keras and others",
        "both directories compared, every member by content; torch: pickles against storages; Keras: the configuration "
        "against a table of Keras' own names, the assets",
        "TorchScript code, source code inside",
        True,
    ),
    "tar": Support("Tar", "headers, names, links; every member by content", "sparse members", True),
    "gzip": Support("gzip", _PACKED, "", True),
    "bz2": Support("bzip2", _PACKED, "", True),
    "xz": Support("xz", _PACKED, "", True),
    "lzma": Support("lzma (alone)", _PACKED, "", True),
    "zlib": Support("zlib (joblib)", _PACKED, "", True),
    "lz4": Support("LZ4 frames (joblib)", _PACKED, "frames with a dictionary; checksums", True),
    "zstd": Support("Zstandard", _PACKED, "frames with a dictionary; more than 64 MiB of content; checksums", True),
    "joblib-zfile": Support("joblib before 0.10 (ZF)", _PACKED, "", True),
    "npy": Support("NumPy array", "header, size against shape and type; object arrays as pickles", "", True),
    "safetensors": Support("safetensors", "header and layout to the last byte", "the meaning of the metadata", True),
    "onnx": Support(
        "ONNX",
        "every operator against the standard's and ONNX Runtime's sets, functions, tensor sizes, other files",
        "types of values; what lies in other files",
        True,
    ),
    "json": Support(
        "JSON",
        "safetensors index, Keras architecture and metadata, manifest of an .mlpackage",
        "any other JSON",
        True,
    ),
    "keras-yaml": Support(
        "Keras architecture in YAML",
        "tags; every class, function and short name against a table of Keras' own",
        "YAML that Keras does not write: block scalars, escapes, several documents",
        True,
    ),
    "hdf5": Support(
        "HDF5: Keras .h5, weights, PyTables",
        "every object, link and attribute, every byte; Keras configurations, pickles in attributes, external files and "
        "links, plugin filters, sizes of datasets and chunks",
        "extensible arrays of chunks, shared message tables, filtered heaps; what numbers mean",
        True,
    ),
    "gguf": Support("GGUF", "nothing", _NOT_READ, False),
    "ggml": Support("GGML", "nothing", _NOT_READ, False),
    "tflite": Support(
        "TensorFlow Lite",
        "the flatbuffer to the last byte, operators and Flex graphs, indexes, tensor sizes, appended files",
        "numbers",
        True,
    ),
    "savedmodel": Support(
        "TensorFlow SavedModel",
        "every operator of every graph and function, paths of checkpoint operators, assets, Keras configuration",
        "StableHLO programs inside; whether the checkpoint fits; the text form (.pbtxt)",
        True,
    ),
    "graphdef": Support("TensorFlow GraphDef", "as SavedModel", "the text form", True),
    "metagraph": Support("TensorFlow MetaGraphDef (.meta)", "as SavedModel", "the text form", True),
    "tf-fingerprint": Support("TensorFlow fingerprint.pb", "its fields", "whether it fits the model", True),
    "keras-metadata": Support("Keras keras_metadata.pb", "the configuration of every layer", "", True),
    "tf-checkpoint": Support(
        "TensorFlow checkpoint index",
        "the table to the last byte, checksums, tensors against the data files beside it",
        "the data files; Snappy blocks",
        True,
    ),
    "coreml": Support(
        "Core ML .mlmodel",
        "every model, layer and operation inside, custom ones, references to other files",
        "what serialized Apple models (fields without a public layout) do",
        True,
    ),
    "mil-weights": Support("Core ML weight.bin", "layout to the last byte", "numbers", True),
    "protobuf": Support("Other protobuf messages", "nothing", _NOT_READ, False),
    "parquet": Support("Parquet", "nothing", _NOT_READ, False),
    "arrow": Support("Arrow", "nothing", _NOT_READ, False),
    "catboost": Support("CatBoost", "nothing", _NOT_READ, False),
    "r": Support("R data", "nothing", _NOT_READ, False),
    "xml": Support("XML: PMML, OpenVINO", "nothing", _NOT_READ, False),
    "text": Support("Text", "nothing", _NOT_READ, False),
    "png": Support("PNG", "nothing", _NOT_READ, False),
    "jpeg": Support("JPEG", "nothing", _NOT_READ, False),
    "7z": Support("7z", "nothing: a finding by itself", _NOT_READ, False),
    "rar": Support("RAR", "nothing: a finding by itself", _NOT_READ, False),
    "elf": Support("ELF program", "nothing: a finding by itself", _NOT_READ, False),
    "pe": Support("Windows program", "nothing: a finding by itself", _NOT_READ, False),
    "mach-o": Support("Mach-O program", "nothing: a finding by itself", _NOT_READ, False),
    "wasm": Support("WebAssembly", "nothing: a finding by itself", _NOT_READ, False),
    "script": Support("Script with #!", "nothing: a finding by itself", _NOT_READ, False),
}


def table() -> str:
    """The formats as a Markdown table."""
    lines = ["| format | name | read | not read | can be clean |", "|---|---|---|---|---|"]
    for name, item in FORMATS.items():
        clean = "yes" if item.clean else "no"
        lines.append(f"| {item.title} | `{name}` | {item.reads} | {item.leaves or '-'} | {clean} |")
    return "\n".join(lines) + "\n"
