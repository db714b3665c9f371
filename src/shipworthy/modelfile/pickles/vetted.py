"""Callables that honest model files call with arguments, and the rule that each call must satisfy.

`data`: any arguments that are not callables (what they do with plain values is harmless: they store or convert them).
The other rules are functions of `shipworthy.modelfile.pickles.rules`. Classes whose constructors only store values are
in the generated table under the letter `v`, and follow `data` as well.
"""

from __future__ import annotations

_SERIES = [
    f"{kind}.modeling_{kind}" for kind in "autoformer informer patchtst patchtsmixer time_series_transformer".split()
]
_SPREADS = ("StudentT", "Normal", "NegativeBinomial")


def _all(module: str, names: str, rule: str) -> dict[str, str]:
    return {f"{module}:{name}": rule for name in names.split()}


VETTED: dict[str, str] = {
    # the standard library
    **_all("collections", "OrderedDict Counter deque ChainMap", "convert"),
    "collections:defaultdict": "factory",
    **_all("builtins", "set frozenset list dict tuple complex float bool", "convert"),
    "builtins:int": "literals",
    "builtins:str": "texts",
    "builtins:range": "span",
    **_all("builtins", "slice object", "data"),
    "operator:itemgetter": "items",
    **_all("builtins", "bytes bytearray", "sized"),
    "builtins:type": "one",
    "builtins:getattr": "attribute",
    **_all("builtins", "Ellipsis NotImplemented", "reference"),
    "copyreg:_reconstructor": "reconstructor",
    "copyreg:__newobj__": "newobj",
    "_codecs:encode": "encode",
    **_all("datetime", "datetime date time timedelta timezone", "convert"),
    "time:struct_time": "convert",
    "decimal:Decimal": "decimal",
    **_all("fractions", "Fraction", "fraction"),
    **_all("uuid", "UUID SafeUUID", "convert"),
    **_all("pathlib", "PurePosixPath PosixPath PureWindowsPath WindowsPath Path PurePath", "convert"),
    **_all("pathlib._local", "PurePosixPath PosixPath PureWindowsPath WindowsPath Path PurePath", "convert"),
    "re:_compile": "data",
    "zoneinfo:ZoneInfo": "reference",
    "zoneinfo:ZoneInfo._unpickle": "zone",
    "pytz:_p": "zone",
    **_all("pytz", "_UTC FixedOffset", "data"),
    **_all("dateutil.tz.tz", "tzutc tzlocal tzoffset", "data"),
    "types:SimpleNamespace": "empty",
    "array:_array_reconstructor": "data",
    "array:array": "data",
    "functools:partial": "partial",
    **_all("_io", "BytesIO StringIO", "data"),
    **_all("io", "BytesIO StringIO", "data"),
    "logging:getLogger": "data",
    "random:Random": "empty",  # river's models keep one
    **_all("zlib", "adler32 crc32", "reference"),  # gensim's dictionaries hash words by one
    # numpy; `numpy.core` is read as `numpy._core`
    "numpy:dtype": "dtype",
    "numpy:ndarray": "allocate",
    "numpy:recarray": "allocate",
    "numpy.rec:recarray": "allocate",
    "numpy._core.records:recarray": "allocate",
    "numpy._core.records:record": "reference",
    "numpy._core.multiarray:_reconstruct": "subtype",
    "numpy._core._internal:_reconstruct": "subtype",  # the same one, in files of Python 2
    "numpy._core.multiarray:scalar": "scalar",
    "numpy._core.numeric:_frombuffer": "from_buffer",
    "numpy._core._internal:_convert_to_stringdtype_kwargs": "data",
    "numpy._core:_ufunc_reconstruct": "resolve",
    "scipy._lib._uarray._backend:unpickle_function": "resolve",
    **_all("numpy.random._pickle", "__randomstate_ctor __generator_ctor __bit_generator_ctor", "bit_generator"),
    "numpy.random:__RandomState_ctor": "bit_generator",  # before 1.17
    "scipy.spatial.transform._rigid_transform:RigidTransform.from_matrix": "stored",
    "numpy.ma.core:_mareconstruct": "subtype",
    "numpy.ma.core:MaskedConstant": "empty",  # the one class whose `__reduce__` calls it
    # its constructor reads text, which the generator takes for code; files only have it made empty by `_reconstruct`
    "numpy.matrixlib.defmatrix:matrix": "empty",
    "numpy:matrix": "empty",
    "numpy:core.multiarray.scalar": "data",
    # dill, for plain data and arrays; what it writes for functions and classes runs code
    "dill._dill:_create_array": "dill_array",
    "dill._dill:_load_type": "dill_type",
    # pandas
    **_all("pandas.core.indexes.base", "_new_Index", "index"),
    **_all("pandas.core.indexes.datetimes", "_new_DatetimeIndex", "index"),
    **_all("pandas.core.indexes.period", "_new_PeriodIndex", "index"),
    **_all("pandas.core.indexes.timedeltas", "_new_TimedeltaIndex", "index"),
    **_all("pandas.core.indexes.interval", "_new_IntervalIndex", "index"),
    "pandas._libs.internals:_unpickle_block": "data",
    "pandas._libs.internals:BlockPlacement": "data",
    "pandas.core.internals.blocks:new_block": "data",
    **_all("pandas.core.internals.managers", "BlockManager SingleBlockManager", "data"),
    "pandas._libs.tslibs.timestamps:_unpickle_timestamp": "data",
    "pandas._libs.tslibs.timedeltas:_timedelta_unpickle": "data",
    **_all("pandas._libs.tslibs.nattype", "_nat_unpickle __nat_unpickle", "data"),
    "pandas._libs.tslibs.offsets:_offset_unpickle": "data",
    **_all("pandas._libs.sparse", "IntIndex BlockIndex", "data"),
    **_all("pandas", "Interval Timestamp Timedelta Period", "stored"),
    "pandas._libs.interval:Interval": "stored",
    "pandas._libs.tslibs.timestamps:_Timestamp": "empty",  # only Timestamp's constructor checks what it is given
    "pandas:NA": "reference",  # pandas 3 gives it to its dtype of texts
    "pyarrow.lib:_restore_array": "described",
    **_all("pyarrow.lib", "schema decimal128 _reconstruct_table", "stored"),
    **_all("pyarrow.lib", "_reconstruct_record_batch py_buffer type_for_alias chunked_array", "stored"),
    **_all("pyarrow.lib", "string large_string bool_ int64 float64 timestamp list_ struct field", "stored"),
    **_all("pyarrow.lib", "dictionary map_ large_list decimal256 duration scalar", "stored"),
    # joblib: the wrapper announces raw array bytes in the stream; the machine reads them
    "joblib.numpy_pickle:NumpyArrayWrapper": "empty",
    "sklearn.externals.joblib.numpy_pickle:NumpyArrayWrapper": "empty",
    # what HDBSCAN keeps; one that caches in a folder has a store of joblib's in its state, which is refused
    "joblib.memory:Memory": "empty",
    "joblib.numpy_pickle_compat:NDArrayWrapper": "sidecar",
    "joblib.numpy_pickle_compat:ZNDArrayWrapper": "sidecar",
    "joblib.numpy_pickle:NDArrayWrapper": "sidecar",
    "joblib.numpy_pickle:ZNDArrayWrapper": "sidecar",
    "formulaic.utils.variables:Variable": "literals",  # a text
    # a sampler of optuna keeps the function that weighs its trials
    "optuna.samplers._tpe.parzen_estimator:_ParzenEstimatorParameters": "holder",
    # what an estimator of xgboost keeps; the other classes of that module write files or call what they hold
    "xgboost.callback:EarlyStopping": "empty",
    # models of time series keep how their loss is computed, and the ranges of their distribution
    **{f"transformers.models.{home}:nll": "reference" for home in _SERIES},
    **{f"transformers.time_series_utils:{kind}Output.domain_map": "reference" for kind in _SPREADS},
    # torch
    **_all(
        "torch._utils",
        "_rebuild_parameter _rebuild_parameter_with_state "
        "_rebuild_qtensor _rebuild_sparse_csr_tensor _rebuild_nested_tensor "
        "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor _rebuild_meta_tensor_no_storage "
        "_rebuild_xla_tensor",
        "data",
    ),
    "torch._utils:_rebuild_sparse_tensor": "sparse_tensor",
    **_all("torch._utils", "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3", "tensor"),
    "torch._tensor:_rebuild_from_type_v2": "rebuild_type",
    "torch._tensor:_rebuild_from_type": "rebuild_type",
    "torch.storage:_load_from_bytes": "inner_file",
    "torch.serialization:_get_layout": "data",
    "torch:Size": "shape",
    "torch:device": "data",
    **_all("torch.nn.parameter", "Parameter Buffer UninitializedParameter UninitializedBuffer", "data"),
    **_all(
        "torch.jit._pickle",
        "build_intlist build_doublelist build_boollist build_tensorlist build_tensor_from_id restore_type_tag",
        "data",
    ),
}
# The same, but only where the arguments are seen as the pickle machine sees them: other formats refuse these.
IN_PICKLES: dict[str, str] = {
    "operator:attrgetter": "attributes",
    "operator:methodcaller": "method",
    "builtins:iter": "iterator",
    "itertools:cycle": "endless",  # river's models go round in one
    # created empty; the state is a stream of Arrow, which is read as one
    "polars.dataframe.frame:DataFrame": "frame",
    "polars.series.series:Series": "frame",
    "PIL.Image:Resampling": "literals",  # what an image processor keeps
    "pytorch_lightning.callbacks.timer:Interval": "literals",  # when a timer looks at the clock
    "pytorch_lightning.trainer.states:RunningStage": "literals",
}
