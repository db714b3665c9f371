"""TensorFlow operators that TensorFlow itself registers and that do more than compute: what each can do.

Only for operators of the table; anything outside of it is a custom operator. `SINKS` are honest in a saver, where the
path comes from the caller, and dangerous with a path from the model.
"""

from __future__ import annotations

from collections.abc import Mapping

CODE = "calls back into Python code of the process"
NATIVE = "calls native code that the model names"
WRITE = "writes files"
READ = "reads files"
NET = "talks to another machine"
HIDE = "runs a graph that is stored as data, which hides its operators"
MEMORY = "maps a file that the model names into memory"
ABORT = "ends the process"

DANGERS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), ("critical", CODE)),
    **dict.fromkeys(("XlaCustomCall", "XlaCustomCallV2", "TRTEngineOp", "CreateTRTResourceHandle"), ("high", NATIVE)),
    **dict.fromkeys(("XlaHostCompute", "_XlaHostComputeMlir", "_XlaSendFromHost", "_XlaRecvAtHost"), ("high", NATIVE)),
    **dict.fromkeys(
        ("WriteFile", "Save", "SaveSlices", "SaveDataset", "SaveDatasetV2", "DumpTensor"), ("critical", WRITE)
    ),
    **dict.fromkeys(("SnapshotDataset", "SnapshotDatasetV2", "DistributedSave"), ("critical", WRITE)),
    **dict.fromkeys(("DatasetToTFRecord", "ExperimentalDatasetToTFRecord"), ("critical", WRITE)),
    **dict.fromkeys(("CalibrationStatisticsSaver", "ImportEvent"), ("high", WRITE)),
    **dict.fromkeys(("CreateSummaryFileWriter", "CreateSummaryDbWriter"), ("high", WRITE)),
    **dict.fromkeys(
        ("ReadFile", "MatchingFiles", "MatchingFilesDataset", "ExperimentalMatchingFilesDataset"), ("high", READ)
    ),
    **dict.fromkeys(("WholeFileReader", "WholeFileReaderV2", "TextLineReader", "TextLineReaderV2"), ("high", READ)),
    **dict.fromkeys(("FixedLengthRecordReader", "FixedLengthRecordReaderV2", "TFRecordReader"), ("high", READ)),
    **dict.fromkeys(("TFRecordReaderV2", "LMDBReader", "RecordInput", "Skipgram", "LoadDataset"), ("high", READ)),
    **dict.fromkeys(("TextLineDataset", "TFRecordDataset", "TFRecordDatasetV2", "LMDBDataset"), ("high", READ)),
    **dict.fromkeys(("FixedLengthRecordDataset", "FixedLengthRecordDatasetV2", "CSVDataset"), ("high", READ)),
    **dict.fromkeys(("CSVDatasetV2", "ExperimentalCSVDataset", "ExperimentalLMDBDataset"), ("high", READ)),
    **dict.fromkeys(("SqlDataset", "ExperimentalSqlDataset", "SnapshotDatasetReader"), ("high", READ)),
    **dict.fromkeys(
        ("SnapshotChunkDataset", "ListSnapshotChunksDataset", "SnapshotNestedDatasetReader"), ("high", READ)
    ),
    **dict.fromkeys(("Restore", "RestoreSlice", "LoadAndRemapMatrix", "GenerateVocabRemapping"), ("high", READ)),
    "ImmutableConst": ("high", MEMORY),
    "RemoteCall": ("high", NET),
    **dict.fromkeys(("RpcServer", "RpcServerStart", "RpcServerRegister", "RpcClient", "RpcCall"), ("critical", NET)),
    **dict.fromkeys(("DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3"), ("high", NET)),
    **dict.fromkeys(("DataServiceDatasetV4", "RegisterDataset", "RegisterDatasetV2"), ("high", NET)),
    **dict.fromkeys(("DummyIterationCounter",), ("low", "is a test operator")),
    **dict.fromkeys(("DatasetFromGraph", "DeserializeIterator"), ("high", HIDE)),
    "Abort": ("high", ABORT),
}
# Operator -> attributes: dangerous only when one has a value that is not among the harmless ones.
ATTRIBUTES: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, str]] = {
    "PrintV2": (("output_stream",), ("stderr", "stdout", "log(info)", "log(warning)", "log(error)"), "critical", WRITE),
    **dict.fromkeys(
        ("DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount", "DebugNumericSummary"),
        (("debug_urls",), (), "critical", "sends tensors to the addresses or files that the model names"),
    ),
    **dict.fromkeys(("DecodeProtoV2", "EncodeProto"), (("descriptor_source",), ("local://",), "high", READ)),
    "FixedUnigramCandidateSampler": (("vocab_file",), ("",), "high", READ),
}


def fixed(operator: str, texts: Mapping[str, list[str]]) -> list[str]:
    """What an operator of `ATTRIBUTES` is told there that is not harmless."""
    names, harmless, _, _ = ATTRIBUTES[operator]
    values = [value for name in names for value in texts.get(name, ())]
    return [value for value in values if value not in harmless and not value.startswith("bytes://")]


# Operator -> input that holds the path, and what it does with it.
SINKS: dict[str, tuple[int, str]] = {
    "SaveV2": (0, "write"),
    "MergeV2Checkpoints": (1, "write"),
    "RestoreV2": (0, "read"),
    "DTensorRestoreV2": (0, "read"),
    "InitializeTableFromTextFile": (1, "table"),
    "InitializeTableFromTextFileV2": (1, "table"),
    "CacheDataset": (1, "cache"),
    "CacheDatasetV2": (1, "cache"),
}
# Through these a path may pass from the caller to a sink; input numbers, empty for all.
PASSING: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("Identity", "IdentityN", "StringJoin", "Pack", "StopGradient", "Snapshot"), ()),
    **dict.fromkeys(("ShardedFilename", "Reshape", "ExpandDims", "Squeeze", "PlaceholderWithDefault"), (0,)),
    **dict.fromkeys(("Select", "SelectV2"), (1, 2)),
    **dict.fromkeys(("Add", "AddV2"), ()),
    "EnsureShape": (0,),
}
# Operators that call functions of the library with their own inputs: how many inputs come first.
CALLS: dict[str, int] = {
    **dict.fromkeys(("PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "TPUPartitionedCall"), 0),
    **dict.fromkeys(("If", "StatelessIf", "Case", "StatelessCase", "_If", "RemoteCall"), 1),
    "_While": 0,
}
# Registered, and holds a program in a form that this version does not read.
OPAQUE = {
    "XlaCallModule": "a StableHLO program",
    "TPUCompileMlir": "an MLIR program",
    "_TPUCompileMlir": "an MLIR program",
}
