"""What this version reads of each format, and what it does not (shown in `docs/model-formats.md`)."""

from __future__ import annotations

from shipworthy.records import dataclass


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
        "all protocols and opcodes, every stream, raw arrays of joblib and legacy torch, files inside byte strings, "
        "nodes of trees, indexes of sparse matrices, models in boosters",
        "what trusted or computed code does; behind the first 131,072 nodes and indexes only the ends of each array",
        True,
    ),
    "zip": Support(
        "Zip: torch, .npz, .keras and others",
        "both directories compared, every member by content; torch: pickles against storages, TorchScript code, "
        "exported graphs; Keras: the configuration against a table of Keras' own names, the assets; skops: every node, "
        "the nodes of trees; TorchServe: manifest and handlers",
        "what Python source inside takes from other libraries (it is reported), bytecode for mobile devices, checksums "
        "of torch's storages (torch does not compare them), which bytes of a `.distcp` its `.metadata` has unpickled "
        "(that file is a finding)",
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
    "safetensors": Support(
        "safetensors", "header and layout to the last byte; code and files in the metadata", "numbers", True
    ),
    "onnx": Support(
        "ONNX",
        "every operator against the standard's and ONNX Runtime's sets, functions, tensor sizes, what operators make "
        "from constants, the files beside it that hold its tensors to the last byte",
        "types of values; sizes that follow from inputs; numbers",
        True,
    ),
    "onnx-data": Support(
        "ONNX external data", "covered by the tensors of a model in the same folder to the last byte", "numbers", True
    ),
    "json": Support(
        "JSON",
        "safetensors index, Keras architecture and metadata, manifest of an .mlpackage, XGBoost, CatBoost, Paddle, "
        "configurations and tokenizers of Hugging Face libraries, graphs of torch.export, TensorStore's specs, "
        "descriptions of zarr's arrays; in any text files in base64, dangerous names that are called, templates",
        "what else any other JSON says",
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
    "gguf": Support(
        "GGUF",
        "versions 1 to 3 of either byte order: metadata, tensors' types, sizes and layout to the last byte, chat "
        "templates",
        "what the numbers mean",
        True,
    ),
    "ggml": Support(
        "GGML before GGUF: llama.cpp, whisper.cpp, examples of ggml",
        "tensors' sizes to the last byte; nothing in these files runs",
        "LoRA adapters; layouts of other programs; files that do not say how many tensors they have end as unknown",
        True,
    ),
    "jinja": Support(
        "Chat templates (Jinja)",
        "every tag: attributes, filters and literals that reach Python's internals, other templates, endless loops",
        "what the text asks a model to do",
        True,
    ),
    "mlflow": Support(
        "MLflow MLmodel",
        "loader modules against MLflow's own, code beside the model, paths, tags",
        "requirements and environments; the code itself",
        True,
    ),
    "hydra": Support(
        "Configurations for Hydra (NeMo)",
        "every `_target_` against tables of NeMo's and torch's classes, tags",
        "YAML with several documents or complex keys; in a project's own YAML, targets that are only unknown",
        True,
    ),
    "yaml": Support(
        "Other YAML",
        "tags that build Python objects, dangerous names that are called, templates",
        "what there is besides these",
        True,
    ),
    "tflite": Support(
        "TensorFlow Lite",
        "the flatbuffer to the last byte, operators and Flex graphs, indexes, tensor sizes, appended files",
        "numbers",
        True,
    ),
    "savedmodel": Support(
        "TensorFlow SavedModel",
        "every operator of every graph and function, paths of checkpoint operators, what operators make from "
        "constants, loops that never end, assets, Keras configuration",
        "sizes that follow from inputs; StableHLO programs inside; whether the checkpoint fits; "
        "of the text form (.pbtxt) all but operators",
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
    "sentencepiece": Support(
        "SentencePiece tokenizer.model",
        "every piece, the settings of trainer and normalizer, the layout of the normalizer's rules",
        "scores; what the rules make of a text",
        True,
    ),
    "sentencepiece-list": Support("SentencePiece's list of pieces (.vocab)", "every line", "what they mean", True),
    "tiktoken": Support("tiktoken's ranks (Llama 3 tokenizer.model)", "every line", "what the tokens mean", True),
    "protobuf": Support("Other protobuf messages", "nothing", _NOT_READ, False),
    "parquet": Support(
        "Parquet",
        "the footer, what its metadata asks for, extents of columns and indexes to the last byte",
        "the values in the columns; encrypted files (unknown); indexes' content",
        True,
    ),
    "arrow": Support(
        "Arrow file and stream, Feather 2",
        "every header, extents of buffers, extension types and their metadata",
        "the values in the columns",
        True,
    ),
    "feather": Support("Feather 1", "nothing", _NOT_READ, False),
    "xgboost": Support(
        "XGBoost, binary",
        "all structs to the last byte, links between nodes, attributes, objective",
        "numbers; the base64 form",
        True,
    ),
    "ubjson": Support(
        "XGBoost, UBJSON",
        "all values; links between nodes, attributes, objective (the same for XGBoost's JSON)",
        "numbers; more than a million values; other UBJSON",
        True,
    ),
    "lightgbm": Support(
        "LightGBM",
        "every line: links between nodes, sizes of trees, parameters that name files",
        "numbers",
        True,
    ),
    "catboost": Support(
        "CatBoost .cbm",
        "the flatbuffers to the last byte, extents of trees, tables of categories (its JSON: trees, texts)",
        "numbers; parts for texts and embeddings",
        True,
    ),
    "r": Support(
        "R .rds and .RData",
        "every item: promises, active bindings, functions, calls, environments, packages, deferred vectors",
        "R's byte code and code that is computed (unknown); numbers",
        True,
    ),
    "r-database": Support(
        "R .rdb",
        "every object to the last byte, as .rds: promises, active bindings, calls",
        "what functions do (unknown: packages are kept so); whether the index (.rdx, an .rds) leads to the objects",
        True,
    ),
    "xml": Support(
        "XML: PMML, OpenVINO",
        "no DTDs; PMML: elements, functions, scripts; OpenVINO: layers against the operator sets, extents of weights, "
        "sizes, loops",
        "other XML; numbers",
        True,
    ),
    "openvino-weights": Support("OpenVINO .bin", "covered by the model beside it to the last byte", "numbers", True),
    "msgpack": Support(
        "MessagePack: Flax, JAX",
        "all values to the last byte, shapes and types of arrays, extension types",
        "numbers; the other files of an Orbax directory (their JSON and zarr's are not judged)",
        True,
    ),
    "ocdbt": Support(
        "OCDBT: the store of Orbax",
        "manifests, nodes and files of data to the last byte: the files that they name, descriptions of arrays, what "
        "chunks begin as",
        "numbers; checksums; whether parts of the store are missing; manifests kept in numbered files",
        True,
    ),
    "paddle": Support(
        "Paddle .pdmodel",
        "every operator against Paddle's own (the same for a program in JSON), paths, messages, sizes, loops",
        "numbers; whether the parameters fit",
        True,
    ),
    "paddle-weights": Support(
        "Paddle .pdiparams",
        "tensors one behind the other to the last byte, their number against the program beside them",
        "whether tensors are missing at the end without that program (.pdmodel); .pdparams are pickles",
        True,
    ),
    "executorch": Support(
        "ExecuTorch .pte",
        "the flatbuffer and segments to the last byte, operators, instructions, loops",
        "what delegates hold; weights in other files (.ptd)",
        True,
    ),
    "tensorrt": Support("TensorRT engine", "nothing: compiled code, a finding by itself", _NOT_READ, False),
    "stablehlo": Support("StableHLO: bytecode of MLIR, jax.export", "nothing", _NOT_READ, False),
    "java": Support("Java serialization", "names of classes that attacks are made of", "all else (unknown)", False),
    "torch7": Support("Torch7 .t7", "code of Lua", "all else (unknown)", False),
    "bson": Support("BSON of Julia", "functions", "all else (unknown)", False),
    "text": Support("Text", "nothing", _NOT_READ, False),
    "png": Support("PNG", "nothing", _NOT_READ, False),
    "jpeg": Support("JPEG", "nothing", _NOT_READ, False),
    "7z": Support("7z", "nothing: a finding by itself", _NOT_READ, False),
    "rar": Support("RAR", "nothing: a finding by itself", _NOT_READ, False),
    "elf": Support("ELF program", "nothing: a finding by itself", _NOT_READ, False),
    "pe": Support("Windows program", "nothing: a finding by itself", _NOT_READ, False),
    "mach-o": Support("Mach-O program", "nothing: a finding by itself", _NOT_READ, False),
    "ape": Support("llamafile and other APE programs", "the archive inside; a finding by itself", "the program", False),
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
